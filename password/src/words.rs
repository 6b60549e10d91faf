//! Takes words that an attacker knows out of a password, and counts the rest.
//!
//! NIST SP 800-63B (3.1.1.2) requires a service to refuse its own name, the person's name, and passwords
//! derived from them. `Budi1990!` is derived from a name, and `budi rides a red horse` is not. So the policy
//! counts how much of a password is left when all known words are taken out.

use std::collections::BTreeSet;

use unicode_normalization::char::{canonical_combining_class, compose};
use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::fold::{decompose, is_ignorable, is_visible};
use crate::{Address, Candidate};

/// How many visible code points a password needs besides known words: as many as the shortest password has.
pub(crate) const OWN: usize = 8;

/// The shortest known word, in letters: shorter ones are in many good passwords.
const SHORTEST: usize = 4;
/// The shortest known word in a script that has no spaces between words, or writes a syllable as a letter.
const SHORTEST_UNSPACED: usize = 2;
/// The shortest known number, in digits.
const SHORTEST_NUMBER: usize = 6;
/// The shortest address, in letters, that is recognised with one letter missing.
const SHORTEST_CUT: usize = 6;

/// The schemes that may precede an address in a password. Here, too, one letter may be missing.
const SCHEMES: [&str; 3] = ["", "mailto", "https"];

/// No place in a password.
const NOWHERE: usize = usize::MAX;

/// How many digits before a known number belong to it: an international prefix and a country code
/// (ITU-T E.164), or the 0 before a national number.
const DIALLED_BEFORE: usize = 5;

/// A character of a folded text.
#[derive(Clone, Copy, Default)]
struct Character {
    folded: char,
    /// How many code points of the text it stands for. A code point that folds to several characters
    /// is counted with the first of them.
    code_points: usize,
    /// Whether it is part of a known word.
    known: bool,
}

impl DefaultIsZeroes for Character {}

/// A password, folded, without white space and invisible characters. Each character is known or not.
/// Wiped when dropped.
pub(crate) struct Remainder(Zeroizing<Vec<Character>>);

impl Remainder {
    /// All of a password. Nothing in it is known yet.
    pub(crate) fn of(password: &Candidate) -> Self {
        let folded = || characters(password.as_str(), is_visible);
        // The whole capacity is reserved at once: growing would leave copies in memory that are not wiped.
        let mut whole = Zeroizing::new(Vec::with_capacity(folded().count()));
        for character in folded() {
            append(&mut whole, character);
        }
        Self(whole)
    }

    /// Takes out all known words of a text. Returns whether there were any.
    pub(crate) fn take_out(&mut self, text: &str) -> bool {
        let mut found = false;
        for word in words(text) {
            found |= self.take_out_word(&word, false);
        }
        for number in numbers(text) {
            found |= self.take_out_number(&number);
        }
        found
    }

    /// Takes out an address as a whole and the words of its local part. Returns whether there were any.
    pub(crate) fn take_out_address(&mut self, address: &Address) -> bool {
        let mut found = self.take_out(address.local_part());
        for spelling in [address.as_str(), &address.readable()] {
            let whole = only_letters(&folded(spelling));
            for scheme in SCHEMES {
                let word: Vec<char> = scheme.chars().chain(whole.iter().copied()).collect();
                found |= whole.len() >= SHORTEST
                    && self.take_out_word(&word, whole.len() >= SHORTEST_CUT);
            }
        }
        found
    }

    /// Whether fewer than [`OWN`] code points are left. Marks that stand alone, between known words or
    /// around them, are not counted.
    pub(crate) fn is_too_little(&self) -> bool {
        let left = self.0.split(|character| character.known);
        let left = left.filter(|part| !part.iter().all(|it| is_mark(it.folded)));
        left.map(own_code_points).sum::<usize>() < OWN
    }

    /// Any six digits in a row of a number count, so that a phone number is recognised in national and
    /// in international form.
    fn take_out_number(&mut self, digits: &[char]) -> bool {
        let mut found = false;
        for part in digits.windows(SHORTEST_NUMBER) {
            found |= self.take_out_word(part, false);
        }
        if found {
            let mut dialled = 0;
            for character in self.0.iter_mut().rev() {
                if !is_letter(character.folded) {
                    continue;
                }
                dialled = match (character.folded.is_ascii_digit(), character.known) {
                    (true, true) => DIALLED_BEFORE,
                    (true, false) if dialled > 0 => {
                        character.known = true;
                        dialled - 1
                    }
                    _ => 0,
                };
            }
        }
        found
    }

