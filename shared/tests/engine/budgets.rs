//! What each endpoint costs: round trips to the store and write units.

use std::net::IpAddr;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{
    ANN, CALLER, Kit, NOBODY, NOON, Outcome, PASSWORD, StoreCall, keyed, later, named, outcome_of,
    request, typed, wrong,
};

/// Round trips and write units since the last look.
fn cost(kit: &Kit) -> (usize, u32) {
    let cost = (kit.log.rounds(), kit.log.write_units());
    kit.log.reset();
    cost
}

async fn codes(
    kit: &Kit,
    protocol: Protocol,
    at: Timestamp,
) -> (regain::recovery::Started, String) {
    let started = kit.start(protocol, ANN, at).await;
    let code = kit.code(at).await;
    kit.log.reset();
    (started, code)
}

#[tokio::test]
async fn every_endpoint_keeps_to_its_budget() {
    let kit = Kit::throttled(&[
        ("RESEND_COOLDOWN_SECONDS", "1"),
        ("EMAIL_REQUESTS_PER_HOUR", "1000"),
        ("EMAIL_REQUESTS_PER_DAY", "1000"),
    ])
    .await;
    kit.user(ANN).await;
    let mut seconds = 0;
    let mut next = || {
        seconds += 1;
        later(seconds)
    };
    let mut measured = Vec::new();
    let mut note = |what: &'static str| measured.push((what, cost(&kit)));

    kit.log.reset();
    kit.start(Protocol::AuthV1, ANN, next()).await;
    note("auth/v1 forgot-password");
    kit.start(Protocol::Directory, ANN, next()).await;
    note("users/resend");
    kit.mailed(NOON).await;

    let at = next();
    let (auth, code) = codes(&kit, Protocol::AuthV1, at).await;
    kit.verify(&auth, &wrong(&code), at).await.unwrap_err();
    note("verify-otp, wrong");
    kit.verify(&auth, "malformed", at).await.unwrap_err();
    note("verify-otp, malformed");
    kit.resend(&auth.session, next()).await.unwrap();
    note("resend-otp");
    let code = kit.code(at).await;
    kit.log.reset();
    let proof = kit.verify(&auth, &code, at).await.unwrap();
    note("verify-otp, right");
    kit.set_password(&auth, &proof, PASSWORD, at).await.unwrap();
    note("set-password");
    kit.mailed(at).await;

    let at = next();
    let (directory, code) = codes(&kit, Protocol::Directory, at).await;
    kit.verify(&directory, &wrong(&code), at).await.unwrap_err();
    note("setPassword with otp, wrong");
    let proof = kit.verify(&directory, &code, at).await.unwrap();
    note("setPassword with otp, right");
    kit.set_password(&directory, &proof, PASSWORD, at)
        .await
        .unwrap();
    note("setPassword with password");
    kit.mailed(at).await;

    let at = next();
    let (directory, code) = codes(&kit, Protocol::Directory, at).await;
    kit.set_with_code(&directory, &wrong(&code), PASSWORD, at)
        .await
        .unwrap_err();
    note("setPassword with both, wrong");
    kit.set_with_code(&directory, &code, PASSWORD, at)
        .await
        .unwrap();
    note("setPassword with both, right");
    let before = kit.ses.mails().len();
    kit.deliver(at).await;
    assert_eq!(kit.ses.mails().len(), before + 1);
    note("deliver-mail, a notice");
    kit.start(Protocol::AuthV1, ANN, next()).await;
    kit.log.reset();
    kit.deliver(at).await;
    note("deliver-mail, a code");

    assert_eq!(
        measured,
        [
            ("auth/v1 forgot-password", (1, 8)),
            ("users/resend", (2, 8)),
            ("verify-otp, wrong", (2, 2)),
            ("verify-otp, malformed", (1, 0)),
            ("resend-otp", (2, 8)),
            // One unit more, because the mailbox was never proven before.
            ("verify-otp, right", (5, 7)),
            ("set-password", (3, 7)),
            ("setPassword with otp, wrong", (2, 2)),
            ("setPassword with otp, right", (5, 6)),
            ("setPassword with password", (3, 7)),
            ("setPassword with both, wrong", (2, 2)),
            ("setPassword with both, right", (5, 11)),
            ("deliver-mail, a notice", (4, 2)),
            ("deliver-mail, a code", (4, 2)),
        ]
    );
}

