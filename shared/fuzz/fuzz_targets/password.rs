//! Any text as a password, with any address and any words of a profile.
//!
//! An input is the address on the first line, the profile on the second, and the password after it.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use regain_password::{Address, Candidate, MAX_LENGTH, Policy, Reason};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

const MIN_LENGTH: usize = 8;
/// Eight letters that are in hardly any word.
const OWN_LETTERS: [char; 2] = ['\u{2ac}', '\u{2ad}'];
const OWN: &str = "\u{2ac}\u{2ad}\u{2ac}\u{2ad}\u{2ac}\u{2ad}\u{2ac}\u{2ad}";

fuzz_target!(|input: &str| -> Corpus {
    let mut lines = input.splitn(3, '\n');
    let (Some(address), Some(profile), Some(typed)) = (lines.next(), lines.next(), lines.next())
    else {
        return Corpus::Reject;
    };
    let address = Address::parse(address).ok();
    let policy = Policy {
        min_length: MIN_LENGTH,
        service_name: "Regain".to_owned(),
    };
    let judge = |typed: &str| {
        let candidate = candidate(typed);
        let mut reasons = policy.check(&candidate);
        assert!(
            reasons.is_sorted_by(|one, next| one < next),
            "each once, in order"
        );
        if let Some(address) = &address {
            reasons.extend(policy.check_address(&candidate, address));
            let texts = profile.split_whitespace();
            reasons.extend(policy.check_profile(&candidate, address, texts));
        }
        reasons
    };

    let reasons = judge(typed);
    let length = typed.nfc().count();
    let visible = typed.nfc().filter(char::is_ascii_graphic).count();
    let minimum = MIN_LENGTH;
    if length > MAX_LENGTH {
        assert_eq!(reasons, [Reason::TooLong], "and nothing else is checked");
    } else {
        let too_short = reasons.contains(&Reason::TooShort { minimum });
        assert!(!reasons.contains(&Reason::TooLong));
        assert!(too_short || length >= MIN_LENGTH);
        assert!(!too_short || visible < MIN_LENGTH);
    }

    // The same text decomposed, and in another case, has the same reasons.
    assert_eq!(judge(&typed.nfd().collect::<String>()), reasons);
    // A letter and its accent may be one code point in lower case only, which changes the length.
    let but_for_length = |mut reasons: Vec<Reason>| {
        reasons.retain(|it| !matches!(it, Reason::TooShort { .. }));
        reasons
    };
    let expected = but_for_length(reasons);
    for typed in [typed.to_ascii_uppercase(), typed.to_ascii_lowercase()] {
        let reasons = judge(&typed);
        if length <= MAX_LENGTH && !reasons.contains(&Reason::TooLong) {
            assert_eq!(but_for_length(reasons), expected);
        }
    }

    // With eight letters that no word has, no word is too much of it, unless the whole is an address.
    let longer = format!("{typed}{OWN}");
    let words = [profile, address.as_ref().map_or("", Address::as_str)];
    if Address::parse(&longer).is_err() && !words.iter().any(|it| it.contains(OWN_LETTERS)) {
        let reasons = judge(&longer);
        assert!(!reasons.iter().any(is_about_words), "{reasons:?}");
    }

    // Known words alone are no password: with a few digits or marks around them, in full width, with white space,
    // or several together.
    let digits: String = typed.chars().filter(char::is_ascii_digit).take(6).collect();
    let marks: String = typed
        .chars()
        .filter(char::is_ascii_punctuation)
        .take(9)
        .collect();
    for service in ["Regain", "R e\u{200b}g\ta i-n", "\u{ff32}egai\u{ff4e}"] {
        let typed = candidate(&format!("{digits}{service}"));
        assert!(policy.check(&typed).contains(&Reason::ContainsServiceName));
    }
    if let Some(address) = &address {
        let reasons = policy.check_address(&candidate(address.as_str()), address);
        assert_eq!(reasons, [Reason::ContainsAddress]);
        let whole = address.as_str();
        let letters = whole.chars().filter(char::is_ascii_alphanumeric);
        if whole.starts_with(|first: char| first.is_ascii_alphanumeric()) && letters.count() >= 4 {
            for around in [
                format!("{digits}{whole}Regain"),
                format!("<{whole}>{digits}"),
                format!("mailto:{whole}"),
            ] {
                let reasons = policy.check_address(&candidate(&around), address);
                assert!(reasons == [Reason::ContainsAddress] || around.len() > MAX_LENGTH);
            }
        }
        let letters = profile.chars().filter(char::is_ascii_alphabetic).count();
        if letters >= 4 && letters == profile.len() {
            for typed in [
                format!("{profile}{digits}"),
                format!("Regain{profile}{marks}Regain{digits}{profile}"),
            ] {
                let reasons = policy.check_profile(&candidate(&typed), address, [profile]);
                assert!(reasons == [Reason::ContainsProfile] || typed.len() > MAX_LENGTH);
            }
        }
    }
    assert_eq!(format!("{:?}", candidate(typed)), "Candidate(..)");
    Corpus::Keep
});

fn is_about_words(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::ContainsAddress | Reason::ContainsServiceName | Reason::ContainsProfile
    )
}

fn candidate(typed: &str) -> Candidate {
    Candidate::new(Zeroizing::new(typed.to_owned()))
}
