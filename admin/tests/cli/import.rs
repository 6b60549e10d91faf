//! `regain users import`: which users it writes, which lines it refuses, and what it notes.

use std::fmt::Write as _;

use regain::users::User;
use regain_password::{Candidate, Cost, Verified, verify};
use serde_json::{Value, json};

use crate::kit::{Kit, Ran, text};

/// From the test vectors of Argon2's reference implementation.
const ARGON2ID: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ\
    $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const FAULTY: &str = "$2x$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
/// From the tests of Spring Security.
const BCRYPT: &str = "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG";
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
async fn every_bad_line_is_reported_and_nothing_is_imported() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"id": ID, "email": "ann@example.com"})])
        .await;
    let before = kit.keys().await;
    let file = kit.text_file(&format!(
        "{{\"email\": \"bob@example.com\"}}\n\
         {{\"email\": \"bob@\"}}\n\
         \n\
         {{\"email\": \"cyd@example.com\", \"passwordHash\": \"{FAULTY}\"}}\n\
         {{\"id\": \"60115a65c0c6974f894f9eff\", \"email\": \"ann@example.com\"}}\n\
         {{\"id\": \"{ID}\", \"email\": \"moved@example.com\"}}\n\
         {{\"email\": \"BOB@example.com\"}}\n"
    ));
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.out.lines().collect::<Vec<_>>(),
        [
            "line 2: \"email\" is not an e-mail address",
            "line 4: \"passwordHash\" is made with a faulty bcrypt, which cannot be taken over: leave \
             it out, and the person sets a new password by a recovery",
            "line 5: \"email\" belongs to another user",
            "line 7: has the same \"email\" as line 1",
            "4 of 6 lines cannot be imported, so nothing was imported.",
        ]
    );
    assert_eq!(kit.keys().await, before);
}

