//! Guesses: what they cost a session and an address, and what gives them back.

use std::time::Duration;

use regain::api::Protocol;

use crate::kit::{ANN, Kit, NOBODY, NOON, Outcome, PASSWORD, later, outcome_of, wrong};

#[tokio::test]
async fn a_session_refuses_even_the_right_code_once_its_guesses_are_spent() {
    for protocol in [Protocol::Directory, Protocol::AuthV1] {
        for budget in ["1", "5", "20"] {
            let kit = Kit::with(&[("CODE_MAX_ATTEMPTS", budget)]).await;
            kit.user(ANN).await;
            let started = kit.start(protocol, ANN, NOON).await;
            let code = kit.code(NOON).await;
            for _ in 0..budget.parse::<u32>().unwrap() {
                let guess = kit.verify(&started, &wrong(&code), NOON).await;
                assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
            }
            for sent in [&wrong(&code), &code, "malformed"] {
                let guess = kit.verify(&started, sent, NOON).await;
                assert_eq!(
                    outcome_of(&guess),
                    Outcome::Spent,
                    "{protocol:?} {budget} {sent}"
                );
            }
            assert_eq!(kit.guesses(&started.session).await.to_string(), budget);
        }
    }
}

#[tokio::test]
async fn the_last_guess_of_a_session_may_be_the_right_one() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    for _ in 0..4 {
        let guess = kit.verify(&started, &wrong(&code), NOON).await;
        assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
    }
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, NOON).await),
        Outcome::Done
    );
}

#[tokio::test]
async fn only_the_right_guess_is_given_back() {
    for protocol in [Protocol::Directory, Protocol::AuthV1] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        for spent in 1..=3 {
            let guess = kit.verify(&started, &wrong(&code), NOON).await;
            assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
            assert_eq!(kit.guesses(&started.session).await, spent);
            assert_eq!(kit.guesses_today(ANN, NOON).await, spent);
        }
        assert_eq!(
            outcome_of(&kit.verify(&started, &code, NOON).await),
            Outcome::Done
        );
        assert_eq!(kit.guesses(&started.session).await, 3);
        assert_eq!(kit.guesses_today(ANN, NOON).await, 3);
    }
}

#[tokio::test]
async fn a_code_sent_with_a_password_is_given_back_too() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let guess = kit
        .set_with_code(&started, &wrong(&code), PASSWORD, NOON)
        .await;
    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
    let guess = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&guess), Outcome::Done);
    assert_eq!(kit.guesses(&started.session).await, 1);
    assert_eq!(kit.guesses_today(ANN, NOON).await, 1);
}

#[tokio::test]
async fn right_guesses_never_spend_the_daily_budget() {
    let kit = Kit::with(&[("ACCOUNT_GUESSES_PER_DAY", "1")]).await;
    kit.user(ANN).await;
    for protocol in [Protocol::AuthV1, Protocol::Directory, Protocol::AuthV1] {
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        assert_eq!(
            outcome_of(&kit.verify(&started, &code, NOON).await),
            Outcome::Done
        );
    }
}

#[tokio::test]
async fn another_code_never_refills_the_guesses() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let mut code = kit.code(NOON).await;
    for spent in 1..=5 {
        let guess = kit.verify(&started, &wrong(&code), NOON).await;
        assert_eq!(outcome_of(&guess), Outcome::CodeWrong, "guess {spent}");
        let resent = kit.resend(&started.session, NOON).await;
        if spent == 5 {
            assert_eq!(outcome_of(&resent), Outcome::Spent);
        } else {
            assert_eq!(resent.unwrap(), started.session, "the session keeps its id");
            code = kit.code(NOON).await;
        }
    }
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, NOON).await),
        Outcome::Spent
    );
}

#[tokio::test]
async fn proving_a_code_and_asking_for_another_never_refills_the_guesses() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let mut code = kit.code(NOON).await;
    for _ in 0..4 {
        let guess = kit.verify(&started, &wrong(&code), NOON).await;
        assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
        assert_eq!(
            outcome_of(&kit.verify(&started, &code, NOON).await),
            Outcome::Done
        );
        assert_eq!(
            outcome_of(&kit.resend(&started.session, NOON).await),
            Outcome::Done
        );
        code = kit.code(NOON).await;
    }
    assert_eq!(kit.guesses(&started.session).await, 4);
    let guess = kit.verify(&started, &wrong(&code), NOON).await;
    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, NOON).await),
        Outcome::Spent
    );
}

