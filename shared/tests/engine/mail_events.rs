//! SES events: recorded and acted on, and never visible to a caller.

use std::time::Duration;

use regain::api::Protocol;
use regain::mail::events::{MailEvent, MailEvents};
use regain::store::{Store, Suppressed, Suppression};
use regain::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::kit::{ANN, Fault, Kit, Mail, NOON, PASSWORD, Records, address, just_before, later};

/// The event that tells of a mail, as SES makes it.
fn event(mail: &Mail, kind: &str, name: &str, details: &Value) -> Value {
    json!({
        "version": "0",
        "source": "aws.ses",
        "detail": {
            "eventType": kind,
            name: details,
            "mail": {
                "messageId": "message-1",
                "timestamp": NOON.rfc3339(),
                "destination": mail.to,
                "tags": {"ses:configuration-set": ["stack-mail"], "mail-request": [mail.tag]},
            },
        },
    })
}

fn bounce(mail: &Mail, kind: &str) -> Value {
    let details = json!({
        "bounceType": kind,
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": "forwarded-to@example.net"}],
    });
    event(mail, "Bounce", "bounce", &details)
}

fn complaint(mail: &Mail) -> Value {
    let details = json!({"complaintFeedbackType": "abuse"});
    event(mail, "Complaint", "complaint", &details)
}

async fn hear(store: &Store, event: Value, at: Timestamp) -> bool {
    let event: MailEvent = serde_json::from_value(event).unwrap();
    let events = MailEvents::new(store.clone(), Records::default().trail());
    events.handle(event, at).await.is_ok()
}

/// An attribute of the one mail request for a code.
async fn recorded(kit: &Kit, word: &str) -> Option<String> {
    let [key] = kit.keys("MAIL#").await.try_into().unwrap();
    let item = kit.item(&key).await.unwrap();
    let details = item.get(word)?.as_m().unwrap();
    Some(details["why"].as_s().unwrap().clone())
}

/// A user who asked for a code and was mailed it.
async fn mailed(kit: &Kit) -> Mail {
    kit.user(ANN).await;
    kit.start(Protocol::Directory, ANN, NOON).await;
    kit.mailed(NOON).await.remove(0)
}

/// An event as it tells of a mail that SES took at a time.
fn sent_at(mut event: Value, at: Timestamp) -> Value {
    event["detail"]["mail"]["timestamp"] = json!(at.rfc3339());
    event
}

const DAY: u64 = 24 * 3600;

#[tokio::test]
async fn an_address_with_a_hard_bounce_or_complaint_gets_no_codes() {
    for (report, why, until) in [
        (
            (|mail| bounce(mail, "Permanent")) as fn(&Mail) -> Value,
            Suppression::Bounced,
            Some(later(1 + DAY)),
        ),
        (complaint, Suppression::Complained, None),
    ] {
        let kit = Kit::new().await;
        let mail = mailed(&kit).await;
        assert!(hear(&kit.store, report(&mail), later(1)).await);
        let suppressed = kit.store.suppressed(&address(ANN)).await.unwrap();
        let expected = Suppressed {
            at: later(1),
            why,
            count: 1,
            until,
        };
        assert_eq!(suppressed, Some(expected));

        let before = kit.keys("MAIL#").await;
        kit.start(Protocol::AuthV1, ANN, later(2)).await;
        assert_eq!(kit.mailed(later(2)).await, []);
        let mut keys = kit.keys("MAIL#").await;
        keys.retain(|key| !before.contains(key));
        let item = kit.item(&keys[0]).await.unwrap();
        assert_eq!(item["outcome"].as_s().unwrap(), "suppressed");
    }
}

#[tokio::test]
async fn a_bounced_address_is_retried_after_a_day_a_week_a_month_and_then_never() {
    let kit = Kit::new().await;
    let mut mail = mailed(&kit).await;
    let mut sent = NOON;
    for pause in [DAY, 7 * DAY, 30 * DAY] {
        let heard_at = sent.plus(Duration::from_secs(1));
        let event = sent_at(bounce(&mail, "Permanent"), sent);
        assert!(hear(&kit.store, event.clone(), heard_at).await);
        let ends = heard_at.plus(Duration::from_secs(pause));
        kit.start(Protocol::AuthV1, ANN, just_before(ends)).await;
        assert_eq!(kit.mailed(just_before(ends)).await, [], "{pause}");
        kit.start(Protocol::AuthV1, ANN, ends).await;
        mail = kit.mailed(ends).await.remove(0);
        // The same event once more, after all that, is no further bounce.
        assert!(hear(&kit.store, event, ends).await);
        kit.start(Protocol::AuthV1, ANN, ends).await;
        assert_eq!(kit.mailed(ends).await.len(), 1, "{pause}");
        sent = ends;
    }
    assert!(hear(&kit.store, sent_at(bounce(&mail, "Permanent"), sent), sent).await);
    let ever = sent.plus(Duration::from_secs(10_000 * DAY));
    kit.start(Protocol::AuthV1, ANN, ever).await;
    assert_eq!(kit.mailed(ever).await, []);
    let suppressed = kit.store.suppressed(&address(ANN)).await.unwrap().unwrap();
    assert_eq!((suppressed.count, suppressed.until), (4, None));
}

