//! The Unicode properties of characters by which typed text is read: digits, dashes, invisible characters.
//!
//! The tables are part of `idna`'s dependencies, so they add nothing to a program that parses addresses.

use icu_properties::props::{Dash, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Whether a character is invisible (`Default_Ignorable_Code_Point`). Nobody types such characters on
/// purpose, but copied text often contains them.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// Whether a character is a hyphen, a dash or a minus sign of any script.
#[must_use]
pub fn is_dash(character: char) -> bool {
    CodePointSetData::new::<Dash>().contains(character)
        || category(u32::from(character)) == GeneralCategory::DashPunctuation
}

/// The value of a decimal digit of any script: 0 to 9.
#[must_use]
pub fn digit(character: char) -> Option<u8> {
    let code_point = u32::from(character);
    if category(code_point) != GeneralCategory::DecimalNumber {
        return None;
    }
    // Decimal digits come in runs of ten, from zero to nine, and one run may directly follow another
    // (Unicode, 4.6). So the number of digits before this one in its block gives its value.
    let before = (0..code_point)
        .rev()
        .take_while(|other| category(*other) == GeneralCategory::DecimalNumber)
        .count();
    u8::try_from(before % 10).ok()
}

fn category(code_point: u32) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get32(code_point)
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{Class, HirKind};

    use super::*;

    /// The ranges of a class as the tables of another project have them.
    fn ranges(class: &str) -> Vec<(char, char)> {
        let parsed = regex_syntax::parse(class).unwrap();
        let HirKind::Class(Class::Unicode(class)) = parsed.kind() else {
            panic!("{class} is no class");
        };
        let ranges = class.ranges().iter();
        ranges.map(|range| (range.start(), range.end())).collect()
    }

    /// Holds a property against a class for every character; the two may differ only where a character
    /// is not assigned yet in the tables of the other project.
    fn assert_same(property: impl Fn(char) -> bool, class: &str) {
        let within = |ranges: &[(char, char)], it| {
            ranges.iter().any(|(from, to)| (*from..=*to).contains(&it))
        };
        let (theirs, unassigned) = (ranges(class), ranges(r"\p{Cn}"));
        for character in '\0'..=char::MAX {
            let (ours, theirs) = (property(character), within(&theirs, character));
            assert!(
                ours == theirs || (ours && within(&unassigned, character)),
                "{character:?}: {ours}, but {class}: {theirs}"
            );
        }
    }

    #[test]
    fn every_default_ignorable_character_is_invisible_and_no_other() {
        assert_same(is_invisible, r"\p{Default_Ignorable_Code_Point}");
    }

    #[test]
    fn every_dash_is_one_and_nothing_else() {
        assert_same(is_dash, r"[\p{Dash}\p{Pd}]");
    }

    #[test]
    fn the_decimal_digits_of_every_script_are_digits_and_nothing_else_is() {
        assert_same(|character| digit(character).is_some(), r"\p{Nd}");
    }

    #[test]
    fn every_block_of_digits_counts_from_zero_to_nine() {
        for (from, to) in ranges(r"\p{Nd}") {
            let values: Vec<_> = (from..=to).filter_map(digit).collect();
            let counted: Vec<_> = (0..=9).cycle().take(values.len()).collect();
            assert_eq!(values, counted, "from {from:?} to {to:?}");
            assert_eq!(values.len() % 10, 0, "from {from:?} to {to:?}");
        }
    }

    #[test]
    fn digits_have_the_values_that_their_readers_know() {
        for digits in [
            "0123456789",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "০১২৩৪৫৬৭৮৯",
            "௦௧௨௩௪௫௬௭௮௯",
            "๐๑๒๓๔๕๖๗๘๙",
            "០១២៣៤៥៦៧៨៩",
            "၀၁၂၃၄၅၆၇၈၉",
            "꧐꧑꧒꧓꧔꧕꧖꧗꧘꧙",
            "᮰᮱᮲᮳᮴᮵᮶᮷᮸᮹",
            "᭐᭑᭒᭓᭔᭕᭖᭗᭘᭙",
            "０１２３４５６７８９",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
            "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡",
            "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿",
        ] {
            let values: Option<Vec<u8>> = digits.chars().map(digit).collect();
            assert_eq!(values.unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "{digits}");
        }
    }
}
