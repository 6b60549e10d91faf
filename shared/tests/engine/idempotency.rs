//! `Idempotency-Key`: the same request again is the same session, and one mail.

use std::net::IpAddr;

use regain::api::Protocol;

use crate::kit::{
    ANN, CALLER, Kit, NOBODY, NOON, Outcome, PASSWORD, just_before, keyed, keyed_with, later,
    outcome_of, request, wrong,
};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];
const OTHER_KEY: &str = "019b2c3d-4e5f-7a6b-8c7d-9e8f0a1b2c3d";

#[tokio::test]
async fn the_same_key_within_ten_minutes_is_the_same_session_and_one_mail_and_not_throttled() {
    for protocol in BOTH {
        for email in [ANN, NOBODY] {
            let kit = Kit::throttled(&[("IP_REQUESTS_PER_HOUR", "1")]).await;
            kit.user(ANN).await;
            let first = kit.request(keyed(protocol, email), NOON).await.unwrap();
            let before = kit.dump().await;
            for at in [NOON, later(1), later(59), just_before(later(600))] {
                let again = kit.request(keyed(protocol, email), at).await.unwrap();
                assert_eq!(again.session, first.session);
                assert_eq!(again.user, first.user);
                assert_eq!(again.at, NOON, "it began when it began");
            }
            assert_eq!(kit.dump().await, before);
            assert_eq!(kit.keys("MAIL#").await.len(), 1);
        }
    }
}

#[tokio::test]
async fn another_key_endpoint_address_or_caller_is_another_session() {
    let kit = Kit::new().await;
    let mut sessions = Vec::new();
    let elsewhere: IpAddr = "198.51.100.1".parse().unwrap();
    for (network, asked) in [
        (CALLER, keyed(Protocol::AuthV1, ANN)),
        (CALLER, keyed(Protocol::Directory, ANN)),
        (CALLER, keyed(Protocol::AuthV1, NOBODY)),
        (CALLER, keyed_with(OTHER_KEY, Protocol::AuthV1, ANN)),
        (elsewhere, keyed(Protocol::AuthV1, ANN)),
        (CALLER, request(Protocol::AuthV1, ANN)),
        (CALLER, request(Protocol::AuthV1, ANN)),
    ] {
        let started = kit.request_from(network, asked, NOON).await.unwrap();
        assert!(!sessions.contains(&started.session));
        sessions.push(started.session);
    }
}

#[tokio::test]
async fn a_key_begins_a_new_session_after_ten_minutes_and_it_can_be_completed() {
    for protocol in BOTH {
        let kit = Kit::throttled(&[]).await;
        let user = kit.user(ANN).await;
        let mut codes: Vec<String> = Vec::new();
        let mut last = None;
        for at in [NOON, later(600), later(1200)] {
            let started = kit.request(keyed(protocol, ANN), at).await.unwrap();
            assert_eq!(started.at, at);
            let code = kit.code(at).await;
            for old in &codes {
                let guess = kit.verify(&started, old, at).await;
                assert_eq!(
                    outcome_of(&guess),
                    Outcome::CodeWrong,
                    "nothing of the one before is good"
                );
            }
            let guess = kit.verify(&started, &wrong(&code), at).await;
            assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
            assert_eq!(
                kit.guesses(&started.session).await,
                u32::try_from(codes.len()).unwrap() + 1,
                "a new session, new guesses"
            );
            codes.push(code.clone());
            last = Some((started, code, at));
        }
        assert_eq!(kit.keys("SESSION#").await.len(), 1);
        assert_eq!(
            kit.guesses_today(ANN, NOON).await,
            6,
            "the day's stay spent"
        );
        let (started, code, at) = last.unwrap();
        let proof = kit.verify(&started, &code, at).await.unwrap();
        let set = kit.set_password(&started, &proof, PASSWORD, at).await;
        assert_eq!(outcome_of(&set), Outcome::Done);
        let notices = kit.mailed(at).await;
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].template, "stack-password-changed-en");
        assert_eq!(kit.stored(&user).await.credentials_version, 1);
    }
}

