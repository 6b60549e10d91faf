//! What else is done with a session while its password is being set elsewhere: it waits for the outcome.
//!
//! The store may have set the password before the table can record it. So the claim decides here which of several
//! calls wins.

use std::pin::pin;

use futures_util::future::{Either, join_all, select};
use regain::api::Protocol;
use regain::recovery::RecoveryError;
use regain::timestamp::Timestamp;
use regain::users::User;

use super::{BOTH, Ready, Way, notices, with_ann};
use crate::claims::claimed_until;
use crate::kit::{ANN, Kit, NOON, Outcome, PASSWORD, Verified, later, outcome_of};

const OTHER: &str = "a copper lantern 9";

/// A recovery over that API that has come as far as the setting of the password.
async fn ready(kit: &Kit, way: Way, protocol: Protocol) -> Ready {
    let started = kit.start(protocol, ANN, NOON).await;
    let link = kit.derived_link(&started.session).await;
    Ready::of(kit, way, started, link).await
}

/// Sets the password as is ready, and does something else once the store has set it. The store answers when that is
/// done, or has waited: when the table was asked for so many writes to sessions since.
async fn beside(
    kit: &Kit,
    ready: &Ready,
    writes: usize,
    other: impl Future<Output = Result<User, RecoveryError>>,
) -> [Outcome; 2] {
    let held = kit.users.hold();
    let (first, second) = tokio::join!(ready.set(kit, PASSWORD, 1), async {
        held.set().await;
        kit.log.reset();
        let waits = async {
            let is_write = |shape: &&String| *shape == "UpdateItem SESSION";
            while kit.log.shapes().iter().filter(is_write).count() < writes {
                tokio::task::yield_now().await;
            }
        };
        let other = pin!(other);
        match select(other, pin!(waits)).await {
            Either::Left((second, _)) => {
                held.release();
                second
            }
            Either::Right(((), other)) => {
                held.release();
                other.await
            }
        }
    });
    [outcome_of(&first), outcome_of(&second)]
}

#[tokio::test]
async fn a_code_is_not_proven_while_its_session_sets_a_password_elsewhere() {
    for (way, protocol) in [
        (Way::Code, Protocol::Directory),
        (Way::Link, Protocol::Directory),
        (Way::Link, Protocol::AuthV1),
    ] {
        let kit = with_ann().await;
        let ready = ready(&kit, way, protocol).await;
        let other = async {
            let proof = kit.verify(&ready.started, &ready.code, later(1)).await?;
            let set = kit.set_password(&ready.started, &proof, OTHER, later(1));
            set.await
        };
        // A charge, its return, and four looks at the claim.
        let told = Box::pin(beside(&kit, &ready, 6, other)).await;
        assert_eq!(
            told,
            [Outcome::Done, Outcome::Over],
            "{way:?}, {protocol:?}"
        );
        assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}, {protocol:?}");
        assert_eq!(notices(&kit).await, 1, "{way:?}, {protocol:?}");
        assert_eq!(kit.guesses(&ready.started.session).await, 0);
        assert_eq!(kit.guesses_today(ANN, NOON).await, 0);
    }
}

#[tokio::test]
async fn another_code_or_link_opens_nothing_while_its_session_sets_a_password_elsewhere() {
    for way in [Way::Token, Way::Link] {
        for by_link in [false, true] {
            let kit = with_ann().await;
            let ready = ready(&kit, way, Protocol::AuthV1).await;
            let session = &ready.started.session;
            let other = async {
                kit.resend(session, later(1)).await?;
                if by_link {
                    let link = kit.derived_link(session).await;
                    return kit.set_by_link(&link, OTHER, later(1)).await;
                }
                let code = kit.derived(session).await;
                let proof = kit.verify(&ready.started, &code, later(1)).await?;
                let set = kit.set_password(&ready.started, &proof, OTHER, later(1));
                set.await
            };
            // Four looks at the claim. A code is charged and given back before.
            let writes = if by_link { 4 } else { 6 };
            let told = Box::pin(beside(&kit, &ready, writes, other)).await;
            let expected = [Outcome::Done, Outcome::Over];
            assert_eq!(told, expected, "{way:?}, {by_link}");
            assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}, {by_link}");
        }
    }
}

#[tokio::test]
async fn a_code_waits_for_a_claim_that_was_left_behind_no_longer_than_it_lasts() {
    let cases = BOTH.into_iter().flat_map(|protocol| {
        let ends = [(later(1), Outcome::Done), (later(60), Outcome::Unavailable)];
        ends.map(|(end, expected)| a_code_beside_a_claim(protocol, end, expected))
    });
    // All of them wait at the same time.
    join_all(cases).await;
}

/// Types the code of a session that a process claimed until then, and died.
async fn a_code_beside_a_claim(protocol: Protocol, end: Timestamp, expected: Outcome) {
    let kit = with_ann().await;
    let started = kit.start(protocol, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    claimed_until(&kit, &started, end).await;
    let verified = kit.verify(&started, &code, NOON).await;
    assert_eq!(outcome_of(&verified), expected, "{protocol:?}");
    assert_eq!(kit.guesses(&started.session).await, 0);
    assert_eq!(kit.guesses_today(ANN, NOON).await, 0);
    if expected == Outcome::Done {
        let proof: Verified = verified.unwrap();
        let set = kit.set_password(&started, &proof, PASSWORD, later(1)).await;
        assert_eq!(outcome_of(&set), Outcome::Done);
    }
}
