//! What a function does, in IAM's words: by its recorded calls, and by what Lambda does in its name.

use std::collections::BTreeSet;

use local::template::{ACCOUNT, REGION, Resource};
use serde_json::Value as Json;

use super::deployment::{Deployment, Function, property};
use super::policy::{Deed, FROM_ADDRESS, VIA_SERVICE};
use super::record::Call;

impl Deployment {
    /// All that the function does.
    pub(crate) fn deeds(&self, function: &Function, calls: &[Call]) -> BTreeSet<Deed> {
        let own = calls.iter().filter(|call| call.function == function.name);
        let mut deeds: BTreeSet<_> = own.flat_map(|call| self.deeds_of_call(call)).collect();
        let functions = self.resources("AWS::Serverless::Function");
        let resource = functions.iter().find(|it| it.id == function.id).unwrap();
        deeds.extend(self.deeds_of_lambda(resource));
        if let Some(key) = self.key {
            let through = deeds.iter().flat_map(|deed| decrypting(deed, key));
            deeds.extend(through.collect::<Vec<_>>());
        }
        deeds
    }

    fn deeds_of_call(&self, call: &Call) -> Vec<Deed> {
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
            ("DYNAMODB", operation) => {
                let kind = operation.strip_prefix("DynamoDB_20120810.").unwrap();
                let (action, key) = self.item(kind, body);
                vec![self.touching(&action, &[&key])]
            }
            ("SECRETS_MANAGER", "secretsmanager.GetSecretValue") => {
                let secret = text(&body["SecretId"]);
                vec![Deed::new("secretsmanager:GetSecretValue", secret)]
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
    fn deeds_of_lambda(&self, function: &Resource<'_>) -> Vec<Deed> {
        let mut deeds = self.logging(function);
        if property(function, "Tracing") == "Active" {
            let actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
            deeds.extend(actions.map(|it| Deed::new(it, "*")));
        }
        let events = property(function, "Events");
        for event in events.as_object().unwrap().values() {
            if event["Type"] == "DynamoDB" {
                let stream = format!("{}/stream/2026-01-01T00:00:00.000", self.table);
                let actions = [
                    "DescribeStream",
                    "GetRecords",
                    "GetShardIterator",
                    "ListStreams",
                ];
                deeds.extend(actions.map(|it| Deed::new(format!("dynamodb:{it}"), &stream)));
            }
            deeds.extend(giving_up(event.pointer("/Properties/DestinationConfig")));
        }
        let asynchronous = function.property("EventInvokeConfig").unwrap();
        deeds.extend(giving_up(
            asynchronous
                .as_ref()
                .and_then(|it| it.get("DestinationConfig")),
        ));
        if let Some(letters) = function.property("DeadLetterQueue").unwrap() {
            deeds.push(Deed::new("sqs:SendMessage", text(&letters["TargetArn"])));
        }
        deeds
    }

    fn logging(&self, function: &Resource<'_>) -> Vec<Deed> {
        let configuration = property(function, "LoggingConfig");
        let name = text(&configuration["LogGroup"]);
        let mut groups = self.resources("AWS::Logs::LogGroup").into_iter();
        let group = groups.find(|group| self.template.name_of(group).unwrap() == name);
        let group = group.unwrap_or_else(|| panic!("{} has no log group {name}", function.id));
        let group = self.template.attribute_of(&group, "Arn").unwrap();
        let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
        actions.map(|it| Deed::new(it, &group)).into()
    }
}

/// What has failed for good goes to a queue.
fn giving_up(destinations: Option<&Json>) -> Option<Deed> {
    let queue = destinations?.pointer("/OnFailure/Destination")?;
    Some(Deed::new("sqs:SendMessage", text(queue)))
}

/// SES asks about the sender, a recipient that is an identity of the account, the configuration set
/// and the template; for a mail from a template also by the name that this had in its older API.
fn sending(body: &Json) -> Vec<Deed> {
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
    let deeds = ["ses:SendEmail", "ses:SendTemplatedEmail"]
        .into_iter()
        .flat_map(|action| {
            resources.iter().map(move |resource| {
                let resource = format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}");
                Deed::new(action, resource).with(FROM_ADDRESS, [from])
            })
        });
    deeds.collect()
}

/// What a deed needs of the key that its resource is encrypted with.
fn decrypting(deed: &Deed, key: &str) -> Vec<Deed> {
    let (service, _) = deed.action.split_once(':').unwrap();
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
    let deeds = actions.iter();
    deeds
        .map(|&action| Deed::new(action, key).with(VIA_SERVICE, [via.as_str()]))
        .collect()
}

fn text(value: &Json) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
