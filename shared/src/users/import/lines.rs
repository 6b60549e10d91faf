//! Reading a file of users: what each line says, and every reason why one cannot be a user.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;
use zeroize::Zeroizing;

use super::super::{Status, User};
use crate::address::Address;
use crate::ids::{UserId, UserIdFormat};
use crate::password::{Candidate, PasswordHash};

/// The longest line, in octets: DynamoDB's limit of 400 KB for an item, less what the engine adds.
const MAX_LINE: usize = 380_000;

/// A line that cannot be a user.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// Why not. Never repeats a password or its hash.
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
pub struct UserLines {
    /// The lines that can be users.
    pub lines: Vec<UserLine>,
    /// All lines that cannot, in order. Blank ones are neither.
    pub bad: Vec<BadLine>,
    /// Fields that no user has, and in how many lines they are: they are left out.
    pub unknown: BTreeMap<String, usize>,
}

/// A line that can be a user.
#[derive(Debug)]
pub struct UserLine {
    number: usize,
    pub(super) id: Option<UserId>,
    pub(super) address: Address,
    pub(super) password: Password,
    said: Said,
}

/// What a line says about the password.
#[derive(Debug)]
pub(super) enum Password {
    /// Nothing.
    Unsaid,
    /// It is to be hashed.
    Typed(Candidate),
    /// It is hashed.
    Hashed(PasswordHash),
}

/// What else a line says.
#[derive(Debug)]
struct Said {
    email: String,
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
    locale: Option<String>,
}

impl UserLine {
    /// Its number in the file, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The user as the line says, and as `was` where it says nothing. The password is not touched.
    pub(super) fn applied_to(&self, was: User) -> User {
        let said = &self.said;
        User {
            email: said.email.clone(),
            phone: said.phone.clone().unwrap_or(was.phone),
            status: said.status.clone().unwrap_or(was.status),
            profile: said.profile.clone().unwrap_or(was.profile),
            meta: said.meta.clone().unwrap_or(was.meta),
            identities: said.identities.clone().unwrap_or(was.identities),
            address: said.address.clone().unwrap_or(was.address),
            roles: said.roles.clone().unwrap_or(was.roles),
            is_email_validate: said.is_email_validate.unwrap_or(was.is_email_validate),
            is_profile_complete: said.is_profile_complete.unwrap_or(was.is_profile_complete),
            is_temporary: said.is_temporary.unwrap_or(was.is_temporary),
            locale: said.locale.clone().or(was.locale),
            ..was
        }
    }
}

