//! Many uses of one proof: one of them hashes, and a claim that its owner left behind ends by itself.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::ids::ResetToken;
use regain::recovery::{PasswordToken, Started};
use regain::timestamp::Timestamp;

use crate::kit::{
    ANN, Dump, Failure, Fault, Kit, NOON, Outcome, PASSWORD, Verified, blocked, in_directory,
    later, new_password, outcome_of, typed,
};
use crate::sessions::validated;

const BOTH: [Protocol; 2] = [Protocol::AuthV1, Protocol::Directory];
const STORM: usize = 40;

/// Has the session claimed by a process that then dies.
pub(crate) async fn claimed_until(kit: &Kit, started: &Started, end: Timestamp) {
    let key = format!("SESSION#{}", started.session.reference().hex());
    let end = AttributeValue::N(end.millis().to_string());
    let who = AttributeValue::S("somebody".to_owned());
    kit.change(&key, "claimedBy", who).await;
    kit.change(&key, "claimedUntil", end).await;
}

/// The table, and that no claim is left in it.
async fn unclaimed(kit: &Kit) -> Dump {
    let dump = kit.dump().await;
    let left = |item: &std::collections::BTreeMap<_, _>| {
        item.contains_key("claimedBy") || item.contains_key("claimedUntil")
    };
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
            let (instance, mut call) = (kit.another_instance(), kit.call(NOON));
            let (started, proof) = (started.clone(), proof.clone());
            running.push(tokio::spawn(async move {
                let new = new_password(&format!("{PASSWORD} {number}"));
                outcome_of(&match &*proof {
                    Verified::Token(token) => {
                        let token = Some(PasswordToken::Reset(token.clone()));
                        instance.set_password_by_token(&mut call, token, new).await
                    }
                    Verified::User => {
                        let named = in_directory(&started);
                        instance.set_password(&mut call, &named, new).await
                    }
                })
            }));
        }
        let mut answers = Vec::new();
        for task in running {
            answers.push(task.await.unwrap());
        }
        answers.sort();
        let mut expected = vec![Outcome::Over; STORM];
        expected[0] = Outcome::Done;
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
async fn a_call_waits_for_the_end_of_an_abandoned_claim_and_no_longer() {
    for (end, expected) in [(later(3), Outcome::Done), (later(60), Outcome::Unavailable)] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
        claimed_until(&kit, &started, end).await;
        let before = kit.dump().await;
        let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
        assert_eq!(outcome_of(&set), expected);
        let version = kit.stored(&user).await.credentials_version;
        assert_eq!(version, u64::from(expected == Outcome::Done));
        if expected == Outcome::Unavailable {
            assert_eq!(kit.dump().await, before, "and nothing changes");
            let set = kit.set_password(&started, &proof, PASSWORD, end).await;
            assert_eq!(outcome_of(&set), Outcome::Done);
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
            assert!(
                matches!(outcome_of(&set), Outcome::Password(_)),
                "{refused}"
            );
            assert_eq!(unclaimed(&kit).await, before, "{refused}");
        }
        kit.log.reset();
        let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
        assert_eq!(outcome_of(&set), Outcome::Done);
        assert_eq!(kit.log.calls().len(), 3, "without waiting for anybody");
    }
}

#[tokio::test]
async fn a_call_that_may_not_set_the_password_claims_nothing() {
    for (why, expected) in [
        ("another token", Outcome::TokenUnknown),
        ("another user", Outcome::OtherUser),
        ("the other API", Outcome::NoSession),
        ("the proof is over", Outcome::Over),
        ("the session is over", Outcome::Over),
        ("the session is used", Outcome::Over),
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let protocol = match why {
            "another user" => Protocol::Directory,
            _ => Protocol::AuthV1,
        };
        let (started, proof) = validated(&kit, protocol, NOON).await;
        let key = format!("SESSION#{}", started.session.reference().hex());
        let mut at = NOON;
        match why {
            "the proof is over" => at = later(600),
            "the session is over" => {
                let over = AttributeValue::N(NOON.millis().to_string());
                kit.change(&key, "sessionExpiresAt", over).await;
            }
            "the session is used" => {
                let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
                assert_eq!(outcome_of(&set), Outcome::Done);
            }
            _ => {}
        }
        kit.log.reset();
        let set = match why {
            "another token" => {
                let token = ResetToken::draw(&started.session, &mut kit.rng());
                kit.set_by_token(Some(token), PASSWORD, at).await
            }
            "another user" => {
                let other = kit.with_other_user(&started);
                kit.set_in_directory(&other, PASSWORD, at).await
            }
            "the other API" => kit.set_in_directory(&started, PASSWORD, at).await,
            _ => kit.set_password(&started, &proof, PASSWORD, at).await,
        };
        assert_eq!(outcome_of(&set), expected, "{why}");
        // A claim would be given up again, by a second write.
        let shapes = kit.log.shapes();
        let writes = shapes.iter().filter(|shape| *shape == "UpdateItem SESSION");
        assert_eq!(writes.count(), 1, "{why}");
    }
}

#[tokio::test]
async fn a_claim_that_was_taken_over_is_not_given_up_by_its_first_owner() {
    let kit = Kit::new().await;
    kit.user_like(serde_json::json!({
        "email": ANN, "profile": { "name": "Annabelle Winterbottom" },
    }))
    .await;
    let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
    // The session is claimed, the user is read, and then the claim is given up.
    let gate = kit.faults.hold(3);
    let (set, ()) = tokio::join!(
        kit.set_password(&started, &proof, "annabelle winterbottom", NOON),
        async {
            gate.wait().await;
            claimed_until(&kit, &started, later(60)).await;
            gate.wait().await;
        }
    );
    assert!(matches!(outcome_of(&set), Outcome::Password(_)));
    let session = kit.session_item(&started.session).await;
    assert_eq!(session["claimedBy"].as_s().unwrap(), "somebody");
}

