//! Hashes that other systems made: the kinds that [`crate::verify`] reads besides Regain's own.
//!
//! Each kind is a module with one parser, which checks the whole text, and bounds the time and the memory that a
//! verification takes. Its algorithm is behind a cargo feature, so that a program is built with the algorithms that it
//! needs and no others.

mod argon2;
mod bcrypt;
mod firebase;
mod pbkdf2;
mod phc;
mod scrypt;

use crate::InvalidPasswordHash;

/// The longest text that is read. The longest one that a known library makes is 159 octets, Spring's scrypt.
const MAX_LENGTH: usize = 512;

/// A hash of another system.
pub(crate) trait Foreign {
    /// Whether it is the hash of a password. Compares in constant time.
    fn matches(&self, password: &[u8]) -> bool;
}

/// A parsed hash, or why it is refused. `None` if the text is of another kind.
type Parsed = Option<Result<Box<dyn Foreign>, InvalidPasswordHash>>;

type Parser = fn(&str) -> Parsed;

/// The parsers, and whether this program has the algorithm behind each.
const PARSERS: [(Parser, bool); 5] = [
    (argon2::parse, cfg!(feature = "argon2-any")),
    (bcrypt::parse, cfg!(feature = "bcrypt")),
    (scrypt::parse, cfg!(feature = "scrypt")),
    (pbkdf2::parse, cfg!(feature = "pbkdf2")),
    (firebase::parse, cfg!(feature = "firebase-scrypt")),
];

/// Reads the hash of another system. `None` if it is well-formed, and this program lacks the algorithm.
pub(crate) fn parse(text: &str) -> Result<Option<Box<dyn Foreign>>, InvalidPasswordHash> {
    if text.len() > MAX_LENGTH {
        return Err(InvalidPasswordHash::Form);
    }
    let mut parsers = PARSERS.iter();
    let parsed = parsers.find_map(|(parse, is_built_in)| {
        let parsed = parse(text)?;
        Some(parsed.map(|hash| is_built_in.then_some(hash)))
    });
    parsed.unwrap_or(Err(InvalidPasswordHash::Form))
}
