// Written by web/build.mjs: the name, hash and content of each file below /recover/.
[
    ("app-8a7c9a24f2bd.js", "8a7c9a24f2bd", include_str!("app-8a7c9a24f2bd.js")),
    ("ar-c3b8d4011cbe.json", "c3b8d4011cbe", include_str!("ar-c3b8d4011cbe.json")),
    ("de-bf4c97b0b64d.json", "bf4c97b0b64d", include_str!("de-bf4c97b0b64d.json")),
    ("en-2f28336e4370.json", "2f28336e4370", include_str!("en-2f28336e4370.json")),
    ("es-9c541c48eae8.json", "9c541c48eae8", include_str!("es-9c541c48eae8.json")),
    ("fr-f5594fab5a82.json", "f5594fab5a82", include_str!("fr-f5594fab5a82.json")),
    ("hi-9d5552536625.json", "9d5552536625", include_str!("hi-9d5552536625.json")),
    ("icon-8057e7e98153.svg", "8057e7e98153", include_str!("icon-8057e7e98153.svg")),
    ("id-dea9a1a99c17.json", "dea9a1a99c17", include_str!("id-dea9a1a99c17.json")),
    ("ja-20adfb709e0b.json", "20adfb709e0b", include_str!("ja-20adfb709e0b.json")),
    ("pt-4290e0017c50.json", "4290e0017c50", include_str!("pt-4290e0017c50.json")),
    ("regain.d.ts", "15a599869bf2", include_str!("regain.d.ts")),
    ("regain.js", "264b0271d56f", include_str!("regain.js")),
    ("style-45b79d24c72a.css", "45b79d24c72a", include_str!("style-45b79d24c72a.css")),
    ("zh-Hans-aed349044849.json", "aed349044849", include_str!("zh-Hans-aed349044849.json")),
]
