//! The stack that the fixtures run on: the parts of `cargo run -- --seed events` without the gateway and the stream.
//! The fixtures are the events that those two would send.

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use local::dynamodb::engine::Engine;
use local::dynamodb::store::TableStore;
use local::event_bridge::EventBridge;
use local::gateway::listen::{StandInListeners, Urls};
use local::lambda::bus::Bus;
use local::lambda::pool::{Pool, PoolError};
use local::lambda::program::{Program, program};
use local::mail::ses::Ses;
use local::mail::store::{Mail, MailStore};
use local::random::Random;
use local::secrets::SecretStore;
use local::shutdown::Shutdown;
use local::template::Stack;
use local::users::Loader;
use regain::settings::Settings;
use serde_json::{Value as Json, json};

use crate::WORKSPACE;
use crate::binaries::binaries;
use crate::fixture::{Fixture, events};
use crate::snapshot;
use crate::table::Table;

/// The stack as the template declares it, with every parameter at its default.
pub fn template() -> Stack {
    template_with(&[])
}

/// The stack with these settings, by their names as environment variables.
pub fn template_with(settings: &[(&str, &str)]) -> Stack {
    let path = Path::new(WORKSPACE).join("template.yaml");
    let given = settings.iter().copied();
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Stack::open(&path, given.collect()).unwrap()
}

/// The running functions, and the stand-ins that they call.
pub struct FixtureStack {
    /// The processes of each function, by its name.
    pub pools: BTreeMap<String, Pool>,
    /// Their table.
    pub table: Table,
    mails: MailStore,
    events: EventBridge,
    shutdown: Shutdown,
}

impl FixtureStack {
    /// Builds the functions, starts the stand-ins, and loads the seed. `prepare` may change the program of each
    /// function.
    pub async fn start(prepare: impl Fn(Program) -> Program) -> Self {
        Self::start_stack(template(), "", prepare).await
    }

    /// The same for a stack with other settings. `lambda` is the URL of Lambda's Invoke API, with the user store
    /// behind it.
    pub async fn start_stack(
        stack: Stack,
        lambda: &str,
        prepare: impl Fn(Program) -> Program,
    ) -> Self {
        let folder = binaries();
        let shutdown = Shutdown::default();
        let random = Random::new().unwrap();
        let [dynamodb, ses, secrets, event_bridge] = ["dynamodb", "ses", "secrets", "events"]
            .map(|option| StandInListeners::bind(0, option, None).unwrap());
        let urls = Urls {
            api: String::new(),
            dynamodb: dynamodb.url(),
            ses: ses.url(),
            secrets: secrets.url(),
            lambda: lambda.to_owned(),
            events: event_bridge.url(),
        };

        let engine = Engine::open(None).unwrap();
        tokio::spawn(engine.serve(dynamodb.loopback, shutdown.stop()));
        let table = TableStore::open(&urls.dynamodb, stack.table.clone());
        table.await.unwrap();
        let settings = Settings::read(&|name| {
            stack
                .functions
                .iter()
                .find_map(|it| it.environment.get(name))
                .cloned()
        });
        let loader = Loader::new(&urls.dynamodb, &stack.table.name, settings.unwrap());
        loader
            .load_items(&events().join("seed.jsonl"))
            .await
            .unwrap();

        let given = std::fs::read(events().join("secret.json")).unwrap();
        let given = serde_json::from_slice(&given).unwrap();
        let kept = SecretStore::open(&stack.secrets, &given, None, random.clone()).unwrap();
        serve(secrets, kept.into_router(), &shutdown);
        let mails = MailStore::default();
        let configuration = stack.configuration_sets.clone();
        let mailing = Ses::new(
            &stack.mail_templates,
            configuration,
            mails.clone(),
            Bus::default(),
            random.clone(),
        )
        .unwrap();
        serve(ses, mailing.into_router(), &shutdown);
        let events = EventBridge::new(Bus::default(), random.clone());
        serve(event_bridge, events.clone().into_router(), &shutdown);

        let pools = stack.functions.iter().map(|function| {
            let mut program = program(function, folder, &urls);
            // Mail leaves as fast as it can: these tests are not about its pace.
            for (name, value) in &mut program.environment {
                if name == "MAIL_BATCH_MILLISECONDS" {
                    "0".clone_into(value);
                }
            }
            let program = prepare(program);
            let pool = Pool::new(program, function.timeout, random.clone(), shutdown.stop());
            (function.name.clone(), pool)
        });
        Self {
            pools: pools.collect(),
            table: Table::at(&urls.dynamodb, &stack.table.name),
            mails,
            events,
            shutdown,
        }
    }

    /// The functions' answers to the fixtures, with the mail and events that they send, by the fixtures' names.
    pub async fn answers(self, fixtures: &[Fixture]) -> BTreeMap<String, String> {
        let mut answers = BTreeMap::new();
        for fixture in fixtures {
            answers.insert(fixture.name(), self.answer(fixture).await);
        }
        self.finish().await;
        answers
    }

    async fn answer(&self, fixture: &Fixture) -> String {
        let before = self.mails.newest_first(None).len();
        let events_before = self.events.newest_first().len();
        let pool = self.pools.get(&fixture.function);
        let pool = pool.unwrap_or_else(|| panic!("no function {}", fixture.function));
        let event = Bytes::from(fixture.text.clone());
        let answer = pool.invoke(event).await;
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", fixture.name()));
        let answer = serde_json::from_slice(&answer).unwrap();
        let mut mails = self.mails.newest_first(None);
        mails.reverse();
        let mut events = self.events.newest_first();
        events.reverse();
        let events: Vec<_> = events.iter().map(|it| json!(it)).collect();
        snapshot::text(
            &fixture.text,
            &answer,
            mails.get(before..).unwrap_or_default(),
            events.get(events_before..).unwrap_or_default(),
        )
    }

    /// A function's answer to an event that is no fixture.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn invoke(&self, function: &str, event: &Json) -> Result<Json, PoolError> {
        let event = Bytes::from(event.to_string());
        let answer = self.pools[function].invoke(event).await?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    /// The mail to an address, newest first.
    pub fn mail_to(&self, address: &str) -> Vec<Mail> {
        self.mails.newest_first(Some(address))
    }

    /// Ends everything that was started.
    pub async fn finish(self) {
        drop(self.pools);
        self.shutdown.finish().await;
    }
}

fn serve(listeners: StandInListeners, app: Router, shutdown: &Shutdown) {
    let stop = shutdown.stop();
    tokio::spawn(async move {
        let served = axum::serve(listeners.loopback, app);
        served
            .with_graceful_shutdown(async move { stop.requested().await })
            .await
    });
}
