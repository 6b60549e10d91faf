//! The languages, and which of them a person gets. `locales/` has one file for each; the build makes [`Locale`] of them.

use std::num::ParseFloatError;
use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/locale.rs"));
include!(concat!(env!("OUT_DIR"), "/durations.rs"));

impl Locale {
    /// The language that a tag leads to (RFC 4647, 3.4): subtags are left off from its end until there is such a
    /// language. Locales of POSIX and Java are tags, too: `id_ID.UTF-8`, and `in`, which Java still calls Indonesian.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.split(['.', '@']).next().unwrap_or_default();
        let tag = tag.trim().to_ascii_lowercase();
        let mut subtags: Vec<&str> = tag.split(['-', '_']).collect();
        // Mandarin is what the tag of Chinese means (`zh-cmn-Hans` and `cmn-Hans` are `zh-Hans`).
        if let ["zh", "cmn", ..] = subtags.as_slice() {
            subtags.remove(0);
        }
        match subtags.as_mut_slice() {
            [language @ "in", ..] => *language = "id",
            [language @ "cmn", ..] => *language = "zh",
            _ => {}
        }
        // Chinese without a script is traditional in three regions, and else simplified. Four letters are a script,
        // three another Chinese language.
        match subtags.as_slice() {
            ["zh", "tw" | "hk" | "mo", ..] => subtags.insert(1, "hant"),
            ["zh"] => subtags.insert(1, "hans"),
            ["zh", next, ..] if is_number(next) || next.len() <= 2 => subtags.insert(1, "hans"),
            _ => {}
        }
        while !subtags.is_empty() {
            let range = subtags.join("-");
            let found = Self::ALL
                .into_iter()
                .find(|it| it.tag().eq_ignore_ascii_case(&range));
            if found.is_some() {
                return found;
            }
            subtags.pop();
            // A single letter introduces the subtags behind it and means nothing without them.
            if subtags.last().is_some_and(|it| it.len() == 1) {
                subtags.pop();
            }
        }
        None
    }

    /// The language that an `Accept-Language` header prefers (RFC 9110, 12.5.4), or `default` if it asks for none of
    /// ours.
    ///
    /// The ranges are looked up as RFC 4647, 3.4, describes, and `*` asks for no particular language. If the header
    /// refuses the default and takes any other (`en;q=0, *`), it gets English, Indonesian or the first that it does
    /// not refuse.
    ///
    /// Weights are read as they are meant: `Q` is `q`, and `.9`, `0,9`, `"0.9"` and `90%` are 0.9. A weight that
    /// is not a number ranks its language behind all others. An octet beyond ASCII counts as a blank.
    ///
    /// No crate does this: `accept-language` knows none of it, and its sort may panic on a quality of `NaN`.
    #[must_use]
    pub fn negotiate(accept_language: &str, default: Self) -> Self {
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
        if let Some((_, locale)) = best {
            return locale;
        }
        let mut others = [default, Self::En, Self::Id].into_iter().chain(Self::ALL);
        match others.find(|it| !refused.contains(it)) {
            Some(locale) if takes_any => locale,
            _ => default,
        }
    }

    /// How long a code is still good, in words: rounded down to minutes, or in seconds below one minute. A
    /// second that has begun counts as a whole one, or a code of ten minutes would always be said to have nine.
    /// More than an hour is said to be an hour: no code lives longer.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> &'static str {
        let whole = lifetime.as_millis().div_ceil(1000);
        let (count, words) = if whole < 60 {
            (whole, seconds(self))
        } else {
            (whole / 60, minutes(self))
        };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let longest = words.last().copied().unwrap_or_default();
        words.get(count).copied().unwrap_or(longest)
    }
}

