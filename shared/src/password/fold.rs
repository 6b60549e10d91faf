//! The form in which passwords are compared with the lists and with known words.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

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

/// Whether a character shows nothing: the property `Default_Ignorable_Code_Point` of Unicode 17, the
/// format controls outside of it, and the Braille pattern without dots.
pub(super) fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{ad}'                    // soft hyphen
        | '\u{34f}'                 // combining grapheme joiner
        | '\u{61c}'                 // Arabic letter mark
        | '\u{115f}'..='\u{1160}'   // Hangul fillers
        | '\u{17b4}'..='\u{17b5}'   // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'   // Mongolian variation selectors and vowel separator
        | '\u{200b}'..='\u{200f}'   // zero-width spaces and joiners, direction marks
        | '\u{202a}'..='\u{202e}'   // direction embeddings and overrides
        | '\u{2060}'..='\u{206f}'   // word joiner, invisible operators, direction isolates
        | '\u{2800}'                // Braille pattern without dots
        | '\u{3164}'                // Hangul filler
        | '\u{fe00}'..='\u{fe0f}'   // variation selectors
        | '\u{feff}'                // byte order mark
        | '\u{ffa0}'                // half-width Hangul filler
        | '\u{fff0}'..='\u{fffb}'   // unassigned, and interlinear annotation
        | '\u{13430}'..='\u{1343f}' // Egyptian hieroglyph format controls
        | '\u{1bca0}'..='\u{1bca3}' // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}' // musical format controls
        | '\u{e0000}'..='\u{e0fff}' // tags and more variation selectors
    )
}
