//! The fields of a JSON body.
//!
//! A body is first split into names and raw values. Only the fields that an endpoint reads are decoded. All
//! others only have to follow the grammar of RFC 8259, so they may hold a number too large for a double,
//! half of a surrogate pair, or very deep nesting: `serde_json` skips raw values without recursion.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use regain_password::Address;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Malformed;
use crate::code::{Code, CodeLength};
use crate::recovery::CodeGuess;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The fields of a JSON object, as raw values. If a name is there twice, the last value counts. `null` counts
/// as absent.
pub(super) struct Fields<'a>(BTreeMap<Octets, &'a RawValue>);

impl<'a> Fields<'a> {
    /// Reads a body. JSON is UTF-8 (RFC 8259, 8.1), so any other body is not JSON, whichever field is at fault.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        std::str::from_utf8(body)
            .ok()
            .and_then(Self::of_object)
            .ok_or(Malformed::field("body"))
    }

    fn of_object(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let value = self.0.remove(name.as_bytes())?.get();
        (value != "null").then_some(value)
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Malformed> {
        self.take(name)
            .map(|value| text(value).ok_or(Malformed::field(name)))
            .transpose()
    }

    pub(super) fn required(&mut self, name: &'static str) -> Result<String, Malformed> {
        self.text(name)?.ok_or(Malformed::field(name))
    }

    /// A text, given directly or as the `id` of an object.
    pub(super) fn id(&mut self, name: &'static str) -> Result<Option<String>, Malformed> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let id = match Self::of_object(value) {
            Some(mut object) => object.take("id").and_then(text),
            None => text(value),
        };
        id.map(Some).ok_or(Malformed::field(name))
    }

    /// A text of at most `max` characters that is only stored. Half of a surrogate pair becomes U+FFFD.
    pub(super) fn short(
        &mut self,
        name: &'static str,
        max: usize,
    ) -> Result<Option<String>, Malformed> {
        self.take(name)
            .map(|value| {
                lossy_text(value)
                    .filter(|text| text.chars().count() <= max)
                    .ok_or(Malformed::field(name))
            })
            .transpose()
    }

    pub(super) fn address(&mut self, name: &'static str) -> Result<Address, Malformed> {
        Address::parse(&self.required(name)?).map_err(|_| Malformed::field(name))
    }

    /// A code, as text or as a number without its leading zeros. Any text and any integer is a guess. Any other
    /// number is an error.
    pub(super) fn code(
        &mut self,
        name: &'static str,
        length: CodeLength,
    ) -> Result<Option<CodeGuess>, Malformed> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let code = if is_number(value) {
            Code::from_number(value, length).map_err(|_| Malformed::field(name))?
        } else {
            let typed = Zeroizing::new(text(value).ok_or(Malformed::field(name))?);
            Code::parse(&typed, length)
        };
        Ok(Some(code.map_or(CodeGuess::Malformed, CodeGuess::Code)))
    }

    pub(super) fn password(&mut self) -> Result<Option<Zeroizing<String>>, Malformed> {
        Ok(self.text("password")?.map(Zeroizing::new))
    }
}

/// Whether a raw value is a number.
fn is_number(value: &str) -> bool {
    value.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// The text of a raw value, if it is one and holds no half of a surrogate pair.
fn text(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

/// The text of a raw value, with U+FFFD for each half of a surrogate pair.
fn lossy_text(value: &str) -> Option<String> {
    let Octets(octets) = serde_json::from_str(value).ok()?;
    let mut text = String::new();
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        // Half of a pair has three octets. Each is a chunk of its own, and the first is 0xED.
        if chunk.invalid() == [0xED] {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Some(text)
}

/// A JSON string as octets: UTF-8, except for halves of surrogate pairs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Octets(Vec<u8>);

impl Borrow<[u8]> for Octets {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Raw first, because `serde_json` accepts control characters in a string that it reads as bytes.
        let string: &RawValue = Deserialize::deserialize(deserializer)?;
        serde_json::Deserializer::from_str(string.get())
            .deserialize_bytes(OctetsVisitor)
            .map_err(Error::custom)
    }
}

struct OctetsVisitor;

impl Visitor<'_> for OctetsVisitor {
    type Value = Octets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, octets: &[u8]) -> Result<Octets, E> {
        Ok(Octets(octets.to_vec()))
    }
}
