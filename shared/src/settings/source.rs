//! Reads single settings by name.

use std::str::FromStr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::SettingsError;
use super::forms::is_color;
use crate::locale::Locale;

/// A variable of the environment, if it is set and is text.
#[expect(
    clippy::disallowed_methods,
    reason = "this module reads the environment for all others"
)]
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A whole number without a sign, leading zeros or anything around it.
pub(super) fn whole_number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Where settings come from, by name.
pub(super) struct Source<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

impl Source<'_> {
    /// A setting as it is written. It is not trimmed, because the template's patterns do not trim either.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    pub(super) fn log_level(&self) -> Result<LevelFilter, SettingsError> {
        match self.text("LOG_LEVEL").as_deref() {
            None | Some("info") => Ok(LevelFilter::INFO),
            Some("error") => Ok(LevelFilter::ERROR),
            Some("warn") => Ok(LevelFilter::WARN),
            Some("debug") => Ok(LevelFilter::DEBUG),
            Some("trace") => Ok(LevelFilter::TRACE),
            Some(other) => Err(SettingsError::NoChoice {
                name: "LOG_LEVEL",
                value: other.to_owned(),
                allowed: "error, warn, info, debug, trace",
            }),
        }
    }

    pub(super) fn language(
        &self,
        name: &'static str,
        default: Locale,
    ) -> Result<Locale, SettingsError> {
        let Some(value) = self.text(name) else {
            return Ok(default);
        };
        let found = Locale::ALL.into_iter().find(|it| it.tag() == value);
        found.ok_or(SettingsError::NoChoice {
            name,
            value,
            allowed: Locale::TAGS,
        })
    }

    /// `BRAND_COLOR`.
    pub(super) fn color(&self) -> Result<String, SettingsError> {
        let color = self.text("BRAND_COLOR");
        let color = color.unwrap_or_else(|| "#1d5b54".to_owned());
        if is_color(&color) {
            Ok(color)
        } else {
            Err(SettingsError::NoColor { value: color })
        }
    }

    /// `true` or `false`. The default is `false`.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, SettingsError> {
        self.either(name, "false, true", [false, true])
    }

    /// One of two words, which `allowed` has with a comma between them. The first is the default.
    pub(super) fn either<T>(
        &self,
        name: &'static str,
        allowed: &'static str,
        [first, second]: [T; 2],
    ) -> Result<T, SettingsError> {
        let words = allowed.split_once(", ");
        match (self.text(name), words) {
            (None, _) => Ok(first),
            (Some(value), Some((word, _))) if value == word => Ok(first),
            (Some(value), Some((_, word))) if value == word => Ok(second),
            (Some(value), _) => Err(SettingsError::NoChoice {
                name,
                value,
                allowed,
            }),
        }
    }

    pub(super) fn required(&self, name: &'static str) -> Result<String, SettingsError> {
        self.text(name).ok_or(SettingsError::Missing { name })
    }

    pub(super) fn number<T: FromStr + TryFrom<u64>>(
        &self,
        name: &'static str,
        default: T,
        min: u64,
        max: u64,
    ) -> Result<T, SettingsError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let value = whole_number(&text).ok_or(SettingsError::NoNumber {
            name,
            value: text,
            min,
            max,
        })?;
        let out_of_range = SettingsError::OutOfRange {
            name,
            value,
            min,
            max,
        };
        if !(min..=max).contains(&value) {
            return Err(out_of_range);
        }
        T::try_from(value).map_err(|_| out_of_range)
    }

    pub(super) fn seconds(
        &self,
        name: &'static str,
        default: u64,
        min: u64,
        max: u64,
    ) -> Result<Duration, SettingsError> {
        self.number(name, default, min, max)
            .map(Duration::from_secs)
    }

    pub(super) fn days(
        &self,
        name: &'static str,
        default: u64,
        max: u64,
    ) -> Result<Duration, SettingsError> {
        let days: u64 = self.number(name, default, 0, max)?;
        Ok(Duration::from_hours(24 * days))
    }

    /// A request limit. 0 turns it off.
    pub(super) fn throttle(
        &self,
        name: &'static str,
        default: u32,
    ) -> Result<Option<u32>, SettingsError> {
        let limit = self.number(name, default, 0, 1_000_000)?;
        Ok((limit > 0).then_some(limit))
    }
}
