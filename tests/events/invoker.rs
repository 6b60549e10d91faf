//! Invokes the functions of another stack through Lambda's API, as `sam local start-lambda` offers it.
//!
//! `REGAIN_LAMBDA` is the address of that API. `REGAIN_STACK` is the address of the stack behind the
//! functions, which has the mailbox.

use std::collections::BTreeMap;
use std::time::Duration;

use local::mail::store::Mail;
use local::template::Stack;
use reqwest::Client;
use serde_json::Value as Json;

use testkit::fixture::Fixture;
use testkit::fixture_stack::template;
use testkit::snapshot;

/// The time that one invocation may take. The first of a function starts its container.
const TIMEOUT: Duration = Duration::from_mins(3);

/// The functions of another stack, and its mailbox.
pub(crate) struct Invoker {
    client: Client,
    lambda: String,
    mailbox: String,
    told: String,
    stack: Stack,
}

impl Invoker {
    /// The stack that the environment names, if it names one.
    pub(crate) fn from_env() -> Option<Self> {
        let lambda = std::env::var_os("REGAIN_LAMBDA")?;
        let stack = std::env::var_os("REGAIN_STACK").unwrap();
        let stack = stack.into_string().unwrap();
        Some(Self {
            client: Client::builder().timeout(TIMEOUT).build().unwrap(),
            lambda: lambda.into_string().unwrap(),
            mailbox: format!("{stack}/_mail.json"),
            told: format!("{stack}/_events.json"),
            stack: template(),
        })
    }

    /// The answers to the fixtures, by the fixtures' names, with the mail and the events that the functions send.
    ///
    /// Fixtures are sent one after another, so that mail sent meanwhile belongs to the fixture. API
    /// calls only request mail, which the stack then delivers by itself: they come last.
    pub(crate) async fn answers(&self, fixtures: &[Fixture]) -> BTreeMap<String, String> {
        let (calls, others): (Vec<_>, Vec<_>) = fixtures
            .iter()
            .partition(|fixture| fixture.event.get("requestContext").is_some());
        let mut answers = BTreeMap::new();
        for fixture in others {
            let before = (self.mails().await.len(), self.told().await.len());
            let answer = self.invoke(fixture).await;
            let (mails, told) = (self.mails().await, self.told().await);
            let mails = mails.get(before.0..).unwrap_or_default();
            let told = told.get(before.1..).unwrap_or_default();
            let text = snapshot::text(&fixture.text, &answer, mails, told);
            answers.insert(fixture.name(), text);
        }
        for fixture in calls {
            let answer = self.invoke(fixture).await;
            let text = snapshot::text(&fixture.text, &answer, &[], &[]);
            answers.insert(fixture.name(), text);
        }
        answers
    }

    async fn invoke(&self, fixture: &Fixture) -> Json {
        let name = fixture.name();
        let url = format!(
            "{}/2015-03-31/functions/{}/invocations",
            self.lambda,
            self.id(fixture)
        );
        let request = self.client.post(url).body(fixture.text.clone());
        let response = request.send().await;
        let response = response.unwrap_or_else(|error| panic!("{name}: {error}"));
        let status = response.status();
        let answer = response.text().await.unwrap();
        assert!(status.is_success(), "{name}: {status}: {answer}");
        eprintln!("{name}");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{name}: {error}: {answer}"))
    }

    /// The function's logical id in the template.
    fn id(&self, fixture: &Fixture) -> &str {
        let mut functions = self.stack.functions.iter();
        let function = functions.find(|it| it.name == fixture.function);
        let function = function.unwrap_or_else(|| panic!("no function {}", fixture.function));
        &function.id
    }

    /// All events, oldest first.
    async fn told(&self) -> Vec<Json> {
        let answer = self.client.get(&self.told).send().await.unwrap();
        let mut told: Vec<Json> = answer.error_for_status().unwrap().json().await.unwrap();
        told.reverse();
        told
    }

    /// All mail, oldest first.
    async fn mails(&self) -> Vec<Mail> {
        let answer = self.client.get(&self.mailbox).send().await.unwrap();
        let mut mails: Vec<Mail> = answer.error_for_status().unwrap().json().await.unwrap();
        mails.reverse();
        mails
    }
}
