//! Links: a mail's link sets the password, even if the guesses of the session or the address are spent.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::audit::Means;
use regain::link::LinkToken;
use regain::recovery::{PasswordToken, Started};
use regain::store::{FromState, Moved};
use regain::timestamp::Timestamp;
use regain_password::Reason;
use serde_json::json;

use crate::kit::{
    ANN, CODE_KEY, CODE_SECRET, Failure, Kit, LOCALE, NOBODY, NOON, Outcome, PASSWORD, Version,
    address, blocked, hashed, just_before, later, new_password, outcome_of, wrong,
};
use crate::races::{at_once, count, instances};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];

/// A session, its code, and the link that was mailed beside it.
async fn linked(kit: &Kit, protocol: Protocol, at: Timestamp) -> (Started, String, LinkToken) {
    let started = kit.start(protocol, ANN, at).await;
    let link = kit.link(at).await;
    let code = kit.derived(&started.session).await;
    (started, code, link)
}

async fn set(kit: &Kit, link: &LinkToken, at: Timestamp) -> Outcome {
    outcome_of(&kit.set_by_link(link, PASSWORD, at).await)
}

#[tokio::test]
async fn a_link_sets_the_password_of_a_session_of_either_protocol_once() {
    for protocol in BOTH {
        for proven in [false, true] {
            let kit = Kit::new().await;
            let user = kit.user(ANN).await;
            let (started, code, link) = linked(&kit, protocol, NOON).await;
            if proven {
                kit.verify(&started, &code, NOON).await.unwrap();
            }
            kit.log.reset();
            let answered = kit.set_by_link(&link, PASSWORD, later(1)).await.unwrap();
            let cost = (kit.log.rounds(), kit.log.write_units());
            assert_eq!(cost, (4, 8), "{protocol:?} {proven}");
            assert_eq!(answered.id, user.id);
            let stored = kit.stored(&user).await;
            assert_eq!(stored.credentials_version, 1);
            assert_eq!(stored.password_changed_at, Some(later(1)));
            assert!(stored.is_email_validate, "the mailbox is proven");
            assert_eq!(kit.keys("NETWORK#").await.len(), 1, "and the network");
            let session = kit.session_item(&started.session).await;
            assert_eq!(session["sessionState"].as_s().unwrap(), "used");
            assert!(!session.contains_key("claimedBy"));
            assert_eq!(kit.mailed(later(1)).await.len(), 1, "one notice");
            assert_eq!(set(&kit, &link, later(2)).await, Outcome::Over);
            let guess = kit.verify(&started, &code, later(2)).await;
            assert_eq!(outcome_of(&guess), Outcome::Over);
        }
    }
}

#[tokio::test]
async fn a_link_is_good_though_all_guesses_are_spent() {
    for protocol in BOTH {
        for day in ["1", "30"] {
            let kit = Kit::with(&[("ACCOUNT_GUESSES_PER_DAY", day)]).await;
            kit.user(ANN).await;
            let (started, code, link) = linked(&kit, protocol, NOON).await;
            for _ in 0..6 {
                kit.verify(&started, &wrong(&code), NOON).await.unwrap_err();
            }
            let spent = outcome_of(&kit.verify(&started, &code, NOON).await);
            assert!(matches!(spent, Outcome::Spent | Outcome::SpentUntil(_)));
            let before = kit.guesses_today(ANN, NOON).await;
            assert_eq!(set(&kit, &link, NOON).await, Outcome::Done, "{protocol:?}");
            assert_eq!(kit.guesses_today(ANN, NOON).await, before);
        }
    }
}

#[tokio::test]
async fn a_link_ends_with_its_code_and_with_its_session() {
    for (settings, end) in [
        (&[][..], later(600)),
        (&[("CODE_TTL_SECONDS", "3600")], later(1800)),
    ] {
        let kit = Kit::with(settings).await;
        kit.user(ANN).await;
        let (_, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
        let before = kit.dump().await;
        assert_eq!(set(&kit, &link, end).await, Outcome::Over);
        assert_eq!(kit.dump().await, before);
        assert_eq!(set(&kit, &link, just_before(end)).await, Outcome::Done);
    }
}

#[tokio::test]
async fn another_code_kills_the_link_before_it() {
    for proven in [false, true] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let (started, code, link) = linked(&kit, Protocol::AuthV1, NOON).await;
        if proven {
            kit.verify(&started, &code, NOON).await.unwrap();
        }
        kit.resend(&started.session, NOON).await.unwrap();
        let before = kit.dump().await;
        assert_eq!(set(&kit, &link, NOON).await, Outcome::TokenUnknown);
        assert_eq!(kit.dump().await, before);
        let link = kit.link(NOON).await;
        assert_eq!(set(&kit, &link, NOON).await, Outcome::Done);
    }
}

