//! The fields of a line, and the numbers and the depth of their JSON as it is written.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::store::{NoItem, Number};

/// The fields of a line that are still to be read, each as it is written: what no user has may be any
/// JSON.
pub(super) struct Fields<'a> {
    pub(super) left: BTreeMap<String, &'a RawValue>,
    /// Whether a number has more digits than are kept.
    pub(super) rounded: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn read(line: &'a str) -> Result<Self, String> {
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
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        name: &str,
        what: &str,
    ) -> Result<Option<T>, String> {
        match self.left.remove(name).map(RawValue::get) {
            None | Some("null") => Ok(None),
            Some(value) => serde_json::from_str(value).map(Some).map_err(|error| {
                // The value is JSON, and its numbers and its depth are checked. Only its texts may still be none.
                if error.is_syntax() && value.starts_with(['"', '{', '[']) {
                    format!("\"{name}\" has half of a surrogate pair, which is no character")
                } else {
                    format!("\"{name}\" must be {what}")
                }
            }),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.take(name, "a text")
    }

    /// Takes a field out that may hold numbers, which are checked as they are written: what is read
    /// of them is rounded.
    pub(super) fn document<T: DeserializeOwned>(
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

/// The parts of a valid JSON value that are outside of its texts.
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
