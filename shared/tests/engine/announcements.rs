//! Events: one is published for each password that was set, whatever faults EventBridge and the table have.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::announce::Announcer;
use regain::api::Protocol;
use regain::stream::StreamBatch;
use regain::users::User;
use serde_json::{Value, json};
use testkit::fake_event_bridge::{EventsAnswer, FakeEventBridge};

use crate::kit::{ANN, Failure, Kit, NOON, PASSWORD, later};

const NONE: [String; 0] = [];

/// A function that announces, beside the rest of a stack.
struct Scene {
    kit: Kit,
    events: FakeEventBridge,
    announcer: Announcer,
}

impl Scene {
    async fn new() -> Self {
        Self::with_bus(Some("sign-in")).await
    }

    async fn with_bus(bus: Option<&str>) -> Self {
        let kit = Kit::new().await;
        let events = FakeEventBridge::serve().await;
        let bus = bus.map(str::to_owned);
        let announcer = Announcer::new(kit.another_store(), &events.config(), bus);
        Self {
            kit,
            events,
            announcer,
        }
    }

    /// Announces what these keys lead to, and returns the keys to be tried again.
    async fn announce(&self, keys: &[String]) -> Vec<String> {
        let records = keys.iter().map(|key| {
            json!({
                "eventName": "INSERT",
                "dynamodb": { "Keys": { "pk": { "S": key } }, "SequenceNumber": key },
            })
        });
        let records: Vec<Value> = records.collect();
        let batch: StreamBatch = serde_json::from_value(json!({ "Records": records })).unwrap();
        let result = self.announcer.announce_batch(batch).await.unwrap();
        let result = serde_json::to_value(result).unwrap();
        let failed = result["batchItemFailures"].as_array().unwrap().iter();
        failed
            .map(|it| it["itemIdentifier"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A user whose password was set, by a token.
    async fn changed(&self, email: &str) -> User {
        let user = self.kit.user(email).await;
        let started = self.kit.start(Protocol::AuthV1, email, NOON).await;
        let code = self.kit.code(NOON).await;
        let proof = self.kit.verify(&started, &code, later(1)).await.unwrap();
        let set = self
            .kit
            .set_password(&started, &proof, PASSWORD, later(2))
            .await;
        set.unwrap();
        self.kit.mailed(later(2)).await;
        user
    }

    /// The keys of all notices.
    async fn notices(&self) -> Vec<String> {
        let mut keys = self.kit.keys("MAIL#").await;
        keys.retain(|key| key.ends_with("#changed"));
        keys
    }

    /// The details of the events that were taken.
    fn details(&self) -> Vec<Value> {
        self.events.taken().iter().map(detail).collect()
    }
}

fn detail(entry: &Value) -> Value {
    serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn each_means_of_setting_a_password_is_published_with_the_version_that_it_made() {
    let scene = Scene::new().await;
    let kit = &scene.kit;
    let user = kit.user(ANN).await;
    for (number, (protocol, means)) in [
        (Protocol::Directory, "session"),
        (Protocol::Directory, "code"),
        (Protocol::Directory, "link"),
        (Protocol::AuthV1, "token"),
        (Protocol::AuthV1, "link"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = later(10 * u64::try_from(number).unwrap());
        let before = scene.notices().await;
        let started = kit.start(protocol, ANN, at).await;
        if means == "link" {
            let link = kit.link(at).await;
            kit.set_by_link(&link, PASSWORD, at).await.unwrap();
        } else {
            let code = kit.code(at).await;
            if means == "code" {
                let set = kit.set_with_code(&started, &code, PASSWORD, at).await;
                set.unwrap();
            } else {
                let proof = kit.verify(&started, &code, at).await.unwrap();
                let set = kit.set_password(&started, &proof, PASSWORD, at).await;
                set.unwrap();
            }
        }
        kit.mailed(at).await;
        let mut new = scene.notices().await;
        new.retain(|key| !before.contains(key));
        assert_eq!(new.len(), 1, "{means}");
        assert_eq!(scene.announce(&new).await, NONE, "{means}");
        let published = scene.events.taken();
        assert_eq!(published.len(), number + 1, "{means}");
        let published = &published[number];
        assert_eq!(published["Source"], "regain");
        assert_eq!(published["DetailType"], "Password Changed");
        assert_eq!(published["EventBusName"], "sign-in");
        let stored = kit.stored(&user).await;
        let detail = detail(published);
        let caep = "https://schemas.openid.net/secevent/caep/event-type/credential-change";
        assert_eq!(
            detail,
            json!({
                "version": 1,
                "user": user.id.as_str(),
                "credentialsVersion": (number + 1).to_string(),
                "at": at.rfc3339(),
                "means": means,
                "protocol": if protocol == Protocol::AuthV1 { "auth-v1" } else { "directory" },
                "subject_id": { "format": "opaque", "id": user.id.as_str() },
                "events": { caep: {
                    "credential_type": "password",
                    "change_type": "update",
                    "initiating_entity": "user",
                    "event_timestamp": at.millis() / 1000,
                } },
            })
        );
        assert_eq!(
            detail["credentialsVersion"],
            stored.credentials_version.to_string()
        );
        assert_eq!(stored.password_changed_at.unwrap().rfc3339(), detail["at"]);
        assert!(!published.to_string().contains('@'), "{published}");
    }
}

#[tokio::test]
async fn an_event_that_is_published_again_is_the_same() {
    let scene = Scene::new().await;
    scene.changed(ANN).await;
    let notices = scene.notices().await;
    assert_eq!(scene.announce(&notices).await, NONE);
    // Meanwhile the outcome of the notice is stored.
    scene
        .kit
        .change(&notices[0], "bounced", AttributeValue::Bool(true))
        .await;
    assert_eq!(scene.announce(&notices).await, NONE);
    let published = scene.events.taken();
    assert_eq!(published.len(), 2);
    assert_eq!(published[0], published[1]);
}

#[tokio::test]
async fn reading_a_notice_costs_one_read_and_writes_nothing() {
    let scene = Scene::new().await;
    scene.changed(ANN).await;
    let (notices, before) = (scene.notices().await, scene.kit.dump().await);
    scene.kit.log.reset();
    scene.announce(&notices).await;
    assert_eq!(scene.kit.log.shapes(), ["GetItem MAIL"]);
    assert_eq!(scene.kit.log.calls()[0].consistent, Some(true));
    assert_eq!(scene.kit.dump().await, before);
}

#[tokio::test]
async fn events_that_event_bridge_refuses_are_retried_and_the_rest_are_not() {
    let scene = Scene::new().await;
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        scene.changed(email).await;
    }
    let notices = scene.notices().await;
    scene.events.answer(EventsAnswer::Only(vec![0, 2]));
    let again = scene.announce(&notices).await;
    assert_eq!(again, [notices[1].clone()]);
    assert_eq!(scene.announce(&again).await, NONE);
    let mut published: Vec<_> = scene.details();
    published.sort_by_key(|it| it["user"].to_string());
    published.dedup();
    assert_eq!(published.len(), 3, "each is published, and none twice");
    assert_eq!(scene.events.calls(), [3, 1]);
}

#[tokio::test]
async fn whatever_event_bridge_answers_no_change_is_lost() {
    let refused = EventsAnswer::Failure(400, "AccessDeniedException");
    let throttled = EventsAnswer::Failure(400, "ThrottlingException");
    let broken = EventsAnswer::Failure(500, "InternalException");
    // The SDK itself tries three times what may pass.
    for (answers, published_before) in [
        (vec![refused], 0),
        (vec![throttled.clone(), throttled.clone(), throttled], 0),
        (vec![broken.clone(), broken.clone(), broken], 0),
        (vec![EventsAnswer::TooShort], 1),
    ] {
        let scene = Scene::new().await;
        scene.changed(ANN).await;
        let notices = scene.notices().await;
        for answer in answers {
            scene.events.answer(answer);
        }
        assert_eq!(scene.announce(&notices).await, notices);
        assert_eq!(scene.events.taken().len(), published_before);
        assert_eq!(scene.announce(&notices).await, NONE);
        assert_eq!(scene.events.taken().len(), published_before + 1);
    }
}

#[tokio::test]
async fn an_event_bridge_that_does_not_answer_is_asked_again_by_the_next_batch() {
    let scene = Scene::new().await;
    scene.changed(ANN).await;
    let notices = scene.notices().await;
    for _ in 0..3 {
        scene.events.answer(EventsAnswer::Silence);
    }
    assert_eq!(scene.announce(&notices).await, notices);
    let hung = scene.events.calls().len();
    assert!((1..=3).contains(&hung));
    for _ in hung..3 {
        // The rest of EventBridge's silence.
        scene.announce(&notices).await;
    }
    assert_eq!(scene.announce(&notices).await, NONE);
    let mut published = scene.details();
    published.dedup();
    assert_eq!(published.len(), 1, "the same event each time");
}

#[tokio::test]
async fn a_table_that_does_not_answer_loses_no_change_and_holds_no_other_up() {
    for failure in [
        Failure::TimeoutBefore,
        Failure::TimeoutAfter,
        Failure::ResetBefore,
        Failure::ResetAfter,
        Failure::ErrorBefore,
        Failure::ErrorAfter,
        Failure::Throttled,
    ] {
        let scene = Scene::new().await;
        scene.changed(ANN).await;
        let notices = scene.notices().await;
        scene.kit.faults.fail(failure, 1, 3);
        let again = scene.announce(&notices).await;
        scene.kit.faults.clear();
        if again.is_empty() {
            assert_eq!(scene.events.taken().len(), 1, "{failure:?}");
        } else {
            assert_eq!(again, notices, "{failure:?}");
            assert!(scene.events.taken().is_empty(), "{failure:?}");
            assert_eq!(scene.announce(&notices).await, NONE, "{failure:?}");
            assert_eq!(scene.events.taken().len(), 1, "{failure:?}");
        }
    }
}

#[tokio::test]
async fn a_notice_that_cannot_be_read_is_kept_and_holds_no_other_of_its_batch_up() {
    let scene = Scene::new().await;
    for email in ["a@example.com", "b@example.com"] {
        scene.changed(email).await;
    }
    let notices = scene.notices().await;
    let number = AttributeValue::N("7".to_owned());
    scene.kit.change(&notices[0], "means", number).await;
    assert_eq!(scene.announce(&notices).await, [notices[0].clone()]);
    assert_eq!(scene.events.taken().len(), 1);
    // One attribute of the three is missing.
    scene.kit.forget(&notices[0], "means").await;
    assert_eq!(scene.announce(&notices).await, [notices[0].clone()]);
}

#[tokio::test]
async fn no_other_record_publishes_an_event() {
    let scene = Scene::new().await;
    scene.changed(ANN).await;
    let notices = scene.notices().await;
    let [notice] = notices.as_slice() else {
        unreachable!("one notice")
    };
    let codes: Vec<_> = scene.kit.keys("MAIL#").await;
    let retried = format!("RETRY#0a1b#{notice}");
    let other = format!("SESSION#{notice}");
    let mut keys: Vec<_> = codes.into_iter().filter(|key| key != notice).collect();
    keys.extend([retried, other, "#changed".to_owned()]);
    assert!(keys.len() >= 4, "{keys:?}");
    assert_eq!(scene.announce(&keys).await, NONE);
    // A notice of the version before this one, and one that its TTL has deleted.
    for attribute in ["user", "credentialsVersion", "means"] {
        scene.kit.forget(notice, attribute).await;
    }
    assert_eq!(scene.announce(&notices).await, NONE);
    scene.kit.delete(notice).await;
    assert_eq!(scene.announce(&notices).await, NONE);
    assert!(scene.events.calls().is_empty());
}

#[tokio::test]
async fn more_events_than_one_call_takes_are_published_by_several() {
    let scene = Scene::new().await;
    scene.changed(ANN).await;
    let [notice] = scene.notices().await.try_into().unwrap();
    let many = vec![notice; 21];
    assert_eq!(scene.announce(&many).await, NONE);
    assert_eq!(scene.events.calls(), [10, 10, 1]);
}

#[tokio::test]
async fn without_a_bus_nothing_is_read_or_published() {
    let scene = Scene::with_bus(None).await;
    scene.changed(ANN).await;
    let notices = scene.notices().await;
    scene.kit.log.reset();
    assert_eq!(scene.announce(&notices).await, NONE);
    assert!(scene.kit.log.calls().is_empty());
    assert!(scene.events.calls().is_empty());
}

#[tokio::test]
async fn a_test_event_is_published_and_is_no_changed_password() {
    let scene = Scene::new().await;
    scene.announcer.announce_test().await.unwrap();
    let [event] = &scene.events.taken()[..] else {
        panic!("one event is published");
    };
    let published = [
        ("Source", "regain"),
        ("DetailType", "Test"),
        ("Detail", r#"{"version":1}"#),
        ("EventBusName", "sign-in"),
    ];
    for (name, value) in published {
        assert_eq!(event[name], value, "{event}");
    }
}

#[tokio::test]
async fn a_test_event_that_the_bus_refuses_is_an_error() {
    let scene = Scene::new().await;
    scene
        .events
        .answer(EventsAnswer::Failure(400, "AccessDeniedException"));
    let refused = scene.announcer.announce_test().await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.ends_with("AccessDeniedException"), "{refused}");
    assert!(scene.events.taken().is_empty());
    let without = Scene::with_bus(None).await;
    without.announcer.announce_test().await.unwrap();
    assert!(without.events.taken().is_empty());
}