#[tokio::test]
async fn the_wrong_guesses_of_a_day_are_counted_over_all_sessions_of_an_address() {
    for email in [ANN, NOBODY] {
        let kit = Kit::with(&[
            ("ACCOUNT_GUESSES_PER_DAY", "7"),
            ("KNOWN_NETWORK_DAYS", "0"),
        ])
        .await;
        kit.user(ANN).await;
        let mut judged = 0;
        for round in 0..4 {
            let protocol = [Protocol::AuthV1, Protocol::Directory][round % 2];
            let started = kit.start(protocol, email, NOON).await;
            let code = kit.derived(&started.session).await;
            for _ in 0..3 {
                let guess = kit.verify(&started, &wrong(&code), NOON).await;
                if judged < 7 {
                    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
                    judged += 1;
                } else {
                    assert_eq!(outcome_of(&guess), Outcome::SpentUntil(NOON.next_day()));
                }
            }
        }
        assert_eq!(kit.guesses_today(email, NOON).await, 7);
    }
}

#[tokio::test]
async fn an_address_whose_guesses_are_spent_still_gets_codes_which_are_good_the_next_day() {
    let kit = Kit::with(&[
        ("ACCOUNT_GUESSES_PER_DAY", "1"),
        ("CODE_TTL_SECONDS", "3600"),
    ])
    .await;
    kit.user(ANN).await;
    let midnight = NOON.next_day();
    let evening = midnight.minus(Duration::from_mins(10));
    let spent = kit.start(Protocol::AuthV1, ANN, evening).await;
    let code = kit.code(evening).await;
    let guess = kit.verify(&spent, &wrong(&code), evening).await;
    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
    assert_eq!(
        outcome_of(&kit.verify(&spent, &code, evening).await),
        Outcome::SpentUntil(midnight)
    );
    assert_eq!(
        outcome_of(&kit.resend(&spent.session, evening).await),
        Outcome::Done
    );
    assert_eq!(kit.mailed(evening).await.len(), 1, "resent and mailed");
    let fresh = kit.start(Protocol::Directory, ANN, evening).await;
    let code = kit.code(evening).await;
    let last = midnight.minus(Duration::from_millis(1));
    assert_eq!(
        outcome_of(&kit.verify(&fresh, &code, last).await),
        Outcome::SpentUntil(midnight)
    );
    let guess = kit.verify(&fresh, &wrong(&code), midnight).await;
    assert_eq!(
        outcome_of(&guess),
        Outcome::CodeWrong,
        "a new day, a new guess"
    );
    let guess = kit.verify(&fresh, &code, midnight).await;
    assert_eq!(outcome_of(&guess), Outcome::SpentUntil(midnight.next_day()));
}

#[tokio::test]
async fn a_validated_session_sets_its_password_even_if_the_daily_guesses_are_spent() {
    let kit = Kit::with(&[("ACCOUNT_GUESSES_PER_DAY", "1")]).await;
    kit.user(ANN).await;
    let validated = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let proof = kit.verify(&validated, &code, NOON).await.unwrap();
    let other = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let guess = kit.verify(&other, &wrong(&code), NOON).await;
    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
    assert!(matches!(
        outcome_of(&kit.verify(&other, &code, NOON).await),
        Outcome::SpentUntil(_)
    ));
    let set = kit
        .set_password(&validated, &proof, PASSWORD, later(1))
        .await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn guesses_of_one_address_cost_no_other_address_any() {
    let kit = Kit::with(&[("ACCOUNT_GUESSES_PER_DAY", "1")]).await;
    kit.user(ANN).await;
    kit.user("ann@example.org").await;
    let spent = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    assert_eq!(
        outcome_of(&kit.verify(&spent, &wrong(&code), NOON).await),
        Outcome::CodeWrong
    );
    let other = kit.start(Protocol::AuthV1, "ann@example.org", NOON).await;
    let code = kit.code(NOON).await;
    assert_eq!(
        outcome_of(&kit.verify(&other, &code, NOON).await),
        Outcome::Done
    );
}
