//! Mails that fail: what SES refuses, what is retried, and that no other mail waits.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;

use super::{NONE, outcome};
use crate::kit::{ANN, Failure, Kit, NOON, SesAnswer, just_before, later, number};

const SENDER_NOT_VERIFIED: &str = "Email address is not verified. The following identities failed \
                                   the check in region EU-CENTRAL-1: no-reply@example.com";
const BOTH_NOT_VERIFIED: &str = "Email address is not verified. The following identities failed the \
                                 check in region EU-CENTRAL-1: ann@example.com, no-reply@example.com";
const RECIPIENT_NOT_VERIFIED: &str = "Email address is not verified. The following identities failed \
                                      the check in region EU-CENTRAL-1: ann@example.com";

#[tokio::test]
async fn a_transient_failure_is_retried_at_once_with_the_same_code() {
    for answer in [
        SesAnswer::Failure(429, "TooManyRequestsException"),
        SesAnswer::Failure(400, "LimitExceededException"),
        SesAnswer::Failure(500, "InternalServiceErrorException"),
        SesAnswer::Failure(503, "ServiceUnavailable"),
        SesAnswer::Failure(403, "AccessDeniedException"),
        SesAnswer::Failure(400, "SendingPausedException"),
        SesAnswer::Failure(400, "AccountSuspendedException"),
        SesAnswer::Failure(400, "MailFromDomainNotVerifiedException"),
        SesAnswer::Failure(404, "NotFoundException"),
        // Without a word of the recipient, it is not taken for the recipient's fault.
        SesAnswer::Failure(400, "MessageRejected"),
        SesAnswer::Failure(400, "BadRequestException"),
        SesAnswer::Refused("BadRequestException", "Configuration set does not exist"),
        SesAnswer::Refused("MessageRejected", "Sending suspended for this account."),
        SesAnswer::Refused("MessageRejected", SENDER_NOT_VERIFIED),
        SesAnswer::Refused("MessageRejected", BOTH_NOT_VERIFIED),
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        kit.start(Protocol::AuthV1, ANN, NOON).await;
        kit.ses.answer(answer);
        let failed = kit.deliver(NOON).await;
        assert_eq!(failed, kit.keys("MAIL#").await, "{answer:?}");
        assert_eq!(kit.ses.mails().len(), 1, "it is sent once: {answer:?}");
        assert_eq!(outcome(&kit).await, None, "{answer:?}");
        assert_eq!(kit.deliver(NOON).await, NONE, "{answer:?}");
        let mails = kit.ses.mails();
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[0], mails[1]);
        assert_eq!(outcome(&kit).await.as_deref(), Some("sent"));
    }
}

#[tokio::test]
async fn a_mail_that_may_have_been_sent_is_not_retried_at_once() {
    for answer in [SesAnswer::Silence, SesAnswer::WithoutMessageId] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        kit.start(Protocol::AuthV1, ANN, NOON).await;
        kit.ses.answer(answer);
        let keys = kit.keys("MAIL#").await;
        assert_eq!(kit.deliver(NOON).await, keys, "{answer:?}");
        let meanwhile = kit.deliver_keys(&keys, just_before(later(12))).await;
        assert_eq!(meanwhile, keys, "{answer:?}");
        assert_eq!(kit.ses.mails().len(), 1, "while it may be on its way");
        assert_eq!(kit.deliver_keys(&keys, later(12)).await, NONE);
        let mails = kit.ses.mails();
        assert_eq!(mails[0].code(), mails[1].code(), "the same code");
        let promised = [&mails[0], &mails[1]].map(|mail| mail.data["validFor"].clone());
        assert_eq!(promised, ["10 minutes", "9 minutes"], "what is left of it");
    }
}

#[tokio::test]
async fn a_mail_whose_user_cannot_be_read_is_closed_and_delays_no_other() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let no_text = AttributeValue::Bool(true);
    kit.change_user(&user, "passwordHash", no_text).await;
    assert_eq!(kit.mailed(NOON).await, []);
    assert_eq!(outcome(&kit).await.as_deref(), Some("broken"));
}

