//! Users who are created, changed and deleted one at a time.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::ids::UserId;
use regain::users::{Change, Edit, EditError, Edited, ImportRules, import};
use serde_json::{Value, json};

use crate::kit::{ANN, Kit, NOON, Outcome, PASSWORD, address, later, outcome_of};

const BOB: &str = "bob@example.com";

fn edit(kit: &Kit) -> Edit {
    let rules = ImportRules::of(kit.settings());
    Edit::new(&kit.another_store(), rules, later(1)).unwrap()
}

async fn create(kit: &Kit, user: &Value) -> Result<Edited, EditError> {
    edit(kit).create(&user.to_string(), &mut kit.rng()).await
}

async fn update(kit: &Kit, id: &UserId, changes: &Value) -> Result<Change, EditError> {
    let (edit, mut rng) = (edit(kit), kit.rng());
    let edited = edit.update(id, &changes.to_string(), &mut rng).await?;
    Ok(edited.change)
}

#[tokio::test]
async fn a_user_is_created_once_however_often_it_is_asked_for() {
    let kit = Kit::new().await;
    let user = json!({ "email": ANN, "phone": "1", "password": PASSWORD });
    let created = create(&kit, &user).await.unwrap();
    assert_eq!(created.change, Change::Created);
    let before = kit.dump().await;
    let again = create(&kit, &user).await.unwrap();
    assert_eq!((again.id, again.change), (created.id, Change::Unchanged));
    for (other, why) in [
        (json!({ "email": ANN, "phone": "2" }), "another phone"),
        (
            json!({ "email": ANN, "phone": "1", "password": "another kettle" }),
            "another password",
        ),
    ] {
        let refused = create(&kit, &other).await.unwrap_err();
        assert!(matches!(refused, EditError::Exists), "{why}: {refused:?}");
    }
    assert_eq!(kit.dump().await, before);
}

#[tokio::test]
async fn parallel_creations_of_one_user_all_return_that_user() {
    let kit = Kit::new().await;
    let (edit, user) = (edit(&kit), json!({ "email": ANN }).to_string());
    let (mut a, mut b, mut c) = (kit.rng(), kit.rng(), kit.rng());
    let (a, b, c) = tokio::join!(
        edit.create(&user, &mut a),
        edit.create(&user, &mut b),
        edit.create(&user, &mut c),
    );
    let edited = [a, b, c].map(Result::unwrap);
    assert!(edited.iter().all(|it| it.id == edited[0].id), "{edited:?}");
    let created = edited.iter().filter(|it| it.change == Change::Created);
    assert_eq!(created.count(), 1, "{edited:?}");
    assert_eq!(kit.keys("USER#").await.len(), 1);
}

#[tokio::test]
async fn an_invalid_user_is_refused_with_the_field() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let before = kit.dump().await;
    for (json, reason) in [
        ("{}", "\"email\" is missing"),
        (
            r#"{"email": "bob@example.com", "pasword": "x"}"#,
            "no user has a field \"pasword\"",
        ),
        (
            r#"{"email": "bob@example.com", "password": "short"}"#,
            "\"password\" is refused by the password policy: too_short",
        ),
        (
            r#"{"email": "bob@example.com", "meta": {"n": 18446744073709551617}}"#,
            "a number has more digits than are kept: write it as a text",
        ),
        (
            r#"{"email": "ann@example.com", "id": "60115a65c0c6974f894f9ea6"}"#,
            "\"email\" belongs to another user",
        ),
    ] {
        let refused = edit(&kit).create(json, &mut kit.rng()).await.unwrap_err();
        assert_eq!(refused.to_string(), reason, "{json}");
    }
    assert_eq!(kit.dump().await, before);
}

#[tokio::test]
async fn an_update_changes_what_it_says_and_nothing_else() {
    let kit = Kit::new().await;
    let ann = kit
        .user_like(json!({ "email": ANN, "phone": "1", "isEmailValidate": true }))
        .await;
    let changes = json!({ "locale": "id", "profile": { "name": "Ann" } });
    for change in [Change::Updated, Change::Unchanged] {
        assert_eq!(update(&kit, &ann.id, &changes).await.unwrap(), change);
    }
    let stored = kit.stored(&ann).await;
    assert_eq!((stored.email.as_str(), stored.phone.as_str()), (ANN, "1"));
    assert_eq!(stored.locale.as_deref(), Some("id"));
    assert_eq!(stored.profile["name"], "Ann");
    assert!(stored.is_email_validate, "the address is the same");
    assert_eq!(stored.credentials_version, ann.credentials_version);

    let refused = update(&kit, &ann.id, &json!({ "id": "60115a65c0c6974f894f9ea6" })).await;
    assert_eq!(refused.unwrap_err().to_string(), "\"id\" cannot be changed");
}

#[tokio::test]
async fn a_changed_address_is_unproven_and_leaves_the_old_one_free() {
    let kit = Kit::new().await;
    let ann = kit
        .user_like(json!({ "email": ANN, "isEmailValidate": true }))
        .await;
    kit.user("cyd@example.com").await;
    let taken = update(&kit, &ann.id, &json!({ "email": "cyd@example.com" })).await;
    let taken = taken.unwrap_err().to_string();
    assert_eq!(taken, "\"email\" belongs to another user");
    let moved = update(&kit, &ann.id, &json!({ "email": BOB })).await;
    assert_eq!(moved.unwrap(), Change::Updated);
    assert!(!kit.stored(&ann).await.is_email_validate);
    let owner = async |email| kit.store.user_id_of(&address(email)).await.unwrap();
    assert_eq!((owner(ANN).await, owner(BOB).await), (None, Some(ann.id)));
}

