//! The throttle cache: an instance that remembers a refusal makes no call of the store, and refuses nobody wrongly.

use regain::api::Protocol;
use regain::keys::IndexKeys;

use crate::kit::{
    ANN, INDEX_SECRET, Kit, NOBODY, NOON, Outcome, address, just_before, keyed, keyed_with, later,
    outcome_of, request,
};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];

/// An address that was just refused because it is cooling until `later(60)`.
async fn refused(email: &str) -> Kit {
    let kit = Kit::throttled(&[]).await;
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, email, NOON).await;
    let refused = kit.request(request(Protocol::AuthV1, email), NOON).await;
    assert_eq!(outcome_of(&refused), Outcome::Throttled(later(60)));
    kit.log.reset();
    kit
}

#[tokio::test]
async fn repeated_requests_are_refused_without_the_store_and_alike_for_known_and_unknown() {
    for email in [ANN, NOBODY] {
        let kit = refused(email).await;
        for protocol in BOTH {
            for at in [NOON, later(30), just_before(later(60))] {
                let again = kit.request(request(protocol, email), at).await;
                assert_eq!(
                    outcome_of(&again),
                    Outcome::Throttled(later(60)),
                    "{protocol:?}"
                );
            }
        }
        assert_eq!(kit.log.calls(), []);
        let accepted = kit
            .request(request(Protocol::AuthV1, email), later(60))
            .await;
        assert_eq!(
            outcome_of(&accepted),
            Outcome::Done,
            "not a moment too long"
        );
    }
}

#[tokio::test]
async fn a_throttled_caller_is_refused_for_every_address_and_other_callers_are_not() {
    let kit = Kit::throttled(&[("IP_REQUESTS_PER_HOUR", "1")]).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let end = NOON.next_hour();
    let asked = kit.request(request(Protocol::AuthV1, NOBODY), NOON).await;
    assert_eq!(outcome_of(&asked), Outcome::Throttled(end));
    kit.log.reset();
    for number in 0..10 {
        let email = format!("u{number}@example.com");
        let asked = kit
            .request(request(Protocol::Directory, &email), later(1))
            .await;
        assert_eq!(outcome_of(&asked), Outcome::Throttled(end));
    }
    assert_eq!(kit.log.calls(), []);
    let (elsewhere, asked) = (
        "198.51.100.1".parse().unwrap(),
        request(Protocol::AuthV1, NOBODY),
    );
    let asked = kit.request_from(elsewhere, asked, later(1)).await;
    assert_eq!(
        outcome_of(&asked),
        Outcome::Done,
        "the address was never throttled"
    );
}

#[tokio::test]
async fn a_repeated_idempotency_key_gets_its_session_though_its_address_is_remembered() {
    let kit = Kit::throttled(&[]).await;
    let keyed = || keyed(Protocol::AuthV1, ANN);
    let first = kit.request(keyed(), NOON).await.unwrap();
    for _ in 0..2 {
        let other = kit.request(request(Protocol::AuthV1, ANN), later(1)).await;
        assert_eq!(outcome_of(&other), Outcome::Throttled(later(60)));
    }
    let again = kit.request(keyed(), later(2)).await.unwrap();
    assert_eq!(again.session, first.session);
    assert_eq!(kit.keys("MAIL#").await.len(), 1);
}

#[tokio::test]
async fn repeated_requests_with_new_keys_are_refused_by_one_read_each_known_or_not() {
    for email in [ANN, NOBODY] {
        let kit = refused(email).await;
        for protocol in BOTH {
            for number in 0..5 {
                let key = format!("4f9a3f0e-7c1d-4b57-9f2c-00000000000{number}");
                let asked = keyed_with(&key, protocol, email);
                let again = kit.request(asked, later(1)).await;
                assert_eq!(
                    outcome_of(&again),
                    Outcome::Throttled(later(60)),
                    "{protocol:?}"
                );
            }
        }
        assert_eq!(kit.log.shapes(), ["GetItem SESSION"; 10]);
        assert_eq!(kit.log.write_units(), 0);
    }
}

#[tokio::test]
async fn a_cleared_throttle_is_noticed_within_a_minute_and_at_once_without_a_cache() {
    let kit = Kit::throttled(&[("RESEND_COOLDOWN_SECONDS", "3600")]).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let end = later(3600);
    let asked = kit.request(request(Protocol::AuthV1, ANN), later(10)).await;
    assert_eq!(outcome_of(&asked), Outcome::Throttled(end));
    let key = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    assert!(kit.store.clear_throttle(&key).await.unwrap());
    let asked = kit
        .request(request(Protocol::AuthV1, ANN), just_before(later(70)))
        .await;
    assert_eq!(outcome_of(&asked), Outcome::Throttled(end));
    let asked = kit.request(request(Protocol::AuthV1, ANN), later(70)).await;
    assert_eq!(outcome_of(&asked), Outcome::Done);

    assert!(kit.store.clear_throttle(&key).await.unwrap());
    let asked = kit
        .another_instance()
        .request(&mut kit.call(later(71)), request(Protocol::AuthV1, ANN))
        .await;
    assert_eq!(outcome_of(&asked), Outcome::Done);
}

#[tokio::test]
async fn another_code_for_a_session_is_never_refused_by_the_cache() {
    let kit = Kit::throttled(&[]).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    for _ in 0..2 {
        kit.log.reset();
        let resent = kit.resend(&started.session, later(1)).await;
        assert_eq!(outcome_of(&resent), Outcome::Throttled(later(60)));
        assert_eq!(kit.log.calls().len(), 2);
    }
}
