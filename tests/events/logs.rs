//! Logs: probes log nothing, and of an event that cannot be read only the place of the error is logged.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use local::lambda::program::Program;
use serde_json::{Value as Json, json};

use testkit::fixture::Fixture;
use testkit::fixture_stack::FixtureStack;

const PASSWORD: &str = "MARKER-of-a-password";
const CODE: &str = "918273645";
const TOKEN: &str = "MARKER-of-a-token";

/// All functions, each writing its lines to a file of its name in a folder.
struct Recorded {
    running: FixtureStack,
    folder: tempfile::TempDir,
}

impl Recorded {
    async fn start(level: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = FixtureStack::start(|program| recorded(program, folder.path(), level)).await;
        Self { running, folder }
    }

    /// A function's log so far.
    fn said(&self, function: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(function)).unwrap()
    }
}

fn recorded(mut program: Program, folder: &Path, level: &str) -> Program {
    let output = folder.join(&program.name);
    let script = folder.join(format!("{}.sh", program.name));
    let text = format!(
        "#!/bin/sh\nexec '{}' >>'{}' 2>&1\n",
        program.path.display(),
        output.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    program.path = script;
    for name in ["LOG_LEVEL", "RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
        program.environment.retain(|(set, _)| set != name);
        program
            .environment
            .push((name.to_owned(), level.to_owned()));
    }
    program
}

fn functions() -> BTreeSet<String> {
    Fixture::all().into_iter().map(|it| it.function).collect()
}

/// Whether a function answers calls over HTTP.
fn is_endpoint(function: &str) -> bool {
    ![
        "deliver-mail",
        "announce",
        "users",
        "mail-events",
        "audit-trail",
    ]
    .contains(&function)
}

/// The test events that Lambda's console offers for other services, as `sam local generate-event` has them.
fn console_events() -> Vec<Json> {
    [
        include_str!("console/cloudwatch-logs.json"),
        include_str!("console/dynamodb.json"),
        include_str!("console/s3.json"),
        include_str!("console/scheduled.json"),
        include_str!("console/sqs.json"),
    ]
    .map(|event| serde_json::from_str(event).unwrap())
    .into()
}

#[tokio::test]
async fn every_function_answers_a_probe_and_logs_nothing() {
    let mut probes = console_events();
    probes.extend([
        json!({}),
        json!([]),
        json!(null),
        json!("ping"),
        json!(1),
        json!({"warmer": true}),
        json!({"source": "serverless-plugin-warmup"}),
        json!({"key1": "value1", "key2": "value2", "key3": "value3"}),
    ]);
    let recorded = Recorded::start("info").await;
    for function in functions() {
        for probe in &probes {
            let answer = recorded.running.invoke(&function, probe).await;
            let answer = answer.unwrap_or_else(|error| panic!("{function}: {probe}: {error}"));
            let expected = if ["deliver-mail", "announce"].contains(&function.as_str()) {
                json!({"batchItemFailures": []})
            } else {
                json!(null)
            };
            assert_eq!(answer, expected, "{function}: {probe}");
        }
        assert_eq!(recorded.said(&function), "", "{function}");
    }
    recorded.running.finish().await;
}

#[tokio::test]
async fn an_event_without_records_or_with_foreign_records_delivers_nothing() {
    let recorded = Recorded::start("info").await;
    for event in [
        json!({"Records": []}),
        json!({"Records": null}),
        json!({"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "MAIL#1"}]}),
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "MAIL#1"}}]}),
        record_of(&json!({"Id": {"N": "1"}})),
        record_of(&json!({"pk": {"N": "1"}})),
        record_of(&json!({"pk": {"B": "TUFJTCMx"}})),
        record_of(&json!({"id": {"S": "MAIL#1"}, "sk": {"S": "MAIL#1"}})),
    ] {
        for function in ["deliver-mail", "announce"] {
            let answer = recorded.running.invoke(function, &event).await;
            let answer = answer.unwrap_or_else(|error| panic!("{function}: {event}: {error}"));
            assert_eq!(answer, json!({"batchItemFailures": []}), "{event}");
        }
    }
    assert_eq!(recorded.said("deliver-mail"), "");
    assert_eq!(recorded.said("announce"), "");
    recorded.running.finish().await;
}

/// A record of the stream of a table with such keys.
fn record_of(keys: &Json) -> Json {
    json!({"Records": [{
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": keys, "SequenceNumber": "77"},
    }]})
}

