"""Reads template.yaml: `load()` gives it with every `!Tag` in its long form and every anchor written out, as CloudFormation wants it in JSON.

`template.py` prints it as JSON, with the files that it includes in it.
"""

import json
import pathlib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation's intrinsic functions."""


def _long_form(loader, suffix, node):
    name = suffix if suffix in ('Ref', 'Condition') else f'Fn::{suffix}'
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == 'GetAtt':
            value = value.split('.', 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


Loader.add_multi_constructor('!', _long_form)
# A date such as Version: 2012-10-17 stays text, as in CloudFormation.
Loader.yaml_implicit_resolvers = {
    first: [it for it in resolvers if it[0] != 'tag:yaml.org,2002:timestamp']
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path=ROOT / 'template.yaml'):
    """The file as dicts, lists and plain values."""
    return yaml.load(pathlib.Path(path).read_text(), Loader)


def whole(path=ROOT / 'template.yaml'):
    """The file, with the content of each file that it includes."""
    return _included(load(path))


def _included(value):
    if isinstance(value, list):
        return [_included(it) for it in value]
    if not isinstance(value, dict):
        return value
    value = {name: _included(it) for name, it in value.items()}
    if include := value.pop('Fn::Transform', None):
        assert include['Name'] == 'AWS::Include', include
        value |= load(ROOT / include['Parameters']['Location'])
    return value


def default(template, parameter):
    """A parameter's default: a number if it is one."""
    value = template['Parameters'][parameter]['Default']
    return int(value) if str(value).isdecimal() else value


def functions(template):
    """The functions by their names in the account, without the stack's: forgot-password, deliver-mail …"""
    return {
        it['Properties']['FunctionName']['Fn::Sub'].removeprefix('${AWS::StackName}-'): it['Properties']
        for it in template['Resources'].values()
        if it['Type'] == 'AWS::Serverless::Function'
    }


def memory(template, function):
    """Megabytes of a function."""
    return functions(template)[function].get('MemorySize', template['Globals']['Function']['MemorySize'])


def mail_mapping(template):
    """The event source mapping that hands mail requests to deliver-mail."""
    return next(it['Properties'] for it in functions(template)['deliver-mail']['Events'].values() if it['Type'] == 'DynamoDB')


def mail_batch_milliseconds(template):
    """How long deliver-mail takes for a batch at least. The functions' own default, unless the template has a parameter for it."""
    if 'MailBatchMilliseconds' in template['Parameters']:
        return default(template, 'MailBatchMilliseconds')
    return 400


if __name__ == '__main__':
    print(json.dumps(whole(), indent=1))
