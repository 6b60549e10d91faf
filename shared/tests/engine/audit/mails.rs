//! The audit records of mails: one for the end of each, and one for what SES reports later.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::mail::events::{MailEvent, MailEvents};
use regain::store::Suppression;
use serde_json::{Value, json};

use super::{keys, news};
use crate::kit::{ANN, Failure, Fault, Kit, NOBODY, NOON, SesAnswer, address, later};

#[tokio::test]
async fn a_mail_that_ses_may_have_taken_is_recorded_as_unanswered() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    kit.records.reset();
    kit.ses.answer(SesAnswer::Silence);
    assert_eq!(kit.deliver(NOON).await.len(), 1);
    assert_eq!(news(&kit), ["unanswered mail"]);
}

#[tokio::test]
async fn the_end_of_every_mail_is_recorded() {
    // Nobody but the last has a reason to be mailed.
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let ann = address(ANN);
    kit.store
        .suppress(&ann, Suppression::Bounced, NOON, NOON)
        .await
        .unwrap();
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    kit.records.reset();
    kit.deliver(NOON).await;
    assert_eq!(news(&kit), ["suppressed not-mailed"]);

    kit.start(Protocol::AuthV1, NOBODY, NOON).await;
    kit.records.reset();
    kit.deliver(later(600)).await;
    assert_eq!(news(&kit), ["not-mailed expired"]);

    let bob = "bob@example.com";
    kit.user(bob).await;
    kit.start(Protocol::AuthV1, bob, NOON).await;
    kit.records.reset();
    let refusal = SesAnswer::Refused("BadRequestException", "Illegal address");
    kit.ses.answer(refusal);
    kit.deliver(NOON).await;
    assert_eq!(news(&kit), ["not-mailed refused"]);

    kit.start(Protocol::AuthV1, bob, later(1)).await;
    let key = kit.keys("EMAIL#bob").await.remove(0);
    kit.change(&key, "userId", AttributeValue::Bool(true)).await;
    kit.records.reset();
    kit.deliver(later(1)).await;
    assert_eq!(news(&kit), ["not-mailed broken"]);
}

#[tokio::test]
async fn a_malformed_mail_request_is_recorded_by_its_session_alone() {
    let kit = Kit::new().await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let key = kit.keys("MAIL#").await.remove(0);
    kit.change(&key, "template", AttributeValue::Bool(true))
        .await;
    kit.records.reset();
    kit.deliver(NOON).await;
    let record = kit.records.all().remove(0);
    assert_eq!(news(&kit), ["not-mailed broken"]);
    assert_eq!(record["session"], started.session.reference().hex());
    assert_eq!(record["subject"], Value::Null);
}

#[tokio::test]
async fn a_mail_that_waits_for_ses_is_recorded_when_it_is_taken() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    kit.records.reset();
    kit.ses.set_down(true);
    assert_eq!(kit.deliver(NOON).await.len(), 1);
    assert_eq!(news(&kit), Vec::<String>::new());
    kit.ses.set_down(false);
    kit.mailed(later(30)).await;
    assert_eq!(news(&kit), ["mailed code"]);
}

#[tokio::test]
async fn an_address_that_is_suppressed_is_recorded_once_and_under_its_subject() {
    for (told, why) in [
        (
            json!({ "eventType": "Bounce", "bounce": { "bounceType": "Permanent" } }),
            "bounced",
        ),
        (
            json!({ "eventType": "Complaint", "complaint": {} }),
            "complained",
        ),
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let mail = kit.mailed(NOON).await.remove(0);
        kit.records.reset();
        let events = MailEvents::new(kit.store.clone(), kit.records.trail());
        let mut detail = told;
        detail["mail"] = json!({
            "destination": mail.to,
            "tags": { "mail-request": [mail.tag], "subject": [mail.subject_tag] },
        });
        // SES may tell of it twice.
        for at in [1, 2] {
            let event = json!({ "detail": detail });
            let event: MailEvent = serde_json::from_value(event).unwrap();
            events.handle(event, later(at)).await.unwrap();
        }
        let record = kit.records.all().remove(0);
        assert_eq!(news(&kit), [format!("suppressed {why}")]);
        assert_eq!(record["subject"], keys().subject(&address(ANN)).hex());
        assert_eq!(record["session"], started.session.reference().hex());
    }
}

#[tokio::test]
async fn a_suppression_is_recorded_even_if_the_first_answer_was_lost() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let mail = kit.mailed(NOON).await.remove(0);
    kit.records.reset();
    let events = MailEvents::new(kit.another_store(), kit.records.trail());
    let event = json!({ "detail": {
        "eventType": "Bounce",
        "bounce": { "bounceType": "Permanent" },
        "mail": {
            "destination": mail.to,
            "tags": { "mail-request": [mail.tag], "subject": [mail.subject_tag] },
        },
    } });
    let event: MailEvent = serde_json::from_value(event).unwrap();
    kit.faults.fail(Failure::ErrorAfter, 2, 1);
    events.handle(event, later(1)).await.unwrap();
    kit.faults.clear();
    assert_eq!(news(&kit), ["suppressed bounced"]);
}

#[tokio::test]
async fn a_mail_to_nobody_is_recorded_once_its_outcome_is_written() {
    let kit = Kit::new().await;
    kit.start(Protocol::AuthV1, NOBODY, NOON).await;
    kit.records.reset();
    // The claim, the lookup, and then the outcome.
    kit.log.fail(Fault::Down(3));
    assert_eq!(kit.deliver(NOON).await.len(), 1);
    assert_eq!(news(&kit), Vec::<String>::new());
    kit.log.reset();
    kit.deliver(later(30)).await;
    assert_eq!(news(&kit), ["not-mailed nobody"]);
}
