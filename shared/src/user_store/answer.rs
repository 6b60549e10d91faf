//! Reads the answers of a user store function.
//!
//! The answers are read strictly and field by field: a value that is missing, of another type or too long makes
//! the whole answer malformed. Unknown fields are ignored. `null` counts as absent where a field may be absent.

use regain_password::Address;
use serde_json::{Map, Value};

use crate::ids::UserId;
use crate::users::{CredentialsVersion, Status, User};

/// The longest answer in octets. A user object of the Directory API fits into a tenth of it.
const LONGEST: usize = 256 * 1024;
/// The most characters of an id, a status, a locale and a word, and the most words and reasons.
const LONGEST_ID: usize = 256;
const LONGEST_STATUS: usize = 64;
const LONGEST_LOCALE: usize = 64;
const LONGEST_WORD: usize = 256;
const MOST_WORDS: usize = 64;
const MOST_REASONS: usize = 16;

/// What is wrong with an answer, without anything of its content.
pub(super) type Malformed = &'static str;

type Object = Map<String, Value>;

/// A reason of the user store's own to refuse a password, such as `reused`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnReason(String);

impl OwnReason {
    /// Reads a reason: 1 to 64 lower-case letters and underscores.
    #[must_use]
    pub fn parse(slug: &str) -> Option<Self> {
        let is_slug = |c: u8| c.is_ascii_lowercase() || c == b'_';
        ((1..=64).contains(&slug.len()) && slug.bytes().all(is_slug)).then(|| Self(slug.to_owned()))
    }

    /// The word that callers see.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.0
    }
}

/// The answer to `set-password`.
#[derive(Debug)]
pub(crate) enum SetAnswer {
    /// It is set. Has the user as it is now.
    Done(Box<User>),
    /// The user is no longer as found.
    Changed,
    /// The user store refuses the password.
    Refused(Vec<OwnReason>),
    /// The user store refuses the user.
    Blocked,
}

/// The answer to `email-proven`.
#[derive(Debug)]
pub(crate) enum ProvenAnswer {
    /// It is noted. Has the version that counts from now on.
    Done(CredentialsVersion),
    /// The user is no longer as found.
    Changed,
}

/// Reads the answer to `find`.
pub(super) fn found(answer: &[u8]) -> Result<Option<User>, Malformed> {
    let answer = object(answer)?;
    match answer.get("user") {
        Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => user(fields).map(Some),
        _ => Err("user"),
    }
}

/// Reads the answer to `set-password` for the user of that id and address.
pub(super) fn set(answer: &[u8], id: &UserId, address: &Address) -> Result<SetAnswer, Malformed> {
    let answer = object(answer)?;
    match outcome(&answer)? {
        "done" => {
            let fields = answer
                .get("user")
                .and_then(Value::as_object)
                .ok_or("user")?;
            let user = user(fields)?;
            if user.id != *id || !user.has_address(address) {
                return Err("the user of another id or address");
            }
            Ok(SetAnswer::Done(user.into()))
        }
        "changed" => Ok(SetAnswer::Changed),
        "refused" => {
            let reasons = answer.get("reasons").and_then(Value::as_array);
            let reasons = reasons.ok_or("reasons")?;
            if reasons.is_empty() || reasons.len() > MOST_REASONS {
                return Err("reasons");
            }
            let reasons = reasons.iter().map(|it| OwnReason::parse(it.as_str()?));
            let reasons: Option<_> = reasons.collect();
            reasons.map(SetAnswer::Refused).ok_or("reasons")
        }
        "blocked" => Ok(SetAnswer::Blocked),
        _ => Err("outcome"),
    }
}

/// Reads the answer to `email-proven`.
pub(super) fn proven(answer: &[u8]) -> Result<ProvenAnswer, Malformed> {
    let answer = object(answer)?;
    match outcome(&answer)? {
        "done" => Ok(ProvenAnswer::Done(version(&answer)?)),
        "changed" => Ok(ProvenAnswer::Changed),
        _ => Err("outcome"),
    }
}