#[tokio::test]
async fn a_key_never_leads_to_a_session_that_was_proven_or_used() {
    for protocol in BOTH {
        for used in [false, true] {
            let kit = Kit::new().await;
            kit.user(ANN).await;
            let first = kit.request(keyed(protocol, ANN), NOON).await.unwrap();
            let code = kit.code(NOON).await;
            let proof = kit.verify(&first, &code, later(1)).await.unwrap();
            if used {
                kit.set_password(&first, &proof, PASSWORD, later(2))
                    .await
                    .unwrap();
                kit.mailed(later(2)).await;
            }
            let kept = kit.session_item(&first.session).await;
            let mut sessions = vec![first.session.clone()];
            // Within the key's ten minutes, and after them.
            for at in [later(3), later(4), later(599), later(600), later(700)] {
                let next = kit.request(keyed(protocol, ANN), at).await.unwrap();
                assert_eq!(next.at, at);
                assert!(!sessions.contains(&next.session), "{protocol:?} {used}");
                sessions.push(next.session.clone());
                assert_eq!(kit.mailed(at).await.len(), 1, "the key counts as absent");
                let code = kit.derived(&next.session).await;
                let guess = kit.verify(&next, &wrong(&code), at).await;
                assert_eq!(outcome_of(&guess), Outcome::CodeWrong, "it awaits its code");
            }
            assert_eq!(kit.session_item(&first.session).await, kept);
            if !used {
                // Nor does its owner lose what was proven.
                let set = kit.set_password(&first, &proof, PASSWORD, later(600)).await;
                assert_eq!(outcome_of(&set), Outcome::Done);
            }
        }
    }
}

#[tokio::test]
async fn a_key_whose_session_was_proven_is_throttled_like_no_key() {
    let kit = Kit::throttled(&[]).await;
    kit.user(ANN).await;
    let keyed = || keyed(Protocol::Directory, ANN);
    let first = kit.request(keyed(), NOON).await.unwrap();
    let code = kit.code(NOON).await;
    kit.verify(&first, &code, later(1)).await.unwrap();
    let refused = kit.request(keyed(), later(2)).await;
    assert_eq!(outcome_of(&refused), Outcome::Throttled(later(60)));
    let next = kit.request(keyed(), later(60)).await.unwrap();
    assert_ne!(next.session, first.session);
}

/// The call of the table by which a request with a key writes: after it has read the key's session, and
/// in the Directory API the user's id.
const fn write_of(protocol: Protocol) -> usize {
    match protocol {
        Protocol::AuthV1 => 2,
        Protocol::Directory => 3,
    }
}

