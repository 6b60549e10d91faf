//! Events about users who live elsewhere.

use regain::announce::Announcer;
use regain::stream::StreamBatch;
use serde_json::{Value, json};
use testkit::fake_event_bridge::FakeEventBridge;

use super::{Ready, Way, with_ann};
use crate::kit::{Kit, PASSWORD, StoreFault, later};

/// The details of the events that are published for a kit's notices.
async fn published(kit: &Kit) -> Vec<Value> {
    let events = FakeEventBridge::serve().await;
    let bus = Some("sign-in".to_owned());
    let announcer = Announcer::new(kit.another_store(), &events.config(), bus);
    let records = kit.keys("MAIL#").await.into_iter().map(|key| {
        json!({
            "eventName": "INSERT",
            "dynamodb": { "Keys": { "pk": { "S": key } }, "SequenceNumber": key },
        })
    });
    let records: Vec<Value> = records.collect();
    let batch: StreamBatch = serde_json::from_value(json!({ "Records": records })).unwrap();
    announcer.announce_batch(batch).await.unwrap();
    let taken = events.taken().into_iter();
    taken
        .map(|entry| serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn each_password_that_is_set_elsewhere_is_published_with_the_stores_id_and_version() {
    for (way, means) in [
        (Way::Token, "token"),
        (Way::Session, "session"),
        (Way::Code, "code"),
        (Way::Link, "link"),
    ] {
        // If both answers are lost, the password may be set. The version is then that which was found.
        for (lost, version) in [(0, "v1"), (2, "v0")] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            kit.users.fail(StoreFault::LostAfter, 2, lost);
            let set = ready.set(&kit, PASSWORD, 1).await;
            assert_eq!(set.is_ok(), lost == 0, "{way:?}");
            let details = published(&kit).await;
            assert_eq!(details.len(), 1, "{way:?}, {lost}");
            let detail = &details[0];
            let told = ["user", "credentialsVersion", "at", "means"].map(|it| detail[it].clone());
            let at = later(1).rfc3339();
            let expected = ["id of ann@example.com", version, &at, means].map(|it| json!(it));
            assert_eq!(told, expected, "{way:?}, {lost}");
            assert_eq!(detail["subject_id"]["id"], expected[0], "{way:?}");
        }
    }
}