#[tokio::test]
async fn a_link_opens_nothing_for_a_user_who_has_changed_since() {
    for (change, expected) in [
        ("blocked", Outcome::Blocked),
        ("moved", Outcome::Over),
        ("deleted", Outcome::Over),
        ("password set in its millisecond", Outcome::Over),
    ] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let (started, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
        match change {
            "blocked" => kit.change_user(&user, "status", blocked()).await,
            "moved" => {
                let moved = AttributeValue::S("elsewhere@example.com".to_owned());
                kit.change_user(&user, "email", moved).await;
            }
            "deleted" => kit.delete(&format!("EMAIL#{ANN}")).await,
            _ => {
                let now = AttributeValue::N(NOON.millis().to_string());
                kit.change_user(&user, "passwordChangedAt", now).await;
            }
        }
        assert_eq!(set(&kit, &link, later(1)).await, expected, "{change}");
        let session = kit.session_item(&started.session).await;
        let is_used = session["sessionState"].as_s().unwrap() == "used";
        assert_eq!(is_used, change == "blocked", "{change}");
        assert!(!session.contains_key("claimedBy"), "{change}");
        assert_eq!(kit.keys("NETWORK#").await.len(), 0, "{change}");
    }
}

#[tokio::test]
async fn a_link_opens_nothing_for_another_user_who_has_taken_the_address_over() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let (_, _, link) = linked(&kit, Protocol::Directory, NOON).await;
    let other = kit.user("other@example.com").await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    kit.change_user(&user, "email", text("elsewhere@example.com"))
        .await;
    kit.change_user(&other, "email", text(ANN)).await;
    let lookup = format!("EMAIL#{ANN}");
    kit.change(&lookup, "userId", text(other.id.as_str())).await;
    assert_eq!(set(&kit, &link, later(1)).await, Outcome::Over);
    assert_eq!(kit.stored(&other).await.credentials_version, 0);
}

