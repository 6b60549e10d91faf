"""Checks that the commands of the AWS CLI in the docs exist in its version 1, which docs/operations.md installs.

Version 1 makes its commands and options of botocore's models. `wait` and `configure` are its own, and are not checked.
"""

import pathlib
import re
import sys

from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.session import Session

# The options of every command of version 1, without those that only version 2 has.
GLOBAL = {'--debug', '--endpoint-url', '--no-verify-ssl', '--no-paginate', '--output', '--query', '--profile', '--region', '--version',
          '--color', '--no-sign-request', '--ca-bundle', '--cli-read-timeout', '--cli-connect-timeout', '--cli-input-json',
          '--generate-cli-skeleton', '--max-items', '--page-size', '--starting-token'}
# Options that the CLI adds to a command.
ADDED = {('lambda', 'publish-layer-version'): {'--zip-file'}, ('lambda', 'update-function-code'): {'--zip-file'}}

# A command may have another one in it, so a match takes no text.
COMMAND = re.compile(r'(?=\baws ([a-z0-9-]+) ([a-z0-9-]+)((?:\$\([^)]*\)|[^\n`|&;])*))')


def wrong(session, service, operation, options):
    """What of a command does not exist."""
    if service == 'configure' or operation == 'wait':
        return []
    try:
        model = session.get_service_model(service)
    except UnknownServiceError:
        return [service]
    operations = {xform_name(name, '-'): name for name in model.operation_names}
    if operation not in operations:
        return [f'{service} {operation}']
    shape = model.operation_model(operations[operation]).input_shape
    members = shape.members.items() if shape else []
    known = GLOBAL | ADDED.get((service, operation), set())
    for name, member in members:
        known.add('--' + xform_name(name, '-'))
        if member.type_name == 'boolean':
            known.add('--no-' + xform_name(name, '-'))
    return [f'{service} {operation} {option}' for option in options if option not in known]


def main():
    session = Session()
    count, failed = 0, False
    for page in [pathlib.Path('README.md'), pathlib.Path('CONTRIBUTING.md'), *sorted(pathlib.Path('docs').glob('*.md'))]:
        for service, operation, rest in COMMAND.findall(page.read_text().replace('\\\n', ' ')):
            count += 1
            options = re.findall(r'(?<=\s)--[a-z0-9-]+', re.sub(r'\$\([^)]*\)', '', rest))
            for fault in wrong(session, service, operation, options):
                print(f'{page}: version 1 of the AWS CLI has no `{fault}`')
                failed = True
    assert count > 40, f'only {count} commands were found'
    sys.exit(failed)


main()
