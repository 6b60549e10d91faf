//! Events about users who live elsewhere.

use regain::announce::Announcer;
use regain::stream::StreamBatch;
use serde_json::{Value, json};
use testkit::fake_event_bridge::FakeEventBridge;

use super::{Ready, Way, with_ann};
use crate::kit::{ANN, PASSWORD, later};

#[tokio::test]
async fn each_password_that_is_set_elsewhere_is_told_with_the_stores_id_and_version() {
    for (way, means) in [
        (Way::Token, "token"),
        (Way::Session, "session"),
        (Way::Code, "code"),
        (Way::Link, "link"),
    ] {
        let kit = with_ann().await;
        let events = FakeEventBridge::serve().await;
        let bus = Some("sign-in".to_owned());
        let announcer = Announcer::new(kit.another_store(), events.client(), bus);
        let ready = Ready::new(&kit, way).await;
        ready.set(&kit, PASSWORD, 1).await.unwrap();
        let records = kit.keys("MAIL#").await.into_iter().map(|key| {
            json!({
                "eventName": "INSERT",
                "dynamodb": { "Keys": { "pk": { "S": key } }, "SequenceNumber": key },
            })
        });
        let records: Vec<Value> = records.collect();
        let batch: StreamBatch = serde_json::from_value(json!({ "Records": records })).unwrap();
        announcer.announce_batch(batch).await.unwrap();
        let taken = events.taken();
        assert_eq!(taken.len(), 1, "{way:?}");
        let detail = taken[0]["Detail"].as_str().unwrap();
        let detail: Value = serde_json::from_str(detail).unwrap();
        let told = ["user", "credentialsVersion", "at", "means"].map(|it| detail[it].clone());
        let at = later(1).rfc3339();
        let expected = ["id of ann@example.com", "v1", &at, means].map(|it| json!(it));
        assert_eq!(told, expected, "{way:?}");
        assert_eq!(detail["subject_id"]["id"], expected[0], "{way:?}");
        let version = kit.users.user(ANN).credentials_version();
        assert_eq!(version, "v1", "the version from now on");
    }
}