#[tokio::test]
async fn a_refused_password_leaves_the_link_good() {
    let kit = Kit::new().await;
    kit.user_like(json!({ "email": ANN, "profile": { "name": "Annabelle Winterbottom" } }))
        .await;
    let (started, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
    for (password, reason) in [
        ("short", Reason::TooShort { minimum: 8 }),
        (ANN, Reason::ContainsAddress),
        ("annabelle winterbottom", Reason::ContainsProfile),
    ] {
        let refused = kit.set_by_link(&link, password, NOON).await;
        assert_eq!(outcome_of(&refused), Outcome::Password(vec![reason]));
        let session = kit.session_item(&started.session).await;
        assert!(!session.contains_key("claimedBy"), "{password}");
    }
    assert_eq!(set(&kit, &link, NOON).await, Outcome::Done);
}

#[tokio::test]
async fn a_link_of_a_code_key_that_was_rotated_is_good_until_it_expires() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (_, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
    let versions = [
        Version::current("another secret", later(1)),
        Version::previous(CODE_SECRET, NOON),
    ];
    kit.secrets.set(CODE_KEY, versions);
    let instance = kit.another_instance();
    let token = Some(PasswordToken::Link(link));
    let mut call = kit.call(later(2));
    let set = instance.set_password_by_token(&mut call, token, new_password(PASSWORD));
    assert_eq!(outcome_of(&set.await), Outcome::Done);
}

/// Tokens that are none, each near to the right one.
fn garbage(link: &LinkToken, other: &LinkToken) -> Vec<String> {
    let text = link.reveal().to_string();
    let (session, mac) = text.split_at(64);
    let other = other.reveal().to_string();
    let (other_session, other_mac) = other.split_at(64);
    let flipped = |at: usize| {
        let mut letters: Vec<char> = text.chars().collect();
        letters[at] = if letters[at] == 'a' { 'b' } else { 'a' };
        letters.into_iter().collect::<String>()
    };
    let mut all = vec![
        String::new(),
        "a".repeat(96),
        "p".repeat(96),
        session.to_owned(),
        mac.to_owned(),
        format!("{session}{}", "a".repeat(32)),
        format!("{session}{other_mac}"),
        format!("{other_session}{mac}"),
        format!("{mac}{session}"),
        format!("{text}a"),
        text[1..].to_owned(),
        text.to_uppercase(),
        text.replace('a', "q"),
        format!(" {text}"),
        format!("#t={text}"),
        text.chars().rev().collect(),
    ];
    all.extend([0, 31, 63, 64, 80, 95].map(flipped));
    all
}

#[tokio::test]
async fn garbage_costs_one_read_at_most_and_never_holds_up_the_owners_link() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (_, _, other) = linked(&kit, Protocol::Directory, NOON).await;
    let (_, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
    let before = kit.dump().await;
    let tokens = garbage(&link, &other);
    assert!(tokens.len() >= 20);
    for text in tokens {
        kit.log.reset();
        let token = PasswordToken::parse(&text);
        let new = new_password(PASSWORD);
        let set = kit
            .recovery
            .set_password_by_token(&mut kit.call(NOON), token, new)
            .await;
        assert_eq!(outcome_of(&set), Outcome::TokenUnknown, "{text}");
        let calls = kit.log.shapes();
        assert!(
            calls.is_empty() || calls == ["GetItem SESSION"],
            "{text}: {calls:?}"
        );
    }
    assert_eq!(kit.dump().await, before);
    kit.log.reset();
    assert_eq!(set(&kit, &link, NOON).await, Outcome::Done);
    assert_eq!(kit.log.rounds(), 4, "it waited for nobody");
}

#[tokio::test]
async fn the_link_of_an_address_that_nobody_has_opens_nothing() {
    let kit = Kit::new().await;
    let started = kit.start(Protocol::AuthV1, NOBODY, NOON).await;
    let link = kit.derived_link(&started.session).await;
    assert_eq!(set(&kit, &link, NOON).await, Outcome::Over);
    assert_eq!(kit.keys("NETWORK#").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_sixteen_parallel_uses_of_a_link_hashes_and_sets_the_password() {
    for storm in [false, true] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let (started, _, link) = linked(&kit, Protocol::Directory, NOON).await;
        let link = Arc::new(link);
        kit.log.reset();
        if storm {
            kit.faults.storm(7);
        }
        let answers = at_once(&kit, &instances(&kit), 16, |recovery, number, mut call| {
            let token = Some(PasswordToken::Link(LinkToken::clone(&link)));
            async move {
                let new = new_password(&format!("{PASSWORD} {number}"));
                outcome_of(&recovery.set_password_by_token(&mut call, token, new).await)
            }
        })
        .await;
        kit.faults.clear();
        assert_eq!(count(&answers, &Outcome::Done), 1, "{answers:?}");
        assert_eq!(count(&answers, &Outcome::Over), 15, "{answers:?}");
        let shapes = kit.log.shapes();
        let hashes = shapes.iter().filter(|shape| *shape == "GetItem USER");
        assert_eq!(hashes.count(), 1);
        assert_eq!(kit.stored(&user).await.credentials_version, 1);
        let session = kit.session_item(&started.session).await;
        assert!(!session.contains_key("claimedBy"));
    }
}

#[tokio::test]
async fn a_link_whose_session_is_proven_after_its_claim_is_used_all_the_same() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, code, link) = linked(&kit, Protocol::AuthV1, NOON).await;
    // The session is read and claimed, the lookup and the user are read, and then the password is set.
    let gate = kit.faults.hold(5);
    let (set, ()) = tokio::join!(kit.set_by_link(&link, PASSWORD, NOON), async {
        gate.wait().await;
        let other = kit.another_instance();
        let (named, guess) = (crate::kit::named(&started), crate::kit::typed(&code));
        let mut call = kit.call(NOON);
        let proven = other.verify_for_token(&mut call, &named, &guess);
        proven.await.unwrap();
        gate.wait().await;
    });
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn a_link_that_meets_a_fault_is_whole_or_nothing_and_can_be_used_again() {
    for failure in [
        Failure::TimeoutBefore,
        Failure::ErrorAfter,
        Failure::ResetBefore,
    ] {
        for from in 1..=6 {
            for times in [1, 1000] {
                let kit = Kit::new().await;
                let user = kit.user(ANN).await;
                let (_, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
                kit.recovery.warm(NOON).await;
                kit.faults.fail(failure, from, times);
                let told = set(&kit, &link, later(1)).await;
                kit.faults.clear();
                let is_set = kit.stored(&user).await.credentials_version == 1;
                let what = format!("{failure:?} from {from}, {times} times");
                match told {
                    Outcome::Done => assert!(is_set, "{what}"),
                    Outcome::Unavailable => assert!(times > 1, "{what}"),
                    other => panic!("{what}: {other:?}"),
                }
                // A claim that was not given up has ended by then.
                let again = set(&kit, &link, later(5)).await;
                let expected = if is_set { Outcome::Over } else { Outcome::Done };
                assert_eq!(again, expected, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_link_is_recorded_as_the_means_of_the_proof_and_of_the_password() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let (_, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
    kit.records.reset();
    assert_eq!(set(&kit, &link, NOON).await, Outcome::Done);
    assert_eq!(kit.records.events(), ["proven link", "password-set link"]);
    kit.mailed(NOON).await;
    let (_, _, link) = linked(&kit, Protocol::AuthV1, later(1)).await;
    kit.change_user(&user, "status", blocked()).await;
    kit.records.reset();
    assert_eq!(set(&kit, &link, later(1)).await, Outcome::Blocked);
    assert_eq!(kit.records.events(), ["blocked link"]);
}

#[tokio::test]
async fn a_link_closes_a_proven_session_of_a_blocked_user() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let (started, code, link) = linked(&kit, Protocol::AuthV1, NOON).await;
    kit.verify(&started, &code, NOON).await.unwrap();
    kit.change_user(&user, "status", blocked()).await;
    assert_eq!(set(&kit, &link, NOON).await, Outcome::Blocked);
    let session = kit.session_item(&started.session).await;
    assert_eq!(session["sessionState"].as_s().unwrap(), "used");
}

#[tokio::test]
async fn a_link_of_a_blocked_user_that_comes_too_late_is_told_why() {
    for (name, value, expected) in [
        (
            "generation",
            AttributeValue::N((NOON.millis() + 1).to_string()),
            Outcome::TokenUnknown,
        ),
        (
            "sessionState",
            AttributeValue::S("used".to_owned()),
            Outcome::Over,
        ),
    ] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let (started, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
        kit.change_user(&user, "status", blocked()).await;
        let key = format!("SESSION#{}", started.session.reference().hex());
        // The session is read and claimed, the lookup and the user are read, and then the session is closed.
        let gate = kit.faults.hold(5);
        let (told, ()) = tokio::join!(set(&kit, &link, NOON), async {
            gate.wait().await;
            kit.change(&key, name, value).await;
            gate.wait().await;
        });
        assert_eq!(told, expected, "{name}");
    }
}

#[tokio::test]
async fn a_link_closes_nothing_that_was_used_since_it_was_read() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
    let reference = started.session.reference();
    let read = kit.store.session(&reference).await.unwrap().unwrap();
    assert_eq!(set(&kit, &link, NOON).await, Outcome::Done);
    let by = kit.claimant();
    let closed = kit
        .store
        .close(&read, FromState::Either, &by)
        .await
        .unwrap();
    assert!(matches!(closed, Moved::SessionChanged(_)));
    let hash = hashed(PASSWORD).await;
    let user = kit.store.user_of(&address(ANN)).await.unwrap().unwrap();
    let again = kit
        .store
        .set_password(&read, Means::Link, &user, &hash, LOCALE, NOON);
    assert!(matches!(again.await.unwrap(), Moved::SessionChanged(_)));
}

#[tokio::test]
async fn a_link_claims_nothing_that_ended_since_it_was_read() {
    let number = |number: i64| AttributeValue::N(number.to_string());
    let now = NOON.millis();
    for (name, value, expected) in [
        ("codeExpiresAt", number(now), Outcome::Over),
        ("sessionExpiresAt", number(now), Outcome::Over),
        ("generation", number(now + 1), Outcome::TokenUnknown),
        (
            "sessionState",
            AttributeValue::S("used".to_owned()),
            Outcome::Over,
        ),
    ] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let (started, _, link) = linked(&kit, Protocol::AuthV1, NOON).await;
        let key = format!("SESSION#{}", started.session.reference().hex());
        kit.log.reset();
        // The session is read, and then claimed.
        let gate = kit.faults.hold(2);
        let (told, ()) = tokio::join!(set(&kit, &link, NOON), async {
            gate.wait().await;
            kit.change(&key, name, value).await;
            gate.wait().await;
        });
        assert_eq!(told, expected, "{name}");
        assert_eq!(kit.log.write_units(), 0, "{name}");
    }
}