#[tokio::test]
async fn two_lines_about_one_user_are_reported_as_such() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"id": ID, "email": "ann@example.com"})])
        .await;
    let file = kit.file(&[
        json!({"id": ID, "email": "moved@example.com"}),
        json!({"email": "ann@example.com"}),
    ]);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert!(
        ran.out
            .starts_with("line 2: is about the same user as line 1\n"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn bad_lines_can_be_skipped() {
    let kit = Kit::new().await;
    let file =
        kit.text_file("{\"email\": \"ann@example.com\"}\n{\n{\"email\": \"bob@example.com\"}\n");
    let ran = kit
        .local(&["users", "import", text(&file), "--skip-bad"])
        .await;
    assert_eq!(
        ran.well(),
        [
            "line 2: not a user: no JSON from column 1 on",
            "2 created, 0 updated, 0 unchanged, 1 bad line left out.",
        ]
    );
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
async fn an_import_that_was_cut_short_is_finished_by_running_it_again() {
    let kit = Kit::new().await;
    let lines: Vec<_> = (0..100)
        .map(|n| json!({"email": format!("user{n}@example.com")}))
        .collect();
    let file = kit.file(&lines);
    let import = ["users", "import", text(&file)];
    let message = "The security token included in the request is expired";
    kit.aws
        .fails_after(40, "TransactWriteItems", "ExpiredTokenException", message);
    let ran = kit.local(&import).await;
    let sentence = ran.sentence();
    assert!(sentence.starts_with("line "), "{sentence}");
    assert!(
        sentence.contains("40 lines are done; run the same command again to go on"),
        "{sentence}"
    );
    kit.aws.recovers();
    assert_eq!(
        kit.local(&import).await.well(),
        ["60 created, 0 updated, 40 unchanged."]
    );
}

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
    const USERS: &str = include_str!("../../../password/tests/foreign/firebase.jsonl");
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
async fn an_unknown_field_is_pointed_out() {
    let kit = Kit::new().await;
    let file = kit.file(&[json!({"email": "ann@example.com", "pasword": "a typed one"})]);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.well(), ["1 created, 0 updated, 0 unchanged."]);
    assert_eq!(
        ran.err,
        "note: no user has a field \"pasword\": it is left out (1 line)\n"
    );
}

#[tokio::test]
async fn a_file_that_is_not_text_is_refused_with_the_line() {
    let kit = Kit::new().await;
    let file = kit.text_file("");
    std::fs::write(
        &file,
        b"{\"email\": \"ann@example.com\"}\n{\"email\": \"\xff@example.com\"}\n",
    )
    .unwrap();
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(
        ran.sentence(),
        format!("{} cannot be read: line 2 is not UTF-8 text", text(&file))
    );
}

#[tokio::test]
async fn a_line_that_dynamodb_would_refuse_is_bad_and_nothing_is_imported() {
    let kit = Kit::new().await;
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let digits = "7".repeat(39);
    let large = "x".repeat(410_000);
    let cases = [
        (
            r#""meta": {"": 1}"#.to_owned(),
            "\"meta\" has a field without a name",
        ),
        (
            r#""profile": {"a": [{"b": {"": []}}]}"#.to_owned(),
            "\"profile\" has a field without a name",
        ),
        (
            r#""meta": {"n": 1e300}"#.to_owned(),
            "\"meta\" has a number beyond the range",
        ),
        (
            r#""meta": {"n": -1e-200}"#.to_owned(),
            "\"meta\" has a number beyond the range",
        ),
        (
            format!(r#""roles": [{digits}]"#),
            "\"roles\" has a number of more than 38 digits",
        ),
        (
            format!(r#""roles": {}"#, deep(33)),
            "\"roles\" is nested deeper than 32 levels",
        ),
        (
            format!(r#""roles": {}"#, deep(2000)),
            "\"roles\" is nested deeper than 32 levels",
        ),
        (format!(r#""phone": "{large}""#), "is too large: "),
    ];
    let mut users = String::from("{\"email\": \"good@example.com\"}\n");
    for (number, (fields, _)) in cases.iter().enumerate() {
        writeln!(
            users,
            "{{\"email\": \"user{number}@example.com\", {fields}}}"
        )
        .unwrap();
    }
    let file = kit.text_file(&users);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    for (number, (_, reason)) in cases.iter().enumerate() {
        let begins = format!("line {}: {reason}", number + 2);
        assert!(
            lines[number].starts_with(&begins),
            "{begins}: {}",
            lines[number]
        );
    }
    assert_eq!(
        lines[cases.len()],
        "8 of 9 lines cannot be imported, so nothing was imported."
    );
    assert_eq!(kit.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn lines_at_the_limits_are_imported() {
    let kit = Kit::new().await;
    let deep = format!("{}{}", "[".repeat(31), "]".repeat(31));
    let digits = "7".repeat(38);
    let large = "x".repeat(400_000);
    let file = kit.text_file(&format!(
        "{{\"email\": \"a@example.com\", \"roles\": [{deep}]}}\n\
         {{\"email\": \"b@example.com\", \"meta\": {{\"n\": [1e125, -2e-130, {digits}]}}}}\n\
         {{\"email\": \"c@example.com\", \"phone\": \"{large}\"}}\n"
    ));
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.well(), ["3 created, 0 updated, 0 unchanged."]);
}

#[tokio::test]
async fn a_line_that_makes_a_stored_user_too_large_is_bad() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"email": "ann@example.com", "phone": "x".repeat(300_000)})])
        .await;
    let file = kit.file(&[json!({"email": "ann@example.com", "meta": {"y": "y".repeat(200_000)}})]);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.starts_with("line 1: is too large: "), "{}", ran.out);
}

#[tokio::test]
async fn a_password_nobody_could_set_or_an_address_ses_cannot_mail_is_a_bad_line() {
    let kit = Kit::new().await;
    let file = kit.file(&[
        json!({"email": "a@example.com", "password": "short"}),
        json!({"email": "b@example.com", "password": "sunshine1"}),
        json!({"email": "christopher@example.com", "password": "christopher-7q"}),
        json!({"email": "c@example.com", "password": "alexander77", "profile": {"n": "Alexander"}}),
        json!({"email": "ren\u{e9}@example.com"}),
        json!({"email": "a..b@example.com"}),
        json!({"email": "d@b\u{fc}cher.example", "password": "a long sentence of hers"}),
    ]);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.code, Some(1));
    let refused = "\"password\" is refused by the password policy";
    let lines: Vec<_> = ran.out.lines().collect();
    for (line, begins) in [
        format!("line 1: {refused}: too_short"),
        format!("line 2: {refused}: "),
        format!("line 3: {refused}: contains_address"),
        format!("line 4: {refused}: contains_profile"),
        "line 5: \"email\" has other characters than ASCII before the @".to_owned(),
        "line 6: \"email\" has a dot or another character".to_owned(),
        "6 of 7 lines".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        assert!(lines[line].starts_with(begins), "{begins}: {lines:#?}");
    }
}

#[tokio::test]
async fn users_who_cannot_recover_or_get_no_mail_in_their_language_are_noted() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"email": "old@example.com", "status": "Suspended"})])
        .await;
    let file = kit.file(&[
        json!({"email": "a@example.com", "status": "disabled"}),
        json!({"email": "b@example.com", "status": "disabled", "locale": "sv-SE"}),
        json!({"email": "c@example.com", "status": " ACTIVE", "locale": "en-GB"}),
        json!({"email": "old@example.com", "phone": "1"}),
    ]);
    let ran = kit.local(&["users", "import", text(&file)]).await;
    assert_eq!(ran.well(), ["3 created, 1 updated, 0 unchanged."]);
    assert_eq!(
        ran.err,
        "note: 1 user cannot recover: has the status \"Suspended\", and only these may recover: active\n\
         note: 2 users cannot recover: have the status \"disabled\", and only these may recover: active\n\
         note: no mail is written in the locale \"sv-SE\": the request decides the language (1 line)\n"
    );
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

