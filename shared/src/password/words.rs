//! Whether a password is little more than a word that whoever guesses knows, too.
//!
//! NIST SP 800-63B (3.1.1.2) asks for the name of the service, the person's name and what is
//! derived from them to be refused. `Budi1990!` is derived from a name, `budi rides a red horse` is
//! not: what counts is how much of a password is left when the word is taken out.

use zeroize::Zeroizing;

use super::Candidate;
use crate::address::fold_case;

/// How many code points of its own, white space aside, a password needs besides a word. As many as
/// the shortest password has.
const OWN: usize = 8;

/// The shortest word that is looked for, in code points: shorter ones are in many good passwords.
const SHORTEST: usize = 4;

/// A password, prepared for being looked through: folded, without white space. Wiped when dropped.
pub(super) struct Letters(Zeroizing<Vec<char>>);

impl Letters {
    pub(super) fn of(password: &Candidate) -> Self {
        let password = password.as_str();
        // Room for all of it at once: growing would leave copies behind that nothing wipes.
        // Folding makes up to three code points of one, of which each has an octet at least.
        let mut letters = Zeroizing::new(Vec::with_capacity(password.len() * 3));
        letters.extend(fold_case(password).filter(|character| !character.is_whitespace()));
        Self(letters)
    }

    /// Whether too little is left without a text, or without one of the words in it: whatever the
    /// case, the marks between the letters, and the digits that stand for some.
    pub(super) fn lean_on(&self, text: &str) -> bool {
        let folded: Vec<char> = fold_case(text).collect();
        let words = folded.split(|character| !character.is_alphanumeric());
        let whole: Vec<char> = words.clone().flatten().copied().collect();
        self.lean_on_word(&whole) || words.into_iter().any(|word| self.lean_on_word(word))
    }

    fn lean_on_word(&self, word: &[char]) -> bool {
        if word.len() < SHORTEST {
            return false;
        }
        let (mut own, mut occurs) = (0, false);
        let mut rest = self.0.as_slice();
        while let Some((_, next)) = rest.split_first() {
            rest = if let Some(after) = after_word(rest, word) {
                occurs = true;
                after
            } else {
                own += 1;
                next
            };
        }
        occurs && own < OWN
    }
}

/// What follows the word that a text begins with, if it does.
fn after_word<'a>(text: &'a [char], word: &[char]) -> Option<&'a [char]> {
    let mut rest = text;
    for (place, letter) in word.iter().enumerate() {
        loop {
            let (typed, next) = rest.split_first()?;
            rest = next;
            if stands_for(*typed, *letter) {
                break;
            }
            // Marks may stand between the letters of a word, not before it.
            if place == 0 || typed.is_alphanumeric() {
                return None;
            }
        }
    }
    Some(rest)
}

/// Whether what was typed is a letter, or one of the signs that are commonly typed for it.
fn stands_for(typed: char, letter: char) -> bool {
    typed == letter
        || matches!(
            (typed, letter),
            ('0', 'o')
                | ('1' | '!', 'i' | 'l')
                | ('3', 'e')
                | ('4' | '@', 'a')
                | ('5' | '$', 's')
                | ('7', 't')
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leans(password: &str, text: &str) -> bool {
        let password = Candidate::new(Zeroizing::new(password.to_owned()));
        Letters::of(&password).lean_on(text)
    }

    #[test]
    fn a_password_that_is_a_word_and_little_else_is_noticed() {
        for (password, text, why) in [
            ("Regain", "Regain", "the word"),
            ("regain2026", "Regain", "digits behind it"),
            ("2026-REGAIN!", "Regain", "digits before it, a mark behind"),
            ("xyregainvk4", "Regain", "letters around it"),
            ("xyzregainvk4t", "Regain", "7 of its own, and no more"),
            ("R3g41n2026", "Regain", "digits for letters"),
            ("r-e.g_a i n 12", "Regain", "marks and spaces between"),
            ("regainregain1", "Regain", "twice"),
            ("budisantoso", "Budi Santoso", "two words as one"),
            ("Santoso#1990", "Budi Santoso", "one word of two"),
            ("+62-811-0000-1234", "+62 811 0000 1234", "a number"),
            ("19900517ab", "1990-05-17", "a date"),
            ("JU\u{308}RGEN12", "Jürgen", "decomposed, in upper case"),
            ("strasse7", "Straße", "folded"),
            ("Регина2026", "РЕГИНА", "Cyrillic"),
            ("たなかたろう12", "たなか たろう", "Japanese"),
            ("$4nt0$0!!", "santoso", "signs for letters"),
        ] {
            assert!(leans(password, text), "{why}: {password:?} and {text:?}");
        }
    }

    #[test]
    fn a_password_with_enough_of_its_own_is_left_alone() {
        for (password, text, why) in [
            ("xyzregainvk4tq", "Regain", "8 of its own"),
            ("regain rides a red horse", "Regain", "a sentence"),
            ("vK4#tq9z", "Regain", "nothing of it"),
            ("vK4#tq9", "Regain", "nothing of it, and short"),
            ("regai2026", "Regain", "a part of it"),
            ("regXain26", "Regain", "a letter between"),
            ("ann12345", "Ann", "a word too short to look for"),
            ("        ", "  ", "white space"),
            ("!!!!!!!!", "!!!!", "no letter at all"),
            ("", "Regain", "empty"),
            ("vK4#tq9z", "", "no word"),
        ] {
            assert!(!leans(password, text), "{why}: {password:?} and {text:?}");
        }
    }
}