#[tokio::test]
async fn a_mail_that_ses_refuses_for_its_recipient_is_not_retried() {
    for (kind, rejection) in [
        ("MessageRejected", RECIPIENT_NOT_VERIFIED),
        ("MessageRejected", "Address blacklisted."),
        (
            "BadRequestException",
            "Local address contains control or whitespace",
        ),
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        kit.start(Protocol::AuthV1, ANN, NOON).await;
        kit.ses.answer(SesAnswer::Refused(kind, rejection));
        assert_eq!(kit.deliver(NOON).await, NONE, "{rejection}");
        assert_eq!(
            outcome(&kit).await.as_deref(),
            Some("refused"),
            "{rejection}"
        );
        assert_eq!(kit.deliver_keys(&kit.keys("MAIL#").await, NOON).await, NONE);
        assert_eq!(kit.ses.mails().len(), 1);
    }
}

#[tokio::test]
async fn an_address_that_ses_never_mails_is_refused_without_a_call_of_ses() {
    for email in [
        "a;b@example.com",
        "ren\u{e9}@example.com",
        "ann.@example.com",
        "ann..lee@example.com",
        "ren\u{e9}@b\u{fc}cher.example",
    ] {
        let kit = Kit::new().await;
        kit.user(email).await;
        kit.start(Protocol::AuthV1, email, NOON).await;
        assert_eq!(kit.deliver(NOON).await, NONE, "{email}");
        assert_eq!(outcome(&kit).await.as_deref(), Some("refused"), "{email}");
        assert!(kit.ses.mails().is_empty(), "{email}");
    }
}

#[tokio::test]
async fn one_failure_leaves_the_rest_of_a_batch_alone() {
    let kit = Kit::new().await;
    for name in ["a", "b", "c"] {
        let email = format!("{name}@example.com");
        kit.user(&email).await;
        kit.start(Protocol::AuthV1, &email, NOON).await;
    }
    let keys = kit.keys("MAIL#").await;
    kit.ses.answer(SesAnswer::Accepted);
    kit.ses
        .answer(SesAnswer::Failure(500, "InternalServiceErrorException"));
    let failed = kit.deliver_keys(&keys, NOON).await;
    let second = kit.ses.mails().remove(1);
    assert_eq!(failed, [format!("MAIL#{}", second.tag.replace('-', "#"))]);
    assert_eq!(kit.ses.mails().len(), 3);
}

#[tokio::test]
async fn a_mail_that_failed_gets_a_record_of_its_own_and_holds_up_no_other() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let keys = kit.keys("MAIL#").await;
    for attempt in 1..=2 {
        kit.ses
            .answer(SesAnswer::Failure(429, "TooManyRequestsException"));
        // The stream goes on behind it.
        assert_eq!(kit.hand_over(&keys, || NOON).await, NONE);
        let retries = kit.keys("RETRY#").await;
        assert_eq!(
            retries.len(),
            attempt,
            "each is new, or the stream would not tell"
        );
        assert!(retries.iter().all(|retry| retry.ends_with(&keys[0])));
        let item = kit.item(&retries[0]).await.unwrap();
        let day = 24 * 3600;
        assert_eq!(
            i64::from(number(&item["expiresAt"])),
            NOON.ttl_seconds() + day
        );
    }
    for retry in kit.keys("RETRY#").await {
        assert_eq!(kit.hand_over(&[retry], || NOON).await, NONE);
    }
    assert_eq!(
        kit.ses.mails().len(),
        3,
        "two that failed, and one of the retries"
    );
    assert_eq!(outcome(&kit).await.as_deref(), Some("sent"));
}

#[tokio::test]
async fn a_retry_that_fails_is_left_to_the_stream() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let retry = [format!("RETRY#0a#{}", kit.keys("MAIL#").await[0])];
    kit.ses
        .answer(SesAnswer::Failure(503, "ServiceUnavailable"));
    assert_eq!(kit.hand_over(&retry, || NOON).await, retry);
    assert_eq!(kit.keys("RETRY#").await, NONE);
    assert_eq!(kit.hand_over(&retry, || NOON).await, NONE);
    assert_eq!(outcome(&kit).await.as_deref(), Some("sent"));
}

#[tokio::test]
async fn a_mail_that_failed_is_left_to_the_stream_if_its_retry_cannot_be_written() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let keys = kit.keys("MAIL#").await;
    kit.faults.fail(Failure::ErrorBefore, 1, usize::MAX);
    assert_eq!(kit.hand_over(&keys, || NOON).await, keys);
    kit.faults.clear();
    assert_eq!(kit.keys("RETRY#").await, NONE);
    assert_eq!(kit.hand_over(&keys, || NOON).await, NONE);
    assert_eq!(outcome(&kit).await.as_deref(), Some("sent"));
}
