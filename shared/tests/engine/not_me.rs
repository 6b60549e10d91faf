//! A person disowns a change of the password by the link of its notice: the account is blocked.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::not_me::NotMeToken;
use regain::timestamp::Timestamp;
use regain::users::User;

use crate::kit::{
    ANN, CODE_KEY, Kit, NOON, Outcome, PASSWORD, Version, blocked, just_before, later, outcome_of,
    set_status,
};

/// Sets a password by a code, as whoever reads the mail can.
async fn set(kit: &Kit, at: Timestamp) {
    let started = kit.start(Protocol::Directory, ANN, at).await;
    let code = kit.derived(&started.session).await;
    kit.set_with_code(&started, &code, PASSWORD, at)
        .await
        .unwrap();
}

async fn disown(kit: &Kit, token: &NotMeToken, at: Timestamp) -> Outcome {
    let token = Some(token.clone());
    outcome_of(&kit.recovery.not_me(&mut kit.call(at), token).await)
}

/// A user whose password was set at noon, and the token of its notice.
async fn changed() -> (Kit, User, NotMeToken) {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    set(&kit, NOON).await;
    let token = kit.notice(NOON).await;
    (kit, user, token)
}

#[tokio::test]
async fn the_link_of_a_notice_blocks_the_account_and_voids_its_proofs() {
    let (kit, user, token) = changed().await;
    let proven = kit.start(Protocol::AuthV1, ANN, later(1)).await;
    let code = kit.derived(&proven.session).await;
    let proof = kit.verify(&proven, &code, later(1)).await.unwrap();
    let asked = kit.start(Protocol::AuthV1, ANN, later(1)).await;
    let code = kit.derived(&asked.session).await;
    let link = kit.derived_link(&asked.session).await;
    kit.log.reset();
    kit.records.reset();
    assert_eq!(disown(&kit, &token, later(2)).await, Outcome::Done);
    assert_eq!((kit.log.rounds(), kit.log.write_units()), (2, 2));
    assert_eq!(kit.records.events(), ["not-me blocked"]);
    let now = kit.stored(&user).await;
    assert_eq!(now.status.text(), Some("blocked"));
    assert_eq!(now.credentials_version, 2);
    assert_eq!(now.disowned_version, Some(2));
    let set = kit.set_password(&proven, &proof, PASSWORD, later(3)).await;
    assert_eq!(outcome_of(&set), Outcome::Over, "the proof is void");
    let set = kit.set_by_link(&link, PASSWORD, later(3)).await;
    assert_eq!(outcome_of(&set), Outcome::Blocked, "a link from before");
    let asked = kit.start(Protocol::AuthV1, ANN, later(3)).await;
    let late = kit.derived(&asked.session).await;
    let verified = kit.verify(&asked, &late, later(3)).await;
    assert_eq!(outcome_of(&verified), Outcome::Blocked, "a code from after");
    assert_ne!(code, "");
    assert!(kit.store.unblock(&now, "active").await.unwrap());
    assert_eq!(kit.stored(&user).await.status.text(), Some("active"));
}

#[tokio::test]
async fn a_second_use_changes_nothing_even_after_an_operator_has_unblocked_the_account() {
    let (kit, user, token) = changed().await;
    assert_eq!(disown(&kit, &token, later(1)).await, Outcome::Done);
    for unblock in [false, true] {
        if unblock {
            let read = kit.stored(&user).await;
            assert!(kit.store.unblock(&read, "active").await.unwrap());
        }
        let before = kit.dump().await;
        kit.records.reset();
        assert_eq!(disown(&kit, &token, later(2)).await, Outcome::Done);
        assert_eq!(kit.dump().await, before);
        assert_eq!(kit.records.events(), ["not-me repeated"]);
    }
    // The next change has a notice of its own.
    set(&kit, later(3)).await;
    let next = kit.notice(later(3)).await;
    assert_eq!(disown(&kit, &token, later(4)).await, Outcome::Done);
    assert_eq!(kit.stored(&user).await.status.text(), Some("active"));
    assert_eq!(disown(&kit, &next, later(4)).await, Outcome::Done);
    assert_eq!(kit.stored(&user).await.status.text(), Some("blocked"));
}

#[tokio::test]
async fn a_link_blocks_the_account_after_later_changes_too() {
    let (kit, user, token) = changed().await;
    set(&kit, later(1)).await;
    let second = kit.notice(later(1)).await;
    set(&kit, later(2)).await;
    assert_eq!(disown(&kit, &token, later(3)).await, Outcome::Done);
    let now = kit.stored(&user).await;
    assert_eq!(now.status.text(), Some("blocked"));
    assert_eq!(now.disowned_version, Some(4));
    let before = kit.dump().await;
    assert_eq!(disown(&kit, &second, later(4)).await, Outcome::Done);
    assert_eq!(kit.dump().await, before, "used with the others");
}

#[tokio::test]
async fn a_link_is_good_for_seven_days_from_the_change() {
    let end = NOON.plus(Duration::from_hours(7 * 24));
    for (at, expected) in [(end, Outcome::Over), (just_before(end), Outcome::Done)] {
        let (kit, user, token) = changed().await;
        assert_eq!(disown(&kit, &token, at).await, expected);
        let is_blocked = kit.stored(&user).await.status.is_blocked();
        assert_eq!(is_blocked, expected == Outcome::Done);
    }
}

