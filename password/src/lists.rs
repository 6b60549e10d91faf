//! Passwords that are refused because they are known: what people try first, and what is known from
//! breaches.
//!
//! The first list is what everybody tries by hand. The second is far longer, but still so short that
//! an attacker who has stolen a table, or tries one account after another, begins with it. `common.md`
//! and `breached.md` in `lists/` say where they come from. The build turns each list into a filter. A
//! filter finds every password of its list. Both together take fewer than one in a million other
//! passwords for a listed one. A filter is read where it lies in the binary: a start pays nothing for
//! it, and nothing leaves the process.

#[cfg(test)]
mod encode;
mod filter;

use filter::Filter;

/// Made by `build.rs`.
static COMMON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/common.filter"));
static BREACHED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/breached.filter"));

/// Whether a password, folded and in NFC, is among the most common ones.
pub(crate) fn is_common(folded: &str) -> bool {
    is_on(COMMON, folded)
}

/// Whether a password, folded and in NFC, is known from a breach, though none of the most common.
pub(crate) fn is_breached(folded: &str) -> bool {
    is_on(BREACHED, folded)
}

/// Whether a password is on the list, or one of the few others that look like it.
fn is_on(list: &[u8], folded: &str) -> bool {
    Filter::new(list)
        .and_then(|filter| filter.contains(folded))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests;
