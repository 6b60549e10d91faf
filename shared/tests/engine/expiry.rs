//! Everything expires at its millisecond: good before it, not at it.

use regain::api::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{ANN, Kit, NOON, Outcome, PASSWORD, just_before, later, outcome_of};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];

async fn verified_at(kit: &Kit, protocol: Protocol, at: Timestamp) -> Outcome {
    let started = kit.start(protocol, ANN, NOON).await;
    let code = kit.code(NOON).await;
    outcome_of(&kit.verify(&started, &code, at).await)
}

#[tokio::test]
async fn a_code_is_good_until_the_millisecond_it_expires() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let end = later(600);
        assert_eq!(
            verified_at(&kit, protocol, just_before(end)).await,
            Outcome::Done
        );
        assert_eq!(verified_at(&kit, protocol, end).await, Outcome::CodeExpired);
    }
}

#[tokio::test]
async fn a_session_is_good_until_the_millisecond_it_expires() {
    for protocol in BOTH {
        let kit = Kit::with(&[("CODE_TTL_SECONDS", "3600")]).await;
        kit.user(ANN).await;
        let end = later(1800);
        assert_eq!(
            verified_at(&kit, protocol, just_before(end)).await,
            Outcome::Done
        );
        assert_eq!(verified_at(&kit, protocol, end).await, Outcome::Over);
    }
}

#[tokio::test]
async fn a_proof_is_good_for_ten_minutes_and_not_longer() {
    for protocol in BOTH {
        for (at, expected) in [
            (just_before(later(100 + 600)), Outcome::Done),
            (later(700), Outcome::Over),
        ] {
            let kit = Kit::new().await;
            kit.user(ANN).await;
            let started = kit.start(protocol, ANN, NOON).await;
            let code = kit.code(NOON).await;
            let proof = kit.verify(&started, &code, later(100)).await.unwrap();
            let set = kit.set_password(&started, &proof, PASSWORD, at).await;
            assert_eq!(outcome_of(&set), expected, "{protocol:?}");
        }
    }
}
