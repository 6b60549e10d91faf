//! Sessions side by side, and what ends them: their use, and a password that was set.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::recovery::Started;
use regain::timestamp::Timestamp;
use regain::users::User;
use regain_password::{Candidate, Cost, Verified as Password, verify};
use zeroize::Zeroizing;

use crate::kit::{
    ANN, Kit, NOON, Outcome, PASSWORD, Verified, in_directory, later, new_password, outcome_of,
    wrong,
};

const AUTH: Protocol = Protocol::AuthV1;
const DIRECTORY: Protocol = Protocol::Directory;

/// A session whose code is proven.
pub(crate) async fn validated(kit: &Kit, protocol: Protocol, at: Timestamp) -> (Started, Verified) {
    let started = kit.start(protocol, ANN, at).await;
    let code = kit.code(at).await;
    let proof = kit.verify(&started, &code, at).await.unwrap();
    (started, proof)
}

fn opens(user: &User, password: &str) -> bool {
    let password = Candidate::new(Zeroizing::new(password.to_owned()));
    let cost = Cost::new(Cost::MIN_MEMORY_KIB, Cost::MIN_ITERATIONS, 1).unwrap();
    let hash = user.password_hash.as_ref().unwrap().read().unwrap();
    verify(&password, &hash, &cost) == Password::Yes
}

