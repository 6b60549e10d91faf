//! The questions to a user store: their form, and when they are asked.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::ids::UserId;
use regain::keys::IndexKeys;
use regain::recovery::Started;
use serde_json::{Value, json};

use super::{BOTH, Ready, WAYS, Way, with_ann};
use crate::kit::{
    ANN, ElsewhereUser, INDEX_SECRET, Kit, NOBODY, NOON, Outcome, PASSWORD, StoreFault, Veto,
    address, named, outcome_of, request, typed, wrong,
};

#[tokio::test]
async fn questions_are_of_the_form_that_every_user_store_reads() {
    let kit = with_ann().await;
    let id = "id of ann@example.com";
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let token = Ready::new(&kit, Way::Token).await;
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    kit.verify(&started, &code, NOON).await.unwrap();
    let mut asked = kit.users.questions();
    let key = asked[1]["key"].take();
    assert_eq!(
        asked,
        [
            json!({ "version": 1, "operation": "find", "address": ANN }),
            json!({
                "version": 1, "operation": "email-proven", "id": id, "address": ANN, "key": null,
            }),
        ]
    );
    assert!(is_key(&key), "{key}");
    kit.users.reset();
    token.set(&kit, PASSWORD, 1).await.unwrap();
    let mut asked = kit.users.questions();
    let (key, hash) = (asked[1]["key"].take(), asked[1]["passwordHash"].take());
    assert_eq!(
        asked,
        [
            json!({ "version": 1, "operation": "find", "id": id }),
            json!({
                "version": 1, "operation": "set-password", "id": id, "address": ANN,
                "credentialsVersion": "v0", "key": null, "passwordHash": null, "emailProven": true,
            }),
        ]
    );
    assert!(is_key(&key), "{key}");
    assert!(hash.as_str().unwrap().starts_with("$argon2id$"), "{hash}");
}

/// Whether this is 64 hexadecimal digits in lower case.
fn is_key(key: &Value) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    let key = key.as_str().unwrap();
    key.len() == 64 && key.chars().all(is_digit)
}

#[tokio::test]
async fn a_store_that_hashes_by_itself_is_given_the_password_in_clear() {
    for way in WAYS {
        let kit = Kit::elsewhere(&[("USER_STORE_PASSWORD", "plain")]).await;
        kit.users.put(ElsewhereUser::of(ANN));
        let ready = Ready::new(&kit, way).await;
        ready.set(&kit, PASSWORD, 1).await.unwrap();
        let asked = &kit.users.questions()[1];
        assert_eq!(asked["password"], PASSWORD, "{way:?}");
        assert!(asked.get("passwordHash").is_none(), "{way:?}");
    }
}

#[tokio::test]
async fn the_key_of_a_use_is_the_same_for_each_repetition_and_another_for_another_password() {
    let kit = with_ann().await;
    kit.users.veto(Veto::Refused(vec!["reused"]));
    let ready = Ready::new(&kit, Way::Token).await;
    for password in [PASSWORD, PASSWORD, "a copper lantern 9"] {
        ready.set(&kit, password, 1).await.unwrap_err();
    }
    let another = Ready::new(&kit, Way::Token).await;
    let keys: Vec<Value> = {
        let asked = kit.users.questions();
        assert!(asked.is_empty());
        ready.set(&kit, PASSWORD, 1).await.unwrap_err();
        ready.set(&kit, PASSWORD, 2).await.unwrap_err();
        ready.set(&kit, "a copper lantern 9", 3).await.unwrap_err();
        another.set(&kit, PASSWORD, 4).await.unwrap_err();
        let asked = kit.users.questions().into_iter();
        asked
            .filter(|it| it["operation"] == "set-password")
            .map(|it| it["key"].clone())
            .collect()
    };
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2], "another password");
    assert_ne!(keys[0], keys[3], "another session");
    kit.resend(&ready.started.session, NOON).await.unwrap();
    let code = kit.derived(&ready.started.session).await;
    let proof = kit.verify(&ready.started, &code, NOON).await.unwrap();
    kit.users.reset();
    let set = kit.set_password(&ready.started, &proof, PASSWORD, NOON);
    set.await.unwrap_err();
    let asked = kit.users.questions();
    assert_ne!(keys[0], asked[1]["key"], "another code of the session");
}

#[tokio::test]
async fn calls_before_a_proven_code_are_the_same_whether_or_not_somebody_has_the_address() {
    for protocol in BOTH {
        let mut seen = Vec::new();
        for email in [ANN, NOBODY] {
            let kit = with_ann().await;
            let mut calls = Vec::new();
            let mut note = |outcome: Outcome| {
                calls.push((outcome, kit.log.shapes(), kit.log.write_units()));
                kit.log.reset();
            };
            let started = kit.request(request(protocol, email), NOON).await;
            note(outcome_of(&started));
            let started = started.unwrap();
            let code = wrong(&kit.derived(&started.session).await);
            for guess in ["none", &code, &code] {
                note(outcome_of(&kit.verify(&started, guess, NOON).await));
            }
            if protocol == Protocol::AuthV1 {
                note(outcome_of(&kit.resend(&started.session, NOON).await));
            }
            assert_eq!(kit.users.questions(), [] as [Value; 0], "{email}");
            kit.deliver(NOON).await;
            note(Outcome::Done);
            let mails = kit.keys("MAIL#").await.len();
            assert_eq!(kit.users.operations(), vec!["find"; mails], "{email}");
            seen.push(calls);
        }
        assert_eq!(seen[0], seen[1], "{protocol:?}");
    }
}