/// The language ranges of a list. A comma between the digits of a weight is a decimal comma.
fn ranges(list: &str) -> Vec<String> {
    let mut ranges = Vec::<String>::new();
    for part in list.split(',').map(str::trim) {
        // No language is a number, so this is the part behind the comma in `q=0,9`.
        let is_fraction = is_number(part);
        match ranges.last_mut() {
            Some(range) if is_fraction => range.extend([".", part]),
            _ => ranges.push(part.to_owned()),
        }
    }
    ranges
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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

    /// The language that a header prefers, if it asks for one of ours.
    fn preferred(header: &str) -> Option<Locale> {
        let [one, other] = [Locale::Hi, Locale::De].map(|it| Locale::negotiate(header, it));
        (one == other).then_some(one)
    }

    #[test]
    fn the_preferred_language_is_chosen() {
        for (header, locale) in [
            ("en", Some(Locale::En)),
            ("en-US,en;q=0.9", Some(Locale::En)),
            ("EN-gb", Some(Locale::En)),
            ("id-ID, en;q=0.5", Some(Locale::Id)),
            ("en;q=0.5, id;q=0.8", Some(Locale::Id)),
            ("xx, yy;q=0.9, en;q=0.1", Some(Locale::En)),
            ("fr-CA, en;q=0.9", Some(Locale::Fr)),
            ("en;q=0, id;q=0.1", Some(Locale::Id)),
            ("en, id", Some(Locale::En)),
            ("id;q=0.5, en;q=0.5", Some(Locale::Id)),
            ("en;q=0", None),
            ("in", Some(Locale::Id)),
            ("xx", None),
            ("", None),
            (",,;,;q=1", None),
            ("english", None),
            ("zh-Hant-TW, 419", None),
            ("zh-TW, ja;q=0.5", Some(Locale::Ja)),
            ("zh-CN, ja;q=0.5", Some(Locale::ZhHans)),
        ] {
            assert_eq!(preferred(header), locale, "{header:?}");
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
            assert_eq!(preferred(header), Some(locale), "{header:?}");
        }
    }

    #[test]
    fn an_asterisk_asks_for_what_is_not_refused() {
        for (header, default, locale) in [
            ("*", Locale::En, Locale::En),
            ("*;q=0", Locale::Id, Locale::Id),
            ("xx, *;q=0.5", Locale::Id, Locale::Id),
            ("*, en;q=0.1", Locale::Id, Locale::En),
            ("en-*", Locale::Id, Locale::En),
            ("en;q=0, *", Locale::En, Locale::Id),
            ("en;q=0, *", Locale::Fr, Locale::Fr),
            ("*;q=0.1, id;q=0", Locale::Id, Locale::En),
            ("en;q=0, *;q=0", Locale::En, Locale::En),
            ("en;q=0, id;q=0, *", Locale::Id, Locale::ALL[0]),
        ] {
            assert_eq!(Locale::negotiate(header, default), locale, "{header:?}");
        }
    }

    #[test]
    fn what_is_no_ascii_spoils_nothing_but_its_own_range() {
        for (header, locale) in [
            ("xx-\u{e9}, en;q=0.1, id;q=0.9", Locale::Id),
            ("en;q=0.1, id;q=0.9, \u{fffd}", Locale::Id),
            ("\u{fffd}, en", Locale::En),
            ("\u{a0}en;q=0.1\u{a0}, id;q=\u{a0}0.9", Locale::Id),
            ("\u{feff}en", Locale::En),
            ("i\u{e9}n, en;q=0.2", Locale::En),
        ] {
            assert_eq!(preferred(header), Some(locale), "{header:?}");
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
            ("pt-BR", Some(Locale::Pt)),
            ("es-419", Some(Locale::Es)),
            ("en-x-private", Some(Locale::En)),
            ("zh", Some(Locale::ZhHans)),
            ("zh_CN.UTF-8", Some(Locale::ZhHans)),
            ("zh-SG", Some(Locale::ZhHans)),
            ("zh-US", Some(Locale::ZhHans)),
            ("zh_ID.UTF-8", Some(Locale::ZhHans)),
            ("zh-156", Some(Locale::ZhHans)),
            ("zh-u-nu-latn", Some(Locale::ZhHans)),
            ("cmn", Some(Locale::ZhHans)),
            ("cmn-Hans-CN", Some(Locale::ZhHans)),
            ("zh-cmn-Hans-CN", Some(Locale::ZhHans)),
            ("cmn-TW", None),
            ("zh-cmn-Hant", None),
            ("zh-yue", None),
            ("zh-Latn", None),
            ("zh-Hans-HK", Some(Locale::ZhHans)),
            ("zh-HK", None),
            ("zh-Hant", None),
            ("eng", None),
            ("", None),
        ] {
            assert_eq!(Locale::of_tag(tag), locale, "{tag:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_reading(header in "[a-z*;,=.q0-9NaN \u{e9}-]{0,200}") {
            let _ = Locale::negotiate(&header, Locale::En);
        }

        #[test]
        fn of_two_weights_the_greater_wins(en in 0_u32..=1000, id in 0_u32..=1000) {
            let (en, id) = (f64::from(en) / 1000.0, f64::from(id) / 1000.0);
            let greater = if en > id { Locale::En } else { Locale::Id };
            let expected = (en > 0.0 || id > 0.0).then_some(greater);
            assert_eq!(preferred(&format!("id;q={id}, en;q={en}")), expected);
        }
    }

    #[test]
    fn a_lifetime_is_worded_in_the_readers_language() {
        for (millis, english, indonesian, arabic) in [
            (600_000, "10 minutes", "10 menit", "10 دقائق"),
            (599_400, "10 minutes", "10 menit", "10 دقائق"),
            (3_600_000, "60 minutes", "60 menit", "60 دقيقة"),
            (3_599_000, "59 minutes", "59 menit", "59 دقيقة"),
            (598_000, "9 minutes", "9 menit", "9 دقائق"),
            (179_000, "2 minutes", "2 menit", "دقيقتين"),
            (120_000, "2 minutes", "2 menit", "دقيقتين"),
            (119_000, "1 minute", "1 menit", "دقيقة واحدة"),
            (91_000, "1 minute", "1 menit", "دقيقة واحدة"),
            (89_000, "1 minute", "1 menit", "دقيقة واحدة"),
            (60_000, "1 minute", "1 menit", "دقيقة واحدة"),
            (59_000, "59 seconds", "59 detik", "59 ثانية"),
            (1_001, "2 seconds", "2 detik", "ثانيتين"),
            (1_000, "1 second", "1 detik", "ثانية واحدة"),
            (7_200_000, "60 minutes", "60 menit", "60 دقيقة"),
        ] {
            let lifetime = Duration::from_millis(millis);
            assert_eq!(Locale::En.lifetime(lifetime), english);
            assert_eq!(Locale::Id.lifetime(lifetime), indonesian);
            assert_eq!(Locale::Ar.lifetime(lifetime), arabic);
        }
    }
}
