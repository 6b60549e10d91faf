//! The two secrets: without them nothing is done, and a rotation breaks no code in flight.

use std::time::Duration;

use regain::api::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{
    ANN, CODE_KEY, CODE_SECRET, INDEX_KEY, INDEX_SECRET, Kit, NOON, Outcome, PASSWORD, Version,
    in_auth, just_before, later, named, new_password, outcome_of, request, typed, wrong,
};

const NEW_SECRET: &str = "new-code-secret-of-the-tests-new-code-secret-of-the-tests-012345";

fn minutes(minutes: u64) -> Timestamp {
    later(60 * minutes)
}

/// Rotates the code key at that time.
fn rotate(kit: &Kit, at: Timestamp) {
    let old = Version::previous(CODE_SECRET, NOON.minus(Duration::from_hours(24)));
    kit.secrets
        .set(CODE_KEY, [Version::current(NEW_SECRET, at), old]);
}

#[tokio::test]
async fn without_the_index_key_nothing_is_done() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    let directory = kit
        .start(Protocol::Directory, "bob@example.com", NOON)
        .await;
    let before = kit.dump().await;
    kit.secrets.set(INDEX_KEY, []);
    let cold = kit.another_instance();
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let asked = cold
            .request(&mut kit.call(later(1)), request(protocol, ANN))
            .await;
        assert_eq!(outcome_of(&asked), Outcome::Unavailable);
    }
    let locale = crate::kit::LOCALE;
    let resent = cold
        .resend(&mut kit.call(later(1)), &in_auth(&started.session), locale)
        .await;
    assert_eq!(outcome_of(&resent), Outcome::Unavailable);
    let guess = typed(&code);
    let verified = cold
        .verify_for_token(&mut kit.call(later(1)), &named(&started), &guess)
        .await;
    assert_eq!(outcome_of(&verified), Outcome::Unavailable);
    let set = cold
        .set_password_with_code(
            &mut kit.call(later(1)),
            &named(&directory),
            &guess,
            new_password(PASSWORD),
        )
        .await;
    assert_eq!(outcome_of(&set), Outcome::Unavailable);
    let keys = kit.keys("MAIL#").await;
    assert_eq!(kit.dump().await, before);
    assert_eq!(
        kit.deliver(later(1)).await.len(),
        1,
        "the mail to somebody waits"
    );
    assert!(kit.ses.mails().is_empty());
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn without_the_code_key_nothing_is_guessed_or_mailed_but_codes_are_asked_for() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.secrets.set(CODE_KEY, []);
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    assert_eq!(
        kit.deliver(NOON).await,
        kit.keys("MAIL#").await,
        "the mail waits"
    );
    let before = kit.dump().await;
    for sent in [&code, &wrong(&code), "malformed"] {
        assert_eq!(
            outcome_of(&kit.verify(&started, sent, NOON).await),
            Outcome::Unavailable
        );
    }
    assert_eq!(kit.dump().await, before);
    kit.secrets
        .set(CODE_KEY, [Version::current(CODE_SECRET, NOON)]);
    assert_eq!(kit.code(NOON).await, code);
    let proof = kit.verify(&started, &code, NOON).await.unwrap();
    kit.secrets.set(CODE_KEY, []);
    let set = kit
        .set_password(&started, &proof, PASSWORD, minutes(9))
        .await;
    assert_eq!(outcome_of(&set), Outcome::Done, "a token needs no code key");
    assert_eq!(kit.stored(&user).await.credentials_version, 1);
}

#[tokio::test]
async fn an_empty_secret_counts_as_missing() {
    let kit = Kit::new().await;
    kit.secrets.set(INDEX_KEY, [Version::current("", NOON)]);
    let asked = kit.request(request(Protocol::AuthV1, ANN), NOON).await;
    assert_eq!(outcome_of(&asked), Outcome::Unavailable);
    kit.secrets
        .set(INDEX_KEY, [Version::current(INDEX_SECRET, NOON)]);
    let asked = kit.request(request(Protocol::AuthV1, ANN), NOON).await;
    assert_eq!(outcome_of(&asked), Outcome::Done, "a failure is not kept");
}

#[tokio::test]
async fn a_code_mailed_before_a_rotation_is_good_after_it_on_every_instance() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    rotate(&kit, minutes(1));
    let fresh = kit.another_instance();
    let guess = typed(&wrong(&code));
    let judged = fresh
        .verify_for_token(&mut kit.call(minutes(2)), &named(&started), &guess)
        .await;
    assert_eq!(outcome_of(&judged), Outcome::CodeWrong);
    let guess = typed(&code);
    let judged = fresh
        .verify_for_token(&mut kit.call(minutes(9)), &named(&started), &guess)
        .await;
    assert_eq!(outcome_of(&judged), Outcome::Done);
}

#[tokio::test]
async fn a_new_key_writes_no_mail_until_every_instance_knows_it() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    // An instance that fetched the key just before it was rotated.
    let warm = kit.another_instance();
    warm.warm(NOON).await;
    rotate(&kit, NOON);
    let end = minutes(10);
    for (at, secret) in [
        (later(1), CODE_SECRET),
        (just_before(end), CODE_SECRET),
        (minutes(15), NEW_SECRET),
    ] {
        let started = kit.start(Protocol::AuthV1, ANN, at).await;
        assert_eq!(
            kit.code(at).await,
            kit.derived_with(secret, &started.session).await
        );
        let code = kit.derived_with(secret, &started.session).await;
        let guess = typed(&code);
        let judged = warm
            .verify_for_token(&mut kit.call(at), &named(&started), &guess)
            .await;
        assert_eq!(outcome_of(&judged), Outcome::Done, "{at:?}");
    }
}

