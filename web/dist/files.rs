// Written by web/build.mjs: the name, hash and content of each file below /recover/.
[
    ("app-dd35fa93671b.js", "dd35fa93671b", include_str!("app-dd35fa93671b.js")),
    ("ar-1c70ef320de4.json", "1c70ef320de4", include_str!("ar-1c70ef320de4.json")),
    ("en-2d8daf5833ba.json", "2d8daf5833ba", include_str!("en-2d8daf5833ba.json")),
    ("icon-8057e7e98153.svg", "8057e7e98153", include_str!("icon-8057e7e98153.svg")),
    ("id-b69cafa8f656.json", "b69cafa8f656", include_str!("id-b69cafa8f656.json")),
    ("regain.d.ts", "6c19a5855275", include_str!("regain.d.ts")),
    ("regain.js", "3766d42df06c", include_str!("regain.js")),
    ("style-ab1b321b6512.css", "ab1b321b6512", include_str!("style-ab1b321b6512.css")),
]
