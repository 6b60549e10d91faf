//! `regain users import`: which users it creates and updates.

mod interruption;
mod lines;
mod passwords;

use regain::users::User;
use regain_password::{Candidate, Cost, Verified, verify};
use serde_json::json;

use crate::kit::{Kit, text};

/// From the test vectors of Argon2's reference implementation.
const ARGON2ID: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ\
    $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const ID: &str = "60115a65c0c6974f894f9ea6";

fn verified(typed: &str, user: &User) -> Verified {
    let floor = Cost::new(Cost::MIN_MEMORY_KIB, Cost::MIN_ITERATIONS, 1).unwrap();
    let hash = user.password_hash.as_ref().unwrap().read().unwrap();
    verify(&Candidate::new(typed.to_owned().into()), &hash, &floor)
}

fn is_password(typed: &str, user: &User) -> bool {
    verified(typed, user) == Verified::Yes
}

#[tokio::test]
async fn importing_a_file_again_changes_nothing() {
    let kit = Kit::new().await;
    let file = kit.file(&[
        json!({"email": "Ann@example.com", "password": "a typed one", "profile": {"n": 1.0}}),
        json!({"id": ID, "email": "bob@example.com", "passwordHash": ARGON2ID, "status": "blocked"}),
        json!({"email": "cyd@example.com"}),
    ]);
    let import = ["users", "import", text(&file)];
    assert_eq!(
        kit.local(&import).await.well(),
        ["3 created, 0 updated, 0 unchanged."]
    );
    let ann = kit.user("ann@example.com").await.unwrap();
    assert_eq!(ann.email, "Ann@example.com");
    assert!(is_password("a typed one", &ann));
    let bob = kit.user("bob@example.com").await.unwrap();
    assert_eq!((bob.id.as_str(), bob.status.text()), (ID, Some("blocked")));
    assert_eq!(bob.password_hash.unwrap().as_str(), ARGON2ID);

    let written = kit.aws.calls("TransactWriteItems");
    assert_eq!(
        kit.local(&import).await.well(),
        ["0 created, 0 updated, 3 unchanged."]
    );
    assert_eq!(kit.aws.calls("TransactWriteItems"), written);
    let again = kit.user("ann@example.com").await.unwrap();
    assert_eq!(again.credentials_version, ann.credentials_version);
}

#[tokio::test]
async fn a_line_changes_what_it_says_and_nothing_else() {
    let kit = Kit::new().await;
    kit.import_users(&[
        json!({"id": ID, "email": "ann@example.com", "phone": "1", "password": "before 1234"}),
    ])
    .await;
    let file = kit
        .file(&[json!({"id": ID, "email": "ann@elsewhere.example.com", "password": "after 1234"})]);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.well(), ["0 created, 1 updated, 0 unchanged."]);
    assert!(
        kit.user("ann@example.com").await.is_none(),
        "the address is free again"
    );
    let ann = kit.user("ann@elsewhere.example.com").await.unwrap();
    assert_eq!((ann.id.as_str(), ann.phone.as_str()), (ID, "1"));
    assert!(is_password("after 1234", &ann));
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let kit = Kit::new().await;
    kit.import_users(&[
        json!({"email": "ann@example.com", "password": "a typed one"}),
        json!({"email": "bob@example.com"}),
    ])
    .await;
    let before = kit.keys().await;
    let file = kit.file(&[
        json!({"email": "ann@example.com", "password": "a typed one"}),
        json!({"email": "bob@example.com", "password": "a newer one of his"}),
        json!({"email": "cyd@example.com", "password": "her very own one"}),
    ]);
    let ran = kit
        .local(&["users", "import", text(&file), "--dry-run"])
        .await;
    assert_eq!(
        ran.well(),
        ["1 would be created, 1 would be updated, 1 unchanged. Nothing was written."]
    );
    assert_eq!(kit.keys().await, before);
    assert!(
        kit.user("bob@example.com")
            .await
            .unwrap()
            .password_hash
            .is_none()
    );
}

#[tokio::test]
async fn the_table_the_id_format_and_the_hash_cost_come_from_the_stack() {
    let kit = Kit::new().await;
    kit.aws.answers(
        "DescribeStacks",
        json!({
            "outputs": {"TableName": "regain", "IndexKeyArn": "IndexKey", "CodeKeyArn": "CodeKey"},
            "parameters": {"UserIdFormat": "uuid", "Argon2Iterations": "3"},
        }),
    );
    let file = kit.file(&[json!({
        "id": "0b8c2c3e-0000-4000-8000-000000000000",
        "email": "ann@example.com",
        "password": "a typed one",
    })]);
    kit.run(&["users", "import", text(&file), "--stack", "regain"])
        .await
        .well();
    let hash = kit
        .user("ann@example.com")
        .await
        .unwrap()
        .password_hash
        .unwrap();
    assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=3,p=1$"));
}

#[tokio::test]
async fn an_address_that_changes_is_unproven_unless_the_line_says_otherwise() {
    for (said, proven) in [(None, false), (Some(true), true), (Some(false), false)] {
        let kit = Kit::new().await;
        kit.import_users(&[json!({"id": ID, "email": "ann@example.com", "isEmailValidate": true})])
            .await;
        kit.import_users(&[json!({"id": ID, "email": "Ann@Example.com"})])
            .await;
        let ann = kit.user("ann@example.com").await.unwrap();
        assert!(
            ann.is_email_validate,
            "another spelling is the same address"
        );
        kit.import_users(&[
            json!({"id": ID, "email": "moved@example.com", "isEmailValidate": said}),
        ])
        .await;
        let ann = kit.user("moved@example.com").await.unwrap();
        assert_eq!(ann.is_email_validate, proven, "{said:?}");
    }
}
