//! Hashes that other systems made: the kinds that [`crate::verify`] reads besides Regain's own.
//!
//! Each kind is a module with one parser behind a cargo feature, so that a program is built with the
//! algorithms that it needs and no others. A parser checks the whole text, and bounds the time and the memory
//! that a verification takes.

#[cfg(feature = "argon2-any")]
mod argon2;
#[cfg(feature = "bcrypt")]
mod bcrypt;
#[cfg(feature = "firebase-scrypt")]
mod firebase;
#[cfg(feature = "pbkdf2")]
mod pbkdf2;
#[cfg(any(feature = "pbkdf2", feature = "scrypt"))]
mod phc;
#[cfg(feature = "scrypt")]
mod scrypt;

use crate::InvalidPasswordHash;

/// The longest text that is read. The longest one that a known library makes is 159 octets, Spring's scrypt.
const MAX_LENGTH: usize = 512;

/// A hash of another system.
pub(crate) trait Foreign {
    /// Whether it is the hash of a password. Compares in constant time.
    fn matches(&self, password: &[u8]) -> bool;
}

/// What a parser makes of a text: nothing if the text is of another kind.
type Parsed = Option<Result<Box<dyn Foreign>, InvalidPasswordHash>>;

const PARSERS: &[fn(&str) -> Parsed] = &[
    #[cfg(feature = "argon2-any")]
    argon2::parse,
    #[cfg(feature = "bcrypt")]
    bcrypt::parse,
    #[cfg(feature = "scrypt")]
    scrypt::parse,
    #[cfg(feature = "pbkdf2")]
    pbkdf2::parse,
    #[cfg(feature = "firebase-scrypt")]
    firebase::parse,
];

/// Reads the hash of another system.
pub(crate) fn parse(text: &str) -> Result<Box<dyn Foreign>, InvalidPasswordHash> {
    if text.len() > MAX_LENGTH {
        return Err(InvalidPasswordHash::Form);
    }
    let parsed = PARSERS.iter().find_map(|parse| parse(text));
    parsed.unwrap_or(Err(InvalidPasswordHash::Form))
}
