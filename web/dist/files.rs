// Written by web/build.mjs: the name, hash and content of each file below /recover/.
[
    ("app-126a8e76afef.js", "126a8e76afef", include_str!("app-126a8e76afef.js")),
    ("ar-d45ee870512a.json", "d45ee870512a", include_str!("ar-d45ee870512a.json")),
    ("de-e1712e210d7e.json", "e1712e210d7e", include_str!("de-e1712e210d7e.json")),
    ("en-2964bf957645.json", "2964bf957645", include_str!("en-2964bf957645.json")),
    ("es-bc4a86a374bc.json", "bc4a86a374bc", include_str!("es-bc4a86a374bc.json")),
    ("fr-e8cca1e9afdd.json", "e8cca1e9afdd", include_str!("fr-e8cca1e9afdd.json")),
    ("hi-7d21745417e0.json", "7d21745417e0", include_str!("hi-7d21745417e0.json")),
    ("icon-8057e7e98153.svg", "8057e7e98153", include_str!("icon-8057e7e98153.svg")),
    ("id-ad0db29477d2.json", "ad0db29477d2", include_str!("id-ad0db29477d2.json")),
    ("ja-8889d4ed2c99.json", "8889d4ed2c99", include_str!("ja-8889d4ed2c99.json")),
    ("pt-99535b671179.json", "99535b671179", include_str!("pt-99535b671179.json")),
    ("regain.d.ts", "84122c723014", include_str!("regain.d.ts")),
    ("regain.js", "e8be57a8164d", include_str!("regain.js")),
    ("style-f9cc7eebccc1.css", "f9cc7eebccc1", include_str!("style-f9cc7eebccc1.css")),
    ("zh-Hans-8513929b1ebb.json", "8513929b1ebb", include_str!("zh-Hans-8513929b1ebb.json")),
]
