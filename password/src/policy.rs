//! The password policy.
//!
//! As NIST SP 800-63B (3.1.1.2) and ASVS 5.0 (6.2) require, it checks the length and two lists of known
//! passwords, it has no rules of composition, and it cuts nothing off. Words of the service's name, of the
//! person's address and of their profile are *known words*. A password may contain known words if eight code
//! points are left without them.

use crate::fold::{is_visible, listed};
use crate::words::{OWN, Remainder};
use crate::{Address, Candidate, lists};

/// Why a password is refused. The order is that of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Fewer code points than the policy's minimum, or fewer than eight that can be seen.
    TooShort {
        /// The policy's minimum.
        minimum: usize,
    },
    /// More code points than [`MAX_LENGTH`](crate::MAX_LENGTH). Nothing else is checked then.
    TooLong,
    /// On the list of the most common passwords.
    TooCommon,
    /// Known from a breach, but not on the list of common passwords.
    Breached,
    /// Too little is left without known words, and it contains the person's address, or a word of its
    /// local part.
    ContainsAddress,
    /// Too little is left without the words of the service's name.
    ContainsServiceName,
    /// Too little is left without known words, and it contains one of the person's profile, such as
    /// their name.
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

/// The requirements for a password.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The shortest password, in code points after NFC; 8 or more, below which the list of
    /// common passwords has nothing.
    pub min_length: usize,
    /// The name that people know the service by.
    pub service_name: String,
}

impl Policy {
    /// Checks the password by itself, and returns every reason to refuse it.
    #[must_use]
    pub fn check(&self, password: &Candidate) -> Vec<Reason> {
        // A password that is too long is not checked any further, because that would take time.
        if password.is_too_long() {
            return vec![Reason::TooLong];
        }
        let mut reasons = Vec::new();
        let visible = password.as_str().chars().filter(|it| is_visible(*it));
        if visible.count() < OWN || password.as_str().chars().count() < self.min_length {
            reasons.push(Reason::TooShort {
                minimum: self.min_length,
            });
        }
        let folded = listed(password);
        if lists::is_common(&folded) {
            reasons.push(Reason::TooCommon);
        } else if lists::is_breached(&folded) {
            reasons.push(Reason::Breached);
        }
        let mut rest = Remainder::of(password);
        if rest.take_out(&self.service_name) && rest.is_too_little() {
            reasons.push(Reason::ContainsServiceName);
        }
        reasons
    }

    /// Checks the password against the person's address. It is refused if it is the address, or if it contains
    /// words of the address and too little is left without them and the service's name.
    ///
    /// A password that is too long is not checked here: [`Policy::check`] refuses it.
    #[must_use]
    pub fn check_address(&self, password: &Candidate, address: &Address) -> Vec<Reason> {
        if password.is_too_long() {
            return Vec::new();
        }
        let mut rest = Remainder::of(password);
        rest.take_out(&self.service_name);
        let is_address = Address::parse(password.as_str()).is_ok_and(|typed| typed == *address);
        if is_address || rest.take_out_address(address) && rest.is_too_little() {
            vec![Reason::ContainsAddress]
        } else {
            Vec::new()
        }
    }

