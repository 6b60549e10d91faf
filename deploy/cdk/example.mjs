// An app with Regain in it. RELEASE is the folder of an unpacked release: `RELEASE=regain-0.1.0-arm64 npx cdk deploy --app 'node example.mjs'`.
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Regain } from 'regain-cdk';

const stack = new Stack(new App(), 'shop');
const regain = new Regain(stack, 'Regain', {
  release: process.env.RELEASE,
  parameters: { MailFrom: 'no-reply@your.domain', ServiceName: 'Your Shop' },
});
new CfnOutput(stack, 'ApiUrl', { value: regain.output('ApiUrl') });
new CfnOutput(stack, 'RegainStack', { value: regain.stackName });
