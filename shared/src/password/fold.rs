//! The form in which passwords are compared with the lists and with known words.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

use crate::unicode::is_invisible;

/// Folds case and width: texts that differ in nothing else are the same afterwards (compatibility
/// caseless matching, Unicode 3.13, D146). `Ｐａｓｓ` becomes `pass`, and `ﬁ` becomes `fi`.
pub(super) fn fold(text: &str) -> impl Iterator<Item = char> {
    text.nfd()
        .default_case_fold()
        .nfkd()
        .default_case_fold()
        .nfkc()
}

/// Whether a person sees that a character is there.
pub(super) fn is_visible(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !is_ignorable(character)
}

/// Whether a character shows nothing: the default-ignorable ones, the format controls that are not
/// among them, and the Braille pattern without dots.
pub(super) fn is_ignorable(character: char) -> bool {
    is_invisible(character)
        || matches!(character,
            '\u{2800}'                  // Braille pattern without dots
            | '\u{fff9}'..='\u{fffb}'   // interlinear annotation
            | '\u{13430}'..='\u{1343f}' // Egyptian hieroglyph format controls
        )
}
