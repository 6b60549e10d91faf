//! The two languages, and which of them a person reads.

use serde::{Deserialize, Serialize};

/// A language that texts and mails are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    En,
    /// Indonesian.
    Id,
}

impl Locale {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Id];

    /// Its language tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Id => "id",
        }
    }

    /// The language of a tag, whatever its region: `en-GB`, `id_ID`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().trim();
        // `in` is what Java still calls Indonesian.
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "id" | "in" => Some(Self::Id),
            _ => None,
        }
    }

    /// The language that an `Accept-Language` header prefers (RFC 9110, 12.5.4), if it names one.
    ///
    /// Read here rather than by the crate `accept-language`, whose sort may panic on a quality of
    /// `NaN`, and a caller must not be able to end an instance.
    #[must_use]
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in accept_language.split(',') {
            let mut parts = range.split(';');
            let locale = parts.next().and_then(Self::of_tag);
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1000, weight);
            if let Some(locale) = locale
                && quality > best.map_or(0, |(quality, _)| quality)
            {
                best = Some((quality, locale));
            }
        }
        best.map(|(_, locale)| locale)
    }
}

/// A quality in thousandths; what is no quality counts as "not wanted".
fn weight(quality: &str) -> u16 {
    let (whole, fraction) = quality
        .trim()
        .split_once('.')
        .unwrap_or((quality.trim(), ""));
    match (whole, format!("{fraction:0<3}").parse::<u16>()) {
        ("0", Ok(thousandths)) if thousandths < 1000 => thousandths,
        ("1", Ok(0)) => 1000,
        _ => 0,
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
            ("en;q=0", None),
            ("in", Some(Locale::Id)),
            ("fr", None),
            ("*", None),
            ("", None),
            ("en;q=NaN", None),
            ("en;q=1.5", None),
            ("english", None),
        ] {
            assert_eq!(Locale::negotiate(header), locale, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_reading(header in "[a-z*;,=.q0-9NaN -]{0,200}") {
            let _ = Locale::negotiate(&header);
        }
    }
}
