//! `GET /recover`: the recovery page and its files, compiled in.

mod page;

use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use page::{Page, Request};
use regain::settings::{self, PageSettings, Settings};
use serde_json::Value;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let page = match page() {
        Ok(page) => page,
        Err(error) => return stopped(&error),
    };
    // The event is read here: the runtime would log one that it cannot read, headers included.
    let answer = |event: LambdaEvent<Box<RawValue>>| {
        let request = serde_json::from_str::<Request>(event.payload.get());
        // An event that is not a request is a probe, which keeps the function warm or tries it in the console.
        let answer = request.map_or(Value::Null, |request| page.answer(&request));
        async move { Ok::<_, Error>(answer) }
    };
    match lambda_runtime::run(service_fn(answer)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stopped(&error),
    }
}

fn page() -> Result<Page, Error> {
    regain::telemetry::init()?;
    Ok(Page::new(
        &Settings::from_env()?,
        &PageSettings::from_env()?,
        settings::edge()?,
    ))
}

fn stopped(error: &Error) -> ExitCode {
    let causes = regain::telemetry::causes(&**error);
    tracing::error!(error = causes, "the function does not start");
    ExitCode::FAILURE
}
