//! bcrypt in the Modular Crypt Format: `$2a$`, `$2b$` and `$2y$`, also with the prefixes of Django and Spring.
//!
//! `$2x$` is not read. It marks hashes of an implementation with a mistake, which nothing else can verify.

#[cfg(feature = "bcrypt")]
use data_encoding::HEXLOWER;
#[cfg(feature = "bcrypt")]
use sha2::{Digest as _, Sha256};
#[cfg(feature = "bcrypt")]
use zeroize::Zeroizing;

use super::{Foreign, Parsed};
use crate::InvalidPasswordHash;

/// 2^16 rounds take some seconds. Libraries use 10 to 12.
const MAX_COST: u32 = 16;
const MIN_COST: u32 = 4;

/// Django's `bcrypt_sha256` hashes the SHA-256 of a password, in hexadecimal, so that long passwords count
/// whole.
const DIGESTED: &str = "bcrypt_sha256$";
/// `bcrypt` of Django, and `{bcrypt}` of Spring Security.
const PREFIXES: [&str; 2] = ["bcrypt$", "{bcrypt}"];
const VERSIONS: [&str; 3] = ["$2a$", "$2b$", "$2y$"];
/// Salt and hash in bcrypt's own Base64: 22 and 31 characters.
const SALT_AND_HASH: usize = 53;

#[cfg_attr(
    not(feature = "bcrypt"),
    expect(dead_code, reason = "only its form is checked")
)]
struct Hash {
    mcf: String,
    is_digested: bool,
}

pub(super) fn parse(text: &str) -> Parsed {
    let digested = text.strip_prefix(DIGESTED);
    let is_digested = digested.is_some();
    let mut plain = PREFIXES.iter().filter_map(|it| text.strip_prefix(it));
    let mcf = digested.or_else(|| plain.next()).unwrap_or(text);
    let rest = VERSIONS
        .iter()
        .find_map(|version| mcf.strip_prefix(version))?;
    Some(match cost(rest) {
        Some(MIN_COST..=MAX_COST) => Ok(Box::new(Hash {
            mcf: mcf.to_owned(),
            is_digested,
        })),
        Some(cost) if cost > MAX_COST => Err(InvalidPasswordHash::Cost),
        _ => Err(InvalidPasswordHash::Form),
    })
}

/// The cost in `12$…`, if the text is complete.
fn cost(text: &str) -> Option<u32> {
    let (cost, rest) = text.split_once('$')?;
    let is_number = cost.len() == 2 && cost.bytes().all(|it| it.is_ascii_digit());
    let is_base64 = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'/');
    let is_complete = rest.len() == SALT_AND_HASH && rest.bytes().all(is_base64);
    (is_number && is_complete).then(|| cost.parse().ok())?
}

impl Foreign for Hash {
    /// Only the first 72 octets count, as in the libraries that made these hashes.
    #[cfg(feature = "bcrypt")]
    fn matches(&self, password: &[u8]) -> bool {
        let matches = if self.is_digested {
            let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(password)));
            let digest = Zeroizing::new(HEXLOWER.encode(digest.as_slice()));
            bcrypt::verify(digest.as_bytes(), &self.mcf)
        } else {
            bcrypt::verify(password, &self.mcf)
        };
        matches.unwrap_or(false)
    }

    #[cfg(not(feature = "bcrypt"))]
    fn matches(&self, _: &[u8]) -> bool {
        false
    }
}
