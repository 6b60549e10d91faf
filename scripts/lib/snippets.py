"""Runs the snippets of a page, see scripts/test-snippets.

A fence's info string has two words: the language, and the name of the snippet. Fences of other forms are left alone, and a name that
is not known here is an error.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import tree_sitter
import tree_sitter_dart
import tree_sitter_swift

PAGE_URL = "http://127.0.0.1:3000"
WRONG_CODE = "000000"
PASSWORD = "a lantern over the river"
# `ask` of the page's JavaScript: a line of standard input for each question.
ASK = """
import readline from 'node:readline';
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async () => (await lines.next()).value;
"""
KOTLIN_MAIN = "\nfun main() = recover { readln() }\n"

# The input of the person, in this order. CODE is the code of the next mail.
CODE = object()
SNIPPETS = {
    "curl": ("siti@example.com", [CODE]),
    "javascript": ("siti@example.com", ["siti@example.com", WRONG_CODE, CODE, "password1", PASSWORD]),
    "kotlin": ("siti@example.com", ["siti@example.com", CODE, PASSWORD]),
    "directory-curl": ("demo@example.com", [CODE]),
    "directory-javascript": ("demo@example.com", ["demo@example.com", CODE, PASSWORD]),
}
PARSED = {"swift": tree_sitter_swift, "dart": tree_sitter_dart}


def snippets(page):
    """The page's snippets by name."""
    found = {}
    for name, text in re.findall(r"^```\w+ ([\w-]+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if name in found:
            sys.exit(f"the page has two snippets called {name}")
        found[name] = text
    if set(found) != SNIPPETS.keys() | PARSED.keys():
        sys.exit(f"the page has these snippets: {', '.join(sorted(found))}")
    return found


def mails(service, address):
    """The mails to an address, oldest first."""
    query = urllib.parse.urlencode({"to": address})
    with urllib.request.urlopen(f"{service}/_mail.json?{query}", timeout=10) as answer:
        return json.load(answer)[::-1]


def await_mail(service, address, earlier, template):
    """The text of the first mail of a template after those that were there earlier."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for mail in mails(service, address)[earlier:]:
            if template in mail["template"]:
                return mail["text"]
        time.sleep(0.05)
    sys.exit(f"no mail of {template} to {address}")


def run(name, command, service):
    """Runs a snippet as a person would, up to the notice that the password was changed."""
    address, answers = SNIPPETS[name]
    earlier = len(mails(service, address))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for answer in answers:
        if answer is CODE:
            text = await_mail(service, address, earlier, "forgot")
            answer = re.search(r"^[0-9]{6}$", text, re.MULTILINE).group()
        process.stdin.write(f"{answer}\n")
        process.stdin.flush()
    output, _ = process.communicate(timeout=60)
    if process.returncode != 0:
        sys.exit(f"{name}: exit {process.returncode}\n{output}")
    await_mail(service, address, earlier, "password-changed")
    print(f"{name}: the password was changed")


def parse(name, text):
    """Parses a snippet of a language that has no compiler here."""
    parser = tree_sitter.Parser(tree_sitter.Language(PARSED[name].language()))
    tree = parser.parse(text.encode())
    faults = [tree.root_node]
    for node in faults:
        faults.extend(child for child in node.children if child.has_error or child.is_missing)
    # The innermost node at fault says most.
    if tree.root_node.has_error:
        row, column = faults[-1].start_point
        sys.exit(f"{name}: a fault in line {row + 1}, column {column + 1}")
    print(f"{name}: parsed")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("page", type=pathlib.Path)
    options.add_argument("service")
    options.add_argument("--kotlinc", required=True)
    options.add_argument("--json", required=True)
    options = options.parse_args()
    found = snippets(options.page.read_text())
    for name in PARSED:
        parse(name, found[name])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def write(file, text):
            path = folder / file
            path.write_text(text.replace(PAGE_URL, options.service))
            return path

        for name in ["curl", "directory-curl"]:
            script = write(f"{name}.sh", "set -euo pipefail\n" + found[name])
            run(name, ["bash", script], options.service)
        for name in ["javascript", "directory-javascript"]:
            script = write(f"{name}.mjs", ASK + found[name] + "\nprocess.exit();\n")
            run(name, ["node", script], options.service)
        source, classes = write("recover.kt", found["kotlin"] + KOTLIN_MAIN), folder / "classes"
        compiler = ["java", "-cp", options.kotlinc, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"]
        home = pathlib.Path(options.kotlinc).parent.parent
        subprocess.run(
            [*compiler, "-kotlin-home", home, "-Werror", "-classpath", options.json, "-d", classes, source], check=True
        )
        path = f"{classes}:{options.json}:{home}/lib/kotlin-stdlib.jar"
        run("kotlin", ["java", "-cp", path, "RecoverKt"], options.service)


main()
