//! Passwords and hashes in a file, and when an import replaces a user's password.

use regain_password::Verified;
use serde_json::{Value, json};

use super::{ARGON2ID, ID, is_password, verified};
use crate::kit::{Kit, text};

/// From the tests of Spring Security.
const BCRYPT: &str = "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG";

#[tokio::test]
async fn passwords_are_hashed_at_the_cost_that_is_asked_for() {
    let kit = Kit::new().await;
    let file = kit.file(&[json!({"email": "ann@example.com", "password": "a typed one"})]);
    let import = ["users", "import", text(&file)];
    for (options, begins) in [
        (&[][..], "$argon2id$v=19$m=19456,t=2,p=1$"),
        (
            &["--argon2-iterations", "3"],
            "$argon2id$v=19$m=19456,t=3,p=1$",
        ),
    ] {
        kit.local(&[&import, options].concat()).await.well();
        let hash = kit
            .user("ann@example.com")
            .await
            .unwrap()
            .password_hash
            .unwrap();
        assert!(hash.as_str().starts_with(begins), "{options:?}");
    }
    let ran = kit
        .local(&[&import[..], &["--argon2-memory-kib", "19455"]].concat())
        .await;
    assert_eq!(ran.code, Some(2));
    assert_eq!(
        ran.err,
        "error: memory of a password hash must be 19456 to 5242880 KiB\n"
    );
}

#[tokio::test]
async fn hashes_of_other_systems_are_kept_as_they_are() {
    let kit = Kit::new().await;
    let lines = [
        json!({"email": "ann@example.com", "passwordHash": BCRYPT}),
        json!({"email": "bob@example.com", "password": "a typed one"}),
    ];
    let file = kit.file(&lines);
    let import = ["users", "import", text(&file)];
    for expected in [
        "2 created, 0 updated, 0 unchanged.",
        "0 created, 0 updated, 2 unchanged.",
    ] {
        assert_eq!(kit.local(&import).await.well(), [expected]);
    }
    let ann = kit.user("ann@example.com").await.unwrap();
    assert_eq!(ann.password_hash.as_ref().unwrap().as_str(), BCRYPT);
    assert_eq!(verified("password", &ann), Verified::YesButRehash);

    // The same password in clear text is hashed anew.
    let file = kit.file(&[json!({"email": "ann@example.com", "password": "a typed one"})]);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.well(), ["0 created, 1 updated, 0 unchanged."]);
    assert!(is_password(
        "a typed one",
        &kit.user("ann@example.com").await.unwrap()
    ));
}

#[tokio::test]
async fn hashes_of_firebase_are_imported_with_the_parameters_of_their_project() {
    const USERS: &str = include_str!("../../../../password/tests/foreign/firebase.jsonl");
    let kit = Kit::new().await;
    let exported = USERS.lines().enumerate().map(|(number, line)| {
        let line: Value = serde_json::from_str(line).unwrap();
        json!({
            "email": format!("user{number}@example.com"),
            "passwordHash": line["hash"],
            "passwordSalt": line["salt"],
        })
    });
    let file = kit.file(&exported.collect::<Vec<_>>());
    let import = ["users", "import", text(&file)];
    let ran = kit.local(&import).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.starts_with(
            "line 1: \"passwordSalt\" needs the hash parameters of the Firebase project"
        ),
        "{}",
        ran.out
    );

    let parameters = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../password/tests/foreign/hash_config.txt"
    );
    let with_parameters = [&import[..], &["--firebase-scrypt", parameters]].concat();
    for expected in [
        "2 created, 0 updated, 0 unchanged.",
        "0 created, 0 updated, 2 unchanged.",
    ] {
        assert_eq!(kit.local(&with_parameters).await.well(), [expected]);
    }
    let user = kit.user("user0@example.com").await.unwrap();
    assert_eq!(
        verified("correct horse battery", &user),
        Verified::YesButRehash
    );

    let wrong = kit.text_file("hash_config {\n  algorithm: SCRYPT,\n}\n");
    let ran = kit
        .local(&[&import[..], &["--firebase-scrypt", text(&wrong)]].concat())
        .await;
    assert!(
        ran.sentence()
            .ends_with("cannot be read: base64_signer_key is missing"),
        "{}",
        ran.sentence()
    );
}

#[tokio::test]
async fn a_file_does_not_undo_a_recovery_unless_told_to() {
    let kit = Kit::new().await;
    for line in [
        json!({"id": ID, "email": "ann@example.com", "passwordHash": ARGON2ID, "phone": "1"}),
        json!({"id": ID, "email": "ann@example.com", "password": "an older one", "phone": "2"}),
    ] {
        kit.import_users(&[
            json!({"id": ID, "email": "ann@example.com", "password": "the first one"}),
        ])
        .await;
        // The file's password is taken as long as the person has set none.
        kit.import_users(&[
            json!({"id": ID, "email": "ann@example.com", "password": "the second one"}),
        ])
        .await;
        let second = kit.user("ann@example.com").await.unwrap();
        assert!(is_password("the second one", &second));
        kit.has_recovered(ID, &second).await;

        let file = kit.file(std::slice::from_ref(&line));
        let import = ["users", "import", text(&file)];
        let ran = kit.local(&import).await;
        assert_eq!(ran.well(), ["0 created, 1 updated, 0 unchanged."]);
        assert_eq!(
            ran.err,
            "note: 1 password kept, changed otherwise than by an import as far as is recorded: \
             --overwrite-passwords takes the file's\n"
        );
        let kept = kit.user("ann@example.com").await.unwrap();
        assert_eq!(kept.password_hash, second.password_hash);
        assert_eq!(kept.phone, line["phone"], "the rest of the line is taken");
        let ran = kit
            .local(&[&import[..], &["--overwrite-passwords"]].concat())
            .await;
        assert_eq!(ran.well(), ["0 created, 1 updated, 0 unchanged."]);
        let taken = kit.user("ann@example.com").await.unwrap();
        assert_ne!(taken.password_hash, second.password_hash);
        kit.forget_users().await;
    }
}
