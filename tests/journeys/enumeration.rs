//! No enumeration: until a code is proven, every endpoint answers known and unknown addresses with
//! the same status, headers and body shape.

use regain::store::{Store, Suppression};
use regain_password::Address;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::stacks;
use testkit::answer::Answer;
use testkit::client::{Mobile, SET_PASSWORD, VERIFY, Web};
use testkit::people::{Person, new_address};
use testkit::stack::Stack;
use testkit::table::Table;

const PASSWORD: &str = "brass kettle on the moon";
/// A code that is right once in a million times, and then the answer says so.
const WRONG: &str = "271828";

/// An address of each kind, in the same length.
async fn anybodys(stack: &Stack) -> Vec<(&'static str, String)> {
    let blocked = Person::with(stack, json!({"status": "blocked"})).await;
    let suppressed = Person::of(stack).await;
    let table = Table::of(stack);
    let store = Store::new(table.client, table.name);
    let address = Address::parse(&suppressed.email).unwrap();
    let now = regain::ambient::now();
    store
        .suppress(&address, Suppression::Complained, now, now)
        .await
        .unwrap();
    vec![
        ("nobody's", new_address()),
        ("a user's", Person::of(stack).await.email),
        ("a blocked user's", blocked.email),
        ("a suppressed user's", suppressed.email),
    ]
}

/// An answer without what is drawn anew or read off the clock.
fn shape(mode: &'static str, answer: &Answer) -> (&'static str, u16, Vec<String>, Value) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| {
            let value = match name.as_str() {
                "apigw-requestid" | "date" | "retry-after" | "x-request-id" => "[drawn]",
                _ => value.to_str().unwrap(),
            };
            format!("{name}: {value}")
        })
        .collect();
    headers.sort();
    let mut body = answer.body();
    redact(&mut body);
    (mode, answer.status, headers, body)
}

fn redact(value: &mut Value) {
    match value {
        Value::String(text) => {
            let is_object_id = text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit());
            let kind = if Uuid::try_parse(text).is_ok() {
                "[uuid]"
            } else if OffsetDateTime::parse(text, &Rfc3339).is_ok() {
                "[time]"
            } else if is_object_id {
                "[objectid]"
            } else {
                return;
            };
            kind.clone_into(text);
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn auth_v1_answers_known_and_unknown_addresses_alike() {
    let stack = stacks::open();
    let mobile = Mobile::of(stack);
    let mut all = Vec::new();
    for (whose, email) in anybodys(stack).await {
        let mut seen = Vec::new();
        let begun = mobile.forgot(&email).await;
        let session = begun.word();
        seen.push(shape("a request", &begun));
        seen.push(shape("a resend", &mobile.resend(&session).await));
        let malformed = json!({"session_id": session, "otp": "12"});
        let answer = mobile.0.post(VERIFY, malformed).await;
        seen.push(shape("a malformed code", &answer));
        let answer = mobile.set_password(&session, PASSWORD).await;
        seen.push(shape("a password without a proof", &answer));
        for _ in 0..6 {
            let answer = mobile.verify(&session, WRONG).await;
            seen.push(shape("a wrong code", &answer));
        }
        let answer = mobile.resend(&session).await;
        seen.push(shape("a resend when all guesses are spent", &answer));
        all.push((whose, seen));
    }
    assert_all_the_same(all);
}

#[tokio::test]
async fn the_directory_api_answers_known_and_unknown_addresses_alike() {
    for stack in [stacks::open(), stacks::aliases()] {
        the_directory_answers_alike(stack).await;
    }
}

async fn the_directory_answers_alike(stack: &Stack) {
    let web = Web::of(stack);
    let mut all = Vec::new();
    for (whose, email) in anybodys(stack).await {
        let mut seen = Vec::new();
        seen.push(shape("a request", &web.resend(&email).await));
        let begun = web.begin(&email).await;
        let answer = web.set_password(&begun, PASSWORD).await;
        seen.push(shape("a password without a proof", &answer));
        let answer = web.set_both(&begun, WRONG, "password1").await;
        seen.push(shape("a wrong code and a refused password", &answer));
        let answer = web.verify(&begun, "12").await;
        seen.push(shape("a malformed code", &answer));
        let neither = json!({"id": begun.id, "session": begun.session});
        let answer = web.0.post(SET_PASSWORD, neither).await;
        seen.push(shape("neither code nor password", &answer));
        let other =
            json!({"id": "60115a65c0c6974f894f9ea6", "session": begun.session, "otp": WRONG});
        let answer = web.0.post(SET_PASSWORD, other).await;
        seen.push(shape("another user's id", &answer));
        for _ in 0..3 {
            let answer = web.verify(&begun, WRONG).await;
            seen.push(shape("a wrong code", &answer));
        }
        for _ in 0..2 {
            let answer = web.set_both(&begun, WRONG, PASSWORD).await;
            seen.push(shape("a wrong code and a password", &answer));
        }
        let newest = json!({"id": begun.id, "otp": WRONG, "password": PASSWORD});
        for _ in 0..2 {
            let answer = web.0.post(SET_PASSWORD, newest.clone()).await;
            seen.push(shape(
                "a wrong code and a password without the session",
                &answer,
            ));
        }
        all.push((whose, seen));
    }
    assert_all_the_same(all);
}

fn assert_all_the_same<T: PartialEq + std::fmt::Debug>(all: Vec<(&str, Vec<T>)>) {
    let mut all = all.into_iter();
    let (_, expected) = all.next().unwrap();
    for (whose, seen) in all {
        for (expected, seen) in expected.iter().zip(&seen) {
            assert_eq!(seen, expected, "{whose}");
        }
        assert_eq!(seen.len(), expected.len());
    }
}
