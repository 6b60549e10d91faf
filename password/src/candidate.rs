//! A password as somebody typed it.

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use zeroize::Zeroizing;

/// The longest password, in code points after NFC. It is long enough for any password manager or passphrase,
/// and short enough to hash.
pub const MAX_LENGTH: usize = 256;

/// NFC makes a text at most three times longer in UTF-8 (UAX #15, section 7).
const NFC_EXPANSION: usize = 3;

/// A password as somebody typed it, normalised to NFC.
///
/// The same password typed on another keyboard has the same octets after NFC (NIST SP 800-63B, 3.1.1.2).
/// Nothing else is changed: no case is folded, and no white space is trimmed. The memory is wiped on drop.
#[derive(Clone)]
pub struct Candidate(Zeroizing<String>);

impl Candidate {
    /// Normalises a typed password, and wipes the text that was typed.
    #[must_use]
    pub fn new(typed: Zeroizing<String>) -> Self {
        if is_nfc_quick(typed.chars()) == IsNormalized::Yes {
            return Self(typed);
        }
        // The whole capacity is reserved at once: growing would leave copies in memory that are not wiped.
        let mut normalised = Zeroizing::new(String::with_capacity(typed.len() * NFC_EXPANSION));
        normalised.extend(typed.nfc());
        Self(normalised)
    }

    /// Whether the password has more code points than [`MAX_LENGTH`]. No stored password is that long, so a
    /// sign-in can refuse it without hashing it.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.0.chars().nth(MAX_LENGTH).is_some()
    }

    /// The password, to be handed to whoever hashes it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_str(&self) -> &str {
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
