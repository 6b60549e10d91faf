//! A person who did not change the password blocks the account by the link of the notice.

use reqwest::Method;
use serde_json::json;

use crate::stacks;
use testkit::client::{Mobile, Web};
use testkit::mailbox::Mailbox;
use testkit::people::Person;

const NOT_ME: &str = "/recover/not-me";
const PASSWORD: &str = "brass kettle on the moon";

#[tokio::test]
async fn the_link_of_a_notice_blocks_the_account_and_a_second_use_changes_nothing() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (
        Web::of(stack),
        Mobile::of(stack).0.with("accept-language", "en"),
    );
    let mut mailbox = Mailbox::of(stack, &person);
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    web.set_both(&begun, &code, PASSWORD).await.data();
    let notice = mailbox.next_notice().await;
    let (_, rest) = notice.text.split_once("/recover#n=").unwrap();
    let token: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
    assert_eq!(token.len(), 130, "{}", notice.text);
    assert!(notice.html.contains(&token));

    // A scanner of links fetches the page, which does not see the fragment, and the path with GET.
    assert_eq!(
        mobile
            .send(Method::GET, NOT_ME, "application/json", "")
            .await
            .status,
        405
    );
    let asked = web.begin(&person.email).await;
    let before = mailbox.next_code().await;
    for _ in 0..2 {
        let answer = mobile.post(NOT_ME, json!({ "token": token })).await;
        assert_eq!(answer.data(), "blocked");
        assert_eq!(
            answer.body()["message"],
            "The account is blocked now. Please contact support."
        );
    }
    web.set_both(&asked, &before, PASSWORD)
        .await
        .refused("DI_UVO_UBKD");
}

#[tokio::test]
async fn a_token_that_is_not_of_a_notice_blocks_nobody() {
    let stack = stacks::open();
    let http = Mobile::of(stack).0;
    for token in [
        String::new(),
        "x".repeat(130),
        "a".repeat(129),
        "a".repeat(131),
        "a".repeat(130),
        "a".repeat(96),
        "A".repeat(130),
        " ".to_owned(),
    ] {
        http.post(NOT_ME, json!({ "token": token }))
            .await
            .refused("token_invalid");
    }
    for malformed in [
        json!({}),
        json!({"token": null}),
        json!({"token": 7}),
        json!({"token": ["a"]}),
    ] {
        http.post(NOT_ME, malformed).await.malformed("token");
    }
}
