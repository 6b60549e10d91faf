//! A rotated code key: no code in flight breaks, no budget is reset, and decoys stay as they are.
//!
//! An instance keeps its copy of the code key for minutes, so each run of a stack on the same data
//! stands for the instances that are started later. A version's age is made by setting the date back
//! that the data directory has for it.

use std::path::Path;

use serde_json::{Value, json};

use crate::throttles::{DAY, within};
use testkit::answer::Answer;
use testkit::client::{Begun, Mobile, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::operator::regain;
use testkit::people::{Person, new_address};
use testkit::stack::{Setup, Stack};

const PASSWORD: &str = "brass kettle on the moon";
const ROTATE: [&str; 2] = ["code-key", "rotate"];
const MINUTE: i64 = 60_000;

fn kept_in(data: &Path) -> Setup {
    Setup::default().option("--data", data)
}

/// A recovery that waits for its code, over auth/v1.
struct Waiting {
    session: String,
    code: String,
}

impl Waiting {
    async fn on(stack: &Stack) -> Self {
        Self::of(stack, &Person::of(stack).await, 0).await
    }

    /// Begins a recovery of somebody who has had `mails` mails before.
    async fn of(stack: &Stack, person: &Person, mails: usize) -> Self {
        let session = Mobile::of(stack).begin(&person.email).await;
        let mut mailbox = Mailbox::of(stack, person);
        for _ in 0..mails {
            mailbox.next().await;
        }
        let code = mailbox.next_code().await;
        Self { session, code }
    }

    async fn tries(&self, stack: &Stack, code: &str) -> Answer {
        Mobile::of(stack).verify(&self.session, code).await
    }

    async fn is_guessed_at(&self, stack: &Stack, times: usize) {
        for _ in 0..times {
            let answer = self.tries(stack, &wrong(&self.code)).await;
            answer.refused("otp_invalid");
        }
    }

    async fn goes_on(&self, stack: &Stack) {
        let token = self.tries(stack, &self.code).await.word();
        let set = Mobile::of(stack).set_password(&token, PASSWORD).await;
        set.word();
    }
}

/// A recovery that waits for its code, over the Directory API.
async fn waiting_on_the_web(stack: &Stack) -> (Begun, String) {
    let person = Person::of(stack).await;
    let begun = Web::of(stack).begin(&person.email).await;
    let code = Mailbox::of(stack, &person).next_code().await;
    (begun, code)
}

/// Makes every version of the code key older.
fn age_code_key(data: &Path, minutes: i64) {
    let file = data.join("secrets.json");
    let mut secrets: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for version in secrets["CodeKey"].as_array_mut().unwrap() {
        let created_at = version["created_at"].as_i64().unwrap();
        version["created_at"] = json!(created_at - minutes * MINUTE);
    }
    std::fs::write(&file, secrets.to_string()).unwrap();
}

/// Puts a new code key without looking at when the last one was put, as the command never does.
async fn put_too_soon(stack: &Stack) {
    let body = json!({"SecretId": "CodeKey", "SecretString": "a key that comes too soon"});
    let put = reqwest::Client::new()
        .post(stack.endpoint("Secrets"))
        .header("x-amz-target", "secretsmanager.PutSecretValue")
        .body(body.to_string());
    assert!(put.send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn a_rotation_breaks_no_code_in_flight_and_a_second_one_too_soon_would() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let run = || kept_in(&data).unthrottled().start();

    // One version. The instances know it, and go on with it.
    let stack = run();
    let unknown = new_address();
    let decoy = Web::of(&stack).begin(&unknown).await.id;
    let [warm, fresh] = [Waiting::on(&stack).await, Waiting::on(&stack).await];
    let (begun, code) = waiting_on_the_web(&stack).await;
    let said = regain(&stack, &ROTATE).unwrap();
    assert!(
        said.contains("codes that were mailed before stay good"),
        "{said}"
    );
    let refused = regain(&stack, &ROTATE).unwrap_err();
    assert!(refused.contains("it may be rotated again at"), "{refused}");
    warm.goes_on(&stack).await;
    stack.end("TERM");

    // Two versions, the new one young: mail is written with the old one still.
    let stack = run();
    fresh.goes_on(&stack).await;
    Web::of(&stack)
        .set_both(&begun, &code, PASSWORD)
        .await
        .data();
    Waiting::on(&stack).await.goes_on(&stack).await;
    assert_eq!(Web::of(&stack).begin(&unknown).await.id, decoy);
    let [by_the_first, also_by_the_first] = [Waiting::on(&stack).await, Waiting::on(&stack).await];
    stack.end("TERM");

    // The new one is old enough, and writes mail.
    age_code_key(&data, 10);
    let stack = run();
    by_the_first.goes_on(&stack).await;
    Waiting::on(&stack).await.goes_on(&stack).await;
    assert_eq!(Web::of(&stack).begin(&unknown).await.id, decoy);
    let by_the_second = Waiting::on(&stack).await;
    assert!(
        regain(&stack, &ROTATE).is_err(),
        "a session may live for a day"
    );
    put_too_soon(&stack).await;
    stack.end("TERM");

    // A third version has displaced the first.
    let stack = run();
    by_the_second.goes_on(&stack).await;
    let lost = also_by_the_first.tries(&stack, &also_by_the_first.code);
    lost.await.refused("otp_invalid");
}

#[tokio::test]
async fn a_rotation_resets_no_budget_and_no_throttle() {
    within(DAY, async || {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let run = || {
            kept_in(&data)
                .unthrottled()
                .set("CODE_MAX_ATTEMPTS", 2)
                .set("ACCOUNT_GUESSES_PER_DAY", 3)
                .set("EMAIL_REQUESTS_PER_DAY", 3)
                .set("KNOWN_NETWORK_DAYS", 0)
                .start()
        };
        // Two wrong guesses a session, three a day: a session is spent, and somebody's day.
        let stack = run();
        let spent = Waiting::on(&stack).await;
        spent.is_guessed_at(&stack, 2).await;
        let person = Person::of(&stack).await;
        for (earlier, guesses) in [(0, 2), (1, 1)] {
            let waiting = Waiting::of(&stack, &person, earlier).await;
            waiting.is_guessed_at(&stack, guesses).await;
        }
        regain(&stack, &ROTATE).unwrap();
        stack.end("TERM");

        let stack = run();
        let refused = spent.tries(&stack, &spent.code).await;
        refused.refused("attempts_exceeded");
        assert_eq!(refused.header("retry-after"), None, "the session's guesses");
        // The third code of three a day: mailed, and of no use today.
        let third = Waiting::of(&stack, &person, 2).await;
        let refused = third.tries(&stack, &third.code).await;
        let seconds = refused.refused("attempts_exceeded").retry_after();
        assert!(seconds > 0, "the day's guesses");
        let refused = Mobile::of(&stack).forgot(&person.email).await;
        refused.refused("too_many_requests");
    })
    .await;
}
