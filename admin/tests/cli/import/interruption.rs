//! Imports that fail or are stopped on the way.

use serde_json::{Value, json};

use crate::kit::{Kit, Ran, text};

/// The lines of this many users.
fn users(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"email": format!("user{n}@example.com")}))
        .collect()
}

#[tokio::test]
async fn an_import_that_was_cut_short_is_finished_by_running_it_again() {
    let kit = Kit::new().await;
    let file = kit.file(&users(100));
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
async fn ctrl_c_ends_an_import_and_reports_what_was_imported() {
    let kit = Kit::new().await;
    let file = kit.file(&users(3000));
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
