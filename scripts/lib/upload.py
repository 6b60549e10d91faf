"""What `scripts/check-deploy` asks the emulator of S3: `upload.py bucket NAME`, `upload.py compare RELEASE TEMPLATE`."""

import json
import pathlib
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from samcli.yamlhelper import yaml_parse

s3 = boto3.client('s3', config=Config(s3={'addressing_style': 'path'}))


def bucket(name):
    """Creates the bucket, as soon as the emulator answers."""
    end = time.monotonic() + 60
    while True:
        try:
            return s3.create_bucket(Bucket=name)
        except EndpointConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def compare(release, packaged):
    """Fails unless each function takes its code from an object that equals its zip, and the rest of the template is the released one."""
    expected = json.loads(pathlib.Path(release, 'template.json').read_text())
    found = yaml_parse(pathlib.Path(packaged).read_text())
    count = 0
    for name, resource in expected['Resources'].items():
        if resource['Type'] == 'AWS::Serverless::Function':
            place = found['Resources'][name]['Properties'].pop('CodeUri').removeprefix('s3://')
            bucket, _, key = place.partition('/')
            zip = pathlib.Path(release, resource['Properties'].pop('CodeUri'))
            assert s3.get_object(Bucket=bucket, Key=key)['Body'].read() == zip.read_bytes(), f'{name}: {place} is not {zip}'
            count += 1
    for resource in found['Resources'].values():
        resource.get('Metadata', {}).pop('SamResourceId', None)
        if resource.get('Metadata') == {}:
            del resource['Metadata']
    assert json.loads(json.dumps(found)) == expected, 'the rest of the template has changed'
    print(f'{count} zips')


{'bucket': bucket, 'compare': compare}[sys.argv[1]](*sys.argv[2:])
