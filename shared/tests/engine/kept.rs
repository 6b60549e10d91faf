//! What the table keeps of addresses and callers, and until when.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::keys::IndexKeys;
use regain::session::Session;
use regain::store::Moved;
use regain::timestamp::Timestamp;
use regain::users::User;

use crate::kit::{
    ANN, INDEX_SECRET, Kit, LOCALE, NOON, Outcome, PASSWORD, address, hashed, in_directory, keyed,
    later, outcome_of, wrong,
};

/// The counts that the address's state holds, in order.
async fn counts(kit: &Kit) -> Vec<String> {
    let key = kit.keys("ADDRESS#").await.remove(0);
    let state = kit.item(&key).await.unwrap();
    let names = state.into_keys();
    names
        .filter(|name| name.contains("Hour") || name.contains("Day"))
        .collect()
}

#[tokio::test]
async fn a_count_is_removed_by_the_next_count_of_another_hour_or_day() {
    let kit = Kit::new().await;
    let midnight = NOON.next_day();
    let (before, after) = (
        midnight.minus(Duration::from_mins(1)),
        midnight.plus(Duration::from_mins(1)),
    );
    let hour = |at: Timestamp| format!("codesHour{}", at.hour());
    let day = |at: Timestamp| format!("codesDay{}", at.day());
    let guesses = |at: Timestamp| format!("guessesDay{}", at.day());

    let started = kit.start(Protocol::AuthV1, ANN, before).await;
    let code = wrong(&kit.derived(&started.session).await);
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, before).await),
        Outcome::CodeWrong
    );
    assert_eq!(
        counts(&kit).await,
        [day(before), hour(before), guesses(before)]
    );

    kit.resend(&started.session, after).await.unwrap();
    assert_eq!(
        counts(&kit).await,
        [day(after), hour(after), guesses(before)]
    );
    let code = wrong(&kit.derived(&started.session).await);
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, after).await),
        Outcome::CodeWrong
    );
    assert_eq!(
        counts(&kit).await,
        [day(after), hour(after), guesses(after)]
    );

    let later = after.plus(Duration::from_hours(24));
    kit.start(Protocol::AuthV1, ANN, later).await;
    assert_eq!(
        counts(&kit).await,
        [day(later), hour(later), guesses(after)]
    );
}

#[tokio::test]
async fn code_mail_requests_are_kept_for_a_day_and_notices_for_two_weeks() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    kit.set_with_code(&started, &code, PASSWORD, NOON)
        .await
        .unwrap();
    for (key, item) in kit.dump().await {
        let days = match key.rsplit('#').next() {
            _ if !key.starts_with("MAIL#") => continue,
            Some("changed") => 14,
            _ => 1,
        };
        assert_eq!(item["expiresAt"], seconds(later(days * 24 * 3600)), "{key}");
    }
}

#[tokio::test]
async fn a_mail_request_is_never_written_over() {
    let sent = AttributeValue::S("sent".to_owned());
    for by in [
        "a request",
        "another code",
        "a password",
        "a password with its code",
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let keyed = || keyed(Protocol::Directory, ANN);
        let started = kit.request(keyed(), NOON).await.unwrap();
        let reference = started.session.reference().hex();
        let (session, first) = (format!("SESSION#{reference}"), NOON.millis());
        let code = kit.derived(&started.session).await;
        let there = match by {
            "a request" => format!("MAIL#{reference}#{first}"),
            "another code" => format!("MAIL#{reference}#{}", first + 1),
            _ => format!("MAIL#{reference}#{first}#changed"),
        };
        kit.change(&there, "outcome", sent.clone()).await;
        let before = match by {
            "a password" => {
                kit.verify(&started, &code, NOON).await.unwrap();
                kit.dump().await
            }
            "a request" => {
                // Its key would begin the session anew, in the same millisecond.
                let long_ago = AttributeValue::N("0".to_owned());
                kit.change(&session, "startedAt", long_ago).await;
                kit.dump().await
            }
            _ => kit.dump().await,
        };
        let told = match by {
            "a request" => outcome_of(&kit.request(keyed(), NOON).await),
            "another code" => {
                let named = in_directory(&started);
                let mut call = kit.call(NOON);
                outcome_of(&kit.recovery.resend(&mut call, &named, LOCALE).await)
            }
            "a password" => outcome_of(&kit.set_in_directory(&started, PASSWORD, NOON).await),
            _ => outcome_of(&kit.set_with_code(&started, &code, PASSWORD, NOON).await),
        };
        // What another code would be for may have been asked for by somebody else just now.
        let expected = match by {
            "another code" => Outcome::Unavailable,
            _ => Outcome::Broken,
        };
        assert_eq!(told, expected, "{by}");
        let item = kit.item(&there).await.unwrap();
        assert_eq!(Some(&item), before.get(&there), "{by}");
    }
}

/// What is done to the address's state ten seconds after noon.
async fn written(kit: &Kit, user: &User, by: &str) {
    let (store, at) = (&kit.store, later(10));
    let key = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    let read = store
        .session(&started.session.reference())
        .await
        .unwrap()
        .unwrap();
    let Session::Awaiting(awaiting) = read.clone() else {
        panic!("{read:?}");
    };
    let hash = hashed(PASSWORD).await;
    let moved = match by {
        "a request" => {
            kit.start(Protocol::Directory, ANN, at).await;
            return;
        }
        "another code" => {
            kit.resend(&started.session, at).await.unwrap();
            return;
        }
        "a guess" => {
            let guess = kit.verify(&started, &wrong(&code), at).await;
            assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
            return;
        }
        "a password" => {
            let proof = kit.verify(&started, &code, NOON).await.unwrap();
            kit.set_password(&started, &proof, PASSWORD, at)
                .await
                .unwrap();
            return;
        }
        // These come with a charge, which was just before.
        "a proof" => {
            let proven = awaiting.charged().prove(user.id.clone(), 0, None, at);
            store.prove(&proven, &key, user, at).await
        }
        "the end of a session" => store.close(&read, &key, at).await,
        _ => {
            store
                .set_password(&read, &key, user, &hash, LOCALE, at)
                .await
        }
    };
    assert!(matches!(moved.unwrap(), Moved::Done), "{by}");
}

#[tokio::test]
async fn every_write_keeps_the_counts_of_an_address_for_two_more_days() {
    for by in [
        "a request",
        "another code",
        "a guess",
        "a proof",
        "the end of a session",
        "a password",
        "a password with its code",
    ] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        written(&kit, &user, by).await;
        let key = kit.keys("ADDRESS#").await.remove(0);
        let state = kit.item(&key).await.unwrap();
        assert_eq!(state["expiresAt"], seconds(later(10 + 48 * 3600)), "{by}");
    }
}

#[tokio::test]
async fn the_counts_of_a_caller_are_kept_for_two_hours_after_its_last_code() {
    let kit = Kit::with(&[("IP_REQUESTS_PER_HOUR", "9")]).await;
    let kept = async || {
        let key = kit.keys("CALLER#").await.remove(0);
        kit.item(&key).await.unwrap().remove("expiresAt")
    };
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert_eq!(kept().await, Some(seconds(later(7200))));
    kit.resend(&started.session, later(10)).await.unwrap();
    assert_eq!(kept().await, Some(seconds(later(7210))));
}

fn seconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N((at.millis() / 1000).to_string())
}