#[tokio::test]
async fn a_complainer_still_gets_notices_until_complaining_about_one() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let mail = kit.mailed(NOON).await.remove(0);
    assert!(hear(&kit.store, complaint(&mail), later(1)).await);
    kit.set_with_code(&started, &mail.code(), PASSWORD, later(2))
        .await
        .unwrap();
    let notice = kit.mailed(later(2)).await.remove(0);
    assert_eq!(notice.template, "stack-password-changed-en");

    let event = sent_at(complaint(&notice), later(2));
    assert!(hear(&kit.store, event, later(3)).await);
    let notices = kit.keys("MAIL#").await;
    let notice = notices.iter().find(|key| key.ends_with("#changed"));
    kit.forget(notice.unwrap(), "outcome").await;
    assert_eq!(kit.mailed(later(4)).await, []);
}

#[tokio::test]
async fn a_suppression_after_a_lifted_one_begins_from_the_start() {
    let kit = Kit::new().await;
    let mail = mailed(&kit).await;
    assert!(hear(&kit.store, bounce(&mail, "Permanent"), later(1)).await);
    // Between the write that finds the first suppression, and the one that prolongs it.
    let gate = kit.faults.hold(2);
    let store = kit.another_store();
    let ends = later(1 + DAY);
    let event = sent_at(bounce(&mail, "Permanent"), ends);
    let heard = hear(&store, event, ends);
    let lifted = async {
        gate.wait().await;
        let lifted = kit.store.clear_suppression(&address(ANN)).await;
        gate.wait().await;
        lifted.unwrap()
    };
    assert_eq!(tokio::join!(heard, lifted), (true, true));
    let suppressed = kit.store.suppressed(&address(ANN)).await.unwrap().unwrap();
    assert_eq!(suppressed.count, 1);
}

#[tokio::test]
async fn a_failure_that_may_pass_does_not_suppress_the_address() {
    for (report, word, why) in [
        (
            (|mail| bounce(mail, "Transient")) as fn(&Mail) -> Value,
            "bounced",
            "Transient-General",
        ),
        (
            |mail| {
                let details = json!({"delayType": "MailboxFull"});
                event(mail, "DeliveryDelay", "deliveryDelay", &details)
            },
            "delayed",
            "MailboxFull",
        ),
        (
            |mail| {
                let details = json!({"templateName": "stack-directory-session-forgot-en", "errorMessage": "no ann@example.com"});
                event(mail, "Rendering Failure", "failure", &details)
            },
            "notRendered",
            "stack-directory-session-forgot-en",
        ),
        (
            |mail| event(mail, "Reject", "reject", &json!({"reason": "Bad content"})),
            "rejected",
            "Bad content",
        ),
        (
            |mail| {
                let details = json!({"complaintSubType": "OnAccountSuppressionList", "complaintFeedbackType": null});
                event(mail, "Complaint", "complaint", &details)
            },
            "complained",
            "OnAccountSuppressionList",
        ),
    ] {
        let kit = Kit::new().await;
        let mail = mailed(&kit).await;
        assert!(hear(&kit.store, report(&mail), later(1)).await);
        assert_eq!(recorded(&kit, word).await.as_deref(), Some(why), "{word}");
        kit.start(Protocol::Directory, ANN, later(2)).await;
        assert_eq!(kit.mailed(later(2)).await.len(), 1, "{word}");
    }
}

