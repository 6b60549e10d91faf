//! Events about changed passwords, as `/_events.json` shows them.

use reqwest::Client;
use serde_json::{Value, json};

use crate::stacks;
use testkit::client::{Mobile, RESET, Web};
use testkit::eventually;
use testkit::mailbox::Mailbox;
use testkit::people::Person;
use testkit::stack::{Setup, Stack};
use testkit::table::Table;

const PASSWORD: &str = "brass kettle on the moon";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/credential-change";

/// All events, newest first.
async fn published(stack: &Stack) -> Vec<Value> {
    let url = format!("{}/_events.json", stack.url);
    let answer = Client::new().get(url).send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

/// The events about a person, newest first, once there are `count` of them.
async fn published_about(stack: &Stack, id: &str, count: usize) -> Vec<Value> {
    eventually("the events are published", async || {
        let mut events = published(stack).await;
        events.retain(|event| event["detail"]["user"] == id);
        (events.len() == count).then_some(events)
    })
    .await
}

#[tokio::test]
async fn each_way_to_set_a_password_publishes_one_event() {
    let stack = stacks::open();
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let person = Person::of(stack).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let means = [
        ("directory", "session"),
        ("directory", "code"),
        ("directory", "link"),
        ("auth-v1", "token"),
        ("auth-v1", "link"),
    ];
    for (before, (protocol, means)) in means.into_iter().enumerate() {
        let (mut begun, mut session) = (None, String::new());
        if protocol == "directory" {
            begun = Some(web.begin(&person.email).await);
        } else {
            session = mobile.begin(&person.email).await;
        }
        let mail = mailbox.next().await;
        match (means, &begun) {
            ("link", _) => {
                let body = json!({"token": mail.link_token(), "password": PASSWORD});
                mobile.0.post(RESET, body).await.word();
            }
            ("code", Some(begun)) => {
                web.set_both(begun, &mail.code(), PASSWORD).await.data();
            }
            (_, Some(begun)) => {
                web.verify(begun, &mail.code()).await.data();
                web.set_password(begun, PASSWORD).await.data();
            }
            (_, None) => {
                let token = mobile.verify(&session, &mail.code()).await.word();
                mobile.set_password(&token, PASSWORD).await.word();
            }
        }
        mailbox.next_notice().await;
        let events = published_about(stack, &person.id, before + 1).await;
        let user = Table::of(stack).user(&person.id).await;
        let changed_at: i64 = user["passwordChangedAt"].as_n().unwrap().parse().unwrap();
        let at = regain::timestamp::Timestamp::from_millis(changed_at).rfc3339();
        let version = user["credentialsVersion"].as_n().unwrap();
        // The newest comes first, and is what a stranger's web hook gets.
        assert_eq!(
            events[0],
            json!({
                "source": "regain",
                "detail-type": "Password Changed",
                "time": at,
                "detail": {
                    "version": 1,
                    "user": person.id,
                    "credentialsVersion": version,
                    "at": at,
                    "means": means,
                    "protocol": protocol,
                    "subject_id": {"format": "opaque", "id": person.id},
                    "events": {CAEP: {
                        "credential_type": "password",
                        "change_type": "update",
                        "initiating_entity": "user",
                        "event_timestamp": changed_at / 1000,
                    }},
                },
            }),
            "{protocol} {means}"
        );
    }
    let all = Value::from(published(stack).await).to_string();
    assert!(!all.contains('@') && !all.contains("argon2"), "{all}");
}

#[tokio::test]
async fn without_a_bus_nothing_is_published_and_the_notice_is_mailed() {
    let stack = Setup::default()
        .unthrottled()
        .set("EVENT_BUS", "none")
        .start();
    let mobile = Mobile::of(&stack);
    let person = Person::of(&stack).await;
    let mut mailbox = Mailbox::of(&stack, &person);
    mobile.begin(&person.email).await;
    let token = mailbox.next().await.link_token();
    let body = json!({"token": token, "password": PASSWORD});
    mobile.0.post(RESET, body).await.word();
    mailbox.next_notice().await;
    // Its answer comes after a whole run of the function.
    assert_eq!(
        announce(&stack, r#"{"testEvent": true}"#).await,
        json!({"batchItemFailures": []})
    );
    assert_eq!(published(&stack).await, [Value::Null; 0]);
}

/// Invokes `announce`, and returns its answer.
async fn announce(stack: &Stack, event: &'static str) -> Value {
    let function = "2015-03-31/functions/regain-announce:live/invocations";
    let url = format!("{}/{function}", stack.endpoint("Lambda"));
    let answer = Client::new().post(url).body(event).send().await.unwrap();
    assert_eq!(answer.headers().get("x-amz-function-error"), None);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn an_operator_puts_a_test_event_on_the_bus() {
    let stack = Setup::default().start();
    for given in [r#"{"testEvent": true}"#, r#"{"testEvent": false}"#, "{}"] {
        let answer = announce(&stack, given).await;
        assert_eq!(answer, json!({"batchItemFailures": []}));
        let events = published(&stack).await;
        assert_eq!(events.len(), 1, "{given}");
        assert_eq!(events[0]["source"], "regain");
        assert_eq!(events[0]["detail-type"], "Test");
        assert_eq!(events[0]["detail"], json!({"version": 1}));
    }
}

/// Calls `PutEvents` of the stand-in.
async fn put(stack: &Stack, target: &str, body: &Value) -> (u16, Value) {
    let request = Client::new().post(stack.endpoint("Events"));
    let request = request
        .header("x-amz-target", target)
        .body(body.to_string());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_stand_in_answers_put_events_as_event_bridge_does() {
    let stack = Setup::default().start();
    let entry = |detail: &str| json!({"Source": "a", "DetailType": "b", "Detail": detail});
    let entries = json!({"Entries": [entry("{\"number\": 1}"), entry("no JSON"), {"Source": "a"}, entry("{\"number\": 2}")]});
    let (status, answer) = put(&stack, "AWSEvents.PutEvents", &entries).await;
    assert_eq!((status, &answer["FailedEntryCount"]), (200, &json!(2)));
    let answers = answer["Entries"].as_array().unwrap();
    assert!(answers[0]["EventId"].is_string() && answers[3]["EventId"].is_string());
    assert_eq!(answers[1]["ErrorCode"], "MalformedDetail");
    assert_eq!(answers[2]["ErrorCode"], "InvalidArgument");
    let numbers = published(&stack).await;
    let numbers: Vec<_> = numbers.iter().map(|it| &it["detail"]["number"]).collect();
    assert_eq!(numbers, [2, 1], "newest first");
    let eleven = json!({"Entries": vec![entry("{}"); 11]});
    for (target, body, expected) in [
        ("AWSEvents.PutEvents", &eleven, "ValidationException"),
        (
            "AWSEvents.PutEvents",
            &json!({"Entries": []}),
            "ValidationException",
        ),
        ("AWSEvents.PutEvents", &json!({}), "SerializationException"),
        (
            "AWSEvents.ListRules",
            &json!({}),
            "UnknownOperationException",
        ),
    ] {
        let (status, answer) = put(&stack, target, body).await;
        assert_eq!((status, &answer["__type"]), (400, &json!(expected)));
    }
    assert_eq!(published(&stack).await.len(), 2);
}