#[tokio::test]
async fn the_directory_api_answers_an_alias_to_everybody_until_the_proof() {
    let kit = with_ann().await;
    let keys = IndexKeys::new(INDEX_SECRET.as_bytes());
    for email in [ANN, NOBODY] {
        kit.log.reset();
        let started = kit.start(Protocol::Directory, email, NOON).await;
        let alias = keys.decoy(&address(email), kit.settings().user_id_format);
        assert_eq!(started.user, Some(alias), "{email}");
        assert_eq!(kit.log.rounds(), 1, "nobody is looked up");
    }
    let ready = Ready::new(&kit, Way::Code).await;
    let other = kit.with_other_user(&ready.started);
    let real = Started {
        user: Some(UserId::elsewhere("id of ann@example.com".to_owned())),
        ..ready.started.clone()
    };
    for started in [other, real] {
        let set = kit
            .set_with_code(&started, &ready.code, PASSWORD, NOON)
            .await;
        assert_eq!(outcome_of(&set), Outcome::OtherUser);
    }
    let user = ready.set(&kit, PASSWORD, 1).await.unwrap();
    assert_eq!(user.id.as_str(), "id of ann@example.com");
}

#[tokio::test]
async fn a_right_code_of_an_address_that_nobody_has_elsewhere_is_a_wrong_one() {
    for protocol in BOTH {
        let kit = with_ann().await;
        let started = kit.start(protocol, NOBODY, NOON).await;
        let code = kit.derived(&started.session).await;
        let guessed = kit.verify(&started, &code, NOON).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeWrong);
        assert_eq!(kit.guesses_today(NOBODY, NOON).await, 1);
        assert_eq!(kit.guesses(&started.session).await, 1);
    }
}

#[tokio::test]
async fn a_user_with_another_address_than_asked_for_counts_as_nobody() {
    let kit = with_ann().await;
    let answer = r#"{"user": {"id": "7", "email": "bob@example.com", "status": "active", "credentialsVersion": "v1"}}"#;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    kit.users.fail(StoreFault::Nonsense(answer), 1, 1);
    let guessed = kit.verify(&started, &code, NOON).await;
    assert_eq!(outcome_of(&guessed), Outcome::CodeWrong);
    kit.users.fail(StoreFault::Nonsense(answer), 1, 9);
    assert_eq!(kit.mailed(NOON).await, []);
    assert_eq!(kit.ses.mails(), [], "mail goes to nobody else");
}

#[tokio::test]
async fn a_store_is_told_of_a_proven_mailbox_before_the_proof_is_bound_to_a_version() {
    for (verified, asked) in [
        (Some(false), &["find", "email-proven"][..]),
        (Some(true), &["find"]),
        (None, &["find"]),
    ] {
        for protocol in BOTH {
            let kit = with_ann().await;
            kit.users.change_version_by_proofs();
            kit.users.change(ANN, |ann| ann.email_verified = verified);
            let started = kit.start(protocol, ANN, NOON).await;
            let code = kit.derived(&started.session).await;
            let proof = kit.verify(&started, &code, NOON).await.unwrap();
            assert_eq!(kit.users.operations(), asked, "{verified:?}");
            let version = kit.users.user(ANN).credentials_version();
            let bound = &kit.session_item(&started.session).await["credentialsVersion"];
            assert_eq!(*bound, AttributeValue::S(version), "{verified:?}");
            let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
            assert_eq!(outcome_of(&set), Outcome::Done, "{verified:?}");
            assert_ne!(kit.users.user(ANN).email_verified, Some(false));
        }
    }
}

#[tokio::test]
async fn a_user_who_changes_while_the_store_is_told_of_the_mailbox_is_found_again() {
    let changed = StoreFault::Nonsense(r#"{"outcome": "changed"}"#);
    let kit = with_ann().await;
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    kit.users.fail(changed, 2, 1);
    let proof = kit.verify(&started, &code, NOON).await.unwrap();
    let asked = kit.users.operations();
    assert_eq!(asked, ["find", "email-proven", "find", "email-proven"]);
    assert_eq!(kit.users.user(ANN).email_verified, Some(true));
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn the_key_of_a_proven_mailbox_is_the_same_for_each_repetition() {
    let kit = with_ann().await;
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    let mut asked = Vec::new();
    for _ in 0..2 {
        kit.users.fail(StoreFault::LostBefore, 2, 2);
        let guessed = kit.verify(&started, &code, NOON).await;
        assert_eq!(outcome_of(&guessed), Outcome::Unavailable);
        asked.extend(kit.users.questions().split_off(1));
    }
    assert_eq!(asked.len(), 4, "a lost answer is asked for once more");
    assert!(asked.iter().all(|it| *it == asked[0]), "{asked:?}");
}

#[tokio::test]
async fn the_answer_to_a_right_code_says_that_the_mailbox_is_proven() {
    let kit = with_ann().await;
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let guess = typed(&kit.derived(&started.session).await);
    let (mut call, lookup) = (kit.call(NOON), named(&started));
    let verified = kit.recovery.verify(&mut call, &lookup, &guess).await;
    assert!(verified.unwrap().is_email_validate);
}

#[tokio::test]
async fn a_session_that_began_with_users_elsewhere_goes_on_with_users_in_the_table() {
    let kit = with_ann().await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let guess = typed(&kit.derived(&started.session).await);
    let user = kit.user(ANN).await;
    let (mut call, lookup) = (kit.call(NOON), named(&started));
    let deployed = kit.with_settings(&[]);
    let verified = deployed.verify(&mut call, &lookup, &guess).await;
    assert_eq!(verified.unwrap().id, user.id);
}
