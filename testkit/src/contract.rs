//! The contract's error tables, and what the envelope of every answer has to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regain::api::Protocol;
use serde_json::{Map, Value, json};

use crate::openapi;

/// The fields of a user in the answers of the Directory API.
pub const USER_KEYS: [&str; 12] = [
    "address",
    "email",
    "id",
    "identities",
    "isEmailValidate",
    "isProfileComplete",
    "isTemporary",
    "meta",
    "phone",
    "profile",
    "roles",
    "status",
];

/// The two error tables, `directory` and `auth_v1`, and the `reasons` for which a password is refused. A row has the
/// `statuses` of an error, the `message` where it is always the same, and `retryAfter`, which says whether
/// `Retry-After` comes with it: `always`, `sometimes` (where waiting helps), or never if it is missing.
pub static ERRORS: LazyLock<Value> = LazyLock::new(|| {
    let mut tables = BTreeMap::<&str, BTreeMap<&str, BTreeSet<u16>>>::new();
    for (path, operation) in openapi::operations() {
        let table = tables.entry(table_name(path)).or_default();
        for (status, code) in openapi::errors(operation) {
            table.entry(code).or_default().insert(status);
        }
    }
    let mut all: Map<_, _> = tables
        .into_iter()
        .map(|(name, rows)| (name.to_owned(), rows.into_iter().map(row).collect()))
        .collect();
    let reasons = openapi::DOCUMENT["components"]["schemas"]["Reason"]["oneOf"]
        .as_array()
        .unwrap();
    all.insert(
        "reasons".to_owned(),
        reasons.iter().map(|it| it["const"].clone()).collect(),
    );
    all.into()
});

/// The rows of a protocol's error table, by their codes.
pub fn table(protocol: Protocol) -> &'static Value {
    match protocol {
        Protocol::Directory => &ERRORS["directory"],
        Protocol::AuthV1 => &ERRORS["auth_v1"],
    }
}

/// The data of an answer that went well, after its envelope was compared with the contract.
#[track_caller]
pub fn data(protocol: Protocol, status: u16, body: &Value) -> &Value {
    assert_eq!(status, 200, "{body}");
    match protocol {
        Protocol::Directory => {
            assert_eq!(keys(body), ["data", "isSuccess"], "{body}");
            assert_eq!(body["isSuccess"], true);
        }
        Protocol::AuthV1 => {
            assert_eq!(keys(body), ["data", "message", "status_code"], "{body}");
            assert_eq!(body["status_code"], 200);
            assert!(is_text(&body["message"]), "{body}");
            assert!(is_text(&body["data"]), "{body}");
        }
    }
    &body["data"]
}

/// The code of an error, after its whole answer was compared with its row of the table. `retry_after` says
/// how long to wait, where the answer says so.
#[track_caller]
pub fn error(protocol: Protocol, status: u16, retry_after: Option<u64>, body: &Value) -> String {
    let code = body["error"].as_str();
    let code = code.unwrap_or_else(|| panic!("no error: {body}"));
    let row = &table(protocol)[code];
    let statuses = row["statuses"].as_array();
    let statuses = statuses.unwrap_or_else(|| panic!("no such code: {body}"));
    assert!(statuses.contains(&status.into()), "{status}: {body}");
    let mut expected = match protocol {
        Protocol::Directory => json!({
            "error": code, "isSuccess": false, "code": code, "message": row["message"],
        }),
        Protocol::AuthV1 => {
            assert!(is_text(&body["message"]), "{body}");
            json!({
                "error": code, "data": null, "status_code": status, "message": body["message"],
            })
        }
    };
    for (key, codes) in [
        ("field", ["DI_USR_INV", "invalid_request"]),
        ("reasons", ["DI_USP_PINV", "password_rejected"]),
    ] {
        if codes.contains(&code) {
            assert!(!body[key].is_null(), "{key} is missing: {body}");
            expected[key] = body[key].clone();
        }
    }
    assert_eq!(*body, expected, "the exact envelope");
    let known = ERRORS["reasons"].as_array().unwrap();
    let reasons = body["reasons"].as_array();
    let reasons = reasons.map(Vec::as_slice).unwrap_or_default();
    assert!(reasons.iter().all(|it| known.contains(it)), "{body}");
    assert_eq!(!reasons.is_empty(), status == 422, "{body}");
    match row["retryAfter"].as_str() {
        Some("always") => assert!(retry_after.is_some_and(|seconds| seconds > 0), "{body}"),
        Some("sometimes") => {}
        _ => assert_eq!(retry_after, None, "{body}"),
    }
    code.to_owned()
}

/// The keys of an object, in order.
pub fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap();
    let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// A row of an error table.
fn row((code, statuses): (&str, BTreeSet<u16>)) -> (String, Value) {
    let schema = &openapi::DOCUMENT["components"]["schemas"][code];
    let mut row = json!({ "statuses": statuses });
    for (key, value) in [
        ("message", &schema["properties"]["message"]["const"]),
        ("retryAfter", &schema["x-retry-after"]),
    ] {
        if !value.is_null() {
            row[key] = value.clone();
        }
    }
    (code.to_owned(), row)
}

/// The error table of a path's API.
fn table_name(path: &str) -> &'static str {
    if path.starts_with("/directory/") {
        "directory"
    } else {
        "auth_v1"
    }
}
