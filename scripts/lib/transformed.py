"""Compares what SAM makes of template.yaml with deploy/transformed.txt: `transformed.py`, or `transformed.py --update` to write the file.

The file has a line for each resource that SAM adds or changes, in AWS's own translation. The rest of template.yaml is deployed as it stands.
"""

import json
import re
import sys

import sam
import template

FILE = template.ROOT / 'deploy/transformed.txt'


def main():
    given = template.load()
    for name, resource in given['Resources'].items():
        if resource['Type'] == 'AWS::Serverless::Function':
            resource['Properties']['CodeUri'] = {'Bucket': 'releases', 'Key': f'{name}.zip'}
    before = {name: json.dumps(it, sort_keys=True) for name, it in given['Resources'].items()}
    made = sam.translated(given)
    lines = []
    for name, resource in sorted(made['Resources'].items()):
        text = json.dumps(resource, sort_keys=True)
        if before.get(name) != text:
            # A version's name ends with a digest of its code.
            lines.append(re.sub(r'(Version)[0-9a-f]{10}\b', r'\1', f'{name} {text}\n'))
    found = ''.join(lines)
    if sys.argv[1:] == ['--update']:
        FILE.write_text(found)
    elif found != FILE.read_text():
        expected = FILE.read_text().splitlines(keepends=True)
        for line in lines:
            if line not in expected:
                print(f'+ {line}', end='')
        for line in expected:
            if line not in lines:
                print(f'- {line}', end='')
        sys.exit('SAM makes something else of template.yaml than deploy/transformed.txt says. Is it meant? Then run scripts/check-template --update')


main()