#[tokio::test]
async fn a_request_leaves_every_earlier_session_of_the_address_as_it_was() {
    for first in [AUTH, DIRECTORY] {
        for second in [AUTH, DIRECTORY] {
            let kit = Kit::new().await;
            kit.user(ANN).await;
            let old = kit.start(first, ANN, NOON).await;
            let old_code = kit.code(NOON).await;
            let before = kit.session_item(&old.session).await;
            let new = kit.start(second, ANN, NOON).await;
            let new_code = kit.code(NOON).await;
            assert_eq!(kit.session_item(&old.session).await, before);
            for (session, other) in [(&old, &new_code), (&new, &old_code)] {
                let guess = kit.verify(session, other, NOON).await;
                assert_eq!(outcome_of(&guess), Outcome::CodeWrong, "another's code");
            }
            for (session, code) in [(&old, &old_code), (&new, &new_code)] {
                let guess = kit.verify(session, code, NOON).await;
                assert_eq!(outcome_of(&guess), Outcome::Done, "{first:?} {second:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_password_that_was_set_leaves_its_session_used() {
    for at_once in [false, true] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(DIRECTORY, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let set = if at_once {
            kit.set_with_code(&started, &code, PASSWORD, NOON).await
        } else {
            kit.verify(&started, &code, NOON).await.unwrap();
            kit.set_in_directory(&started, PASSWORD, NOON).await
        };
        assert_eq!(outcome_of(&set), Outcome::Done);
        let session = kit.session_item(&started.session).await;
        assert_eq!(session["sessionState"].as_s().unwrap(), "used", "{at_once}");
    }
}

#[tokio::test]
async fn a_session_that_gets_another_code_keeps_nothing_of_its_proof() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(AUTH, ANN, NOON).await;
    let begun: Vec<String> = kit
        .session_item(&started.session)
        .await
        .into_keys()
        .collect();
    let code = kit.code(NOON).await;
    kit.verify(&started, &code, NOON).await.unwrap();
    assert!(kit.session_item(&started.session).await.len() > begun.len());
    kit.resend(&started.session, NOON).await.unwrap();
    let mut renewed = kit.session_item(&started.session).await;
    let mark = renewed.remove("proven");
    assert!(mark.is_some(), "that there was one is still known");
    let renewed: Vec<String> = renewed.into_keys().collect();
    assert_eq!(renewed, begun);
}

#[tokio::test]
async fn a_request_leaves_a_validated_session_validated() {
    for first in [AUTH, DIRECTORY] {
        for second in [AUTH, DIRECTORY] {
            let kit = Kit::new().await;
            kit.user(ANN).await;
            let (started, proof) = validated(&kit, first, NOON).await;
            kit.start(second, ANN, NOON).await;
            let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
            assert_eq!(outcome_of(&set), Outcome::Done, "{first:?} {second:?}");
        }
    }
}

#[tokio::test]
async fn a_session_gets_another_code_whatever_others_have_asked_for_since() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (proven, _) = validated(&kit, AUTH, NOON).await;
    let awaiting = kit.start(AUTH, ANN, NOON).await;
    kit.code(NOON).await;
    kit.start(DIRECTORY, ANN, NOON).await;
    kit.code(NOON).await;
    for session in [&proven, &awaiting] {
        kit.resend(&session.session, NOON).await.unwrap();
        let code = kit.code(NOON).await;
        let guess = kit.verify(session, &code, NOON).await;
        assert_eq!(outcome_of(&guess), Outcome::Done);
    }
}

#[tokio::test]
async fn setting_a_password_voids_all_that_was_asked_for_before() {
    for how in ["token", "proof", "code"] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let (proven_in_auth, auth_proof) = validated(&kit, AUTH, NOON).await;
        let (proven_in_directory, directory_proof) = validated(&kit, DIRECTORY, NOON).await;
        let mut awaiting = Vec::new();
        for protocol in [AUTH, DIRECTORY] {
            // Asked for in the very millisecond in which the password is set.
            let started = kit.start(protocol, ANN, later(1)).await;
            awaiting.push((started, kit.code(later(1)).await));
        }
        let protocol = if how == "token" { AUTH } else { DIRECTORY };
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let set = if how == "code" {
            kit.set_with_code(&started, &code, PASSWORD, later(1)).await
        } else {
            let proof = kit.verify(&started, &code, NOON).await.unwrap();
            kit.set_password(&started, &proof, PASSWORD, later(1)).await
        };
        let answered = set.unwrap();
        let stored = kit.stored(&user).await;
        assert_eq!(stored.credentials_version, 1);
        assert_eq!(stored.password_changed_at, Some(later(1)));
        assert!(stored.is_email_validate && answered.is_email_validate);
        assert!(opens(&stored, PASSWORD));
        for (session, code) in &awaiting {
            let wrong = kit.verify(session, &wrong(code), later(2)).await;
            assert_eq!(outcome_of(&wrong), Outcome::CodeWrong, "is told as wrong");
            let right = kit.verify(session, code, later(2)).await;
            assert_eq!(outcome_of(&right), Outcome::CodeExpired, "{how}");
            assert_eq!(
                kit.guesses(&session.session).await,
                1,
                "a void code costs nothing"
            );
        }
        assert_eq!(kit.guesses_today(ANN, NOON).await, 2);
        let (session, code) = &awaiting[1];
        let set = kit.set_with_code(session, code, "another password 8", later(2));
        assert_eq!(outcome_of(&set.await), Outcome::CodeExpired, "{how}");
        assert_eq!(kit.guesses(&session.session).await, 1);
        assert!(
            !kit.session_item(&session.session)
                .await
                .contains_key("claimedBy")
        );
        for (other, proof) in [
            (&proven_in_auth, &auth_proof),
            (&proven_in_directory, &directory_proof),
        ] {
            let set = kit
                .set_password(other, proof, "another password 8", later(2))
                .await;
            assert_eq!(outcome_of(&set), Outcome::Over, "{how}");
        }
        assert_eq!(kit.stored(&user).await.credentials_version, 1);
        kit.mailed(later(2)).await;
        let next = kit.start(protocol, ANN, later(3)).await;
        let code = kit.code(later(3)).await;
        let again = kit.verify(&next, &code, later(3)).await;
        assert_eq!(
            outcome_of(&again),
            Outcome::Done,
            "the next recovery is as good as the first"
        );
    }
}

#[tokio::test]
async fn a_code_asked_for_after_the_password_was_set_is_good() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let proven_before = validated(&kit, AUTH, NOON).await.0;
    let awaiting = kit.start(AUTH, ANN, NOON).await;
    kit.code(NOON).await;
    let (started, proof) = validated(&kit, DIRECTORY, NOON).await;
    let set = kit.set_password(&started, &proof, PASSWORD, later(1)).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
    kit.mailed(later(1)).await;
    for (session, at) in [(&awaiting, later(2)), (&proven_before, later(3))] {
        kit.resend(&session.session, at).await.unwrap();
        let code = kit.code(at).await;
        let proof = kit.verify(session, &code, at).await.unwrap();
        let set = kit.set_password(session, &proof, PASSWORD, at).await;
        assert_eq!(outcome_of(&set), Outcome::Done);
        kit.mailed(at).await;
    }
}

