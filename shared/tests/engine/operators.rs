//! Operators' writes: users who are imported or blocked, and throttles that are cleared. Each write has the
//! condition that nobody else has written since the read.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::keys::IndexKeys;
use regain::users::{ImportRules, Imported, User, import};
use serde_json::{Value, json};

use crate::kit::{
    ANN, INDEX_SECRET, Kit, NOON, Outcome, address, blocked, hashed, outcome_of, set_status, wrong,
};

const OTHER: &str = "other@example.com";

fn key(user: &User) -> String {
    format!("USER#{}", user.id.as_str())
}

/// Writes a user over what was read as `before`.
async fn put(kit: &Kit, user: &User, before: Option<&User>) -> bool {
    let old = before.map(|before| address(&before.email));
    kit.store
        .put_user(user, &address(&user.email), before, old.as_ref())
        .await
        .unwrap()
}

/// The ways in which a user may have changed since being read.
async fn change(kit: &Kit, user: &User, what: &str) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let (name, value) = match what {
        "blocked" => ("status", blocked()),
        "moved" => ("email", text("elsewhere@example.com")),
        _ => ("credentialsVersion", AttributeValue::N("7".to_owned())),
    };
    kit.change_user(user, name, value).await;
}

#[tokio::test]
async fn a_new_user_takes_no_id_and_no_address_of_another_user() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    let before = kit.dump().await;
    let other = User {
        email: OTHER.to_owned(),
        ..ann.clone()
    };
    assert!(!put(&kit, &other, None).await, "the id is taken");
    let other: User = serde_json::from_value(json!({
        "id": "60115a65c0c6974f894f9ea6", "email": ANN, "status": "active",
    }))
    .unwrap();
    assert!(!put(&kit, &other, None).await, "the address is taken");
    assert_eq!(kit.dump().await, before);
}

#[tokio::test]
async fn a_user_who_changed_since_being_read_is_not_overwritten() {
    for version in [0, 3] {
        for what in ["blocked", "moved", "re-credentialed"] {
            let kit = Kit::new().await;
            let user = kit
                .user_like(json!({ "email": ANN, "credentialsVersion": version }))
                .await;
            change(&kit, &user, what).await;
            let before = kit.dump().await;
            let renamed = User {
                phone: "1".to_owned(),
                ..user.clone()
            };
            assert!(!put(&kit, &renamed, Some(&user)).await, "{what}");
            assert_eq!(kit.dump().await, before, "{what}");
        }
    }
}

#[tokio::test]
async fn a_user_who_moves_frees_the_old_address_and_takes_no_others() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    let moved = User {
        email: OTHER.to_owned(),
        ..ann.clone()
    };
    assert!(put(&kit, &moved, Some(&ann)).await);
    assert_eq!(kit.keys("EMAIL#").await, [format!("EMAIL#{OTHER}")]);

    // The old address may be somebody else's by the time it is freed, or nobody's.
    for taken in [true, false] {
        let kit = Kit::new().await;
        let ann = kit.user(ANN).await;
        let astray = User {
            email: "astray@example.com".to_owned(),
            ..ann.clone()
        };
        kit.change_user(&ann, "email", AttributeValue::S(astray.email.clone()))
            .await;
        if taken {
            kit.user(&astray.email).await;
        }
        let before = kit.dump().await;
        let moved = User {
            email: OTHER.to_owned(),
            ..ann
        };
        assert_eq!(put(&kit, &moved, Some(&astray)).await, !taken);
        assert_eq!(kit.dump().await == before, taken);
    }
}

