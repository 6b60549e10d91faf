//! The accesses that a function needs: those of its recorded calls, and those that Lambda makes in its name.

use std::collections::BTreeSet;

use local::template::{ACCOUNT, REGION, Resource};
use serde_json::Value as Json;

use super::deployment::{Deployment, Function, property};
use super::policy::{Access, FROM_ADDRESS, VIA_SERVICE};
use super::record::Call;

impl Deployment {
    /// Every access that the function needs.
    pub(crate) fn accesses(&self, function: &Function, calls: &[Call]) -> BTreeSet<Access> {
        let own = calls.iter().filter(|call| call.function == function.name);
        let mut accesses: BTreeSet<_> = own.flat_map(|call| self.accesses_of_call(call)).collect();
        let functions = self.resources("AWS::Serverless::Function");
        let resource = functions.iter().find(|it| it.id == function.id).unwrap();
        accesses.extend(self.accesses_of_lambda(resource));
        if let Some(key) = self.key {
            let through = accesses.iter().flat_map(|access| decrypting(access, key));
            accesses.extend(through.collect::<Vec<_>>());
        }
        accesses
    }

    fn accesses_of_call(&self, call: &Call) -> Vec<Access> {
        let body = &call.body;
        match (call.service.as_str(), call.operation.as_str()) {
            ("DYNAMODB", "DynamoDB_20120810.TransactWriteItems") => {
                let elements = body["TransactItems"].as_array().unwrap().iter();
                let elements = elements.flat_map(|element| element.as_object().unwrap());
                let elements: Vec<_> = elements
                    .map(|(kind, request)| self.item(kind, request))
                    .collect();
                let all: Vec<_> = elements.iter().map(|(_, key)| key.as_str()).collect();
                let readings = elements.iter().flat_map(|(action, key)| {
                    [self.touching(action, &[key]), self.touching(action, &all)]
                });
                readings.collect()
            }
            ("DYNAMODB", "DynamoDB_20120810.BatchGetItem") => {
                let asked = &body["RequestItems"][self.stack.table.name.as_str()]["Keys"];
                let keys = asked.as_array().unwrap().iter().map(|key| {
                    let key = text(&key["pk"]["S"]);
                    format!("{}#", key.split_once('#').unwrap().0)
                });
                let keys: BTreeSet<_> = keys.collect();
                let keys: Vec<_> = keys.iter().map(String::as_str).collect();
                vec![self.touching("dynamodb:BatchGetItem", &keys)]
            }
            ("DYNAMODB", operation) => {
                let kind = operation.strip_prefix("DynamoDB_20120810.").unwrap();
                let (action, key) = self.item(kind, body);
                vec![self.touching(&action, &[&key])]
            }
            ("SECRETS_MANAGER", "secretsmanager.GetSecretValue") => {
                let secret = text(&body["SecretId"]);
                vec![Access::new("secretsmanager:GetSecretValue", secret)]
            }
            ("EVENTBRIDGE", "AWSEvents.PutEvents") => {
                let entries = body["Entries"].as_array().unwrap().iter();
                let bus = |entry: &Json| {
                    let bus = text(&entry["EventBusName"]);
                    format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}")
                };
                let accesses = entries.map(|entry| Access::new("events:PutEvents", bus(entry)));
                accesses.collect()
            }
            ("LAMBDA", operation) => {
                let invoked = operation.strip_prefix("POST /2015-03-31/functions/");
                let invoked = invoked.and_then(|it| it.strip_suffix("/invocations"));
                let arn = invoked.unwrap().replace("%3A", ":");
                vec![Access::new("lambda:InvokeFunction", arn)]
            }
            ("SESV2", "POST /v2/email/outbound-emails") => sending(body),
            _ => panic!("what IAM asks for this is not known here: {call:?}"),
        }
    }

    /// The action on an item, and how its key starts. A transaction has no action of its own: each element
    /// needs the one of the same request alone. AWS does not say whether the leading keys that it is judged
    /// by are then those of the element or of the whole transaction, so a role has to allow it by either.
    fn item(&self, kind: &str, request: &Json) -> (String, String) {
        let (action, key) = match kind {
            "GetItem" => ("GetItem", "Key"),
            "Put" | "PutItem" => ("PutItem", "Item"),
            "Update" | "UpdateItem" => ("UpdateItem", "Key"),
            "Delete" | "DeleteItem" => ("DeleteItem", "Key"),
            "ConditionCheck" => ("ConditionCheckItem", "Key"),
            _ => panic!("what IAM asks for {kind} is not known here"),
        };
        assert_eq!(request["TableName"], self.stack.table.name.as_str());
        let key = text(&request[key]["pk"]["S"]);
        let (kind, _) = key.split_once('#').unwrap();
        (format!("dynamodb:{action}"), format!("{kind}#"))
    }

    /// Logs, traces, reading a stream and giving up: what Lambda does with the function's role.
    fn accesses_of_lambda(&self, function: &Resource<'_>) -> Vec<Access> {
        let mut accesses = self.logging(function);
        // With the parameter Tracing.
        let actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
        accesses.extend(actions.map(|it| Access::new(it, "*")));
        // Nothing of the stack calls `Users`.
        let events = function.property("Events").unwrap().unwrap_or_default();
        for event in events.as_object().into_iter().flat_map(|it| it.values()) {
            if event["Type"] == "DynamoDB" {
                let stream = format!("{}/stream/2026-01-01T00:00:00.000", self.table);
                let actions = [
                    "DescribeStream",
                    "GetRecords",
                    "GetShardIterator",
                    "ListStreams",
                ];
                accesses.extend(actions.map(|it| Access::new(format!("dynamodb:{it}"), &stream)));
            }
            accesses.extend(giving_up(event.pointer("/Properties/DestinationConfig")));
        }
        let asynchronous = function.property("EventInvokeConfig").unwrap();
        accesses.extend(giving_up(
            asynchronous
                .as_ref()
                .and_then(|it| it.get("DestinationConfig")),
        ));
        if let Some(letters) = function.property("DeadLetterQueue").unwrap() {
            accesses.push(Access::new("sqs:SendMessage", text(&letters["TargetArn"])));
        }
        accesses
    }

    fn logging(&self, function: &Resource<'_>) -> Vec<Access> {
        let configuration = property(function, "LoggingConfig");
        let name = text(&configuration["LogGroup"]);
        let mut groups = self.resources("AWS::Logs::LogGroup").into_iter();
        let group = groups.find(|group| self.template.name_of(group).unwrap() == name);
        let group = group.unwrap_or_else(|| panic!("{} has no log group {name}", function.id));
        let group = self.template.attribute_of(&group, "Arn").unwrap();
        let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
        actions.map(|it| Access::new(it, &group)).into()
    }
}

