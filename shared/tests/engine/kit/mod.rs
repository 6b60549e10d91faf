//! The start of every test: a fresh table, the stand-ins, and the engine built from them.

pub(crate) mod condition_mutants;
mod journey;
mod records;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use rand::SeedableRng;
use rand::rngs::StdRng;
use regain::audit::Caller;
use regain::locale::Locale;
use regain::mail::Delivery;
use regain::recovery::{CallContext, Recovery};
use regain::settings::{MailSettings, Settings};
use regain::store::{Claimant, Store};
use regain::timestamp::Timestamp;
use regain::user_store::UserStore;
use regain::users::User;
use regain_password::{Address, Hasher};
use serde_json::{Value, json};
use testkit::aws::http_client;
use testkit::fake_secrets::FakeSecrets;
use testkit::fake_ses::FakeSes;
use testkit::fake_user_store::{FakeUserStore, USER_STORE};
use testkit::fault_injector::FaultInjector;
use testkit::table::{self, Item, Table, text};

pub(crate) use journey::{
    Verified, hashed, in_auth, in_directory, keyed, keyed_with, named, names, new_password, newest,
    number, request, typed, wrong,
};
pub(crate) use records::Records;
pub(crate) use testkit::fake_secrets::{CODE_KEY, CODE_SECRET, INDEX_KEY, INDEX_SECRET, Version};
pub(crate) use testkit::fake_ses::{Mail, SesAnswer};
pub(crate) use testkit::fake_user_store::{ElsewhereUser, StoreFault, Veto};
pub(crate) use testkit::fault_injector::Failure;
pub(crate) use testkit::outcome::{Outcome, outcome_of};
pub(crate) use testkit::recorder::{Fault, Recorder, StoreCall};

use condition_mutants::ConditionMutants;

pub(crate) const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
/// A caller of that network address, who says nothing of its device.
pub(crate) fn calling(network: IpAddr) -> Caller {
    Caller {
        network,
        device: None,
        request: "request".to_owned(),
    }
}

pub(crate) const ANN: &str = "ann@example.com";
pub(crate) const NOBODY: &str = "nobody@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple 7";

/// Noon of some UTC day: the time at which most tests begin.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_773_144_000_000);

/// That many seconds after noon.
pub(crate) fn later(seconds: u64) -> Timestamp {
    NOON.plus(Duration::from_secs(seconds))
}

