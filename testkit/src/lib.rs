//! The kit of all tests: what a test of the engine, the operator's command or the whole product starts from.
//!
//! Without features, for every test and the fuzz targets:
//!
//! 1. [`openapi`] reads `openapi.yaml`, and [`contract`] compares answers with the error tables in it.
//! 2. [`outcome`] gives the result of a use case in a form that can be compared.
//! 3. [`model`] is the sequential model that predicts the outcome of any history of calls.
//!
//! With the feature `table`, for tests that call the use cases:
//!
//! 4. `table` is a table of its own for each test, on an embedded engine.
//! 5. `fake_ses`, `fake_event_bridge`, `fake_secrets` and `fake_user_store` are stand-ins for SES, EventBridge, Secrets Manager
//!    and a user store function.
//! 6. `fault_injector` and `recorder` stand between the engine and its table: one makes calls fail, one counts them.
//!
//! With the feature `stack`, for tests that drive the product from outside:
//!
//! 7. `stack` starts the built service. `binaries` builds it, and `outage` breaks its connection to a stand-in.
//! 8. `client`, `answer` and `mailbox` are what its callers see. `people` makes users, `operator` runs `regain`.
//! 9. `fixture` reads the events of `events/`, `fixture_stack` runs the functions on them, and `snapshot` shows the answers.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it expects by panicking"
)]

pub mod contract;
pub mod model;
pub mod openapi;
pub mod outcome;
pub mod user_store_faults;

#[cfg(feature = "table")]
pub mod aws;
#[cfg(feature = "table")]
pub mod fake_event_bridge;
#[cfg(feature = "table")]
pub mod fake_secrets;
#[cfg(feature = "table")]
pub mod fake_ses;
#[cfg(feature = "table")]
pub mod fake_user_store;
#[cfg(feature = "table")]
pub mod fault_injector;
#[cfg(feature = "table")]
pub mod recorder;
#[cfg(feature = "table")]
pub mod table;

#[cfg(feature = "stack")]
pub mod answer;
#[cfg(feature = "stack")]
pub mod binaries;
#[cfg(feature = "stack")]
pub mod client;
#[cfg(feature = "stack")]
pub mod fixture;
#[cfg(feature = "stack")]
pub mod fixture_stack;
#[cfg(feature = "stack")]
pub mod mailbox;
#[cfg(feature = "stack")]
pub mod operator;
#[cfg(feature = "stack")]
pub mod outage;
#[cfg(feature = "stack")]
pub mod people;
#[cfg(feature = "stack")]
pub mod snapshot;
#[cfg(feature = "stack")]
pub mod stack;

/// The folder of the workspace, with `template.yaml`, `events/` and `docs/`.
#[cfg(feature = "stack")]
pub const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How long a condition may take to come true, on a machine that is busy.
#[cfg(feature = "stack")]
pub const DEADLINE: std::time::Duration = std::time::Duration::from_mins(1);

/// Asks again until there is an answer. Panics with `what` if none comes in time.
#[cfg(feature = "stack")]
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"))
}
