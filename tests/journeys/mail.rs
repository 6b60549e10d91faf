//! The mails: their texts and languages, and that they hold nothing that the caller chose.

use serde_json::json;
use tokio::task::LocalSet;

use crate::stacks;
use testkit::client::{Api, FORGOT, Mobile, RESEND, Web};
use testkit::mailbox::{Mail, Mailbox};
use testkit::people::{Person, new_address};
use testkit::stack::{Setup, Stack};

const PASSWORD: &str = "brass kettle on the moon";

/// The three mails of a person who reads `language`: both codes and the notice.
async fn mails_in(language: &str) -> [Mail; 3] {
    let stack = stacks::open();
    let person = Person::with(stack, json!({"locale": language})).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    Mobile::of(stack).begin(&person.email).await;
    let auth_v1 = mailbox.next().await;
    let begun = web.begin(&person.email).await;
    let directory = mailbox.next().await;
    web.set_both(&begun, &directory.code(), PASSWORD)
        .await
        .data();
    [directory, auth_v1, mailbox.next_notice().await]
}

#[tokio::test]
async fn the_mails_read_well_in_english() {
    let [directory, auth_v1, changed] = mails_in("en").await;
    insta::assert_snapshot!("directory_en", directory.redacted());
    insta::assert_snapshot!("auth_v1_en", auth_v1.redacted());
    insta::assert_snapshot!("changed_en", changed.redacted());
}

#[tokio::test]
async fn the_mails_read_well_in_indonesian() {
    let [directory, auth_v1, changed] = mails_in("id").await;
    insta::assert_snapshot!("directory_id", directory.redacted());
    insta::assert_snapshot!("auth_v1_id", auth_v1.redacted());
    insta::assert_snapshot!("changed_id", changed.redacted());
}

#[tokio::test]
async fn a_mail_has_its_templates_code_and_is_stamped() {
    let before = regain::ambient::now();
    let mails = mails_in("en").await;
    let codes = mails.clone().map(|mail| mail.template);
    assert_eq!(
        codes,
        [
            "directory|session-forgot",
            "auth-v1|forgot-password",
            "password-changed"
        ]
    );
    for mail in mails {
        assert!(mail.sent_at.ends_with('Z'), "{}", mail.sent_at);
        assert!(mail.sent_at >= before.rfc3339(), "{}", mail.sent_at);
        assert!(mail.html.starts_with("<!doctype html>"));
        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(!part.contains("{{") && !part.contains("}}"), "{part}");
        }
    }
}

/// The language that a mail is written in.
fn language(mail: &Mail) -> &'static str {
    let text = mail.text.to_lowercase();
    match (text.contains("password"), text.contains("kata sandi")) {
        (true, false) => "en",
        (false, true) => "id",
        _ => panic!("{}", mail.text),
    }
}

#[tokio::test]
async fn a_mail_is_in_the_language_of_the_user_then_the_caller_then_the_protocol() {
    let cases = [
        (None, None, "en", "id"),
        (None, Some("id"), "id", "id"),
        (None, Some("en-US,en;q=0.9"), "en", "en"),
        (None, Some("xx"), "en", "id"),
        (Some("id"), None, "id", "id"),
        (Some("id-ID"), Some("en"), "id", "id"),
        (Some("en"), Some("id"), "en", "en"),
        (Some("EN_gb"), None, "en", "en"),
        (Some("xx"), Some("id"), "id", "id"),
        (Some("xx"), None, "en", "id"),
        (Some(""), Some("en"), "en", "en"),
    ];
    // Mail takes its time: the cases wait for theirs together.
    let together = LocalSet::new();
    let waiting = cases.map(|(locale, accepted, directory, auth_v1)| {
        together.spawn_local(mails_are_in(
            stacks::open(),
            locale,
            accepted,
            directory,
            auth_v1,
        ))
    });
    together.await;
    for case in waiting {
        case.await.unwrap();
    }
}

