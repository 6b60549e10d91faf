"""Writes what a script computes into a page of docs/, between two marks or as a whole file, or checks that it is there."""

import pathlib
import sys


def write(path, text, check):
    """Writes the file; with `check`, only says whether it would change."""
    path = pathlib.Path(path)
    if check and (not path.exists() or path.read_text() != text):
        sys.exit(f'{path.relative_to(pathlib.Path.cwd())} differs from what scripts/{pathlib.Path(sys.argv[0]).stem} writes: run it without --check')
    path.write_text(text)


def block(path, name, text, check):
    """The same for the part of a page between `<!-- NAME -->` and `<!-- end of NAME -->`."""
    first, last = f'<!-- {name} -->\n', f'<!-- end of {name} -->'
    before, _, rest = pathlib.Path(path).read_text().partition(first)
    _, mark, after = rest.partition(last)
    if not mark:
        sys.exit(f'{path} lacks the marks of {name}')
    write(path, before + first + text.strip() + '\n' + last + after, check)
