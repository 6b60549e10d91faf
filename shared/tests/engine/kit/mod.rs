//! What every test starts from: a fresh table, the stand-ins, and the engine built from them.

mod journey;
pub(crate) mod omissions;
mod recorder;
mod records;
mod stand_ins;
mod told;
mod weather;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient,
    retry::{RetryConfig, RetryPartition, TokenBucket},
};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use regain::audit::Caller;
use regain::locale::Locale;
use regain::mail::Delivery;
use regain::recovery::Recovery;
use regain::settings::{MailSettings, Settings};
use regain::store::{Claimant, Store};
use regain::timestamp::Timestamp;
use regain::users::User;
use regain_password::{Address, Hasher};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) use journey::{
    Verified, hashed, in_auth, in_directory, keyed, keyed_with, named, new_password, number,
    request, typed, wrong,
};
pub(crate) use recorder::{Fault, Recorder, StoreCall};
pub(crate) use records::Records;
pub(crate) use stand_ins::{Mail, SesAnswer, Version};
pub(crate) use told::{Told, told};
pub(crate) use weather::Failure;

use omissions::Omissions;
use stand_ins::{Ses, Vault};
use weather::Weather;

pub(crate) const INDEX_SECRET: &str =
    "index-secret-of-the-tests-index-secret-of-the-tests-0123456789ab";
pub(crate) const CODE_SECRET: &str =
    "code-secret-of-the-tests-code-secret-of-the-tests-0123456789abcd";
pub(crate) const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
/// Who calls at [`CALLER`].
pub(crate) static SOMEBODY: LazyLock<Caller> = LazyLock::new(|| calling(CALLER));

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

/// An item of the table, with its attributes in order, so that two dumps can be compared.
pub(crate) type Dump = BTreeMap<String, BTreeMap<String, AttributeValue>>;

/// A stack of its own for one test.
#[derive(Debug)]
pub(crate) struct Kit {
    pub(crate) recovery: Recovery,
    pub(crate) delivery: Delivery,
    pub(crate) store: Store,
    /// What the engine's client did.
    pub(crate) log: Recorder,
    /// What happens to its client's calls on their way.
    pub(crate) weather: Weather,
    pub(crate) ses: Ses,
    pub(crate) vault: Vault,
    /// What the audit trail was told, by whomever.
    pub(crate) records: Records,
    settings: Settings,
    table: Table,
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

    /// With the defaults, throttles included, and some settings changed.
    pub(crate) async fn throttled(changed: &[(&str, &str)]) -> Self {
        let changed: Vec<(String, String)> = changed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let settings = Settings::read(&|name| {
            changed
                .iter()
                .find(|(set, _)| set == name)
                .map(|(_, value)| value.clone())
        })
        .unwrap();
        Self::of(settings).await
    }

    async fn of(settings: Settings) -> Self {
        let table = Table::new().await;
        let ses = Ses::serve().await;
        let vault = Vault::serve().await;
        let records = Records::default();
        let log = Recorder::new(ses.endpoint());
        let weather = Weather::default();
        let store = table.store(Some((&log, &weather)));
        Self {
            recovery: recovery(&store, &vault, &settings, &records),
            delivery: Delivery::new(
                store.clone(),
                vault.secrets(),
                ses.client(),
                settings.clone(),
                MailSettings {
                    from: "no-reply@example.com".to_owned(),
                    template_prefix: "stack".to_owned(),
                    configuration_set: Some("stack-mail".to_owned()),
                },
                records.trail(),
            ),
            store: table.store(None),
            log,
            weather,
            ses,
            vault,
            records,
            settings,
            table,
            draws: AtomicU64::new(1),
        }
    }

    /// The same engine in another process: its own client, its own copies of the secrets.
    pub(crate) fn another_instance(&self) -> Recovery {
        recovery(
            &self.another_store(),
            &self.vault,
            &self.settings,
            &self.records,
        )
    }

    /// The same as it is deployed: as patient with others' transactions.
    pub(crate) fn deployed_instance(&self) -> Recovery {
        let watched = Some((&self.log, &self.weather));
        let client = client(&self.table.endpoint, watched);
        let store = Store::new(client, self.table.name.as_str());
        recovery(&store, &self.vault, &self.settings, &self.records)
    }

    /// The store as a function has it, faults included.
    pub(crate) fn another_store(&self) -> Store {
        self.table.store(Some((&self.log, &self.weather)))
    }