#[tokio::test]
async fn a_line_without_changes_writes_nothing() {
    let kit = Kit::new().await;
    let rules = ImportRules::of(kit.settings());
    for (line, counts) in [
        (r#"{"email": "ann@example.com"}"#, (1, 0, 0)),
        (r#"{"email": "ann@example.com"}"#, (0, 0, 1)),
        (r#"{"email": "ann@example.com", "phone": "1"}"#, (0, 1, 0)),
        (r#"{"email": "ann@example.com", "phone": "1"}"#, (0, 0, 1)),
    ] {
        let (imported, _) = import(&kit.store, &rules, line, NOON, &mut kit.rng())
            .await
            .unwrap();
        let told = (imported.created, imported.updated, imported.unchanged);
        assert_eq!(told, counts, "{line}");
    }
}

#[tokio::test]
async fn a_line_without_an_id_does_not_change_a_user_who_has_another_address() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    // Moved by another program, which left the lookup of the old address behind.
    let elsewhere = AttributeValue::S("elsewhere@example.com".to_owned());
    kit.change_user(&ann, "email", elsewhere).await;
    let before = kit.dump().await;
    let rules = ImportRules::of(kit.settings());
    let line = json!({ "email": ANN, "phone": "1", "password": "somebody else's own" });
    let refused = import(&kit.store, &rules, &line.to_string(), NOON, &mut kit.rng()).await;
    let refused = refused.unwrap_err().to_string();
    let id = ann.id.as_str();
    let reason =
        format!("line 1: \"email\" leads to the user {id}, who does not have that address");
    assert!(refused.contains(&reason), "{refused}");
    assert_eq!(kit.dump().await, before);

    let line = json!({ "id": id, "email": ANN });
    let (imported, _) = import(&kit.store, &rules, &line.to_string(), NOON, &mut kit.rng())
        .await
        .unwrap();
    assert_eq!(imported.updated, 1, "an id says who is meant");
    assert_eq!(kit.stored(&ann).await.email, ANN);
}

#[tokio::test]
async fn a_user_who_moved_during_an_import_without_an_id_stays_unchanged() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    let line = json!({ "email": ANN, "phone": "1" });
    let imported = import_while(&kit, &line, async || {
        let elsewhere = AttributeValue::S("elsewhere@example.com".to_owned());
        kit.change_user(&ann, "email", elsewhere).await;
    });
    let refused = imported.await.unwrap_err();
    assert!(refused.contains("does not have that address"), "{refused}");
    let stored = kit.stored(&ann).await;
    assert_eq!(
        (stored.email.as_str(), stored.phone.as_str()),
        ("elsewhere@example.com", "")
    );
}

/// Values that other programs may have stored as a status.
fn odd_statuses() -> [AttributeValue; 5] {
    [
        AttributeValue::N("1".to_owned()),
        AttributeValue::Bool(true),
        AttributeValue::Null(true),
        AttributeValue::M([("blocked".to_owned(), AttributeValue::Bool(true))].into()),
        AttributeValue::Ss(vec!["active".to_owned()]),
    ]
}

/// Brings a line in while something happens between its user being read and written.
async fn import_while(
    kit: &Kit,
    line: &Value,
    meanwhile: impl AsyncFnOnce(),
) -> Result<Imported, String> {
    let store = kit.another_store();
    let (line, rules) = (line.to_string(), ImportRules::of(kit.settings()));
    let mut rng = kit.rng();
    // The lookup and the user are read, and then the transaction is held.
    let gate = kit.faults.hold(3);
    let (imported, ()) = tokio::join!(import(&store, &rules, &line, NOON, &mut rng), async {
        gate.wait().await;
        meanwhile().await;
        gate.wait().await;
    });
    imported
        .map(|(imported, _)| imported)
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn changes_made_during_an_import_are_not_overwritten() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    // A recovery meanwhile: the mailbox is proven, and the password stays.
    let hash = AttributeValue::S(hashed("the new password").await.as_str().to_owned());
    let older = hashed("an older one").await;
    let line = json!({ "email": ANN, "phone": "1", "passwordHash": older.as_str() });
    let imported = import_while(&kit, &line, async || {
        kit.change_user(&user, "isEmailValidate", AttributeValue::Bool(true))
            .await;
        kit.change_user(&user, "passwordHash", hash.clone()).await;
        kit.change_user(
            &user,
            "passwordChangedAt",
            AttributeValue::N("7".to_owned()),
        )
        .await;
        kit.change_user(
            &user,
            "credentialsVersion",
            AttributeValue::N("1".to_owned()),
        )
        .await;
    });
    let imported = imported.await.unwrap();
    assert_eq!((imported.updated, imported.passwords_kept), (1, 1));
    let item = kit.item(&key(&user)).await.unwrap();
    assert_eq!(item["isEmailValidate"], AttributeValue::Bool(true));
    assert_eq!(item["passwordHash"], hash);
    assert_eq!(item["phone"], AttributeValue::S("1".to_owned()));
}

#[tokio::test]
async fn a_user_blocked_during_an_import_stays_blocked() {
    for (line, brought_in) in [
        (
            json!({ "email": ANN, "phone": "1", "status": "active" }),
            false,
        ),
        (json!({ "email": ANN, "phone": "1" }), true),
    ] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let imported = import_while(&kit, &line, async || {
            kit.change_user(&user, "status", blocked()).await;
        });
        let imported = imported.await;
        assert_eq!(imported.is_ok(), brought_in, "{imported:?}");
        if let Err(error) = imported {
            assert!(
                error.ends_with("line 1: the user or the address was changed meanwhile"),
                "{error}"
            );
        }
        assert!(kit.stored(&user).await.status.is_blocked());
    }
}

#[tokio::test]
async fn an_unblock_does_not_restore_a_status_that_an_import_replaced() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    assert!(kit.store.block(&user).await.unwrap());
    let rules = ImportRules::of(kit.settings());
    for status in ["suspended", "blocked"] {
        let line = json!({ "email": ANN, "status": status }).to_string();
        import(&kit.store, &rules, &line, NOON, &mut kit.rng())
            .await
            .unwrap();
    }
    let read = kit.stored(&user).await;
    assert!(kit.store.unblock(&read, "enabled").await.unwrap());
    assert_eq!(kit.stored(&user).await.status.text(), Some("enabled"));
}