#[tokio::test]
async fn an_alias_costs_no_read_and_the_newest_session_two_units_and_a_read() {
    for (changed, begun) in [
        (&[("DIRECTORY_USER_ID", "alias")][..], (1, 8)),
        (&[("DIRECTORY_SESSION", "latest")], (2, 10)),
        (
            &[
                ("DIRECTORY_USER_ID", "alias"),
                ("DIRECTORY_SESSION", "latest"),
            ],
            (1, 10),
        ),
    ] {
        let kit = Kit::throttled(changed).await;
        kit.user(ANN).await;
        for email in [NOBODY, ANN] {
            kit.log.reset();
            kit.start(Protocol::Directory, email, NOON).await;
            assert_eq!(cost(&kit), begun, "{changed:?}");
        }
        kit.log.reset();
        kit.start(Protocol::AuthV1, "cem@example.com", NOON).await;
        assert_eq!(cost(&kit), (1, 8), "{changed:?}");
    }
    let kit = Kit::with(&[("DIRECTORY_SESSION", "latest")]).await;
    let user = kit.user(ANN).await;
    kit.change_user(&user, "isEmailValidate", AttributeValue::Bool(true))
        .await;
    let (started, code) = codes(&kit, Protocol::Directory, NOON).await;
    let id = started.user.unwrap();
    let malformed = kit.set_in_newest(&id, "malformed", PASSWORD, NOON).await;
    assert_eq!(outcome_of(&malformed), Outcome::CodeWrong);
    assert_eq!(cost(&kit), (2, 0));
    let guess = kit.set_in_newest(&id, &wrong(&code), PASSWORD, NOON).await;
    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
    assert_eq!(cost(&kit), (3, 2));
    kit.set_in_newest(&id, &code, PASSWORD, NOON).await.unwrap();
    assert_eq!(cost(&kit), (6, 11));
}

#[tokio::test]
async fn a_refusal_costs_no_write() {
    let kit = Kit::throttled(&[("CODE_MAX_ATTEMPTS", "1")]).await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.verify(&started, &wrong(&code), NOON).await.unwrap_err();
    kit.log.reset();
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, NOON).await),
        Outcome::Spent
    );
    assert_eq!(cost(&kit), (1, 0));
    let refused = kit.request(request(Protocol::AuthV1, ANN), NOON).await;
    assert_eq!(outcome_of(&refused), Outcome::Throttled(later(60)));
    assert_eq!(cost(&kit), (1, 0));
    let refused = kit.request(request(Protocol::AuthV1, ANN), NOON).await;
    assert_eq!(outcome_of(&refused), Outcome::Throttled(later(60)));
    assert_eq!(cost(&kit), (0, 0), "it is remembered");
    let refused = kit.request(keyed(Protocol::Directory, ANN), NOON).await;
    assert_eq!(outcome_of(&refused), Outcome::Throttled(later(60)));
    assert_eq!(cost(&kit), (1, 0), "unless a key leads to a session");
}

#[tokio::test]
async fn a_guess_refused_by_the_day_costs_no_more_than_the_reserve_needs() {
    let elsewhere: IpAddr = "198.51.100.1".parse().unwrap();
    for (days, known, stranger) in [("90", (5, 2), (4, 2)), ("0", (3, 2), (3, 2))] {
        let kit = Kit::with(&[
            ("ACCOUNT_GUESSES_PER_DAY", "3"),
            ("CODE_MAX_ATTEMPTS", "20"),
            ("KNOWN_NETWORK_DAYS", days),
        ])
        .await;
        kit.user(ANN).await;
        let first = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let code = kit.derived(&first.session).await;
        kit.verify(&first, &code, NOON).await.unwrap();
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let code = wrong(&kit.derived(&started.session).await);
        let guess_from = async |network: IpAddr| {
            kit.log.reset();
            let mut call = kit.call_from(network, NOON);
            let (named, guess) = (named(&started), typed(&code));
            outcome_of(
                &kit.recovery
                    .verify_for_token(&mut call, &named, &guess)
                    .await,
            )
        };
        for _ in 0..2 {
            assert_eq!(guess_from(elsewhere).await, Outcome::CodeWrong);
            assert_eq!(cost(&kit), (2, 2));
        }
        if days != "0" {
            assert!(matches!(
                guess_from(elsewhere).await,
                Outcome::SpentUntil(_)
            ));
            // The emulators report no unit for a refused write; AWS charges one.
            assert_eq!(cost(&kit), stranger);
        }
        assert_eq!(guess_from(CALLER).await, Outcome::CodeWrong);
        let needed = if days == "0" { (2, 2) } else { (4, 2) };
        assert_eq!(cost(&kit), needed, "two round trips more for the reserve");
        assert!(matches!(guess_from(CALLER).await, Outcome::SpentUntil(_)));
        assert_eq!(cost(&kit), known);
    }
}

