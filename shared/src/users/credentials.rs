//! The version of a user's credentials, which changes with the password.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of a user's credentials. A proof is bound to it: if it has changed since, the proof is void.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CredentialsVersion(Version);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Version {
    /// That of a user in the table, which rises with every change.
    Number(u64),
    /// That of a user who lives elsewhere: any text, which changes with the password.
    Text(String),
}

impl CredentialsVersion {
    /// The most characters that a text may have.
    pub const MAX_LENGTH: usize = 64;

    /// The version that a user store function gives. `None` if it is too long.
    #[must_use]
    pub fn of_text(text: String) -> Option<Self> {
        (text.chars().count() <= Self::MAX_LENGTH).then_some(Self(Version::Text(text)))
    }

    /// The version after a change in the table. That of a user who lives elsewhere is not counted here.
    #[must_use]
    pub fn next(&self) -> Self {
        Self(match &self.0 {
            Version::Number(number) => Version::Number(number.saturating_add(1)),
            Version::Text(text) => Version::Text(text.clone()),
        })
    }

    /// The number, if it is that of a user in the table.
    #[must_use]
    pub const fn number(&self) -> Option<u64> {
        match self.0 {
            Version::Number(number) => Some(number),
            Version::Text(_) => None,
        }
    }

    /// Reads the version of a user in the table, which is a number.
    pub(super) fn in_table<'de, D: Deserializer<'de>>(stored: D) -> Result<Self, D::Error> {
        u64::deserialize(stored).map(Self::from)
    }
}

/// Users of other programs may have none, which counts as 0.
impl Default for CredentialsVersion {
    fn default() -> Self {
        Self::from(0)
    }
}

impl From<u64> for CredentialsVersion {
    fn from(number: u64) -> Self {
        Self(Version::Number(number))
    }
}

impl PartialEq<u64> for CredentialsVersion {
    fn eq(&self, number: &u64) -> bool {
        self.number() == Some(*number)
    }
}

/// As text.
impl fmt::Display for CredentialsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Version::Number(number) => number.fmt(f),
            Version::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for CredentialsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A number stays a number, because the version before this one reads it, too.
impl Serialize for CredentialsVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Version::Number(number) => serializer.serialize_u64(*number),
            Version::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for CredentialsVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrText)
    }
}

struct NumberOrText;

impl Visitor<'_> for NumberOrText {
    type Value = CredentialsVersion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text of at most 64 characters")
    }

    fn visit_u64<E>(self, number: u64) -> Result<CredentialsVersion, E> {
        Ok(CredentialsVersion::from(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<CredentialsVersion, E> {
        u64::try_from(number).map_or_else(
            |_| Err(E::custom("a negative version")),
            |number| self.visit_u64(number),
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CredentialsVersion, E> {
        CredentialsVersion::of_text(text.to_owned()).ok_or_else(|| E::custom("a long version"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> CredentialsVersion {
        CredentialsVersion::of_text(text.to_owned()).unwrap()
    }

    #[test]
    fn a_number_stays_a_number_and_a_text_a_text() {
        for (version, json) in [
            (CredentialsVersion::from(7), "7"),
            (of_text("7"), r#""7""#),
            (of_text("2026-11-26T08:00:00Z"), r#""2026-11-26T08:00:00Z""#),
        ] {
            assert_eq!(serde_json::to_string(&version).unwrap(), json);
            let read: CredentialsVersion = serde_json::from_str(json).unwrap();
            assert_eq!(read, version, "{json}");
        }
        assert_ne!(CredentialsVersion::from(7), of_text("7"));
    }

    #[test]
    fn a_text_has_64_characters_at_most() {
        assert!(CredentialsVersion::of_text("ö".repeat(64)).is_some());
        assert!(CredentialsVersion::of_text("ö".repeat(65)).is_none());
        for other in ["-1", "1.5", "null", "[]"] {
            let read = serde_json::from_str::<CredentialsVersion>(other);
            assert!(read.is_err(), "{other}");
        }
    }

    #[test]
    fn only_a_number_is_counted() {
        assert_eq!(CredentialsVersion::from(7).next(), 8);
        assert_eq!(of_text("7").next(), of_text("7"));
        assert_eq!(CredentialsVersion::from(7).number(), Some(7));
        assert_eq!(of_text("7").number(), None);
    }
}
