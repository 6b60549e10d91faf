//! Stored password hashes, and how a password is compared with one.

use std::fmt;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{
    ARGON2D_IDENT, ARGON2I_IDENT, ARGON2ID_IDENT, Argon2, Params, PasswordVerifier as _, Version,
};
use serde::{Deserialize, Serialize};

use crate::foreign::{self, Foreign};
use crate::{Candidate, Cost};

/// The least that is accepted of a stored hash, in octets.
pub(crate) const MIN_OUTPUT_LENGTH: usize = 16;

/// A stored password hash: Regain's own `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, or one of another system.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PasswordHash(String);

/// The text is not a hash that can be verified. The error does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPasswordHash {
    /// It is of no known kind, or it is malformed.
    #[error("not a password hash of a known kind")]
    Form,
    /// A verification would take too much time or memory.
    #[error("a password hash that costs more than a verification may")]
    Cost,
}

/// A stored hash, read.
enum Kind {
    /// Regain's own, and the same of another implementation.
    Argon2id(Box<Phc>, Params),
    /// Any other. `None` if this program lacks the algorithm.
    Foreign(Option<Box<dyn Foreign>>),
}

impl Kind {
    fn read(text: &str) -> Result<Self, InvalidPasswordHash> {
        if text.starts_with("$argon2id$") {
            return argon2(text).map(|(phc, params)| Self::Argon2id(phc.into(), params));
        }
        foreign::parse(text).map(Self::Foreign)
    }
}

/// Reads an Argon2 PHC string of any variant.
pub(crate) fn argon2(text: &str) -> Result<(Phc, Params), InvalidPasswordHash> {
    let phc = Phc::new(text).map_err(|_| InvalidPasswordHash::Form)?;
    let params = Params::try_from(&phc).map_err(|_| InvalidPasswordHash::Form)?;
    let is_complete = [ARGON2D_IDENT, ARGON2I_IDENT, ARGON2ID_IDENT].contains(&phc.algorithm)
        && phc.version == Some(Version::V0x13.into())
        && ["m", "t", "p"]
            .iter()
            .all(|name| phc.params.get(*name).is_some())
        && phc.salt.is_some()
        && phc.hash.is_some_and(|hash| hash.len() >= MIN_OUTPUT_LENGTH);
    let is_bounded = params.m_cost() <= Cost::MAX_MEMORY_KIB
        && params.t_cost() <= Cost::MAX_ITERATIONS
        && params.p_cost() <= Cost::MAX_PARALLELISM;
    match (is_complete, is_bounded) {
        (false, _) => Err(InvalidPasswordHash::Form),
        (true, false) => Err(InvalidPasswordHash::Cost),
        (true, true) => Ok((phc, params)),
    }
}

