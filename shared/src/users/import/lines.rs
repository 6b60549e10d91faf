//! Reads a file of users, and finds every line that cannot be a user.

use std::collections::{BTreeMap, HashMap};

use regain_password::{Address, Candidate, FirebaseScrypt, InvalidPasswordHash, Reason};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use thiserror::Error;
use zeroize::Zeroizing;

use super::super::{Status, StoredHash, User, unmailable};
use super::ImportRules;
use super::workers::Numbered;
use crate::ids::{UserId, UserIdFormat};
use crate::store::{NoItem, Number};

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

/// What a line says about the password.
#[derive(Debug)]
pub(super) enum Password {
    /// Nothing.
    Unsaid,
    /// It is to be hashed.
    Typed(Candidate),
    /// It is hashed.
    Hashed(StoredHash),
}

/// What else a line says.
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
        let password = password(&mut fields, rules.firebase.as_ref())?;
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

/// The fields of a line that are still to be read, each as it is written: what no user has may be any
/// JSON.
struct Fields<'a> {
    left: BTreeMap<String, &'a RawValue>,
    /// Whether a number has more digits than are kept.
    rounded: bool,
}

impl<'a> Fields<'a> {
    fn read(line: &'a str) -> Result<Self, String> {
        let left = serde_json::from_str(line).map_err(|error| {
            if error.is_data() {
                "not a user: no JSON object".to_owned()
            } else {
                format!("not a user: no JSON from column {} on", error.column())
            }
        })?;
        Ok(Self {
            left,
            rounded: false,
        })
    }

    /// Takes a field out; `null` is as good as absent.
    fn take<T: DeserializeOwned>(&mut self, name: &str, what: &str) -> Result<Option<T>, String> {
        match self.left.remove(name).map(RawValue::get) {
            None | Some("null") => Ok(None),
            Some(value) => serde_json::from_str(value)
                .map(Some)
                .map_err(|_| format!("\"{name}\" must be {what}")),
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.take(name, "a text")
    }

    /// Takes a field out that may hold numbers, which are checked as they are written: what is read
    /// of them is rounded.
    fn document<T: DeserializeOwned>(
        &mut self,
        name: &str,
        what: &str,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.left.get(name).map(|value| value.get()) else {
            return Ok(None);
        };
        for text in numbers(value) {
            let number = Number::parse(text);
            number
                .check()
                .map_err(|error| format!("\"{name}\" {error}"))?;
            self.rounded |= !is_kept(text, &number);
        }
        if depth(value) > JSON_DEPTH {
            return Err(format!("\"{name}\" {}", NoItem::Depth));
        }
        self.take(name, what)
    }
}

/// How deep the JSON of a field may be nested to be read at all; an item's values may be less deep.
const JSON_DEPTH: usize = 100;

/// What stands outside of texts in a valid JSON value, in pieces.
fn outside_of_texts(json: &str) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    let mut is_text = false;
    json.split(move |c: char| {
        if is_text && is_escaped {
            is_escaped = false;
            return false;
        }
        is_escaped = is_text && c == '\\';
        let is_quote = c == '"';
        is_text ^= is_quote;
        is_quote
    })
    .step_by(2)
}

