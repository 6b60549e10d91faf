//! Users who are blocked, move away, change their credentials or do not exist.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::users::User;
use serde_json::json;

use crate::kit::{
    ANN, Kit, NOBODY, NOON, Outcome, PASSWORD, blocked, later, outcome_of, set_status, wrong,
};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];

#[tokio::test]
async fn a_block_is_revealed_only_after_the_right_code_and_the_session_is_then_used() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        kit.change_user(&user, "status", blocked()).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        assert_eq!(
            outcome_of(&kit.verify(&started, &wrong(&code), NOON).await),
            Outcome::CodeWrong
        );
        assert_eq!(
            outcome_of(&kit.verify(&started, "malformed", NOON).await),
            Outcome::CodeWrong
        );
        assert_eq!(
            outcome_of(&kit.verify(&started, &code, NOON).await),
            Outcome::Blocked
        );
        assert_eq!(
            kit.guesses(&started.session).await,
            1,
            "the right guess is given back"
        );
        assert_eq!(kit.guesses_today(ANN, NOON).await, 1);
        assert_eq!(
            outcome_of(&kit.verify(&started, &code, NOON).await),
            Outcome::Over
        );
        if protocol == Protocol::AuthV1 {
            assert_eq!(
                outcome_of(&kit.resend(&started.session, NOON).await),
                Outcome::Over
            );
        }
        assert!(
            !kit.stored(&user).await.is_email_validate,
            "nothing about the user changes"
        );
        assert_eq!(kit.mailed(NOON).await, []);
    }
}

#[tokio::test]
async fn a_blocked_user_who_sends_code_and_password_is_told_so_and_the_session_is_used() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.change_user(&user, "status", blocked()).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let set = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Blocked);
    assert_eq!(kit.guesses_today(ANN, NOON).await, 0);
    let set = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Over);
    let stored = kit.stored(&user).await;
    assert_eq!(
        (stored.password_hash, stored.credentials_version),
        (None, 0)
    );
}

async fn block(kit: &Kit, user: &User) {
    kit.change_user(user, "status", blocked()).await;
}

async fn move_away(kit: &Kit, user: &User) {
    let elsewhere = AttributeValue::S("elsewhere@example.com".to_owned());
    kit.change_user(user, "email", elsewhere).await;
}

async fn change_credentials(kit: &Kit, user: &User) {
    let version = AttributeValue::N("1".to_owned());
    kit.change_user(user, "credentialsVersion", version).await;
}

#[tokio::test]
async fn a_proof_is_void_once_the_user_is_blocked_moved_away_or_has_other_credentials() {
    for protocol in BOTH {
        for (change, expected) in [
            ("blocked", Outcome::Blocked),
            ("moved", Outcome::Over),
            ("re-credentialed", Outcome::Over),
        ] {
            let kit = Kit::new().await;
            let user = kit.user(ANN).await;
            let started = kit.start(protocol, ANN, NOON).await;
            let code = kit.code(NOON).await;
            let proof = kit.verify(&started, &code, NOON).await.unwrap();
            match change {
                "blocked" => block(&kit, &user).await,
                "moved" => move_away(&kit, &user).await,
                _ => change_credentials(&kit, &user).await,
            }
            let set = kit.set_password(&started, &proof, PASSWORD, later(1)).await;
            assert_eq!(outcome_of(&set), expected, "{protocol:?} {change}");
            let stored = kit.stored(&user).await;
            assert_eq!(stored.password_hash, None, "{protocol:?} {change}");
            if change == "blocked" {
                let active = AttributeValue::S("active".to_owned());
                kit.change_user(&user, "status", active).await;
                let set = kit.set_password(&started, &proof, PASSWORD, later(2)).await;
                assert_eq!(outcome_of(&set), Outcome::Over, "the session is used");
            }
        }
    }
}

#[tokio::test]
async fn a_password_set_with_a_code_validates_the_mailbox() {
    for at_once in [false, true] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let started = kit.start(Protocol::Directory, ANN, NOON).await;
        let code = kit.code(NOON).await;
        if at_once {
            let set = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
            assert!(set.unwrap().is_email_validate);
        } else {
            kit.verify(&started, &code, NOON).await.unwrap();
            // The directory may have said otherwise since the proof.
            let unproven = AttributeValue::Bool(false);
            kit.change_user(&user, "isEmailValidate", unproven).await;
            let set = kit.set_in_directory(&started, PASSWORD, NOON).await;
            assert!(set.unwrap().is_email_validate);
        }
        assert!(kit.stored(&user).await.is_email_validate);
    }
}

