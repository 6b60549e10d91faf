// Written by web/build.mjs: the name, hash and content of each file below /recover/.
[
    ("app-ff41219caa90.js", "ff41219caa90", include_str!("app-ff41219caa90.js")),
    ("ar-c3b8d4011cbe.json", "c3b8d4011cbe", include_str!("ar-c3b8d4011cbe.json")),
    ("de-a964b3e4926c.json", "a964b3e4926c", include_str!("de-a964b3e4926c.json")),
    ("en-2f28336e4370.json", "2f28336e4370", include_str!("en-2f28336e4370.json")),
    ("es-f3195e8fee36.json", "f3195e8fee36", include_str!("es-f3195e8fee36.json")),
    ("fr-89f307ab59b5.json", "89f307ab59b5", include_str!("fr-89f307ab59b5.json")),
    ("hi-9a996396c795.json", "9a996396c795", include_str!("hi-9a996396c795.json")),
    ("icon-8057e7e98153.svg", "8057e7e98153", include_str!("icon-8057e7e98153.svg")),
    ("id-dea9a1a99c17.json", "dea9a1a99c17", include_str!("id-dea9a1a99c17.json")),
    ("ja-20adfb709e0b.json", "20adfb709e0b", include_str!("ja-20adfb709e0b.json")),
    ("pt-366f519b0fcd.json", "366f519b0fcd", include_str!("pt-366f519b0fcd.json")),
    ("regain.d.ts", "15a599869bf2", include_str!("regain.d.ts")),
    ("regain.js", "264b0271d56f", include_str!("regain.js")),
    ("style-45b79d24c72a.css", "45b79d24c72a", include_str!("style-45b79d24c72a.css")),
    ("zh-Hans-d606e421e798.json", "d606e421e798", include_str!("zh-Hans-d606e421e798.json")),
]