#[tokio::test]
async fn a_known_network_that_needs_the_reserve_costs_two_round_trips_more() {
    for (protocol, plain) in [(Protocol::AuthV1, 1), (Protocol::Directory, 2)] {
        let kit = Kit::throttled(&[
            ("RESEND_COOLDOWN_SECONDS", "0"),
            ("EMAIL_REQUESTS_PER_HOUR", "3"),
        ])
        .await;
        kit.user(ANN).await;
        let elsewhere: IpAddr = "198.51.100.1".parse().unwrap();
        let first = kit.start(protocol, ANN, NOON).await;
        let code = kit.derived(&first.session).await;
        kit.verify(&first, &code, NOON).await.unwrap();
        kit.start(protocol, ANN, NOON).await;
        kit.log.reset();
        let refused = kit
            .request_from(elsewhere, request(protocol, ANN), NOON)
            .await;
        assert!(matches!(outcome_of(&refused), Outcome::Throttled(_)));
        assert_eq!(cost(&kit), (plain + 1, 0), "a stranger");
        kit.start(protocol, ANN, NOON).await;
        assert_eq!(cost(&kit), (plain + 2, 8), "a known network");
        let refused = kit.request(request(protocol, ANN), NOON).await;
        assert!(matches!(outcome_of(&refused), Outcome::Throttled(_)));
        assert_eq!(cost(&kit), (plain, 0), "which has used all");
    }
}

#[tokio::test]
async fn a_key_costs_one_read_more_and_a_repeated_key_only_that_read() {
    for (protocol, begun) in [(Protocol::AuthV1, (2, 8)), (Protocol::Directory, (3, 8))] {
        for email in [ANN, NOBODY] {
            let kit = Kit::throttled(&[]).await;
            kit.user(ANN).await;
            kit.log.reset();
            kit.request(keyed(protocol, email), NOON).await.unwrap();
            assert_eq!(cost(&kit), begun, "{protocol:?}");
            kit.request(keyed(protocol, email), later(1)).await.unwrap();
            assert_eq!(cost(&kit), (1, 0), "{protocol:?}");
        }
    }
}

#[tokio::test]
async fn every_read_is_consistent_and_nothing_is_scanned() {
    let kit = Kit::throttled(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let user = kit.user(ANN).await;
    kit.log.reset();
    let auth = kit.start(Protocol::AuthV1, ANN, NOON).await;
    kit.verify(&auth, "malformed", NOON).await.unwrap_err();
    let code = kit.code(NOON).await;
    kit.resend(&auth.session, NOON).await.unwrap();
    kit.verify(&auth, &code, NOON).await.unwrap_err();
    let code = kit.code(NOON).await;
    let proof = kit.verify(&auth, &code, NOON).await.unwrap();
    kit.set_password(&auth, &proof, PASSWORD, NOON)
        .await
        .unwrap();
    kit.mailed(NOON).await;
    let directory = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.set_with_code(&kit.with_other_user(&directory), &code, PASSWORD, NOON)
        .await
        .unwrap_err();
    kit.change_user(&user, "status", crate::kit::blocked())
        .await;
    kit.set_with_code(&directory, &code, PASSWORD, NOON)
        .await
        .unwrap_err();
    let calls = kit.log.calls();
    let reads: Vec<&StoreCall> = calls
        .iter()
        .filter(|call| call.operation == "GetItem")
        .collect();
    assert!(reads.len() > 15, "{}", reads.len());
    for call in &calls {
        assert_ne!(call.operation, "something else");
        assert_ne!(call.consistent, Some(false), "{}", call.shape());
    }
    for kind in ["SESSION", "USER", "EMAIL"] {
        let key = format!("{kind}#");
        assert!(
            reads.iter().any(|call| call.keys[0].starts_with(&key)),
            "{kind} is read"
        );
    }
}
