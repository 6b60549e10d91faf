//! The loop of a Lambda function that answers Regain.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::message::{Answer, Ask};

/// Where users are.
pub trait UserStore: Send + Sync {
    /// Why it cannot answer. Its message must quote nothing of what was asked.
    type Error: Error + 'static;

    /// Whether the password may have been set in spite of the error.
    ///
    /// If so, Regain must get no answer, because it takes an error for "nothing was changed". Without an answer in
    /// time, it asks again with the same key, and then mails the person that the password may have changed.
    fn is_unknown(error: &Self::Error) -> bool;

    /// Answers one message.
    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Self::Error>> + Send;
}

/// The error that Regain gets. The cause is in the log.
#[derive(Debug, Error)]
#[error("the user store could not answer")]
struct Failed;

/// Runs the function. Returns only if it cannot start or go on.
///
/// Dependencies log from `warn` on, since the runtime would write whole invocations at `trace`, passwords
/// included. Nothing of an invocation is logged.
pub async fn serve<S: UserStore>(connect: impl AsyncFnOnce() -> Startup<S>) -> ExitCode {
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("user_store", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false);
    let _ = tracing_subscriber::registry()
        .with(levels)
        .with(lines)
        .try_init();
    let store = match connect().await {
        Ok(store) => store,
        Err(error) => return stopped(&*error),
    };
    let store = &store;
    let answer = |event: LambdaEvent<Box<RawValue>>| async move {
        let answered = match Ask::parse(event.payload.get()) {
            Ok(ask) => store.answer(ask).await,
            Err(malformed) => return Err(failed(&malformed)),
        };
        match answered {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let failure = failed(&error);
                if S::is_unknown(&error) {
                    // Until Lambda ends the function, which is later than Regain waits.
                    std::future::pending::<()>().await;
                }
                Err(failure)
            }
        }
    };
    match lambda_runtime::run(service_fn(answer)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stopped(&*error),
    }
}

/// A connected user store, or the reason why the function cannot start.
pub type Startup<S> = Result<S, Box<dyn Error + Send + Sync>>;

fn failed(error: &(dyn Error + 'static)) -> lambda_runtime::Error {
    tracing::error!(error = causes(error), "user store could not answer");
    lambda_runtime::Error::from(Failed)
}

fn stopped(error: &(dyn Error + 'static)) -> ExitCode {
    tracing::error!(error = causes(error), "function stopped");
    ExitCode::FAILURE
}

/// An error and its causes, in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