#[tokio::test]
async fn a_password_counts_from_when_it_is_written_and_not_from_when_it_was_sent() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let (started, proof) = validated(&kit, DIRECTORY, NOON).await;
    let Verified::User = proof else {
        panic!("the Directory API hands out no token");
    };
    // While the password is hashed, a code is asked for.
    let between = kit.start(AUTH, ANN, later(1)).await;
    let code = kit.code(later(1)).await;
    let mut call = kit.call(NOON).timed_by(|| later(2));
    let named = in_directory(&started);
    let set = kit
        .recovery
        .set_password(&mut call, &named, new_password(PASSWORD));
    assert_eq!(set.await.unwrap().password_changed_at, Some(later(2)));
    assert_eq!(kit.stored(&user).await.password_changed_at, Some(later(2)));
    let guess = kit.verify(&between, &code, later(3)).await;
    assert_eq!(outcome_of(&guess), Outcome::CodeExpired);
}

#[tokio::test]
async fn a_code_that_another_program_set_a_password_after_is_void_and_its_session_goes_on() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let started = kit.start(AUTH, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let changed = AttributeValue::N(later(1).millis().to_string());
    kit.change_user(&user, "passwordChangedAt", changed).await;
    let guess = kit.verify(&started, &code, later(2)).await;
    assert_eq!(outcome_of(&guess), Outcome::CodeExpired);
    kit.resend(&started.session, later(3)).await.unwrap();
    let code = kit.code(later(3)).await;
    let guess = kit.verify(&started, &code, later(3)).await;
    assert_eq!(outcome_of(&guess), Outcome::Done);
}

#[tokio::test]
async fn a_changed_password_sends_one_notice_that_holds_no_secret() {
    for protocol in [AUTH, DIRECTORY] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let (started, proof) = validated(&kit, protocol, NOON).await;
        kit.set_password(&started, &proof, PASSWORD, NOON)
            .await
            .unwrap();
        let again = kit.set_password(&started, &proof, PASSWORD, NOON).await;
        assert_eq!(outcome_of(&again), Outcome::Over);
        let notices: Vec<_> = kit.mailed(NOON).await;
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].template, "stack-password-changed-en");
        assert_eq!(notices[0].to, [ANN]);
        let names: Vec<_> = notices[0]
            .data
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, ["notMeLink", "serviceName", "serviceNameHtml"]);
    }
}

#[tokio::test]
async fn another_code_helps_a_caller_who_lost_the_token_even_after_the_proof_ended() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, _) = validated(&kit, AUTH, NOON).await;
    kit.resend(&started.session, later(900)).await.unwrap();
    let code = kit.code(later(900)).await;
    let proof = kit.verify(&started, &code, later(901)).await.unwrap();
    let set = kit
        .set_password(&started, &proof, PASSWORD, later(902))
        .await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn a_renewed_code_never_outlives_its_session() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(AUTH, ANN, NOON).await;
    kit.resend(&started.session, later(1700)).await.unwrap();
    let mails = kit.mailed(later(1700)).await;
    let mail = mails.last().unwrap();
    assert_eq!(mail.data["validFor"], "1 minute", "and the mail says so");
    let item = kit.session_item(&started.session).await;
    assert_eq!(item["codeExpiresAt"], item["sessionExpiresAt"]);
    let guess = kit.verify(&started, &mail.code(), later(1800)).await;
    assert_eq!(outcome_of(&guess), Outcome::Over);
    let end = crate::kit::just_before(later(1800));
    let proof = kit.verify(&started, &mail.code(), end).await.unwrap();
    let set = kit
        .set_password(&started, &proof, PASSWORD, later(1800))
        .await;
    assert_eq!(outcome_of(&set), Outcome::Over, "nor does a proof");
}

#[tokio::test]
async fn an_expired_code_does_not_end_its_session() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(AUTH, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let before = kit.dump().await;
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, later(600)).await),
        Outcome::CodeExpired
    );
    assert_eq!(kit.dump().await, before, "and spends no guess");
    kit.resend(&started.session, later(600)).await.unwrap();
    let code = kit.code(later(600)).await;
    assert_eq!(
        outcome_of(&kit.verify(&started, &code, later(601)).await),
        Outcome::Done
    );
}