/// The access to the queue for events that have failed for good.
fn giving_up(destinations: Option<&Json>) -> Option<Access> {
    let queue = destinations?.pointer("/OnFailure/Destination")?;
    Some(Access::new("sqs:SendMessage", text(queue)))
}

/// SES asks about the sender, a recipient that is an identity of the account, the configuration set
/// and the template; for a mail from a template also by the name that this had in its older API.
fn sending(body: &Json) -> Vec<Access> {
    let from = text(&body["FromEmailAddress"]);
    let template = text(&body["Content"]["Template"]["TemplateName"]);
    let set = text(&body["ConfigurationSetName"]);
    let recipients = body["Destination"]["ToAddresses"].as_array().unwrap();
    let mut resources = vec![
        format!("identity/{from}"),
        format!("configuration-set/{set}"),
        format!("template/{template}"),
    ];
    resources.extend(recipients.iter().map(|it| format!("identity/{}", text(it))));
    let accesses = ["ses:SendEmail", "ses:SendTemplatedEmail"]
        .into_iter()
        .flat_map(|action| {
            resources.iter().map(move |resource| {
                let resource = format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}");
                Access::new(action, resource).with(FROM_ADDRESS, [from])
            })
        });
    accesses.collect()
}

/// The accesses to the KMS key that an access to an encrypted resource needs.
fn decrypting(access: &Access, key: &str) -> Vec<Access> {
    let (service, _) = access.action.split_once(':').unwrap();
    let actions: &[_] = match service {
        // What DynamoDB's developer guide asks for ("Encryption at rest: how it works"), but for the grants.
        "dynamodb" => &[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        "secretsmanager" => &["kms:Decrypt"],
        "sqs" => &["kms:Decrypt", "kms:GenerateDataKey"],
        _ => &[],
    };
    let via = format!("{service}.{REGION}.amazonaws.com");
    let accesses = actions.iter();
    accesses
        .map(|&action| Access::new(action, key).with(VIA_SERVICE, [via.as_str()]))
        .collect()
}

fn text(value: &Json) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
