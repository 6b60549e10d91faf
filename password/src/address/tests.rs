use proptest::prelude::*;

use super::*;

fn parsed(typed: &str) -> Option<String> {
    Address::parse(typed).ok().map(|address| address.0)
}

#[test]
fn every_spelling_of_a_domain_is_one_key() {
    for (typed, canonical, why) in [
        ("ann@example.com", "ann@example.com", "canonical as it is"),
        (
            "  ann@example.com\r\n",
            "ann@example.com",
            "white space around it",
        ),
        (
            "\u{a0}ann@example.com\u{3000}",
            "ann@example.com",
            "Unicode white space around it",
        ),
        (
            "\u{feff}ann@example.com",
            "ann@example.com",
            "a byte order mark before it",
        ),
        (
            "\u{200b}\u{202a}ann@example.com\u{202c}\u{200b}",
            "ann@example.com",
            "invisible characters around it",
        ),
        (
            "\u{e0001} \u{2060}\u{3164}ann@example.com\u{fe0f}\u{200d}\r\n\u{ad}",
            "ann@example.com",
            "invisible characters and white space in any order",
        ),
        ("ANN@Example.COM", "ann@example.com", "upper case"),
        (
            "ann@b\u{fc}cher.example",
            "ann@xn--bcher-kva.example",
            "an IDN",
        ),
        (
            "ann@B\u{dc}CHER.example",
            "ann@xn--bcher-kva.example",
            "an IDN in upper case",
        ),
        (
            "ann@bu\u{308}cher.example",
            "ann@xn--bcher-kva.example",
            "a decomposed IDN",
        ),
        (
            "ann@XN--BCHER-KVA.example",
            "ann@xn--bcher-kva.example",
            "Punycode in upper case",
        ),
        (
            "ann@ｅｘａｍｐｌｅ．ｃｏｍ",
            "ann@example.com",
            "full-width letters and dot",
        ),
        (
            "ann@example\u{3002}com",
            "ann@example.com",
            "an ideographic full stop",
        ),
        (
            "ann@exam\u{ad}ple.com",
            "ann@example.com",
            "a soft hyphen that IDNA drops",
        ),
        (
            "ann@stra\u{df}e.example",
            "ann@xn--strae-oqa.example",
            "IDNA 2008 keeps a sharp s",
        ),
        (
            "ann@mail.example.co.id",
            "ann@mail.example.co.id",
            "more than one dot",
        ),
        (
            "ann@r3---sn.example.com",
            "ann@r3---sn.example.com",
            "hyphens inside a label",
        ),
    ] {
        assert_eq!(
            parsed(typed).as_deref(),
            Some(canonical),
            "{why}: {typed:?}"
        );
    }
}

#[test]
fn every_spelling_of_a_local_part_is_one_key() {
    for (typed, canonical, why) in [
        (
            "rene\u{301}@example.com",
            "ren\u{e9}@example.com",
            "NFD becomes NFC",
        ),
        (
            "REN\u{c9}@example.com",
            "ren\u{e9}@example.com",
            "case outside ASCII",
        ),
        (
            "stra\u{df}e@example.com",
            "strasse@example.com",
            "full case folding",
        ),
        (
            "\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}@example.com",
            "\u{3c3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c3}@example.com",
            "a final sigma",
        ),
        (
            "\u{130}pek@example.com",
            "i\u{307}pek@example.com",
            "a Turkish dotted capital I",
        ),
        (
            "I@example.com",
            "i@example.com",
            "a capital I, whatever the language",
        ),
        (
            "\u{131}@example.com",
            "\u{131}@example.com",
            "a dotless i is another letter",
        ),
        (
            "\u{212a}arl@example.com",
            "karl@example.com",
            "a Kelvin sign",
        ),
        (
            "ann+shop@example.com",
            "ann+shop@example.com",
            "a tag is part of the address",
        ),
        ("a.n.n@example.com", "a.n.n@example.com", "so are dots"),
    ] {
        assert_eq!(
            parsed(typed).as_deref(),
            Some(canonical),
            "{why}: {typed:?}"
        );
    }
}