#[tokio::test]
async fn a_link_is_over_once_the_user_has_another_address_or_is_another_one() {
    let (kit, user, token) = changed().await;
    let moved = AttributeValue::S("ann@elsewhere.example".to_owned());
    kit.change_user(&user, "email", moved).await;
    let before = kit.dump().await;
    assert_eq!(disown(&kit, &token, later(1)).await, Outcome::Over);
    assert_eq!(kit.dump().await, before);
    kit.delete(&format!("USER#{}", user.id.as_str())).await;
    assert_eq!(disown(&kit, &token, later(1)).await, Outcome::Over);
    kit.delete(&format!("EMAIL#{ANN}")).await;
    let anew = kit
        .user_like(serde_json::json!({ "id": user.id, "email": ANN }))
        .await;
    assert_eq!(disown(&kit, &token, later(1)).await, Outcome::Over);
    assert_eq!(kit.stored(&anew).await.status.text(), Some("active"));
}

#[tokio::test]
async fn garbage_costs_no_call_of_the_table() {
    let (kit, _, token) = changed().await;
    let mut forged = token.reveal().to_string();
    let last = if forged.pop() == Some('a') { 'b' } else { 'a' };
    forged.push(last);
    let forged = NotMeToken::parse(&forged).unwrap();
    kit.log.reset();
    kit.records.reset();
    assert_eq!(disown(&kit, &forged, later(1)).await, Outcome::TokenUnknown);
    let none = kit.recovery.not_me(&mut kit.call(later(1)), None).await;
    assert_eq!(outcome_of(&none), Outcome::TokenUnknown);
    assert_eq!(kit.log.calls().len(), 0);
    assert_eq!(kit.records.events(), [""; 0]);
}

#[tokio::test]
async fn a_rotation_of_the_code_key_breaks_no_link() {
    let (kit, user, token) = changed().await;
    let day = Duration::from_hours(24);
    let another = Version::current("another code key of letters and digits", NOON.plus(day));
    kit.secrets.set(CODE_KEY, [another]);
    let elsewhere = kit.another_instance();
    let mut call = kit.call(NOON.plus(day * 3));
    elsewhere.not_me(&mut call, Some(token)).await.unwrap();
    assert!(kit.stored(&user).await.status.is_blocked());
}

#[tokio::test]
async fn one_of_many_parallel_uses_blocks_and_the_others_change_nothing() {
    let (kit, user, token) = changed().await;
    kit.records.reset();
    let mut running = Vec::new();
    for _ in 0..8 {
        let (recovery, mut call) = (kit.another_instance(), kit.call(later(1)));
        let token = Some(token.clone());
        running.push(tokio::spawn(async move {
            outcome_of(&recovery.not_me(&mut call, token).await)
        }));
    }
    for outcome in running {
        assert_eq!(outcome.await.unwrap(), Outcome::Done);
    }
    assert_eq!(kit.stored(&user).await.credentials_version, 2);
    let blocking = kit.records.events();
    let blocking = blocking.iter().filter(|it| *it == "not-me blocked");
    assert_eq!(blocking.count(), 1);
}

#[tokio::test]
async fn a_user_who_changed_since_being_read_is_not_blocked_on_what_was_read() {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (name, value) in [
        ("email", text("ann@elsewhere.example")),
        ("status", text("suspended")),
        ("credentialsVersion", AttributeValue::N("9".to_owned())),
    ] {
        for version in [0_u64, 7] {
            let kit = Kit::new().await;
            let user = kit.user(ANN).await;
            let number = AttributeValue::N(version.to_string());
            kit.change_user(&user, "credentialsVersion", number).await;
            let read = kit.stored(&user).await;
            kit.change_user(&user, name, value.clone()).await;
            let before = kit.dump().await;
            assert!(!kit.store.disown(&read).await.unwrap(), "{name}");
            assert_eq!(kit.dump().await, before);
        }
    }
}

#[tokio::test]
async fn a_user_of_any_status_or_version_is_blocked_and_keeps_the_status_before() {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (status, kept) in [
        (Some(text("active")), Some(text("active"))),
        (
            Some(AttributeValue::Bool(true)),
            Some(AttributeValue::Bool(true)),
        ),
        (None, Some(AttributeValue::Null(true))),
        (Some(blocked()), None),
    ] {
        for has_version in [true, false] {
            let kit = Kit::new().await;
            let user = kit.user(ANN).await;
            let key = format!("USER#{}", user.id.as_str());
            set_status(&kit, &user, status.as_ref()).await;
            if !has_version {
                kit.forget(&key, "credentialsVersion").await;
            }
            let read = kit.stored(&user).await;
            assert!(kit.store.disown(&read).await.unwrap(), "{status:?}");
            let item = kit.item(&key).await.unwrap();
            assert_eq!(item.get("status"), Some(&blocked()));
            assert_eq!(item.get("statusBeforeBlock"), kept.as_ref());
            let one = Some(AttributeValue::N("1".to_owned()));
            assert_eq!(item.get("credentialsVersion"), one.as_ref());
            assert_eq!(item.get("disownedVersion"), one.as_ref());
            assert_eq!(item.get("mustReset"), Some(&AttributeValue::Bool(true)));
        }
    }
}

#[tokio::test]
async fn a_status_whose_type_changed_since_it_was_read_is_not_disowned() {
    for (read, now) in [
        (None, Some(AttributeValue::S("active".to_owned()))),
        (
            Some(AttributeValue::Bool(true)),
            Some(AttributeValue::S("active".to_owned())),
        ),
    ] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        set_status(&kit, &user, read.as_ref()).await;
        let was = kit.stored(&user).await;
        set_status(&kit, &user, now.as_ref()).await;
        assert!(!kit.store.disown(&was).await.unwrap(), "{read:?}");
    }
}
