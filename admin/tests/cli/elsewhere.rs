//! The commands on a stack whose users live elsewhere.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::store::{Mailbox, Suppression};
use serde_json::json;

use regain::ambient;
use regain::keys::IndexKeys;

use crate::kit::{INDEX_SECRET, Kit, Ran, address, text};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:000000000000:function:people";
const INVOKED: &str = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-central-1%3A000000000000%3Afunction%3Apeople/invocations";

/// The stack's parameter names a user store, which answers that nobody has the address.
async fn stack() -> Kit {
    let kit = Kit::new().await;
    kit.aws.answers(
        "DescribeStacks",
        json!({
            "outputs": {
                "TableName": "regain", "IndexKeyArn": "IndexKey", "CodeKeyArn": "CodeKey", "ApiUrl": kit.aws.url(),
            },
            "parameters": {"MailFrom": "no-reply@mail.example.com", "UserStoreFunctionArn": FUNCTION},
        }),
    );
    kit.aws.answers(INVOKED, json!({ "user": null }));
    kit
}

async fn run(kit: &Kit, arguments: &[&str]) -> Ran {
    kit.run(&[arguments, &["--stack", "regain"]].concat()).await
}

#[tokio::test]
async fn commands_do_not_touch_users_in_the_table_if_users_live_elsewhere() {
    let kit = stack().await;
    let file = kit.file(&[json!({"email": "ann@example.com"})]);
    let ann = r#"{"email": "ann@example.com"}"#;
    for arguments in [
        &["users", "import", text(&file)][..],
        &["users", "export"],
        &["users", "list"],
        &["users", "add", ann],
        &["users", "update", "ann@example.com", ann],
        &["users", "delete", "ann@example.com"],
        &["users", "show", "ann@example.com"],
        &["users", "block", "ann@example.com"],
        &["users", "unblock", "ann@example.com"],
    ] {
        let ran = run(&kit, arguments).await;
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert_eq!(
            ran.err,
            "error: the users of this stack live elsewhere (UserStoreFunctionArn), and not in its table: look after \
             them where they are; only `users unsuppress ADDRESS` and `users recover` work here\n",
            "{arguments:?}"
        );
    }
    assert_eq!(kit.keys().await, [""; 0]);
    assert_eq!(kit.aws.calls("Scan") + kit.aws.calls("GetItem"), 0);

    // A table alone does not tell where its users live.
    let ran = kit.run(&["users", "add", ann, "--table", "regain"]).await;
    assert_eq!(ran.well().len(), 1);
}

#[tokio::test]
async fn an_address_is_mailed_again() {
    let kit = stack().await;
    let keys = IndexKeys::new(INDEX_SECRET.as_bytes());
    let key = keys.address(&address("ann@example.com"));
    let suppressed = async || {
        let mailbox = Mailbox::Elsewhere(&key);
        kit.store().suppressed(mailbox).await.unwrap()
    };
    let now = ambient::now();
    let (store, mailbox) = (kit.store(), Mailbox::Elsewhere(&key));
    let suppress = store.suppress(mailbox, Suppression::Complained, now, now);
    suppress.await.unwrap();
    assert!(suppressed().await.is_some());
    kit.aws
        .answers("suppression/addresses/Ann@example.com", json!({}));
    let unsuppress = ["users", "unsuppress", "Ann@example.com"];
    let on_list = "the address was on SES's own suppression list, and is off it now";
    for said in ["is mailed again", "is not suppressed"] {
        let ran = run(&kit, &unsuppress).await;
        let first = format!("Ann@example.com {said}");
        assert_eq!(ran.well(), [first.as_str(), on_list]);
        assert!(suppressed().await.is_none());
    }
    let ran = run(&kit, &["users", "unsuppress", "people-7"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("not an e-mail address"), "{}", ran.err);
}

#[tokio::test]
async fn the_doctor_asks_the_user_store_and_does_not_count_users_in_the_table() {
    const BAD: &str = "✗ ";
    let kit = stack().await;
    kit.deliver_mail().await;
    let users = |ran: &Ran| {
        let (_, users) = ran.out.split_once("\nUsers\n").unwrap();
        users.lines().next().unwrap().to_owned()
    };
    let ran = run(&kit, &["doctor"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(users(&ran), "✓ the user store function answers");
    assert_eq!(kit.aws.calls(INVOKED), 1);
    assert_eq!(kit.aws.calls("Scan"), 0);

    for (answer, says) in [
        (json!({"user": {"id": "1"}}), "answer"),
        (json!({"outcome": "done"}), "answer"),
        (json!([]), "answer"),
    ] {
        kit.aws.answers(INVOKED, answer.clone());
        let ran = run(&kit, &["doctor"]).await;
        let line = users(&ran);
        assert_eq!(ran.code, Some(1), "{answer}: {ran:?}");
        assert!(line.starts_with(BAD) && line.contains(says), "{line}");
    }
    kit.aws
        .fails(INVOKED, 403, "AccessDeniedException", "not allowed");
    let ran = run(&kit, &["doctor"]).await;
    let line = users(&ran);
    assert!(line.starts_with(BAD) && line.contains("403"), "{line}");
    assert!(ran.out.contains("you need lambda:InvokeFunction on it"));
}

#[tokio::test]
async fn a_user_store_that_nothing_listens_for_is_reported() {
    let kit = stack().await;
    let nowhere = "http://127.0.0.1:1";
    let endpoint = format!("lambda={nowhere}");
    let ran = run(&kit, &["doctor", "--endpoint", &endpoint]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let line = format!("✗ nothing listens at {nowhere} (Lambda)");
    assert!(ran.out.contains(&line), "{}", ran.out);

    // Where users are in the table, nothing needs it.
    kit.aws.recovers();
    kit.deliver_mail().await;
    let ran = run(&kit, &["doctor", "--endpoint", &endpoint]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[tokio::test]
async fn people_are_recovered_by_their_addresses_and_the_journal_remembers_them() {
    let kit = stack().await;
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("run");
    let everybody = folder.path().join("everybody");
    std::fs::write(
        &everybody,
        "Ann@example.com\n{\"id\": \"7\", \"email\": \"bob@example.com\"}\npeople-7\n",
    )
    .unwrap();
    let command = |more: &[&str]| {
        let first = [
            "users",
            "recover",
            "--rate",
            "1000",
            "--journal",
            text(&journal),
        ];
        let all = first.into_iter().chain(more.iter().copied());
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    let run = async |more: &[&str]| {
        let command = command(more);
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        run(&kit, &command).await
    };
    let refused = run(&["ann@example.com", "--must-reset"]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("(UserStoreFunctionArn)"),
        "{}",
        refused.err
    );

    let first = run(&["ann@EXAMPLE.com"]).await;
    assert_eq!(first.well(), ["1 mail asked for, 0 earlier, 0 skipped"]);
    let resumed = run(&[text(&everybody)]).await;
    assert_eq!(resumed.well(), ["1 mail asked for, 1 earlier, 1 skipped"]);
    assert!(
        resumed
            .err
            .contains("\"people-7\" is not an e-mail address")
    );
    let mut asked = Vec::new();
    for key in kit.keys().await {
        if key.starts_with("MAIL#") {
            asked.push(kit.item(&key).await["address"].clone());
        }
    }
    asked.sort_by_key(|address| format!("{address:?}"));
    let expected = ["ann@example.com", "bob@example.com"];
    assert_eq!(asked, expected.map(|it| AttributeValue::S(it.to_owned())));
    // deliver-mail asks the user store, not this command.
    assert_eq!(kit.aws.calls(INVOKED), 0);
}
