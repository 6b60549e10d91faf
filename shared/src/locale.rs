//! The two languages, and which of them a person gets.

use std::num::ParseFloatError;

use serde::{Deserialize, Serialize};

/// A language of messages and mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    En,
    /// Indonesian.
    Id,
}

impl Locale {
    /// Both languages.
    pub const ALL: [Self; 2] = [Self::En, Self::Id];

    /// Its language tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Id => "id",
        }
    }

    /// The language of a tag, whatever its region or encoding: `en-GB`, `id_ID`, `id_ID.UTF-8`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag
            .split(['-', '_', '.', '@'])
            .next()
            .unwrap_or_default()
            .trim();
        // `in` is what Java still calls Indonesian.
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "id" | "in" => Some(Self::Id),
            _ => None,
        }
    }

    /// The language that an `Accept-Language` header prefers (RFC 9110, 12.5.4), if it asks for one of the two.
    ///
    /// The ranges are looked up as RFC 4647, 3.4, describes: regions are dropped, and `*` asks for no particular
    /// language. Only if one of the two is refused (`en;q=0, *`), it asks for the other.
    ///
    /// Weights are read as they are meant: `Q` is `q`, and `.9`, `0,9`, `"0.9"` and `90%` are 0.9. A weight that
    /// is not a number ranks its language behind all others. An octet beyond ASCII counts as a blank.
    ///
    /// No crate does this: `accept-language` knows none of it, and its sort may panic on a quality of `NaN`.
    #[must_use]
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        let text = accept_language.replace(|c: char| !c.is_ascii(), " ");
        let mut best: Option<(f64, Self)> = None;
        let mut refused = Vec::new();
        let mut takes_any = false;
        for range in ranges(&text) {
            let (tag, parameters) = range.split_once(';').unwrap_or((&range, ""));
            let weight = weight(parameters);
            match Self::of_tag(tag) {
                Some(locale) if weight <= 0.0 => refused.push(locale),
                Some(locale) if best.is_none_or(|(heaviest, _)| weight > heaviest) => {
                    best = Some((weight, locale));
                }
                Some(_) => {}
                None => takes_any |= tag.trim() == "*" && weight > 0.0,
            }
        }
        let mut left = Self::ALL.into_iter().filter(|it| !refused.contains(it));
        match (best, left.next(), left.next()) {
            (Some((_, locale)), ..) => Some(locale),
            (None, Some(locale), None) if takes_any => Some(locale),
            _ => None,
        }
    }
}

/// The language ranges of a list. A comma between the digits of a weight is a decimal comma.
fn ranges(list: &str) -> Vec<String> {
    let mut ranges = Vec::<String>::new();
    for part in list.split(',').map(str::trim) {
        // No language is a number, so this is the part behind the comma in `q=0,9`.
        let is_fraction = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match ranges.last_mut() {
            Some(range) if is_fraction => range.extend([".", part]),
            _ => ranges.push(part.to_owned()),
        }
    }
    ranges
}

/// The weight among a range's parameters, from 0 to 1; 1 if there is none.
fn weight(parameters: &str) -> f64 {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let number = weight.map_or(Ok(1.0), number);
    match number {
        Ok(number) if !number.is_nan() => number.clamp(0.0, 1.0),
        _ => f64::MIN_POSITIVE,
    }
}