fn object(answer: &[u8]) -> Result<Object, Malformed> {
    if answer.len() > LONGEST {
        return Err("too long");
    }
    match serde_json::from_slice(answer) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err("not an object"),
    }
}

fn outcome(answer: &Object) -> Result<&str, Malformed> {
    let outcome = answer.get("outcome").and_then(Value::as_str);
    outcome.ok_or("outcome")
}

/// Reads a user.
fn user(fields: &Object) -> Result<User, Malformed> {
    let nothing = Object::new();
    let directory = match given(fields, "directory") {
        None => &nothing,
        Some(directory) => directory.as_object().ok_or("directory")?,
    };
    let map = |name| match given(directory, name) {
        None => Ok(Object::new()),
        Some(value) => value.as_object().cloned().ok_or("directory"),
    };
    let id = text(fields, "id", LONGEST_ID)?;
    if id.is_empty() {
        return Err("id");
    }
    Ok(User {
        email: text(fields, "email", usize::MAX)?,
        phone: match given(directory, "phone") {
            None => String::new(),
            Some(phone) => phone.as_str().ok_or("directory")?.to_owned(),
        },
        status: Status::Text(text(fields, "status", LONGEST_STATUS)?),
        profile: map("profile")?,
        meta: map("meta")?,
        identities: map("identities")?,
        address: map("address")?,
        roles: match given(directory, "roles") {
            None => Vec::new(),
            Some(roles) => roles.as_array().cloned().ok_or("directory")?,
        },
        // Only a user store that keeps this wants to be told of a proof.
        is_email_validate: flag(fields, "emailVerified")?.unwrap_or(true),
        is_profile_complete: flag(directory, "isProfileComplete")?.unwrap_or_default(),
        is_temporary: flag(directory, "isTemporary")?.unwrap_or_default(),
        locale: match given(fields, "locale") {
            None => None,
            Some(_) => Some(text(fields, "locale", LONGEST_LOCALE)?),
        },
        credentials_version: version(fields)?,
        context: context(fields)?,
        ..User::new(UserId::elsewhere(id))
    })
}

/// A field that is there and not null.
fn given<'a>(fields: &'a Object, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn text(fields: &Object, name: Malformed, longest: usize) -> Result<String, Malformed> {
    let text = fields.get(name).and_then(Value::as_str);
    let text = text.filter(|text| text.chars().count() <= longest);
    text.map(str::to_owned).ok_or(name)
}

fn flag(fields: &Object, name: Malformed) -> Result<Option<bool>, Malformed> {
    match given(fields, name) {
        None => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or(name),
    }
}

fn version(fields: &Object) -> Result<CredentialsVersion, Malformed> {
    let name = "credentialsVersion";
    let text = text(fields, name, CredentialsVersion::MAX_LENGTH)?;
    CredentialsVersion::of_text(text).ok_or(name)
}

