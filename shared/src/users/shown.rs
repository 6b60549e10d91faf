//! A user as operators and services of the account are shown one.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{RecoverableStatuses, User};
use crate::timestamp::Timestamp;

/// A user as shown: the fields that the API returns, and some for operators. Never the password hash.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "they are the user's")]
pub struct ShownUser<'a> {
    id: &'a str,
    email: &'a str,
    phone: &'a str,
    status: Option<&'a str>,
    may_recover: bool,
    profile: &'a Map<String, Value>,
    meta: &'a Map<String, Value>,
    identities: &'a Map<String, Value>,
    is_email_validate: bool,
    is_profile_complete: bool,
    is_temporary: bool,
    must_reset: bool,
    address: &'a Map<String, Value>,
    roles: &'a [Value],
    locale: Option<&'a str>,
    has_password: bool,
    password_changed_at: Option<String>,
}

impl<'a> ShownUser<'a> {
    /// Shows a user of a stack with these statuses that may recover.
    #[must_use]
    pub fn of(user: &'a User, statuses: &RecoverableStatuses) -> Self {
        Self {
            id: user.id.as_str(),
            email: &user.email,
            phone: &user.phone,
            status: user.status.text(),
            may_recover: statuses.include(&user.status),
            profile: &user.profile,
            meta: &user.meta,
            identities: &user.identities,
            is_email_validate: user.is_email_validate,
            is_profile_complete: user.is_profile_complete,
            is_temporary: user.is_temporary,
            must_reset: user.must_reset,
            address: &user.address,
            roles: &user.roles,
            locale: user.locale.as_deref(),
            has_password: user.password_hash.is_some(),
            password_changed_at: user.password_changed_at.map(Timestamp::rfc3339),
        }
    }
}
