//! The messages of the protocol: what Regain asks, and what a user store answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use zeroize::Zeroizing;

/// The version of the protocol.
const VERSION: u64 = 1;

/// A question of Regain. The password in it is wiped from memory when it is dropped.
#[derive(Deserialize)]
#[serde(try_from = "Fields")]
pub enum Ask {
    /// Who has this address, or this id?
    Find(Find),
    /// Set this password.
    SetPassword(SetPassword),
    /// The user has proven the mailbox.
    EmailProven(EmailProven),
}

/// How a user is looked up.
pub enum Find {
    /// By address, in its canonical form.
    Address(String),
    /// By the id that an earlier answer had.
    Id(String),
}

/// A password to set, and the conditions for it.
pub struct SetPassword {
    /// Whose password it is.
    pub id: String,
    /// The address that the user still has to have, in its canonical form.
    pub address: String,
    /// The version that the user still has to have.
    pub credentials_version: String,
    /// The same for every retry of one use.
    pub key: String,
    /// The Argon2id hash (a PHC string), unless the password is sent in clear.
    pub password_hash: Option<Zeroizing<String>>,
    /// The password, only with `USER_STORE_PASSWORD=plain`.
    pub password: Option<Zeroizing<String>>,
}

/// A mailbox that was proven.
pub struct EmailProven {
    /// Whose mailbox it is.
    pub id: String,
    /// The address that was proven, in its canonical form.
    pub address: String,
}

/// A message that is not of this protocol. It says nothing of the message, which may hold a password.
#[derive(Debug, Error)]
#[error("the invocation is not a message of the user store protocol, version {VERSION}")]
pub struct Malformed;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Operation {
    Find,
    SetPassword,
    EmailProven,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    version: u64,
    operation: Operation,
    address: Option<String>,
    id: Option<String>,
    credentials_version: Option<String>,
    key: Option<String>,
    password_hash: Option<Zeroizing<String>>,
    password: Option<Zeroizing<String>>,
}

impl TryFrom<Fields> for Ask {
    type Error = Malformed;

    fn try_from(fields: Fields) -> Result<Self, Malformed> {
        if fields.version != VERSION {
            return Err(Malformed);
        }
        Ok(match fields.operation {
            Operation::Find => Self::Find(match (fields.address, fields.id) {
                (Some(address), None) => Find::Address(address),
                (None, Some(id)) => Find::Id(id),
                _ => return Err(Malformed),
            }),
            Operation::SetPassword => Self::SetPassword(SetPassword {
                id: fields.id.ok_or(Malformed)?,
                address: fields.address.ok_or(Malformed)?,
                credentials_version: fields.credentials_version.ok_or(Malformed)?,
                key: fields.key.ok_or(Malformed)?,
                password_hash: fields.password_hash,
                password: fields.password,
            }),
            Operation::EmailProven => Self::EmailProven(EmailProven {
                id: fields.id.ok_or(Malformed)?,
                address: fields.address.ok_or(Malformed)?,
            }),
        })
    }
}

impl Ask {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is not one of this protocol.
    pub fn parse(json: &str) -> Result<Self, Malformed> {
        serde_json::from_str(json).map_err(|_| Malformed)
    }
}

/// The answer of a user store.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To `find`: the user, if there is one.
    Found {
        /// The user.
        user: Option<User>,
    },
    /// To the other operations.
    Outcome(Outcome),
}

/// The outcome of `set-password` or `email-proven`.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// The password is set.
    #[serde(rename = "done")]
    Set {
        /// The user, as it is now.
        user: Box<User>,
    },
    /// The mailbox is noted as proven.
    #[serde(rename = "done", rename_all = "camelCase")]
    Proven {
        /// The version that counts from now on.
        credentials_version: String,
    },
    /// The user is no longer as it was found.
    Changed,
    /// The store does not take this password.
    Refused {
        /// Why, as slugs.
        reasons: Vec<&'static str>,
    },
    /// The user may not recover.
    Blocked,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

/// A user, as Regain needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its id, which never changes.
    pub id: String,
    /// Where mail goes.
    pub email: String,
    /// `active`, or why the user may not recover.
    pub status: String,
    /// The language of mails, as a BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Any text of at most 64 characters that changes with the password.
    pub credentials_version: String,
    /// Whether the mailbox was proven before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Words that the password must not consist of, such as the user's names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<String>,
    /// What the Directory API shows of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_read_whatever_else_is_in_it() {
        let json = json!({"version": 1, "operation": "set-password", "id": "7", "address": "ana@example.com", "more": {},
            "credentialsVersion": "3", "key": "aa", "passwordHash": "$argon2id$", "emailProven": true});
        let Ok(Ask::SetPassword(set)) = Ask::parse(&json.to_string()) else {
            panic!("not read");
        };
        assert_eq!(
            (&*set.id, &*set.credentials_version, &*set.key),
            ("7", "3", "aa")
        );
        assert_eq!(set.password_hash.unwrap().as_str(), "$argon2id$");
        assert!(set.password.is_none());
    }

    #[test]
    fn a_message_of_another_form_is_refused_without_a_quote() {
        for json in [
            json!({}),
            json!({"version": 2, "operation": "find", "id": "7"}),
            json!({"version": 1, "operation": "delete", "id": "7"}),
            json!({"version": 1, "operation": "find"}),
            json!({"version": 1, "operation": "find", "id": "7", "address": "ana@example.com"}),
            json!({"version": 1, "operation": "find", "id": 7}),
            json!({"version": 1, "operation": "email-proven", "id": "7"}),
            json!({"version": 1, "operation": "set-password", "id": "7", "address": "a", "key": "k", "password": "secret"}),
        ] {
            let error = Ask::parse(&json.to_string()).err().expect("refused");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn answers_have_the_form_of_the_protocol() {
        let user = User {
            id: "7".into(),
            email: "ana@example.com".into(),
            status: "active".into(),
            locale: None,
            credentials_version: "3".into(),
            email_verified: Some(true),
            context: Vec::new(),
            directory: None,
        };
        let shown = json!({"id": "7", "email": "ana@example.com", "status": "active", "credentialsVersion": "3", "emailVerified": true});
        let set = Outcome::Set {
            user: Box::new(user.clone()),
        };
        let proven = Outcome::Proven {
            credentials_version: "4".into(),
        };
        let refused = Outcome::Refused {
            reasons: vec!["reused"],
        };
        for (answer, json) in [
            (Answer::Found { user: None }, json!({"user": null})),
            (Answer::Found { user: Some(user) }, json!({"user": shown})),
            (set.into(), json!({"outcome": "done", "user": shown})),
            (
                proven.into(),
                json!({"outcome": "done", "credentialsVersion": "4"}),
            ),
            (
                refused.into(),
                json!({"outcome": "refused", "reasons": ["reused"]}),
            ),
            (Outcome::Changed.into(), json!({"outcome": "changed"})),
            (Outcome::Blocked.into(), json!({"outcome": "blocked"})),
        ] {
            assert_eq!(serde_json::to_value(answer).unwrap(), json);
        }
    }
}
