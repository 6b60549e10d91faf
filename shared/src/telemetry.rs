//! Logs: JSON lines on stdout that never hold a code, token, password or address.
//!
//! Dependencies log from `warn` on, whatever the environment says: at `trace`, the Lambda runtime would
//! write whole events, passwords included.

use std::error::Error;
use std::fmt::Write as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings::{self, SettingsError};

/// Starts logging, at `info` if `LOG_LEVEL` is not a level. A second call does nothing.
///
/// # Errors
/// When `LOG_LEVEL` is not a level. Logging has started, so the caller can log the error.
pub fn init() -> Result<(), SettingsError> {
    let level = settings::log_level();
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("regain", *level.as_ref().unwrap_or(&LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false);
    let _ = tracing_subscriber::registry()
        .with(levels)
        .with(lines)
        .try_init();
    level.map(drop)
}

/// An error and its causes, in one line.
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
