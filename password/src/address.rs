//! A canonical e-mail address: the key under which everything about it is stored.
//!
//! However somebody types an address, the same mailbox gives the same key. The local part is
//! compared by canonical caseless matching (Unicode 3.13, D145), although RFC 5321 would let a
//! host tell `Ann` from `ann`: none does, and people do not remember how they typed it. The domain
//! becomes what DNS is asked for: UTS #46 `ToASCII`, that is IDNA with its mapping.

use std::fmt;

use caseless::Caseless as _;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::unicode::is_invisible;

/// The longest local part, in octets (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// The longest address, in octets: what fits a path of 256 with its angle brackets
/// (RFC 5321, 4.5.3.1.3).
const MAX_ADDRESS: usize = 254;

/// A canonical e-mail address.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

/// What was typed is no e-mail address. Does not repeat what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidAddress;

impl Address {
    /// The canonical form of an address as somebody typed it: white space and invisible characters
    /// around it are dropped.
    ///
    /// Parsing a canonical address gives the same address again.
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

    /// An address as somebody typed it, without the white space and invisible characters around it.
    #[must_use]
    pub fn trim(typed: &str) -> &str {
        typed.trim_matches(|it: char| it.is_whitespace() || is_invisible(it))
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole address with its domain as people write it: `bücher.example`, where the canonical form
    /// has `xn--bcher-kva.example`.
    #[must_use]
    pub fn readable(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let (domain, _) =
            Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
        format!("{local}@{domain}")
    }

    /// What stands before the `@`.
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

/// An address is personal: it stays out of logs.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// The form in which texts that differ in case only are the same, in NFC.
///
/// Decomposing before folding is what makes folding twice the same as folding once: a Greek iota
/// written below a letter folds to a letter of its own.
fn fold_case(text: &str) -> impl Iterator<Item = char> {
    text.nfd().default_case_fold().nfc()
}

fn canonical_domain(domain: &str) -> Result<String, InvalidAddress> {
    let domain = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            // Letters, digits and hyphens, as a host name has them (RFC 5321, 2.3.5): no second `@`.
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

/// An address with an invisible character inside would look like the address without it.
fn is_refused_in_a_local_part(character: char) -> bool {
    character.is_whitespace() || character.is_control() || is_invisible(character)
}

#[cfg(test)]
mod tests;