#[test]
fn text_that_is_not_an_address_is_refused() {
    for (typed, why) in [
        ("", "empty"),
        ("   ", "white space only"),
        ("ann", "no @"),
        ("ann.example.com", "no @"),
        ("@", "nothing around the @"),
        ("@example.com", "no local part"),
        (" @example.com", "no local part once trimmed"),
        ("ann@", "no domain"),
        ("a@b@c.example", "two @"),
        ("ann@@example.com", "two @"),
        ("\"a@b\"@c.example", "two @, one of them quoted"),
        ("ann\u{ff20}example.com", "a full-width @ only"),
        ("ann@example", "no dot in the domain"),
        ("ann@.com", "an empty label"),
        ("ann@example..com", "an empty label"),
        ("ann@example.com.", "a trailing dot"),
        ("ann@example.com\u{3002}", "a trailing ideographic dot"),
        ("ann@.", "nothing but a dot"),
        ("a n@example.com", "a space in the local part"),
        ("a\tn@example.com", "a tab"),
        ("a\u{a0}n@example.com", "a no-break space"),
        ("ann @example.com", "a space before the @"),
        ("ann@ example.com", "a space after the @"),
        ("ann@exam ple.com", "a space in the domain"),
        ("a\nn@example.com", "a line end"),
        ("a\0n@example.com", "NUL"),
        ("\0ann@example.com", "NUL at the start"),
        ("ann@example.com\u{7f}", "DEL at the end"),
        ("a\u{85}n@example.com", "a C1 control character"),
        ("a\u{200b}n@example.com", "a zero-width space"),
        ("a\u{feff}n@example.com", "a byte order mark inside"),
        ("ann\u{200b}@example.com", "a zero-width space before the @"),
        ("a\u{34f}n@example.com", "a combining grapheme joiner"),
        ("a\u{3164}n@example.com", "a Hangul filler"),
        ("a\u{e0061}n@example.com", "a tag character"),
        ("\u{200b}@example.com", "no local part once trimmed"),
        ("\u{200b}", "nothing once trimmed"),
        ("a\u{202e}n@example.com", "a direction override"),
        ("ann@exam_ple.com", "an underscore in a host name"),
        ("ann@-example.com", "a label that starts with a hyphen"),
        ("ann@example-.com", "a label that ends with a hyphen"),
        ("ann@[192.0.2.1]", "an address literal"),
        ("ann@example.com:25", "a port"),
        ("Ann <ann@example.com>", "a display name"),
        ("ann@xn--a.example", "Punycode that decodes to nothing"),
        (
            "ann@\u{301}a.example",
            "a label that starts with a combining mark",
        ),
        ("ann@a\u{627}.example", "a label that mixes directions"),
    ] {
        assert_eq!(
            Address::parse(typed),
            Err(InvalidAddress),
            "{why}: {typed:?}"
        );
    }
}

#[test]
fn lengths_are_counted_in_octets() {
    let label = "d".repeat(63);
    let domain_of_189 = format!("{label}.{label}.{}", "d".repeat(61));
    for (typed, accepted, why) in [
        (
            format!("{}@example.com", "a".repeat(64)),
            true,
            "a local part of 64",
        ),
        (
            format!("{}@example.com", "a".repeat(65)),
            false,
            "a local part of 65",
        ),
        (
            format!("{}@example.com", "\u{e9}".repeat(32)),
            true,
            "32 letters of two octets",
        ),
        (
            format!("{}@example.com", "\u{e9}".repeat(33)),
            false,
            "33 letters of two octets",
        ),
        (
            format!("{}@example.com", "e\u{301}".repeat(32)),
            true,
            "counted after NFC",
        ),
        (
            format!("{}@example.com", "\u{130}".repeat(22)),
            false,
            "66 octets once folded",
        ),
        (
            format!("{}@{domain_of_189}", "a".repeat(64)),
            true,
            "254 in all",
        ),
        (
            format!("  {}@{domain_of_189}\n", "a".repeat(64)),
            true,
            "254 in all once trimmed",
        ),
        (
            format!("{}@{domain_of_189}d", "a".repeat(64)),
            false,
            "255 in all",
        ),
        (format!("a@{label}.example"), true, "a label of 63"),
        (format!("a@d{label}.example"), false, "a label of 64"),
        (
            format!("{}@{}example", "a".repeat(64), "\u{fc}.".repeat(30)),
            false,
            "255 and more once IDNA-encoded",
        ),
    ] {
        assert_eq!(Address::parse(&typed).is_ok(), accepted, "{why}: {typed:?}");
    }
}

#[test]
fn the_local_part_is_what_stands_before_the_at_sign() {
    let address = Address::parse("Ann+Shop@Example.com").unwrap();
    assert_eq!(address.as_str(), "ann+shop@example.com");
    assert_eq!(address.local_part(), "ann+shop");
}

#[test]
fn neither_debug_nor_an_error_shows_an_address() {
    let address = Address::parse("ann@example.com").unwrap();
    assert_eq!(format!("{address:?}"), "Address(..)");
    let refused = serde_json::from_str::<Address>("\"ann.example.com\"").unwrap_err();
    assert!(
        !format!("{refused} {refused:?}").contains("ann"),
        "{refused}"
    );
}

#[test]
fn json_goes_through_parse() {
    let address: Address = serde_json::from_str("\"ANN@Example.com\"").unwrap();
    assert_eq!(
        serde_json::to_string(&address).unwrap(),
        "\"ann@example.com\""
    );
}

proptest! {
    #[test]
    fn any_text_is_an_address_or_refused(local in any::<String>(), domain in any::<String>()) {
        let _ = Address::parse(&local);
        let _ = Address::parse(&format!("{local}@{domain}"));
        let _ = Address::parse(&format!("a@{domain}.example"));
    }

    #[test]
    fn parsing_a_canonical_address_changes_nothing(typed in r"\PC{1,20}@\PC{1,12}\.\PC{1,8}") {
        if let Some(canonical) = parsed(&typed) {
            prop_assert_eq!(parsed(&canonical), Some(canonical));
        }
    }

    #[test]
    fn any_local_part_has_one_canonical_form(local in r"[\p{L}\p{M}\p{N}]{1,16}") {
        if let Some(canonical) = parsed(&format!("{local}@example.com")) {
            prop_assert_eq!(parsed(&canonical), Some(canonical.clone()));
            let decomposed: String = local.nfd().collect();
            prop_assert_eq!(parsed(&format!("{decomposed}@example.com")), Some(canonical));
        }
    }
}
