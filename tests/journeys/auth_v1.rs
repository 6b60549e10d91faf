//! The auth/v1 API, as its mobile client uses it.

use serde_json::json;

use crate::stacks;
use testkit::client::{FORGOT, Mobile, RESEND_OTP, RESET, VERIFY};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::{Person, new_address};
use testkit::table::{Table, text};

const PASSWORD: &str = "seven green lanterns";

#[tokio::test]
async fn the_mobile_client_recovers_an_account() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let mail = mailbox.next().await;
    assert_eq!(mail.template, "auth-v1|forgot-password");
    let token = mobile.verify(&session, &mail.code()).await.word();
    assert_ne!(token, session, "the reset token is another secret");
    assert!(token.len() >= 32, "at least 128 bits in text");
    let id = mobile.set_password(&token, PASSWORD).await.word();
    assert_eq!(id, person.id);
    assert!(person.has_password(stack, PASSWORD).await);
    mailbox.next_notice().await;
    mobile
        .set_password(&token, "eight green lanterns")
        .await
        .refused("session_expired");
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn the_reset_token_goes_by_either_name_or_both() {
    let stack = stacks::open();
    let mobile = Mobile::of(stack);
    for names in [&["token"][..], &["session_id"], &["token", "session_id"]] {
        let person = Person::of(stack).await;
        let session = mobile.begin(&person.email).await;
        let code = Mailbox::of(stack, &person).next_code().await;
        let token = mobile.verify(&session, &code).await.word();
        let mut body = json!({"password": PASSWORD});
        for name in names {
            body[*name] = json!(token);
        }
        assert_eq!(mobile.0.post(RESET, body).await.word(), person.id);
    }
}

#[tokio::test]
async fn a_reset_token_valid_or_not_is_accepted_in_place_of_its_sessions_id() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let first = mobile.verify(&session, &code).await.word();
    mobile.verify(&first, &code).await.refused("otp_invalid");
    assert_eq!(mobile.resend(&first).await.word(), session, "a live one");
    let code = mailbox.next_code().await;
    mobile
        .verify(&first, &wrong(&code))
        .await
        .refused("otp_invalid");
    assert_eq!(mobile.resend(&first).await.word(), session, "a dead one");
    let second = mobile
        .verify(&first, &mailbox.next_code().await)
        .await
        .word();
    mobile
        .set_password(&first, PASSWORD)
        .await
        .refused("token_invalid");
    assert_eq!(
        mobile.set_password(&second, PASSWORD).await.word(),
        person.id
    );
    for id in [&session, &first, &second] {
        mobile.resend(id).await.refused("session_expired");
        mobile.verify(id, &code).await.refused("session_expired");
    }
}

#[tokio::test]
async fn two_different_reset_tokens_or_none_are_malformed() {
    let stack = stacks::open();
    let mobile = Mobile::of(stack);
    for body in [
        json!({"password": PASSWORD}),
        json!({"password": PASSWORD, "token": null, "session_id": null}),
        json!({"password": PASSWORD, "token": "one of them", "session_id": "the other one"}),
    ] {
        let answer = mobile.0.post(RESET, body).await;
        answer.refused("invalid_request");
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn a_code_may_be_a_number() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let number: u64 = mailbox.next_code().await.parse().unwrap();
    mobile
        .0
        .post(VERIFY, json!({"session_id": session, "otp": number}))
        .await
        .word();
}

#[tokio::test]
async fn another_code_for_the_same_session_voids_the_previous_one() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let first = mailbox.next_code().await;
    assert_eq!(mobile.resend(&session).await.word(), session);
    let second = mailbox.next_code().await;
    if first != second {
        mobile.verify(&session, &first).await.refused("otp_invalid");
    }
    let token = mobile.verify(&session, &second).await.word();
    mobile.set_password(&token, PASSWORD).await.word();
}

