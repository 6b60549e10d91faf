//! Claims and outcomes: one delivery at a time sends a mail, and closes its mail request.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::store::{Claim, Outcome as MailOutcome};
use testkit::recorder::StoreCall;

use super::{NONE, outcome};
use crate::kit::{ANN, Failure, Kit, NOBODY, NOON, SesAnswer, just_before, later};

#[tokio::test]
async fn a_repeated_record_after_the_outcome_sends_nothing() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    kit.start(Protocol::AuthV1, NOBODY, NOON).await;
    assert_eq!(kit.deliver(NOON).await, NONE);
    let before = kit.dump().await;
    let keys = kit.keys("MAIL#").await;
    assert_eq!(kit.deliver_keys(&keys, later(3600)).await, NONE);
    assert_eq!(kit.dump().await, before);
    assert_eq!(kit.ses.mails().len(), 1);
}

#[tokio::test]
async fn a_record_whose_mail_request_is_gone_is_done() {
    let kit = Kit::new().await;
    let gone = [format!("MAIL#{}#1", "0".repeat(64))];
    assert_eq!(kit.deliver_keys(&gone, NOON).await, NONE);
    assert!(kit.dump().await.is_empty(), "and not written anew");
}

#[tokio::test]
async fn the_outcome_of_a_mail_is_recorded_with_its_message_and_ends_the_claim() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    for (email, message) in [(ANN, true), (NOBODY, false)] {
        kit.start(Protocol::AuthV1, email, NOON).await;
        let key = kit.keys("MAIL#").await.remove(0);
        assert_eq!(kit.deliver(NOON).await, NONE);
        let item = kit.item(&key).await.unwrap();
        assert!(item.contains_key("outcome"));
        assert!(!item.contains_key("leasedUntil") && !item.contains_key("leasedBy"));
        assert_eq!(item.contains_key("messageId"), message, "{email}");
        kit.delete(&key).await;
    }
}

#[tokio::test]
async fn the_outcome_of_a_mail_request_that_is_gone_is_not_written_anew() {
    let kit = Kit::new().await;
    let gone = format!("MAIL#{}#1", "0".repeat(64));
    let closed = kit.store.close_mail(&gone, &MailOutcome::Nobody).await;
    assert!(closed.is_err());
    assert!(kit.dump().await.is_empty());
}

#[tokio::test]
async fn a_mail_claimed_by_another_delivery_is_left_alone_until_the_claim_ends() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let keys = kit.keys("MAIL#").await;
    let other = kit.claimant();
    kit.store.claim_mail(&keys[0], &other, NOON).await.unwrap();
    let before = kit.dump().await;
    assert_eq!(kit.deliver_keys(&keys, just_before(later(12))).await, keys);
    assert_eq!((kit.dump().await, kit.ses.mails().len()), (before, 0));
    assert_eq!(kit.deliver_keys(&keys, later(12)).await, NONE);
    assert_eq!(kit.ses.mails().len(), 1);
}

#[tokio::test]
async fn a_delayed_delivery_sends_nothing_and_keeps_the_claim_of_the_next_one() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let key = kit.keys("MAIL#").await.remove(0);
    // Half a minute passes whenever the clock is looked at.
    let looks = std::sync::atomic::AtomicU64::new(0);
    let clock = || later(30 * looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    assert_eq!(
        kit.deliver_by(std::slice::from_ref(&key), clock).await,
        std::slice::from_ref(&key)
    );
    assert!(kit.ses.mails().is_empty());

    let [first, second, third] = [kit.claimant(), kit.claimant(), kit.claimant()];
    let claim = async |who, at| kit.store.claim_mail(&key, who, at).await.unwrap();
    let release = async |who, at| kit.store.release_mail(&key, who, at).await.unwrap();
    claim(&first, NOON).await;
    claim(&second, later(12)).await;
    release(&first, NOON).await;
    release(&first, later(12)).await;
    let refused = claim(&third, later(13)).await;
    assert!(matches!(refused, Claim::Leased), "the second has it still");
    release(&second, later(12)).await;
    let item = kit.item(&key).await.unwrap();
    assert!(!item.contains_key("leasedUntil") && !item.contains_key("leasedBy"));
    assert!(matches!(claim(&third, later(13)).await, Claim::Claimed(_)));
}

#[tokio::test]
async fn a_mail_claim_whose_answer_was_lost_still_belongs_to_its_delivery() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    kit.faults.fail(Failure::ResetAfter, 1, 1);
    assert_eq!(kit.deliver(NOON).await, NONE);
    assert_eq!(kit.ses.mails().len(), 1);
    assert_eq!(outcome(&kit).await.as_deref(), Some("sent"));
}

#[tokio::test]
async fn a_claim_that_the_version_before_took_over_is_not_given_back() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let key = kit.keys("MAIL#").await.remove(0);
    let [first, second] = [kit.claimant(), kit.claimant()];
    kit.store.claim_mail(&key, &first, NOON).await.unwrap();
    // That version leaves the claimant's name where it is.
    let lease = AttributeValue::N(later(24).millis().to_string());
    kit.change(&key, "leasedUntil", lease).await;
    kit.store.release_mail(&key, &first, NOON).await.unwrap();
    let claimed = kit
        .store
        .claim_mail(&key, &second, later(13))
        .await
        .unwrap();
    assert!(matches!(claimed, Claim::Leased));
}

#[tokio::test]
async fn every_outcome_writes_the_mail_request_twice_and_nothing_else() {
    for case in [
        "sent",
        "nobody",
        "expired",
        "refused",
        "unmailable",
        "failed",
    ] {
        let kit = Kit::new().await;
        let unmailable = "a;b@example.com";
        for user in [ANN, unmailable] {
            kit.user(user).await;
        }
        let asked = match case {
            "nobody" => NOBODY,
            "unmailable" => unmailable,
            _ => ANN,
        };
        kit.start(Protocol::AuthV1, asked, NOON).await;
        match case {
            "refused" => kit.ses.answer(SesAnswer::Refused(
                "MessageRejected",
                "Address blacklisted.",
            )),
            "failed" => kit
                .ses
                .answer(SesAnswer::Failure(500, "InternalServiceErrorException")),
            _ => {}
        }
        let mut before = kit.dump().await;
        kit.log.reset();
        kit.deliver(if case == "expired" { later(600) } else { NOON })
            .await;
        let writes: Vec<_> = kit
            .log
            .calls()
            .into_iter()
            .filter(|call| call.consistent.is_none())
            .collect();
        let shapes: Vec<_> = writes.iter().map(StoreCall::shape).collect();
        let mut expected = vec!["UpdateItem MAIL"; 2];
        // Without an outcome, the mail gets a record for the next attempt.
        if case == "failed" {
            expected.push("UpdateItem RETRY");
        }
        assert_eq!(shapes, expected, "{case}");
        let units = u32::try_from(expected.len()).unwrap();
        assert_eq!(kit.log.write_units(), units, "{case}");
        assert!(kit.log.calls().len() <= expected.len() + 2, "{case}");
        let mut after = kit.dump().await;
        before.retain(|key, _| !key.starts_with("MAIL#"));
        after.retain(|key, _| !key.starts_with("MAIL#"));
        assert_eq!(before, after, "{case}");
    }
}