/// The numbers in a valid JSON value, as they are written.
fn numbers(json: &str) -> impl Iterator<Item = &str> {
    let of_a_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    outside_of_texts(json)
        .flat_map(move |piece| piece.split(move |c| !of_a_number(c)))
        // `e` stands in `true` and `false`, too.
        .filter(|piece| piece.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
}

/// How deep a valid JSON value is nested.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in outside_of_texts(json).flat_map(str::chars) {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether a number is read without loss.
fn is_kept(text: &str, number: &Number) -> bool {
    let read = serde_json::from_str::<serde_json::Number>(text);
    read.is_ok_and(|read| Number::parse(&read.to_string()) == *number)
}

fn password(
    fields: &mut Fields<'_>,
    firebase: Option<&FirebaseScrypt>,
) -> Result<Password, String> {
    let typed = fields.text("password")?.map(Zeroizing::new);
    let hash = fields.text("passwordHash")?;
    let salt = fields.text("passwordSalt")?;
    let read = match (typed, hash, salt) {
        (None, None, None) => return Ok(Password::Unsaid),
        (Some(_), Some(_), _) => {
            return Err("\"password\" and \"passwordHash\" are both given".to_owned());
        }
        (_, None, Some(_)) => return Err("\"passwordSalt\" has no \"passwordHash\"".to_owned()),
        (Some(typed), None, None) if typed.is_empty() => {
            return Err("\"password\" is empty".to_owned());
        }
        (Some(typed), None, None) => return Ok(Password::Typed(Candidate::new(typed))),
        (None, Some(hash), None) => StoredHash::parse(&hash).map_err(|error| (hash, error)),
        (None, Some(hash), Some(salt)) => {
            let firebase = firebase.ok_or(
                "\"passwordSalt\" needs the hash parameters of the Firebase project that the hash \
                 is from",
            )?;
            let read = firebase.hash(&hash, &salt).map(StoredHash::from);
            read.map_err(|error| (hash, error))
        }
    };
    read.map(Password::Hashed).map_err(|(hash, error)| {
        let what = match (error, other_kind(&hash)) {
            (InvalidPasswordHash::Form, Some(kind)) => format!("made with {kind}"),
            (error, _) => error.to_string(),
        };
        format!(
            "\"passwordHash\" is {what}, which cannot be taken over: leave it out, and the person sets \
             a new password by a recovery"
        )
    })
}

/// The kind of a hash that cannot be verified, by how such hashes begin.
fn other_kind(hash: &str) -> Option<&'static str> {
    const BEGINNINGS: [(&str, &str); 12] = [
        ("$1$", "MD5 crypt"),
        ("$2$", "an obsolete bcrypt"),
        ("$2x$", "a faulty bcrypt"),
        ("$5$", "SHA-256 crypt"),
        ("$6$", "SHA-512 crypt"),
        ("$7$", "scrypt crypt"),
        ("$y$", "yescrypt"),
        ("md5$", "MD5"),
        ("{noop}", "no hash function"),
        ("{ldap}", "an LDAP hash"),
        ("{md5}", "MD5"),
        ("{sha", "SHA"),
    ];
    let hash = hash.trim_start().to_ascii_lowercase();
    let known = BEGINNINGS
        .iter()
        .find(|(beginning, _)| hash.starts_with(beginning));
    known.map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn rules() -> ImportRules {
        ImportRules::of(&Settings::read(&|_| None).unwrap())
    }

    fn bad(jsonl: &str) -> Vec<String> {
        let read = UserLines::read(jsonl, &rules());
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
    fn a_hash_that_cannot_be_verified_is_refused_with_the_way_on_and_not_repeated() {
        for (hash, what) in [
            (
                "$2x$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
                "made with a faulty bcrypt",
            ),
            (
                "$2b$17$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
                "a password hash that costs more than a verification may",
            ),
            ("$6$salt$hash", "made with SHA-512 crypt"),
            ("{noop}password", "made with no hash function"),
            (
                "scrypt:32768:8:1$salt$ab12",
                "not a password hash of a known kind",
            ),
            (
                "5f4dcc3b5aa765d61d8327deb882cf99",
                "not a password hash of a known kind",
            ),
        ] {
            let line = serde_json::json!({ "email": "ann@example.com", "passwordHash": hash });
            assert_eq!(
                bad(&line.to_string()),
                [format!(
                    "line 1: \"passwordHash\" is {what}, which cannot be taken over: leave it out, \
                     and the person sets a new password by a recovery"
                )]
            );
        }
    }

    #[test]
    fn a_salt_comes_with_a_hash_of_firebase_and_nothing_else() {
        for (fields, reason) in [
            (
                r#""passwordHash": "aGFzaA==", "passwordSalt": "c2FsdA==""#,
                "\"passwordSalt\" needs the hash parameters of the Firebase project that the hash \
                 is from",
            ),
            (
                r#""passwordSalt": "c2FsdA==""#,
                "\"passwordSalt\" has no \"passwordHash\"",
            ),
            (
                r#""password": "brass kettle", "passwordSalt": "c2FsdA==""#,
                "\"passwordSalt\" has no \"passwordHash\"",
            ),
        ] {
            let line = format!("{{\"email\": \"ann@example.com\", {fields}}}");
            assert_eq!(bad(&line), [format!("line 1: {reason}")]);
        }
    }

    #[test]
    fn fields_that_no_user_has_are_counted_and_null_is_absent() {
        let jsonl = "{\"email\": \"a@example.com\", \"pasword\": \"x\", \"phone\": null}\n\
                     {\"email\": \"b@example.com\", \"pasword\": \"y\"}";
        let read = UserLines::read(jsonl, &rules());
        assert_eq!(read.lines.len(), 2);
        assert_eq!(read.unknown, BTreeMap::from([("pasword".to_owned(), 2)]));
    }

    #[test]
    fn what_no_user_has_may_be_any_json() {
        let jsonl = format!(
            "{{\"email\": \"a@example.com\", \"x\": 1e400, \"y\": {}{}, \"z\": \"\\ud83d\"}}",
            "[".repeat(1000),
            "]".repeat(1000)
        );
        let read = UserLines::read(&jsonl, &rules());
        assert_eq!((read.lines.len(), read.bad.len()), (1, 0));
        assert_eq!(read.unknown.len(), 3);
    }

    #[test]
    fn a_number_is_judged_as_it_is_written() {
        let beyond = "line 1: \"meta\" has a number beyond the range that DynamoDB takes (1e-130 to \
                      9.99e125)";
        let digits =
            "line 1: \"meta\" has a number of more than 38 digits, which DynamoDB does not take";
        let long = "7".repeat(39);
        for (number, reason) in [
            ("1e300", Some(beyond)),
            ("-1E+400", Some(beyond)),
            ("1e-200", Some(beyond)),
            (long.as_str(), Some(digits)),
            (&long[1..], None),
            ("1e125", None),
            ("true", None),
        ] {
            for meta in [
                format!(r#"{{"n": {number}}}"#),
                format!(r#"{{"a \\\" 1e999": [0, {{"b": [{number}]}}]}}"#),
            ] {
                let line = format!(r#"{{"email": "a@example.com", "meta": {meta}}}"#);
                assert_eq!(bad(&line), Vec::from_iter(reason), "{line}");
            }
        }
    }

    #[test]
    fn lines_are_counted_whose_numbers_are_rounded() {
        for (number, rounded) in [
            ("9007199254740993", 0),
            ("18446744073709551615", 0),
            ("0.1", 0),
            ("1.50", 0),
            ("1e20", 0),
            ("18446744073709551617", 1),
            ("0.12345678901234567890", 1),
        ] {
            let line = format!(
                r#"{{"email": "a@example.com", "meta": {{"n": {number}, "m": {number}}}}}"#
            );
            assert_eq!(
                UserLines::read(&line, &rules()).rounded,
                rounded,
                "{number}"
            );
        }
    }

    #[test]
    fn nesting_that_cannot_even_be_read_is_told_as_too_deep() {
        for levels in [101, 1000] {
            let line = format!(
                r#"{{"email": "a@example.com", "roles": {}{}}}"#,
                "[".repeat(levels),
                "]".repeat(levels)
            );
            assert_eq!(
                bad(&line),
                ["line 1: \"roles\" is nested deeper than 32 levels, which DynamoDB does not take"]
            );
        }
    }

    #[test]
    fn a_password_is_judged_as_if_the_person_had_typed_it() {
        for (password, reasons) in [
            ("short", "too_short"),
            ("password", "too_common"),
            ("annabella7", "contains_address"),
        ] {
            let line =
                serde_json::json!({ "email": "annabella@example.com", "password": password });
            assert_eq!(
                bad(&line.to_string()),
                [format!(
                    "line 1: \"password\" is refused by the password policy: {reasons}"
                )]
            );
        }
    }

    #[test]
    fn an_address_is_kept_without_what_is_invisible_around_it() {
        let line = "{\"email\": \"\u{200b} Ann@example.com\u{feff}\"}";
        let read = UserLines::read(line, &rules());
        assert_eq!(read.lines[0].said.email, "Ann@example.com");
    }

    #[test]
    fn an_address_that_ses_does_not_take_is_refused() {
        let bad = bad(r#"{"email": "rené@example.com"}"#);
        assert_eq!(
            bad,
            [
                "line 1: \"email\" has other characters than ASCII before the @, and SES mails to no \
                 such address"
            ]
        );
    }
}
