//! The event source mapping, between a real table and a real process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::dynamodb::engine::Engine;
use local::dynamodb::store::TableStore;
use local::gateway::Gateway;
use local::gateway::listen::StandInListeners;
use local::lambda::event_source::{EventSourceMapping, Files, Waker};
use local::lambda::log::Log;
use local::lambda::pool::Pool;
use local::lambda::program::Program;
use local::random::Random;
use local::shutdown::Shutdown;
use local::template::{Environment, EventSource, Route, Stack};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A table, and a mapping that may be stopped and started again.
struct Mapping {
    folder: TempDir,
    stack: Stack,
    store: TableStore,
    source: EventSource,
    /// Ends the engine.
    _shutdown: Shutdown,
}

/// A mapping at work, and the pool of its function.
struct Running {
    front: Shutdown,
    back: Shutdown,
    pool: Pool,
    waker: Waker,
}

impl Running {
    async fn finish(self) {
        self.front.finish().await;
        drop(self.pool);
        self.back.finish().await;
    }
}

impl Mapping {
    async fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let stack = Stack::open(&path, Environment::new()).unwrap();
        let stand_in = StandInListeners::bind(0, "", None).unwrap();
        let url = stand_in.url();
        let shutdown = Shutdown::default();
        let engine = Engine::open(None).unwrap();
        tokio::spawn(engine.serve(stand_in.loopback, shutdown.stop()));
        let store = TableStore::open(&url, stack.table.clone()).await.unwrap();
        store.turn_stream_on().await.unwrap();
        let mut sources = stack.event_sources.iter();
        let source = sources.find(|it| it.name == "MailRequests").unwrap();
        let source = source.clone();
        Self {
            folder: tempfile::tempdir().unwrap(),
            stack,
            store,
            source,
            _shutdown: shutdown,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn put(&self, key: &str) {
        let item = json!({"pk": {"S": key}, "secret": {"S": "not in the stream"}});
        let put = json!({"TableName": self.stack.table.name, "Item": item});
        self.store
            .call("DynamoDB_20120810.PutItem", put)
            .await
            .unwrap();
    }

    /// Starts the mapping, with the probe as its function.
    async fn start(&self, poll_every: Option<Duration>) -> Running {
        let test = std::env::current_exe().unwrap();
        let batches = self.file("batches.jsonl");
        let environment = [
            ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("BATCHES", batches.to_str().unwrap()),
        ];
        let program = Program {
            name: "probe".to_owned(),
            path: test.ancestors().nth(2).unwrap().join("examples/probe"),
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            log: Log::default(),
        };
        let (front, back) = (Shutdown::default(), Shutdown::default());
        // Longer than `eventually` waits.
        let timeout = Duration::from_mins(1);
        let pool = Pool::new(program, timeout, Random::new().unwrap(), back.stop());
        let mapping = EventSourceMapping::new(
            self.source.clone(),
            pool.clone(),
            self.store.clone(),
            self.store.stream_arn().await.unwrap().unwrap(),
            Files {
                position: Some(self.file("position.json")),
                dead_letters: Some(self.file("dead-letters.jsonl")),
            },
        );
        let mut mapping = mapping.await.unwrap();
        if let Some(poll_every) = poll_every {
            mapping = mapping.poll_every(poll_every);
        }
        let waker = Waker::default();
        tokio::spawn(mapping.run(front.stop(), waker.clone()));
        Running {
            front,
            back,
            pool,
            waker,
        }
    }

    /// Waits until the batches that were handed out are as they have to be.
    async fn eventually(&self, done: impl Fn(&[Vec<Value>]) -> bool) {
        let patience = tokio::time::timeout(Duration::from_secs(30), async {
            while !done(&self.batches()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        patience.await.unwrap();
    }

    /// Runs the mapping until the batches are as they have to be, and ends it in order.
    async fn run_until(&self, done: impl Fn(&[Vec<Value>]) -> bool) -> Vec<Vec<Value>> {
        let running = self.start(None).await;
        self.eventually(done).await;
        running.finish().await;
        self.batches()
    }

    fn batches(&self) -> Vec<Vec<Value>> {
        let text = std::fs::read_to_string(self.file("batches.jsonl")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_default())
            .collect()
    }

    fn dead_letters(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("dead-letters.jsonl")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn key(record: &Value) -> &str {
    let key = record.pointer("/dynamodb/Keys/pk/S");
    key.and_then(Value::as_str).unwrap()
}

/// How often each key was handed to the function.
fn tries(batches: &[Vec<Value>]) -> BTreeMap<&str, usize> {
    let mut tries = BTreeMap::new();
    for record in batches.iter().flatten() {
        *tries.entry(key(record)).or_insert(0) += 1;
    }
    tries
}

fn tried(batches: &[Vec<Value>], name: &str) -> usize {
    tries(batches).get(name).copied().unwrap_or(0)
}

#[tokio::test]
async fn new_mail_requests_are_handed_over_as_lambda_hands_them_over() {
    let mapping = Mapping::new().await;
    mapping.put("SESSION#1").await;
    mapping.put("MAIL#1").await;
    mapping.put("MAIL#1").await;
    let batches = mapping.run_until(|batches| !batches.is_empty()).await;
    assert_eq!(tries(&batches), BTreeMap::from([("MAIL#1", 1)]));
    insta::assert_json_snapshot!(batches, {
        "[][].eventID" => "[id]",
        "[][].eventSourceARN" => insta::dynamic_redaction(|arn, _| {
            let arn = arn.as_str().unwrap();
            let (table, _label) = arn.rsplit_once('/').unwrap();
            format!("{table}/[label]")
        }),
        "[][].dynamodb.ApproximateCreationDateTime" => insta::dynamic_redaction(|at, _| {
            assert!(at.as_i64().is_some(), "{at:?}");
            "[seconds]"
        }),
        "[][].dynamodb.SequenceNumber" => insta::dynamic_redaction(|number, _| {
            assert_eq!(number.as_str().unwrap().len(), 21);
            "[number]"
        }),
    }, @r#"
    [
      [
        {
          "awsRegion": "us-east-1",
          "dynamodb": {
            "ApproximateCreationDateTime": "[seconds]",
            "Keys": {
              "pk": {
                "S": "MAIL#1"
              }
            },
            "SequenceNumber": "[number]",
            "SizeBytes": 21,
            "StreamViewType": "KEYS_ONLY"
          },
          "eventID": "[id]",
          "eventName": "INSERT",
          "eventSource": "aws:dynamodb",
          "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/regain/stream/[label]",
          "eventVersion": "1.1"
        }
      ]
    ]
    "#);
}

#[tokio::test]
async fn a_batch_holds_no_more_than_the_mapping_says() {
    let mut mapping = Mapping::new().await;
    mapping.source.batch_size = 10;
    for number in 0..25 {
        mapping.put(&format!("MAIL#{number}")).await;
    }
    let batches = mapping
        .run_until(|batches| batches.iter().map(Vec::len).sum::<usize>() == 25)
        .await;
    let mut sizes: Vec<_> = batches.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
}

#[tokio::test]
async fn records_of_different_keys_are_with_the_function_at_the_same_time() {
    let mut mapping = Mapping::new().await;
    mapping.source.parallelization = 4;
    mapping.source.batch_size = 10;
    // The probe answers none of them before four batches have been handed out.
    for number in 0..40 {
        mapping.put(&format!("MAIL#{number}-together-4")).await;
    }
    let batches = mapping
        .run_until(|batches| batches.iter().map(Vec::len).sum::<usize>() == 40)
        .await;
    assert!(tries(&batches).values().all(|tries| *tries == 1));
    assert!(mapping.dead_letters().is_empty());
}

#[tokio::test]
async fn an_idle_mapping_is_woken_by_an_answered_call() {
    let mapping = Mapping::new().await;
    mapping.put("MAIL#1").await;
    // It reads once at its start, and then does not poll while this test lasts.
    let running = mapping.start(Some(Duration::from_hours(1))).await;
    mapping
        .eventually(|batches| tried(batches, "MAIL#1") == 1)
        .await;
    mapping.put("MAIL#2").await;

    let route = Route {
        method: "POST".to_owned(),
        path: "/call".to_owned(),
        function: "F".to_owned(),
    };
    let routes = [(route, running.pool.clone())];
    let random = Random::new().unwrap();
    let gateway = Gateway::new(routes, None, random, running.waker.clone()).into_router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/call", listener.local_addr().unwrap());
    let gateway = gateway.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, gateway).await });
    let answer = reqwest::Client::new().post(url).body("{}").send().await;
    assert_eq!(answer.unwrap().status(), 200);
    mapping
        .eventually(|batches| tried(batches, "MAIL#2") == 1)
        .await;
    server.abort();
    running.finish().await;
}

#[tokio::test]
async fn the_records_from_the_first_that_failed_on_are_tried_again_before_new_ones() {
    let mapping = Mapping::new().await;
    for name in ["MAIL#1", "MAIL#flaky", "MAIL#2"] {
        mapping.put(name).await;
    }
    let batches = mapping
        .run_until(|batches| tried(batches, "MAIL#flaky") == 3)
        .await;
    assert_eq!(
        tries(&batches),
        BTreeMap::from([("MAIL#1", 1), ("MAIL#2", 3), ("MAIL#flaky", 3)])
    );
    assert!(mapping.dead_letters().is_empty());
}

#[tokio::test]
async fn a_record_that_makes_its_batch_fail_is_isolated_and_given_up() {
    let mut mapping = Mapping::new().await;
    mapping.source.maximum_retry_attempts = Some(1);
    for name in ["MAIL#1", "MAIL#poison", "MAIL#2", "MAIL#3"] {
        mapping.put(name).await;
    }
    let letters = mapping.file("dead-letters.jsonl");
    let batches = mapping.run_until(|_| letters.exists()).await;
    let alone = |name: &str| {
        batches.iter().any(|batch| {
            !batch.iter().any(|it| key(it) == "MAIL#poison")
                && batch.iter().any(|it| key(it) == name)
        })
    };
    assert!(["MAIL#1", "MAIL#2", "MAIL#3"].into_iter().all(alone));
    let letters = mapping.dead_letters();
    assert_eq!(letters.len(), 1);
    let letter = letters.first().unwrap();
    assert_eq!(letter.get("why").unwrap(), "it failed too often");
    assert_eq!(key(letter.get("record").unwrap()), "MAIL#poison");
}

#[tokio::test]
async fn a_restart_continues_where_the_last_run_ended() {
    let mut mapping = Mapping::new().await;
    // The keys have lanes of their own, so that the hopeless one holds up no other.
    mapping.source.parallelization = 64;
    mapping.put("MAIL#1").await;
    mapping.put("MAIL#hopeless").await;
    mapping.put("MAIL#2").await;
    mapping
        .run_until(|batches| tried(batches, "MAIL#hopeless") == 2)
        .await;
    mapping.put("MAIL#3").await;
    let batches = mapping
        .run_until(|batches| tried(batches, "MAIL#3") == 1 && tried(batches, "MAIL#hopeless") > 2)
        .await;
    for name in ["MAIL#1", "MAIL#2", "MAIL#3"] {
        assert_eq!(tried(&batches, name), 1, "{name}");
    }
    // A record that is given up after another restart is not handed out again.
    mapping.source.maximum_record_age = Some(Duration::ZERO);
    let letters = mapping.file("dead-letters.jsonl");
    mapping.run_until(|_| letters.exists()).await;
    mapping.source.maximum_record_age = None;
    mapping.put("MAIL#4").await;
    let tries = tried(&batches, "MAIL#hopeless");
    let batches = mapping
        .run_until(|batches| tried(batches, "MAIL#4") == 1)
        .await;
    assert_eq!(tried(&batches, "MAIL#hopeless"), tries);
}