#[tokio::test]
async fn a_claim_whose_owner_dies_lasts_three_seconds() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
    kit.log.fail(Fault::Down(2));
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Unavailable);
    let session = kit.session_item(&started.session).await;
    let end = AttributeValue::N(later(3).millis().to_string());
    assert_eq!(session["claimedUntil"], end);
}

#[tokio::test]
async fn the_session_of_a_user_who_is_blocked_is_used_and_keeps_no_claim() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
    kit.change_user(&user, "status", blocked()).await;
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Blocked);
    unclaimed(&kit).await;
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_still_belongs_to_its_owner() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
    kit.log.reset();
    kit.faults.fail(Failure::TimeoutAfter, 1, 1);
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
    assert_eq!(kit.log.calls().len(), 3, "it does not wait for itself");
}

#[tokio::test]
async fn a_claim_that_conflicts_with_a_transaction_is_retried() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, proof) = validated(&kit, Protocol::AuthV1, NOON).await;
    kit.faults.fail(Failure::Conflict, 1, 3);
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn another_code_ends_the_proof_and_its_claim() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, _) = validated(&kit, Protocol::AuthV1, NOON).await;
    claimed_until(&kit, &started, later(60)).await;
    kit.resend(&started.session, NOON).await.unwrap();
    unclaimed(&kit).await;
    let code = kit.code(NOON).await;
    let proof = kit.verify(&started, &code, NOON).await.unwrap();
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn a_claim_delays_only_its_own_session() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (first, _) = validated(&kit, Protocol::AuthV1, NOON).await;
    claimed_until(&kit, &first, later(60)).await;
    let (second, proof) = validated(&kit, Protocol::Directory, NOON).await;
    let set = kit.set_password(&second, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn a_code_proven_beside_a_claim_ends_the_claim() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    claimed_until(&kit, &started, later(60)).await;
    kit.verify(&started, &code, NOON).await.unwrap();
    unclaimed(&kit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_with_one_code_and_a_password_hashes_once() {
    let kit = Kit::with(&[
        ("CODE_MAX_ATTEMPTS", "20"),
        ("ACCOUNT_GUESSES_PER_DAY", "1000"),
    ])
    .await;
    let user = kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.log.reset();
    let mut running = Vec::new();
    for number in 0..STORM {
        let (instance, mut call) = (kit.another_instance(), kit.call(NOON));
        let (named, guess) = (in_directory(&started), typed(&code));
        running.push(tokio::spawn(async move {
            let new = new_password(&format!("{PASSWORD} {number}"));
            let set = instance.set_password_with_code(&mut call, &named, &guess, new);
            outcome_of(&set.await)
        }));
    }
    let mut done = 0;
    for task in running {
        match task.await.unwrap() {
            Outcome::Done => done += 1,
            Outcome::Over | Outcome::Spent => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(done, 1);
    // Whoever hashes has read the user for it before.
    let shapes = kit.log.shapes();
    let hashes = shapes.iter().filter(|shape| *shape == "GetItem USER");
    assert_eq!(hashes.count(), 1);
    assert_eq!(kit.stored(&user).await.credentials_version, 1);
    assert_eq!(kit.guesses(&started.session).await, 0, "all were right");
    assert_eq!(kit.guesses_today(ANN, NOON).await, 0);
    unclaimed(&kit).await;
}

#[tokio::test]
async fn a_right_guess_claims_its_session_only_as_it_was_charged() {
    for by in ["another code", "a proof"] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let key = format!("SESSION#{}", started.session.reference().hex());
        // The two charges come first, and then the claim.
        kit.log.reset();
        let gate = kit.faults.hold(3);
        let named = crate::kit::named(&started);
        let mut call = kit.call(NOON);
        let (guess, new) = (typed(&code), new_password(PASSWORD));
        let (set, ()) = tokio::join!(
            kit.recovery
                .set_password_with_code(&mut call, &named, &guess, new),
            async {
                gate.wait().await;
                if by == "a proof" {
                    let validated = AttributeValue::S("validated".to_owned());
                    for (name, value) in [
                        ("sessionState", validated),
                        ("subject", AttributeValue::S(user.id.as_str().to_owned())),
                        ("credentialsVersion", AttributeValue::N("0".to_owned())),
                        (
                            "proofExpiresAt",
                            AttributeValue::N(later(60).millis().to_string()),
                        ),
                    ] {
                        kit.change(&key, name, value).await;
                    }
                } else {
                    let next = AttributeValue::N((NOON.millis() + 1).to_string());
                    kit.change(&key, "generation", next).await;
                }
                gate.wait().await;
            }
        );
        assert_eq!(outcome_of(&set), Outcome::CodeWrong, "{by}");
        assert_eq!(kit.guesses(&started.session).await, 0, "{by}");
        assert_eq!(kit.guesses_today(ANN, NOON).await, 0, "{by}");
        let shapes = kit.log.shapes();
        let writes = shapes.iter().filter(|shape| *shape == "UpdateItem SESSION");
        assert_eq!(writes.count(), 3, "{by}: charged, not claimed, given back");
        // Two charges are written and given back; a claim that is refused writes nothing.
        assert_eq!(kit.log.write_units(), 4, "{by}");
    }
}
