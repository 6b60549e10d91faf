//! Reads `openapi.yaml`: the API's operations, their fields and their errors.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

/// The document.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_yaml_ng::from_str(include_str!("../../openapi.yaml")).unwrap());

/// The operations of the two APIs, each a `POST`, by their paths.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static Value)> {
    members(&DOCUMENT["paths"]).filter_map(|(path, item)| Some((path, item.get("post")?)))
}

/// The recovery page and its files, each a `GET`, by their paths.
pub fn pages() -> impl Iterator<Item = (&'static str, &'static Value)> {
    members(&DOCUMENT["paths"]).filter_map(|(path, item)| Some((path, item.get("get")?)))
}

/// The operation of a path.
pub fn operation(path: &str) -> &'static Value {
    let (_, operation) = operations().find(|(it, _)| *it == path).unwrap();
    operation
}

/// The names of the fields that an operation reads.
pub fn fields(operation: &'static Value) -> BTreeSet<&'static str> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    members(&schema["properties"])
        .map(|(name, _)| name)
        .collect()
}

/// The answers of an operation by their statuses.
pub fn responses(operation: &'static Value) -> impl Iterator<Item = (u16, &'static Value)> {
    members(&operation["responses"])
        .map(|(status, answer)| (status.parse().unwrap(), resolved(answer)))
}

/// The errors of an operation: each status, and the codes that may come with it.
pub fn errors(operation: &'static Value) -> BTreeSet<(u16, &'static str)> {
    let answers = responses(operation);
    answers
        .flat_map(|(status, answer)| {
            let schema = &answer["content"]["application/json"]["schema"];
            let choices = schema["oneOf"]
                .as_array()
                .map_or_else(|| vec![schema], |all| all.iter().collect());
            choices.into_iter().filter_map(move |schema| {
                let code = resolved(schema)["properties"]["error"]["const"].as_str()?;
                Some((status, code))
            })
        })
        .collect()
}

/// A part of the document, or the part that it refers to.
pub fn resolved(part: &'static Value) -> &'static Value {
    match part["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => part,
    }
}

/// The members of an object.
fn members(object: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    object
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value))
}