#[tokio::test]
async fn the_language_of_each_protocol_can_be_set() {
    let stack = Setup::default()
        .unthrottled()
        .set("DIRECTORY_LANGUAGE", "id")
        .set("AUTH_V1_LANGUAGE", "en")
        .start();
    for (locale, accepted, directory, auth_v1) in [
        (None, None, "id", "en"),
        (None, Some("xx"), "id", "en"),
        (None, Some("id"), "id", "id"),
        (Some("en"), None, "en", "en"),
    ] {
        mails_are_in(&stack, locale, accepted, directory, auth_v1).await;
    }
    let refused = Api::of(&stack).post(FORGOT, json!({})).await;
    assert_eq!(refused.body()["message"], "Email is not valid");
}

/// Checks the languages of every mail of two recoveries.
async fn mails_are_in(
    stack: &Stack,
    locale: Option<&'static str>,
    accepted: Option<&'static str>,
    directory: &'static str,
    auth_v1: &'static str,
) {
    let case = format!("{locale:?} {accepted:?}");
    let person = Person::with(stack, json!({"locale": locale})).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let mut api = Api::of(stack);
    if let Some(language) = accepted {
        api = api.with("accept-language", language);
    }
    let (web, mobile) = (Web(api.clone()), Mobile(api));
    let session = mobile.begin(&person.email).await;
    assert_eq!(language(&mailbox.next().await), auth_v1, "auth/v1, {case}");
    mobile.resend(&session).await.word();
    let mail = mailbox.next().await;
    assert_eq!(language(&mail), auth_v1, "resend-otp, {case}");
    let token = mobile.verify(&session, &mail.code()).await.word();
    mobile.set_password(&token, PASSWORD).await.word();
    assert_eq!(
        language(&mailbox.next_notice().await),
        auth_v1,
        "auth/v1 notice, {case}"
    );
    let begun = web.begin(&person.email).await;
    let mail = mailbox.next().await;
    assert_eq!(language(&mail), directory, "Directory, {case}");
    web.set_both(&begun, &mail.code(), PASSWORD).await.data();
    assert_eq!(
        language(&mailbox.next_notice().await),
        directory,
        "Directory notice, {case}"
    );
}

#[tokio::test]
async fn no_mail_holds_anything_that_the_caller_sent() {
    let stack = stacks::open();
    let person = Person::with(
        stack,
        json!({"phone": "MARKER", "profile": {"name": "MARKER"}}),
    )
    .await;
    let mut mailbox = Mailbox::of(stack, &person);
    let marked = Api::of(stack)
        .with("x-agent", "MARKER <b>")
        .with("user-agent", "MARKER")
        .with("referer", "https://MARKER.example.com")
        .with("origin", "https://MARKER.example.com")
        .with("authorization", "Bearer MARKER")
        .with("x-application-code", "MARKER");
    let typed = person.email.to_uppercase();
    let body = json!({
        "email": typed, "app": "MARKER", "device": "MARKER {{code}}", "name": "MARKER",
        "serviceName": "MARKER", "locale": "MARKER",
    });
    marked.post(RESEND, body.clone()).await.data();
    let first = mailbox.next().await;
    marked.post(FORGOT, body).await.word();
    let second = mailbox.next().await;
    let begun = Web::of(stack).begin(&typed).await;
    let code = mailbox.next_code().await;
    Web(marked)
        .set_both(&begun, &code, "MARKER password of length")
        .await
        .data();
    for mail in [first, second, mailbox.next_notice().await] {
        assert_eq!(
            mail.to, person.email,
            "as the directory spells it, not as it was typed"
        );
        let whole = format!("{mail:?}");
        assert!(!whole.contains("MARKER"), "{whole}");
        assert!(!whole.contains(&typed), "{whole}");
    }
}

