//! The lists of common and of breached passwords, which the policy refuses.
//!
//! The common passwords are those that people try by hand. The list of breached passwords is longer, but
//! still so short that attackers begin with it, whether they have stolen a table or try one account after
//! another. `data/common.md` and `data/breached.md` name the sources.
//!
//! The build makes a filter of each list. A filter finds every password of its list. Both filters together
//! mistake fewer than one in a million other passwords for a listed one. A filter is read in place in the
//! binary, so it costs nothing at the start, and no password leaves the process.

#[cfg(test)]
mod encode;
mod filter;

use filter::Filter;

/// The filters, made by `build.rs`.
static COMMON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/common.filter"));
static BREACHED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/breached.filter"));

/// Whether a password, folded and in NFC, is among the most common ones.
pub(crate) fn is_common(folded: &str) -> bool {
    is_on(COMMON, folded)
}

/// Whether a password, folded and in NFC, is on the list of breached passwords. That list leaves out the common ones.
pub(crate) fn is_breached(folded: &str) -> bool {
    is_on(BREACHED, folded)
}

/// Whether a password is on the list, or is one of the few that the filter mistakes for a listed one.
fn is_on(list: &[u8], folded: &str) -> bool {
    Filter::new(list)
        .and_then(|filter| filter.contains(folded))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests;
