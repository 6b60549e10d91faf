//! Any text as an e-mail address.

#![no_main]
#![expect(clippy::unwrap_used, reason = "a finding is a panic")]

use libfuzzer_sys::fuzz_target;
use regain_password::Address;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

fuzz_target!(|typed: &str| {
    let Ok(address) = Address::parse(typed) else {
        assert!(!is_plain(typed), "refused");
        return;
    };
    let canonical = address.as_str();
    let (local, domain) = canonical.split_once('@').unwrap();
    assert!(canonical.len() <= 254 && (1..=64).contains(&local.len()));
    assert_eq!(address.local_part(), local);
    assert!(is_nfc(local));
    assert!(!local.contains(|it: char| it.is_whitespace() || it.is_control()));
    let is_of_a_host = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    assert!(domain.contains('.'));
    for label in domain.split('.') {
        assert!((1..=63).contains(&label.len()) && label.chars().all(is_of_a_host));
        assert!(!label.starts_with('-') && !label.ends_with('-'));
    }

    let same = |typed: &str, why: &str| {
        assert_eq!(Address::parse(typed).as_ref(), Ok(&address), "{why}");
    };
    same(canonical, "the canonical form");
    same(&format!("\u{a0} {typed}\r\n"), "white space around it");
    same(
        &format!("\u{feff}{typed}\u{200b}"),
        "invisible characters around it",
    );
    same(&typed.to_ascii_uppercase(), "in upper case");
    same(&typed.nfd().collect::<String>(), "decomposed");
    // In lower case some letters are longer, and a local part may be too long then.
    let (typed_local, typed_domain) = typed.split_once('@').unwrap();
    let lower = format!("{}@{typed_domain}", typed_local.to_lowercase());
    assert!(Address::parse(&lower).is_ok_and(|it| it == address) || lower.len() > typed.len());

    let json = serde_json::to_string(&address).unwrap();
    assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address);
    assert_eq!(format!("{address:?}"), "Address(..)");
});

/// Whether a text is a plain address that must be accepted, such as `ann.example@mail.example`.
fn is_plain(typed: &str) -> bool {
    let letters = |text: &str, max| {
        (1..=max).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_lowercase())
    };
    let parts = typed.split_once('@');
    let parts = parts.and_then(|(local, domain)| Some((local, domain.split_once('.')?)));
    parts.is_some_and(|(local, (name, top))| {
        let mut words = local.split('.');
        words.clone().count() < 3
            && words.all(|it| letters(it, 20))
            && letters(name, 60)
            && letters(top, 20)
    })
}