/// Events of a kind that cannot be read, with a password, a code and a token in them.
fn unreadable(function: &str) -> Vec<Json> {
    let fixtures = Fixture::all();
    let fixture = fixtures.iter().find(|it| it.function == function).unwrap();
    let mut event = fixture.event.clone();
    if is_endpoint(function) {
        let secret = json!({"otp": CODE, "password": PASSWORD});
        event["body"] = json!(secret.to_string());
        event["headers"]["authorization"] = json!(format!("Bearer {TOKEN}"));
        let changed = |pointer: &str, value: Json| {
            let mut event = event.clone();
            *event.pointer_mut(pointer).unwrap() = value;
            event
        };
        return vec![
            json!(event.to_string()),
            json!([event]),
            changed("/body", secret.clone()),
            changed("/body", json!([PASSWORD, CODE])),
            changed("/body", json!(918_273_645)),
            changed("/headers", json!(format!("Bearer {TOKEN}"))),
            changed("/headers/authorization", json!({"Bearer": TOKEN})),
            changed("/isBase64Encoded", json!(PASSWORD)),
            changed("/requestContext", json!(PASSWORD)),
            changed("/requestContext/http", json!(TOKEN)),
            changed(
                "/requestContext/http/method",
                json!(format!("{PASSWORD}\n")),
            ),
        ];
    }
    let secret = format!("{PASSWORD} {CODE} Bearer {TOKEN}");
    let record = |change: Json| json!({"Records": [{"dynamodb": change}]});
    match function {
        "deliver-mail" | "announce" => vec![
            json!(record(json!({"secret": secret})).to_string()),
            json!([record(json!({"secret": secret}))]),
            json!({"Records": secret}),
            json!({"Records": [secret]}),
            json!({"Records": [{"dynamodb": secret}]}),
            json!({"Records": [{"eventSource": {"a": secret}}]}),
            record(json!({"Keys": {"pk": {"S": "MAIL#1"}}, "SequenceNumber": [secret]})),
            record(json!({"Keys": {"pk": {"S": [secret]}}, "SequenceNumber": 918_273_645})),
        ],
        "users" => vec![
            json!(json!({"operation": secret}).to_string()),
            json!([{"operation": secret}]),
            json!({"operation": secret}),
            json!({"version": secret, "operation": "find"}),
            json!({"version": 1, "operation": [secret]}),
            json!({"version": 1, "operation": "create", "user": 7, "status": [secret]}),
        ],
        "mail-events" => vec![
            json!(event.to_string().replace("@example.com", PASSWORD)),
            json!([{"source": "aws.ses", "detail": secret}]),
            json!({"source": "aws.ses", "detail": secret}),
            json!({"detail": {"eventType": [secret]}}),
            json!({"detail": {"eventType": "Bounce", "bounce": secret}}),
            json!({"detail": {"eventType": "Bounce", "mail": {"destination": secret}}}),
            json!({"detail": {"eventType": "Bounce", "mail": {"tags": [918_273_645]}}}),
        ],
        _ => vec![
            json!(json!({"awslogs": {"data": secret}}).to_string()),
            json!([{"awslogs": {"data": secret}}]),
            json!({"awslogs": secret}),
            json!({"awslogs": {"data": [secret]}}),
            json!({"awslogs": {"data": secret}}),
            json!({"awslogs": {"data": 918_273_645}}),
        ],
    }
}

#[tokio::test]
async fn an_unreadable_event_is_logged_only_by_the_place_of_its_error() {
    for level in ["trace", "debug", "info", "warn", "error"] {
        let recorded = Recorded::start(level).await;
        // The recovery page reads neither body nor token.
        let mut functions = functions();
        functions.remove("recovery-page");
        for function in functions {
            for event in unreadable(&function) {
                let answer = recorded.running.invoke(&function, &event).await;
                let told = match answer {
                    // Somebody waits for the answer.
                    Ok(answer) if function == "users" => {
                        assert_eq!(answer["error"], "request_invalid", "{event}");
                        answer.to_string()
                    }
                    Ok(answer) => {
                        assert!(is_endpoint(&function), "{function}: {event}: {answer}");
                        assert_eq!(answer["statusCode"], 400, "{function}: {event}");
                        assert_eq!(answer["headers"]["cache-control"], "no-store");
                        let body = answer["body"].as_str().unwrap();
                        let body: Json = serde_json::from_str(body).unwrap();
                        assert_eq!(body["field"], "body", "{function}: {body}");
                        body.to_string()
                    }
                    // Nobody waits for these: an error is what keeps the event.
                    Err(error) => {
                        assert!(!is_endpoint(&function), "{function}: {event}: {error}");
                        error.to_string()
                    }
                };
                let said = recorded.said(&function) + &told;
                for secret in [PASSWORD, CODE, TOKEN] {
                    assert!(!said.contains(secret), "{function}: {event}:\n{said}");
                }
            }
            let said = recorded.said(&function);
            let is_told = said.contains("cannot be read") || said.contains("will be retried");
            assert!(
                is_told || (level == "error" && is_endpoint(&function)),
                "{said}"
            );
        }
        recorded.running.finish().await;
    }
}

