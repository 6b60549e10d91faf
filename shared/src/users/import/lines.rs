//! Reads a file of users, and finds every line that cannot be a user.

mod fields;
mod password;

use std::collections::{BTreeMap, HashMap};

use regain_password::{Address, Reason};
use serde_json::{Map, Value};
use thiserror::Error;

use super::super::{Status, User, unmailable};
use super::ImportRules;
use super::workers::Numbered;
use crate::ids::{UserId, UserIdFormat};

use fields::Fields;
pub(super) use password::Password;

/// A line that cannot be a user.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// Why it cannot. Never repeats a password or a hash.
    pub reason: String,
}

impl BadLine {
    /// A line of that number, and the reason.
    pub fn new(line: usize, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
        }
    }
}

/// A file of users, as read.
#[derive(Debug, Default)]
pub(super) struct UserLines {
    /// The lines that can be users.
    pub(super) lines: Vec<UserLine>,
    /// All lines that cannot, in order. Blank lines count as neither.
    pub(super) bad: Vec<BadLine>,
    /// Unknown fields, which are left out, with the number of lines that have them.
    pub(super) unknown: BTreeMap<String, usize>,
    /// How many lines have a number with more digits than are stored.
    pub(super) rounded: usize,
}

/// A line that can be a user.
#[derive(Debug)]
pub(in crate::users) struct UserLine {
    number: usize,
    pub(super) id: Option<UserId>,
    pub(super) address: Address,
    pub(super) password: Password,
    said: Said,
}

/// The other fields of a line.
#[derive(Debug)]
struct Said {
    email: String,
    /// Whether the line says the address.
    has_email: bool,
    phone: Option<String>,
    status: Option<Status>,
    profile: Option<Map<String, Value>>,
    meta: Option<Map<String, Value>>,
    identities: Option<Map<String, Value>>,
    address: Option<Map<String, Value>>,
    roles: Option<Vec<Value>>,
    is_email_validate: Option<bool>,
    is_profile_complete: Option<bool>,
    is_temporary: Option<bool>,
    must_reset: Option<bool>,
    locale: Option<String>,
}

impl Numbered for UserLine {
    fn number(&self) -> usize {
        self.number
    }
}

impl UserLine {
    /// Reads one user by itself. `of` is the user whom the JSON is to change: it gives the id, and the address
    /// if the JSON has none. Fields that no user has, and numbers that would be rounded, are refused.
    pub(in crate::users) fn one(
        json: &str,
        rules: &ImportRules,
        of: Option<&User>,
    ) -> Result<Self, String> {
        let mut lines = UserLines::default();
        let line = lines.line(0, json, rules, of)?;
        if let Some(field) = lines.unknown.keys().next() {
            return Err(format!("no user has a field {field:?}"));
        }
        if lines.rounded > 0 {
            return Err("a number has more digits than are kept: write it as a text".to_owned());
        }
        Ok(line)
    }

    /// Whether it says a status.
    pub(in crate::users) fn says_a_status(&self) -> bool {
        self.said.status.is_some()
    }

    /// What it says about having to reset the password.
    pub(super) fn must_reset(&self) -> Option<bool> {
        self.said.must_reset
    }

    /// Whether it says an address.
    pub(in crate::users) fn says_an_address(&self) -> bool {
        self.said.has_email
    }

    /// The user as the line says, and as `was` where it says nothing. An address that changes is
    /// unproven unless the line says otherwise, and a status that changes is not the one before a
    /// block any more. The password is not touched.
    pub(super) fn applied_to(&self, was: User) -> User {
        let said = &self.said;
        let was_proven = was.is_email_validate && was.has_address(&self.address);
        let same_status = said.status.as_ref().is_none_or(|said| *said == was.status);
        User {
            email: said.email.clone(),
            phone: said.phone.clone().unwrap_or(was.phone),
            status: said.status.clone().unwrap_or(was.status),
            profile: said.profile.clone().unwrap_or(was.profile),
            meta: said.meta.clone().unwrap_or(was.meta),
            identities: said.identities.clone().unwrap_or(was.identities),
            address: said.address.clone().unwrap_or(was.address),
            roles: said.roles.clone().unwrap_or(was.roles),
            is_email_validate: said.is_email_validate.unwrap_or(was_proven),
            status_before_block: was.status_before_block.filter(|_| same_status),
            is_profile_complete: said.is_profile_complete.unwrap_or(was.is_profile_complete),
            is_temporary: said.is_temporary.unwrap_or(was.is_temporary),
            must_reset: said.must_reset.unwrap_or(was.must_reset),
            locale: said.locale.clone().or(was.locale),
            ..was
        }
    }
}

