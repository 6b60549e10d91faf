//! Codes as people type them, and as clients send them.

use serde_json::{Value, json};

use crate::stacks;
use testkit::client::{Api, Mobile, SET_PASSWORD, VERIFY, Web};
use testkit::mailbox::Mailbox;
use testkit::people::Person;

/// The code in the digits of another script, whose zero is given.
fn in_digits(code: &str, zero: char) -> String {
    let digit = |it: char| char::from_u32(u32::from(zero) + it.to_digit(10).unwrap()).unwrap();
    code.chars().map(digit).collect()
}

/// Ways to write the same code as text.
fn spellings(code: &str) -> Vec<String> {
    let (one, two) = code.split_at(3);
    let mut spellings = vec![
        format!("{one} {two}"),
        format!(" {one}-{two}\n"),
        format!("{one}\u{2013}{two}"),
        format!("{one}\u{2212}{two}"),
        format!("\u{200b}{one}\u{a0}{two}\u{2060}"),
        code.chars().flat_map(|it| [it, ' ', '-']).collect(),
    ];
    for zero in [
        '\u{ff10}',
        '\u{660}',
        '\u{6f0}',
        '\u{966}',
        '\u{e50}',
        '\u{1d7ce}',
    ] {
        spellings.push(in_digits(code, zero));
    }
    spellings.push(format!("{}-{two}", in_digits(one, '\u{966}')));
    spellings
}

/// Ways to write the same code as a JSON number.
fn numbers(code: &str) -> Vec<String> {
    let number: u32 = code.parse().unwrap();
    vec![
        number.to_string(),
        format!("{number}.0"),
        format!("{number}0e-1"),
        format!("{}.{}e5", number / 100_000, &code[1..]),
    ]
}

/// A body whose `otp` is written so.
fn body(mut fields: Value, otp: &str) -> String {
    fields["otp"] = json!("OTP");
    fields.to_string().replace("\"OTP\"", otp)
}

#[tokio::test]
async fn a_code_is_read_however_a_person_types_it() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mobile) = (Web::of(stack), Mobile::of(stack));
    let mut mailbox = Mailbox::of(stack, &person);
    let count = spellings("123456").len() + numbers("123456").len();
    for way in 0..count {
        let written = |code: &str| {
            let texts = spellings(code).into_iter().map(|it| json!(it).to_string());
            texts.chain(numbers(code)).nth(way).unwrap()
        };
        let begun = web.begin(&person.email).await;
        let otp = written(&mailbox.next_code().await);
        let fields = json!({"id": begun.id, "session": begun.session});
        let answer = web.0.post_bytes(SET_PASSWORD, body(fields, &otp)).await;
        assert_eq!(answer.status, 200, "{otp}: {answer:?}");

        let session = mobile.begin(&person.email).await;
        let otp = written(&mailbox.next_code().await);
        let fields = json!({"session_id": session});
        let answer = mobile.0.post_bytes(VERIFY, body(fields, &otp)).await;
        assert_eq!(answer.status, 200, "{otp}: {answer:?}");
    }
}

#[tokio::test]
async fn a_number_that_is_not_an_integer_is_malformed_and_costs_no_guess() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    for otp in ["1.5", "0.5", "123456.5", "-1.5", "1.23456e4", "1e-1"] {
        let fields = json!({"id": begun.id, "session": begun.session});
        let answer = web.0.post_bytes(SET_PASSWORD, body(fields, otp)).await;
        answer.malformed("otp");
        let fields = json!({"session_id": begun.session});
        let answer = Api::of(stack).post_bytes(VERIFY, body(fields, otp)).await;
        answer.malformed("otp");
    }
    web.verify(&begun, &code).await.data();
}
