//! Logs: one JSON object a line on stdout, and never a code, token, password or address.
//!
//! Dependencies may log from `warn` on only, whatever the environment says: at `trace` the Lambda
//! runtime writes whole events, passwords included.

use std::error::Error;
use std::fmt::Write as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings;

/// Starts logging. A second call does nothing.
pub fn init() {
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("regain", settings::log_level());
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false);
    let _ = tracing_subscriber::registry()
        .with(levels)
        .with(lines)
        .try_init();
}

/// An error and what caused it, in one line.
#[must_use]
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
