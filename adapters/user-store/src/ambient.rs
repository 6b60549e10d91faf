//! The one place that reads the clock and the environment.

use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;

/// A setting that stops the start.
#[derive(Debug, Error)]
pub enum SettingError {
    /// It is needed and not there.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It has no meaning.
    #[error("{0} has to be {1}")]
    Wrong(&'static str, &'static str),
}

/// An environment variable that is set and not empty.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}

/// An environment variable that has to be set.
///
/// # Errors
/// When it is not set, or empty.
pub fn required(name: &'static str) -> Result<String, SettingError> {
    setting(name).ok_or(SettingError::Missing(name))
}

/// Milliseconds since 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> i64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
