//! The throttles: each answers when to come back, and a refused request moves nothing.

use std::time::Duration;

use regain::ids::UserIdFormat;
use regain::timestamp::Timestamp;
use serde_json::json;

use crate::stacks;
use testkit::client::{Api, FORGOT, Mobile, RESEND, RESEND_OTP, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::{Person, new_address};

const PASSWORD: &str = "brass kettle on the moon";
const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Runs a test within one UTC hour or day. It begins when at least a minute is left, and runs again if the hour or
/// day ended nevertheless.
pub(crate) async fn within<T>(period: i64, mut test: impl AsyncFnMut() -> T) -> T {
    loop {
        let left = period - regain::ambient::now().millis() % period;
        if left < 60_000 {
            tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap())).await;
        }
        let before = regain::ambient::now().millis() / period;
        let found = test().await;
        if regain::ambient::now().millis() / period == before {
            return found;
        }
    }
}

/// Whole seconds from `at` to the end of the clock's hour or day.
fn rest(period: i64, at: Timestamp) -> u64 {
    u64::try_from((period - at.millis() % period + 999) / 1000).unwrap()
}

/// Whether a wait is the one to the end of the period, on a machine that may have been busy.
fn ends_with(period: i64, retry_after: u64) -> bool {
    let now = rest(period, regain::ambient::now());
    (now..=now + 30).contains(&retry_after)
}

#[tokio::test]
async fn a_second_code_within_the_cooldown_is_refused_for_known_and_unknown_alike() {
    let stack = stacks::defaults();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    for address in [person.email.clone(), new_address()] {
        let begun = web.begin(&address).await;
        for _ in 0..2 {
            let refused = web.resend(&address).await;
            let seconds = refused.refused("DI_USR_LIM").retry_after();
            assert!((30..=60).contains(&seconds), "{seconds}");
            let refused = mobile.forgot(&address.to_uppercase()).await;
            let seconds = refused.refused("too_many_requests").retry_after();
            assert!((30..=60).contains(&seconds), "{seconds}");
        }
        // A refused call changes nothing: the session awaits its code still.
        web.verify(&begun, "").await.refused("DI_UVO_OINV");
    }
    let begun = web.begin(&new_address()).await;
    web.set_password(&begun, PASSWORD)
        .await
        .refused("DI_UVO_OINV");
}

#[tokio::test]
async fn a_refused_request_leaves_the_session_and_its_code_alone() {
    let stack = stacks::defaults();
    let person = Person::of(stack).await;
    let (mobile, mut mailbox) = (Mobile::of(stack), Mailbox::of(stack, &person));
    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    mobile
        .forgot(&person.email)
        .await
        .refused("too_many_requests");
    mobile.resend(&session).await.refused("too_many_requests");
    Web::of(stack)
        .resend(&person.email)
        .await
        .refused("DI_USR_LIM");
    let token = mobile.verify(&session, &code).await.word();
    mobile.resend(&session).await.refused("too_many_requests");
    assert_eq!(
        mobile.set_password(&token, PASSWORD).await.word(),
        person.id
    );
}

#[tokio::test]
async fn the_hourly_limit_of_an_address_counts_both_protocols() {
    let stack = stacks::hourly();
    within(HOUR, async || {
        let address = new_address();
        let mobile = Mobile(Api::from(stack, [127, 0, 1, 1]));
        let web = Web(Api::from(stack, [127, 0, 1, 2]));
        let session = mobile.begin(&address).await;
        assert_eq!(mobile.resend(&session).await.word(), session);
        web.begin(&address).await;
        for _ in 0..3 {
            let refused = mobile.forgot(&address).await;
            let seconds = refused.refused("too_many_requests").retry_after();
            assert!(ends_with(HOUR, seconds), "{seconds}");
            assert!(ends_with(
                HOUR,
                web.resend(&address)
                    .await
                    .refused("DI_USR_LIM")
                    .retry_after()
            ));
        }
        web.begin(&new_address()).await;
    })
    .await;
}

#[tokio::test]
async fn an_address_has_a_daily_limit_of_codes() {
    let stack = stacks::uuids();
    within(DAY, async || {
        let address = new_address();
        let (web, mobile) = (Web::of(stack), Mobile::of(stack));
        for _ in 0..4 {
            web.begin(&address).await;
            mobile.begin(&address).await;
        }
        let refused = web.resend(&address).await;
        assert!(
            ends_with(DAY, refused.refused("DI_USR_LIM").retry_after()),
            "{refused:?}"
        );
        let refused = mobile.forgot(&address).await;
        assert!(ends_with(
            DAY,
            refused.refused("too_many_requests").retry_after()
        ));
    })
    .await;
}

