"""Packs what `sam build` built into a stack that deploys without a compiler. `scripts/release` runs it.

The folder that it writes has a zip for each function, and template.json: template.yaml with the files that it includes in it,
whose functions take their code from the zips beside it. Equal programs give equal bytes.
"""

import argparse
import io
import json
import pathlib
import zipfile

import template


def zipped(program):
    """A zip with the program as `bootstrap`, for everybody to run. It has no time of its own."""
    entry = zipfile.ZipInfo('bootstrap', (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, or Lambda would not see that it may be run
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr(entry, program, compresslevel=9)
    return file.getvalue()


def packed(whole, architecture):
    """The template, and the zip's name for each function of it."""
    whole['Parameters']['Architecture'] |= {'Default': architecture, 'AllowedValues': [architecture]}
    zips = {}
    for name, resource in whole['Resources'].items():
        if resource['Type'] == 'AWS::Serverless::Function':
            folder = pathlib.PurePath(resource['Properties']['CodeUri'])
            zips[name] = resource['Properties']['CodeUri'] = f'{folder.name}.zip'
            del resource['Metadata']  # how to build it
    return whole, zips


def main():
    parser = argparse.ArgumentParser(prog='scripts/lib/package.py')
    parser.add_argument('--architecture', choices=['arm64', 'x86_64'], required=True)
    parser.add_argument('--built', type=pathlib.Path, required=True, help="sam build's folder: FUNCTION/bootstrap for each function")
    parser.add_argument('--out', type=pathlib.Path, required=True)
    options = parser.parse_args()
    whole, zips = packed(template.whole(), options.architecture)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, file in zips.items():
        (options.out / file).write_bytes(zipped((options.built / name / 'bootstrap').read_bytes()))
    (options.out / 'template.json').write_text(json.dumps(whole, indent=1) + '\n')


if __name__ == '__main__':
    main()