#[tokio::test]
async fn a_new_key_writes_mail_from_the_millisecond_it_is_ten_minutes_old() {
    let end = minutes(10);
    for (at, secret) in [(just_before(end), CODE_SECRET), (end, NEW_SECRET)] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        rotate(&kit, NOON);
        let started = kit.start(Protocol::AuthV1, ANN, at).await;
        assert_eq!(
            kit.code(at).await,
            kit.derived_with(secret, &started.session).await
        );
    }
}

#[tokio::test]
async fn a_cached_new_key_writes_mail_once_it_is_ten_minutes_old() {
    let kit = Kit::new().await;
    rotate(&kit, NOON);
    let end = minutes(10);
    for (at, secret, fetches, email) in [
        (minutes(9), CODE_SECRET, true, ANN),
        (just_before(end), CODE_SECRET, false, "bob@example.com"),
        (end, NEW_SECRET, false, "cat@example.com"),
    ] {
        kit.user(email).await;
        let started = kit.start(Protocol::AuthV1, email, at).await;
        let before = kit.secrets.fetched();
        kit.deliver(at).await;
        assert_eq!(kit.secrets.fetched() > before, fetches, "{at:?}");
        let mails = kit.ses.mails();
        let code = kit.derived_with(secret, &started.session).await;
        assert_eq!(mails.last().unwrap().code(), code, "{at:?}");
    }
}

#[tokio::test]
async fn a_first_key_writes_mail_at_once() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    kit.secrets
        .set(CODE_KEY, [Version::current(NEW_SECRET, NOON)]);
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert_eq!(
        kit.code(NOON).await,
        kit.derived_with(NEW_SECRET, &started.session).await
    );
}

#[tokio::test]
async fn a_key_before_the_previous_one_opens_nothing() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let versions = [
        Version::current("the third", NOON),
        Version::previous(NEW_SECRET, NOON),
    ];
    kit.secrets.set(CODE_KEY, versions);
    let fresh = kit.another_instance();
    let guess = typed(&code);
    let judged = fresh
        .verify_for_token(&mut kit.call(later(1)), &named(&started), &guess)
        .await;
    assert_eq!(outcome_of(&judged), Outcome::CodeWrong);
}

#[tokio::test]
async fn the_previous_key_opens_nothing_once_all_its_codes_have_expired() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    rotate(&kit, NOON);
    let end = minutes(75);
    let warm = kit.another_instance();
    warm.warm(minutes(74)).await;
    for (at, expected) in [(just_before(end), Outcome::Done), (end, Outcome::CodeWrong)] {
        for instance in [&warm, &kit.another_instance()] {
            let started = kit.start(Protocol::AuthV1, ANN, at).await;
            let guess = typed(&kit.derived_with(CODE_SECRET, &started.session).await);
            let judged = instance
                .verify_for_token(&mut kit.call(at), &named(&started), &guess)
                .await;
            assert_eq!(outcome_of(&judged), expected, "{at:?}");
        }
    }
}

#[tokio::test]
async fn the_code_key_is_fetched_again_after_five_minutes_and_the_index_key_never() {
    let kit = Kit::new().await;
    let instance = kit.another_instance();
    instance.warm(NOON).await;
    assert_eq!(
        kit.secrets.fetched(),
        3,
        "index key, and two versions of the code key"
    );
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let fetched = kit.secrets.fetched();
    for (at, more) in [
        (just_before(minutes(5)), 0),
        (minutes(5), 2),
        (minutes(9), 0),
    ] {
        let before = kit.secrets.fetched();
        let guess = typed("malformed");
        let judged = instance
            .verify_for_token(&mut kit.call(at), &named(&started), &guess)
            .await;
        assert_eq!(outcome_of(&judged), Outcome::CodeWrong);
        assert_eq!(kit.secrets.fetched() - before, more, "{at:?}");
    }
    assert!(kit.secrets.fetched() > fetched);
}

#[tokio::test]
async fn a_start_connects_to_the_table_so_that_the_first_request_need_not() {
    let kit = Kit::new().await;
    let instance = kit.another_instance();
    kit.log.reset();
    instance.warm(NOON).await;
    assert_eq!(kit.log.shapes(), ["GetItem SESSION"]);
}

#[tokio::test]
async fn a_cached_code_key_is_used_for_ten_minutes_if_it_cannot_be_fetched_again() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let instance = kit.another_instance();
    instance.warm(NOON).await;
    let started = kit.start(Protocol::AuthV1, ANN, minutes(4)).await;
    let code = kit.derived(&started.session).await;
    kit.secrets.set(CODE_KEY, []);
    let end = minutes(10);
    let try_at = async |code: &str, at| {
        let guess = typed(code);
        outcome_of(
            &instance
                .verify_for_token(&mut kit.call(at), &named(&started), &guess)
                .await,
        )
    };
    assert_eq!(try_at(&wrong(&code), minutes(5)).await, Outcome::CodeWrong);
    assert_eq!(
        try_at(&wrong(&code), just_before(end)).await,
        Outcome::CodeWrong
    );
    let before = kit.dump().await;
    assert_eq!(try_at(&code, end).await, Outcome::Unavailable);
    assert_eq!(kit.dump().await, before);
    kit.secrets
        .set(CODE_KEY, [Version::current(CODE_SECRET, NOON)]);
    assert_eq!(try_at(&code, end).await, Outcome::Done);
}
