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

/// Folds one code point like [`fold`], and takes its accents off: each comes after its letter.
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

/// The letter that is typed where a keyboard lacks one with a stroke. Unicode does not decompose these.
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

/// A password in the form that the lists have: folded, without what cannot be seen. Wiped when dropped.
pub(crate) fn listed(password: &Candidate) -> Zeroizing<String> {
    let folded = || fold(password.as_str()).filter(|character| is_visible(*character));
    // Room for all of it at once: growing would leave copies behind that nothing wipes.
    let mut text = Zeroizing::new(String::with_capacity(folded().map(char::len_utf8).sum()));
    text.extend(folded());
    text
}

/// Whether a person sees that a character is there.
pub(crate) fn is_visible(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !is_ignorable(character)
}

/// Whether a character shows nothing: the default-ignorable ones, the format controls that are not
/// among them, and the Braille pattern without dots.
pub(crate) fn is_ignorable(character: char) -> bool {
    is_invisible(character)
        || matches!(character,
            '\u{2800}'                  // Braille pattern without dots
            | '\u{fff9}'..='\u{fffb}'   // interlinear annotation
            | '\u{13430}'..='\u{1343f}' // Egyptian hieroglyph format controls
        )
}
