//! Points in time in milliseconds, and the UTC hours and days that throttles count by.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// RFC 3339 in UTC with exactly three decimals, as the clients of both APIs parse it.
const RFC_3339_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A point in time: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The point that a text in RFC 3339 names, in any offset and with any number of decimals.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(millis).ok().map(Self)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This point, `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This point, `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` this point is. Zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Seconds since the epoch, rounded up, for a DynamoDB TTL attribute. Rounded down, an item could be
    /// deleted before it expires.
    #[must_use]
    pub const fn ttl_seconds(self) -> i64 {
        self.0.div_euclid(1000) + if self.0.rem_euclid(1000) == 0 { 0 } else { 1 }
    }

    /// The number of the UTC clock hour, counted from the epoch.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(HOUR)
    }

    /// The number of the UTC day, counted from the epoch.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// The first millisecond of the next UTC clock hour.
    #[must_use]
    pub const fn next_hour(self) -> Self {
        Self((self.hour() + 1) * HOUR)
    }

    /// The first millisecond of the next UTC day.
    #[must_use]
    pub const fn next_day(self) -> Self {
        Self((self.day() + 1) * DAY)
    }

    /// Whole seconds from `earlier` until this point, rounded up and at least 1: a `Retry-After`
    /// (RFC 9110, 10.2.3) after which the same request is no longer refused.
    #[must_use]
    pub fn seconds_after(self, earlier: Self) -> i64 {
        Self(self.0.saturating_sub(earlier.0)).ttl_seconds().max(1)
    }

    /// RFC 3339, UTC, exactly three decimals: `2023-01-06T06:25:41.227Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(RFC_3339_MILLIS).ok())
            .unwrap_or_default()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_with_exactly_three_decimals() {
        for (millis, text) in [
            (1_672_986_341_227, "2023-01-06T06:25:41.227Z"),
            (1_672_986_341_000, "2023-01-06T06:25:41.000Z"),
            (1_672_986_341_020, "2023-01-06T06:25:41.020Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).rfc3339(), text);
        }
    }

    #[test]
    fn a_text_in_rfc_3339_is_a_timestamp_and_no_other_text_is() {
        for (text, millis) in [
            ("2023-01-06T06:25:41.227Z", Some(1_672_986_341_227)),
            ("2023-01-06T06:25:41Z", Some(1_672_986_341_000)),
            ("2023-01-06T08:25:41.2279+02:00", Some(1_672_986_341_227)),
            ("1969-12-31T23:59:59.9999Z", Some(-1)),
            ("2023-01-06", None),
            ("1672986341227", None),
            ("", None),
        ] {
            let expected = millis.map(Timestamp::from_millis);
            assert_eq!(Timestamp::parse_rfc3339(text), expected, "{text}");
        }
    }

    #[test]
    fn ttl_seconds_are_rounded_up() {
        for (millis, seconds) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2)] {
            assert_eq!(Timestamp::from_millis(millis).ttl_seconds(), seconds);
        }
    }

    #[test]
    fn a_retry_after_is_never_shorter_than_the_wait() {
        let now = Timestamp::from_millis(10_000);
        for (until, seconds) in [(10_001, 1), (11_000, 1), (11_001, 2), (9_000, 1)] {
            assert_eq!(Timestamp::from_millis(until).seconds_after(now), seconds);
        }
    }

    #[test]
    fn hours_and_days_end_on_the_utc_clock() {
        let at = Timestamp::from_millis(1_672_986_341_227);
        assert_eq!(at.next_hour().rfc3339(), "2023-01-06T07:00:00.000Z");
        assert_eq!(at.next_day().rfc3339(), "2023-01-07T00:00:00.000Z");
    }
}
