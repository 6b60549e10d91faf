//! The answers of a user store, and what each of them leads to.

use regain_password::{Candidate, Cost, PasswordHash, Reason};
use serde_json::json;
use zeroize::Zeroizing;

use super::{BOTH, Ready, WAYS, Way, notices, with_ann};
use crate::kit::{ANN, NOON, Outcome, PASSWORD, StoreFault, Veto, later, outcome_of};

#[tokio::test]
async fn a_password_is_set_elsewhere_by_each_way() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        let user = ready.set(&kit, PASSWORD, 1).await.unwrap();
        assert_eq!(user.id.as_str(), "id of ann@example.com", "{way:?}");
        assert!(user.is_email_validate, "{way:?}");
        let ann = kit.users.user(ANN);
        assert_eq!((ann.times_set, ann.version), (1, 1), "{way:?}");
        let hash = PasswordHash::parse(&ann.password.unwrap()).unwrap();
        let password = Candidate::new(Zeroizing::new(PASSWORD.to_owned()));
        let cost = Cost::new(19_456, 2, 1).unwrap();
        let verified = regain_password::verify(&password, &hash, &cost);
        assert_eq!(verified, regain_password::Verified::Yes, "{way:?}");
        assert_eq!(kit.users.operations(), ["find", "set-password"], "{way:?}");
        assert_eq!(ready.outcome(&kit, 2).await, Outcome::Over, "{way:?}");
        let mails = kit.mailed(later(2)).await;
        assert_eq!(mails.len(), 1, "{way:?}");
        assert_eq!(mails[0].to, [ANN], "{way:?}");
        for kind in ["USER#", "EMAIL#"] {
            assert!(kit.keys(kind).await.is_empty(), "{kind}");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_the_store_reaches_the_caller_and_leaves_the_proof() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users
            .veto(Veto::Refused(vec!["reused", "too_personal"]));
        let refused = Outcome::PasswordElsewhere(vec!["reused".into(), "too_personal".into()]);
        assert_eq!(ready.outcome(&kit, 1).await, refused, "{way:?}");
        assert_eq!(kit.users.user(ANN).times_set, 0, "{way:?}");
        assert_eq!(notices(&kit).await, 0, "{way:?}");
        kit.users.veto(Veto::None);
        if way == Way::Code {
            // The code is used. The session is validated, so that the person can go on without it.
            assert_eq!(ready.outcome(&kit, 2).await, Outcome::CodeWrong);
            let set = kit
                .set_in_directory(&ready.started, PASSWORD, later(3))
                .await;
            assert_eq!(outcome_of(&set), Outcome::Done);
        } else {
            assert_eq!(ready.outcome(&kit, 2).await, Outcome::Done, "{way:?}");
        }
        assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}");
        assert_eq!(kit.guesses_today(ANN, NOON).await, 0, "{way:?}");
    }
}

#[tokio::test]
async fn a_user_whom_the_store_blocks_is_told_so_and_the_session_is_used() {
    for way in WAYS {
        for status in ["active", "suspended"] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            if status == "active" {
                kit.users.veto(Veto::Blocked);
            }
            kit.users.change(ANN, |ann| ann.status = status.to_owned());
            let what = format!("{way:?}, {status}");
            assert_eq!(ready.outcome(&kit, 1).await, Outcome::Blocked, "{what}");
            kit.users.veto(Veto::None);
            kit.users
                .change(ANN, |ann| ann.status = "active".to_owned());
            assert_eq!(ready.outcome(&kit, 2).await, Outcome::Over, "{what}");
            assert_eq!(kit.users.user(ANN).times_set, 0, "{what}");
        }
    }
}

#[tokio::test]
async fn a_right_code_of_a_blocked_user_elsewhere_uses_the_session() {
    for protocol in BOTH {
        let kit = with_ann().await;
        kit.users
            .change(ANN, |ann| ann.status = "blocked".to_owned());
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.derived(&started.session).await;
        let guessed = kit.verify(&started, &code, NOON).await;
        assert_eq!(outcome_of(&guessed), Outcome::Blocked);
        let guessed = kit.verify(&started, &code, NOON).await;
        assert_eq!(outcome_of(&guessed), Outcome::Over);
    }
}

#[tokio::test]
async fn a_password_of_words_that_the_store_knows_of_the_user_is_refused() {
    for way in WAYS {
        let kit = with_ann().await;
        let more = json!({
            "context": ["Catherine"], "directory": { "profile": { "pet": "Mittens" } },
        });
        kit.users.change(ANN, |ann| ann.more = more);
        for password in ["Catherine99", "mittens-1"] {
            let ready = Ready::new(&kit, way).await;
            let set = ready.set(&kit, password, 1).await;
            let refused = Outcome::Password(vec![Reason::ContainsProfile]);
            assert_eq!(outcome_of(&set), refused, "{way:?}: {password}");
            assert_eq!(kit.users.user(ANN).times_set, 0);
        }
    }
}

#[tokio::test]
async fn the_directory_api_answers_what_the_store_knows_of_the_user() {
    let kit = with_ann().await;
    let more = json!({ "directory": { "phone": "+62 811", "roles": ["buyer"] } });
    kit.users.change(ANN, |ann| ann.more = more);
    let ready = Ready::new(&kit, Way::Code).await;
    let user = ready.set(&kit, PASSWORD, 1).await.unwrap();
    assert_eq!(
        (user.phone.as_str(), user.roles),
        ("+62 811", vec![json!("buyer")])
    );
    assert!(user.profile.is_empty() && user.meta.is_empty() && user.identities.is_empty());
}

#[tokio::test]
async fn the_answer_says_that_the_mailbox_is_proven_whatever_the_store_says() {
    let done = r#"{"outcome": "done", "user": {"id": "id of ann@example.com", "email": "ann@example.com", "status": "active", "credentialsVersion": "v1", "emailVerified": false}}"#;
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.fail(StoreFault::Nonsense(done), 2, 1);
        let user = ready.set(&kit, PASSWORD, 1).await.unwrap();
        assert!(user.is_email_validate, "{way:?}");
    }
}
