//! What speaks against a password.
//!
//! Length, a list of what is guessed first and one of what was breached, as NIST SP 800-63B
//! (3.1.1.2) and ASVS 5.0 (6.2) ask: no rules of composition, nothing cut off. Words about the
//! service and the person may be in a password that has enough besides them.

use zeroize::Zeroizing;

use super::words::Letters;
use super::{Candidate, NFC_EXPANSION, lists};
use crate::address::{Address, fold_case};

/// The longest password, in code points: long enough for any manager or passphrase, short enough
/// to hash.
pub const MAX_LENGTH: usize = 256;

/// Why a password is refused, in the order in which reasons are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Fewer code points than the policy's minimum.
    TooShort {
        /// The policy's minimum.
        minimum: usize,
    },
    /// More code points than [`MAX_LENGTH`].
    TooLong,
    /// On the list of the most common passwords.
    TooCommon,
    /// Known from a breach, though it is none of the most common.
    Breached,
    /// The person's own address, or little more than what stands before its `@`.
    ContainsAddress,
    /// Little more than the name of the service.
    ContainsServiceName,
    /// Little more than something that the person's profile says, such as their name.
    ContainsProfile,
}

impl Reason {
    /// The stable word for this reason that callers see.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::TooLong => "too_long",
            Self::TooCommon => "too_common",
            Self::Breached => "breached",
            Self::ContainsAddress => "contains_address",
            Self::ContainsServiceName => "contains_service_name",
            Self::ContainsProfile => "contains_profile",
        }
    }
}

/// What this stack asks of a password.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The shortest password, in code points after NFC; 8 or more, below which the list of
    /// common passwords has nothing.
    pub min_length: usize,
    /// The name that people know the service by.
    pub service_name: String,
}

impl Policy {
    /// Every reason that needs nothing but the password.
    #[must_use]
    pub fn check(&self, password: &Candidate) -> Vec<Reason> {
        let length = password.as_str().chars().count();
        let mut reasons = Vec::new();
        if length < self.min_length {
            reasons.push(Reason::TooShort {
                minimum: self.min_length,
            });
        }
        if length > MAX_LENGTH {
            reasons.push(Reason::TooLong);
        }
        let folded = folded(password.as_str());
        if lists::is_common(&folded) {
            reasons.push(Reason::TooCommon);
        } else if lists::is_breached(&folded) {
            reasons.push(Reason::Breached);
        }
        if Letters::of(password).lean_on(&self.service_name) {
            reasons.push(Reason::ContainsServiceName);
        }
        reasons
    }

    /// Whether the password is the address, however typed, or little more than its local part.
    #[must_use]
    pub fn check_address(password: &Candidate, address: &Address) -> Vec<Reason> {
        let is_address = Address::parse(password.as_str()).is_ok_and(|typed| typed == *address);
        if is_address || Letters::of(password).lean_on(address.local_part()) {
            vec![Reason::ContainsAddress]
        } else {
            Vec::new()
        }
    }

    /// Whether the password is little more than one of the texts that the person's profile is made
    /// of, or than a word in one.
    #[must_use]
    pub fn check_profile<'a>(
        password: &Candidate,
        mut texts: impl Iterator<Item = &'a str>,
    ) -> Vec<Reason> {
        let letters = Letters::of(password);
        if texts.any(|text| letters.lean_on(text)) {
            vec![Reason::ContainsProfile]
        } else {
            Vec::new()
        }
    }
}

