//! Pools of function processes, with a real process behind them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use local::lambda::log::Log;
use local::lambda::pool::{Pool, PoolError};
use local::lambda::program::Program;
use local::random::Random;
use local::shutdown::Shutdown;
use serde_json::{Value, json};

/// A pool of the probe in `examples/`, and the shutdown that ends it.
struct TestPool {
    pool: Pool,
    shutdown: Shutdown,
}

fn probe() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/probe")
}

fn pool_with(timeout: Duration, extra: &[(&str, &str)]) -> TestPool {
    let mut environment = vec![
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ];
    environment.extend(extra);
    let environment = environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let program = Program {
        name: "probe".to_owned(),
        path: probe(),
        environment,
        log: Log::default(),
    };
    let shutdown = Shutdown::default();
    let pool = Pool::new(program, timeout, Random::new().unwrap(), shutdown.stop());
    TestPool { pool, shutdown }
}

fn pool() -> TestPool {
    pool_with(Duration::from_secs(20), &[])
}

impl TestPool {
    async fn invoke(&self, event: Value) -> Result<Value, PoolError> {
        let answer = self.pool.invoke(Bytes::from(event.to_string())).await?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    async fn process(&self) -> u64 {
        self.invoke(json!({"do": "sleep", "millis": 0}))
            .await
            .unwrap()["pid"]
            .as_u64()
            .unwrap()
    }

    async fn at_once(&self, count: usize, event: Value) -> Vec<Value> {
        let calls: Vec<_> = (0..count)
            .map(|_| {
                let (pool, event) = (self.pool.clone(), Bytes::from(event.to_string()));
                tokio::spawn(async move { pool.invoke(event).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(serde_json::from_slice(&call.await.unwrap()).unwrap());
        }
        answers
    }
}

fn is_alive(process: u64) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

#[tokio::test]
async fn a_function_gets_the_event_with_lambdas_headers() {
    let pool = pool();
    let answer = pool.invoke(json!({"hello": "world"})).await.unwrap();
    assert_eq!(answer["event"], json!({"hello": "world"}));
    assert_eq!(
        answer["arn"],
        "arn:aws:lambda:us-east-1:000000000000:function:probe"
    );
    assert_eq!(answer["id"].as_str().unwrap().len(), 36);
    let left = answer["deadline"].as_i64().unwrap() - regain::ambient::now().millis();
    assert!((15_000..=20_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_function_sees_only_the_environment_it_is_given() {
    let pool = pool_with(Duration::from_secs(20), &[("TABLE_NAME", "regain")]);
    let answer = pool.invoke(json!({"do": "environment"})).await.unwrap();
    let names: HashSet<_> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        HashSet::from([
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_RUNTIME_API",
            "TABLE_NAME",
            "_X_AMZN_TRACE_ID",
        ])
    );
}

#[tokio::test]
async fn a_warm_instance_is_used_again() {
    let pool = pool();
    pool.pool.warm_up().await.unwrap();
    assert_eq!(pool.process().await, pool.process().await);
}

#[tokio::test]
async fn parallel_invocations_run_in_instances_of_their_own() {
    let pool = pool();
    let answers = pool.at_once(5, json!({"do": "sleep", "millis": 500})).await;
    let processes: HashSet<_> = answers
        .iter()
        .map(|answer| answer["pid"].as_u64())
        .collect();
    assert_eq!(processes.len(), 5);
}

#[tokio::test]
async fn more_invocations_than_instances_wait_for_one() {
    let pool = pool();
    let answers = pool
        .at_once(40, json!({"do": "sleep", "millis": 100}))
        .await;
    let processes: HashSet<_> = answers
        .iter()
        .map(|answer| answer["pid"].as_u64())
        .collect();
    assert_eq!(answers.len(), 40);
    assert!(processes.len() <= 16, "{}", processes.len());
}

#[tokio::test]
async fn a_function_that_reports_an_error_stays_warm() {
    let pool = pool();
    let process = pool.process().await;
    let error = pool.invoke(json!({"do": "error"})).await.unwrap_err();
    assert!(error.to_string().contains("asked to fail"), "{error}");
    assert_eq!(pool.process().await, process);
}

#[tokio::test]
async fn a_process_that_ends_during_an_invocation_fails_it_and_is_replaced() {
    let pool = pool();
    let process = pool.process().await;
    let error = pool.invoke(json!({"do": "exit"})).await.unwrap_err();
    assert!(
        matches!(&error, PoolError::Failed(why) if why.contains("exit status: 3")),
        "{error}"
    );
    assert_ne!(pool.process().await, process);
}

#[tokio::test]
async fn an_instance_that_ended_while_idle_fails_no_invocation() {
    let pool = pool();
    for _ in 0..10 {
        let process = pool.process().await;
        let killed = std::process::Command::new("kill")
            .args(["-9", &process.to_string()])
            .status();
        assert!(killed.unwrap().success());
        while is_alive(process) {
            std::thread::yield_now();
        }
        assert_ne!(pool.process().await, process);
    }
}

#[tokio::test]
async fn a_timeout_ends_the_process() {
    let pool = pool_with(Duration::from_millis(1500), &[]);
    let process = pool.process().await;
    let error = pool
        .invoke(json!({"do": "sleep", "millis": 60_000}))
        .await
        .unwrap_err();
    assert!(matches!(error, PoolError::TimedOut(_)), "{error}");
    while is_alive(process) {
        tokio::task::yield_now().await;
    }
    assert_ne!(pool.process().await, process);
}

#[tokio::test]
async fn an_error_of_a_function_that_cannot_start_has_its_reason() {
    let pool = pool_with(Duration::from_secs(20), &[("REFUSE_TO_START", "1")]);
    let error = pool.pool.warm_up().await.unwrap_err().to_string();
    assert!(
        error.starts_with("the function probe ended while it started: "),
        "{error}"
    );
    assert!(error.contains("REFUSE_TO_START must not be set"), "{error}");
}

#[tokio::test]
async fn no_process_is_left_after_the_shutdown() {
    let pool = pool();
    let answers = pool.at_once(4, json!({"do": "sleep", "millis": 300})).await;
    let processes: Vec<_> = answers
        .iter()
        .map(|answer| answer["pid"].as_u64().unwrap())
        .collect();
    assert!(processes.iter().all(|process| is_alive(*process)));
    let TestPool { pool, shutdown } = pool;
    drop(pool);
    shutdown.finish().await;
    assert!(!processes.iter().any(|process| is_alive(*process)));
}

#[tokio::test]
async fn an_invocation_goes_on_when_its_caller_stops_waiting() {
    let pool = pool();
    let process = pool.process().await;
    let call = pool.pool.invoke(Bytes::from(
        json!({"do": "sleep", "millis": 5000}).to_string(),
    ));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), call)
            .await
            .is_err()
    );
    // The instance is busy until the abandoned invocation ends, so this one needs another.
    assert_ne!(pool.process().await, process);
    assert!(is_alive(process));
}