    /// A generator that has not been used yet.
    pub(crate) fn rng(&self) -> StdRng {
        StdRng::seed_from_u64(self.draws.fetch_add(1, Ordering::Relaxed))
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
        self.table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("pk", AttributeValue::S(key.to_owned()))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }

    /// Takes one attribute of an item away.
    pub(crate) async fn forget(&self, key: &str, name: &str) {
        self.table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key("pk", AttributeValue::S(key.to_owned()))
            .update_expression("REMOVE #name")
            .expression_attribute_names("#name", name)
            .send()
            .await
            .unwrap();
    }

    /// Takes an item away, as its TTL does.
    pub(crate) async fn delete(&self, key: &str) {
        self.table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .key("pk", AttributeValue::S(key.to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// An item as it stands.
    pub(crate) async fn item(&self, key: &str) -> Option<BTreeMap<String, AttributeValue>> {
        let got = self
            .table
            .client
            .get_item()
            .table_name(&self.table.name)
            .key("pk", AttributeValue::S(key.to_owned()))
            .send()
            .await
            .unwrap();
        got.item.map(|item| item.into_iter().collect())
    }

    /// The whole table.
    pub(crate) async fn dump(&self) -> Dump {
        let scan = self.table.client.scan().table_name(&self.table.name);
        let scanned = scan.send().await.unwrap();
        assert!(scanned.last_evaluated_key.is_none(), "all in one page");
        scanned
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| {
                let key = item["pk"].as_s().unwrap().clone();
                (key, item.into_iter().collect())
            })
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

fn recovery(store: &Store, vault: &Vault, settings: &Settings, records: &Records) -> Recovery {
    let cost = settings.argon2;
    let hasher = Hasher::new(cost.memory_kib, cost.iterations, cost.parallelism).unwrap();
    let (secrets, settings) = (vault.secrets(), settings.clone());
    Recovery::new(store.clone(), secrets, settings, hasher, records.trail())
}

/// Plain HTTP to a stand-in on this machine.
fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

fn credentials() -> Credentials {
    Credentials::new("id", "secret", None, None, "tests")
}

/// Quick about its retries, since what it retries here is made up.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(1))
}

/// A client of the table: the engine's is watched and in the weather, the tests' own is not. What either
/// writes may lack a part.
fn client(endpoint: &str, watched: Option<(&Recorder, &Weather)>) -> aws_sdk_dynamodb::Client {
    // Clients share what they may spend on retries; what one test makes up is not to cost another any.
    let partition = RetryPartition::custom("tests")
        .token_bucket(TokenBucket::unlimited())
        .build();
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(endpoint)
        .credentials_provider(credentials())
        .retry_config(retries())
        .retry_partition(partition)
        .http_client(http())
        .interceptor(Omissions);
    if let Some((log, weather)) = watched {
        config = config
            .interceptor(log.clone())
            .http_client(weather.over(http()));
    }
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// How long a store waits for others' transactions: a conflict that lasts is not to take the tests 5 s.
const PATIENCE: Duration = Duration::from_millis(400);

/// The table of one test, at the engine that `REGAIN_DYNAMODB` says, or in an embedded one of its own.
#[derive(Debug)]
struct Table {
    endpoint: String,
    name: String,
    /// The tests' own client.
    client: aws_sdk_dynamodb::Client,
}

impl Table {
    /// TTL is not turned on: an engine deletes by its own clock, and the tests' time is made up. What
    /// TTL deletes is over before that, and the clock alone says when.
    async fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let endpoint = match std::env::var_os("REGAIN_DYNAMODB") {
            Some(url) => url.into_string().unwrap(),
            None => serve_engine().await,
        };
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("regain-{process}-{next}");
        let client = client(&endpoint, None);
        client
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(
                AttributeDefinition::builder()
                    .attribute_name("pk")
                    .attribute_type(ScalarAttributeType::S)
                    .build()
                    .unwrap(),
            )
            .key_schema(
                KeySchemaElement::builder()
                    .attribute_name("pk")
                    .key_type(KeyType::Hash)
                    .build()
                    .unwrap(),
            )
            .send()
            .await
            .unwrap();
        Self {
            endpoint,
            name,
            client,
        }
    }

    fn store(&self, watched: Option<(&Recorder, &Weather)>) -> Store {
        Store::new(client(&self.endpoint, watched), self.name.as_str()).waiting_for(PATIENCE)
    }
}

async fn serve_engine() -> String {
    let (listener, endpoint) = listen().await;
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(
        listener,
        database,
        std::future::pending(),
    ));
    endpoint
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

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
