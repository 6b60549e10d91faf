//! The one place that reads the clock and asks the system for randomness.
//!
//! Everything else takes the time and the generator as arguments, so that tests can control both.
//! `clippy.toml` bans the ambient sources everywhere else.

use std::time::{SystemTime, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::{StdRng, SysError, SysRng};

use crate::timestamp::Timestamp;

/// The time now, to the millisecond.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// A cryptographic generator, seeded from the operating system.
///
/// # Errors
/// When the system has no randomness to give.
pub fn rng() -> Result<StdRng, SysError> {
    StdRng::try_from_rng(&mut SysRng)
}