#[tokio::test]
async fn an_unreadable_record_is_retried_and_delays_no_other() {
    let fixtures = Fixture::all();
    let fixture = fixtures
        .iter()
        .find(|it| it.name() == "deliver-mail/code-auth-v1")
        .unwrap();
    let good = fixture.event["Records"].as_array().unwrap();
    for (torn, named) in [
        (
            json!({"dynamodb": {"Keys": {"pk": {"S": 1}}, "SequenceNumber": "77"}}),
            true,
        ),
        (json!({"dynamodb": {"SequenceNumber": "77"}}), true),
        (
            json!({"dynamodb": {"Keys": {"pk": {"S": "MAIL#1"}}}}),
            false,
        ),
        (json!({}), false),
        (json!(null), false),
    ] {
        let recorded = Recorded::start("info").await;
        let mut records = vec![torn.clone()];
        records.extend(good.iter().cloned());
        let event = json!({"Records": records});
        let answer = recorded.running.invoke("deliver-mail", &event).await;
        match answer {
            Ok(answer) => {
                assert!(named, "{torn}");
                let failed = json!({"batchItemFailures": [{"itemIdentifier": "77"}]});
                assert_eq!(answer, failed, "{torn}");
            }
            Err(error) => assert!(!named, "{torn}: {error}"),
        }
        let sent = recorded.said("deliver-mail");
        assert!(sent.contains("\"outcome\":\"sent\""), "{torn}: {sent}");
        recorded.running.finish().await;
    }
}

#[tokio::test]
async fn a_mail_claimed_by_another_delivery_is_retried_and_not_counted_as_failed() {
    let recorded = Recorded::start("info").await;
    let fixtures = Fixture::all();
    let name = "deliver-mail/claimed-by-another";
    let fixture = fixtures.iter().find(|it| it.name() == name).unwrap();
    let answer = recorded
        .running
        .invoke("deliver-mail", &fixture.event)
        .await;
    assert_eq!(answer.unwrap(), json!({"batchItemFailures": []}));
    let keys = recorded.running.table.keys().await;
    let retries = keys.iter().filter(|key| key.starts_with("RETRY#"));
    assert_eq!(retries.count(), 1, "{keys:?}");
    let said = recorded.said("deliver-mail");
    assert!(said.contains("another delivery has the mail"), "{said}");
    assert!(!said.contains("MailsFailed"), "{said}");
    recorded.running.finish().await;
}

#[tokio::test]
async fn a_record_of_another_kind_of_item_is_logged_and_not_retried() {
    let recorded = Recorded::start("info").await;
    let record =
        |key: &str| json!({"dynamodb": {"Keys": {"pk": {"S": key}}, "SequenceNumber": "77"}});
    for key in ["SESSION#0f", "MAIL#", "MAIL#0f#1", "USER#1", ""] {
        let event = json!({"Records": [record(key)]});
        let answer = recorded.running.invoke("deliver-mail", &event).await;
        assert_eq!(answer.unwrap(), json!({"batchItemFailures": []}), "{key}");
    }
    let said = recorded.said("deliver-mail");
    let told = said.matches("stream record names no mail request, skipped");
    assert_eq!(told.count(), 5, "{said}");
    recorded.running.finish().await;
}

#[tokio::test]
async fn a_ses_event_is_processed_whatever_is_null_or_missing_in_it() {
    let recorded = Recorded::start("info").await;
    let fixtures = Fixture::all();
    for name in [
        "bounce-hard",
        "bounce-soft",
        "complaint",
        "delay",
        "rendering-failure",
        "rejected",
    ] {
        let name = format!("mail-events/{name}");
        let fixture = fixtures.iter().find(|it| it.name() == name).unwrap();
        let mut places = Vec::new();
        places_in(&fixture.event, "", &mut places);
        assert!(places.len() > 10, "{places:?}");
        for place in places.iter().filter(|place| !place.starts_with("/source")) {
            let mut event = fixture.event.clone();
            *event.pointer_mut(place).unwrap() = Json::Null;
            let answer = recorded.running.invoke("mail-events", &event).await;
            assert_eq!(answer.unwrap(), Json::Null, "{name}: {place}");
        }
        let (parent, key) = ("/detail", "mail");
        let mut event = fixture.event.clone();
        let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.remove(key);
        let answer = recorded.running.invoke("mail-events", &event).await;
        assert_eq!(answer.unwrap(), Json::Null, "{name} without {key}");
    }
    let said = recorded.said("mail-events");
    assert!(
        !said.contains("ERROR") || said.contains("could not fill"),
        "{said}"
    );
    recorded.running.finish().await;
}

/// The places of all values in an event, as JSON pointers (RFC 6901).
fn places_in(value: &Json, place: &str, places: &mut Vec<String>) {
    let inner: Vec<(String, &Json)> = match value {
        Json::Object(fields) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            fields
                .iter()
                .map(|(name, it)| (escaped(name), it))
                .collect()
        }
        Json::Array(items) => {
            let items = items.iter().enumerate();
            items.map(|(index, it)| (index.to_string(), it)).collect()
        }
        _ => return,
    };
    for (name, value) in inner {
        let place = format!("{place}/{name}");
        places_in(value, &place, places);
        places.push(place);
    }
}
