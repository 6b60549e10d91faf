#!/usr/bin/env python3
"""Stands in for Terraform's provider hashicorp/aws, as far as deploy/terraform uses it: it checks names and types, and creates nothing.

Only HashiCorp's registry has the real provider. The attributes here are those of its documentation, version 5. What
would be created goes into the file that STAND_IN_RECORD names, as one JSON object a line.
"""

import json
import os

from tf import runner, types
from tf.iface import DataSource, Provider, Resource
from tf.schema import Attribute, Schema


def text(name, **more):
    return Attribute(name, types.String(), **more)


def record(kind, values):
    known = {name: value for name, value in values.items() if value is not None and value is not types.Unknown}
    with open(os.environ['STAND_IN_RECORD'], 'a') as file:
        file.write(json.dumps({'type': kind, **known}) + '\n')


class StandIn(Resource):
    """A resource that is recorded. What AWS would set is made up."""

    made_up = {}

    def __init__(self, provider):
        pass

    def create(self, ctx, planned):
        record(self.get_name(), planned)
        return {**planned, **{name: value for name, value in self.made_up.items() if planned.get(name) in (None, types.Unknown)}}

    def read(self, ctx, current):
        return current

    def update(self, ctx, current, planned):
        return planned

    def delete(self, ctx, current):
        pass


class S3Object(StandIn):
    made_up = {'id': 'made-up', 'etag': 'made-up'}

    @classmethod
    def get_name(cls):
        return 's3_object'

    @classmethod
    def get_schema(cls):
        return Schema(attributes=[
            text('id', computed=True), text('bucket', required=True), text('key', required=True), text('source', optional=True),
            text('content', optional=True), text('content_type', optional=True), text('etag', computed=True, optional=True),
            text('source_hash', optional=True), text('acl', optional=True), text('kms_key_id', optional=True),
            Attribute('tags', types.Map(types.String()), optional=True),
        ])


class CloudFormationStack(StandIn):
    made_up = {'id': 'made-up', 'outputs': {'ApiUrl': 'https://made-up.example', 'TableName': 'made-up'}}

    @classmethod
    def get_name(cls):
        return 'cloudformation_stack'

    @classmethod
    def get_schema(cls):
        return Schema(attributes=[
            text('id', computed=True), text('name', required=True), text('template_body', optional=True), text('template_url', optional=True),
            Attribute('capabilities', types.Set(types.String()), optional=True), Attribute('parameters', types.Map(types.String()), optional=True),
            Attribute('disable_rollback', types.Bool(), optional=True), text('on_failure', optional=True), text('policy_body', optional=True),
            text('policy_url', optional=True), Attribute('notification_arns', types.Set(types.String()), optional=True),
            Attribute('tags', types.Map(types.String()), optional=True), text('iam_role_arn', optional=True),
            Attribute('timeout_in_minutes', types.Number(), optional=True), Attribute('outputs', types.Map(types.String()), computed=True),
        ])


class S3Bucket(DataSource):
    def __init__(self, provider):
        pass

    @classmethod
    def get_name(cls):
        return 's3_bucket'

    @classmethod
    def get_schema(cls):
        return Schema(attributes=[
            text('id', computed=True), text('bucket', required=True), text('arn', computed=True), text('region', computed=True),
            text('bucket_domain_name', computed=True), text('bucket_regional_domain_name', computed=True),
        ])

    def read(self, ctx, config):
        name = config['bucket']
        return {
            'id': name, 'bucket': name, 'arn': f'arn:aws:s3:::{name}', 'region': 'us-east-1', 'bucket_domain_name': f'{name}.s3.amazonaws.com',
            'bucket_regional_domain_name': f'{name}.s3.us-east-1.amazonaws.com',
        }


class Aws(Provider):
    def get_model_prefix(self):
        return 'aws_'

    def full_name(self):
        return 'registry.terraform.io/hashicorp/aws'

    def get_provider_schema(self, diags):
        return Schema(attributes=[text('region', optional=True)])

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        pass

    def get_data_sources(self):
        return [S3Bucket]

    def get_resources(self):
        return [S3Object, CloudFormationStack]


if __name__ == '__main__':
    runner.run_provider(Aws())
