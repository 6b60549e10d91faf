//! Any text as a password, over any address and any words that stand in a profile.
//!
//! An input is three texts, each on a line of its own but for the last: address, profile, password.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use regain::address::Address;
use regain::password::{Candidate, MAX_LENGTH, Policy, Reason};
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
            reasons.extend(Policy::check_address(&candidate, address));
        }
        reasons.extend(Policy::check_profile(
            &candidate,
            profile.split_whitespace(),
        ));
        reasons
    };

    let reasons = judge(typed);
    let length = typed.nfc().count();
    let minimum = MIN_LENGTH;
    assert_eq!(
        reasons.contains(&Reason::TooShort { minimum }),
        length < minimum
    );
    assert_eq!(reasons.contains(&Reason::TooLong), length > MAX_LENGTH);
    assert!(
        length >= minimum || !reasons.contains(&Reason::TooCommon),
        "none is shorter"
    );

    // The same keys on another keyboard, and the same letters in another case.
    assert_eq!(judge(&typed.nfd().collect::<String>()), reasons);
    let but_for_length = |mut reasons: Vec<Reason>| {
        // A letter and its accent may be one code point in lower case only.
        reasons.retain(|it| !matches!(it, Reason::TooShort { .. } | Reason::TooLong));
        reasons
    };
    let expected = but_for_length(reasons);
    assert_eq!(but_for_length(judge(&typed.to_ascii_uppercase())), expected);
    assert_eq!(but_for_length(judge(&typed.to_ascii_lowercase())), expected);

    // With enough of its own it leans on no word, unless it is an address as it stands.
    let longer = format!("{typed}{OWN}");
    let words = [profile, address.as_ref().map_or("", Address::as_str)];
    if Address::parse(&longer).is_err() && !words.iter().any(|it| it.contains(OWN_LETTERS)) {
        let reasons = judge(&longer);
        assert!(!reasons.iter().any(is_about_words), "{reasons:?}");
    }

    // What everybody knows is nobody's password, with a few digits at its end or without.
    let digits: String = typed.chars().filter(char::is_ascii_digit).take(7).collect();
    let service = candidate(&format!("{digits}Regain"));
    assert!(
        policy
            .check(&service)
            .contains(&Reason::ContainsServiceName)
    );
    if let Some(address) = &address {
        let reasons = Policy::check_address(&candidate(address.as_str()), address);
        assert_eq!(reasons, [Reason::ContainsAddress]);
    }
    if profile.nfc().count() >= 4 && profile.chars().all(char::is_alphanumeric) {
        let typed = candidate(&format!("{profile}{digits}"));
        let reasons = Policy::check_profile(&typed, [profile].into_iter());
        assert_eq!(reasons, [Reason::ContainsProfile]);
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
