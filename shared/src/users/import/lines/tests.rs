//! Lines of a users file: which can be users, and why the others cannot.

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
fn half_of_a_surrogate_pair_is_told_as_what_it_is() {
    for (field, value) in [
        ("phone", r#""\ud83d""#),
        ("locale", r#""e\udc00n""#),
        ("profile", r#"{"name": "Ann \ud83d"}"#),
        ("meta", r#"{"\udfff": 1}"#),
        ("roles", r#"["\ud83d\ud83d"]"#),
    ] {
        assert_eq!(
            bad(&format!(
                r#"{{"email": "ann@example.com", "{field}": {value}}}"#
            )),
            [format!(
                "line 1: \"{field}\" has half of a surrogate pair, which is no character"
            )]
        );
    }
    for (field, value, what) in [
        ("phone", "1e400", "a text"),
        ("profile", r#"["\ud83d\ude00"]"#, "an object"),
        ("isTemporary", r#""\ud83d\ude00""#, "true or false"),
    ] {
        let line = format!(r#"{{"email": "ann@example.com", "{field}": {value}}}"#);
        assert_eq!(bad(&line), [format!("line 1: \"{field}\" must be {what}")]);
    }
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
fn unknown_fields_may_hold_any_json() {
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
        let line =
            format!(r#"{{"email": "a@example.com", "meta": {{"n": {number}, "m": {number}}}}}"#);
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
        let line = serde_json::json!({ "email": "annabella@example.com", "password": password });
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