impl PasswordHash {
    /// Parses a hash from a table, of Regain or of another system. It is kept as it is written.
    ///
    /// Hashes that are cheaper than today's are accepted, so that users can be imported with the passwords that
    /// they have. [`verify`] tells when to replace a hash.
    ///
    /// Without a feature, only Argon2id is read: a complete PHC string of version 19, whose cost is no higher than
    /// [`Cost`] allows and whose hash has 16 octets or more. The features of this crate add the kinds that its
    /// README lists with their limits.
    ///
    /// # Errors
    /// If the text is of another kind or malformed, or if it costs too much to verify.
    pub fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        match Kind::read(text)? {
            Kind::Foreign(None) => Err(InvalidPasswordHash::Form),
            Kind::Argon2id(..) | Kind::Foreign(Some(_)) => Ok(Self(text.to_owned())),
        }
    }

    /// Checks that a text is a hash that [`PasswordHash::parse`] accepts in a program with all features. So a program
    /// that stores hashes and verifies none needs no algorithm.
    ///
    /// # Errors
    /// If the text is of no known kind or malformed, or if it costs too much to verify.
    pub fn check_form(text: &str) -> Result<(), InvalidPasswordHash> {
        Kind::read(text).map(drop)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Phc> for PasswordHash {
    fn from(phc: &Phc) -> Self {
        Self(phc.to_string())
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = InvalidPasswordHash;

    fn try_from(text: String) -> Result<Self, InvalidPasswordHash> {
        Self::parse(&text)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// The result of comparing a password with a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The password is right.
    Yes,
    /// The password is right, and its hash is of another kind than Argon2id or cheaper to guess than a new one:
    /// hash the password again, and store that hash.
    YesButRehash,
    /// The password is wrong.
    No,
}

/// Compares a password with a stored hash in constant time. Takes as long as a hash: in an async program,
/// call it where blocking is allowed.
///
/// A hash of another kind, or with weaker parameters than `current`, is still accepted. The result is then
/// [`Verified::YesButRehash`], and the password that was just typed should be hashed again. Store the new
/// hash only if the stored hash is still the verified one; otherwise, a password that was replaced meanwhile
/// would become valid again. Leave `credentialsVersion` as it is, because the password has not changed.
/// Regain's `docs/sign-in.md` describes the whole sign-in.
///
/// ```
/// use regain_password::{Candidate, Hasher, PasswordHash, Verified, verify};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The cost of a hash today, and a `passwordHash` that was imported from another service.
/// let hasher = Hasher::new(19_456, 2, 1)?;
/// let stored = PasswordHash::parse(
///     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
/// )?;
///
/// let typed = Candidate::new("password".to_owned().into());
/// assert_eq!(verify(&typed, &stored, &hasher.cost()), Verified::YesButRehash);
/// let salt = *b"drawn at random!"; // by a generator, for this hash alone
/// let renewed = hasher.hash(&typed, salt)?;
/// // SET passwordHash = renewed, if passwordHash = stored and credentialsVersion is as read.
/// assert_eq!(verify(&typed, &renewed, &hasher.cost()), Verified::Yes);
///
/// // Nobody has that address, or the user has no password: as much work, and the same answer.
/// let nobody = hasher.hash(&Candidate::new(String::new().into()), salt)?;
/// assert_eq!(verify(&typed, &nobody, &hasher.cost()), Verified::No);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn verify(password: &Candidate, hash: &PasswordHash, current: &Cost) -> Verified {
    let password = password.as_str().as_bytes();
    match Kind::read(&hash.0) {
        Ok(Kind::Argon2id(phc, params)) => {
            match Argon2::from(&params).verify_password(password, &*phc) {
                Err(_) => Verified::No,
                Ok(()) if current.exceeds(&params) => Verified::YesButRehash,
                Ok(()) => Verified::Yes,
            }
        }
        Ok(Kind::Foreign(Some(foreign))) if foreign.matches(password) => Verified::YesButRehash,
        // `PasswordHash::parse` has read the hash before, so it can be read.
        Ok(Kind::Foreign(_)) | Err(_) => Verified::No,
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::Hasher;

    /// From the test vectors of the reference implementation: "password", "somesalt".
    const FOREIGN: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ\
        $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    fn candidate(typed: &str) -> Candidate {
        Candidate::new(Zeroizing::new(typed.to_owned()))
    }

    fn floor() -> Cost {
        Cost::new(Cost::MIN_MEMORY_KIB, Cost::MIN_ITERATIONS, 1).unwrap()
    }

    fn hash(typed: &str) -> PasswordHash {
        Hasher::new(Cost::MIN_MEMORY_KIB, Cost::MIN_ITERATIONS, 1)
            .unwrap()
            .hash(&candidate(typed), *b"sixteen octets !")
            .unwrap()
    }

    #[test]
    fn the_password_verifies_and_no_other_does() {
        let stored = hash("vK4#tq9z René");
        for (typed, verified, why) in [
            ("vK4#tq9z René", Verified::Yes, "the same"),
            (
                "vK4#tq9z Rene\u{301}",
                Verified::Yes,
                "the same, decomposed",
            ),
            ("VK4#tq9z René", Verified::No, "another case"),
            ("vK4#tq9z Rene", Verified::No, "without the accent"),
            ("vK4#tq9z René ", Verified::No, "a space at the end"),
            ("", Verified::No, "empty"),
        ] {
            assert_eq!(
                verify(&candidate(typed), &stored, &floor()),
                verified,
                "{why}"
            );
        }
    }

    #[test]
    fn a_decomposed_password_is_stored_as_its_composed_twin() {
        assert_eq!(hash("Rene\u{301} Muster"), hash("René Muster"));
    }

    #[test]
    fn a_hash_is_due_again_when_the_cost_has_risen_above_it() {
        let stored = hash("vK4#tq9z");
        for (memory_kib, iterations, parallelism, verified, why) in [
            (19_456, 2, 1, Verified::Yes, "today's cost"),
            (
                19_457,
                2,
                1,
                Verified::YesButRehash,
                "more memory asked for",
            ),
            (
                19_456,
                3,
                1,
                Verified::YesButRehash,
                "more passes asked for",
            ),
            (19_456, 2, 4, Verified::Yes, "lanes make no guess dearer"),
        ] {
            let current = Cost::new(memory_kib, iterations, parallelism).unwrap();
            assert_eq!(
                verify(&candidate("vK4#tq9z"), &stored, &current),
                verified,
                "{why}"
            );
            assert_eq!(
                verify(&candidate("vK4#tq9Z"), &stored, &current),
                Verified::No,
                "{why}, wrong password"
            );
        }
    }

    #[test]
    fn hashes_of_other_implementations_verify() {
        let foreign = PasswordHash::parse(FOREIGN).unwrap();
        assert_eq!(
            verify(&candidate("password"), &foreign, &floor()),
            Verified::Yes
        );
        assert_eq!(
            verify(&candidate("passwore"), &foreign, &floor()),
            Verified::No
        );
    }

    #[test]
    fn a_hash_cheaper_than_our_floor_can_be_taken_over_and_is_due_again() {
        let weak = PasswordHash::parse(
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        )
        .unwrap();
        assert_eq!(
            verify(&candidate("password"), &weak, &floor()),
            Verified::YesButRehash
        );
    }

    #[test]
    fn only_complete_argon2id_strings_are_hashes() {
        for (from, to, why) in [
            ("", "", "unchanged"),
            ("$argon2id", "argon2id", "no leading separator"),
            ("argon2id", "scrypt", "another algorithm"),
            ("v=19", "v=16", "an old version"),
            ("$v=19", "", "no version"),
            ("$m=65536,t=2,p=1", "", "no cost"),
            ("m=65536,", "", "no memory"),
            (",t=2", "", "no iterations"),
            (",p=1", "", "no parallelism"),
            ("p=1", "p=1,x=1", "an unknown parameter"),
            (
                "m=65536",
                "m=4294967295",
                "more memory than any function has",
            ),
            ("m=65536", "m=7", "less memory than the algorithm takes"),
            ("t=2", "t=0", "no passes"),
            ("t=2", "t=101", "more passes than we would make"),
            ("p=1", "p=65", "more lanes than we would use"),
            ("$c29tZXNhbHQ", "", "no salt"),
            ("c29tZXNhbHQ", "c29t", "a salt too short"),
            ("c29tZXNhbHQ", "c29t*XNhbHQ", "a salt that is not base64"),
            (
                "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                "",
                "no hash",
            ),
            ("aO6Mm5c8y7cJHAph8ArZWb2GRPPc", "", "a hash of 12 octets"),
            ("GRPPc", "GRPPc=", "padding"),
            ("GRPPc", "GRPPc$", "something after it"),
            ("GRPPc", "GRPPc\n", "a line end after it"),
        ] {
            let text = FOREIGN.replace(from, to);
            let expected = if from == to {
                Ok(PasswordHash(text.clone()))
            } else if why.starts_with("more ") {
                Err(InvalidPasswordHash::Cost)
            } else {
                Err(InvalidPasswordHash::Form)
            };
            assert_eq!(from == to, text == FOREIGN, "{why}");
            assert_eq!(PasswordHash::parse(&text), expected, "{why}: {text}");
        }
        for text in [
            "",
            "$",
            "$argon2id",
            "password",
            "$2b$10$abcdefghijklmnopqrstuv",
        ] {
            assert_eq!(
                PasswordHash::parse(text),
                Err(InvalidPasswordHash::Form),
                "{text}"
            );
        }
    }

    #[test]
    fn no_other_variant_passes_for_argon2id() {
        for variant in ["argon2i", "argon2d"] {
            let read = Kind::read(&FOREIGN.replace("argon2id", variant));
            assert!(!matches!(read, Ok(Kind::Argon2id(..))), "{variant}");
        }
    }

    #[test]
    fn json_goes_through_parse() {
        let json = format!("\"{FOREIGN}\"");
        let hash: PasswordHash = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&hash).unwrap(), json);
        let refused = serde_json::from_str::<PasswordHash>("\"plain text\"").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("plain"));
    }

    #[test]
    fn debug_shows_no_hash() {
        let hash = PasswordHash::parse(FOREIGN).unwrap();
        assert_eq!(format!("{hash:?}"), "PasswordHash(..)");
    }
}
