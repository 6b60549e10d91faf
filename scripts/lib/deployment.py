"""Deploys a release to an emulator of AWS, and makes by hand what the emulator leaves out: `deployment.py RELEASE STACK NAME=VALUE…`.

It prints the stack's outputs as JSON. The template is translated as CloudFormation translates it, by AWS's own translator. What the emulator
refuses is left out by the rules below, and each resource left out is printed. Nothing else is: a resource that the emulator refuses ends
the deployment, and so does a rule that fits no resource.
"""

import json
import pathlib
import sys
import time

import boto3
import sam
from botocore.config import Config

# The kinds of resources that are left out, and why.
LEFT_OUT = {
    'AWS::CodeDeploy::Application': 'the emulator has no CodeDeploy: the aliases move at once',
    'AWS::CodeDeploy::DeploymentGroup': 'the emulator has no CodeDeploy: the aliases move at once',
    'AWS::SES::Template': 'the emulator refuses the kind: made by the API of SES below',
    'AWS::CloudWatch::Dashboard': 'names alarms that are left out',
    'alarm with metric math': 'the emulator takes alarms of one metric only',
}

s3 = boto3.client('s3', config=Config(s3={'addressing_style': 'path'}))
cloudformation = boto3.client('cloudformation')
gateway = boto3.client('apigatewayv2')
ses = boto3.client('sesv2')
dynamodb = boto3.client('dynamodb')
BUCKET = 'releases'


def say(text):
    print(text, file=sys.stderr)


def translated(release):
    """The template of a release as CloudFormation deploys it. Its functions take their code from the bucket."""
    template = json.loads((release / 'template.json').read_text())
    for resource in template['Resources'].values():
        if resource['Type'] == 'AWS::Serverless::Function':
            zip = resource['Properties']['CodeUri']
            s3.put_object(Bucket=BUCKET, Key=zip, Body=(release / zip).read_bytes())
            resource['Properties']['CodeUri'] = {'Bucket': BUCKET, 'Key': zip}
    return sam.translated(template)


def kind(resource):
    """What a rule of LEFT_OUT goes by."""
    if resource['Type'] == 'AWS::CloudWatch::Alarm' and 'Metrics' in resource['Properties']:
        return 'alarm with metric math'
    return resource['Type']


def leave_out(template):
    """Takes what the emulator refuses out of a template, and returns it."""
    resources = template['Resources']
    left = {name: it for name, it in resources.items() if kind(it) in LEFT_OUT}
    for rule, reason in LEFT_OUT.items():
        names = [name for name, it in left.items() if kind(it) == rule]
        assert names, f'no resource is of the kind {rule}: delete the rule'
        say(f'left out, {rule} ({reason}):')
        for name in names:
            say(f'  {name}')
    for name in left:
        del resources[name]
    for resource in resources.values():
        waits = resource.get('DependsOn', [])
        rest = [name for name in ([waits] if isinstance(waits, str) else waits) if name not in left]
        resource['DependsOn'] = rest
        # CodeDeploy moves an alias. Without it, CloudFormation does.
        resource.pop('UpdatePolicy', None)
    # The emulator's regular expressions are Python's, which know no Unicode properties.
    patterns = [name for name, it in template['Parameters'].items() if r'\p{' in it.get('AllowedPattern', '')]
    assert patterns, 'no pattern has a Unicode property: delete the rule'
    say('left out, AllowedPattern (the emulator knows no Unicode properties):')
    for name in patterns:
        del template['Parameters'][name]['AllowedPattern']
        say(f'  {name}')
    return left


def split(value, parameters):
    """A condition in which each Fn::Split of a parameter is done. The emulator knows none in a condition."""
    if isinstance(value, list):
        return [split(it, parameters) for it in value]
    if not isinstance(value, dict):
        return value
    if 'Fn::Select' in value:
        index, parts = value['Fn::Select']
        at, of = parts['Fn::Split']
        return parameters[of['Ref']].split(at)[int(index)]
    return {name: split(it, parameters) for name, it in value.items()}


PARTS = {'Subject': 'SubjectPart', 'Text': 'TextPart', 'Html': 'HtmlPart'}


def show_mails(template, left):
    """Adds the texts of the mails to the outputs, so that the emulator fills in the parameters and decides the conditions."""
    for name, resource in left.items():
        if resource['Type'] == 'AWS::SES::Template':
            mail = resource['Properties']['Template']
            for part in ['TemplateName', *PARTS.values()]:
                template['Outputs'][f'{name}{part}'] = {'Value': mail[part]}