impl UserLines {
    /// Reads all lines of a text, and finds all that cannot be users, or contradict an earlier line.
    #[must_use]
    pub fn read(jsonl: &str, format: UserIdFormat) -> Self {
        let mut read = Self::default();
        let (mut addresses, mut ids) = (HashMap::new(), HashMap::new());
        // A byte order mark is what some editors begin a file with.
        let jsonl = jsonl.strip_prefix('\u{feff}').unwrap_or(jsonl);
        for (index, text) in jsonl.lines().enumerate() {
            let number = index + 1;
            if text.trim().is_empty() {
                continue;
            }
            let line = read_line(number, text, format, &mut read.unknown).and_then(|line| {
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

fn read_line(
    number: usize,
    text: &str,
    format: UserIdFormat,
    unknown: &mut BTreeMap<String, usize>,
) -> Result<UserLine, String> {
    if text.len() > MAX_LINE {
        return Err(format!("is longer than a user can be ({MAX_LINE} octets)"));
    }
    let mut fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err("not a user: no JSON object".to_owned()),
        Err(error) => {
            return Err(format!(
                "not a user: no JSON from column {} on",
                error.column()
            ));
        }
    };
    let email: String = text_of(&mut fields, "email")?.ok_or("\"email\" is missing")?;
    let address = Address::parse(&email).map_err(|_| "\"email\" is not an e-mail address")?;
    let id = match text_of(&mut fields, "id")? {
        None => None,
        Some(id) => Some(UserId::parse(&id, format).ok_or_else(|| {
            let form = match format {
                UserIdFormat::ObjectId => "objectid (24 lower-case hexadecimal digits)",
                UserIdFormat::Uuid => "uuid (lower case, with hyphens)",
            };
            format!("\"id\" does not have the form {form}")
        })?),
    };
    let password = password(&mut fields)?;
    let said = Said {
        email: email.trim().to_owned(),
        phone: text_of(&mut fields, "phone")?,
        status: text_of(&mut fields, "status")?.map(Status::Text),
        profile: take(&mut fields, "profile", "an object")?,
        meta: take(&mut fields, "meta", "an object")?,
        identities: take(&mut fields, "identities", "an object")?,
        address: take(&mut fields, "address", "an object")?,
        roles: take(&mut fields, "roles", "an array")?,
        is_email_validate: take(&mut fields, "isEmailValidate", "true or false")?,
        is_profile_complete: take(&mut fields, "isProfileComplete", "true or false")?,
        is_temporary: take(&mut fields, "isTemporary", "true or false")?,
        locale: text_of(&mut fields, "locale")?,
    };
    for field in fields.into_iter().map(|(name, _)| name) {
        *unknown.entry(field).or_default() += 1;
    }
    Ok(UserLine {
        number,
        id,
        address,
        password,
        said,
    })
}

fn password(fields: &mut Map<String, Value>) -> Result<Password, String> {
    let typed = text_of(fields, "password")?.map(Zeroizing::new);
    let hash = text_of(fields, "passwordHash")?;
    match (typed, hash) {
        (None, None) => Ok(Password::Unsaid),
        (Some(_), Some(_)) => Err("\"password\" and \"passwordHash\" are both given".to_owned()),
        (Some(typed), None) if typed.is_empty() => Err("\"password\" is empty".to_owned()),
        (Some(typed), None) => Ok(Password::Typed(Candidate::new(typed))),
        (None, Some(hash)) => match PasswordHash::parse(&hash) {
            Ok(hash) => Ok(Password::Hashed(hash)),
            Err(error) => Err(match foreign_hash(&hash) {
                Some(kind) => format!(
                    "\"passwordHash\" is made with {kind}, which cannot be taken over: leave it \
                     out, and the person sets a new password by a recovery"
                ),
                None => format!("\"passwordHash\" is refused: {error}"),
            }),
        },
    }
}

/// What a password was hashed with, if it was not Argon2id, by how such hashes begin.
fn foreign_hash(hash: &str) -> Option<&'static str> {
    const BEGINNINGS: [(&str, &str); 20] = [
        ("$2$", "bcrypt"),
        ("$2a$", "bcrypt"),
        ("$2b$", "bcrypt"),
        ("$2x$", "bcrypt"),
        ("$2y$", "bcrypt"),
        ("$bcrypt", "bcrypt"),
        ("{bcrypt}", "bcrypt"),
        ("bcrypt", "bcrypt"),
        ("$scrypt", "scrypt"),
        ("$7$", "scrypt"),
        ("$s0$", "scrypt"),
        ("{scrypt}", "scrypt"),
        ("scrypt", "scrypt"),
        ("$pbkdf2", "PBKDF2"),
        ("pbkdf2", "PBKDF2"),
        ("$argon2i$", "Argon2i, not Argon2id"),
        ("$argon2d$", "Argon2d, not Argon2id"),
        ("$y$", "yescrypt"),
        ("$5$", "SHA-256 crypt"),
        ("$6$", "SHA-512 crypt"),
    ];
    let hash = hash.trim_start().to_ascii_lowercase();
    let known = BEGINNINGS
        .iter()
        .find(|(beginning, _)| hash.starts_with(beginning));
    known.map(|(_, kind)| *kind)
}

fn text_of(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    take(fields, name, "a text")
}

/// Takes a field out; `null` is as good as absent.
fn take<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
    what: &str,
) -> Result<Option<T>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value)
            .map(Some)
            .map_err(|_| format!("\"{name}\" must be {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(jsonl: &str) -> Vec<String> {
        let read = UserLines::read(jsonl, UserIdFormat::ObjectId);
        read.bad.iter().map(BadLine::to_string).collect()
    }

    #[test]
    fn every_bad_line_is_told_with_its_number_and_reason() {
        let jsonl = "\u{feff}{\"email\": \"ann@example.com\"}\n\n{\"email\": 7}\r\n{\"emial\": \"x\"}\nnull\n{\n\
                     {\"email\": \"ANN@example.com\"}\n{\"email\": \"bob@example.com\", \"roles\": {}}";
        assert_eq!(
            bad(jsonl),
            [
                "line 3: \"email\" must be a text",
                "line 4: \"email\" is missing",
                "line 5: not a user: no JSON object",
                "line 6: not a user: no JSON from column 1 on",
                "line 7: has the same \"email\" as line 1",
                "line 8: \"roles\" must be an array",
            ]
        );
    }

    #[test]
    fn a_hash_of_another_kind_is_refused_with_the_way_on_and_not_repeated() {
        for (hash, kind) in [
            (
                "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
                "bcrypt",
            ),
            (
                "$2y$12$QjSH496pcT5CEbzjD/vtVeH03tfHKFy36d4J0Ltp3lRtee9HDxY3K",
                "bcrypt",
            ),
            (
                "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG",
                "bcrypt",
            ),
            ("$scrypt$ln=17,r=8,p=1$c2FsdA$aGFzaA", "scrypt"),
            ("scrypt:32768:8:1$salt$ab12", "scrypt"),
            ("SCRYPT:16384:8:1:c2FsdA==:aGFzaA==", "scrypt"),
            ("pbkdf2_sha256$600000$salt$hash", "PBKDF2"),
            (
                "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$aGFzaA",
                "Argon2i, not Argon2id",
            ),
        ] {
            let line = serde_json::json!({ "email": "ann@example.com", "passwordHash": hash });
            assert_eq!(
                bad(&line.to_string()),
                [format!(
                    "line 1: \"passwordHash\" is made with {kind}, which cannot be taken over: \
                     leave it out, and the person sets a new password by a recovery"
                )]
            );
        }
        assert_eq!(
            bad(
                r#"{"email": "ann@example.com", "passwordHash": "5f4dcc3b5aa765d61d8327deb882cf99"}"#
            ),
            ["line 1: \"passwordHash\" is refused: not an Argon2id PHC string"]
        );
    }

    #[test]
    fn fields_that_no_user_has_are_counted_and_null_is_absent() {
        let jsonl = "{\"email\": \"a@example.com\", \"pasword\": \"x\", \"phone\": null}\n\
                     {\"email\": \"b@example.com\", \"pasword\": \"y\"}";
        let read = UserLines::read(jsonl, UserIdFormat::ObjectId);
        assert_eq!(read.lines.len(), 2);
        assert_eq!(read.unknown, BTreeMap::from([("pasword".to_owned(), 2)]));
    }

    #[test]
    fn a_line_longer_than_an_item_can_be_is_refused() {
        let line = serde_json::json!({ "email": "a@example.com", "phone": "1".repeat(MAX_LINE) });
        assert_eq!(
            bad(&line.to_string()),
            ["line 1: is longer than a user can be (380000 octets)"]
        );
    }
}
