//! The two public APIs, by name.
//!
//! How each of them reads calls and words answers is in [`crate::protocol`].

use serde::{Deserialize, Serialize};

/// One of the two APIs. A session belongs to the API that began it, and does not exist for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// The Directory API.
    Directory,
    /// The auth/v1 API.
    AuthV1,
}

impl Protocol {
    /// The name under which the protocol is stored and enters a code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::AuthV1 => "auth-v1",
        }
    }
}