#[tokio::test]
async fn the_service_name_and_the_code_length_are_settings() {
    let stack = Setup::default()
        .unthrottled()
        .set("SERVICE_NAME", "R2 & <Co> \"7\"")
        .set("CODE_LENGTH", 10)
        .set("CODE_TTL_SECONDS", 3600)
        .set("SESSION_TTL_SECONDS", 86_400)
        .set("MAIL_FROM", "hello@mail.example.org")
        .start();
    let person = Person::of(&stack).await;
    let (web, mut mailbox) = (Web::of(&stack), Mailbox::of(&stack, &person));
    let begun = web.begin(&person.email).await;
    let mail = mailbox.next().await;
    assert_eq!(mail.code().len(), 10);
    assert_eq!(mail.from, "hello@mail.example.org");
    assert_eq!(mail.subject, "Your R2 & <Co> \"7\" password reset code");
    assert!(
        mail.text.contains("your R2 & <Co> \"7\" account"),
        "{}",
        mail.text
    );
    let lifetimes = ["valid for 60 minutes", "valid for 59 minutes"];
    assert!(
        lifetimes.iter().any(|it| mail.text.contains(it)),
        "{}",
        mail.text
    );
    assert!(!mail.html.contains("<Co>"), "{}", mail.html);
    assert!(mail.html.contains("R2 &amp; &lt;Co&gt;"), "{}", mail.html);
    web.set_both(&begun, &mail.code(), "r2&<CO>\"7\"")
        .await
        .refused("DI_USP_PINV");
    let user = web.set_both(&begun, &mail.code(), PASSWORD).await.data();
    assert_eq!(user["email"], person.email.as_str());
    assert!(!mailbox.next_notice().await.html.contains("<Co>"));
}

#[tokio::test]
async fn the_sender_and_the_look_of_mails_are_settings() {
    let stack = Setup::default()
        .unthrottled()
        .set("MAIL_FROM_NAME", "Your \"Shop\"")
        .set("MAIL_REPLY_TO", "help@shop.example")
        .set("SERVICE_KIND", "website")
        .set("BRAND_COLOR", "#aa33cc")
        .set("LOGO_URL", "https://shop.example/logo.png")
        .set("PRODUCT_URL", "https://shop.example")
        .set("SUPPORT_CONTACT", "help@shop.example")
        .set("RECOVERY_PAGE_URL", "none")
        .start();
    let person = Person::with(&stack, json!({"locale": "de-AT"})).await;
    let (web, mut mailbox) = (Web::of(&stack), Mailbox::of(&stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next().await;
    assert_eq!(code.from, "\"Your \\\"Shop\\\"\" <no-reply@example.com>");
    assert!(code.html.contains("border-top: 4px solid #aa33cc"));
    assert!(code.html.contains("src=\"https://shop.example/logo.png\""));
    assert!(code.html.contains("href=\"https://shop.example\""));
    let last = "Diese E-Mail wurde automatisch versendet.\n\nRegain\nhttps://shop.example";
    assert!(code.text.trim_end().ends_with(last), "{}", code.text);
    web.set_both(&begun, &code.code(), PASSWORD).await.data();
    let notice = mailbox.next_notice().await;
    let reset = "Öffnen Sie die Website von Regain und wählen Sie „Passwort vergessen“.";
    assert!(notice.text.contains(reset), "{}", notice.text);
    assert!(
        notice
            .text
            .contains("Support von Regain: help@shop.example")
    );
    assert!(notice.html.contains("href=\"mailto:help@shop.example\""));
}

#[tokio::test]
async fn the_mailbox_shows_all_mail_newest_first_or_that_of_one_address() {
    let stack = Setup::default().unthrottled().start();
    let api = Api::of(&stack);
    let (first, second) = (Person::of(&stack).await, Person::of(&stack).await);
    let mobile = Mobile::of(&stack);
    for person in [&first, &second, &first] {
        let before = Mailbox::of(&stack, person).all().await.len();
        mobile.begin(&person.email).await;
        testkit::eventually("the mail arrives", async || {
            (Mailbox::of(&stack, person).all().await.len() > before).then_some(())
        })
        .await;
    }
    let list = async |query: &str| {
        let path = format!("/_mail.json{query}");
        let answer = api.raw(reqwest::Method::GET, &path, "", "").await;
        let mails: Vec<Mail> = serde_json::from_str(&answer.text).unwrap();
        mails.into_iter().map(|mail| mail.to).collect::<Vec<_>>()
    };
    let all = [
        first.email.clone(),
        second.email.clone(),
        first.email.clone(),
    ];
    assert_eq!(list("").await, all);
    assert_eq!(list("?to=").await, all);
    assert_eq!(
        list(&format!("?to={}", second.email.to_uppercase())).await,
        std::slice::from_ref(&second.email)
    );
    assert_eq!(
        list(&format!("?to={}", new_address())).await,
        [] as [String; 0]
    );
    let page = api.raw(reqwest::Method::GET, "/_mail", "", "").await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        !page.text.contains("http://") && !page.text.contains("https://"),
        "no network"
    );
}
