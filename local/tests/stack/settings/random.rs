//! Compares the template with the functions over random texts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::parameter::Parameter;
use super::starts_with;
use super::values::TEXTS;

/// Texts made of the pieces that the rules name, so that many of them are almost valid.
fn texts_of(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(pieces), 1..most);
    prop_oneof![
        4 => pieces.prop_map(|pieces| pieces.concat()),
        1 => "[^\u{0}]{1,70}",
    ]
}

const NAMES: &[&str] = &[
    "a",
    "Shop",
    " ",
    "\t",
    "\n",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "1",
    "23",
    "\u{663}",
    "\u{ff14}",
    "\u{bd}",
    "\u{2167}",
    "\u{1d7d8}",
    "\u{4e09}",
    "-",
    ".",
    "\u{1f6d2}",
    "\u{e000}",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "e\u{301}",
    "\u{0}",
];
const ADDRESSES: &[&str] = &[
    "a",
    "b-c",
    ".",
    "@",
    "-",
    "example",
    "com",
    "@example.com",
    "+",
    "'",
    "\"",
    " ",
    "_",
    "<",
    ">",
    ",",
    ";",
    "9",
    "\u{e9}",
    "A",
    "[",
    "\n",
    "{",
    "|",
    "}",
    "~",
    "`",
    "^",
    "&&",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];
const CONTACTS: &[&str] = &[
    "https://",
    "http://",
    "a",
    "help",
    "@",
    ".",
    ".com",
    "example.com",
    "/",
    "?",
    "#",
    ":",
    "80",
    "1",
    "234",
    "-",
    "_",
    "+",
    "'",
    "&",
    "<",
    "{",
    "%20",
    "=",
    " ",
    "\n",
    "\u{e9}",
    "\u{663}",
];
const ORIGINS: &[&str] = &[
    "https://",
    "http://",
    "*",
    "a",
    "example",
    ".",
    ".com",
    ":",
    ":443",
    ":80",
    ":8080",
    "0",
    "65536",
    "/",
    "-",
    "A",
    ",",
    ", ",
    " ",
    "_",
    "@",
    "?",
    "\u{e9}",
    "xn--a",
    "localhost",
    "\n",
    "//",
    "https://a.example",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

const STATUSES: &[&str] = &[
    "active",
    "A",
    " ",
    ",",
    ", ",
    "-",
    "_",
    ".",
    ":",
    "7",
    ";",
    "\t",
    "\n",
    "\u{e9}",
    "\u{a0}",
    "\u{212a}",
    "\"",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

fn compare(name: &str, value: &str) -> Result<(), TestCaseError> {
    static PARAMETERS: LazyLock<BTreeMap<&str, Parameter>> = LazyLock::new(|| {
        TEXTS
            .iter()
            .map(|row| (row.0, Parameter::read(row.0)))
            .collect()
    });
    let parameter = &PARAMETERS[name];
    let (_, variable, ..) = TEXTS.iter().find(|row| row.0 == name).unwrap();
    prop_assert_eq!(
        parameter.takes(value),
        starts_with(variable, value),
        "{:?}",
        value
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn template_and_functions_take_the_same_service_names(value in texts_of(NAMES, 12)) {
        compare("ServiceName", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_senders(value in texts_of(ADDRESSES, 10)) {
        compare("MailFrom", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_addresses_for_replies(value in texts_of(ADDRESSES, 8)) {
        compare("MailReplyTo", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_sender_names(value in texts_of(NAMES, 8)) {
        compare("MailFromName", &value)?;
    }

    #[test]
    fn template_and_cargo_run_take_the_same_contacts(value in texts_of(CONTACTS, 8)) {
        compare("SupportContact", &value)?;
    }

    #[test]
    fn template_and_cargo_run_take_the_same_origins(value in texts_of(ORIGINS, 8)) {
        compare("CorsOrigins", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_statuses(value in texts_of(STATUSES, 8)) {
        compare("RecoverableStatuses", &value)?;
    }
}
