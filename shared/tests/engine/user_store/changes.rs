//! Users who change in the store, and passwords that void what was asked for before.

use regain::api::Protocol;
use regain::link::LinkToken;
use regain::recovery::Started;

use super::{Ready, WAYS, Way, with_ann};
use crate::kit::{ANN, Kit, NOON, Outcome, PASSWORD, StoreFault, later, outcome_of, wrong};

#[tokio::test]
async fn a_user_who_changed_in_between_is_read_again() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.fail(StoreFault::ChangedBefore, 2, 1);
        let outcome = ready.outcome(&kit, 1).await;
        let asked = kit.users.operations();
        match way {
            // The proof was given for other credentials.
            Way::Token | Way::Session => {
                assert_eq!(outcome, Outcome::Over, "{way:?}");
                assert_eq!(asked, ["find", "set-password", "find"], "{way:?}");
                assert_eq!(kit.users.user(ANN).times_set, 0, "{way:?}");
            }
            // The mailbox is proven now.
            Way::Code | Way::Link => {
                assert_eq!(outcome, Outcome::Done, "{way:?}");
                let twice = ["find", "set-password", "find", "set-password"];
                assert_eq!(asked, twice, "{way:?}");
                assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_user_who_changes_all_the_time_is_read_four_times() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Link).await;
    kit.users
        .fail(StoreFault::Nonsense(r#"{"outcome": "changed"}"#), 2, 1);
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done);
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Link).await;
    kit.users.fail(StoreFault::ChangedBefore, 1, 99);
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Unavailable);
    assert_eq!(kit.users.operations().len(), 8);
}

/// A session that Ann has asked for at that time, and its code and link.
async fn asked(kit: &Kit, protocol: Protocol, seconds: u64) -> (Started, String, LinkToken) {
    let started = kit.start(protocol, ANN, later(seconds)).await;
    let code = kit.derived(&started.session).await;
    let link = kit.derived_link(&started.session).await;
    (started, code, link)
}

#[tokio::test]
async fn a_password_that_is_set_elsewhere_voids_what_was_asked_for_before() {
    for way in WAYS {
        let kit = with_ann().await;
        let (by_code, code, _) = asked(&kit, Protocol::AuthV1, 0).await;
        let (_, _, link) = asked(&kit, Protocol::Directory, 0).await;
        let (proven, its_code, _) = asked(&kit, Protocol::AuthV1, 0).await;
        let proof = kit.verify(&proven, &its_code, later(1)).await.unwrap();
        let (later_on, its_code, _) = asked(&kit, Protocol::Directory, 20).await;
        kit.deliver(NOON).await;
        let ready = Ready::new(&kit, way).await;
        assert_eq!(ready.outcome(&kit, 10).await, Outcome::Done, "{way:?}");

        let guessed = kit.verify(&by_code, &wrong(&code), later(30)).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeWrong, "{way:?}");
        let guessed = kit.verify(&by_code, &code, later(30)).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeExpired, "{way:?}");
        let set = kit.set_by_link(&link, PASSWORD, later(30)).await;
        assert_eq!(outcome_of(&set), Outcome::Over, "{way:?}");
        let set = kit.set_password(&proven, &proof, PASSWORD, later(30)).await;
        assert_eq!(outcome_of(&set), Outcome::Over, "{way:?}");
        let set = kit
            .set_with_code(&later_on, &its_code, PASSWORD, later(30))
            .await;
        assert_eq!(outcome_of(&set), Outcome::Done, "asked for afterwards");
        assert_eq!(kit.users.user(ANN).times_set, 2, "{way:?}");
    }
}

#[tokio::test]
async fn a_password_that_the_store_itself_has_changed_voids_proofs_and_no_codes() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.change(ANN, |ann| ann.version += 1);
        let expected = match way {
            Way::Token | Way::Session => Outcome::Over,
            Way::Code | Way::Link => Outcome::Done,
        };
        assert_eq!(ready.outcome(&kit, 1).await, expected, "{way:?}");
    }
}

#[tokio::test]
async fn a_link_is_good_for_the_user_as_found_even_if_its_session_has_an_older_proof() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Link).await;
    kit.verify(&ready.started, &ready.code, NOON).await.unwrap();
    kit.users.change(ANN, |ann| ann.version += 1);
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done);
    assert_eq!(kit.users.user(ANN).times_set, 1);
}

#[tokio::test]
async fn a_use_whose_answer_was_lost_is_not_repeated_once_another_password_was_set() {
    for way in WAYS {
        let kit = with_ann().await;
        let lost = Ready::new(&kit, way).await;
        let other = Ready::new(&kit, Way::Link).await;
        kit.users.fail(StoreFault::LostAfter, 2, 2);
        let outcome = lost.outcome(&kit, 1).await;
        assert_eq!(outcome, Outcome::Unavailable, "{way:?}");
        kit.users.reset();
        let set = other.set(&kit, "a copper lantern 9", 2).await;
        assert_eq!(outcome_of(&set), Outcome::Done, "{way:?}");
        kit.users.reset();
        let expected = match way {
            Way::Code => Outcome::CodeExpired,
            Way::Token | Way::Session | Way::Link => Outcome::Over,
        };
        assert_eq!(lost.outcome(&kit, 3).await, expected, "{way:?}");
        assert_eq!(kit.users.operations(), ["find"], "{way:?}");
        assert_eq!(kit.users.user(ANN).times_set, 2, "{way:?}");
    }
}

#[tokio::test]
async fn a_code_that_was_asked_for_while_the_store_set_the_password_is_void() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        let (between, code, _) = asked(&kit, Protocol::AuthV1, 3).await;
        let (afterwards, its_code, _) = asked(&kit, Protocol::AuthV1, 6).await;
        // The call came at noon, and the store answers five seconds later.
        let call = kit.call(NOON).timed_by(|| later(5));
        ready.set_in(&kit, call, PASSWORD).await.unwrap();
        let guessed = kit.verify(&between, &code, later(7)).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeExpired, "{way:?}");
        let guessed = kit.verify(&afterwards, &its_code, later(7)).await;
        assert_eq!(outcome_of(&guessed), Outcome::Done, "{way:?}");
    }
}

#[tokio::test]
async fn a_user_who_has_moved_to_another_address_elsewhere_is_not_asked_about() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users
            .change(ANN, |ann| ann.email = "ann@example.org".to_owned());
        let expected = match way {
            // As for anybody who has no account.
            Way::Code => Outcome::CodeWrong,
            Way::Token | Way::Session | Way::Link => Outcome::Over,
        };
        assert_eq!(ready.outcome(&kit, 1).await, expected, "{way:?}");
        assert_eq!(kit.users.operations(), ["find"], "{way:?}");
        assert_eq!(kit.users.user("ann@example.org").times_set, 0);
        let charged = u32::from(way == Way::Code);
        assert_eq!(kit.guesses_today(ANN, NOON).await, charged, "{way:?}");
    }
}
