//! Lines that cannot be imported, and notes about those that can.

use std::fmt::Write as _;

use serde_json::json;

use super::ID;
use crate::kit::{Kit, text};

const FAULTY: &str = "$2x$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

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
