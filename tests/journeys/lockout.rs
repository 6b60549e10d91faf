//! No lockout: whatever strangers from other networks do to an address, its owner can recover from a network that has
//! proven the address before.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::stacks;
use crate::throttles::{DAY, within};
use testkit::client::{Api, Mobile, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::Person;
use testkit::stack::Stack;

const HOME: [u8; 4] = [127, 0, 9, 1];
const PASSWORD: &str = "brass kettle on the moon";

/// Strangers, each on a network of their own.
fn strangers(stack: &Stack) -> Vec<Mobile> {
    (1..=24)
        .map(|host| Mobile(Api::from(stack, [127, 0, 10, host])))
        .collect()
}

/// Somebody who has recovered the account once, at home.
async fn owner(stack: &Stack) -> (Person, Mailbox, Mobile) {
    let person = Person::of(stack).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let home = Mobile(Api::from(stack, HOME));
    let session = home.begin(&person.email).await;
    let token = home
        .verify(&session, &mailbox.next_code().await)
        .await
        .word();
    home.set_password(&token, "an older brass kettle")
        .await
        .word();
    mailbox.next_notice().await;
    (person, mailbox, home)
}

#[tokio::test]
async fn strangers_who_keep_asking_for_codes_do_not_end_the_owners_session() {
    let stack = stacks::open();
    let (person, mut mailbox, home) = owner(stack).await;
    let session = home.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let over = AtomicBool::new(false);
    let storm = async {
        let strangers = strangers(stack);
        let web = Web(Api::from(stack, [127, 0, 10, 99]));
        let mut asked = 0;
        while !over.load(Ordering::Relaxed) {
            strangers[asked % strangers.len()]
                .begin(&person.email)
                .await;
            web.begin(&person.email).await;
            asked += 1;
        }
        asked
    };
    let owner = async {
        home.verify(&session, "314159").await.refused("otp_invalid");
        let token = home.verify(&session, &code).await.word();
        home.set_password(&token, PASSWORD).await.word();
        over.store(true, Ordering::Relaxed);
    };
    let (asked, ()) = tokio::join!(storm, owner);
    assert!(asked > 0);
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn strangers_who_spend_the_codes_leave_some_to_the_owner() {
    let stack = stacks::reserve();
    within(DAY, async || {
        let (person, mut mailbox, home) = owner(stack).await;
        let mut accepted = 0;
        for stranger in strangers(stack) {
            let asked = stranger.forgot(&person.email).await;
            if asked.status == 200 {
                accepted += 1;
                mailbox.next_code().await;
            } else {
                asked.refused("too_many_requests");
            }
        }
        assert_eq!(accepted, 5, "six of nine, one of which was the owner's");
        let session = home.begin(&person.email).await;
        mailbox.next_code().await;
        // Another code for the same session is kept for the owner as well.
        assert_eq!(home.resend(&session).await.word(), session);
        let code = mailbox.next_code().await;
        let token = home.verify(&session, &code).await.word();
        home.set_password(&token, PASSWORD).await.word();
        assert!(person.has_password(stack, PASSWORD).await);
        let stranger = &strangers(stack)[0];
        stranger
            .forgot(&person.email)
            .await
            .refused("too_many_requests");
    })
    .await;
}

#[tokio::test]
async fn strangers_who_spend_the_guesses_leave_some_to_the_owner() {
    let stack = stacks::reserve();
    within(DAY, async || {
        let (person, mut mailbox, home) = owner(stack).await;
        let session = home.begin(&person.email).await;
        let code = mailbox.next_code().await;
        let mut judged = 0;
        for (number, stranger) in strangers(stack).iter().take(3).enumerate() {
            let theirs = stranger.begin(&person.email).await;
            let wrong = wrong(&mailbox.next_code().await);
            for _ in 0..=number {
                let guess = stranger.verify(&theirs, &wrong).await;
                assert_eq!(guess.error(), "otp_invalid");
                judged += 1;
            }
        }
        assert_eq!(judged, 6, "two thirds of nine");
        let stranger = &strangers(stack)[5];
        let theirs = stranger.begin(&person.email).await;
        let theirs_code = mailbox.next_code().await;
        let spent = stranger.verify(&theirs, &theirs_code).await;
        assert!(spent.refused("attempts_exceeded").retry_after() > 0);
        // At home the owner may even mistype.
        home.verify(&session, &wrong(&code))
            .await
            .refused("otp_invalid");
        let token = home.verify(&session, &code).await.word();
        home.set_password(&token, PASSWORD).await.word();
        assert!(person.has_password(stack, PASSWORD).await);
    })
    .await;
}