/// The millisecond before.
pub(crate) fn just_before(at: Timestamp) -> Timestamp {
    at.minus(Duration::from_millis(1))
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// All items of a table, by their keys.
pub(crate) type Dump = BTreeMap<String, Item>;

/// A stack of its own for one test.
#[derive(Debug)]
pub(crate) struct Kit {
    pub(crate) recovery: Recovery,
    pub(crate) delivery: Delivery,
    pub(crate) store: Store,
    /// The calls of the engine's client.
    pub(crate) log: Recorder,
    /// Makes its client's calls fail.
    pub(crate) faults: FaultInjector,
    pub(crate) ses: FakeSes,
    pub(crate) secrets: FakeSecrets,
    /// Has the users, if the settings say that they live elsewhere.
    pub(crate) users: FakeUserStore,
    /// The audit records of all calls.
    pub(crate) records: Records,
    settings: Settings,
    pub(crate) table: Table,
    draws: AtomicU64,
}

impl Kit {
    /// With the defaults, but no throttle of requests.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// As [`Kit::new`], with some settings changed.
    pub(crate) async fn with(changed: &[(&str, &str)]) -> Self {
        let off = [
            "RESEND_COOLDOWN_SECONDS",
            "EMAIL_REQUESTS_PER_HOUR",
            "EMAIL_REQUESTS_PER_DAY",
            "IP_REQUESTS_PER_HOUR",
        ];
        let mut all: Vec<(&str, &str)> = changed.to_vec();
        all.extend(off.map(|name| (name, "0")));
        Self::throttled(&all).await
    }

    /// As [`Kit::with`], with users who live elsewhere.
    pub(crate) async fn elsewhere(changed: &[(&str, &str)]) -> Self {
        let mut all = changed.to_vec();
        all.push(("USER_STORE_FUNCTION", USER_STORE));
        Self::with(&all).await
    }

    /// With the defaults, throttles included, and some settings changed.
    pub(crate) async fn throttled(changed: &[(&str, &str)]) -> Self {
        let changed: Vec<(String, String)> = changed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let get = |name: &str| {
            let found = changed.iter().find(|(set, _)| set == name);
            found.map(|(_, value)| value.clone())
        };
        let batch = get("MAIL_BATCH_MILLISECONDS").map_or(0, |value| value.parse().unwrap());
        let settings = Settings::read(&get).unwrap();
        Box::pin(Self::of(settings, Duration::from_millis(batch))).await
    }

    /// With these settings. A batch of mail takes that long, or as long as it has to.
    async fn of(settings: Settings, batch: Duration) -> Self {
        let table = Table::create().await;
        let ses = FakeSes::serve().await;
        let secrets = FakeSecrets::serve(NOON.minus(Duration::from_hours(24 * 30))).await;
        let users = FakeUserStore::serve().await;
        let records = Records::default();
        let log = Recorder::new(ses.endpoint());
        let faults = FaultInjector::default();
        let watched = store(&table, Some((&log, &faults)));
        Self {
            recovery: recovery(&watched, &secrets, &settings, &users),
            delivery: Delivery::new(
                watched.clone(),
                secrets.secrets(),
                ses.client(),
                settings.clone(),
                MailSettings {
                    from: "no-reply@example.com".to_owned(),
                    from_name: None,
                    reply_to: None,
                    template_prefix: "stack".to_owned(),
                    configuration_set: Some("stack-mail".to_owned()),
                    recovery_page: Some(RECOVERY_PAGE.to_owned()),
                    batch,
                },
                records.trail(),
            )
            .with_users(user_store(&watched, &settings, &users)),
            store: store(&table, None),
            log,
            faults,
            ses,
            secrets,
            users,
            records,
            settings,
            table,
            draws: AtomicU64::new(1),
        }
    }

    /// The same engine in another process: its own client, its own copies of the secrets.
    pub(crate) fn another_instance(&self) -> Recovery {
        self.recovery_over(&self.another_store())
    }

    /// The same as it is deployed: as patient with others' transactions.
    pub(crate) fn deployed_instance(&self) -> Recovery {
        let watched = Some((&self.log, &self.faults));
        let store = Store::new(client(&self.table, watched), self.table.name.as_str());
        self.recovery_over(&store)
    }

    fn recovery_over(&self, store: &Store) -> Recovery {
        recovery(store, &self.secrets, &self.settings, &self.users)
    }

    /// The same engine with other settings, as during a deployment.
    pub(crate) fn with_settings(&self, changed: &[(&str, &str)]) -> Recovery {
        let get = |name: &str| {
            let found = changed.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = Settings::read(&get).unwrap();
        recovery(&self.another_store(), &self.secrets, &settings, &self.users)
    }

    /// The store as a function has it, faults included.
    pub(crate) fn another_store(&self) -> Store {
        store(&self.table, Some((&self.log, &self.faults)))
    }

    /// A generator that has not been used yet.
    pub(crate) fn rng(&self) -> StdRng {
        StdRng::seed_from_u64(self.draws.fetch_add(1, Ordering::Relaxed))
    }

    /// The context of a call from [`CALLER`] at the time `at`.
    pub(crate) fn call(&self, at: Timestamp) -> CallContext {
        self.call_from(CALLER, at)
    }

    /// The context of a call from a network address at the time `at`.
    pub(crate) fn call_from(&self, network: IpAddr, at: Timestamp) -> CallContext {
        CallContext::new(calling(network), at, self.rng(), self.records.trail())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Somebody who claims, and nobody else.
    pub(crate) fn claimant(&self) -> Claimant {
        Claimant::draw(&mut self.rng())
    }

    /// An active user of that address.
    pub(crate) async fn user(&self, email: &str) -> User {
        self.user_like(json!({ "email": email })).await
    }

    /// A user with the given attributes; the id is drawn where there is none.
    pub(crate) async fn user_like(&self, mut attributes: Value) -> User {
        let id = regain::ids::UserId::draw(self.settings.user_id_format, &mut self.rng());
        let fields = attributes.as_object_mut().unwrap();
        fields.entry("id").or_insert_with(|| json!(id));
        fields.entry("status").or_insert_with(|| json!("active"));
        let user: User = serde_json::from_value(attributes).unwrap();
        let written = self
            .store
            .put_user(&user, &address(&user.email), None, None)
            .await
            .unwrap();
        assert!(written, "the user is new");
        user
    }

    /// The user as stored now.
    pub(crate) async fn stored(&self, user: &User) -> User {
        self.store.user(&user.id).await.unwrap().unwrap()
    }

    /// Writes one attribute of a user, as an administrator's tool would.
    pub(crate) async fn change_user(&self, user: &User, name: &str, value: AttributeValue) {
        self.change(&format!("USER#{}", user.id.as_str()), name, value)
            .await;
    }

    /// Writes one attribute of an item.
    pub(crate) async fn change(&self, key: &str, name: &str, value: AttributeValue) {
        self.table.set(key, name, value).await;
    }

    /// Removes one attribute of an item.
    pub(crate) async fn forget(&self, key: &str, name: &str) {
        self.table.remove(key, name).await;
    }

    /// Deletes an item, as its TTL does.
    pub(crate) async fn delete(&self, key: &str) {
        self.table.delete(key).await;
    }

    /// An item as it is stored.
    pub(crate) async fn item(&self, key: &str) -> Option<Item> {
        self.table.get(key).await
    }

    /// The whole table.
    pub(crate) async fn dump(&self) -> Dump {
        let items = self.table.all().await.into_iter();
        items
            .map(|item| (text(&item, "pk").to_owned(), item))
            .collect()
    }

    /// The keys of the table that begin so.
    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        let dump = self.dump().await;
        dump.into_keys()
            .filter(|key| key.starts_with(prefix))
            .collect()
    }
}

fn recovery(
    store: &Store,
    secrets: &FakeSecrets,
    settings: &Settings,
    users: &FakeUserStore,
) -> Recovery {
    let cost = settings.argon2;
    let hasher = Hasher::new(cost.memory_kib, cost.iterations, cost.parallelism).unwrap();
    let users = user_store(store, settings, users);
    let (secrets, settings) = (secrets.secrets(), settings.clone());
    Recovery::new(store.clone(), secrets, settings, hasher).with_users(users)
}

/// The users of the store, or those who live elsewhere.
fn user_store(store: &Store, settings: &Settings, users: &FakeUserStore) -> UserStore {
    match &settings.user_store {
        None => UserStore::Table(store.clone()),
        Some(elsewhere) => UserStore::Function(users.function(elsewhere.password)),
    }
}

/// A client of the table. The engine's client is recorded and has faults; the tests' own client has neither.
/// A condition mutant changes the writes of both.
fn client(table: &Table, watched: Option<(&Recorder, &FaultInjector)>) -> aws_sdk_dynamodb::Client {
    let mut config = table::config(&table.endpoint).interceptor(ConditionMutants);
    if let Some((log, faults)) = watched {
        config = config
            .interceptor(log.clone())
            .http_client(faults.wrap(http_client()));
    }
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// How long a store waits for others' transactions: long enough for three conflicts in a row. A lasting conflict
/// must not take the tests 5 s.
const PATIENCE: Duration = Duration::from_millis(150);

fn store(table: &Table, watched: Option<(&Recorder, &FaultInjector)>) -> Store {
    Store::new(client(table, watched), table.name.as_str()).waiting_for(PATIENCE)
}

/// The page that mails link to.
pub(crate) const RECOVERY_PAGE: &str = "https://shop.example/recover";

/// The language that the tests' callers ask for.
pub(crate) const LOCALE: Locale = Locale::En;

/// The status of a user who may not use the service.
pub(crate) fn blocked() -> AttributeValue {
    AttributeValue::S("blocked".to_owned())
}

/// Stores a status of whatever type, or none.
pub(crate) async fn set_status(kit: &Kit, user: &User, status: Option<&AttributeValue>) {
    if let Some(status) = status {
        kit.change_user(user, "status", status.clone()).await;
    } else {
        let key = format!("USER#{}", user.id.as_str());
        kit.forget(&key, "status").await;
    }
}
