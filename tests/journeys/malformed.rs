//! Malformed requests, and how every endpoint answers them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stacks;
use testkit::answer::Answer;
use testkit::client::{Api, FORGOT, PATHS, RESEND, RESEND_OTP, RESET, SET_PASSWORD, VERIFY};
use testkit::openapi;
use testkit::people::new_address;

const LARGEST: usize = 16 * 1024;

/// The error that says that a request cannot be read.
fn invalid(answer: &Answer, status: u16, field: &str) {
    let directory = answer.path.starts_with("/directory/");
    answer.refused(if directory {
        "DI_USR_INV"
    } else {
        "invalid_request"
    });
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.body()["field"], field, "{answer:?}");
}

#[tokio::test]
async fn other_methods_are_refused_in_the_envelope_with_allow() {
    let api = Api::of(stacks::open());
    for path in PATHS {
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
            for (content_type, body) in [("application/json", "{}"), ("", "")] {
                let answer = api.send(method.clone(), path, content_type, body).await;
                invalid(&answer, 405, "method");
                assert_eq!(answer.header("allow"), Some("POST"));
            }
        }
        let head = api.send(Method::HEAD, path, "", "").await;
        assert_eq!(
            (head.status, head.header("allow"), &*head.text),
            (405, Some("POST"), "")
        );
    }
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let api = Api::of(stacks::open());
    for path in PATHS {
        for content_type in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "application/json5",
            "application/problem+json",
            "text/json",
            "application/ json",
            "; application/json",
            "application/json, text/plain",
        ] {
            let answer = api.send(Method::POST, path, content_type, "{}").await;
            invalid(&answer, 415, "content-type");
        }
    }
}

#[tokio::test]
async fn every_spelling_of_the_json_media_type_is_accepted() {
    let api = Api::of(stacks::open());
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/json ; charset=\"utf-8\"",
        "application/json,application/json",
        "application/json; charset=utf-8, application/json",
    ] {
        let body = json!({"email": new_address()}).to_string();
        api.send(Method::POST, FORGOT, content_type, body)
            .await
            .word();
    }
}

/// A body of exactly that many bytes, with an address and padding.
fn padded(length: usize, email: &str) -> String {
    let unpadded = json!({"email": email, "padding": ""}).to_string();
    json!({"email": email, "padding": "x".repeat(length - unpadded.len())}).to_string()
}

