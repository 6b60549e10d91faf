//! The canonical form of an e-mail address, which is the key of everything that is stored about it.
//!
//! All spellings of one mailbox have the same canonical form. Local parts are compared by canonical
//! caseless matching (Unicode 3.13, D145). RFC 5321 allows a host to distinguish `Ann` from `ann`, but no
//! host does, and people do not remember how they typed it. The domain becomes the name that DNS is asked
//! for, by UTS #46 `ToASCII`: IDNA with its mapping.

use std::fmt;

use caseless::Caseless as _;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::unicode::is_invisible;

/// The longest local part, in octets (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// The longest address, in octets: a path has 256 at most, with its angle brackets (RFC 5321, 4.5.3.1.3).
const MAX_ADDRESS: usize = 254;

/// A canonical e-mail address.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

/// The text is not an e-mail address. The error does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidAddress;

impl Address {
    /// Parses an address as somebody typed it, and returns its canonical form. White space and invisible
    /// characters around the address are dropped.
    ///
    /// Parsing a canonical address returns the same address.
    ///
    /// # Errors
    /// Unless there is exactly one `@`, a local part of 1 to 64 octets without white space,
    /// control or invisible characters, a domain name with a dot that IDNA accepts, and 254 octets at most in
    /// all, as typed and in canonical form.
    pub fn parse(typed: &str) -> Result<Self, InvalidAddress> {
        let typed: String = Self::trim(typed).nfc().collect();
        let (local, domain) = typed.split_once('@').ok_or(InvalidAddress)?;
        if typed.len() > MAX_ADDRESS
            || !(1..=MAX_LOCAL_PART).contains(&local.len())
            || local.chars().any(is_refused_in_a_local_part)
        {
            return Err(InvalidAddress);
        }
        let local: String = fold_case(local).collect();
        let canonical = format!("{local}@{}", canonical_domain(domain)?);
        // Both folding and IDNA can make a text longer.
        if local.len() > MAX_LOCAL_PART || canonical.len() > MAX_ADDRESS {
            return Err(InvalidAddress);
        }
        Ok(Self(canonical))
    }

    /// Removes white space and invisible characters around a typed address.
    #[must_use]
    pub fn trim(typed: &str) -> &str {
        typed.trim_matches(|it: char| it.is_whitespace() || is_invisible(it))
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with its domain in Unicode, as people write it: `bücher.example`, where the canonical form
    /// has `xn--bcher-kva.example`.
    #[must_use]
    pub fn readable(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let (domain, _) =
            Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
        format!("{local}@{domain}")
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

impl TryFrom<String> for Address {
    type Error = InvalidAddress;

    fn try_from(typed: String) -> Result<Self, InvalidAddress> {
        Self::parse(&typed)
    }
}

/// An address is personal data, so it is not printed to logs.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// Folds case, and normalises to NFC.
///
/// The text is decomposed first, so that folding twice gives the same text as folding once: a Greek iota
/// that is written below a letter folds to a letter of its own.
fn fold_case(text: &str) -> impl Iterator<Item = char> {
    text.nfd().default_case_fold().nfc()
}

fn canonical_domain(domain: &str) -> Result<String, InvalidAddress> {
    let domain = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            // A host name has letters, digits and hyphens (RFC 5321, 2.3.5), so no second `@`.
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| InvalidAddress)?;
    if domain.contains('.') {
        Ok(domain.into_owned())
    } else {
        Err(InvalidAddress)
    }
}

/// Whether a character must not be in a local part. With an invisible character in it, an address would
/// look like another one.
fn is_refused_in_a_local_part(character: char) -> bool {
    character.is_whitespace() || character.is_control() || is_invisible(character)
}

#[cfg(test)]
mod tests;
