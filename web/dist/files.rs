// Written by web/build.mjs: the files below /recover/.
[
    ("app-dd35fa93671b.js", include_bytes!("app-dd35fa93671b.js").as_slice()),
    ("ar-1c70ef320de4.json", include_bytes!("ar-1c70ef320de4.json").as_slice()),
    ("en-2d8daf5833ba.json", include_bytes!("en-2d8daf5833ba.json").as_slice()),
    ("icon-8057e7e98153.svg", include_bytes!("icon-8057e7e98153.svg").as_slice()),
    ("id-b69cafa8f656.json", include_bytes!("id-b69cafa8f656.json").as_slice()),
    ("regain.d.ts", include_bytes!("regain.d.ts").as_slice()),
    ("regain.js", include_bytes!("regain.js").as_slice()),
    ("style-ab1b321b6512.css", include_bytes!("style-ab1b321b6512.css").as_slice()),
]
