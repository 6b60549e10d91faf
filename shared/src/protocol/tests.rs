use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rand::SeedableRng as _;
use serde_json::{Value, json};
use testkit::contract::ERRORS;

use super::*;
use crate::code::CodeLength;
use crate::settings::DirectorySession;
use crate::store::Throttled;
use crate::user_store::OwnReason;

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
        RecoveryError::Throttled {
            until: LATER,
            whom: Throttled {
                address: Some(LATER),
                caller: None,
            },
        },
        RecoveryError::NoSession,
        RecoveryError::SessionOver,
        RecoveryError::OtherUser,
        RecoveryError::GuessesSpent { until: None },
        RecoveryError::GuessesSpent { until: Some(LATER) },
        RecoveryError::CodeExpired,
        RecoveryError::CodeWrong,
        RecoveryError::TokenUnknown,
        RecoveryError::Blocked,
        RecoveryError::PasswordRefused(vec![Reason::TooLong]),
        RecoveryError::PasswordRefusedElsewhere(OwnReason::parse("reused").into_iter().collect()),
        RecoveryError::Unavailable("".into()),
        RecoveryError::Broken("".into()),
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
            RecoveryError::Throttled { .. }
            | RecoveryError::NoSession
            | RecoveryError::SessionOver
            | RecoveryError::OtherUser
            | RecoveryError::GuessesSpent { .. }
            | RecoveryError::CodeExpired
            | RecoveryError::CodeWrong
            | RecoveryError::TokenUnknown
            | RecoveryError::Blocked
            | RecoveryError::PasswordRefused(_)
            | RecoveryError::PasswordRefusedElsewhere(_)
            | RecoveryError::Unavailable(_)
            | RecoveryError::Broken(_) => {}
        }
    }
    let malformed = malformed.map(|(kind, field)| Malformed { kind, field }.into());
    malformed
        .into_iter()
        .chain(refused.map(Failure::from))
        .collect()
}

fn answered(failure: &Failure, protocol: Protocol, locale: Locale) -> (u16, Value) {
    let (status, _, body) = answered_with_wait(failure, protocol, locale);
    (status, body)
}

/// The status, whether `Retry-After` comes with it, and the body.
fn answered_with_wait(failure: &Failure, protocol: Protocol, locale: Locale) -> (u16, bool, Value) {
    let context = ReplyContext {
        protocol,
        locale,
        at: Timestamp::from_millis(0),
        request_id: "id".to_owned(),
    };
    let reply = failed(failure, &context);
    let body = serde_json::from_slice(reply.body()).unwrap();
    let waits = reply.headers().contains_key(RETRY_AFTER);
    (reply.status().as_u16(), waits, body)
}

