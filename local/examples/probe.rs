//! A function for the tests. It does what its event asks.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    if settings.iter().any(|name| name == "REFUSE_TO_START") {
        return Err("REFUSE_TO_START must not be set".into());
    }
    eprintln!("probe {} is up", std::process::id());
    run(service_fn(handle)).await
}

/// The request is in the body of an HTTP event, or the event itself.
async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    if let Some(records) = event.payload.get("Records").and_then(Value::as_array) {
        return take_records(records).await;
    }
    let body = event.payload.get("body").and_then(Value::as_str);
    let request = body.and_then(|body| serde_json::from_str(body).ok());
    let request: Value = request.unwrap_or_else(|| event.payload.clone());
    match request
        .get("do")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "sleep" => {
            let millis = request.get("millis").and_then(Value::as_u64).unwrap_or(0);
            eprintln!("asleep");
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Ok(json!({"pid": std::process::id()}))
        }
        "exit" => std::process::exit(3),
        "error" => Err("asked to fail".into()),
        "environment" => {
            let all = std::env::vars_os().map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    Value::from(value.to_string_lossy()),
                )
            });
            Ok(Value::Object(all.collect()))
        }
        _ => Ok(json!({
            "pid": std::process::id(),
            "id": event.context.request_id,
            "deadline": event.context.deadline,
            "arn": event.context.invoked_function_arn,
            "event": event.payload,
        })),
    }
}

/// Appends the batch to the file `BATCHES`, then does what the keys in it ask.
async fn take_records(records: &[Value]) -> Result<Value, Error> {
    let path = std::env::var_os("BATCHES").ok_or("BATCHES is not set")?;
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.write_all(format!("{}\n", json!(records)).as_bytes())?;
    let mut failures = Vec::new();
    for record in records {
        let key = record
            .pointer("/dynamodb/Keys/pk/S")
            .and_then(Value::as_str);
        let key = key.unwrap_or_default();
        let tried = before.matches(&format!("\"{key}\"")).count();
        if key.contains("poison") {
            std::process::exit(3);
        }
        if let Some((_, count)) = key.split_once("-together-") {
            let count: usize = count.parse()?;
            while std::fs::read_to_string(&path)?.lines().count() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        if key.contains("hopeless") || (key.contains("flaky") && tried < 2) {
            let number = record.pointer("/dynamodb/SequenceNumber");
            failures.push(json!({"itemIdentifier": number}));
        }
    }
    Ok(json!({"batchItemFailures": failures}))
}