impl UserLines {
    /// Reads all lines of a text, and finds all that cannot be users, or contradict an earlier line.
    pub(super) fn read(jsonl: &str, rules: &ImportRules) -> Self {
        let mut read = Self::default();
        let (mut addresses, mut ids) = (HashMap::new(), HashMap::new());
        // A byte order mark is what some editors begin a file with.
        let jsonl = jsonl.strip_prefix('\u{feff}').unwrap_or(jsonl);
        for (index, text) in jsonl.lines().enumerate() {
            let number = index + 1;
            if text.trim().is_empty() {
                continue;
            }
            let line = read.line(number, text, rules, None).and_then(|line| {
                unique(&mut addresses, line.address.clone(), number, "email")?;
                if let Some(id) = &line.id {
                    unique(&mut ids, id.clone(), number, "id")?;
                }
                Ok(line)
            });
            match line {
                Ok(line) => read.lines.push(line),
                Err(reason) => read.bad.push(BadLine::new(number, reason)),
            }
        }
        read
    }

    /// Reads one line. `of` is the user whom it has to be about, if that is known.
    fn line(
        &mut self,
        number: usize,
        text: &str,
        rules: &ImportRules,
        of: Option<&User>,
    ) -> Result<UserLine, String> {
        let mut fields = Fields::read(text)?;
        let email = fields.text("email")?;
        let has_email = email.is_some();
        let email = email
            .or_else(|| of.map(|user| user.email.clone()))
            .ok_or("\"email\" is missing")?;
        let address = Address::parse(&email).map_err(|_| "\"email\" is not an e-mail address")?;
        if let Some(reason) = unmailable(&email) {
            return Err(format!("\"email\" {reason}"));
        }
        let id = match (fields.text("id")?, of) {
            (None, None) => None,
            (Some(id), Some(user)) if id != user.id.as_str() => {
                return Err("\"id\" cannot be changed".to_owned());
            }
            (_, Some(user)) => Some(user.id.clone()),
            (Some(id), None) => Some(UserId::parse(&id, rules.id_format).ok_or_else(|| {
                let form = match rules.id_format {
                    UserIdFormat::ObjectId => "objectid (24 lower-case hexadecimal digits)",
                    UserIdFormat::Uuid => "uuid (lower case, with hyphens)",
                };
                format!("\"id\" does not have the form {form}")
            })?),
        };
        let password = Password::read(&mut fields, rules.firebase.as_ref())?;
        if let Password::Typed(typed) = &password {
            let mut reasons = rules.policy.check(typed);
            reasons.extend(rules.policy.check_address(typed, &address));
            accepted(&reasons)?;
        }
        let said = Said {
            email: Address::trim(&email).to_owned(),
            has_email,
            phone: fields.text("phone")?,
            status: fields.text("status")?.map(Status::Text),
            profile: fields.document("profile", "an object")?,
            meta: fields.document("meta", "an object")?,
            identities: fields.document("identities", "an object")?,
            address: fields.document("address", "an object")?,
            roles: fields.document("roles", "an array")?,
            is_email_validate: fields.take("isEmailValidate", "true or false")?,
            is_profile_complete: fields.take("isProfileComplete", "true or false")?,
            is_temporary: fields.take("isTemporary", "true or false")?,
            must_reset: fields.take("mustReset", "true or false")?,
            locale: fields.text("locale")?,
        };
        self.rounded += usize::from(fields.rounded);
        for field in fields.left.into_keys() {
            *self.unknown.entry(field).or_default() += 1;
        }
        Ok(UserLine {
            number,
            id,
            address,
            password,
            said,
        })
    }
}

/// A user as a line of a users file, from which an import makes the same user. The password hash is left out
/// unless asked for.
///
/// # Errors
/// When the user cannot be written as JSON.
pub fn exported(user: &User, with_password_hash: bool) -> serde_json::Result<Value> {
    const FIELDS: [&str; 15] = [
        "id",
        "email",
        "phone",
        "status",
        "profile",
        "meta",
        "identities",
        "address",
        "roles",
        "isEmailValidate",
        "isProfileComplete",
        "isTemporary",
        "mustReset",
        "locale",
        "passwordHash",
    ];
    let mut line = serde_json::to_value(user)?;
    if let Some(fields) = line.as_object_mut() {
        fields.retain(|name, _| {
            FIELDS.contains(&name.as_str()) && (with_password_hash || name != "passwordHash")
        });
    }
    Ok(line)
}

/// The policy's answer as a reason why a line is bad.
pub(super) fn accepted(reasons: &[Reason]) -> Result<(), String> {
    if reasons.is_empty() {
        return Ok(());
    }
    let slugs: Vec<_> = reasons.iter().map(|reason| reason.slug()).collect();
    Err(format!(
        "\"password\" is refused by the password policy: {}",
        slugs.join(", ")
    ))
}

/// Notes what has to be the only one of its kind.
fn unique<K: std::hash::Hash + Eq>(
    earlier: &mut HashMap<K, usize>,
    key: K,
    number: usize,
    field: &str,
) -> Result<(), String> {
    if let Some(line) = earlier.get(&key) {
        return Err(format!("has the same \"{field}\" as line {line}"));
    }
    earlier.insert(key, number);
    Ok(())
}

#[cfg(test)]
mod tests;