#[tokio::test]
async fn ctrl_c_ends_an_import_and_reports_what_was_imported() {
    let kit = Kit::new().await;
    let lines: Vec<_> = (0..3000)
        .map(|n| json!({"email": format!("user{n}@example.com")}))
        .collect();
    let file = kit.file(&lines);
    let ran = kit
        .interrupted(&["users", "import", text(&file), "--local"], || {
            kit.aws.calls("TransactWriteItems") > 50
        })
        .await
        .ended()
        .await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let created: usize = ran.out.split(' ').next().unwrap().parse().unwrap();
    assert!((50..3000).contains(&created), "{ran:?}");
    assert_eq!(
        ran.err,
        format!(
            "note: stopped: {created} lines are done of 3000; run the same command again to go on\n"
        )
    );
    let keys = kit.keys().await;
    let users = keys.iter().filter(|key| key.starts_with("USER#")).count();
    assert_eq!(users, created, "what was begun was finished");
}

#[tokio::test]
async fn ctrl_c_while_a_file_is_checked_ends_the_import_before_anything_is_written() {
    let kit = Kit::new().await;
    let file = kit.file(&[
        json!({"email": "ann@example.com"}),
        json!({"email": "bob@example.com"}),
        json!({"email": "cyd@example.com"}),
    ]);
    // Every line is under way by then, and no other is left to begin.
    kit.aws.holds("BatchGetItem");
    let interrupted = kit
        .interrupted(&["users", "import", text(&file), "--local"], || {
            kit.aws.calls("BatchGetItem") == 3
        })
        .await;
    kit.aws.recovers();
    let ran = interrupted.ended().await;
    let stopped = Ran {
        code: Some(130),
        out: "Stopped. Nothing was written.\n".to_owned(),
        err: String::new(),
    };
    assert_eq!(ran, stopped);
    assert_eq!(kit.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_second_ctrl_c_ends_an_import_at_once() {
    let kit = Kit::new().await;
    for held in ["BatchGetItem", "TransactWriteItems"] {
        let file = kit.file(&[json!({"email": "ann@example.com"})]);
        kit.aws.holds(held);
        let interrupted = kit
            .interrupted(&["users", "import", text(&file), "--local"], || {
                kit.aws.calls(held) > 0
            })
            .await;
        interrupted.interrupt().await;
        let ran = interrupted.ended().await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(130), ""), "{ran:?}");
        kit.aws.recovers();
    }
}

#[tokio::test]
async fn ids_that_show_where_they_were_made_are_pointed_out_unless_everybody_gets_an_alias() {
    const SENTENCE: &str = "note: 2 of 3 ids can be told from the made-up ids that users/resend answers for \
         unknown addresses (by a date before 2018 or after 2023, or process bytes that several ids share), so \
         its answer shows who has an account: DirectoryUserId=alias answers everybody an alias\n";
    for (mode, told) in [
        (None, SENTENCE),
        (Some("user"), SENTENCE),
        (Some("alias"), ""),
    ] {
        let kit = Kit::new().await;
        let mode = mode.map_or_else(|| json!({}), |mode| json!({ "DirectoryUserId": mode }));
        kit.aws.answers(
            "DescribeStacks",
            json!({
                "outputs": {"TableName": "regain", "IndexKeyArn": "IndexKey", "CodeKeyArn": "CodeKey"},
                "parameters": mode,
            }),
        );
        let file = kit.file(&[
            json!({"id": "507f1f77bcf86cd799439011", "email": "ann@example.com"}),
            json!({"id": "5c0114729fb01369f4dbd729", "email": "bob@example.com"}),
            json!({"id": "60115a65bcf86cd799000001", "email": "cyd@example.com"}),
        ]);
        let import = ["users", "import", text(&file), "--stack", "regain"];
        let ran = kit.run(&import).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.err, told);
    }
}
