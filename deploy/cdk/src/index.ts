/** Regain as a construct for the AWS CDK. It deploys a release, and compiles nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnElement, CfnStack, NestedStack, Stack, Token } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';

/** What {@link Regain} needs. */
export interface RegainProps {
  /** The folder of an unpacked release for one architecture: `template.json` and a zip for each function. */
  readonly release: string;
  /** The stack's parameters by name. `MailFrom` has to be among them; docs/settings.md and the template describe all. */
  readonly parameters: { readonly [name: string]: string };
}

// CloudFormation names a nested stack PARENT-LOGICALID-RANDOM, with 12 or 13 random characters, and mail templates have names that
// begin with it; the longest fits SES's 64 characters if a stack's name has at most 31.
const LONGEST_NAME = 31;
const LOGICAL_ID = 'Regain';
const RANDOM = 13;

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

// CfnInclude does not take this template: the CDK's classes for SAM require properties that SAM does not (EventInvokeConfig's OnSuccess),
// and it looks for a stage that is only there once SAM has made it. So the template goes into the stack as it is.
class Released extends CfnElement {
  constructor(scope: Construct, id: string, private readonly template: Template) {
    super(scope, id);
  }

  /** What the CDK asks of each element. */
  _toCloudFormation(): Template {
    return this.template;
  }
}

/** A Regain stack, nested in the stack that it is created in. CloudFormation checks its parameters as in any other deployment. */
export class Regain extends NestedStack {
  constructor(scope: Construct, id: string, props: RegainProps) {
    super(scope, id, { parameters: { ...props.parameters } });
    const nested = this.nestedStackResource as CfnStack;
    nested.overrideLogicalId(LOGICAL_ID);

    const parent = Stack.of(scope).stackName;
    const longest = LONGEST_NAME - `-${LOGICAL_ID}-`.length - RANDOM;
    if (!Token.isUnresolved(parent) && parent.length > longest) {
      throw new Error(`${parent}: a stack with Regain in it has a name of at most ${longest} characters, or the names of mail templates do not fit`);
    }

    const template = JSON.parse(readFileSync(join(props.release, 'template.json'), 'utf8')) as Template;
    for (const [name, resource] of Object.entries(template.Resources)) {
      if (resource.Type === 'AWS::Serverless::Function') {
        const zip = new Asset(this, `${name}Code`, { path: join(props.release, resource.Properties.CodeUri as string) });
        resource.Properties.CodeUri = { Bucket: zip.s3BucketName, Key: zip.s3ObjectKey };
      }
    }
    new Released(this, 'Template', template);
  }

  /** One output of the stack, such as `ApiUrl` or `TableName`, for use in the stack that Regain is created in. */
  output(name: string): string {
    return (this.nestedStackResource as CfnStack).getAtt(`Outputs.${name}`).toString();
  }
}
