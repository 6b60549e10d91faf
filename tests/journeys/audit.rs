//! The audit trail: what the functions record arrives in the file that the start names.

use std::path::Path;

use serde_json::Value;

use crate::stacks;
use testkit::client::{Api, Mobile, Web};
use testkit::eventually;
use testkit::mailbox::{Mailbox, wrong};
use testkit::operator::regain;
use testkit::people::Person;
use testkit::stack::Setup;

/// Event and outcome of each record that holds a text, in order.
fn events(trail: &str, subject: &str) -> Vec<String> {
    let text = std::fs::read_to_string(trail).unwrap();
    let records = text.lines().filter(|line| line.contains(subject));
    let word = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    records
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|record| format!("{} {}", word(&record, "event"), word(&record, "outcome")))
        .collect()
}

#[tokio::test]
async fn the_records_of_a_person_are_found_by_the_subject_that_the_command_prints() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let mobile = Mobile(Api::of(stack).with("x-agent", "a phone"));
    let session = mobile.begin(&person.email).await;
    let code = mailbox.next_code().await;
    mobile
        .verify(&session, &wrong(&code))
        .await
        .refused("otp_invalid");
    let token = mobile.verify(&session, &code).await.word();
    mobile.set_password(&token, "a new password").await.word();
    mailbox.next_notice().await;

    let subject = regain(stack, &["audit", "subject", &person.email]).unwrap();
    let trail = stack.endpoint("Audit");
    let found = eventually("the notice is recorded", async || {
        let found = events(trail, subject.trim());
        (found.last()? == "mailed notice").then_some(found)
    })
    .await;
    let expected = [
        "requested new-session",
        "mailed code",
        "wrong-guess wrong",
        "proven token",
        "password-set token",
        "mailed notice",
    ];
    assert_eq!(found, expected);
    let text = std::fs::read_to_string(trail).unwrap();
    for line in text.lines().filter(|line| line.contains(subject.trim())) {
        let record: Value = serde_json::from_str(line).unwrap();
        let function = match record["event"].as_str().unwrap() {
            "requested" => "forgot-password",
            "wrong-guess" | "proven" => "forgot-password-verify-otp",
            "password-set" => "forgot-password-set-password",
            _ => "deliver-mail",
        };
        assert_eq!(record["logGroup"], format!("/aws/lambda/regain-{function}"));
    }
    let device = regain(stack, &["audit", "device", "a phone"]).unwrap();
    let by_device = events(trail, device.trim());
    assert!(by_device.contains(&"password-set token".to_owned()));
}

#[tokio::test]
async fn the_last_record_is_kept_when_the_service_ends_and_the_next_run_adds_to_it() {
    let data = tempfile::tempdir().unwrap();
    let trail = data.path().join("audit-trail.jsonl");
    let trail = trail.to_str().unwrap();
    for run in 1..=2 {
        let stack = Setup::default()
            .unthrottled()
            .option("--data", data.path())
            .start();
        assert_eq!(stack.endpoint("Audit"), trail);
        let web = Web(Api::of(&stack));
        for number in 0..5 {
            web.begin(&format!("nobody{number}@example.com")).await;
        }
        // At once: what was recorded is on its way still.
        let ended = stack.end("TERM");
        assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
        let requested = events(trail, "requested").len();
        assert_eq!(requested, 5 * run);
    }
}

#[tokio::test]
async fn a_service_without_a_data_directory_leaves_no_audit_trail() {
    let stack = Setup::default().start();
    let trail = stack.endpoint("Audit").to_owned();
    assert!(Path::new(&trail).exists());
    let ended = stack.end("TERM");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
    assert!(!Path::new(&trail).exists(), "{trail}");
}
