//! The limits of DynamoDB items, so that a file of users can be checked before any of it is written.
//!
//! The limits are those of the developer guide, "Constraints in Amazon DynamoDB" and "DynamoDB item sizes
//! and formats".

use aws_sdk_dynamodb::types::AttributeValue;
use thiserror::Error;

/// The largest item, in octets: names and values.
const MAX_ITEM: usize = 400 * 1024;

/// The room that is left in an item for a password, its time and an earlier status, which are written later.
const ROOM: usize = 1024;

/// The longest name of an attribute, in octets, except for those of keys.
const MAX_NAME: usize = 65_535;

/// How deep values may be nested. The value of an attribute is the first level.
const MAX_DEPTH: usize = 32;

/// Significant digits of a number.
const MAX_DIGITS: usize = 38;

/// The range of the power of ten of a number's first digit.
const MAGNITUDES: std::ops::RangeInclusive<i64> = -130..=125;

/// Why a user or an attribute cannot be stored. If it is an attribute, the caller names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum NoItem {
    #[error("has a field without a name, which DynamoDB does not take")]
    EmptyName,
    #[error(
        "has a field whose name is longer than {MAX_NAME} octets, which DynamoDB does not take"
    )]
    LongName,
    #[error("has a number of more than {MAX_DIGITS} digits, which DynamoDB does not take")]
    Digits,
    #[error("has a number beyond the range that DynamoDB takes (1e-130 to 9.99e125)")]
    Magnitude,
    #[error("is nested deeper than {MAX_DEPTH} levels, which DynamoDB does not take")]
    Depth,
    #[error(
        "is too large: DynamoDB takes {} octets, and this is {octets}",
        MAX_ITEM - ROOM
    )]
    Size { octets: usize },
}

/// Checks the value of an attribute, but not its size.
pub(crate) fn check(value: &AttributeValue) -> Result<(), NoItem> {
    check_value(value, 1)
}

/// Checks the size of an item, given in octets.
pub(crate) fn check_size(octets: usize) -> Result<(), NoItem> {
    if octets > MAX_ITEM - ROOM {
        return Err(NoItem::Size { octets });
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), NoItem> {
    match name.len() {
        0 => Err(NoItem::EmptyName),
        1..=MAX_NAME => Ok(()),
        _ => Err(NoItem::LongName),
    }
}

fn check_value(value: &AttributeValue, depth: usize) -> Result<(), NoItem> {
    if depth > MAX_DEPTH {
        return Err(NoItem::Depth);
    }
    match value {
        AttributeValue::N(text) => Number::parse(text).check(),
        AttributeValue::L(values) => values
            .iter()
            .try_for_each(|value| check_value(value, depth + 1)),
        AttributeValue::M(map) => map.iter().try_for_each(|(name, value)| {
            check_name(name)?;
            check_value(value, depth + 1)
        }),
        _ => Ok(()),
    }
}

/// The size of an attribute in octets, its name included.
pub(crate) fn size(name: &str, value: &AttributeValue) -> usize {
    name.len() + value_size(value)
}

/// The size of a value. It is never smaller than what DynamoDB counts, which documents only an approximate
/// size for numbers.
fn value_size(value: &AttributeValue) -> usize {
    // A list or a map takes three more octets, and one for each element.
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(text) => Number::parse(text).size(),
        AttributeValue::B(octets) => octets.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(texts) => texts.iter().map(|text| Number::parse(text).size()).sum(),
        AttributeValue::Bs(all) => all.iter().map(|octets| octets.as_ref().len()).sum(),
        AttributeValue::L(values) => {
            3 + values
                .iter()
                .map(|value| 1 + value_size(value))
                .sum::<usize>()
        }
        AttributeValue::M(map) => {
            let elements = map.iter().map(|(name, value)| 1 + size(name, value));
            3 + elements.sum::<usize>()
        }
        _ => 1,
    }
}

/// A decimal number of any length, as JSON and DynamoDB write one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    /// The significant digits: none for zero.
    digits: String,
    /// The power of ten that the first digit stands for.
    magnitude: i64,
}

