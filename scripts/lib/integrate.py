"""Runs the snippets of docs/integrate.md: `integrate.py LAMBDA`, where LAMBDA is the URL of the local Lambda API.

It needs Node.js and the Python package idna.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

PAGE = pathlib.Path("docs/integrate.md")
VECTORS = pathlib.Path("docs/address-vectors.json").resolve()
PAGE_URL = "http://127.0.0.1:3004"
EXPECTED = {"integrate-node": "created updated deleted null", "integrate-python": "created updated deleted None"}
# What calls the snippets that only define something.
CHECKS = {
    "canonical-node": f"""
import {{ readFileSync }} from 'node:fs';
const vectors = JSON.parse(readFileSync({str(VECTORS)!r}));
for (const {{ typed, canonical: expected, why }} of vectors) {{
  if (canonical(typed) !== expected) throw new Error(`${{why}}: ${{JSON.stringify(typed)}} became ${{canonical(typed)}}`);
}}
console.log(vectors.length);
""",
    "canonical-python": f"""
import json
vectors = json.load(open({str(VECTORS)!r}))
for vector in vectors:
    assert canonical(vector["typed"]) == vector["canonical"], vector
print(len(vectors))
""",
}


def main():
    found = dict(re.findall(r"^```\w+ ([\w-]+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    if found.keys() != EXPECTED.keys() | CHECKS.keys():
        sys.exit(f"the page has these snippets: {', '.join(sorted(found))}")
    vectors = VECTORS.read_text().count('"typed"')
    for name, text in found.items():
        is_node = name.endswith("node")
        with tempfile.NamedTemporaryFile("w", suffix=".mjs" if is_node else ".py") as script:
            script.write(text.replace(PAGE_URL, sys.argv[1]) + CHECKS.get(name, ""))
            script.flush()
            command = ["node" if is_node else sys.executable, script.name]
            said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout.strip()
        expected = EXPECTED.get(name, str(vectors))
        if said != expected:
            sys.exit(f"{name}: said {said!r}, not {expected!r}")
        print(f"{name}: {said}")


main()