    /// Takes out each occurrence of a word. Returns whether there was any.
    fn take_out_word(&mut self, word: &[char], cut: bool) -> bool {
        let occurrences = self.occurrences(word, cut);
        for (first, last) in &occurrences {
            for character in self.0.iter_mut().take(last + 1).skip(*first) {
                character.known = true;
            }
        }
        !occurrences.is_empty()
    }

    /// The first and the last place of each occurrence of a word, whatever the marks between its
    /// letters and the signs that stand for some. If `cut`, one letter may be missing.
    ///
    /// Compares each character of the password with each letter of the word once, so no password
    /// makes it slow.
    fn occurrences(&self, word: &[char], cut: bool) -> Vec<(usize, usize)> {
        let mut occurrences = Vec::new();
        if word.len() > self.0.len() + usize::from(cut) {
            return occurrences;
        }
        // For each number of letters, from 1 on: where the longest text begins that ends here and has
        // that many letters of the word; all of them, or all but one.
        let mut begins = vec![[NOWHERE; 2]; word.len()];
        for (at, typed) in self.0.iter().enumerate() {
            let is_skipped = !is_letter(typed.folded);
            // Of a text one letter shorter, before this character.
            let mut shorter = [at, NOWHERE];
            // Of the whole word and of the word without its last letter, after this character.
            let (mut whole, mut but_last) = ([NOWHERE; 2], [NOWHERE; 2]);
            for (letter, begin) in word.iter().zip(&mut begins) {
                let mut before = *begin;
                if cut {
                    before[1] = before[1].min(shorter[0]);
                }
                let mut after = if is_skipped { before } else { [NOWHERE; 2] };
                if stands_for(typed.folded, *letter) {
                    after = [after[0].min(shorter[0]), after[1].min(shorter[1])];
                }
                *begin = after;
                (shorter, but_last, whole) = (before, whole, after);
            }
            // Marks behind the word are no part of it.
            if let Some(last) = begins.last_mut() {
                *last = [NOWHERE; 2];
            }
            let cut_at_the_end = if cut { but_last[0] } else { NOWHERE };
            let first = whole[0].min(whole[1]).min(cut_at_the_end);
            if first != NOWHERE {
                occurrences.push((first, at));
            }
        }
        occurrences
    }
}

/// The known words of a text: all of it, each word, and each part of a word that is in one script.
/// Marks and accents are left out.
fn words(text: &str) -> BTreeSet<Vec<char>> {
    let folded = folded(text);
    let mut words = BTreeSet::from([only_letters(&folded)]);
    for word in folded.split(|character| !is_in_a_word(*character)) {
        let word = only_letters(word);
        for part in word.chunk_by(|one, next| Script::of(*one) == Script::of(*next)) {
            words.insert(part.to_vec());
            // Where no spaces are written, the names within a name are known words, too.
            if part.first().is_some_and(|it| Script::of(*it).is_unspaced()) {
                words.extend(part.windows(SHORTEST_UNSPACED).map(<[_]>::to_vec));
            }
        }
        words.insert(word);
    }
    words.retain(|word| is_known_word(word));
    words
}

/// The numbers of a text, whatever the marks and spaces between their digits.
fn numbers(text: &str) -> Vec<Vec<char>> {
    let letters = only_letters(&folded(text));
    let parts = letters.chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
    parts
        .filter(|part| part.iter().all(char::is_ascii_digit))
        .map(<[_]>::to_vec)
        .collect()
}

/// The characters of a text, folded, of those that are wanted; each accent behind its letter.
fn characters(text: &str, is_wanted: fn(char) -> bool) -> impl Iterator<Item = Character> {
    text.chars().flat_map(move |code_point| {
        let wanted = decompose(code_point).filter(move |it| is_wanted(*it));
        wanted.enumerate().map(|(index, folded)| Character {
            folded,
            code_points: usize::from(index == 0),
            known: false,
        })
    })
}

/// Appends a character to a text. What makes another letter of the one before it, and no accent, is put
/// together with it: the parts of a Hangul syllable, and the voicing marks of kana.
fn append(text: &mut Vec<Character>, next: Character) {
    let joins = matches!(
        next.folded,
        '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}' | '\u{3099}' | '\u{309a}'
    );
    if joins
        && let Some(last) = text.last_mut()
        && let Some(whole) = compose(last.folded, next.folded)
    {
        last.folded = whole;
        last.code_points += next.code_points;
    } else {
        text.push(next);
    }
}