#[tokio::test]
async fn a_user_who_was_written_without_a_status_or_a_version_is_written_and_blocked_like_any_other()
 {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    for name in ["status", "credentialsVersion"] {
        kit.forget(&key(&user), name).await;
    }
    let read = kit.stored(&user).await;
    let renamed = User {
        phone: "1".to_owned(),
        ..read.clone()
    };
    assert!(put(&kit, &renamed, Some(&read)).await);
    assert_eq!(kit.stored(&user).await.phone, "1");
    let before = kit.item(&key(&user)).await;
    assert!(kit.store.block(&read).await.unwrap());
    let read = kit.stored(&user).await;
    assert!(read.status.is_blocked());
    assert!(kit.store.unblock(&read, "active").await.unwrap());
    assert_eq!(
        kit.item(&key(&user)).await,
        before,
        "it has no status again"
    );
}

#[tokio::test]
async fn a_status_of_any_type_is_kept_and_restored() {
    for status in odd_statuses() {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        kit.change_user(&user, "status", status.clone()).await;
        let read = kit.stored(&user).await;
        let renamed = User {
            phone: "1".to_owned(),
            ..read.clone()
        };
        assert!(put(&kit, &renamed, Some(&read)).await, "{status:?}");
        let before = kit.item(&key(&user)).await;
        assert_eq!(before.as_ref().unwrap()["status"], status);
        assert!(kit.store.block(&read).await.unwrap(), "{status:?}");
        let read = kit.stored(&user).await;
        assert!(read.status.is_blocked());
        assert!(kit.store.unblock(&read, "active").await.unwrap());
        let after = kit.item(&key(&user)).await;
        if status != AttributeValue::Null(true) {
            assert_eq!(after, before);
        }
    }
}

#[tokio::test]
async fn a_status_whose_type_changed_since_it_was_read_is_not_overwritten() {
    let number = || Some(AttributeValue::N("1".to_owned()));
    for (was, is) in [
        (number(), Some(blocked())),
        (number(), None),
        (None, Some(blocked())),
        (None, number()),
    ] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        set_status(&kit, &user, was.as_ref()).await;
        let read = kit.stored(&user).await;
        set_status(&kit, &user, is.as_ref()).await;
        let before = kit.dump().await;
        let renamed = User {
            phone: "1".to_owned(),
            ..read.clone()
        };
        assert!(!put(&kit, &renamed, Some(&read)).await, "{was:?} {is:?}");
        assert!(!kit.store.block(&read).await.unwrap(), "{was:?} {is:?}");
        assert_eq!(kit.dump().await, before, "{was:?} {is:?}");
    }
}

#[tokio::test]
async fn a_user_is_blocked_and_unblocked_unless_changed_since_being_read() {
    for version in [0, 3] {
        for what in ["blocked", "moved", "re-credentialed"] {
            let kit = Kit::new().await;
            let user = kit
                .user_like(json!({ "email": ANN, "credentialsVersion": version }))
                .await;
            let before = kit.item(&key(&user)).await;
            assert!(kit.store.block(&user).await.unwrap());
            let read = kit.stored(&user).await;
            assert!(read.status.is_blocked());
            assert!(
                !kit.store.block(&user).await.unwrap(),
                "it is no longer active"
            );
            assert!(kit.store.unblock(&read, "other").await.unwrap());
            assert_eq!(kit.item(&key(&user)).await, before);
            assert!(
                !kit.store.unblock(&read, "other").await.unwrap(),
                "it is no longer blocked"
            );
            change(&kit, &user, what).await;
            let before = kit.dump().await;
            assert!(!kit.store.block(&user).await.unwrap(), "{what}");
            assert_eq!(kit.dump().await, before, "{what}");
        }
    }
}

