//! A user's status, and which statuses may recover.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What `users block` writes.
pub(crate) const BLOCKED: &str = "blocked";

/// A user's status as stored. Other programs may write any type of value, and all of them can be read. Only
/// a text can be a status that may recover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// The user has none.
    #[default]
    Missing,
    /// A text, exactly as it is stored.
    Text(String),
    /// A value of another type, such as a number or a map.
    Other,
}

impl Status {
    /// The text as stored, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Missing | Self::Other => None,
        }
    }

    pub(super) fn is_no_text(&self) -> bool {
        self.text().is_none()
    }

    /// Whether this is `blocked`, in any spelling.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.text().is_some_and(|text| normalized(text) == BLOCKED)
    }

    /// The status as an operator reads it.
    #[must_use]
    pub fn described(&self) -> String {
        match self {
            Self::Missing => "no status".to_owned(),
            Self::Text(text) => format!("the status {text:?}"),
            Self::Other => "a status that is no text".to_owned(),
        }
    }
}

impl From<&str> for Status {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Only a text is written. A status of another type is never written back.
impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyStatus)
    }
}

/// Reads a status of any type.
struct AnyStatus;

impl<'de> Visitor<'de> for AnyStatus {
    type Value = Status;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Status, E> {
        Ok(Status::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Status, E> {
        Ok(Status::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Status, E> {
        Ok(Status::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Status, E> {
        Ok(Status::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Status, E> {
        Ok(Status::Other)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Status, E> {
        Ok(Status::Other)
    }

    fn visit_unit<E>(self) -> Result<Status, E> {
        Ok(Status::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Status, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Status::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Status, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Status::Other)
    }
}

/// The statuses whose users may set a new password by a recovery: `RECOVERABLE_STATUSES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverableStatuses(Vec<String>);

impl RecoverableStatuses {
    /// The longest list, in characters.
    pub const MAX_LENGTH: usize = 100;

    /// Reads a list with commas. `None` if an entry is empty, if the list is longer than
    /// [`Self::MAX_LENGTH`], or if it has other characters than ASCII letters, digits, spaces and `_.:-`. The
    /// template has the same rule.
    #[must_use]
    pub fn parse(list: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " _.:-,".contains(c);
        if list.len() > Self::MAX_LENGTH || !list.chars().all(allowed) {
            return None;
        }
        let statuses: Vec<String> = list.split(',').map(normalized).collect();
        let is_whole = !statuses.iter().any(String::is_empty);
        is_whole.then_some(Self(statuses))
    }

    /// Whether a user of this status may recover. Without a status, or with one that is not a text, a user may
    /// not.
    #[must_use]
    pub fn include(&self, status: &Status) -> bool {
        let text = status.text().map(normalized);
        text.is_some_and(|text| self.0.contains(&text))
    }

    /// Whether a user may recover who is blocked. Then `users block` and the link of a notice keep nobody out.
    #[must_use]
    pub fn include_blocked(&self) -> bool {
        self.include(&Status::from(BLOCKED))
    }

    /// The first status. A user who is unblocked and had no status before gets it.
    #[must_use]
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// The list as an operator reads it.
    #[must_use]
    pub fn described(&self) -> String {
        self.0.join(", ")
    }
}

/// Only `active` may recover.
impl Default for RecoverableStatuses {
    fn default() -> Self {
        Self(vec!["active".to_owned()])
    }
}

/// Statuses are compared without regard to case and outer space.
fn normalized(status: &str) -> String {
    status.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(status: &Value) -> Status {
        serde_json::from_value(status.clone()).unwrap()
    }

    #[test]
    fn only_a_listed_text_recovers_whatever_its_case_and_outer_space() {
        let statuses = RecoverableStatuses::parse(" Active ,PENDING review").unwrap();
        for (status, recovers) in [
            (json!("active"), true),
            (json!("ACTIVE"), true),
            (json!(" active\t"), true),
            (json!("pending review"), true),
            (json!("pending"), false),
            (json!("act ive"), false),
            (json!("blocked"), false),
            (json!("disabled"), false),
            (json!(""), false),
            (json!(" "), false),
            (json!(1), false),
            (json!(1.5), false),
            (json!(true), false),
            (json!(null), false),
            (json!(["active"]), false),
            (json!({"active": true}), false),
        ] {
            assert_eq!(statuses.include(&read(&status)), recovers, "{status}");
        }
        assert!(!statuses.include(&Status::Missing));
    }

    #[test]
    fn a_list_has_at_least_one_status_and_nothing_that_the_template_refuses() {
        let hundred = format!("{},b", "a".repeat(98));
        for (list, named) in [
            ("active", true),
            ("active,", false),
            (",active", false),
            (" a , b ", true),
            ("not-me_2.x:y", true),
            (hundred.as_str(), true),
            ("", false),
            (" , ", false),
            ("active\tpending", false),
            ("aktivní", false),
            ("active;pending", false),
            (&format!("{hundred}c"), false),
        ] {
            assert_eq!(
                RecoverableStatuses::parse(list).is_some(),
                named,
                "{list:?}"
            );
        }
    }

    #[test]
    fn blocked_is_blocked_in_any_spelling() {
        for (status, blocked) in [
            ("blocked", true),
            ("Blocked", true),
            ("BLOCKED ", true),
            ("unblocked", false),
            ("", false),
        ] {
            assert_eq!(Status::from(status).is_blocked(), blocked, "{status:?}");
        }
        assert!(!Status::Missing.is_blocked() && !Status::Other.is_blocked());
    }
}