#[tokio::test]
async fn a_resend_does_not_give_guesses_back() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    for _ in 0..3 {
        mobile
            .verify(&session, &wrong(&code))
            .await
            .refused("otp_invalid");
    }
    mobile.resend(&session).await.word();
    let code = mailbox.next_code().await;
    for _ in 0..2 {
        mobile
            .verify(&session, &wrong(&code))
            .await
            .refused("otp_invalid");
    }
    mobile
        .verify(&session, &code)
        .await
        .refused("attempts_exceeded");
    mobile.resend(&session).await.refused("attempts_exceeded");
}

#[tokio::test]
async fn a_caller_who_lost_the_answer_of_verify_otp_goes_on_with_another_code() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    let lost = mobile.verify(&session, &code).await.word();
    mobile.verify(&session, &code).await.refused("otp_invalid");
    assert_eq!(mobile.resend(&session).await.word(), session);
    mobile
        .set_password(&lost, PASSWORD)
        .await
        .refused("token_invalid");
    let token = mobile
        .verify(&session, &mailbox.next_code().await)
        .await
        .word();
    assert_ne!(token, lost);
    mobile
        .set_password(&lost, PASSWORD)
        .await
        .refused("token_invalid");
    mobile.set_password(&token, PASSWORD).await.word();
    mobile.resend(&session).await.refused("session_expired");
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn malformed_and_used_codes_cost_no_guess() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    for otp in [
        json!(""),
        json!("12345"),
        json!("1234567"),
        json!("12e456"),
        json!(-5),
    ] {
        let body = json!({"session_id": session, "otp": otp});
        mobile.0.post(VERIFY, body).await.refused("otp_invalid");
    }
    mobile.verify(&session, &code).await.word();
    for _ in 0..7 {
        mobile.verify(&session, &code).await.refused("otp_invalid");
    }
    assert_eq!(
        mobile.resend(&session).await.word(),
        session,
        "no guess was spent"
    );
}

#[tokio::test]
async fn an_unknown_address_is_answered_like_a_known_one() {
    let stack = stacks::open();
    let mobile = Mobile::of(stack);
    let person = Person::of(stack).await;
    let (known, unknown) = (
        mobile.forgot(&person.email).await,
        mobile.forgot(&new_address()).await,
    );
    assert_eq!(known.body()["message"], unknown.body()["message"]);
    let names = |headers: &reqwest::header::HeaderMap| {
        let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&known.headers), names(&unknown.headers));
    let session = unknown.word();
    assert_eq!(session.len(), known.word().len());
    for _ in 0..5 {
        mobile
            .verify(&session, "271828")
            .await
            .refused("otp_invalid");
    }
    mobile
        .verify(&session, "271828")
        .await
        .refused("attempts_exceeded");
}

#[tokio::test]
async fn the_device_is_kept_on_the_session_and_cut_at_256_bytes() {
    let stack = stacks::open();
    let table = Table::of(stack);
    let mobile = Mobile::of(stack);
    for (agent, kept) in [
        (Some("Pixel 8".to_owned()), Some("Pixel 8".to_owned())),
        (Some("x".repeat(300)), Some("x".repeat(256))),
        (Some(String::new()), None),
        (None, None),
    ] {
        let mut api = testkit::client::Api::of(stack);
        if let Some(agent) = &agent {
            api = api.with("x-agent", agent);
        }
        let session = api
            .post(FORGOT, json!({"email": new_address()}))
            .await
            .word();
        let reference = regain::ids::SessionId::parse(&session).unwrap().reference();
        let item = table
            .get(&format!("SESSION#{}", reference.hex()))
            .await
            .unwrap();
        let device = item
            .contains_key("device")
            .then(|| text(&item, "device").to_owned());
        assert_eq!(device, kept, "{agent:?}");
    }
    // A resend-otp needs nothing but the session.
    let session = mobile.begin(&new_address()).await;
    let answer = mobile
        .0
        .post(RESEND_OTP, json!({"session_id": session}))
        .await;
    assert_eq!(answer.word(), session);
}
