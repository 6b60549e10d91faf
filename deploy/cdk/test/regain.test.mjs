// Synthesises apps with Regain in them, from the release in the folder RELEASE. `scripts/check-deploy` runs this.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Regain } from '../dist/index.js';

const release = process.env.RELEASE;
const released = JSON.parse(readFileSync(join(release, 'template.json'), 'utf8'));
const parameters = { MailFrom: 'no-reply@example.org', ServiceName: 'Your Shop' };

function synth(name = 'shop') {
  const outdir = mkdtempSync(join(tmpdir(), 'regain-cdk-'));
  const app = new App({ outdir });
  const stack = new Stack(app, name);
  const regain = new Regain(stack, 'Regain', { release, parameters });
  new CfnOutput(stack, 'ApiUrl', { value: regain.output('ApiUrl') });
  app.synth();
  const read = (file) => JSON.parse(readFileSync(join(outdir, file), 'utf8'));
  return { outdir, parent: read(`${name}.template.json`), nested: read(`${regain.templateFile}`), assets: read(`${name}.assets.json`) };
}

const whole = synth();

test('the nested stack gets the parameters, and its outputs reach the parent', () => {
  const nested = whole.parent.Resources.Regain;
  assert.equal(nested.Type, 'AWS::CloudFormation::Stack');
  for (const [name, value] of Object.entries(parameters)) assert.equal(nested.Properties.Parameters[name], value);
  assert.deepEqual(whole.parent.Outputs.ApiUrl.Value, { 'Fn::GetAtt': ['Regain', 'Outputs.ApiUrl'] });
});

test('the nested template is the released one in everything but where the code is', () => {
  const expected = structuredClone(released);
  const found = structuredClone(whole.nested);
  for (const template of [expected, found]) {
    delete template.Resources.CDKMetadata;
    for (const resource of Object.values(template.Resources)) {
      if (resource.Type === 'AWS::Serverless::Function') delete resource.Properties.CodeUri;
    }
  }
  for (const section of Object.keys(expected)) assert.deepEqual(found[section], expected[section], section);
});

test('each function takes its code from an asset that is its zip', () => {
  for (const [name, resource] of Object.entries(released.Resources)) {
    if (resource.Type !== 'AWS::Serverless::Function') continue;
    const { Bucket, Key } = whole.nested.Resources[name].Properties.CodeUri;
    assert.ok(Bucket['Fn::Sub'].startsWith('cdk-'), name);
    const asset = whole.assets.files[Key.replace('.zip', '')];
    assert.deepEqual(readFileSync(join(whole.outdir, asset.source.path)), readFileSync(join(release, resource.Properties.CodeUri)), name);
    assert.equal(asset.source.packaging, 'file');
    assert.ok(existsSync(join(whole.outdir, asset.source.path)));
  }
});

test('a stack whose name leaves no room for the names of mail templates is refused', () => {
  assert.throws(() => synth('a-stack-with-a-name'), /at most 10 characters/);
});
