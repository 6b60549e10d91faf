//! Passwords: what is accepted as one, and how it is kept.
//!
//! A password as typed is a [`Candidate`]. The [`Policy`] says everything that speaks against it,
//! the [`Hasher`] turns it into the [`PasswordHash`] that is stored, and [`verify`] compares the
//! two when somebody signs in.

mod fold;
mod hashing;
mod lists;
mod policy;
mod stored;
mod words;

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use zeroize::Zeroizing;

pub use hashing::{Cost, HashError, Hasher, InvalidCost};
pub use policy::{MAX_LENGTH, Policy, Reason};
pub use stored::{InvalidPasswordHash, PasswordHash, Verified, verify};

/// NFC never makes a text more than three times longer in UTF-8 (UAX #15, section 7).
const NFC_EXPANSION: usize = 3;

/// A password as somebody typed it, in NFC, so that the same password typed on another keyboard
/// is the same octets (NIST SP 800-63B, 3.1.1.2). Wiped from memory when dropped.
#[derive(Clone)]
pub struct Candidate(Zeroizing<String>);

impl Candidate {
    /// Takes a password over; what was typed is wiped.
    #[must_use]
    pub fn new(typed: Zeroizing<String>) -> Self {
        if is_nfc_quick(typed.chars()) == IsNormalized::Yes {
            return Self(typed);
        }
        // Room for all of it at once: growing would leave copies behind that nothing wipes.
        let mut normalised = Zeroizing::new(String::with_capacity(typed.len() * NFC_EXPANSION));
        normalised.extend(typed.nfc());
        Self(normalised)
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Candidate(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_in_nfc_and_otherwise_as_typed() {
        for (typed, candidate, why) in [
            ("vK4#tq9z", "vK4#tq9z", "plain"),
            (" vK4#tq9z ", " vK4#tq9z ", "white space is part of it"),
            ("Rene\u{301}", "Ren\u{e9}", "decomposed"),
            ("Ren\u{e9}", "Ren\u{e9}", "composed already"),
            (
                "\u{1d160}",
                "\u{1d158}\u{1d165}\u{1d16e}",
                "NFC that is three times longer",
            ),
            (
                "\u{ff41}\u{fb01}",
                "\u{ff41}\u{fb01}",
                "compatibility characters stay",
            ),
        ] {
            let parsed = Candidate::new(Zeroizing::new(typed.to_owned()));
            assert_eq!(parsed.as_str(), candidate, "{why}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let candidate = Candidate::new(Zeroizing::new("vK4#tq9z".to_owned()));
        assert_eq!(format!("{candidate:?}"), "Candidate(..)");
    }
}
