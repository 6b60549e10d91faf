//! A user's password hash as it is stored.

use std::fmt;

use regain_password::{InvalidPasswordHash, PasswordHash};
use serde::{Deserialize, Serialize};

/// A user's password hash as it is stored, of whatever kind.
///
/// A recovery replaces it unread, so people recover whatever system their hash is from, and no function is
/// built with the algorithms of other systems.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredHash(String);

impl StoredHash {
    /// A hash as another system made it. Only its form is checked, so that no function is built with the algorithm.
    ///
    /// # Errors
    /// If it is of no known kind, or if it costs too much to verify, see [`PasswordHash::check_form`].
    pub fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        PasswordHash::check_form(text).map(|()| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash, to verify a password with.
    ///
    /// # Errors
    /// If it is of a kind that this program does not read, see [`PasswordHash::parse`].
    pub fn read(&self) -> Result<PasswordHash, InvalidPasswordHash> {
        PasswordHash::parse(&self.0)
    }
}

impl From<PasswordHash> for StoredHash {
    fn from(hash: PasswordHash) -> Self {
        Self(hash.as_str().to_owned())
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(..)")
    }
}
