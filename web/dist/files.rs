// Written by web/build.mjs: the name, hash and content of each file below /recover/.
[
    ("app-b8107eaf2634.js", "b8107eaf2634", include_str!("app-b8107eaf2634.js")),
    ("ar-c3b8d4011cbe.json", "c3b8d4011cbe", include_str!("ar-c3b8d4011cbe.json")),
    ("en-2f28336e4370.json", "2f28336e4370", include_str!("en-2f28336e4370.json")),
    ("icon-8057e7e98153.svg", "8057e7e98153", include_str!("icon-8057e7e98153.svg")),
    ("id-dea9a1a99c17.json", "dea9a1a99c17", include_str!("id-dea9a1a99c17.json")),
    ("regain.d.ts", "15a599869bf2", include_str!("regain.d.ts")),
    ("regain.js", "264b0271d56f", include_str!("regain.js")),
    ("style-45b79d24c72a.css", "45b79d24c72a", include_str!("style-45b79d24c72a.css")),
]