/// A number, in quotes or not, in percent or not.
fn number(text: &str) -> Result<f64, ParseFloatError> {
    let text = text.trim_matches(['"', '\'', ' ', '\t']);
    match text.strip_suffix('%') {
        Some(percent) => Ok(percent.trim_end().parse::<f64>()? / 100.0),
        None => text.parse(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_preferred_of_the_two_languages_is_chosen() {
        for (header, locale) in [
            ("en", Some(Locale::En)),
            ("en-US,en;q=0.9", Some(Locale::En)),
            ("EN-gb", Some(Locale::En)),
            ("id-ID, en;q=0.5", Some(Locale::Id)),
            ("en;q=0.5, id;q=0.8", Some(Locale::Id)),
            ("fr, de;q=0.9, en;q=0.1", Some(Locale::En)),
            ("en;q=0, id;q=0.1", Some(Locale::Id)),
            ("en, id", Some(Locale::En)),
            ("id;q=0.5, en;q=0.5", Some(Locale::Id)),
            ("en;q=0", None),
            ("in", Some(Locale::Id)),
            ("fr", None),
            ("", None),
            (",,;,;q=1", None),
            ("english", None),
            ("zh-Hant-TW, 419", None),
        ] {
            assert_eq!(Locale::negotiate(header), locale, "{header:?}");
        }
    }

    #[test]
    fn a_weight_is_read_as_it_is_meant() {
        for (header, locale) in [
            ("en;Q=0.1, id;q=0.9", Locale::Id),
            ("en;q=.1, id;q=.9", Locale::Id),
            ("id;q=.9, en;q=0.8", Locale::Id),
            ("en;q=0.8999999999999999, id;q=0.9", Locale::Id),
            ("en;q=0.0001, id;q=0.0002", Locale::Id),
            ("en;q=0,9, id;q=0.8", Locale::En),
            ("en;q=0,7,id;q=0,8", Locale::Id),
            ("id;q=0, 8, en;q=0.9", Locale::En),
            ("en;q=,1, id;q=,2", Locale::Id),
            ("en;q=0,05, id;q=0,1", Locale::Id),
            ("en;q=1,0, id;q=0,9", Locale::En),
            ("en;q=0.5, id;q=1.", Locale::Id),
            ("en ; q = 0.1 , id ; q = 0.9", Locale::Id),
            ("en\t;\tq\t=\t0.1\t,\tid\t;\tq=0.9", Locale::Id),
            ("en;level=1;q=0.1, id;q=0.2", Locale::Id),
            ("en;q=-1, id;q=0.1", Locale::Id),
            ("id;q=0.9, en;q=1.5", Locale::En),
            ("en;q=1.5, id;q=0.9", Locale::En),
            ("en;q=\"0.1\", id;q=\"0.9\"", Locale::Id),
            ("id;q=0.8, en;q=\"0.9\"", Locale::En),
            ("id;q=0.8, en;q='0.9'", Locale::En),
            ("id;q=0.8, en;q=90%", Locale::En),
            ("en;q=0.8, id;q=\"90 %\"", Locale::Id),
            ("en;q=0%, id;q=1%", Locale::Id),
            ("en;q=high, id;q=0.1", Locale::Id),
            ("en;q=NaN, id;q=0.1", Locale::Id),
            ("en;q=, id;q=0.1", Locale::Id),
            ("en;q, id;q=0.1", Locale::Id),
            ("en;q=high", Locale::En),
            ("en;q=NaN", Locale::En),
        ] {
            assert_eq!(Locale::negotiate(header), Some(locale), "{header:?}");
        }
    }

    #[test]
    fn an_asterisk_asks_for_what_is_not_refused() {
        for (header, locale) in [
            ("*", None),
            ("*;q=0", None),
            ("fr, *;q=0.5", None),
            ("*, en;q=0.1", Some(Locale::En)),
            ("en-*", Some(Locale::En)),
            ("en;q=0, *", Some(Locale::Id)),
            ("*;q=0.1, id;q=0", Some(Locale::En)),
            ("en;q=0, *;q=0", None),
            ("en;q=0, id;q=0, *", None),
        ] {
            assert_eq!(Locale::negotiate(header), locale, "{header:?}");
        }
    }

    #[test]
    fn what_is_no_ascii_spoils_nothing_but_its_own_range() {
        for (header, locale) in [
            ("fr-\u{e9}, en;q=0.1, id;q=0.9", Locale::Id),
            ("en;q=0.1, id;q=0.9, \u{fffd}", Locale::Id),
            ("\u{fffd}, en", Locale::En),
            ("\u{a0}en;q=0.1\u{a0}, id;q=\u{a0}0.9", Locale::Id),
            ("\u{feff}en", Locale::En),
            ("i\u{e9}n, en;q=0.2", Locale::En),
        ] {
            assert_eq!(Locale::negotiate(header), Some(locale), "{header:?}");
        }
    }

    #[test]
    fn a_tag_is_its_language_whatever_follows_it() {
        for (tag, locale) in [
            ("en-GB", Some(Locale::En)),
            ("id_ID", Some(Locale::Id)),
            ("in", Some(Locale::Id)),
            (" EN ", Some(Locale::En)),
            ("en_US.UTF-8", Some(Locale::En)),
            ("id.utf8", Some(Locale::Id)),
            ("en@euro", Some(Locale::En)),
            ("eng", None),
            ("", None),
        ] {
            assert_eq!(Locale::of_tag(tag), locale, "{tag:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_reading(header in "[a-z*;,=.q0-9NaN \u{e9}-]{0,200}") {
            let _ = Locale::negotiate(&header);
        }

        #[test]
        fn of_two_weights_the_greater_wins(en in 0_u32..=1000, id in 0_u32..=1000) {
            let (en, id) = (f64::from(en) / 1000.0, f64::from(id) / 1000.0);
            let greater = if en > id { Locale::En } else { Locale::Id };
            let expected = (en > 0.0 || id > 0.0).then_some(greater);
            assert_eq!(Locale::negotiate(&format!("id;q={id}, en;q={en}")), expected);
        }
    }
}
