//! The fields of the request endpoints, and the values that they may have.

use serde_json::json;

use crate::stacks;
use testkit::client::{Api, FORGOT, Mobile, RESEND, Web};
use testkit::mailbox::Mailbox;
use testkit::people::{Person, new_address};

#[tokio::test]
async fn text_that_is_not_an_address_is_refused() {
    let api = Api::of(stacks::open());
    let (long, label) = ("x".repeat(65), "d".repeat(64));
    for email in [
        "",
        " ",
        "@",
        "a",
        "a@",
        "@example.com",
        "a@b",
        "a@@example.com",
        "a@b@example.com",
        "a b@example.com",
        "a\u{a0}b@example.com",
        "a\u{0}@example.com",
        "a\r\nBcc: thief@example.com",
        "a\u{7}@example.com",
        "a@exa mple.com",
        "a@.example.com",
        "a@example..com",
        "a@-example.com",
        &format!("{long}@example.com"),
        &format!("a@{label}.com"),
        &format!("a@{}com", "d.".repeat(126)),
    ] {
        for path in [RESEND, FORGOT] {
            api.post(path, json!({"email": email}))
                .await
                .malformed("email");
        }
    }
}

#[tokio::test]
async fn one_person_has_one_address_however_it_is_typed() {
    let stack = stacks::open();
    let number = new_address()
        .replace("person-", "")
        .replace("@example.com", "");
    let email = format!("Jose.{number}@B\u{fc}cher.example");
    let person = Person::with(stack, json!({"email": email})).await;
    let mut mailbox = Mailbox::of(stack, &person);
    for typed in [
        format!("jose.{number}@b\u{fc}cher.example"),
        format!(" JOSE.{number}@xn--bcher-kva.EXAMPLE\t"),
        format!("\u{200b}Jose.{number}@BU\u{308}CHER.example"),
    ] {
        Mobile::of(stack).begin(&typed).await;
        let mail = mailbox.next().await;
        let expected = format!("Jose.{number}@xn--bcher-kva.example");
        assert_eq!(
            mail.to, expected,
            "as the directory spells it, the domain in ASCII"
        );
        assert_eq!(Web::of(stack).begin(&typed).await.id, person.id);
        mailbox.next().await;
    }
}

#[tokio::test]
async fn other_purposes_templates_and_long_origins_are_refused() {
    let api = Api::of(stacks::open());
    for (field, value) in [
        ("purpose", "login"),
        ("purpose", ""),
        ("purpose", "Forgot-Password"),
        ("templateCode", ""),
        ("templateCode", "password-changed"),
        ("templateCode", "directory-session-forgot"),
        ("templateCode", "directory|session-forgot|"),
        ("templateCode", "{{code}}"),
        ("app", &"a".repeat(65)),
        ("device", &"\u{1f4f1}".repeat(257)),
    ] {
        api.post(RESEND, json!({"email": new_address(), field: value}))
            .await
            .malformed(field);
    }
}

#[tokio::test]
async fn the_last_of_two_equal_json_keys_counts() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let api = Api::of(stack);
    let body = format!(
        r#"{{"email": 7, "email": null, "email": "{}"}}"#,
        person.email
    );
    api.post_bytes(FORGOT, body).await.word();
    Mailbox::of(stack, &person).next().await;
    let body = format!(r#"{{"email": "{}", "email": 7}}"#, person.email);
    api.post_bytes(FORGOT, body).await.malformed("email");
    let body = r#"{"e\u006dail": "a@example.com", "email": []}"#;
    api.post_bytes(FORGOT, body).await.malformed("email");
}