/// Folding never makes a text more than three times longer, and the NFC after it is shorter.
fn folded(password: &str) -> Zeroizing<String> {
    // Room for all of it at once: growing would leave copies behind that nothing wipes.
    let mut folded = Zeroizing::new(String::with_capacity(password.len() * NFC_EXPANSION));
    folded.extend(fold_case(password));
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(typed: &str) -> Candidate {
        Candidate::new(Zeroizing::new(typed.to_owned()))
    }

    fn too_short(minimum: usize) -> Reason {
        Reason::TooShort { minimum }
    }

    fn policy() -> Policy {
        Policy {
            min_length: 8,
            service_name: "Acme Straße".to_owned(),
        }
    }

    #[test]
    fn length_is_counted_in_code_points_of_any_script() {
        use Reason::TooLong;
        for (typed, reasons, why) in [
            ("vK4#tq9z".to_owned(), vec![], "8 code points"),
            ("vK4#tq9".to_owned(), vec![too_short(8)], "7 code points"),
            (String::new(), vec![too_short(8)], "empty"),
            (
                "e\u{301}".repeat(7),
                vec![too_short(8)],
                "7 after NFC, 14 as typed",
            ),
            ("e\u{301}".repeat(8), vec![], "8 after NFC"),
            ("\u{958}".repeat(4), vec![], "4 as typed, 8 after NFC"),
            ("🔑🐎🔋📎🌊🌵🧭🪁".to_owned(), vec![], "8 emoji"),
            (
                "🔑🐎🔋📎🌊🌵🧭".to_owned(),
                vec![too_short(8)],
                "7 emoji, 28 octets",
            ),
            ("👩‍👩‍👧‍👦🐎".to_owned(), vec![], "2 emoji of 8 code points"),
            ("z".repeat(256), vec![], "256 code points"),
            ("z".repeat(257), vec![TooLong], "257 code points"),
            ("🔑".repeat(256), vec![], "256 code points of four octets"),
            (
                "e\u{301}".repeat(256),
                vec![],
                "256 after NFC, 512 as typed",
            ),
            ("e\u{301}".repeat(257), vec![TooLong], "257 after NFC"),
            ("vK4# tq9".to_owned(), vec![], "a space counts"),
            (
                "correct horse battery staple".to_owned(),
                vec![],
                "letters and spaces only",
            ),
            ("        ".to_owned(), vec![], "8 spaces"),
            ("пароль о море".to_owned(), vec![], "Cyrillic"),
            ("كلمةسرية".to_owned(), vec![], "Arabic, 8 code points"),
            ("नमस्तेजी".to_owned(), vec![], "Devanagari, 8 code points"),
            (
                "今日は天気がいい".to_owned(),
                vec![],
                "Japanese, 8 code points",
            ),
            (
                "今日は天気がい".to_owned(),
                vec![too_short(8)],
                "Japanese, 7",
            ),
        ] {
            assert_eq!(
                policy().check(&candidate(&typed)),
                reasons,
                "{why}: {typed:?}"
            );
        }
    }

    #[test]
    fn lists_and_the_service_are_compared_whatever_the_case() {
        use Reason::{Breached, ContainsServiceName, TooCommon};
        for (typed, reasons, why) in [
            ("password", vec![TooCommon], "common"),
            ("PassWord", vec![TooCommon], "common, whatever the case"),
            ("password1", vec![TooCommon], "common with a digit"),
            (
                "e1nste1n",
                vec![Breached],
                "breached, and none of the most common",
            ),
            ("IOwnedYou", vec![Breached], "breached, whatever the case"),
            (
                "iownedyou, and you me",
                vec![],
                "a breached one inside a long one",
            ),
            ("qwerty", vec![too_short(8)], "too short to be on the list"),
            (
                "my password is this",
                vec![],
                "a common one inside a long one",
            ),
            (
                "acme STRASSE",
                vec![ContainsServiceName],
                "the service, folded",
            ),
            (
                "AcmeStraße",
                vec![ContainsServiceName],
                "the service, no white space",
            ),
            (
                "Acme Straße 7",
                vec![ContainsServiceName],
                "the service and a digit",
            ),
            (
                "our Acme Straße account",
                vec![],
                "the service inside a longer one",
            ),
        ] {
            assert_eq!(
                policy().check(&candidate(typed)),
                reasons,
                "{why}: {typed:?}"
            );
        }
    }

    #[test]
    fn the_minimum_is_the_stacks_own() {
        let policy = Policy {
            min_length: 12,
            ..policy()
        };
        assert_eq!(policy.check(&candidate("vK4#tq9zPw2")), [too_short(12)]);
        assert_eq!(policy.check(&candidate("vK4#tq9zPw2!")), []);
    }

    #[test]
    fn all_reasons_are_told_in_order_and_once() {
        let policy = Policy {
            min_length: 16,
            service_name: "Sunshine".to_owned(),
        };
        assert_eq!(
            policy.check(&candidate("sunshine")),
            [
                too_short(16),
                Reason::TooCommon,
                Reason::ContainsServiceName
            ]
        );
    }

    #[test]
    fn a_breached_password_is_told_besides_what_else_is_wrong_with_it() {
        let policy = Policy {
            min_length: 16,
            ..policy()
        };
        assert_eq!(
            policy.check(&candidate("e1nste1n")),
            [too_short(16), Reason::Breached]
        );
    }

    #[test]
    fn a_service_without_a_name_forbids_nothing() {
        let policy = Policy {
            service_name: "  ".to_owned(),
            ..policy()
        };
        assert_eq!(policy.check(&candidate("         ")), []);
    }

    #[test]
    fn nobodys_address_is_their_password() {
        let address = Address::parse("René.Muster@bücher.example").unwrap();
        for (typed, refused, why) in [
            (
                "rené.muster@xn--bcher-kva.example",
                true,
                "the canonical address",
            ),
            (
                "RENE\u{301}.Muster@BÜCHER.example",
                true,
                "the address as they would type it",
            ),
            ("rené.muster", true, "the local part"),
            ("RENÉ.MUSTER", true, "the local part in upper case"),
            ("rené.muster1", true, "a digit after the local part"),
            ("renémuster", true, "the local part without its dot"),
            ("Muster!2026", true, "a name of the local part"),
            ("rené.muster rides a horse", false, "a sentence with it"),
            ("bücher.example", false, "the domain"),
            ("rené.muster@example.com", false, "another address"),
        ] {
            let reasons = Policy::check_address(&candidate(typed), &address);
            assert_eq!(reasons == [Reason::ContainsAddress], refused, "{why}");
            assert_eq!(reasons.is_empty(), !refused, "{why}");
        }
    }

    #[test]
    fn nothing_their_profile_says_is_their_password() {
        let profile = ["Budi Santoso", "+62 811 0000 1234", "Jürgen", "", "  "];
        for (typed, refused, why) in [
            ("Budi Santoso", true, "a word of the profile"),
            ("budisantoso", true, "without white space, in lower case"),
            (" BUDI  SANTOSO ", true, "with other white space"),
            ("+6281100001234", true, "a phone number"),
            ("JU\u{308}RGEN", true, "decomposed and in upper case"),
            ("budi santoso 1", true, "a digit after the words"),
            ("Santoso#1", true, "one of the words"),
            ("santos9#", false, "less than a word"),
            ("santoso met a horse", false, "a sentence with a word"),
            ("        ", false, "an empty word forbids nothing"),
        ] {
            let reasons = Policy::check_profile(&candidate(typed), profile.into_iter());
            assert_eq!(reasons == [Reason::ContainsProfile], refused, "{why}");
            assert_eq!(reasons.is_empty(), !refused, "{why}");
        }
        assert_eq!(
            Policy::check_profile(&candidate("Budi Santoso"), ["budi santoso"; 2].into_iter()),
            [Reason::ContainsProfile],
            "two words match, one reason is told"
        );
    }

    #[test]
    fn each_reason_has_its_slug_and_its_place() {
        let in_order = [
            (too_short(8), "too_short"),
            (Reason::TooLong, "too_long"),
            (Reason::TooCommon, "too_common"),
            (Reason::Breached, "breached"),
            (Reason::ContainsAddress, "contains_address"),
            (Reason::ContainsServiceName, "contains_service_name"),
            (Reason::ContainsProfile, "contains_profile"),
        ];
        assert!(in_order.is_sorted_by_key(|(reason, _)| reason));
        for (reason, slug) in in_order {
            assert_eq!(reason.slug(), slug);
        }
    }
}
