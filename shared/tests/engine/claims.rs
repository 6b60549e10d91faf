//! Many uses of one proof: one of them hashes, and a claim that its owner left behind ends by itself.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::recovery::Started;
use regain::session::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{
    ANN, Dump, Failure, Kit, NOON, PASSWORD, SOMEBODY, Told, Verified, in_directory, later,
    new_password, told,
};
use crate::sessions::validated;

const BOTH: [Protocol; 2] = [Protocol::AuthV1, Protocol::Directory];
const STORM: usize = 40;

/// Has the session claimed by somebody who is never heard of again.
async fn claimed_until(kit: &Kit, started: &Started, end: Timestamp) {
    let key = format!("SESSION#{}", started.session.reference().hex());
    let end = AttributeValue::N(end.millis().to_string());
    let who = AttributeValue::S("somebody".to_owned());
    kit.change(&key, "claimedBy", who).await;
    kit.change(&key, "claimedUntil", end).await;
}

/// The table, and that no claim is left in it.
async fn unclaimed(kit: &Kit) -> Dump {
    let dump = kit.dump().await;
    let left = |item: &std::collections::BTreeMap<_, _>| item.contains_key("claimedBy");
    assert!(!dump.values().any(left), "no claim is left");
    dump
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_with_one_proof_hashes_once() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let (started, proof) = validated(&kit, protocol, NOON).await;
        let proof = Arc::new(proof);
        kit.log.reset();
        let mut running = Vec::new();
        for number in 0..STORM {
            let (instance, mut rng) = (kit.another_instance(), kit.rng());
            let (started, proof) = (started.clone(), proof.clone());
            running.push(tokio::spawn(async move {
                let new = new_password(&format!("{PASSWORD} {number}"));
                told(&match &*proof {
                    Verified::Token(token) => {
                        let token = Some(token.clone());
                        instance
                            .set_password_by_token(&SOMEBODY, token, new, NOON, &mut rng)
                            .await
                    }
                    Verified::User => {
                        let named = in_directory(&started);
                        instance
                            .set_password(&SOMEBODY, &named, new, NOON, &mut rng)
                            .await
                    }
                })
            }));
        }
        let mut answers = Vec::new();
        for task in running {
            answers.push(task.await.unwrap());
        }
        answers.sort();
        let mut expected = vec![Told::Over; STORM];
        expected[0] = Told::Done;
        assert_eq!(answers, expected, "{protocol:?}");
        // Whoever hashes has read the user for it before.
        let shapes = kit.log.shapes();
        let hashes = shapes.iter().filter(|shape| *shape == "GetItem USER");
        assert_eq!(hashes.count(), 1, "{protocol:?}");
        assert_eq!(kit.stored(&user).await.credentials_version, 1);
        unclaimed(&kit).await;
    }
}

#[tokio::test]
async fn who_finds_a_claim_whose_owner_died_waits_for_its_end_and_no_longer() {
    for (end, expected) in [(later(3), Told::Done), (later(60), Told::Unavailable)] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
        claimed_until(&kit, &started, end).await;
        let before = kit.dump().await;
        let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
        assert_eq!(told(&set), expected);
        let version = kit.stored(&user).await.credentials_version;
        assert_eq!(version, u64::from(expected == Told::Done));
        if expected == Told::Unavailable {
            assert_eq!(kit.dump().await, before, "and nothing changes");
            let set = kit.set_password(&started, &proof, PASSWORD, end).await;
            assert_eq!(told(&set), Told::Done);
        }
        unclaimed(&kit).await;
    }
}

#[tokio::test]
async fn a_password_that_is_refused_gives_the_claim_up_and_changes_nothing() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        kit.user_like(serde_json::json!({
            "email": ANN, "profile": { "name": "Annabelle Winterbottom" },
        }))
        .await;
        let (started, proof) = validated(&kit, protocol, NOON).await;
        let before = unclaimed(&kit).await;
        for refused in [ANN, "annabelle winterbottom"] {
            let set = kit.set_password(&started, &proof, refused, NOON).await;
            assert!(matches!(told(&set), Told::Password(_)), "{refused}");
            assert_eq!(unclaimed(&kit).await, before, "{refused}");
        }
        kit.log.reset();
        let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
        assert_eq!(told(&set), Told::Done);
        assert_eq!(kit.log.calls().len(), 3, "without waiting for anybody");
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_its_owners_still() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
    kit.log.reset();
    kit.weather.strike(Failure::TimeoutAfter, 1, 1);
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(told(&set), Told::Done);
    assert_eq!(kit.log.calls().len(), 3, "it does not wait for itself");
}

#[tokio::test]
async fn another_code_ends_a_claim_with_the_proof_it_was_for() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, _) = validated(&kit, Protocol::AuthV1, NOON).await;
    claimed_until(&kit, &started, later(60)).await;
    kit.resend(&started.session, NOON).await.unwrap();
    unclaimed(&kit).await;
    let code = kit.code(NOON).await;
    let proof = kit.verify(&started, &code, NOON).await.unwrap();
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(told(&set), Told::Done);
}

#[tokio::test]
async fn a_claim_holds_up_nothing_but_its_own_session() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (first, _) = validated(&kit, Protocol::AuthV1, NOON).await;
    claimed_until(&kit, &first, later(60)).await;
    let (second, proof) = validated(&kit, Protocol::Directory, NOON).await;
    let set = kit.set_password(&second, &proof, PASSWORD, NOON).await;
    assert_eq!(told(&set), Told::Done);
}
