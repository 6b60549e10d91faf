//! The check of users: who cannot recover and why, and what the ids tell.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::kit::Kit;

#[tokio::test]
async fn users_who_cannot_recover_are_counted_with_the_reason() {
    let kit = Kit::new().await;
    kit.import_users(&[
        json!({"email": "a@example.com"}),
        json!({"email": "b@example.com", "status": "ACTIVE "}),
        json!({"email": "c@example.com", "status": "disabled"}),
        json!({"email": "d@example.com", "status": "disabled"}),
    ])
    .await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    kit.put("USER#1", &[("email", text("e@example.com"))]).await;
    let number = AttributeValue::N("1".to_owned());
    kit.put(
        "USER#2",
        &[("email", text("f@example.com")), ("status", number)],
    )
    .await;
    kit.put(
        "USER#3",
        &[("email", text("nothing")), ("status", text("active"))],
    )
    .await;
    let foreign = [
        ("email", text("ren\u{e9}@example.com")),
        ("status", text("active")),
    ];
    kit.put("USER#4", &foreign).await;
    kit.put(
        "EMAIL#a@example.com",
        &[("userId", text("1")), ("suppressed", text("x"))],
    )
    .await;
    let ran = kit.local(&["doctor"]).await;
    let (_, users) = ran.out.split_once("\nUsers\n").unwrap();
    assert!(
        users.starts_with(
            "✓ 8 users, and 6 of them cannot recover\n  \
             1 has a status that is no text\n  \
             1 has an address that SES does not mail to\n  \
             1 has no e-mail address\n  \
             1 has no status\n  \
             2 have the status \"disabled\"\n  \
             1 address is not mailed, since \"suppressed\" cannot be read\n"
        ),
        "{users}"
    );
}

#[tokio::test]
async fn only_a_suppression_that_stops_mail_now_is_counted() {
    const PAST: &str = "1773144000000";
    // 2100-01-01 and a day later.
    const LATER: &str = "4102444800000";
    const LAST: &str = "4102531200000";
    let kit = Kit::new().await;
    let number = |number: &str| AttributeValue::N(number.to_owned());
    let lookup = async |email: &str, why: &str, more: &[(&str, &str)]| {
        let mut suppressed: HashMap<_, _> = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), number(value)))
            .collect();
        suppressed.insert("at".to_owned(), number(PAST));
        suppressed.insert("why".to_owned(), AttributeValue::S(why.to_owned()));
        let key = format!("EMAIL#{email}");
        let id = AttributeValue::S("60115a65c0c6974f894f9ea6".to_owned());
        let suppressed = AttributeValue::M(suppressed);
        kit.put(&key, &[("userId", id), ("suppressed", suppressed)])
            .await;
    };
    let users = async || {
        let ran = kit.local(&["doctor"]).await;
        let (_, users) = ran.out.split_once("\nUsers\n").unwrap();
        let (users, _) = users.split_once("\n\n").unwrap();
        users.to_owned()
    };
    let none = "✓ there are no users yet";
    lookup("a@example.com", "bounced", &[("until", PAST)]).await;
    assert_eq!(users().await, none, "it is mailed again");

    lookup("b@example.com", "bounced", &[("until", LATER)]).await;
    let paused = "1 address is not mailed for now after a bounce, until 2100-01-01T00:00:00.000Z";
    assert_eq!(users().await, format!("{none}\n  {paused}"));

    lookup("c@example.com", "bounced", &[("until", LAST)]).await;
    lookup("d@example.com", "bounced", &[("count", "4")]).await;
    lookup("e@example.com", "complained", &[("count", "2")]).await;
    lookup("f@example.com", "complained", &[("count", "1")]).await;
    assert_eq!(
        users().await,
        format!(
            "{none}\n  \
             2 addresses are not mailed any more after bounces or complaints\n  \
             2 addresses are not mailed for now after a bounce, the last until \
             2100-01-02T00:00:00.000Z\n  \
             1 address gets no codes any more after a complaint"
        )
    );
}

#[tokio::test]
async fn a_stack_in_which_nobody_can_recover_is_a_problem() {
    let kit = Kit::new().await;
    kit.deliver_mail().await;
    kit.import_users(&[json!({"email": "a@example.com", "status": "enabled"})])
        .await;
    let ran = kit.run(&["doctor", "--stack", "regain"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out
            .contains("✗ none of 1 user can recover\n  → look at the statuses below"),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn users_are_not_checked_without_the_permission_to_read_all_of_them() {
    let kit = Kit::new().await;
    kit.deliver_mail().await;
    let denied = "User: arn:aws:iam::1:user/op is not authorized to perform: dynamodb:Scan";
    kit.aws.fails("Scan", 400, "AccessDeniedException", denied);
    let ran = kit.run(&["doctor", "--stack", "regain"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = "– who can recover: not checked, which takes the permission dynamodb:Scan\n";
    assert!(ran.out.contains(line), "{}", ran.out);
}

#[tokio::test]
async fn the_first_pages_are_read_unless_all_are_asked_for() {
    let kit = Kit::new().await;
    kit.deliver_mail().await;
    let key = json!({"pk": {"S": "USER#1"}});
    let user = json!({"pk": {"S": "USER#1"}, "status": {"S": "active"},
        "email": {"S": "a@example.com"}});
    kit.aws
        .answers("Scan", json!({"Items": [user], "LastEvaluatedKey": key}));
    let ran = kit.run(&["doctor", "--stack", "regain"]).await;
    assert!(
        ran.out.contains(
            "✓ 10 users (the first of the table; --all-users reads the rest), and all can"
        ),
        "{}",
        ran.out
    );
    assert_eq!(kit.aws.calls("Scan"), 10);
}

#[tokio::test]
async fn ids_that_show_who_has_an_account_are_pointed_out() {
    for (mode, is_told) in [("user", true), ("alias", false)] {
        let kit = Kit::new().await;
        kit.import_users(&[
            json!({"id": "507f1f77bcf86cd799439011", "email": "ann@example.com"}),
            json!({"email": "bob@example.com"}),
        ])
        .await;
        let ran = kit
            .run_in(&[("DIRECTORY_USER_ID", mode)], &["doctor", "--local"])
            .await;
        let told = ran.err.contains(
            "note: 1 of 2 ids can be told from the made-up ids that users/resend answers for unknown \
             addresses (by a date before 2018 or after 2023)",
        );
        assert_eq!(told, is_told, "{}", ran.err);
        assert!(
            ran.err.contains("DirectoryUserId=alias") == is_told,
            "{}",
            ran.err
        );
    }
}
