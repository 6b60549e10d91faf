"""Makes programs that do nothing, in the place of what `sam build` builds: `stand_in.py FOLDER`."""

import pathlib
import sys

import template

for name, resource in template.load()['Resources'].items():
    if resource['Type'] == 'AWS::Serverless::Function':
        program = pathlib.Path(sys.argv[1]) / name / 'bootstrap'
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\n# {name}\n')
