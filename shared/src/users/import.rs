//! Bringing a file of users in: one JSON object a line, all lines or none.

use std::collections::HashMap;

use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use zeroize::Zeroizing;

use super::User;
use crate::address::Address;
use crate::ids::{UserId, UserIdFormat, draw};
use crate::password::{Candidate, Hasher, PasswordHash};
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// What an import brought in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Users that were not there before.
    pub created: usize,
    /// Users that were.
    pub updated: usize,
}

/// Why nothing was brought in.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A line cannot be a user.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Why not.
        reason: String,
    },
    /// The table could not be asked. Users before the failing one may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: Option<String>,
    email: String,
    phone: Option<String>,
    status: Option<String>,
    profile: Option<Map<String, Value>>,
    meta: Option<Map<String, Value>>,
    identities: Option<Map<String, Value>>,
    address: Option<Map<String, Value>>,
    roles: Option<Vec<Value>>,
    is_email_validate: Option<bool>,
    is_profile_complete: Option<bool>,
    is_temporary: Option<bool>,
    locale: Option<String>,
    password: Option<String>,
    password_hash: Option<String>,
}

/// A line that was read, and the user it is about.
struct Entry {
    number: usize,
    line: Line,
    id: Option<UserId>,
    address: Address,
    hash: Option<PasswordHash>,
}

/// Brings users in. A line matches an existing user by its id, or else by its address; a line without
/// a password keeps the one the user has. Every line is read and checked before the first is written.
///
/// # Errors
/// The first line that cannot be a user, with its number and the reason; or the table's failure.
pub async fn import(
    store: &Store,
    hasher: &Hasher,
    format: UserIdFormat,
    jsonl: &str,
    at: Timestamp,
    rng: &mut StdRng,
) -> Result<Imported, ImportError> {
    let entries = read(jsonl, format)?;
    let mut plan = Vec::with_capacity(entries.len());
    for entry in entries {
        let existing = existing(store, &entry).await?;
        plan.push((entry, existing));
    }
    let mut imported = Imported::default();
    for (entry, existing) in plan {
        let hash = match (entry.hash, entry.line.password.as_ref()) {
            (Some(hash), _) => Some(hash),
            (None, Some(password)) => {
                let candidate = Candidate::new(Zeroizing::new(password.clone()));
                let outcome = hasher.hash(candidate, draw(rng)).await;
                Some(outcome.map_err(|error| line(entry.number, error.to_string()))?)
            }
            (None, None) => None,
        };
        let id = match (&existing, entry.id) {
            (Some(user), _) => user.id.clone(),
            (None, Some(id)) => id,
            (None, None) => UserId::draw(format, rng),
        };
        let user = merged(id, entry.line, hash, existing.as_ref(), at);
        let old = existing
            .as_ref()
            .and_then(|user| Address::parse(&user.email).ok());
        if !store
            .put_user(&user, &entry.address, existing.as_ref(), old.as_ref())
            .await?
        {
            return Err(line(
                entry.number,
                "the user or the address was changed meanwhile",
            ));
        }
        if existing.is_some() {
            imported.updated += 1;
        } else {
            imported.created += 1;
        }
    }
    Ok(imported)
}

fn line(line: usize, reason: impl Into<String>) -> ImportError {
    ImportError::Line {
        line,
        reason: reason.into(),
    }
}

/// Reads all lines, blank ones apart, and refuses what contradicts itself.
fn read(jsonl: &str, format: UserIdFormat) -> Result<Vec<Entry>, ImportError> {
    let mut entries = Vec::new();
    let mut addresses = HashMap::new();
    let mut ids = HashMap::new();
    for (index, text) in jsonl.lines().enumerate() {
        let number = index + 1;
        if text.trim().is_empty() {
            continue;
        }
        let mut read: Line = serde_json::from_str(text)
            .map_err(|error| line(number, format!("not a user: {error}")))?;
        let address = Address::parse(&read.email)
            .map_err(|_| line(number, "\"email\" is not an e-mail address"))?;
        let id = match read.id.take() {
            None => None,
            Some(id) => Some(UserId::parse(&id, format).ok_or_else(|| {
                let form = match format {
                    UserIdFormat::ObjectId => "objectid (24 lower-case hexadecimal digits)",
                    UserIdFormat::Uuid => "uuid (lower case, with hyphens)",
                };
                line(number, format!("\"id\" does not have the form {form}"))
            })?),
        };
        if read.password.is_some() && read.password_hash.is_some() {
            return Err(line(
                number,
                "\"password\" and \"passwordHash\" are both given",
            ));
        }
        if read.password.as_ref().is_some_and(String::is_empty) {
            return Err(line(number, "\"password\" is empty"));
        }
        let hash =
            match read.password_hash.take() {
                None => None,
                Some(hash) => Some(PasswordHash::parse(&hash).map_err(|error| {
                    line(number, format!("\"passwordHash\" is refused: {error}"))
                })?),
            };
        if let Some(earlier) = addresses.insert(address.clone(), number) {
            return Err(line(
                number,
                format!("has the same \"email\" as line {earlier}"),
            ));
        }
        if let Some(id) = &id
            && let Some(earlier) = ids.insert(id.clone(), number)
        {
            return Err(line(
                number,
                format!("has the same \"id\" as line {earlier}"),
            ));
        }
        entries.push(Entry {
            number,
            line: read,
            id,
            address,
            hash,
        });
    }
    Ok(entries)
}

/// The user that a line is about, if there is one already.
async fn existing(store: &Store, entry: &Entry) -> Result<Option<User>, ImportError> {
    let owner = store.user_id_of(&entry.address).await?;
    let id = match (&entry.id, owner) {
        (Some(id), Some(owner)) if *id != owner => {
            return Err(line(entry.number, "\"email\" belongs to another user"));
        }
        (Some(id), _) => id.clone(),
        (None, Some(owner)) => owner,
        (None, None) => return Ok(None),
    };
    Ok(store.user(&id).await?)
}

/// The user as the line says, and as it was where the line says nothing.
fn merged(
    id: UserId,
    line: Line,
    hash: Option<PasswordHash>,
    existing: Option<&User>,
    at: Timestamp,
) -> User {
    let was = existing.cloned().unwrap_or_else(|| User::new(id));
    let user = User {
        email: line.email.trim().to_owned(),
        phone: line.phone.unwrap_or(was.phone),
        status: line.status.unwrap_or(was.status),
        profile: line.profile.unwrap_or(was.profile),
        meta: line.meta.unwrap_or(was.meta),
        identities: line.identities.unwrap_or(was.identities),
        address: line.address.unwrap_or(was.address),
        roles: line.roles.unwrap_or(was.roles),
        is_email_validate: line.is_email_validate.unwrap_or(was.is_email_validate),
        is_profile_complete: line.is_profile_complete.unwrap_or(was.is_profile_complete),
        is_temporary: line.is_temporary.unwrap_or(was.is_temporary),
        locale: line.locale.or(was.locale),
        ..was
    };
    match hash {
        None => user,
        Some(hash) => user.with_password(hash, at),
    }
}