/// Statuses that are not understood, and `None` for no status at all.
fn odd_statuses() -> Vec<Option<AttributeValue>> {
    let texts = [
        "Blocked",
        "BLOCKED",
        "blocked ",
        "disabled",
        "suspended",
        "",
        " ",
        "inactive",
        "act ive",
    ];
    let mut all: Vec<_> = texts
        .map(|text| Some(AttributeValue::S(text.to_owned())))
        .into();
    all.extend([
        Some(AttributeValue::N("1".to_owned())),
        Some(AttributeValue::Bool(true)),
        Some(AttributeValue::Null(true)),
        Some(AttributeValue::L(vec![AttributeValue::S(
            "active".to_owned(),
        )])),
        Some(AttributeValue::M(
            [("blocked".to_owned(), AttributeValue::Bool(true))].into(),
        )),
        Some(AttributeValue::Ss(vec!["active".to_owned()])),
        Some(AttributeValue::B(b"active".to_vec().into())),
        None,
    ]);
    all
}

#[tokio::test]
async fn a_status_that_is_not_listed_is_refused_once_the_code_is_proven_and_not_before() {
    for status in odd_statuses() {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        set_status(&kit, &user, status.as_ref()).await;
        let started = kit.start(Protocol::Directory, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let guess = kit.verify(&started, &wrong(&code), NOON).await;
        assert_eq!(outcome_of(&guess), Outcome::CodeWrong, "{status:?}");
        let set = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
        assert_eq!(outcome_of(&set), Outcome::Blocked, "{status:?}");
        let set = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
        assert_eq!(
            outcome_of(&set),
            Outcome::Over,
            "{status:?}: the session is used"
        );
        assert_eq!(kit.stored(&user).await.password_hash, None, "{status:?}");
    }
}

#[tokio::test]
async fn a_status_that_is_not_listed_any_more_is_refused_after_the_proof() {
    for status in odd_statuses() {
        for protocol in BOTH {
            let kit = Kit::new().await;
            let user = kit.user(ANN).await;
            let started = kit.start(protocol, ANN, NOON).await;
            let code = kit.code(NOON).await;
            let proof = kit.verify(&started, &code, NOON).await.unwrap();
            set_status(&kit, &user, status.as_ref()).await;
            let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
            assert_eq!(outcome_of(&set), Outcome::Blocked, "{status:?}");
            assert_eq!(kit.stored(&user).await.password_hash, None, "{status:?}");
        }
    }
}

#[tokio::test]
async fn every_spelling_of_a_listed_status_recovers_and_is_not_rewritten() {
    for status in ["active", "ACTIVE", " Active ", "Pending review"] {
        for at_once in [false, true] {
            let kit = Kit::with(&[("RECOVERABLE_STATUSES", "active, PENDING REVIEW")]).await;
            let user = kit
                .user_like(json!({ "email": ANN, "status": status }))
                .await;
            let started = kit.start(Protocol::Directory, ANN, NOON).await;
            let code = kit.code(NOON).await;
            let set = if at_once {
                kit.set_with_code(&started, &code, PASSWORD, NOON).await
            } else {
                let proof = kit.verify(&started, &code, NOON).await.unwrap();
                kit.set_password(&started, &proof, PASSWORD, NOON).await
            };
            assert_eq!(outcome_of(&set), Outcome::Done, "{status:?}");
            assert_eq!(kit.stored(&user).await.status.text(), Some(status));
        }
    }
}

#[tokio::test]
async fn a_user_who_was_written_without_a_version_recovers_like_any_other() {
    for at_once in [false, true] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let key = format!("USER#{}", user.id.as_str());
        kit.forget(&key, "credentialsVersion").await;
        let started = kit.start(Protocol::Directory, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let set = if at_once {
            kit.set_with_code(&started, &code, PASSWORD, NOON).await
        } else {
            let proof = kit.verify(&started, &code, NOON).await.unwrap();
            kit.set_password(&started, &proof, PASSWORD, NOON).await
        };
        assert_eq!(outcome_of(&set), Outcome::Done);
        assert_eq!(kit.stored(&user).await.credentials_version, 1);
    }
}

#[tokio::test]
async fn another_spelling_of_the_address_is_not_a_move() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let proof = kit.verify(&started, &code, NOON).await.unwrap();
    let spelled = AttributeValue::S("Ann@Example.COM".to_owned());
    kit.change_user(&user, "email", spelled).await;
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn the_right_code_for_an_unknown_address_is_wrong_and_charged() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        let started = kit.start(protocol, NOBODY, NOON).await;
        let code = kit.derived(&started.session).await;
        for spent in 1..=5 {
            assert_eq!(
                outcome_of(&kit.verify(&started, &code, NOON).await),
                Outcome::CodeWrong
            );
            assert_eq!(kit.guesses(&started.session).await, spent);
            assert_eq!(kit.guesses_today(NOBODY, NOON).await, spent);
        }
        assert_eq!(
            outcome_of(&kit.verify(&started, &code, NOON).await),
            Outcome::Spent
        );
    }
}