impl Number {
    /// Reads a number, which the text has to be.
    pub(crate) fn parse(text: &str) -> Self {
        let unsigned = text.trim_start_matches(['-', '+']);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let leading = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').to_owned();
        // What does not fit is far beyond any limit.
        let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') {
            i64::MIN / 2
        } else {
            i64::MAX / 2
        });
        let before_point = i64::try_from(whole.len()).unwrap_or(i64::MAX / 4);
        let leading = i64::try_from(leading).unwrap_or(i64::MAX / 4);
        Self {
            negative: text.starts_with('-') && !digits.is_empty(),
            magnitude: if digits.is_empty() {
                0
            } else {
                (before_point - 1 - leading).saturating_add(exponent)
            },
            digits,
        }
    }

    /// Checks it against DynamoDB's range and precision.
    pub(crate) fn check(&self) -> Result<(), NoItem> {
        if self.digits.len() > MAX_DIGITS {
            Err(NoItem::Digits)
        } else if !MAGNITUDES.contains(&self.magnitude) {
            Err(NoItem::Magnitude)
        } else {
            Ok(())
        }
    }

    /// An octet for two digits on either side of the point, one more, and one for a sign.
    fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 2 + usize::from(self.negative)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn n(text: &str) -> AttributeValue {
        AttributeValue::N(text.to_owned())
    }

    fn map(name: &str, value: AttributeValue) -> AttributeValue {
        AttributeValue::M(HashMap::from([(name.to_owned(), value)]))
    }

    #[test]
    fn numbers_have_38_digits_and_a_range() {
        let digits = |count: usize| "7".repeat(count);
        for (text, checked) in [
            ("0".to_owned(), Ok(())),
            ("-0.000e999999999999999999999".to_owned(), Ok(())),
            (digits(38), Ok(())),
            (digits(39), Err(NoItem::Digits)),
            (format!("{}0000", digits(38)), Ok(())),
            (format!("0.000{}", digits(38)), Ok(())),
            (format!("-1.{}", digits(38)), Err(NoItem::Digits)),
            ("1e125".to_owned(), Ok(())),
            ("9.9999E+125".to_owned(), Ok(())),
            ("1e126".to_owned(), Err(NoItem::Magnitude)),
            ("0.01e127".to_owned(), Ok(())),
            ("-1e300".to_owned(), Err(NoItem::Magnitude)),
            ("1e99999999999999999999".to_owned(), Err(NoItem::Magnitude)),
            ("1e-130".to_owned(), Ok(())),
            ("0.1e-130".to_owned(), Err(NoItem::Magnitude)),
            ("1e-200".to_owned(), Err(NoItem::Magnitude)),
            ("1e-99999999999999999999".to_owned(), Err(NoItem::Magnitude)),
        ] {
            assert_eq!(Number::parse(&text).check(), checked, "{text}");
            assert_eq!(check(&n(&text)), checked, "{text}");
        }
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (one, other) in [("1.0", "1"), ("1e2", "100"), ("-0", "0"), ("0.5", "5e-1")] {
            assert_eq!(Number::parse(one), Number::parse(other), "{one}");
        }
        assert_ne!(Number::parse("1"), Number::parse("-1"));
        assert_ne!(Number::parse("1"), Number::parse("10"));
    }

    #[test]
    fn values_are_nested_32_levels_deep_at_most() {
        let nested = |levels: usize, wrap: fn(AttributeValue) -> AttributeValue| {
            (1..levels).fold(s("x"), |value, _| wrap(value))
        };
        let wraps: [fn(AttributeValue) -> AttributeValue; 2] = [
            |value| map("a", value),
            |value| AttributeValue::L(vec![value]),
        ];
        for wrap in wraps {
            assert_eq!(check(&nested(32, wrap)), Ok(()));
            assert_eq!(check(&nested(33, wrap)), Err(NoItem::Depth));
        }
    }

    #[test]
    fn every_name_has_a_letter_at_least_and_at_most_64_kib_less_one() {
        let longest = "n".repeat(65_535);
        for (name, checked) in [
            ("n", Ok(())),
            ("", Err(NoItem::EmptyName)),
            (longest.as_str(), Ok(())),
            (&format!("{longest}n"), Err(NoItem::LongName)),
        ] {
            let nested = AttributeValue::L(vec![map(name, s("x"))]);
            assert_eq!(check(&nested), checked, "{}", name.len());
        }
    }

    #[test]
    fn sizes_are_those_of_the_developer_guide() {
        for (value, octets) in [
            (s("héllo"), 6),
            (AttributeValue::Bool(true), 1),
            (AttributeValue::Null(true), 1),
            (AttributeValue::L(vec![]), 3),
            (AttributeValue::M(HashMap::new()), 3),
            (AttributeValue::L(vec![s("ab"), s("c")]), 3 + 3 + 2),
            (map("ab", s("cde")), 3 + 1 + 2 + 3),
        ] {
            assert_eq!(size("name", &value), 4 + octets, "{value:?}");
        }
        assert_eq!(check_size(408_576), Ok(()));
        assert_eq!(check_size(408_577), Err(NoItem::Size { octets: 408_577 }));
    }
}
