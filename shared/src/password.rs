//! Passwords: what is accepted as one, and how it is kept.
//!
//! A password as typed is a [`Candidate`]. The [`Policy`] says everything that speaks against it,
//! the [`Hasher`] turns it into the [`PasswordHash`] that is stored, and [`verify`] compares the
//! two when somebody signs in.

mod common;
mod hashing;
mod policy;

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use zeroize::Zeroizing;

pub use hashing::{
    Cost, HashError, Hasher, InvalidCost, InvalidPasswordHash, PasswordHash, Verified, verify,
};
pub use policy::{MAX_LENGTH, Policy, Reason};

/// NFC never makes a text more than three times longer in UTF-8 (UAX #15, section 7).
const NFC_EXPANSION: usize = 3;

/// A password as somebody typed it, in NFC, so that the same password typed on another keyboard
/// is the same octets (NIST SP 800-63B, 3.1.1.2). Wiped from memory when dropped.
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