#[tokio::test]
async fn the_right_code_with_a_password_for_an_unknown_address_is_a_wrong_guess() {
    let kit = Kit::new().await;
    let started = kit.start(Protocol::Directory, NOBODY, NOON).await;
    let code = kit.derived(&started.session).await;
    let set = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::CodeWrong);
    assert_eq!(kit.guesses(&started.session).await, 1);
}

#[tokio::test]
async fn a_user_who_moved_is_not_reached_by_the_old_address() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.derived(&started.session).await;
        move_away(&kit, &user).await;
        assert_eq!(
            kit.mailed(NOON).await,
            [],
            "nothing is mailed to either address"
        );
        assert_eq!(
            outcome_of(&kit.verify(&started, &code, NOON).await),
            Outcome::CodeWrong
        );
    }
}

#[tokio::test]
async fn a_user_created_after_the_decoy_was_answered_is_not_reached_by_it() {
    let kit = Kit::new().await;
    let started = kit.start(Protocol::Directory, NOBODY, NOON).await;
    let code = kit.derived(&started.session).await;
    let user = kit.user(NOBODY).await;
    assert_ne!(started.user.as_ref(), Some(&user.id));
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, NOON).await),
        Outcome::CodeWrong
    );
}

#[tokio::test]
async fn a_decoy_has_the_form_of_the_directorys_ids_and_never_changes() {
    for format in ["objectid", "uuid"] {
        let kit = Kit::with(&[("USER_ID_FORMAT", format)]).await;
        let known = kit.user(ANN).await;
        let told = kit
            .start(Protocol::Directory, ANN, NOON)
            .await
            .user
            .unwrap();
        assert_eq!(told, known.id);
        let decoy = kit
            .start(Protocol::Directory, NOBODY, NOON)
            .await
            .user
            .unwrap();
        let again = kit
            .start(Protocol::Directory, "Nobody@EXAMPLE.com", later(1))
            .await;
        assert_eq!(Some(&decoy), again.user.as_ref());
        assert!(kit.settings().user_id_format.fits(decoy.as_str()));
        let other = kit
            .start(Protocol::Directory, "nobody2@example.com", NOON)
            .await;
        assert_ne!(Some(decoy), other.user);
    }
}

#[tokio::test]
async fn a_proven_code_validates_the_mailbox() {
    for protocol in BOTH {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        assert!(!kit.stored(&user).await.is_email_validate);
        kit.verify(&started, &code, NOON).await.unwrap();
        assert!(kit.stored(&user).await.is_email_validate);
        assert_eq!(kit.stored(&user).await.credentials_version, 0);
    }
}

#[tokio::test]
async fn whoever_has_to_reset_the_password_has_done_so_with_a_recovery() {
    for protocol in [Protocol::Directory, Protocol::AuthV1] {
        let kit = Kit::new().await;
        let user = kit
            .user_like(json!({ "email": ANN, "mustReset": true }))
            .await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let proof = kit.verify(&started, &code, later(1)).await.unwrap();
        assert!(kit.stored(&user).await.must_reset, "a proof is not enough");
        kit.log.reset();
        let set = kit.set_password(&started, &proof, PASSWORD, later(2)).await;
        assert!(!set.unwrap().must_reset);
        assert_eq!(kit.log.write_units(), 7, "no write more");
        assert!(!kit.stored(&user).await.must_reset);
        let key = format!("USER#{}", user.id.as_str());
        let item = kit.item(&key).await.unwrap();
        assert!(!item.contains_key("mustReset"), "{item:?}");
    }
}

#[tokio::test]
async fn a_blocked_user_is_told_so_whichever_answer_of_the_table_was_lost() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.change_user(&user, "status", crate::kit::blocked())
        .await;
    kit.recovery.warm(NOON).await;
    let mut calls = 1;
    let mut from = 0;
    while from < calls {
        from += 1;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let code = kit.derived(&started.session).await;
        kit.log.reset();
        kit.faults.fail(crate::kit::Failure::ResetAfter, from, 1);
        let told = outcome_of(&kit.verify(&started, &code, NOON).await);
        kit.faults.clear();
        assert_eq!(told, Outcome::Blocked, "the answer to call {from}");
        calls = kit.log.calls().len();
    }
    assert!(from >= 6, "{from}");
}