fn context(fields: &Object) -> Result<Vec<String>, Malformed> {
    let name = "context";
    let Some(words) = given(fields, name) else {
        return Ok(Vec::new());
    };
    let words = words.as_array().filter(|it| it.len() <= MOST_WORDS);
    let words = words.ok_or(name)?.iter().map(|word| {
        let word = word
            .as_str()
            .filter(|it| it.chars().count() <= LONGEST_WORD);
        word.map(str::to_owned).ok_or(name)
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bytes(answer: &Value) -> Vec<u8> {
        serde_json::to_vec(answer).unwrap()
    }

    fn ann() -> Value {
        json!({ "id": "7", "email": "Ann@Example.com", "status": "active", "credentialsVersion": "v1" })
    }

    /// Ann with one field changed.
    fn ann_with(name: &str, value: Value) -> Value {
        let mut ann = ann();
        ann[name] = value;
        ann
    }

    fn found_user(user: &Value) -> Result<Option<User>, Malformed> {
        found(&bytes(&json!({ "user": user })))
    }

    #[test]
    fn a_user_needs_an_id_an_address_a_status_and_a_version_only() {
        let user = found_user(&ann()).unwrap().unwrap();
        assert_eq!(user.id.as_str(), "7");
        assert_eq!(user.email, "Ann@Example.com");
        assert_eq!(user.status.text(), Some("active"));
        assert_eq!(user.credentials_version.to_string(), "v1");
        assert!(user.is_email_validate, "it keeps no such mark");
        assert_eq!((user.phone.as_str(), user.roles.len()), ("", 0));
        assert_eq!((user.locale, user.context.len()), (None, 0));
        let maps = [user.profile, user.meta, user.identities, user.address];
        assert!(maps.iter().all(Map::is_empty));
        assert!(!user.is_profile_complete && !user.is_temporary);
    }

    #[test]
    fn a_user_has_what_else_is_given() {
        let mut given = ann();
        given["locale"] = json!("id");
        given["emailVerified"] = json!(false);
        given["context"] = json!(["Ann", "Smith"]);
        given["directory"] = json!({
            "phone": "+62 811", "profile": { "name": "Ann" }, "meta": { "a": 1 },
            "identities": { "b": 2 }, "address": { "city": "Bandung" }, "roles": ["x", 1],
            "isProfileComplete": true, "isTemporary": true,
            "id": "ignored", "status": 1, "isEmailValidate": "ignored",
        });
        let user = found_user(&given).unwrap().unwrap();
        assert_eq!(user.locale.as_deref(), Some("id"));
        assert!(!user.is_email_validate);
        assert_eq!(user.context, ["Ann", "Smith"]);
        assert_eq!((user.id.as_str(), user.phone.as_str()), ("7", "+62 811"));
        assert_eq!(user.profile["name"], "Ann");
        assert_eq!(
            (&user.meta["a"], &user.identities["b"]),
            (&json!(1), &json!(2))
        );
        assert_eq!(user.address["city"], "Bandung");
        assert_eq!(user.roles, [json!("x"), json!(1)]);
        assert!(user.is_profile_complete && user.is_temporary);
    }

    #[test]
    fn what_is_null_or_unknown_counts_as_absent() {
        for (name, value) in [
            ("locale", Value::Null),
            ("emailVerified", Value::Null),
            ("context", Value::Null),
            ("directory", Value::Null),
            (
                "directory",
                json!({ "phone": null, "roles": null, "profile": null }),
            ),
            ("unknown", json!({ "a": [1] })),
        ] {
            let user = found_user(&ann_with(name, value)).unwrap();
            assert!(user.is_some(), "{name}");
        }
        assert!(found(br#"{"user": null, "version": 2}"#).unwrap().is_none());
    }

    #[test]
    fn a_user_of_another_form_is_malformed() {
        for (name, value, why) in [
            ("id", Value::Null, "missing"),
            ("id", json!(""), "empty"),
            ("id", json!(7), "a number"),
            ("id", json!("7".repeat(257)), "too long"),
            ("email", Value::Null, "missing"),
            ("email", json!(["ann@example.com"]), "a list"),
            ("status", Value::Null, "missing"),
            ("status", json!(true), "a flag"),
            ("status", json!("a".repeat(65)), "too long"),
            ("credentialsVersion", Value::Null, "missing"),
            ("credentialsVersion", json!(1), "a number"),
            ("credentialsVersion", json!("v".repeat(65)), "too long"),
            ("locale", json!(1), "a number"),
            ("locale", json!("a".repeat(65)), "too long"),
            ("emailVerified", json!("false"), "a text"),
            ("emailVerified", json!(0), "a number"),
            ("context", json!("Ann"), "a text"),
            ("context", json!([1]), "numbers"),
            ("context", json!(["a".repeat(257)]), "too long a word"),
            ("context", json!(vec!["a"; 65]), "too many words"),
            ("directory", json!([]), "a list"),
            (
                "directory",
                json!({ "phone": 1 }),
                "a phone that is a number",
            ),
            (
                "directory",
                json!({ "profile": "Ann" }),
                "a profile that is a text",
            ),
            ("directory", json!({ "roles": {} }), "roles that are a map"),
            (
                "directory",
                json!({ "isTemporary": 1 }),
                "a flag that is a number",
            ),
        ] {
            let user = found_user(&ann_with(name, value));
            assert!(user.is_err(), "{name}: {why}");
        }
    }

    #[test]
    fn an_answer_of_another_form_is_malformed() {
        let long = format!(r#"{{"user": null, "x": "{}"}}"#, "x".repeat(LONGEST));
        let deep = format!(r#"{{"user": {}1{}}}"#, "[".repeat(200), "]".repeat(200));
        for answer in [
            "",
            "null",
            "[]",
            "{}",
            "{",
            r#""user""#,
            r#"{"user": false}"#,
            r#"{"user": []}"#,
            r#"{"user": ["7", "ann@example.com", "active", "v1"]}"#,
            r#"{"User": null}"#,
            r#"{"user": null} x"#,
            &long,
            &deep,
        ] {
            assert!(found(answer.as_bytes()).is_err(), "{answer:.40}");
        }
    }

    fn set_answer(answer: &Value) -> Result<SetAnswer, Malformed> {
        let id = UserId::elsewhere("7".to_owned());
        set(
            &bytes(answer),
            &id,
            &Address::parse("ann@example.com").unwrap(),
        )
    }

    #[test]
    fn a_set_password_has_one_of_four_outcomes() {
        let done = set_answer(&json!({ "outcome": "done", "user": ann() }));
        assert!(matches!(done, Ok(SetAnswer::Done(user)) if user.id.as_str() == "7"));
        let changed = set_answer(&json!({ "outcome": "changed" }));
        assert!(matches!(changed, Ok(SetAnswer::Changed)));
        let blocked = set_answer(&json!({ "outcome": "blocked" }));
        assert!(matches!(blocked, Ok(SetAnswer::Blocked)));
        let refused = set_answer(&json!({ "outcome": "refused", "reasons": ["reused", "a_b"] }));
        let Ok(SetAnswer::Refused(reasons)) = refused else {
            panic!("{refused:?}");
        };
        let slugs: Vec<_> = reasons.iter().map(OwnReason::slug).collect();
        assert_eq!(slugs, ["reused", "a_b"]);
    }

    #[test]
    fn an_outcome_of_another_form_is_malformed() {
        let refused = |reasons: Value| json!({ "outcome": "refused", "reasons": reasons });
        for (answer, why) in [
            (json!({}), "no outcome"),
            (json!({ "outcome": "Done", "user": ann() }), "another word"),
            (json!({ "outcome": true }), "no text"),
            (json!({ "outcome": "done" }), "no user"),
            (json!({ "outcome": "done", "user": null }), "null"),
            (
                json!({ "outcome": "done", "user": ann_with("id", json!("8")) }),
                "another user",
            ),
            (
                json!({ "outcome": "done", "user": ann_with("email", json!("bob@example.com")) }),
                "another address",
            ),
            (json!({ "outcome": "refused" }), "no reasons"),
            (refused(json!([])), "an empty list"),
            (refused(json!("reused")), "no list"),
            (refused(json!([1])), "no texts"),
            (refused(json!(["Reused"])), "capitals"),
            (refused(json!(["a-b"])), "a hyphen"),
            (refused(json!([""])), "an empty reason"),
            (refused(json!(["a".repeat(65)])), "a long reason"),
            (refused(json!(vec!["a"; 17])), "many reasons"),
        ] {
            assert!(set_answer(&answer).is_err(), "{why}");
        }
    }

    #[test]
    fn a_proven_mailbox_has_a_version_or_has_changed() {
        let done = proven(br#"{"outcome": "done", "credentialsVersion": "v2"}"#);
        assert!(matches!(done, Ok(ProvenAnswer::Done(version)) if version.to_string() == "v2"));
        assert!(matches!(
            proven(br#"{"outcome": "changed"}"#),
            Ok(ProvenAnswer::Changed)
        ));
        for answer in [
            &br#"{"outcome": "done"}"#[..],
            br#"{"outcome": "done", "credentialsVersion": 2}"#,
            br#"{"outcome": "refused", "reasons": ["a"]}"#,
            br#"{"outcome": "blocked"}"#,
            b"{}",
        ] {
            assert!(proven(answer).is_err());
        }
    }
}