#[tokio::test]
async fn the_first_event_of_a_mail_stays_whatever_comes_later() {
    let kit = Kit::new().await;
    let mail = mailed(&kit).await;
    assert!(hear(&kit.store, bounce(&mail, "Permanent"), later(1)).await);
    let once = kit.dump().await;
    assert!(hear(&kit.store, bounce(&mail, "Permanent"), later(9)).await);
    assert_eq!(kit.dump().await, once);
    // A complaint is for good, and so stays in place of a bounce that is not.
    assert!(hear(&kit.store, complaint(&mail), later(10)).await);
    let suppressed = kit.store.suppressed(&address(ANN)).await.unwrap().unwrap();
    assert_eq!(suppressed.why, Suppression::Complained);
    assert_eq!(recorded(&kit, "complained").await.as_deref(), Some("abuse"));
    let once = kit.dump().await;
    assert!(hear(&kit.store, bounce(&mail, "Permanent"), later(11)).await);
    assert_eq!(kit.dump().await, once);
}

#[tokio::test]
async fn an_event_for_a_deleted_mail_request_or_user_creates_neither() {
    let kit = Kit::new().await;
    let mut mail = mailed(&kit).await;
    mail.to = vec!["nobody@example.com".to_owned()];
    for tag in [mail.tag.replace('0', "1"), "not-ours".to_owned()] {
        mail.tag = tag;
        let before = kit.dump().await;
        assert!(hear(&kit.store, bounce(&mail, "Permanent"), later(1)).await);
        assert_eq!(kit.dump().await, before);
    }
}

#[tokio::test]
async fn an_event_without_our_tag_still_suppresses_the_address() {
    let kit = Kit::new().await;
    let mail = mailed(&kit).await;
    let mut event = complaint(&mail);
    event["detail"]["mail"]["tags"] = json!({});
    assert!(hear(&kit.store, event, later(1)).await);
    let suppressed = kit.store.suppressed(&address(ANN)).await.unwrap();
    assert!(suppressed.is_some());
}

#[tokio::test]
async fn an_event_that_cannot_be_recorded_is_retried() {
    for fails_at in [1, 2] {
        let kit = Kit::new().await;
        let mail = mailed(&kit).await;
        let store = kit.another_store();
        kit.log.fail(Fault::Down(fails_at));
        assert!(!hear(&store, bounce(&mail, "Permanent"), later(1)).await);
        kit.log.reset();
        assert!(hear(&store, bounce(&mail, "Permanent"), later(2)).await);
        assert!(kit.store.suppressed(&address(ANN)).await.unwrap().is_some());
        let why = recorded(&kit, "bounced").await;
        assert_eq!(why.as_deref(), Some("Permanent-General"));
    }
}

#[tokio::test]
async fn a_caller_cannot_tell_a_suppressed_address() {
    let mut seen = Vec::new();
    for is_suppressed in [false, true] {
        let kit = Kit::new().await;
        let mail = mailed(&kit).await;
        if is_suppressed {
            assert!(hear(&kit.store, complaint(&mail), later(1)).await);
        }
        kit.log.reset();
        let directory = kit.start(Protocol::Directory, ANN, later(2)).await;
        kit.start(Protocol::AuthV1, ANN, later(3)).await;
        let shapes = kit.log.shapes();
        let users = directory.user.map(|id| id.as_str().to_owned());
        let is_ours = users
            == kit
                .store
                .user_id_of(&address(ANN))
                .await
                .unwrap()
                .map(|id| id.as_str().to_owned());
        seen.push((is_ours, shapes, kit.log.write_units()));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_user_imported_again_stays_suppressed_until_an_operator_lifts_it() {
    let kit = Kit::new().await;
    let mail = mailed(&kit).await;
    assert!(hear(&kit.store, bounce(&mail, "Permanent"), later(1)).await);
    let user = kit.store.user_of(&address(ANN)).await.unwrap().unwrap();
    let written = kit
        .store
        .put_user(&user, &address(ANN), Some(&user), Some(&address(ANN)))
        .await;
    assert!(written.unwrap());
    assert!(kit.store.suppressed(&address(ANN)).await.unwrap().is_some());

    assert!(kit.store.clear_suppression(&address(ANN)).await.unwrap());
    assert!(!kit.store.clear_suppression(&address(ANN)).await.unwrap());
    kit.start(Protocol::Directory, ANN, later(2)).await;
    assert_eq!(kit.mailed(later(2)).await.len(), 1);
}

#[tokio::test]
async fn a_code_mailed_before_a_complaint_can_still_be_used() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let mail = kit.mailed(NOON).await.remove(0);
    assert!(hear(&kit.store, complaint(&mail), later(1)).await);
    kit.set_with_code(&started, &mail.code(), PASSWORD, later(2))
        .await
        .unwrap();
}