#[tokio::test]
async fn the_hourly_limit_of_a_caller_counts_every_address() {
    let stack = stacks::hourly();
    let mut caller = 0;
    within(HOUR, async || {
        caller += 1;
        let api = Api::from(stack, [127, 0, 2, caller]).with("x-forwarded-for", "192.0.2.1");
        let (web, mobile) = (Web(api.clone()), Mobile(api.clone()));
        let session = mobile.begin(&new_address()).await;
        for _ in 0..3 {
            web.begin(&new_address()).await;
            mobile.begin(&new_address()).await;
        }
        // Refused requests do not count, and neither do guesses.
        api.post(RESEND, json!({"email": "no address"}))
            .await
            .malformed("email");
        api.post(RESEND_OTP, json!({}))
            .await
            .malformed("session_id");
        mobile
            .verify(&session, "314159")
            .await
            .refused("otp_invalid");
        mobile.resend(&session).await.word();
        let refused = [
            (mobile.forgot(&new_address()).await, "too_many_requests"),
            (mobile.resend(&session).await, "too_many_requests"),
            (web.resend(&new_address()).await, "DI_USR_LIM"),
        ];
        for (answer, code) in refused {
            assert!(
                ends_with(HOUR, answer.refused(code).retry_after()),
                "{answer:?}"
            );
        }
        // Guesses still work, another caller is not throttled, and no header makes another caller.
        mobile
            .verify(&session, "314159")
            .await
            .refused("otp_invalid");
        Mobile(Api::from(stack, [127, 0, 3, caller]))
            .begin(&new_address())
            .await;
        for name in [
            "x-forwarded-for",
            "x-real-ip",
            "forwarded",
            "cf-connecting-ip",
            "x-client-ip",
        ] {
            let forged = api.clone().with(name, "198.51.100.7");
            let answer = forged.post(FORGOT, json!({"email": new_address()})).await;
            answer.refused("too_many_requests");
        }
    })
    .await;
}

#[tokio::test]
async fn zero_turns_every_throttle_off() {
    let stack = stacks::open();
    let address = new_address();
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    for _ in 0..15 {
        web.begin(&address).await;
        let session = mobile.begin(&address).await;
        mobile.resend(&session).await.word();
    }
}

#[tokio::test]
async fn the_daily_guess_budget_of_an_address_counts_all_its_sessions() {
    let stack = stacks::uuids();
    within(DAY, async || {
        let person = Person::in_form(stack, json!({}), UserIdFormat::Uuid).await;
        let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
        let mobile = Mobile::of(stack);
        // Three wrong guesses a session, seven a day.
        for _ in 0..2 {
            let begun = web.begin(&person.email).await;
            let code = mailbox.next_code().await;
            for _ in 0..3 {
                web.verify(&begun, &wrong(&code))
                    .await
                    .refused("DI_UVO_OINV");
            }
            let spent = web.verify(&begun, &code).await;
            assert_eq!(
                spent.refused("DI_USC_SAE").header("retry-after"),
                None,
                "no use waiting"
            );
        }
        let session = mobile.begin(&person.email).await;
        let code = mailbox.next_code().await;
        mobile
            .verify(&session, &wrong(&code))
            .await
            .refused("otp_invalid");
        let spent = mobile.verify(&session, &code).await;
        assert!(
            ends_with(DAY, spent.refused("attempts_exceeded").retry_after()),
            "{spent:?}"
        );
        // Codes are still answered and mailed, for all the good they do today.
        let begun = web.begin(&person.email).await;
        let code = mailbox.next_code().await;
        let spent = web.verify(&begun, &code).await;
        assert!(
            ends_with(DAY, spent.refused("DI_USC_SAE").retry_after()),
            "{spent:?}"
        );
        web.set_both(&begun, &code, PASSWORD)
            .await
            .refused("DI_USC_SAE");
    })
    .await;
}

#[tokio::test]
async fn a_right_guess_is_not_counted_against_the_day() {
    let stack = stacks::uuids();
    within(DAY, async || {
        let person = Person::in_form(stack, json!({}), UserIdFormat::Uuid).await;
        let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
        for round in 0..8 {
            let begun = web.begin(&person.email).await;
            let password = format!("{PASSWORD} {round}");
            let code = mailbox.next_code().await;
            web.set_both(&begun, &code, &password).await.data();
            mailbox.next_notice().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_password_that_needs_no_guess_is_set_even_if_the_guesses_are_spent() {
    let stack = stacks::uuids();
    within(DAY, async || {
        let person = Person::in_form(stack, json!({}), UserIdFormat::Uuid).await;
        let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
        let validated = web.begin(&person.email).await;
        web.verify(&validated, &mailbox.next_code().await)
            .await
            .data();
        for _ in 0..3 {
            let begun = web.begin(&person.email).await;
            let code = mailbox.next_code().await;
            for _ in 0..3 {
                web.verify(&begun, &wrong(&code)).await;
            }
        }
        let begun = web.begin(&person.email).await;
        let code = mailbox.next_code().await;
        web.verify(&begun, &code).await.refused("DI_USC_SAE");
        web.set_password(&validated, PASSWORD).await.data();
    })
    .await;
}
