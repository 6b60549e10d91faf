//! Passwords that are known from breaches.
//!
//! Far more than people try by hand, but few enough that whoever has stolen a table, or tries one
//! account after another, begins with them. What the build makes of `breached.txt` beside this file
//! is a filter (`breached.md` tells where the list comes from): it misses none of the list, and takes
//! one in 4,096 other passwords for listed. It is read as it lies in the binary: a start pays
//! nothing for it, and nothing leaves the process.

mod filter;

#[cfg(test)]
mod encode;

use filter::Filter;

/// Made by `build.rs`.
static FILTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/breached.filter"));

/// Whether a password, folded and in NFC, is on the list, or one of the few others that look like
/// it.
pub(super) fn is_breached(folded: &str) -> bool {
    Filter::new(FILTER)
        .and_then(|filter| filter.contains(folded))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests;
