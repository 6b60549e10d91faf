//! Mail to users who live elsewhere.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::keys::IndexKeys;
use regain::mail::events::{MailEvent, MailEvents};
use regain::store::Mailbox;
use serde_json::json;

use super::{BEFORE, Ready, Way, with_ann};
use crate::kit::{
    ANN, ElsewhereUser, Failure, INDEX_SECRET, Kit, NOBODY, NOON, Outcome, StoreFault, address,
    later,
};

#[tokio::test]
async fn an_address_is_compared_in_its_canonical_form_and_mailed_as_the_store_has_it() {
    let kit = with_ann().await;
    kit.users
        .change(ANN, |ann| ann.email = "Ann@Example.com".to_owned());
    kit.start(Protocol::AuthV1, "ANN@EXAMPLE.COM", NOON).await;
    let mails = kit.mailed(NOON).await;
    assert_eq!(mails[0].to, ["Ann@Example.com"]);
}

#[tokio::test]
async fn mail_goes_to_users_elsewhere_only() {
    let kit = with_ann().await;
    kit.users
        .change(ANN, |ann| ann.more = json!({ "locale": "id" }));
    for email in [ANN, NOBODY] {
        kit.start(Protocol::AuthV1, email, NOON).await;
    }
    let mails = kit.mailed(NOON).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, [ANN]);
    assert!(mails[0].template.ends_with("-id"), "{}", mails[0].template);
    assert_eq!(kit.users.operations(), ["find", "find"]);
}

#[tokio::test]
async fn a_mail_is_tried_again_until_the_store_answers() {
    for fault in BEFORE {
        let kit = with_ann().await;
        kit.start(Protocol::AuthV1, ANN, NOON).await;
        kit.users.fail(fault, 1, 1);
        assert_eq!(kit.deliver(NOON).await.len(), 1, "{fault:?}");
        assert_eq!(kit.ses.mails(), [], "{fault:?}");
        assert_eq!(kit.deliver(NOON).await.len(), 0, "{fault:?}");
        assert_eq!(kit.ses.mails().len(), 1, "{fault:?}");
    }
}

/// A permanent bounce of a mail to Ann that was sent `seconds` after noon.
fn bounce(seconds: u64) -> MailEvent {
    serde_json::from_value(json!({ "detail": {
        "eventType": "Bounce", "bounce": { "bounceType": "Permanent" },
        "mail": { "destination": [ANN], "timestamp": later(seconds).rfc3339() },
    }}))
    .unwrap()
}

#[tokio::test]
async fn a_bounce_suppresses_an_address_elsewhere_by_its_digest() {
    let kit = with_ann().await;
    let events = MailEvents::new(kit.store.clone(), kit.records.trail())
        .with_users_elsewhere(kit.secrets.secrets());
    events.handle(bounce(0), NOON).await.unwrap();
    events.handle(bounce(0), later(5)).await.unwrap();
    let digest = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    let items: Vec<String> = kit.dump().await.into_keys().collect();
    assert_eq!(items, [format!("SUPPRESSED#{}", digest.hex())]);
    let suppressed = || kit.store.suppressed(Mailbox::Elsewhere(&digest));
    let first = suppressed().await.unwrap().unwrap();
    assert_eq!((first.at, first.count), (NOON, 1), "the first report stays");

    let started = kit.start(Protocol::AuthV1, ANN, later(1)).await;
    assert_eq!(kit.mailed(later(1)).await, []);
    let reference = started.session.reference().hex();
    let mail = kit.keys(&format!("MAIL#{reference}")).await;
    let item = kit.item(&mail[0]).await.unwrap();
    assert_eq!(item["outcome"], AttributeValue::S("suppressed".to_owned()));

    let day = 24 * 3600;
    events.handle(bounce(day), later(day + 1)).await.unwrap();
    assert_eq!(suppressed().await.unwrap().unwrap().count, 2);
    let clear = || kit.store.clear_suppression(Mailbox::Elsewhere(&digest));
    assert!(clear().await.unwrap());
    assert!(!clear().await.unwrap(), "there is nothing left to clear");
    kit.start(Protocol::AuthV1, ANN, later(2)).await;
    assert_eq!(kit.mailed(later(2)).await.len(), 1);
}

#[tokio::test]
async fn a_suppression_elsewhere_after_a_lifted_one_begins_from_the_start() {
    let kit = with_ann().await;
    let events = |store| {
        MailEvents::new(store, kit.records.trail()).with_users_elsewhere(kit.secrets.secrets())
    };
    events(kit.store.clone())
        .handle(bounce(0), NOON)
        .await
        .unwrap();
    let digest = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    // Between the write that finds the first suppression, and the one that prolongs it.
    let gate = kit.faults.hold(2);
    let store = kit.another_store();
    let day = 24 * 3600;
    let prolonging = events(store);
    let heard = prolonging.handle(bounce(day), later(day + 1));
    let lifted = async {
        gate.wait().await;
        let lifted = kit.store.clear_suppression(Mailbox::Elsewhere(&digest));
        let lifted = lifted.await;
        gate.wait().await;
        lifted.unwrap()
    };
    let (heard, lifted) = tokio::join!(heard, lifted);
    heard.unwrap();
    assert!(lifted);
    let suppressed = kit.store.suppressed(Mailbox::Elsewhere(&digest)).await;
    assert_eq!(suppressed.unwrap().unwrap().count, 1);
}

#[tokio::test]
async fn a_notice_that_is_asked_for_twice_is_mailed_once() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Token).await;
    for seconds in [1, 2] {
        kit.users.fail(StoreFault::LostAfter, 2, 2);
        let outcome = ready.outcome(&kit, seconds).await;
        assert_eq!(outcome, Outcome::Unavailable);
        let mailed = kit.mailed(later(seconds)).await.len();
        assert_eq!(mailed, usize::from(seconds == 1));
    }
}

#[tokio::test]
async fn a_suppression_that_cannot_be_read_is_tried_again_and_mails_nothing() {
    let kit = with_ann().await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    // After the claim, the suppression is read.
    kit.faults.fail(Failure::ErrorBefore, 2, 3);
    assert_eq!(kit.deliver(NOON).await.len(), 1);
    kit.faults.clear();
    assert_eq!(kit.ses.mails(), []);
    assert_eq!(kit.mailed(NOON).await.len(), 1);
}

#[tokio::test]
async fn a_complaint_elsewhere_stops_codes_and_no_notice() {
    let kit = Kit::elsewhere(&[]).await;
    // An id as users in the table have it.
    kit.users.put(ElsewhereUser {
        id: "60115a65c0c6974f894f9ea6".to_owned(),
        ..ElsewhereUser::of(ANN)
    });
    let ready = Ready::new(&kit, Way::Token).await;
    let complaint: MailEvent = serde_json::from_value(json!({ "detail": {
        "eventType": "Complaint", "complaint": { "complaintFeedbackType": "abuse" },
        "mail": { "destination": [ANN], "timestamp": NOON.rfc3339() },
    }}))
    .unwrap();
    let events = MailEvents::new(kit.store.clone(), kit.records.trail())
        .with_users_elsewhere(kit.secrets.secrets());
    events.handle(complaint, NOON).await.unwrap();
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert_eq!(kit.mailed(NOON).await, []);
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done);
    let mails = kit.mailed(later(1)).await;
    assert_eq!(mails.len(), 1);
    // Nobody who lives elsewhere is blocked from here, so there is no link to do so.
    assert_eq!(mails[0].data["notMeLink"], "");
}