#[test]
fn the_error_tables_are_those_of_the_contract() {
    for (protocol, table) in [
        (Protocol::Directory, "directory"),
        (Protocol::AuthV1, "auth_v1"),
    ] {
        let mut found = BTreeMap::<String, Value>::new();
        for failure in failures() {
            let (status, waits, body) = answered_with_wait(&failure, protocol, Locale::En);
            let code = body["error"].as_str().unwrap().to_owned();
            let is_first = !found.contains_key(&code);
            let row = found.entry(code).or_insert(json!({"statuses": []}));
            if is_first && waits {
                row["retryAfter"] = "always".into();
            } else if !is_first && waits != (row["retryAfter"] == "always") {
                row["retryAfter"] = "sometimes".into();
            }
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
        assert_eq!(json!(found), ERRORS[table], "{table}");
    }
}

#[test]
fn the_reasons_for_which_a_password_is_refused_are_those_of_the_contract() {
    let reasons = [
        Reason::TooShort { minimum: 8 },
        Reason::TooLong,
        Reason::TooCommon,
        Reason::Breached,
        Reason::ContainsAddress,
        Reason::ContainsServiceName,
        Reason::ContainsProfile,
    ];
    // A new one does not compile until it is listed above.
    for reason in reasons {
        match reason {
            Reason::TooShort { .. }
            | Reason::TooLong
            | Reason::TooCommon
            | Reason::Breached
            | Reason::ContainsAddress
            | Reason::ContainsServiceName
            | Reason::ContainsProfile => {}
        }
    }
    for protocol in [Protocol::Directory, Protocol::AuthV1] {
        let failure = RecoveryError::PasswordRefused(reasons.to_vec()).into();
        let (_, body) = answered(&failure, protocol, Locale::En);
        assert_eq!(body["reasons"], ERRORS["reasons"]);
    }
}

#[test]
fn in_auth_v1_each_field_has_a_message_of_its_own() {
    let fields = [
        "body",
        "content-type",
        "email",
        "idempotency-key",
        "method",
        "otp",
        "password",
        "session_id",
        "token",
    ];
    for locale in Locale::ALL {
        let messages = fields.map(|field| {
            let failure = Malformed::field(field).into();
            let (_, body) = answered(&failure, Protocol::AuthV1, locale);
            body["message"].as_str().unwrap().to_owned()
        });
        let different: BTreeSet<_> = messages.iter().collect();
        assert_eq!(different.len(), fields.len(), "{messages:?}");
    }
    let email = Malformed::field("email").into();
    let (_, body) = answered(&email, Protocol::AuthV1, Locale::Id);
    assert_eq!(body["message"], "Email tidak valid");
}

fn call(headers: &[(&'static str, &[u8])], body: &[u8]) -> Call {
    let mut request = lambda_http::Request::new(Body::Binary(body.to_vec()));
    *request.method_mut() = Method::POST;
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(*name, value);
    }
    let rng = StdRng::seed_from_u64(0);
    let trail = AuditTrail::new(std::io::sink());
    Call::new(Protocol::Directory, Locale::En, request, LATER, rng, &trail).0
}

const JSON: (&str, &[u8]) = ("content-type", b"application/json");

/// What is wrong with a body for `users/resend`, or its `app`.
fn app_or_fault(body: impl AsRef<[u8]>) -> Result<Option<String>, &'static str> {
    match directory::resend(&call(&[JSON], body.as_ref())) {
        Ok(request) => Ok(request.origin.app),
        Err(malformed) => Err(malformed.field),
    }
}

/// A body for `users/resend` with this raw JSON besides.
fn besides(members: &str) -> String {
    format!(r#"{{"email":"ann@example.com",{members}}}"#)
}

#[test]
fn unread_fields_only_have_to_follow_the_grammar() {
    let depth = 8000;
    for members in [
        r#""x":1e400"#,
        r#""x":-1E+99999"#,
        r#""x":123456789012345678901234567890"#,
        r#""x":"\ud83d""#,
        r#""x":["\udc00\ud800"]"#,
        r#""\ud83d":1"#,
        r#""\udfff\u0000":{"\ud800":null}"#,
        r#""x":{"a":1,"a":2}"#,
        r#""":"" , "" : null"#,
        &format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth)),
        &format!(r#""x":{}0{}"#, r#"{"":"#.repeat(2500), "}".repeat(2500)),
    ] {
        assert_eq!(app_or_fault(besides(members)), Ok(None), "{members:.60}");
    }
}

#[test]
fn a_body_with_a_grammar_error_anywhere_is_refused() {
    for members in [
        r#""x":01"#,
        r#""x":1."#,
        r#""x":.5"#,
        r#""x":+1"#,
        r#""x":1e"#,
        r#""x":-"#,
        r#""x":NaN"#,
        r#""x":nul"#,
        r#""x":"\x41""#,
        r#""x":"\u12g4""#,
        "\"x\":\"\t\"",
        "\"\n\":1",
        r#""x":[1,]"#,
        r#""x":[1 2]"#,
        r#""x":{"a"}"#,
        r#""x":{"a":1,}"#,
        r#""x":{1:2}"#,
        r#""x":[}"#,
        r#""x":[[]"#,
        r#""x":1,"#,
        "\"x\":1/**/",
        "\"x\":\u{a0}1",
    ] {
        assert_eq!(app_or_fault(besides(members)), Err("body"), "{members}");
    }
    for (body, why) in [
        (&b""[..], "nothing"),
        (b"[]", "no object"),
        (b"null", "no object"),
        (b"{}{}", "two objects"),
        (b"{}\0", "a NUL behind it"),
        (b"\xef\xbb\xbf", "a byte order mark alone"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "two byte order marks"),
        (b" \xef\xbb\xbf{}", "a byte order mark that is not first"),
        (b"{}\xef\xbb\xbf", "a byte order mark behind it"),
        (
            b"{\"x\":\"\xff\"}",
            "no UTF-8, though in a field nobody reads",
        ),
        (
            b"{\"x\":\"\xed\xa0\x80\"}",
            "half a surrogate pair, not escaped",
        ),
    ] {
        assert_eq!(app_or_fault(body), Err("body"), "{why}");
    }
}

#[test]
fn a_byte_order_mark_before_the_object_is_skipped() {
    let body = format!("\u{feff}\n{}", besides(r#""app":"web""#));
    assert_eq!(app_or_fault(body), Ok(Some("web".to_owned())));
}

#[test]
fn of_a_name_given_twice_the_last_value_counts_however_it_is_spelled() {
    for (members, app) in [
        (r#""app":7,"app":"web""#, Ok(Some("web"))),
        (r#""app":"web","app":7"#, Err("app")),
        (r#""app":"web","\u0061pp":"ios""#, Ok(Some("ios"))),
        (r#""app":"web","app":null"#, Ok(None)),
        (r#""app":"web","App":"ios""#, Ok(Some("web"))),
        (r#""email":1e400"#, Err("email")),
        (r#""email":[[[["#, Err("body")),
    ] {
        let app = app.map(|app| app.map(str::to_owned));
        assert_eq!(app_or_fault(besides(members)), app, "{members}");
    }
}

#[test]
fn half_a_surrogate_pair_is_replaced_where_a_text_is_only_kept() {
    for (written, kept) in [
        (r"Budi \ud83d", "Budi \u{fffd}"),
        (r"\udcf1", "\u{fffd}"),
        (r"\ud83d\udcf1", "\u{1f4f1}"),
        (r"\ud83d\ud83d\udcf1", "\u{fffd}\u{1f4f1}"),
        (r"\udcf1\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83dx\udcf1\n\u00ed", "\u{fffd}x\u{fffd}\n\u{ed}"),
        (r"\uD800\u0041", "\u{fffd}A"),
    ] {
        let body = besides(&format!(r#""app":"{written}""#));
        assert_eq!(app_or_fault(body), Ok(Some(kept.to_owned())), "{written}");
    }
    for (characters, fault) in [(64, None), (65, Some("app"))] {
        let body = besides(&format!(r#""app":"{}""#, r"\ud83d".repeat(characters)));
        assert_eq!(app_or_fault(body).err(), fault, "{characters}");
    }
}

#[test]
fn half_a_surrogate_pair_is_a_fault_of_any_other_field_that_is_read() {
    type Reader = fn(&Call) -> Option<Malformed>;
    const SIX: CodeLength = CodeLength::new(6).unwrap();
    const RESEND: Reader = |call| directory::resend(call).err();
    const SET: Reader = |call| directory::set_password(call, SIX, DirectorySession::Required).err();
    const VERIFY: Reader = |call| auth_v1::verify_otp(call, SIX).err();
    const RESET: Reader = |call| auth_v1::set_password(call).err();
    for (reader, body, field) in [
        (RESEND, r#"{"email":"\ud83d@example.com"}"#, "email"),
        (
            RESEND,
            r#"{"email":"a@example.com","purpose":"\ud83d"}"#,
            "purpose",
        ),
        (
            RESEND,
            r#"{"email":"a@example.com","templateCode":"\ud83d"}"#,
            "templateCode",
        ),
        (SET, r#"{"id":"\ud83d","session":"s","otp":"1"}"#, "id"),
        (SET, r#"{"id":"i","session":"\ud83d","otp":"1"}"#, "session"),
        (
            SET,
            r#"{"id":"i","session":{"id":"\ud83d"},"otp":"1"}"#,
            "session",
        ),
        (SET, r#"{"id":"i","session":"s","otp":"\ud83d"}"#, "otp"),
        (
            SET,
            r#"{"id":"i","session":"s","password":"\ud83d long enough"}"#,
            "password",
        ),
        (VERIFY, r#"{"session_id":"\ud83d","otp":"1"}"#, "session_id"),
        (VERIFY, r#"{"session_id":"s","otp":"\ud83d"}"#, "otp"),
        (RESET, r#"{"token":"\ud83d","password":"p"}"#, "token"),
        (
            RESET,
            r#"{"session_id":"\ud83d","password":"p"}"#,
            "session_id",
        ),
        (RESET, r#"{"token":"t","password":"\ud83d"}"#, "password"),
    ] {
        let fault = reader(&call(&[JSON], body.as_bytes()));
        assert_eq!(fault, Some(Malformed::field(field)), "{body}");
    }
    let ignored = br#"{"session_id":"s","otp":"\ud83d"}"#;
    assert!(auth_v1::resend_otp(&call(&[JSON], ignored)).is_ok());
    let ignored =
        br#"{"id":"i","session":{"x":"\ud83d","id":"s"},"otp":"123456","email":"\ud83d"}"#;
    assert!(SET(&call(&[JSON], ignored)).is_none());
}

#[test]
fn a_caller_who_asks_for_none_of_our_languages_gets_that_of_the_protocol() {
    for (lines, english, indonesian) in [
        (&[][..], Locale::En, Locale::Id),
        (&[&b"xx"[..]], Locale::En, Locale::Id),
        (&[b"*"], Locale::En, Locale::Id),
        (&[b"en;q=0.5"], Locale::En, Locale::En),
        (&[b"xx", b"id;q=0.5", b"en;q=0.1"], Locale::Id, Locale::Id),
        (&[b"xx-\xe9, en"], Locale::En, Locale::En),
        (&[b"\xff\xfe", b"id"], Locale::Id, Locale::Id),
    ] {
        for (language, expected) in [(Locale::En, english), (Locale::Id, indonesian)] {
            let mut request = lambda_http::Request::default();
            for line in lines {
                let line = HeaderValue::from_bytes(line).unwrap();
                request.headers_mut().append(ACCEPT_LANGUAGE, line);
            }
            let context = Call::reply_context(Protocol::AuthV1, language, &request, LATER);
            assert_eq!(context.locale, expected, "{lines:?}");
        }
    }
}

#[test]
fn a_content_type_that_is_sent_twice_has_to_be_json_twice() {
    for (lines, fine) in [
        (&[&b"application/json"[..]][..], true),
        (&[b"application/json", b"application/json"], true),
        (&[b"application/json,application/json"], true),
        (&[b"application/json; charset=utf-8,Application/JSON"], true),
        (&[b"application/json; profile=\"a,b\""], true),
        (&[b"application/json; note=\xe9"], true),
        (&[b"application/json,"], true),
        (&[b"application/json, text/plain"], false),
        (&[b"text/plain", b"application/json"], false),
        (&[b"application/json\xe9"], false),
        (&[b"application/json application/json"], false),
        (&[b","], false),
        (&[], false),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("content-type", *line)).collect();
        let read = directory::resend(&call(&headers, besides(r#""x":1"#).as_bytes()));
        let fault = read
            .err()
            .map(|fault| (fault.status().as_u16(), fault.field));
        assert_eq!(fault, (!fine).then_some((415, "content-type")), "{lines:?}");
    }
}

#[test]
fn a_body_that_is_encoded_is_not_read() {
    for (lines, fine) in [
        (&[&b""[..]][..], true),
        (&[b"identity"], true),
        (&[b" Identity , identity"], true),
        (&[b"identity", b""], true),
        (&[b"gzip"], false),
        (&[b"br"], false),
        (&[b"identity, gzip"], false),
        (&[b"identity", b"deflate"], false),
        (&[b"x-\xe9"], false),
    ] {
        let mut headers = vec![JSON];
        headers.extend(lines.iter().map(|line| ("content-encoding", *line)));
        let read = directory::resend(&call(&headers, besides(r#""x":1"#).as_bytes()));
        let fault = read
            .err()
            .map(|fault| (fault.status().as_u16(), fault.field));
        assert_eq!(fault, (!fine).then_some((415, "content-type")), "{lines:?}");
    }
}

/// JSON, and much that is nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\"a\"", "\"b\":", "\\u0061", "\\ud83d",
        "\\udcf1", "null", "true", "0", "-", ".", "1", "e", "E+", " ", "\n", "\u{feff}", "x",
        "\u{1}", "{\"a\":",
    ]);
    prop::collection::vec(token, 0..12).prop_map(|tokens| format!("{{{}}}", tokens.concat()))
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\u{e9}\"]{0,2}", inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

/// Holds the fields of a body against what `serde_json` makes of the whole of it, if it accepts it.
fn assert_reads_like_serde_json(body: &str) {
    let Ok(expected) = serde_json::from_str::<serde_json::Map<String, Value>>(body) else {
        return;
    };
    for (name, value) in expected {
        let mut fields = Fields::read(body.as_bytes()).expect("a body");
        // The names of fields are those in the sources: they live as long as the program.
        let name: &'static str = name.leak();
        let text = fields.text(name);
        match value {
            Value::Null => assert_eq!(text, Ok(None)),
            Value::String(expected) => assert_eq!(text, Ok(Some(expected))),
            _ => assert_eq!(text, Err(Malformed::field(name))),
        }
        assert_eq!(fields.text(name), Ok(None), "each is taken once");
    }
}

proptest! {
    #[test]
    fn valid_json_is_read_as_serde_json_reads_it(value in json_value(), pretty: bool) {
        let object = json!({ "a": value });
        let body = if pretty {
            serde_json::to_string_pretty(&object).unwrap()
        } else {
            object.to_string()
        };
        assert_reads_like_serde_json(&body);
    }

    #[test]
    fn nearly_json_is_read_as_serde_json_reads_it(body in nearly_json()) {
        assert_reads_like_serde_json(&body);
    }
}

proptest! {
    #[test]
    fn a_text_that_is_only_kept_is_what_its_escapes_stand_for(
        units in prop::collection::vec(prop_oneof![any::<u16>(), 0xd7f0_u16..0xe010], 0..20),
    ) {
        let escaped: Vec<_> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let escaped = escaped.concat();
        let kept = app_or_fault(besides(&format!(r#""app":"{escaped}""#)));
        prop_assert_eq!(kept, Ok(Some(String::from_utf16_lossy(&units))));
    }
}
