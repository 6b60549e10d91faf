//! Mail delivery: recipient, template, and what happens when SES refuses.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::store::{Claim, Outcome as MailOutcome};
use serde_json::json;
use testkit::recorder::StoreCall;

use crate::kit::{
    ANN, Failure, Kit, NOBODY, NOON, Outcome, PASSWORD, RECOVERY_PAGE, SesAnswer, blocked,
    just_before, later, number, outcome_of,
};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];
const NONE: [String; 0] = [];

/// The outcome that is recorded on the one mail request there is.
async fn outcome(kit: &Kit) -> Option<String> {
    let dump = kit.dump().await;
    let (_, item) = dump
        .iter()
        .find(|(key, _)| key.starts_with("MAIL#"))
        .unwrap();
    item.get("outcome")
        .map(|value| value.as_s().unwrap().clone())
}

#[tokio::test]
async fn a_code_goes_to_the_address_as_the_directory_spells_it_and_to_nothing_else() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        kit.user("Ann.Smith@Example.COM").await;
        let started = kit.start(protocol, " aNN.smith@EXAMPLE.com", NOON).await;
        let mails = kit.mailed(NOON).await;
        assert_eq!(mails.len(), 1);
        let mail = &mails[0];
        assert_eq!(mail.to, ["Ann.Smith@Example.COM"]);
        assert_eq!(mail.from, "no-reply@example.com");
        assert!(mail.reply_to.is_empty());
        assert_eq!(
            mail.headers,
            json!([{"Name": "Auto-Submitted", "Value": "auto-generated"}])
        );
        assert_eq!(mail.configuration_set.as_deref(), Some("stack-mail"));
        assert_eq!(
            mail.template,
            match protocol {
                Protocol::Directory => "stack-directory-session-forgot-en",
                Protocol::AuthV1 => "stack-auth-v1-forgot-password-en",
            }
        );
        let link = kit.derived_link(&started.session).await;
        let expected = json!({
            "code": kit.derived(&started.session).await,
            "link": "",
            "validFor": "10 minutes",
            "serviceName": "Regain",
            "serviceNameHtml": "Regain",
            "link": format!("{RECOVERY_PAGE}#t={token}", token = *link.reveal()),
        });
        assert_eq!(mail.data, expected);
        assert_eq!(outcome(&kit).await.as_deref(), Some("sent"));
    }
}

#[tokio::test]
async fn a_mail_is_in_the_language_of_the_user_or_else_of_the_caller() {
    for (own, expected) in [
        (json!("id-ID"), "id"),
        (json!("en"), "en"),
        (json!("pt_BR.UTF-8"), "pt"),
        (json!("zh-CN"), "zh-Hans"),
        (json!("zh-TW"), "en"),
        (json!("xx"), "en"),
        (json!(null), "en"),
    ] {
        let kit = Kit::new().await;
        kit.user_like(json!({ "email": ANN, "locale": own })).await;
        let started = kit.start(Protocol::Directory, ANN, NOON).await;
        let mails = kit.mailed(NOON).await;
        assert_eq!(
            mails[0].template,
            format!("stack-directory-session-forgot-{expected}")
        );
        kit.set_with_code(&started, &mails[0].code(), PASSWORD, NOON)
            .await
            .unwrap();
        let notices = kit.mailed(NOON).await;
        assert_eq!(
            notices[0].template,
            format!("stack-password-changed-{expected}")
        );
    }
}

#[tokio::test]
async fn no_mail_holds_what_a_caller_says_about_itself() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let mut asked = crate::kit::request(Protocol::Directory, ANN);
    asked.origin.app = Some("https://evil.example".to_owned());
    asked.origin.device = Some("call 555-0100".to_owned());
    let started = kit.request(asked, NOON).await.unwrap();
    let mails = kit.mailed(NOON).await;
    let text = format!("{mails:?}");
    assert!(!text.contains("evil") && !text.contains("555"));
    let item = kit.session_item(&started.session).await;
    assert_eq!(
        item["device"].as_s().unwrap(),
        "call 555-0100",
        "it is kept on the session"
    );
}

#[tokio::test]
async fn the_services_name_comes_escaped_for_html() {
    let kit = Kit::with(&[("SERVICE_NAME", "A&B <\"Shop\">")]).await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let mails = kit.mailed(NOON).await;
    assert_eq!(mails[0].data["serviceName"], "A&B <\"Shop\">");
    let html = mails[0].data["serviceNameHtml"].as_str().unwrap();
    assert!(
        html.starts_with("A&amp;B &lt;") && !html.contains(['<', '>', '"']),
        "{html}"
    );
}

#[tokio::test]
async fn a_code_is_as_long_as_set_and_keeps_its_leading_zeros() {
    let kit = Kit::with(&[("CODE_LENGTH", "10")]).await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    assert!(code.len() == 10 && code.bytes().all(|digit| digit.is_ascii_digit()));
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, NOON).await),
        Outcome::Done
    );
}

