//! A function for the tests, which does what its event asks.

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
        "fail records" => {
            let records = event.payload.get("Records").and_then(Value::as_array);
            Ok(json!({"batchItemFailures": records.map(Vec::len)}))
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