def create(stack, template, parameters):
    """Creates the stack, and returns its resources by their logical names and its outputs."""
    s3.put_object(Bucket=BUCKET, Key=f'{stack}.json', Body=json.dumps(template).encode())
    cloudformation.create_stack(
        StackName=stack,
        TemplateURL=f'{s3.meta.endpoint_url}/{BUCKET}/{stack}.json',
        Parameters=[{'ParameterKey': name, 'ParameterValue': value} for name, value in parameters.items()],
        Capabilities=['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    )
    end = time.monotonic() + 120
    while (found := cloudformation.describe_stacks(StackName=stack)['Stacks'][0])['StackStatus'] == 'CREATE_IN_PROGRESS':
        assert time.monotonic() < end, 'the stack is not created after two minutes'
        time.sleep(0.2)
    if found['StackStatus'] != 'CREATE_COMPLETE':
        for event in cloudformation.describe_stack_events(StackName=stack)['StackEvents']:
            if 'FAILED' in event['ResourceStatus']:
                say(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}")
        sys.exit(f"the stack is {found['StackStatus']}")
    pages = cloudformation.get_paginator('list_stack_resources').paginate(StackName=stack)
    resources = {it['LogicalResourceId']: it['PhysicalResourceId'] for page in pages for it in page['StackResourceSummaries']}
    return resources, {it['OutputKey']: it['OutputValue'] for it in found['Outputs']}


def make_mails(outputs, left):
    """Makes the mail templates as CloudFormation would."""
    for name, resource in left.items():
        if resource['Type'] == 'AWS::SES::Template':
            ses.create_email_template(
                TemplateName=outputs.pop(f'{name}TemplateName'),
                TemplateContent={part: outputs.pop(f'{name}{at}') for part, at in PARTS.items()},
            )


def cors(document, origins):
    """The rules of the OpenAPI document as the API takes them."""
    names = {'allowOrigins': 'AllowOrigins', 'allowMethods': 'AllowMethods', 'allowHeaders': 'AllowHeaders', 'exposeHeaders': 'ExposeHeaders'}
    assert document.keys() == names.keys(), document.keys()
    return {names[name]: value for name, value in document.items()} | {'AllowOrigins': origins}


def make_routes(template, resources, origins):
    """Makes the routes of the API's OpenAPI document, which the emulator does not read. Returns their number."""
    api = resources['HttpApi']
    document = template['Resources']['HttpApi']['Properties']['Body']
    gateway.update_api(ApiId=api, CorsConfiguration=cors(document['x-amazon-apigateway-cors'], origins))
    integrations = {}
    count = 0
    for path, operations in document['paths'].items():
        for method, operation in operations.items():
            integration = operation['x-amazon-apigateway-integration']
            uri = integration['uri']['Fn::Sub']
            if uri not in integrations:
                alias = uri.split('functions/${', 1)[1].split('}', 1)[0]
                made = gateway.create_integration(
                    ApiId=api,
                    IntegrationType='AWS_PROXY',
                    IntegrationUri=resources[alias],
                    PayloadFormatVersion=integration['payloadFormatVersion'],
                )
                integrations[uri] = made['IntegrationId']
            gateway.create_route(ApiId=api, RouteKey=f'{method.upper()} {path}', Target=f'integrations/{integrations[uri]}')
            count += 1
    return count


def finish_table(template, name):
    """Sets what the emulator leaves out of a table."""
    table = template['Resources']['Table']['Properties']
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=table['TimeToLiveSpecification'])
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=table['PointInTimeRecoverySpecification'])


def main():
    release, stack = pathlib.Path(sys.argv[1]), sys.argv[2]
    parameters = dict(it.split('=', 1) for it in sys.argv[3:])
    template = translated(release)
    left = leave_out(template)
    defaults = {name: it['Default'] for name, it in template['Parameters'].items() if 'Default' in it}
    template['Conditions'] = split(template['Conditions'], defaults | parameters)
    show_mails(template, left)
    resources, outputs = create(stack, template, parameters)
    make_mails(outputs, left)
    finish_table(template, outputs['TableName'])
    # Each operator does this once.
    ses.create_email_identity(EmailIdentity=parameters['MailFrom'])
    routes = make_routes(template, resources, template['Parameters']['CorsOrigins']['Default'].split(','))
    say(f'{len(resources)} resources, {len(left)} left out, {routes} routes')
    # The emulator serves an API at an address of its own.
    outputs['ApiUrl'] = f"{gateway.meta.endpoint_url}/_aws/execute-api/{resources['HttpApi']}/$default"
    print(json.dumps(outputs))


main()