#[tokio::test]
async fn a_code_that_expired_before_it_was_mailed_is_dropped() {
    for (at, sent, recorded) in [
        (just_before(later(600)), 1, "sent"),
        (later(600), 0, "expired"),
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        kit.start(Protocol::AuthV1, ANN, NOON).await;
        assert_eq!(kit.mailed(at).await.len(), sent);
        assert_eq!(outcome(&kit).await.as_deref(), Some(recorded));
    }
}

#[tokio::test]
async fn an_unknown_address_gets_no_mail_and_a_blocked_user_gets_the_code() {
    let kit = Kit::new().await;
    kit.start(Protocol::AuthV1, NOBODY, NOON).await;
    assert_eq!(kit.mailed(NOON).await, []);
    assert_eq!(outcome(&kit).await.as_deref(), Some("nobody"));
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.change_user(&user, "status", blocked()).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert_eq!(kit.mailed(NOON).await.len(), 1);
}

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

const SENDER_NOT_VERIFIED: &str = "Email address is not verified. The following identities failed \
                                   the check in region EU-CENTRAL-1: no-reply@example.com";
const BOTH_NOT_VERIFIED: &str = "Email address is not verified. The following identities failed the \
                                 check in region EU-CENTRAL-1: ann@example.com, no-reply@example.com";
const RECIPIENT_NOT_VERIFIED: &str = "Email address is not verified. The following identities failed \
                                      the check in region EU-CENTRAL-1: ann@example.com";

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
async fn an_international_domain_is_given_to_ses_in_ascii() {
    let kit = Kit::new().await;
    kit.user("Ann@B\u{fc}cher.example").await;
    kit.start(Protocol::AuthV1, "ann@b\u{fc}cher.example", NOON)
        .await;
    assert_eq!(kit.mailed(NOON).await[0].to, ["Ann@xn--bcher-kva.example"]);
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
async fn a_record_of_another_kind_of_item_is_ignored() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let session = started.session.reference().hex();
    let torn = format!("MAIL#{session}#7");
    kit.change(&torn, "template", AttributeValue::S("none".to_owned()))
        .await;
    let before = kit.dump().await;
    let keys = [
        format!("SESSION#{session}"),
        format!("USER#{}", user.id.as_str()),
        format!("EMAIL#{ANN}"),
        format!("MAIL#{session}"),
        format!("MAIL#{session}#8"),
        format!("MAIL#{session}#7#other"),
        torn,
        "MAIL#".to_owned(),
        String::new(),
    ];
    // Trying again would change nothing, so they hold nothing up.
    assert_eq!(kit.deliver_keys(&keys, NOON).await, NONE);
    assert_eq!(kit.dump().await, before);
    assert!(kit.ses.mails().is_empty());
}

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

#[tokio::test]
async fn a_batch_takes_its_time_whoever_is_in_it() {
    let kit = Kit::with(&[("MAIL_BATCH_MILLISECONDS", "300")]).await;
    kit.user(ANN).await;
    for email in [ANN, NOBODY] {
        for _ in 0..2 {
            kit.start(Protocol::AuthV1, email, NOON).await;
        }
        let begun = tokio::time::Instant::now();
        assert_eq!(kit.deliver(NOON).await, NONE);
        assert!(begun.elapsed() >= Duration::from_millis(330), "{email}");
    }
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

#[tokio::test]
async fn a_forged_mail_request_yields_a_code_that_opens_nothing() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.user("eve@example.com").await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let keys = kit.keys("MAIL#").await;
    let eve = aws_sdk_dynamodb::types::AttributeValue::S("eve@example.com".to_owned());
    kit.change(&keys[0], "address", eve).await;
    let mails = kit.mailed(NOON).await;
    assert_eq!(mails[0].to, ["eve@example.com"]);
    assert_eq!(
        outcome_of(&kit.verify(&started, &mails[0].code(), NOON).await),
        Outcome::CodeWrong
    );
}

#[tokio::test]
async fn a_codes_mail_request_lives_for_a_day_and_a_notices_for_two_weeks() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.set_with_code(&started, &code, PASSWORD, NOON)
        .await
        .unwrap();
    for (key, item) in kit.dump().await {
        let day = 24 * 3600;
        let now = NOON.ttl_seconds();
        let lives = item.get("expiresAt").map(|at| i64::from(number(at)) - now);
        let expected = match key.split('#').next().unwrap() {
            "USER" | "EMAIL" => None,
            "SESSION" => Some(1800),
            "ADDRESS" => Some(2 * day),
            "NETWORK" => Some(90 * day),
            "MAIL" if key.ends_with("#changed") => Some(14 * day),
            "MAIL" => Some(day),
            other => panic!("no such kind of item: {other}"),
        };
        assert_eq!(lives, expected, "{key}");
    }
}