#[tokio::test]
async fn a_body_may_have_16_kib_and_not_a_byte_more() {
    let api = Api::of(stacks::open());
    for path in [RESEND, FORGOT] {
        let body = padded(LARGEST, &new_address());
        assert_eq!(body.len(), LARGEST);
        api.post_bytes(path, body).await.data();
        invalid(
            &api.post_bytes(path, padded(LARGEST + 1, &new_address()))
                .await,
            413,
            "body",
        );
    }
    for path in PATHS {
        for length in [LARGEST + 1, 100_000, 5_000_000] {
            invalid(&api.post_bytes(path, "x".repeat(length)).await, 413, "body");
        }
        // Two bytes a character: it is bytes that count, also where they are no text.
        invalid(
            &api.post_bytes(path, "é".repeat(LARGEST / 2 + 1)).await,
            413,
            "body",
        );
        invalid(
            &api.post_bytes(path, vec![0xff; LARGEST + 1]).await,
            413,
            "body",
        );
        invalid(
            &api.post_bytes(path, vec![0xff; LARGEST]).await,
            400,
            "body",
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused_as_a_whole() {
    let api = Api::of(stacks::open());
    let nested = |open: &str, close: &str, depth| open.repeat(depth) + &close.repeat(depth);
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b" ".to_vec(),
        b"null".to_vec(),
        b"true".to_vec(),
        b"0".to_vec(),
        b"\"email\"".to_vec(),
        b"[]".to_vec(),
        b"[{\"email\":\"a@example.com\"}]".to_vec(),
        b"{".to_vec(),
        b"{\"email\"".to_vec(),
        b"{\"email\":}".to_vec(),
        b"{\"email\":\"a@example.com\"".to_vec(),
        b"{\"email\":\"a@example.com\",}".to_vec(),
        b"{\"email\":\"a@example.com\"} {}".to_vec(),
        b"{\"email\":\"a@example.com\"}x".to_vec(),
        b"{email:\"a@example.com\"}".to_vec(),
        b"{'email':'a@example.com'}".to_vec(),
        b"{\"email\":\"a@example.com\"/**/}".to_vec(),
        b"{\"email\":undefined}".to_vec(),
        b"{\"email\":NaN}".to_vec(),
        b"{\"email\":-Infinity}".to_vec(),
        b"{\"email\":01}".to_vec(),
        b"{\"email\":+1}".to_vec(),
        b"{\"email\":.5}".to_vec(),
        b"{\"email\":0x10}".to_vec(),
        b"{\"email\":\"tab\tinside\"}".to_vec(),
        b"{\"email\":\"nul\0inside\"}".to_vec(),
        b"{\"email\":\"\\x41\"}".to_vec(),
        b"{\"email\":\"\\u12\"}".to_vec(),
        b"{\"email\":\"\xff\xfe\"}".to_vec(),
        b"{\"email\":\"\xc0\xaf\"}".to_vec(),
        b"{\"email\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"email\":\"\xf8\x88\x80\x80\x80\"}".to_vec(),
        b"\xff\xfe{\0}\0".to_vec(),
        b"email=a%40example.com".to_vec(),
        b"<email>a@example.com</email>".to_vec(),
        b"\0\0\0\0".to_vec(),
        nested("[", "]", 8000).into_bytes(),
        nested("{\"a\":", "}", 2500).into_bytes(),
        "{\"a\":".repeat(2000).into_bytes(),
        b"\xef\xbb\xbf".to_vec(),
        b"\xef\xbb\xbf\xef\xbb\xbf{}".to_vec(),
        b"{\"x\":\"\xff\"}".to_vec(),
        b"{\"x\":[1,]}".to_vec(),
        format!("{{\"x\":{}}}", nested("[", "]", 5000) + "]").into_bytes(),
    ];
    assert!(bodies.len() >= 40);
    for path in PATHS {
        for body in &bodies {
            invalid(&api.post_bytes(path, body.clone()).await, 400, "body");
        }
    }
}

#[tokio::test]
async fn unknown_fields_of_any_json_type_are_ignored() {
    let api = Api::of(stacks::open());
    let nested = |open: &str, close: &str, depth| open.repeat(depth) + "0" + &close.repeat(depth);
    for (before, member) in [
        ("", r#""x":1e400"#),
        ("", r#""x":-0.0e-99999"#),
        ("", r#""x":"\ud83d""#),
        ("", r#""\udf00":{"\ud83d":["\ud83d"]}"#),
        ("", r#""email ":true"#),
        ("\u{feff}", r#""x":null"#),
        ("\u{feff} \r\n\t", r#""x":{}"#),
        ("", &format!(r#""x":{}"#, nested("[", "]", 127))),
        ("", &format!(r#""x":{}"#, nested("[", "]", 8000))),
        ("", &format!(r#""x":{}"#, nested(r#"{"":"#, "}", 3000))),
    ] {
        let email = new_address();
        for path in [RESEND, FORGOT] {
            let body = format!(r#"{before}{{"email":"{email}",{member}}}"#);
            api.post_bytes(path, body).await.data();
        }
        for path in [SET_PASSWORD, VERIFY, RESEND_OTP, RESET] {
            let body = format!(
                r#"{before}{{"id":"1","session":{{"id":"1",{member}}},"session_id":"1","otp":"123456"}}"#
            );
            let answer = api.post_bytes(path, body).await;
            assert_ne!(answer.body()["field"], "body", "{member:.60}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_is_replaced_in_app_and_device_and_refused_elsewhere() {
    let api = Api::of(stacks::open());
    for (app, device) in [(r"web \ud83d", "Firefox"), ("web", r"Budi \udcf1\ud83d")] {
        let body = format!(
            r#"{{"email":"{}","app":"{app}","device":"{device}"}}"#,
            new_address()
        );
        api.post_bytes(RESEND, body).await.data();
    }
    for (path, body, field) in [
        (RESEND, r#"{"email":"\ud83d@example.com"}"#, "email"),
        (FORGOT, r#"{"email":"ann\udcf1@example.com"}"#, "email"),
        (SET_PASSWORD, r#"{"id":"1","session":"\ud83d"}"#, "session"),
        (
            SET_PASSWORD,
            r#"{"id":"1","session":{"id":"\ud83d"},"otp":"1"}"#,
            "session",
        ),
        (
            SET_PASSWORD,
            r#"{"id":"1","session":"1","otp":"12345\ud83d"}"#,
            "otp",
        ),
        (
            SET_PASSWORD,
            r#"{"id":"1","session":"1","password":"long enough \ud83d"}"#,
            "password",
        ),
        (VERIFY, r#"{"session_id":"1","otp":"\ud83d"}"#, "otp"),
        (RESEND_OTP, r#"{"session_id":"\ud83d"}"#, "session_id"),
        (RESET, r#"{"token":"\ud83d","password":"p"}"#, "token"),
        (RESET, r#"{"token":"1","password":"\ud83d"}"#, "password"),
    ] {
        api.post_bytes(path, body).await.malformed(field);
    }
    let ignored = r#"{"session_id":"1","otp":"\ud83d"}"#;
    let answer = api.post_bytes(RESEND_OTP, ignored).await;
    answer.refused("session_not_found");
}

#[tokio::test]
async fn a_body_that_is_encoded_is_refused() {
    for path in PATHS {
        for coding in ["gzip", "br", "identity, gzip", "x-gzip"] {
            let api = Api::of(stacks::open()).with("content-encoding", coding);
            invalid(&api.post_bytes(path, "{}").await, 415, "content-type");
        }
    }
    for coding in ["identity", "Identity", "", "identity, identity"] {
        let api = Api::of(stacks::open()).with("content-encoding", coding);
        api.post(FORGOT, json!({"email": new_address()}))
            .await
            .word();
    }
}

/// Values of every kind but text.
fn no_text() -> Vec<Value> {
    vec![
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!([]),
        json!(["a@example.com"]),
        json!({}),
        json!({"id": 1}),
        json!({"id": null}),
        json!({"email": "a@example.com"}),
    ]
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named() {
    let api = Api::of(stacks::open());
    let id = uuid::Uuid::nil().to_string();
    let proper = [
        (
            RESEND,
            json!({"email": new_address()}),
            &["email", "purpose", "templateCode", "app", "device"][..],
        ),
        (
            SET_PASSWORD,
            json!({"id": "1", "session": id, "otp": "123456", "password": "a fine sentence"}),
            &["id", "session", "password"],
        ),
        (FORGOT, json!({"email": new_address()}), &["email"]),
        (
            VERIFY,
            json!({"session_id": id, "otp": "123456"}),
            &["session_id"],
        ),
        (RESEND_OTP, json!({"session_id": id}), &["session_id"]),
        (
            RESET,
            json!({"token": id, "password": "a fine sentence"}),
            &["token", "session_id", "password"],
        ),
    ];
    for (path, body, fields) in proper {
        let mut documented = openapi::fields(openapi::operation(path));
        documented.remove("otp");
        assert_eq!(
            fields.iter().copied().collect::<BTreeSet<_>>(),
            documented,
            "{path}"
        );
        for field in fields {
            for value in no_text() {
                let mut body = body.clone();
                body[*field] = value;
                api.post(path, body).await.malformed(field);
            }
        }
    }
    for (path, session) in [(SET_PASSWORD, "session"), (VERIFY, "session_id")] {
        for otp in [json!(true), json!(["123456"]), json!({"code": "123456"})] {
            api.post(path, json!({"id": "1", session: id, "otp": otp}))
                .await
                .malformed("otp");
        }
    }
}

#[tokio::test]
async fn a_required_field_that_is_missing_or_null_is_named() {
    let api = Api::of(stacks::open());
    let id = uuid::Uuid::nil().to_string();
    for (path, body, field) in [
        (RESEND, json!({}), "email"),
        (RESEND, json!({"email": null}), "email"),
        (RESEND, json!({"Email": "a@example.com"}), "email"),
        (SET_PASSWORD, json!({"session": id, "otp": "123456"}), "id"),
        (
            SET_PASSWORD,
            json!({"id": null, "session": id, "otp": "123456"}),
            "id",
        ),
        (SET_PASSWORD, json!({"id": "1", "otp": "123456"}), "session"),
        (
            SET_PASSWORD,
            json!({"id": "1", "session": null, "otp": "123456"}),
            "session",
        ),
        (
            SET_PASSWORD,
            json!({"id": "1", "session": {}, "otp": "123456"}),
            "session",
        ),
        (FORGOT, json!({"email": null}), "email"),
        (FORGOT, json!({"username": "a@example.com"}), "email"),
        (VERIFY, json!({"otp": "123456"}), "session_id"),
        (VERIFY, json!({"session_id": id}), "otp"),
        (VERIFY, json!({"session_id": id, "otp": null}), "otp"),
        (RESEND_OTP, json!({}), "session_id"),
        (
            RESEND_OTP,
            json!({"session_id": null, "otp": "123456"}),
            "session_id",
        ),
    ] {
        api.post(path, body).await.malformed(field);
    }
    for password in [json!(null), json!("")] {
        let body = json!({"token": id, "password": password});
        api.post(RESET, body).await.refused("password_required");
        let body = json!({"id": "1", "session": id, "password": password});
        api.post(SET_PASSWORD, body).await.refused("DI_USP_PRQ");
    }
    let body = json!({"id": "1", "session": id, "otp": "123456", "password": ""});
    api.post(SET_PASSWORD, body).await.refused("DI_USP_PRQ");
    api.post(RESET, json!({"token": id}))
        .await
        .refused("password_required");
}

#[tokio::test]
async fn no_refusal_repeats_what_was_sent() {
    let api = Api::of(stacks::open());
    let marker = "MARKER<script>alert(1)</script>";
    for path in PATHS {
        for body in [
            json!({"email": marker, "session_id": marker, "session": marker, "id": marker,
                "otp": marker, "token": marker, "password": marker}),
            json!({marker: marker, "email": [marker], "session_id": {marker: 1}, "session": [marker],
                "token": [marker]}),
            json!([marker]),
        ] {
            let answer = api.post(path, body).await;
            assert!(!answer.text.contains("MARKER"), "{answer:?}");
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
        let query = format!("{path}?MARKER=MARKER");
        let answer = api
            .clone()
            .with("x-request-id", "MARKER")
            .with("x-agent", "MARKER");
        let answer = answer.post(&query, json!({"otp": "MARKER"})).await;
        assert!(!answer.text.contains("MARKER"), "{answer:?}");
        assert!(
            !format!("{:?}", answer.headers).contains("MARKER"),
            "{answer:?}"
        );
    }
}
