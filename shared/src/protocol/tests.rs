use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::store::Throttled;

const LATER: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// Every way in which a call can fail. A new one does not compile until it is listed below.
fn failures() -> Vec<Failure> {
    let malformed = [
        (Kind::Request, "email"),
        (Kind::Method, "method"),
        (Kind::TooLarge, "body"),
        (Kind::MediaType, "content-type"),
        (Kind::PasswordMissing, "password"),
    ];
    let refused = [
        Refusal::Throttled {
            until: LATER,
            whom: Throttled {
                address: Some(LATER),
                caller: None,
            },
        },
        Refusal::NoSession,
        Refusal::SessionOver,
        Refusal::OtherUser,
        Refusal::GuessesSpent { until: None },
        Refusal::CodeExpired,
        Refusal::CodeWrong,
        Refusal::TokenUnknown,
        Refusal::Blocked,
        Refusal::PasswordRefused(vec![Reason::TooLong]),
        Refusal::Unavailable("".into()),
        Refusal::Broken("".into()),
    ];
    for (kind, _) in malformed {
        match kind {
            Kind::Request
            | Kind::Method
            | Kind::TooLarge
            | Kind::MediaType
            | Kind::PasswordMissing => {}
        }
    }
    for refusal in &refused {
        match refusal {
            Refusal::Throttled { .. }
            | Refusal::NoSession
            | Refusal::SessionOver
            | Refusal::OtherUser
            | Refusal::GuessesSpent { .. }
            | Refusal::CodeExpired
            | Refusal::CodeWrong
            | Refusal::TokenUnknown
            | Refusal::Blocked
            | Refusal::PasswordRefused(_)
            | Refusal::Unavailable(_)
            | Refusal::Broken(_) => {}
        }
    }
    let malformed = malformed.map(|(kind, field)| Malformed { kind, field }.into());
    malformed
        .into_iter()
        .chain(refused.map(Failure::from))
        .collect()
}

fn answered(failure: &Failure, protocol: Protocol, locale: Locale) -> (u16, Value) {
    let context = Context {
        protocol,
        locale,
        at: Timestamp::from_millis(0),
        request_id: "id".to_owned(),
    };
    let reply = failed(failure, &context);
    let body = serde_json::from_slice(reply.body()).unwrap();
    (reply.status().as_u16(), body)
}

#[test]
fn the_error_tables_are_those_of_the_contract() {
    let contract: Value =
        serde_json::from_str(include_str!("../../tests/contract/errors.json")).unwrap();
    for (protocol, table) in [
        (Protocol::Directory, "directory"),
        (Protocol::AuthV1, "auth_v1"),
    ] {
        let mut found = BTreeMap::<String, Value>::new();
        for failure in failures() {
            let (status, body) = answered(&failure, protocol, Locale::En);
            let code = body["error"].as_str().unwrap().to_owned();
            let row = found.entry(code).or_insert(json!({"statuses": []}));
            if protocol == Protocol::Directory {
                assert_eq!(body["code"], body["error"]);
                row["message"] = body["message"].clone();
            }
            let statuses = row["statuses"].as_array_mut().unwrap();
            if !statuses.contains(&status.into()) {
                statuses.push(status.into());
                statuses.sort_by_key(Value::as_u64);
            }
        }
        assert_eq!(json!(found), contract[table], "{table}");
    }
}