#[tokio::test]
async fn a_password_that_is_set_voids_proofs_and_is_kept_by_an_import() {
    let kit = Kit::new().await;
    let line = json!({ "email": ANN, "password": "an older kettle" }).to_string();
    let rules = ImportRules::of(kit.settings());
    let imported = import(&kit.store, &rules, &line, NOON, &mut kit.rng()).await;
    assert_eq!(imported.unwrap().0.created, 1);
    let ann = kit.store.user_of(&address(ANN)).await.unwrap().unwrap();
    let changes = json!({ "password": PASSWORD });
    let updated = update(&kit, &ann.id, &changes).await;
    assert_eq!(updated.unwrap(), Change::Updated);
    let stored = kit.stored(&ann).await;
    assert_eq!(stored.credentials_version, ann.credentials_version.next());
    assert_eq!(stored.password_changed_at, Some(later(1)));

    let imported = import(&kit.store, &rules, &line, later(2), &mut kit.rng()).await;
    assert_eq!(imported.unwrap().0.passwords_kept, 1);
    assert_eq!(kit.stored(&ann).await.password_hash, stored.password_hash);
}

#[tokio::test]
async fn a_user_who_changes_during_an_update_keeps_the_other_change() {
    for (name, value, changes, refused) in [
        ("locale", "id", json!({ "phone": "1" }), false),
        ("status", "blocked", json!({ "phone": "1" }), false),
        ("status", "blocked", json!({ "status": "pending" }), true),
        (
            "email",
            "elsewhere@example.com",
            json!({ "phone": "1" }),
            true,
        ),
    ] {
        let kit = Kit::new().await;
        let ann = kit.user(ANN).await;
        let edit = edit(&kit);
        let (json, mut rng) = (changes.to_string(), kit.rng());
        // The user is read, then the lookup and the user, and then the transaction is held.
        let gate = kit.faults.hold(4);
        let (updated, ()) = tokio::join!(edit.update(&ann.id, &json, &mut rng), async {
            gate.wait().await;
            let value = AttributeValue::S(value.to_owned());
            kit.change_user(&ann, name, value).await;
            gate.wait().await;
        });
        let stored = serde_json::to_value(kit.stored(&ann).await).unwrap();
        assert_eq!(stored[name], value, "{changes}");
        match updated {
            Ok(_) => assert!(!refused && stored["phone"] == "1", "{name} {changes}"),
            Err(EditError::Changed) => assert!(refused, "{name} {changes}"),
            Err(error) => panic!("{name} {changes}: {error}"),
        }
    }
}

#[tokio::test]
async fn an_update_creates_nobody() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    let edit = edit(&kit);
    let (json, mut rng) = (json!({ "phone": "1" }).to_string(), kit.rng());
    let gate = kit.faults.hold(4);
    let (updated, ()) = tokio::join!(edit.update(&ann.id, &json, &mut rng), async {
        gate.wait().await;
        assert!(
            kit.store
                .delete_user(&ann, Some(&address(ANN)))
                .await
                .unwrap()
        );
        gate.wait().await;
    });
    assert!(matches!(updated, Err(EditError::Nobody)), "{updated:?}");
    let again = edit.update(&ann.id, &json, &mut kit.rng()).await;
    assert!(matches!(again, Err(EditError::Nobody)), "{again:?}");
    assert_eq!(kit.dump().await.len(), 0);
}

#[tokio::test]
async fn a_deleted_user_leaves_nothing_that_opens_anything() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.mailed(NOON).await[0].code();
    assert!(Edit::delete(&kit.store, &ann.id).await.unwrap());
    assert!(
        !Edit::delete(&kit.store, &ann.id).await.unwrap(),
        "gone already"
    );
    assert_eq!(kit.keys("USER#").await.len(), 0);
    assert_eq!(kit.keys("EMAIL#").await.len(), 0);
    let verified = kit.verify(&started, &code, later(1)).await;
    assert_eq!(outcome_of(&verified), Outcome::CodeWrong);
    let again = create(&kit, &json!({ "email": ANN })).await.unwrap();
    assert_eq!(again.change, Change::Created);
    assert_ne!(again.id, ann.id);
}

#[tokio::test]
async fn a_user_who_moved_since_being_read_is_not_deleted_and_nobody_elses_lookup_is() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    let moved = update(&kit, &ann.id, &json!({ "email": BOB })).await;
    assert_eq!(moved.unwrap(), Change::Updated);
    assert!(!kit.store.delete_user(&ann, None).await.unwrap(), "moved");
    let bob = kit.stored(&ann).await;
    kit.user(ANN).await;
    let before = kit.dump().await;
    let other = address(ANN);
    assert!(!kit.store.delete_user(&bob, Some(&other)).await.unwrap());
    assert_eq!(kit.dump().await, before);

    // A lookup that leads to another user stays.
    let key = format!("EMAIL#{BOB}");
    let elsewhere = "60115a65c0c6974f894f9ea6".to_owned();
    let value = AttributeValue::S(elsewhere);
    kit.change(&key, "userId", value).await;
    assert!(Edit::delete(&kit.store, &bob.id).await.unwrap());
    assert_eq!(kit.keys("EMAIL#").await.len(), 2);
}