#[tokio::test]
async fn a_blocked_user_who_changed_since_being_read_is_not_unblocked() {
    for version in [0, 3] {
        for what in ["moved", "re-credentialed"] {
            let kit = Kit::new().await;
            let user = kit
                .user_like(json!({ "email": ANN, "credentialsVersion": version }))
                .await;
            assert!(kit.store.block(&user).await.unwrap());
            let read = kit.stored(&user).await;
            change(&kit, &user, what).await;
            let before = kit.dump().await;
            assert!(!kit.store.unblock(&read, "other").await.unwrap(), "{what}");
            assert_eq!(kit.dump().await, before, "{what}");
        }
    }
}

#[tokio::test]
async fn a_user_blocked_by_other_means_gets_the_status_that_the_operator_names() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.change_user(&user, "status", blocked()).await;
    let read = kit.stored(&user).await;
    assert!(kit.store.unblock(&read, "enabled").await.unwrap());
    assert_eq!(kit.stored(&user).await.status.text(), Some("enabled"));
}

#[tokio::test]
async fn attributes_that_other_programs_wrote_are_kept() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let own = AttributeValue::Ss(vec!["newsletter".to_owned()]);
    kit.change_user(&user, "consents", own.clone()).await;
    kit.change_user(&user, "isEmailValidate", AttributeValue::Bool(true))
        .await;
    // As read before the mailbox was proven.
    let renamed = User {
        phone: "1".to_owned(),
        ..user.clone()
    };
    assert!(put(&kit, &renamed, Some(&user)).await);
    let item = kit.item(&key(&user)).await.unwrap();
    assert_eq!(item["consents"], own);
    assert_eq!(item["isEmailValidate"], AttributeValue::Bool(true));
    assert_eq!(item["phone"], AttributeValue::S("1".to_owned()));
}

#[tokio::test]
async fn a_new_address_is_unproven_although_the_old_one_was_proven_at_that_moment() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.change_user(&user, "isEmailValidate", AttributeValue::Bool(true))
        .await;
    let moved = User {
        email: OTHER.to_owned(),
        ..user.clone()
    };
    assert!(put(&kit, &moved, Some(&user)).await);
    let stored = kit.stored(&user).await;
    assert_eq!(
        (stored.email.as_str(), stored.is_email_validate),
        (OTHER, false)
    );
}

#[tokio::test]
async fn blocking_a_deleted_user_writes_nothing() {
    let kit = Kit::new().await;
    let gone: User = serde_json::from_value(json!({
        "id": "60115a65c0c6974f894f9ea6", "email": ANN,
    }))
    .unwrap();
    assert!(!kit.store.block(&gone).await.unwrap());
    assert!(kit.dump().await.is_empty());
}

#[tokio::test]
async fn a_cleared_throttle_leaves_nothing_behind() {
    let kit = Kit::new().await;
    let key = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    assert!(
        !kit.store.clear_throttle(&key).await.unwrap(),
        "there is none"
    );
    assert!(kit.dump().await.is_empty());
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = wrong(&kit.derived(&started.session).await);
    let guess = kit.verify(&started, &code, NOON).await;
    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);

    assert!(kit.store.clear_throttle(&key).await.unwrap());
    let item = kit.keys("ADDRESS#").await.remove(0);
    let state = kit.item(&item).await.unwrap();
    let left: Vec<&str> = state.keys().map(String::as_str).collect();
    assert_eq!(left, ["expiresAt", "pk"]);
    assert!(
        !kit.store.clear_throttle(&key).await.unwrap(),
        "nothing is left"
    );
}

#[tokio::test]
async fn a_throttle_that_expired_while_it_was_cleared_is_not_recreated() {
    let kit = Kit::new().await;
    let key = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let item = kit.keys("ADDRESS#").await.remove(0);
    let store = kit.another_store();
    // It is read, and then cleared.
    let gate = kit.faults.hold(2);
    let (cleared, ()) = tokio::join!(store.clear_throttle(&key), async {
        gate.wait().await;
        kit.delete(&item).await;
        gate.wait().await;
    });
    assert!(!cleared.unwrap());
    assert_eq!(kit.keys("ADDRESS#").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_address_whose_throttle_was_cleared_gets_another_code_for_the_same_session() {
    let kit = Kit::throttled(&[]).await;
    let key = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert!(kit.store.clear_throttle(&key).await.unwrap());
    kit.resend(&started.session, NOON).await.unwrap();
}
