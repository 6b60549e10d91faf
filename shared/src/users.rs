//! Users: what the table holds about them, how a file of users is imported, and what services of the account may ask.

mod credentials;
mod edit;
mod foreign_ids;
mod import;
mod mailable;
mod operations;
mod shown;
mod status;
mod stored_hash;

use std::borrow::Cow;
use std::ops::Not;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use credentials::CredentialsVersion;
pub use edit::{Edit, EditError, Edited};
pub use foreign_ids::ForeignIds;
pub use import::{
    BadLine, Change, CheckedFile, Done, Import, ImportError, ImportRules, Imported, Notes, Outcome,
    Progress, Step, exported, import,
};
pub use mailable::unmailable;
pub use operations::{Answer, OperationError, Request, UserOperations};
pub use shown::ShownUser;
pub(crate) use status::BLOCKED;
pub use status::{RecoverableStatuses, Status};
pub use stored_hash::StoredHash;

use regain_password::Address;

use crate::ids::UserId;
use crate::locale::Locale;
use crate::timestamp::Timestamp;

/// A user as stored. Fields that recovery does not use (roles, profile and others) are kept as they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute of the item"
)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The only address that mail goes to, as the directory spells it.
    pub email: String,
    /// The phone number, or nothing.
    #[serde(default)]
    pub phone: String,
    /// `active`, `blocked`, or another status of the directory.
    #[serde(default, skip_serializing_if = "Status::is_no_text")]
    pub status: Status,
    /// The person's profile.
    #[serde(default)]
    pub profile: Map<String, Value>,
    /// The directory's own notes.
    #[serde(default)]
    pub meta: Map<String, Value>,
    /// The person's identities elsewhere.
    #[serde(default)]
    pub identities: Map<String, Value>,
    /// The postal address.
    #[serde(default)]
    pub address: Map<String, Value>,
    /// The roles.
    #[serde(default)]
    pub roles: Vec<Value>,
    /// Whether the mailbox was proven.
    #[serde(default)]
    pub is_email_validate: bool,
    /// Whether the profile is complete.
    #[serde(default)]
    pub is_profile_complete: bool,
    /// Whether the user is a temporary one.
    #[serde(default)]
    pub is_temporary: bool,
    /// Whether the person has to set a new password before signing in. A recovery clears it.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub must_reset: bool,
    /// The language tag the person reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The hash of the password, of whatever kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<StoredHash>,
    /// When the password was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<Timestamp>,
    /// When an import last set the password. If the password was changed at another time, the person set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_imported_at: Option<Timestamp>,
    /// Rises with every change of the credentials, which voids all earlier proofs.
    #[serde(default, deserialize_with = "CredentialsVersion::in_table")]
    pub credentials_version: CredentialsVersion,
    /// The status before `users block`, which `users unblock` restores.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "former_status"
    )]
    pub status_before_block: Option<Status>,
    /// What else is known of a user who lives elsewhere, and so must not be most of a password.
    #[serde(skip)]
    pub context: Vec<String>,
    /// The version of the credentials that the person's "it was not me" made. The links of the notices before it
    /// are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disowned_version: Option<u64>,
}

/// The status of a new user if the file gives none.
const ACTIVE: &str = "active";

impl User {
    /// A user of whom nothing is known yet.
    pub(crate) fn new(id: UserId) -> Self {
        Self {
            id,
            email: String::new(),
            phone: String::new(),
            status: Status::from(ACTIVE),
            profile: Map::new(),
            meta: Map::new(),
            identities: Map::new(),
            address: Map::new(),
            roles: Vec::new(),
            is_email_validate: false,
            is_profile_complete: false,
            is_temporary: false,
            must_reset: false,
            locale: None,
            password_hash: None,
            password_changed_at: None,
            password_imported_at: None,
            credentials_version: 1.into(),
            status_before_block: None,
            context: Vec::new(),
            disowned_version: None,
        }
    }

    /// The user after the mailbox was proven.
    #[must_use]
    pub(crate) fn with_proven_mailbox(self) -> Self {
        Self {
            is_email_validate: true,
            ..self
        }
    }

    /// The user with another password.
    #[must_use]
    pub(crate) fn with_password(self, hash: impl Into<StoredHash>, at: Timestamp) -> Self {
        Self {
            password_hash: Some(hash.into()),
            password_changed_at: Some(at),
            credentials_version: self.credentials_version.next(),
            must_reset: false,
            ..self
        }
    }

    /// The user with the password of an import.
    #[must_use]
    pub(crate) fn with_imported_password(self, hash: StoredHash, at: Timestamp) -> Self {
        Self {
            password_imported_at: Some(at),
            must_reset: self.must_reset,
            ..self.with_password(hash, at)
        }
    }

    /// Whether something other than an import last changed the password, such as a recovery. It is also true
    /// for imports by older versions, which did not write `passwordImportedAt`.
    pub(crate) fn has_a_password_of_no_import(&self) -> bool {
        self.password_changed_at.is_some() && self.password_changed_at != self.password_imported_at
    }

    /// Whether this is the user's address. A lookup can still lead from an old address to a user who has moved
    /// to another one.
    #[must_use]
    pub fn has_address(&self, address: &Address) -> bool {
        Address::parse(&self.email).is_ok_and(|own| own == *address)
    }

    /// The language to write to the user in, if one of the two is set.
    #[must_use]
    pub fn language(&self) -> Option<Locale> {
        self.locale.as_deref().and_then(Locale::of_tag)
    }

    /// The texts that describe the user: the phone number, every text and number in the profile, and what else a
    /// user store knows.
    pub fn profile_texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let mut texts = vec![Cow::Borrowed(self.phone.as_str())];
        self.profile
            .values()
            .for_each(|value| collect_texts(value, &mut texts));
        texts.extend(self.context.iter().map(|text| Cow::Borrowed(text.as_str())));
        texts.into_iter()
    }
}

/// A former status that is `NULL` means that the user had none.
fn former_status<'de, D: Deserializer<'de>>(stored: D) -> Result<Option<Status>, D::Error> {
    let status = Option::<Status>::deserialize(stored)?;
    Ok(Some(status.unwrap_or_default()))
}

fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<Cow<'a, str>>) {
    match value {
        Value::String(text) => texts.push(text.into()),
        Value::Number(number) => texts.push(number.to_string().into()),
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, texts)),
        Value::Object(map) => map.values().for_each(|value| collect_texts(value, texts)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_addresses_have_the_documented_canonical_forms() {
        #[derive(Deserialize)]
        struct Vector {
            typed: String,
            canonical: Option<String>,
            why: String,
        }
        let vectors = include_str!("../../docs/address-vectors.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 30);
        for Vector {
            typed,
            canonical,
            why,
        } in vectors
        {
            let parsed = Address::parse(&typed).ok();
            let parsed = parsed.as_ref().map(Address::as_str);
            assert_eq!(parsed, canonical.as_deref(), "{why}: {typed:?}");
        }
    }
}
