//! Users that the service loads when it starts: those of the demo, and those of a file.

use serde_json::json;

use crate::process::{kept_in, refused};
use testkit::client::Web;
use testkit::mailbox::Mailbox;
use testkit::people::{Person, new_address};
use testkit::stack::Setup;
use testkit::table::{Table, text};

const PASSWORD: &str = "brass kettle on the moon";

#[tokio::test]
async fn demo_users_are_loaded_into_an_empty_store_only_and_printed() {
    let folder = tempfile::tempdir().unwrap();
    let stack = kept_in(folder.path()).start();
    assert!(
        stack.said().contains("demo@example.com"),
        "{}",
        stack.said()
    );
    let begun = Web::of(&stack).begin("demo@example.com").await;
    assert_eq!(begun.id, "60115a65c0c6974f894f9ea6");
    assert!(
        Mailbox::at(&stack, "demo@example.com")
            .next_code()
            .await
            .len()
            == 6
    );
    drop(stack);
    let stack = kept_in(folder.path()).start();
    assert!(
        !stack.said().contains("demo@example.com"),
        "{}",
        stack.said()
    );
}

#[tokio::test]
async fn users_are_loaded_and_updated_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (data, users) = (
        folder.path().join("data"),
        folder.path().join("users.jsonl"),
    );
    let (first, second) = (new_address(), new_address());
    let id = "5f3a9c0be1d2a3b4c5d6e7f8";
    let lines = [
        json!({"id": id, "email": first, "password": "the old password", "phone": "1"}),
        json!({"email": second, "status": "blocked", "locale": "id"}),
    ];
    let write = |lines: &[serde_json::Value]| {
        let text: Vec<_> = lines.iter().map(ToString::to_string).collect();
        std::fs::write(&users, format!("\n{}\r\n\n", text.join("\n\n"))).unwrap();
    };
    write(&lines);
    let stack = kept_in(&data).option("--users", &users).start();
    assert!(!stack.said().contains("demo@example.com"));
    assert_eq!(Web::of(&stack).begin(&first).await.id, id);
    let person = Person {
        id: id.to_owned(),
        email: first.clone(),
    };
    assert!(person.has_password(&stack, "the old password").await);
    let other = Web::of(&stack).begin(&second.to_uppercase()).await.id;
    drop(stack);

    // By its id, the first moves to another address and keeps its password; by its address, the
    // second is found without an id.
    let moved = new_address();
    write(&[
        json!({"id": id, "email": moved, "locale": "en"}),
        json!({"email": second, "status": "active"}),
    ]);
    let stack = kept_in(&data).option("--users", &users).start();
    let web = Web::of(&stack);
    assert_eq!(web.begin(&moved).await.id, id);
    assert_ne!(web.begin(&first).await.id, id, "nobody's now");
    assert_eq!(web.begin(&second).await.id, other);
    assert!(person.has_password(&stack, "the old password").await);
    let user = Table::of(&stack).user(id).await;
    assert_eq!(text(&user, "email"), moved);
}

#[tokio::test]
async fn a_bad_line_stops_the_load_with_its_number_and_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, users) = (
        folder.path().join("data"),
        folder.path().join("users.jsonl"),
    );
    let good = json!({"email": "good@example.com"});
    for (bad, word) in [
        ("{", "not a user"),
        ("[]", "not a user"),
        ("null", "not a user"),
        ("{}", "email"),
        (r#"{"email": 7}"#, ""),
        (r#"{"email": "nobody"}"#, "email"),
        (r#"{"email": "a@example.com", "id": "no object id"}"#, "id"),
        (
            r#"{"email": "a@example.com", "id": "60115A65C0C6974F894F9EA6"}"#,
            "id",
        ),
        (
            r#"{"email": "a@example.com", "id": "0b8c2c3e-0000-4000-8000-000000000000"}"#,
            "id",
        ),
        (r#"{"email": "GOOD@example.com"}"#, "line 1"),
        (
            r#"{"email": "a@example.com", "passwordHash": "$2b$10$too.short"}"#,
            "passwordHash",
        ),
        (r#"{"email": "a@example.com", "password": 7}"#, ""),
        (r#"{"email": "a@example.com", "roles": {}}"#, ""),
        (r#"{"email": "a@example.com", "profile": []}"#, ""),
        (r#"{"email": "a@example.com", "meta": {"": 1}}"#, "meta"),
        (
            r#"{"email": "a@example.com", "meta": {"n": 1e300}}"#,
            "meta",
        ),
        (
            r#"{"email": "a@example.com", "password": "short"}"#,
            "too_short",
        ),
        (r#"{"email": "ren\u00e9@example.com"}"#, "email"),
    ] {
        std::fs::write(&users, format!("{good}\n\n{bad}\n{good}\n")).unwrap();
        let sentence = refused(kept_in(&data).option("--users", &users));
        assert!(sentence.contains("\n  line 3: "), "{bad}: {sentence}");
        assert!(
            sentence.contains("\n  line 4: "),
            "all are told: {sentence}"
        );
        assert!(sentence.contains(word), "{bad}: {sentence}");
        assert!(!sentence.contains("$2b$"), "{sentence}");
    }
    std::fs::write(&users, "").unwrap();
    let stack = kept_in(&data).option("--users", &users).start();
    assert_eq!(Table::of(&stack).all().await, []);
    let nowhere = folder.path().join("nowhere.jsonl");
    let sentence = refused(Setup::default().option("--users", &nowhere));
    assert!(sentence.contains("nowhere.jsonl"), "{sentence}");
}

#[tokio::test]
async fn a_file_that_is_loaded_again_does_not_undo_a_recovery_unless_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (data, users) = (
        folder.path().join("data"),
        folder.path().join("users.jsonl"),
    );
    let (id, email) = ("5f3a9c0be1d2a3b4c5d6e7f8", new_address());
    let line = json!({"id": id, "email": email, "password": "the old password"});
    std::fs::write(&users, line.to_string()).unwrap();
    let person = Person {
        id: id.to_owned(),
        email,
    };
    let setup = || kept_in(&data).option("--users", &users);
    let stack = setup().start();
    let (web, mut mailbox) = (Web::of(&stack), Mailbox::of(&stack, &person));
    let session = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    web.set_both(&session, &code, PASSWORD).await.data();
    drop(stack);
    let stack = setup().start();
    assert!(person.has_password(&stack, PASSWORD).await);
    let kept = "passwords kept, because their last change was not an import: 1 \
        (--overwrite-passwords replaces them)";
    assert!(stack.said().contains(kept), "{}", stack.said());
    drop(stack);
    let stack = setup().flag("--overwrite-passwords").start();
    assert!(person.has_password(&stack, "the old password").await);
}
