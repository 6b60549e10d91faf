//! Mail delivery: to whom a mail goes, in which language, and what it holds.

mod claims;
mod failures;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use serde_json::json;

use crate::kit::{
    ANN, Kit, NOBODY, NOON, Outcome, PASSWORD, RECOVERY_PAGE, blocked, just_before, later, number,
    outcome_of,
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
async fn an_international_domain_is_given_to_ses_in_ascii() {
    let kit = Kit::new().await;
    kit.user("Ann@B\u{fc}cher.example").await;
    kit.start(Protocol::AuthV1, "ann@b\u{fc}cher.example", NOON)
        .await;
    assert_eq!(kit.mailed(NOON).await[0].to, ["Ann@xn--bcher-kva.example"]);
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
