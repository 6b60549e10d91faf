//! Codes and sessions that expire, on stacks where they do so soon.

use crate::stacks;
use testkit::client::{Mobile, Web};
use testkit::eventually;
use testkit::mailbox::{Mail, Mailbox};
use testkit::people::{Person, new_address};
use testkit::table::Table;

const PASSWORD: &str = "seven green lanterns";

/// A mail may come too late on a busy machine, and is then not sent at all.
async fn mailed(mailbox: &Mailbox, before: usize) -> Option<Mail> {
    for _ in 0..40 {
        let all = mailbox.all().await;
        if all.len() > before {
            return all.first().cloned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    None
}

#[tokio::test]
async fn an_expired_code_costs_no_guess_and_another_one_can_be_asked_for() {
    let stack = stacks::brief_codes();
    let person = Person::of(stack).await;
    let (mobile, mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    Table::of(stack).code_expires(&session).await;
    mobile.verify(&session, "").await.refused("otp_invalid");
    // More than the session has guesses.
    for _ in 0..25 {
        mobile
            .verify(&session, "314159")
            .await
            .refused("otp_expired");
    }
    let token = eventually("a code arrives and is used in its second", async || {
        let before = mailbox.all().await.len();
        assert_eq!(mobile.resend(&session).await.word(), session);
        let code = mailed(&mailbox, before).await?.code();
        let answer = mobile.verify(&session, &code).await;
        (answer.status == 200).then(|| answer.word())
    })
    .await;
    assert_eq!(
        mobile.set_password(&token, PASSWORD).await.word(),
        person.id
    );
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn an_expired_code_ends_a_directory_session() {
    let stack = stacks::brief_codes();
    let web = Web::of(stack);
    let person = Person::of(stack).await;
    for address in [person.email.clone(), new_address()] {
        let begun = web.begin(&address).await;
        Table::of(stack).code_expires(&begun.session).await;
        web.verify(&begun, "").await.refused("DI_UVO_OINV");
        for _ in 0..25 {
            web.verify(&begun, "314159").await.refused("DI_USC_SE");
        }
        web.set_both(&begun, "314159", PASSWORD)
            .await
            .refused("DI_USC_SE");
    }
}

#[tokio::test]
async fn an_expired_session_is_over_for_every_call() {
    let stack = stacks::brief_sessions();
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let begun = web.begin(&new_address()).await;
    let session = mobile.begin(&new_address()).await;
    eventually("the sessions expire", async || {
        let answers = (
            web.verify(&begun, "").await,
            mobile.verify(&session, "").await,
        );
        (answers.0.status == 410 && answers.1.status == 410).then_some(())
    })
    .await;
    web.verify(&begun, "314159").await.refused("DI_USC_SE");
    web.set_password(&begun, PASSWORD)
        .await
        .refused("DI_USC_SE");
    web.set_both(&begun, "314159", PASSWORD)
        .await
        .refused("DI_USC_SE");
    mobile
        .verify(&session, "314159")
        .await
        .refused("session_expired");
    mobile.resend(&session).await.refused("session_expired");
}

#[tokio::test]
async fn a_proof_ends_with_its_session() {
    let stack = stacks::brief_sessions();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mailbox = Mailbox::of(stack, &person);
    let begun = eventually("a code is proven in time", async || {
        let before = mailbox.all().await.len();
        let begun = web.begin(&person.email).await;
        let code = mailed(&mailbox, before).await?.code();
        (web.verify(&begun, &code).await.status == 200).then_some(begun)
    })
    .await;
    eventually("the session expires", async || {
        // A refused password moves nothing, and tells when the session is over.
        let answer = web.set_password(&begun, &person.email).await;
        match answer.error().as_str() {
            "DI_USC_SE" => Some(()),
            "DI_USP_PINV" => None,
            _ => panic!("{answer:?}"),
        }
    })
    .await;
    web.set_password(&begun, PASSWORD)
        .await
        .refused("DI_USC_SE");

    let token = eventually("a code is proven in time", async || {
        let before = mailbox.all().await.len();
        let session = mobile.begin(&person.email).await;
        let code = mailed(&mailbox, before).await?.code();
        let answer = mobile.verify(&session, &code).await;
        (answer.status == 200).then(|| answer.word())
    })
    .await;
    eventually("the token expires", async || {
        let answer = mobile.set_password(&token, &person.email).await;
        (answer.error() == "session_expired").then_some(())
    })
    .await;
    mobile
        .set_password(&token, PASSWORD)
        .await
        .refused("session_expired");
    assert!(!person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn a_code_ends_no_later_than_its_session() {
    let stack = stacks::brief_sessions();
    let session = Mobile::of(stack).begin(&new_address()).await;
    let reference = regain::ids::SessionId::parse(&session).unwrap().reference();
    let item = Table::of(stack)
        .get(&format!("SESSION#{}", reference.hex()))
        .await
        .unwrap();
    assert_eq!(item["codeExpiresAt"], item["sessionExpiresAt"]);
    let number = |name: &str| item[name].as_n().unwrap().parse::<i64>().unwrap();
    assert_eq!(number("sessionExpiresAt") - number("startedAt"), 2000);
    assert_eq!(
        number("expiresAt"),
        (number("sessionExpiresAt") + 999) / 1000,
        "rounded up"
    );
}
