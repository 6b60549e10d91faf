//! `regain users recover`: recoveries that an operator begins.

use std::path::PathBuf;
use std::time::Duration;

use regain::ambient;
use serde_json::{Value, json};

use crate::kit::{Kit, text};

const ANN: &str = "60115a65c0c6974f894f9ea6";
const BOB: &str = "60115a65c0c6974f894f9ea7";
const CYD: &str = "60115a65c0c6974f894f9ea8";

async fn three() -> Kit {
    let kit = Kit::new().await;
    kit.import_users(&[
        json!({"id": ANN, "email": "ann@example.com"}),
        json!({"id": BOB, "email": "bob@example.com"}),
        json!({"id": CYD, "email": "cyd@example.com", "status": "blocked"}),
    ])
    .await;
    kit
}

/// The keys of all mail requests.
async fn mails(kit: &Kit) -> Vec<String> {
    let mut keys = kit.keys().await;
    keys.retain(|key| key.starts_with("MAIL#"));
    keys
}

fn journal(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

#[tokio::test]
async fn each_person_is_mailed_once_however_often_the_run_is_resumed() {
    let kit = three().await;
    let folder = tempfile::tempdir().unwrap();
    let (journal, everybody) = (journal(&folder, "run"), journal(&folder, "everybody"));
    let lines = format!("ann@example.com\n\n{{\"id\": \"{BOB}\", \"phone\": \"1\"}}\n{CYD}\n");
    std::fs::write(&everybody, lines).unwrap();
    let everybody = text(&everybody).to_owned();
    let command = |people: &[&str]| {
        let mut all = vec!["users", "recover", "--rate", "1000", "--journal"];
        all.push(text(&journal));
        all.extend(people);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = async |people: &[&str]| {
        let command = command(people);
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        kit.local(&command).await
    };
    // The run is stopped after the first person.
    let first = run(&["ann@example.com"]).await;
    assert_eq!(first.well(), ["1 mail asked for, 0 earlier, 0 skipped"]);
    assert_eq!(mails(&kit).await.len(), 1);
    let resumed = run(&[&everybody, "nobody@example.com"]).await;
    assert_eq!(resumed.well(), ["1 mail asked for, 1 earlier, 2 skipped"]);
    assert!(resumed.err.contains(CYD) && resumed.err.contains("may not recover"));
    assert!(
        resumed
            .err
            .contains("nobody has the address nobody@example.com")
    );
    assert_eq!(mails(&kit).await.len(), 2);
    let again = run(&[&everybody]).await;
    assert_eq!(again.well(), ["0 mails asked for, 2 earlier, 1 skipped"]);
    assert_eq!(mails(&kit).await.len(), 2);

    // The journal has an audit record for each, and no address.
    let lines = std::fs::read_to_string(&journal).unwrap();
    assert!(!lines.contains('@'), "{lines}");
    let records = lines.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["audit"] == 1).then(|| line["event"].clone())
    });
    assert_eq!(records.collect::<Vec<_>>(), ["requested", "requested"]);

    // A crash between the request and the journal mails nobody twice.
    let torn = lines.replace(&format!("{{\"done\":\"{BOB}\"}}"), "{\"done\":\"6011");
    assert_ne!(torn, lines);
    std::fs::write(&journal, torn).unwrap();
    let again = run(&[&everybody]).await;
    assert_eq!(again.well(), ["1 mail asked for, 1 earlier, 1 skipped"]);
    assert_eq!(mails(&kit).await.len(), 2, "the same session");
}

#[tokio::test]
async fn no_throttle_refuses_an_operator() {
    let kit = three().await;
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=7 {
        let journal = journal(&folder, &number.to_string());
        let ran = kit
            .local(&[
                "users",
                "recover",
                "ann@example.com",
                "--journal",
                text(&journal),
            ])
            .await;
        assert_eq!(ran.well(), ["1 mail asked for, 0 earlier, 0 skipped"]);
        assert_eq!(mails(&kit).await.len(), number);
    }
}

#[tokio::test]
async fn must_reset_is_set_for_those_who_are_mailed_and_for_nobody_else() {
    let kit = three().await;
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(&folder, "run");
    let ran = kit
        .local(&[
            "users",
            "recover",
            ANN,
            "cyd@example.com",
            "--must-reset",
            "--journal",
            text(&journal),
        ])
        .await;
    // An id alone is taken for a file.
    assert_ne!(ran.code, Some(0), "{ran:?}");
    let ran = kit
        .local(&[
            "users",
            "recover",
            "ann@example.com",
            "cyd@example.com",
            "--must-reset",
            "--journal",
            text(&journal),
        ])
        .await;
    assert_eq!(ran.well(), ["1 mail asked for, 0 earlier, 1 skipped"]);
    for (email, expected) in [
        ("ann@example.com", true),
        ("bob@example.com", false),
        ("cyd@example.com", false),
    ] {
        let user = kit.user(email).await.unwrap();
        assert_eq!(user.must_reset, expected, "{email}");
    }
}

#[tokio::test]
async fn mails_are_asked_for_no_faster_than_the_rate() {
    let kit = three().await;
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(&folder, "run");
    let begun = ambient::now();
    let ran = kit
        .local(&[
            "users",
            "recover",
            "ann@example.com",
            "bob@example.com",
            "--rate",
            "1",
            "--journal",
            text(&journal),
        ])
        .await;
    assert_eq!(ran.well(), ["2 mails asked for, 0 earlier, 0 skipped"]);
    assert!(ambient::now().since(begun) >= Duration::from_secs(1));
    for wrong in ["0", "-1", "many", "1001"] {
        let rate = format!("--rate={wrong}");
        let ran = kit
            .local(&[
                "users",
                "recover",
                "a@b.example",
                &rate,
                "--journal",
                text(&journal),
            ])
            .await;
        assert_eq!(ran.code, Some(2), "{wrong}: {ran:?}");
    }
}

#[tokio::test]
async fn a_run_that_fails_says_how_far_it_came_and_can_be_resumed() {
    let kit = three().await;
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(&folder, "run");
    let command = [
        "users",
        "recover",
        "ann@example.com",
        "--journal",
        text(&journal),
    ];
    let elsewhere = [&command[..], &["--index-key-secret", "Elsewhere"]].concat();
    let failed = kit.local(&elsewhere).await;
    let sentence = failed.sentence();
    assert!(
        sentence.contains("run the command again to go on"),
        "{sentence}"
    );
    assert_eq!(mails(&kit).await, [""; 0]);
    let resumed = kit.local(&command).await;
    assert_eq!(resumed.well(), ["1 mail asked for, 0 earlier, 0 skipped"]);
}
