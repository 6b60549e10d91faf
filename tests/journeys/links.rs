//! The links of mails, which set a password without a code.

use serde_json::json;

use crate::stacks;
use crate::throttles::{DAY, within};
use testkit::client::{Api, Mobile, RESET, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::Person;

const PASSWORD: &str = "brass kettle on the moon";

#[tokio::test]
async fn a_mails_link_sets_the_password_once_for_a_session_of_either_api() {
    let stack = stacks::open();
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    for directory in [true, false] {
        let person = Person::of(stack).await;
        let mut mailbox = Mailbox::of(stack, &person);
        if directory {
            web.begin(&person.email).await;
        } else {
            mobile.begin(&person.email).await;
        }
        let token = mailbox.next().await.link_token();
        let body = json!({"token": token, "password": PASSWORD});
        assert_eq!(mobile.0.post(RESET, body).await.word(), person.id);
        assert!(person.has_password(stack, PASSWORD).await);
        mailbox.next_notice().await;
        // The other name of the field carries it as well.
        mobile
            .set_password(&token, "another brass kettle")
            .await
            .refused("session_expired");
    }
}

#[tokio::test]
async fn whoever_spends_the_guesses_mails_the_owner_a_way_in() {
    let stack = stacks::reserve();
    within(DAY, async || {
        let person = Person::of(stack).await;
        let mut mailbox = Mailbox::of(stack, &person);
        let stranger = Mobile(Api::from(stack, [127, 0, 11, 1]));
        let mut tokens = Vec::new();
        let mut refused = 0;
        for _ in 0..2 {
            let session = stranger.begin(&person.email).await;
            let mail = mailbox.next().await;
            tokens.push(mail.link_token());
            for _ in 0..5 {
                let guess = stranger.verify(&session, &wrong(&mail.code())).await;
                refused += usize::from(guess.error() == "attempts_exceeded");
            }
        }
        assert!(refused > 0, "six guesses are all");
        // The owner is on a network that nobody knows, and asked for nothing.
        let owner = Mobile(Api::from(stack, [127, 0, 11, 2]));
        let token = tokens.pop().unwrap();
        owner.set_password(&token, PASSWORD).await.word();
        assert!(person.has_password(stack, PASSWORD).await);
        // The password voids the link that was asked for before it.
        let other = tokens.pop().unwrap();
        owner
            .set_password(&other, "another brass kettle")
            .await
            .refused("session_expired");
    })
    .await;
}

#[tokio::test]
async fn a_link_is_killed_by_another_code_and_garbage_is_no_token() {
    let stack = stacks::open();
    let mobile = Mobile::of(stack);
    let person = Person::of(stack).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let session = mobile.begin(&person.email).await;
    let first = mailbox.next().await.link_token();
    mobile.resend(&session).await.word();
    let second = mailbox.next().await.link_token();
    for token in [
        first.as_str(),
        &second[1..],
        &second.to_uppercase(),
        &format!("{}{}", &second[..64], &first[64..]),
        &format!("{second}a"),
        &"a".repeat(96),
    ] {
        mobile
            .set_password(token, PASSWORD)
            .await
            .refused("token_invalid");
    }
    mobile
        .set_password(&second, "short")
        .await
        .refused("password_rejected");
    mobile.set_password(&second, PASSWORD).await.word();
}
