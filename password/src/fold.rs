//! The form in which passwords are compared with the lists and with known words.

use std::iter;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::Candidate;
use crate::unicode::{digit, is_invisible};

/// Folds case and width: texts that differ in nothing else are the same afterwards (compatibility
/// caseless matching, Unicode 3.13, D146). `Ｐａｓｓ` becomes `pass`, and `ﬁ` becomes `fi`. Decimal digits
/// of any script become those of ASCII.
pub(crate) fn fold(text: &str) -> impl Iterator<Item = char> {
    fold_case(text.chars()).nfkc().map(ascii_digit)
}

/// Folds one code point like [`fold`], and decomposes it: each accent comes after its letter.
pub(crate) fn decompose(character: char) -> impl Iterator<Item = char> {
    fold_case(iter::once(character))
        .nfkd()
        .map(without_stroke)
        .map(ascii_digit)
}

fn fold_case(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    text.nfd().default_case_fold().nfkd().default_case_fold()
}

fn ascii_digit(character: char) -> char {
    digit(character).map_or(character, |value| char::from(b'0' + value))
}

/// Replaces a letter with a stroke by the plain letter, which people type if their keyboard lacks the other.
/// Unicode does not decompose these letters.
fn without_stroke(letter: char) -> char {
    match letter {
        'đ' => 'd',
        'ħ' => 'h',
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'ŧ' => 't',
        other => other,
    }
}

/// A password in the form of the lists: folded, without invisible characters. Wiped on drop.
pub(crate) fn listed(password: &Candidate) -> Zeroizing<String> {
    let folded = || fold(password.as_str()).filter(|character| is_visible(*character));
    // The whole capacity is reserved at once: growing would leave copies in memory that are not wiped.
    let mut text = Zeroizing::new(String::with_capacity(folded().map(char::len_utf8).sum()));
    text.extend(folded());
    text
}

/// Whether a person can see a character.
pub(crate) fn is_visible(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !is_ignorable(character)
}

/// Whether a character shows nothing: default-ignorable characters, other format controls, and the Braille
/// pattern without dots.
pub(crate) fn is_ignorable(character: char) -> bool {
    is_invisible(character)
        || matches!(character,
            '\u{2800}'                  // Braille pattern without dots
            | '\u{fff9}'..='\u{fffb}'   // interlinear annotation
            | '\u{13430}'..='\u{1343f}' // Egyptian hieroglyph format controls
        )
}
