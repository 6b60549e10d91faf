"""Runs the snippets of docs/integrate.md: `integrate.py LAMBDA RUST`, where LAMBDA is the URL of the local Lambda API, and RUST a folder
in which Rust's are compiled, as it is kept.

A snippet is all fences of its name together. It needs Node.js, the Python package idna, Go with x/net and x/text in a GOPATH, and cargo.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

PAGE = pathlib.Path("docs/integrate.md")
VECTORS = pathlib.Path("docs/address-vectors.json").resolve()
PASSWORD = pathlib.Path("password").resolve()
PAGE_URL = "http://127.0.0.1:3004"
UREQ_VERSION = "3.5.2"
LANGUAGES = ["node", "python", "go", "rust"]
EXPECTED = "created updated deleted nobody"
# The end of a program whose steps the page shows: it runs the steps, and prints the results.
STEPS = {
    "node": "{steps}\nconsole.log(created.outcome, moved.outcome, deleted.outcome, gone.user ?? 'nobody');\n",
    "python": '{steps}\nprint(created["outcome"], moved["outcome"], deleted["outcome"], gone["user"] or "nobody")\n',
    "go": """
func main() {{
{steps}
    if err != nil {{
        log.Fatal(err)
    }}
    who := "nobody"
    if gone.User != nil {{
        who = gone.User.ID
    }}
    fmt.Println(created.Outcome, moved.Outcome, deleted.Outcome, who)
}}
""",
    "rust": """
fn main() -> Result<(), Box<dyn Error>> {{
{steps}
    let who = if gone["user"].is_null() {{ "nobody" }} else {{ "somebody" }};
    let outcomes = [&created, &moved, &deleted].map(|it| it["outcome"].as_str().unwrap_or("none"));
    println!("{{}} {{who}}", outcomes.join(" "));
    Ok(())
}}
""",
}
# Calls `canonical` for each test vector, and prints how many there are.
VECTOR_CHECKS = {
    "node": f"""
import {{ readFileSync }} from 'node:fs';
const vectors = JSON.parse(readFileSync({str(VECTORS)!r}));
for (const {{ typed, canonical: expected, why }} of vectors) {{
  if (canonical(typed) !== expected) throw new Error(`${{why}}: ${{JSON.stringify(typed)}} became ${{canonical(typed)}}`);
}}
console.log(vectors.length);
""",
    "python": f"""
import json
vectors = json.load(open({str(VECTORS)!r}))
for vector in vectors:
    assert canonical(vector["typed"]) == vector["canonical"], vector
print(len(vectors))
""",
    "go": f"""package main

import (
    "encoding/json"
    "fmt"
    "log"
    "os"
)

func main() {{
    var vectors []struct {{
        Typed, Why string
        Canonical  *string
    }}
    text, err := os.ReadFile("{VECTORS}")
    if err == nil {{
        err = json.Unmarshal(text, &vectors)
    }}
    if err != nil {{
        log.Fatal(err)
    }}
    for _, it := range vectors {{
        found, ok := canonical(it.Typed)
        if ok != (it.Canonical != nil) || ok && found != *it.Canonical {{
            log.Fatalf("%s: %q became %q", it.Why, it.Typed, found)
        }}
    }}
    fmt.Println(len(vectors))
}}
""",
    "rust": f"""
fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let vectors: serde_json::Value = serde_json::from_str(&std::fs::read_to_string("{VECTORS}")?)?;
    let vectors = vectors.as_array().ok_or("no vectors")?;
    for it in vectors {{
        let found = canonical(it["typed"].as_str().ok_or("nothing typed")?);
        assert_eq!(found.as_deref(), it["canonical"].as_str(), "{{it}}");
    }}
    println!("{{}}", vectors.len());
    Ok(())
}}
""",
}
MANIFEST = f"""
[package]
name = "snippets"
edition = "2024"

[dependencies]
regain-password = {{ path = "{PASSWORD}", default-features = false }}
serde_json = "1"
ureq = {{ version = "={UREQ_VERSION}", default-features = false, features = ["json"] }}

[workspace]
"""


def snippets():
    """The page's snippets by name: the fences of each, in their order."""
    found = {}
    for name, text in re.findall(r"^```\w+ ([\w-]+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        found.setdefault(name, []).append(text)
    if found.keys() != {f"{kind}-{language}" for kind in ("integrate", "canonical") for language in LANGUAGES}:
        sys.exit(f"the page has these snippets: {', '.join(sorted(found))}")
    return found


def program(kind, language, fences):
    """The files of the program that runs a snippet."""
    if kind == "integrate":
        definitions, *steps = fences
        return [definitions.replace(PAGE_URL, sys.argv[1]) + STEPS[language].format(steps="\n".join(steps))]
    # Go's imports are at the top of a file.
    return [fences[0], VECTOR_CHECKS[language]] if language == "go" else [fences[0] + VECTOR_CHECKS[language]]


def run(kind, language, files, scratch):
    """What a program says."""
    environment = dict(os.environ)
    if language == "rust":
        rust = pathlib.Path(sys.argv[2])
        source = rust / "src" / "bin" / f"{kind}.rs"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(files[0])
        (rust / "Cargo.toml").write_text(MANIFEST)
        command = ["cargo", "run", "--quiet", "--manifest-path", rust / "Cargo.toml", "--target-dir", rust / "target", "--bin", kind]
    else:
        suffix = {"node": ".mjs", "python": ".py", "go": ".go"}[language]
        paths = [pathlib.Path(scratch, f"{kind}{number}{suffix}") for number in range(len(files))]
        for path, text in zip(paths, files):
            path.write_text(text)
        command = {"node": ["node"], "python": [sys.executable], "go": ["go", "run"]}[language] + paths
        if language == "go":
            # Debian's packages of Go are no modules.
            environment |= {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600, env=environment)
    return said.stdout.strip()


def main():
    vectors = str(VECTORS.read_text().count('"typed"'))
    with tempfile.TemporaryDirectory() as scratch:
        for name, fences in snippets().items():
            kind, language = name.split("-")
            said = run(kind, language, program(kind, language, fences), scratch)
            expected = EXPECTED if kind == "integrate" else vectors
            if said != expected:
                sys.exit(f"{name}: said {said!r}, not {expected!r}")
            print(f"{name}: {said}")


main()