/// A text, folded like a password, with its white space.
fn folded(text: &str) -> Vec<char> {
    let mut whole = Vec::new();
    for character in characters(text, |it| !is_ignorable(it)) {
        append(&mut whole, character);
    }
    whole.into_iter().map(|it| it.folded).collect()
}

fn only_letters(folded: &[char]) -> Vec<char> {
    let letters = folded.iter().copied();
    letters.filter(|it| is_letter(*it)).collect()
}

/// Whether a character is a letter, a vowel sign or a digit: it counts when words are compared. Accents
/// and the points of Arabic and Hebrew do not, for they are often not typed.
fn is_letter(character: char) -> bool {
    let is_accent = canonical_combining_class(character) != 0;
    character.is_alphanumeric() && (!is_accent || Script::of(character) == Script::Unspaced)
}

/// Whether a character does not end a word: accents and vowel signs do not.
fn is_in_a_word(character: char) -> bool {
    character.is_alphanumeric() || canonical_combining_class(character) != 0
}

fn is_known_word(word: &[char]) -> bool {
    let unspaced = |it: &&char| Script::of(**it).is_unspaced();
    let is_number = word.iter().all(char::is_ascii_digit);
    (word.len() >= SHORTEST && !is_number)
        || word.iter().filter(unspaced).count() >= SHORTEST_UNSPACED
}

/// The kind of characters of a known word, which decides how long it has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Number,
    Han,
    /// Syllables, of which a name has two or three.
    Hangul,
    /// Any other without spaces between words.
    Unspaced,
    Spaced,
}

impl Script {
    fn of(character: char) -> Self {
        match character {
            '0'..='9' => Self::Number,
            '\u{3005}' | '\u{3007}'             // iteration mark, zero
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}' => Self::Han,
            '\u{ac00}'..='\u{d7a3}' => Self::Hangul,
            '\u{e00}'..='\u{fff}'              // Thai, Lao, Tibetan
            | '\u{1000}'..='\u{109f}'          // Myanmar
            | '\u{1780}'..='\u{17ff}'          // Khmer
            | '\u{1950}'..='\u{19ff}'          // Tai Le, New Tai Lue
            | '\u{1a20}'..='\u{1aaf}'          // Tai Tham
            | '\u{1b00}'..='\u{1b7f}'          // Balinese
            | '\u{3041}'..='\u{312f}'          // Hiragana, Katakana, Bopomofo
            | '\u{31a0}'..='\u{31ff}'          // more of Bopomofo and Katakana
            | '\u{a000}'..='\u{a4cf}'          // Yi
            | '\u{a980}'..='\u{a9ff}'          // Javanese, more of Myanmar
            | '\u{aa60}'..='\u{aadf}'          // more of Myanmar, Tai Viet
            | '\u{1aff0}'..='\u{1b16f}' => Self::Unspaced, // more of Katakana and Hiragana
            _ => Self::Spaced,
        }
    }

    /// Whether two letters are a word, and a name has other names within it.
    const fn is_unspaced(self) -> bool {
        matches!(self, Self::Han | Self::Hangul | Self::Unspaced)
    }
}

/// How many code points of a part count. Marks that follow each other count once each, however often they
/// are repeated: `!!!!` is as easy to guess as `!`.
fn own_code_points(part: &[Character]) -> usize {
    let runs = part.chunk_by(|one, next| is_mark(one.folded) == is_mark(next.folded));
    let counted = runs.flat_map(|run| {
        run.iter().enumerate().filter(|(index, character)| {
            let mut before = run.iter().take(*index);
            !is_mark(character.folded) || before.all(|it| it.folded != character.folded)
        })
    });
    counted.map(|(_, character)| character.code_points).sum()
}

/// Whether a character is punctuation or the like. Emoji and other pictures are not: they are as hard
/// to guess as letters.
fn is_mark(character: char) -> bool {
    let is_picture = matches!(character, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    !character.is_alphanumeric() && !is_picture
}

/// Whether what was typed is a letter, or one of the signs that are commonly typed for it.
fn stands_for(typed: char, letter: char) -> bool {
    #[cfg(test)]
    tests::COMPARISONS.set(tests::COMPARISONS.get() + 1);
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
pub(crate) mod tests;