    /// Checks the password against the texts of the person's profile. It is refused if it contains words of
    /// them, and too little is left without these, the address and the service's name.
    ///
    /// A password that is too long is not checked here: [`Policy::check`] refuses it.
    #[must_use]
    pub fn check_profile(
        &self,
        password: &Candidate,
        address: &Address,
        texts: impl IntoIterator<Item: AsRef<str>>,
    ) -> Vec<Reason> {
        if password.is_too_long() {
            return Vec::new();
        }
        let mut rest = Remainder::of(password);
        rest.take_out(&self.service_name);
        rest.take_out_address(address);
        let mut found = false;
        for text in texts {
            found |= rest.take_out(text.as_ref());
        }
        if found && rest.is_too_little() {
            vec![Reason::ContainsProfile]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::words::tests as words;

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
            (
                "👩‍👩‍👧‍👦🐎🔋📎".to_owned(),
                vec![too_short(8)],
                "4 emoji of 10 code points, 7 of them visible",
            ),
            ("👩‍👩‍👧‍👦🐎🔋📎🌊".to_owned(), vec![], "8 visible code points"),
            ("z".repeat(256), vec![], "256 code points"),
            ("z".repeat(257), vec![TooLong], "257 code points"),
            ("🔑".repeat(256), vec![], "256 code points of four octets"),
            (
                "e\u{301}".repeat(256),
                vec![],
                "256 after NFC, 512 as typed",
            ),
            ("e\u{301}".repeat(257), vec![TooLong], "257 after NFC"),
            (
                "vK4# tq9".to_owned(),
                vec![too_short(8)],
                "7 visible code points and a space",
            ),
            (
                "correct horse battery staple".to_owned(),
                vec![],
                "letters and spaces only",
            ),
            ("        ".to_owned(), vec![too_short(8)], "8 spaces"),
            ("\t".repeat(8), vec![too_short(8)], "8 tabs"),
            ("\0".repeat(9), vec![too_short(8)], "9 NULs"),
            (
                "\u{200b}".repeat(10),
                vec![too_short(8)],
                "10 zero-width spaces",
            ),
            (
                "\u{3164}\u{2800}\u{e0041}\u{fe0f}".repeat(4),
                vec![too_short(8)],
                "fillers, blanks, tags and selectors",
            ),
            (
                "\u{85}\u{3000}\u{2028}\u{1680}".repeat(4),
                vec![too_short(8)],
                "other white space",
            ),
            (
                "vK4#tq9\u{ad}\u{feff}\u{7f}".to_owned(),
                vec![too_short(8)],
                "7 visible code points and three others",
            ),
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
    fn lists_are_compared_whatever_the_width_the_white_space_and_what_cannot_be_seen() {
        use Reason::{Breached, TooCommon};
        for (typed, reason, why) in [
            ("password ", TooCommon, "a space behind it"),
            ("p a s s w o r d", TooCommon, "spaces between"),
            ("\tPass\u{3000}word\u{a0}", TooCommon, "other white space"),
            ("ｐａｓｓｗｏｒｄ", TooCommon, "full width"),
            ("pass\u{200b}wo\u{ad}rd", TooCommon, "invisible characters"),
            ("pass\0word", TooCommon, "a control character"),
            ("𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝", TooCommon, "bold letters of mathematics"),
            ("１２３４５６７８", TooCommon, "full-width digits"),
            ("۱۲۳۴۵۶۷۸", TooCommon, "Persian digits"),
            ("١٢٣٤٥٦٧٨", TooCommon, "Arabic digits"),
            ("१२३४५६७८", TooCommon, "Devanagari digits"),
            ("password๑", TooCommon, "a Thai digit behind a word"),
            ("i owned you", Breached, "a breached one with spaces"),
            (
                "ＩＯｗｎｅｄＹｏｕ",
                Breached,
                "a breached one in full width",
            ),
        ] {
            let reasons = policy().check(&candidate(typed));
            assert_eq!(reasons, [reason], "{why}: {typed:?}");
        }
    }

    #[test]
    fn nothing_else_is_checked_of_a_password_that_is_too_long() {
        let policy = Policy {
            service_name: "Sail Alias".to_owned(),
            ..policy()
        };
        let address = Address::parse("alias@example.com").unwrap();
        for typed in [
            "@".repeat(16_000),
            "alias".repeat(52),
            "a\u{301}!".repeat(200),
            "12345678".to_owned() + &" ".repeat(249),
        ] {
            let typed = candidate(&typed);
            words::COMPARISONS.set(0);
            assert_eq!(policy.check(&typed), [Reason::TooLong]);
            assert_eq!(policy.check_address(&typed, &address), []);
            assert_eq!(policy.check_profile(&typed, &address, ["alias"]), []);
            assert_eq!(words::COMPARISONS.get(), 0);
        }
    }

    #[test]
    fn known_words_of_all_kinds_leave_too_little_together() {
        use Reason::{ContainsAddress, ContainsProfile, ContainsServiceName};
        let policy = Policy {
            service_name: "Perpustakaan".to_owned(),
            ..policy()
        };
        let address = Address::parse("kurniawan@example.com").unwrap();
        let profile = ["Muhammad", "0812-3456-7890"];
        let told = |typed: &str| {
            let typed = candidate(typed);
            [
                policy.check(&typed),
                policy.check_address(&typed, &address),
                policy.check_profile(&typed, &address, profile),
            ]
            .concat()
        };
        for (typed, reasons) in [
            ("perpustakaan1", vec![ContainsServiceName]),
            ("kurniawan1", vec![ContainsAddress]),
            ("muhammad-vk1", vec![ContainsProfile]),
            ("kurniawan-perpustakaan", vec![ContainsAddress]),
            ("muhammadkurniawan", vec![ContainsProfile]),
            ("perpustakaan/muhammad", vec![ContainsProfile]),
            (
                "+6281234567890 muhammad@perpustakaan",
                vec![ContainsProfile],
            ),
            ("kurniawan perpustakaan muhammad qx72kv9w", vec![]),
            ("muhammad kurniawan qx72kv9", vec![ContainsProfile]),
            ("perpustakaan qx72kv9w", vec![]),
        ] {
            assert_eq!(told(typed), reasons, "{typed:?}");
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
    fn a_breached_password_is_reported_beside_the_other_reasons() {
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
        assert_eq!(policy.check(&candidate("vK4# tq9z ")), []);
    }

    #[test]
    fn the_persons_own_address_is_refused_as_a_password() {
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
            let reasons = policy().check_address(&candidate(typed), &address);
            assert_eq!(reasons == [Reason::ContainsAddress], refused, "{why}");
            assert_eq!(reasons.is_empty(), !refused, "{why}");
        }
    }

    #[test]
    fn texts_of_the_profile_are_refused_as_passwords() {
        let address = Address::parse("ann@example.com").unwrap();
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
            let reasons = policy().check_profile(&candidate(typed), &address, profile);
            assert_eq!(reasons == [Reason::ContainsProfile], refused, "{why}");
            assert_eq!(reasons.is_empty(), !refused, "{why}");
        }
        assert_eq!(
            policy().check_profile(&candidate("Budi Santoso"), &address, ["budi santoso"; 2]),
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