#[tokio::test]
async fn a_session_begun_between_read_and_write_is_the_answer_to_its_key() {
    for protocol in BOTH {
        for email in [ANN, NOBODY] {
            let kit = Kit::throttled(&[]).await;
            kit.user(ANN).await;
            let gate = kit.faults.hold(write_of(protocol));
            let (second, first) =
                tokio::join!(kit.request(keyed(protocol, email), later(1)), async {
                    gate.wait().await;
                    kit.faults.clear();
                    let first = kit.request(keyed(protocol, email), NOON).await;
                    gate.wait().await;
                    first
                });
            let (first, second) = (first.unwrap(), second.unwrap());
            assert_eq!(second.session, first.session);
            assert_eq!((second.user, second.at), (first.user, NOON));
            assert_eq!(kit.keys("MAIL#").await.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_session_proven_while_its_key_begins_a_new_one_is_kept() {
    for protocol in BOTH {
        let kit = Kit::with(&[("CODE_TTL_SECONDS", "3600")]).await;
        kit.user(ANN).await;
        let first = kit.request(keyed(protocol, ANN), NOON).await.unwrap();
        let code = kit.code(NOON).await;
        let gate = kit.faults.hold(write_of(protocol));
        let (next, proof) = tokio::join!(kit.request(keyed(protocol, ANN), later(600)), async {
            gate.wait().await;
            kit.faults.clear();
            let proof = kit.verify(&first, &code, later(600)).await.unwrap();
            gate.wait().await;
            proof
        });
        assert_ne!(next.unwrap().session, first.session, "{protocol:?}");
        let set = kit.set_password(&first, &proof, PASSWORD, later(601)).await;
        assert_eq!(outcome_of(&set), Outcome::Done);
    }
}

#[tokio::test]
async fn a_session_used_while_its_key_begins_a_new_one_is_kept() {
    let kit = Kit::with(&[("CODE_TTL_SECONDS", "3600")]).await;
    kit.user(ANN).await;
    let asked = || keyed(Protocol::Directory, ANN);
    let first = kit.request(asked(), NOON).await.unwrap();
    let code = kit.code(NOON).await;
    let gate = kit.faults.hold(write_of(Protocol::Directory));
    let (next, kept) = tokio::join!(kit.request(asked(), later(600)), async {
        gate.wait().await;
        kit.faults.clear();
        let set = kit.set_with_code(&first, &code, PASSWORD, later(600)).await;
        assert_eq!(outcome_of(&set), Outcome::Done);
        let kept = kit.session_item(&first.session).await;
        gate.wait().await;
        kept
    });
    assert_ne!(next.unwrap().session, first.session);
    assert_eq!(kit.session_item(&first.session).await, kept);
}

#[tokio::test]
async fn a_key_never_leads_to_a_session_that_was_proven_and_renewed() {
    let kit = Kit::with(&[("CODE_TTL_SECONDS", "3600")]).await;
    kit.user(ANN).await;
    let asked = || keyed(Protocol::AuthV1, ANN);
    let first = kit.request(asked(), NOON).await.unwrap();
    let code = kit.code(NOON).await;
    kit.verify(&first, &code, later(1)).await.unwrap();
    // The second time it awaits its code already.
    for at in [later(2), later(3)] {
        kit.resend(&first.session, at).await.unwrap();
        kit.mailed(at).await;
    }
    let kept = kit.session_item(&first.session).await;
    // Within the key's ten minutes, and after them.
    for at in [later(4), later(599), later(600), later(700)] {
        let next = kit.request(asked(), at).await.unwrap();
        assert_ne!(next.session, first.session);
        assert_eq!(next.at, at);
        assert_eq!(kit.mailed(at).await.len(), 1, "the key counts as absent");
    }
    assert_eq!(kit.session_item(&first.session).await, kept);
}

#[tokio::test]
async fn a_session_proven_and_renewed_while_its_key_begins_a_new_one_is_kept() {
    let kit = Kit::with(&[("CODE_TTL_SECONDS", "3600")]).await;
    kit.user(ANN).await;
    let asked = || keyed(Protocol::AuthV1, ANN);
    let first = kit.request(asked(), NOON).await.unwrap();
    let code = kit.code(NOON).await;
    let gate = kit.faults.hold(write_of(Protocol::AuthV1));
    let (next, kept) = tokio::join!(kit.request(asked(), later(600)), async {
        gate.wait().await;
        kit.faults.clear();
        kit.verify(&first, &code, later(600)).await.unwrap();
        kit.resend(&first.session, later(600)).await.unwrap();
        let kept = kit.session_item(&first.session).await;
        gate.wait().await;
        kept
    });
    assert_ne!(next.unwrap().session, first.session);
    assert_eq!(kit.session_item(&first.session).await, kept);
}

#[tokio::test]
async fn a_key_is_throttled_when_it_begins_a_session() {
    let kit = Kit::throttled(&[]).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let refused = kit.request(keyed(Protocol::AuthV1, ANN), later(59)).await;
    assert_eq!(outcome_of(&refused), Outcome::Throttled(later(60)));
    let accepted = kit.request(keyed(Protocol::AuthV1, ANN), later(60)).await;
    assert_eq!(
        outcome_of(&accepted),
        Outcome::Done,
        "a refused request keeps no key"
    );
}
