//! The functions of another stack: fixtures are given to a program that invokes one of them.
//!
//! `REGAIN_INVOKE` names the program. It is called with a function's logical id, an event's file, and
//! the loopback address on which the function's container may listen; it prints the answer.
//! `REGAIN_STACK` is the address of the stack behind it, which has the mailbox.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use local::mail::store::Mail;
use local::template::Stack;
use serde_json::Value as Json;
use tokio::process::Command;

use super::answer;
use super::fixture::{Fixture, events};
use super::stack::template;

/// Invocations run at the same time, one for each address: each keeps a processor busy. SAM picks a
/// free port before it starts the container, so two on one address may pick the same.
const ADDRESSES: [&str; 2] = ["127.0.0.1", "127.0.0.2"];
/// Far more than one takes: a program that hangs is to be seen.
const PATIENCE: Duration = Duration::from_mins(3);

/// What invokes functions, and where their mail goes.
pub(crate) struct Invoker {
    program: OsString,
    mailbox: String,
    stack: Stack,
}

impl Invoker {
    /// The one that the environment names, if it does.
    pub(crate) fn from_env() -> Option<Self> {
        let program = std::env::var_os("REGAIN_INVOKE")?;
        let stack = std::env::var_os("REGAIN_STACK").unwrap();
        Some(Self {
            program,
            mailbox: format!("{}/_mail.json", stack.into_string().unwrap()),
            stack: template(),
        })
    }

    /// What the functions say to the fixtures, by the fixtures' names, and the mail that they send.
    ///
    /// Events that nobody waits for go one after another, so that the mail sent meanwhile is theirs.
    /// Calls ask for mail only, which the stack then delivers by itself: these come last.
    pub(crate) async fn answers(&self, fixtures: &[Fixture]) -> BTreeMap<String, String> {
        let (calls, others): (Vec<_>, Vec<_>) = fixtures
            .iter()
            .partition(|fixture| fixture.event.get("requestContext").is_some());
        let mut answers = BTreeMap::new();
        for fixture in others {
            let before = self.mails().await.len();
            let answer = invoked(self.command(fixture, ADDRESSES[0]), fixture.name()).await;
            let mails = self.mails().await;
            let mails = mails.get(before..).unwrap_or_default();
            let text = answer::text(&fixture.text, &answer, mails);
            answers.insert(fixture.name(), text);
        }
        let queue = Mutex::new(calls.into_iter());
        let lanes = ADDRESSES.map(async |address| {
            let mut answers = Vec::new();
            while let Some(fixture) = next(&queue) {
                let answer = invoked(self.command(fixture, address), fixture.name()).await;
                let text = answer::text(&fixture.text, &answer, &[]);
                answers.push((fixture.name(), text));
            }
            answers
        });
        let [first, second] = lanes;
        let (first, second) = tokio::join!(first, second);
        answers.extend(first.into_iter().chain(second));
        answers
    }

    fn command(&self, fixture: &Fixture, address: &str) -> Command {
        let mut functions = self.stack.functions.iter();
        let function = functions.find(|it| it.name == fixture.function);
        let function = function.unwrap_or_else(|| panic!("no function {}", fixture.function));
        let mut command = Command::new(&self.program);
        command
            .arg(&function.id)
            .arg(events().join(fixture.name()).with_extension("json"))
            .arg(address)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// All mail, oldest first.
    async fn mails(&self) -> Vec<Mail> {
        let answer = reqwest::get(&self.mailbox).await.unwrap();
        let mut mails: Vec<Mail> = answer.error_for_status().unwrap().json().await.unwrap();
        mails.reverse();
        mails
    }
}

fn next<'a>(queue: &Mutex<impl Iterator<Item = &'a Fixture>>) -> Option<&'a Fixture> {
    queue.lock().unwrap().next()
}

async fn invoked(mut command: Command, name: String) -> Json {
    let output = tokio::time::timeout(PATIENCE, command.output());
    let output = output.await.unwrap_or_else(|_| panic!("{name}: no end"));
    let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
    let answer = serde_json::from_slice(&output.stdout);
    let said = || String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}", said());
    let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}\n{}", said()));
    eprintln!("{name}");
    answer
}
