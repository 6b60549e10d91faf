//! The audit trail of users who live elsewhere.

use regain::api::Protocol;

use super::{Ready, WAYS, Way, with_ann};
use crate::kit::{
    ANN, ElsewhereUser, Kit, NOON, Outcome, PASSWORD, StoreFault, Veto, later, outcome_of,
};

/// The audit records of setting Ann's password by this proof.
async fn recorded(kit: &Kit, ready: &Ready) -> Vec<String> {
    kit.records.reset();
    let _ = ready.set(kit, PASSWORD, 1).await;
    kit.records.events()
}

#[tokio::test]
async fn each_way_to_set_a_password_elsewhere_is_recorded() {
    for (way, events) in [
        (Way::Token, &["password-set token"][..]),
        (Way::Session, &["password-set session"]),
        (Way::Code, &["proven code", "password-set code"]),
        (Way::Link, &["proven link", "password-set link"]),
    ] {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        assert_eq!(recorded(&kit, &ready).await, events, "{way:?}");
        kit.records.reset();
        kit.mailed(later(1)).await;
        assert_eq!(kit.records.events(), ["mailed notice"], "{way:?}");
    }
}

#[tokio::test]
async fn a_password_that_the_store_refuses_is_recorded_as_no_more_than_the_proof() {
    for (way, events) in [
        (Way::Token, &[][..]),
        (Way::Session, &[]),
        (Way::Code, &["proven session"]),
        (Way::Link, &[]),
    ] {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.veto(Veto::Refused(vec!["reused"]));
        assert_eq!(recorded(&kit, &ready).await, events, "{way:?}");
    }
}

#[tokio::test]
async fn a_password_that_the_store_refuses_leaves_a_code_that_came_without_its_session() {
    let kit = Kit::elsewhere(&[("DIRECTORY_SESSION", "latest")]).await;
    kit.users.put(ElsewhereUser::of(ANN));
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    let alias = started.user.clone().unwrap();
    kit.users.veto(Veto::Refused(vec!["reused"]));
    kit.records.reset();
    let set = kit.set_in_newest(&alias, &code, PASSWORD, later(1)).await;
    let refused = Outcome::PasswordElsewhere(vec!["reused".to_owned()]);
    assert_eq!(outcome_of(&set), refused);
    let none: [String; 0] = [];
    assert_eq!(kit.records.events(), none, "nothing is proven yet");
    assert_eq!(kit.guesses_today(ANN, NOON).await, 0);
    kit.users.veto(Veto::None);
    let set = kit.set_in_newest(&alias, &code, PASSWORD, later(2)).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
    assert_eq!(kit.users.user(ANN).times_set, 1);
}

#[tokio::test]
async fn a_user_who_may_not_recover_is_recorded_as_blocked() {
    for (way, means) in [
        (Way::Token, "token"),
        (Way::Session, "session"),
        (Way::Code, "code"),
        (Way::Link, "link"),
    ] {
        for by_store in [true, false] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            if by_store {
                kit.users.veto(Veto::Blocked);
            } else {
                kit.users
                    .change(ANN, |ann| ann.status = "blocked".to_owned());
            }
            let events = recorded(&kit, &ready).await;
            assert_eq!(events, [format!("blocked {means}")], "{way:?}, {by_store}");
        }
    }
}

#[tokio::test]
async fn a_change_is_recorded_as_in_doubt_only_if_its_answer_was_lost() {
    for way in WAYS {
        for (fault, is_in_doubt) in [
            (StoreFault::LostAfter, true),
            (StoreFault::LostThenRefused, true),
            (StoreFault::Status(500), true),
            (StoreFault::FunctionError, false),
            (StoreFault::Status(403), false),
        ] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            kit.users.fail(fault, 2, 9);
            let events = recorded(&kit, &ready).await;
            let expected: &[&str] = match (is_in_doubt, way) {
                (true, _) => &["unanswered password"],
                (false, Way::Code) => &["unanswered guess"],
                (false, _) => &[],
            };
            assert_eq!(events, expected, "{way:?}, {fault:?}");
        }
    }
}
