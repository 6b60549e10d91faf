//! Suppression: an address that bounced or complained gets fewer mails, or none.
//!
//! It is an attribute of the address's lookup item, which only the delivery of mail reads. If the users live
//! elsewhere, it is an item of its own. Hard bounces
//! suppress an address for longer each time, and in the end for good. A complaint suppresses codes for
//! good. Only an operator resets the count, because SES does not report that a mail has arrived.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use regain_password::Address;
use serde::{Deserialize, Serialize};

use super::{Item, MailContent, Store, StoreError, Transacted, Updated, keys, n, read, updated};
use crate::keys::AddressKey;
use crate::timestamp::Timestamp;

/// For how long the first hard bounces of an address suppress it. The next one suppresses it for good.
const PAUSES: [Duration; 3] = [
    Duration::from_hours(24),
    Duration::from_hours(7 * 24),
    Duration::from_hours(30 * 24),
];
/// How often a write is tried again after another one came before it.
const RETRIES: u32 = 5;

/// The suppression of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: Suppression,
    /// How many mails have caused it. A bounce counts if its mail was sent after the suppression before it
    /// had ended, a complaint if its mail was sent after the suppression had begun. Items of older versions
    /// have no count.
    #[serde(default = "one")]
    pub count: u32,
    /// When it ends. Without an end, it is for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

const fn one() -> u32 {
    1
}

/// Why an address is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suppression {
    /// Its server refused a mail for good.
    Bounced,
    /// Its owner called a mail spam.
    Complained,
}

impl Suppression {
    /// The word that is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}

/// Which mails a suppression stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All of them.
    All,
    /// Codes. The notice that the password was changed is still mailed.
    Codes,
    /// None, because it has ended.
    None,
}

impl Suppressed {
    /// The suppression in the lookup item of an address, if it is or was suppressed.
    ///
    /// # Errors
    /// If the item is not as this version writes it.
    pub fn read(lookup: Item) -> Result<Option<Self>, StoreError> {
        let holder: Holder = read(lookup)?;
        Ok(holder.suppressed)
    }

    /// Which mails it stops at that time.
    #[must_use]
    pub fn stopped(&self, at: Timestamp) -> Stopped {
        match self.why {
            Suppression::Bounced if self.until.is_some_and(|until| at >= until) => Stopped::None,
            Suppression::Bounced => Stopped::All,
            // Somebody who reports codes as spam still gets the notice of a changed password, until that is
            // reported as well.
            Suppression::Complained if self.count > 1 => Stopped::All,
            Suppression::Complained => Stopped::Codes,
        }
    }

    pub(crate) fn stops(&self, content: &MailContent, at: Timestamp) -> bool {
        match self.stopped(at) {
            Stopped::All => true,
            Stopped::Codes => matches!(content, MailContent::Code { .. }),
            Stopped::None => false,
        }
    }

    /// The suppression after a report about a mail that was sent at `sent_at`. `None` if the report changes
    /// nothing: if it is repeated, or its mail was under way when the suppression began.
    fn after(
        before: Option<Self>,
        why: Suppression,
        sent_at: Timestamp,
        at: Timestamp,
    ) -> Option<Self> {
        let count = match before {
            None => 1,
            Some(before) => match before.why {
                Suppression::Bounced => {
                    let until = before.until?;
                    match why {
                        Suppression::Bounced if sent_at < until => return None,
                        Suppression::Bounced => before.count.saturating_add(1),
                        // A complaint has no end, so it replaces a suppression that has one.
                        Suppression::Complained => 1,
                    }
                }
                Suppression::Complained if sent_at <= before.at => return None,
                Suppression::Complained => before.count.saturating_add(1),
            },
        };
        let is_complaint = before.is_some_and(|before| before.why == Suppression::Complained);
        let why = if is_complaint {
            Suppression::Complained
        } else {
            why
        };
        let pause = usize::try_from(count - 1)
            .ok()
            .and_then(|past| PAUSES.get(past));
        let until = match why {
            Suppression::Bounced => pause.map(|pause| at.plus(*pause)),
            Suppression::Complained => None,
        };
        Some(Self {
            at,
            why,
            count,
            until,
        })
    }
}

/// An address, by the item that holds its suppression.
#[derive(Clone, Copy, Debug)]
pub enum Mailbox<'a> {
    /// The lookup item of the user in the table who has the address.
    InTable(&'a Address),
    /// An item that is named by the address's keyed digest, because the table has no users.
    Elsewhere(&'a AddressKey),
}

impl<'a> From<&'a Address> for Mailbox<'a> {
    fn from(address: &'a Address) -> Self {
        Self::InTable(address)
    }
}

impl Mailbox<'_> {
    fn key(self) -> String {
        match self {
            Self::InTable(address) => keys::email(address),
            Self::Elsewhere(key) => keys::suppressed(key),
        }
    }

    /// The condition on which an address is suppressed for the first time. In the table, somebody has to have it.
    const fn is_first(self) -> &'static str {
        match self {
            Self::InTable(_) => "attribute_exists(pk) AND attribute_not_exists(suppressed)",
            Self::Elsewhere(_) => "attribute_not_exists(suppressed)",
        }
    }
}

#[derive(Deserialize)]
struct Holder {
    suppressed: Option<Suppressed>,
}

impl Store {
    /// The suppression of an address, if it is or was suppressed.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn suppressed<'a>(
        &self,
        mailbox: impl Into<Mailbox<'a>>,
    ) -> Result<Option<Suppressed>, StoreError> {
        let holder: Option<Holder> = self.get(mailbox.into().key()).await?;
        Ok(holder.and_then(|holder| holder.suppressed))
    }

    /// Suppresses an address, if somebody has it, because a mail that was sent at `sent_at` bounced for good
    /// or was reported as spam.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn suppress<'a>(
        &self,
        mailbox: impl Into<Mailbox<'a>>,
        why: Suppression,
        sent_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mailbox = mailbox.into();
        let mut before = None;
        for _ in 0..=RETRIES {
            let Some(next) = Suppressed::after(before, why, sent_at, at) else {
                return Ok(());
            };
            let next: AttributeValue = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(next)
                .map_err(|error| StoreError::Malformed(error.into()))?;
            let update = self
                .update_item(mailbox.key())
                .update_expression("SET suppressed = :next")
                .expression_attribute_values(":next", next);
            let update = match before {
                None => update.condition_expression(mailbox.is_first()),
                Some(before) => update
                    .condition_expression("suppressed.#at = :before")
                    .expression_attribute_names("#at", "at")
                    .expression_attribute_values(":before", n(before.at.millis())),
            };
            before = match self.update_one(update).await? {
                Updated::Done(_) | Updated::Refused(None) => return Ok(()),
                Updated::Refused(Some(item)) => Suppressed::read(item)?,
            };
        }
        Err(StoreError::Contended)
    }

    /// Lifts the suppression of an address, and resets its count.
    ///
    /// Returns whether there was anything to clear.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn clear_suppression<'a>(
        &self,
        mailbox: impl Into<Mailbox<'a>>,
    ) -> Result<bool, StoreError> {
        let update = self
            .update(mailbox.into().key())
            .update_expression("REMOVE suppressed")
            .condition_expression("attribute_exists(suppressed)");
        let written = self.transact(vec![updated(update)?]).await?;
        Ok(matches!(written, Transacted::Applied))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_773_144_000_000).plus(Duration::from_secs(seconds))
    }

    /// The suppression after reports about mails, each reported a second after it was sent.
    fn after(reports: &[(Suppression, u64)]) -> Option<Suppressed> {
        reports.iter().fold(None, |before, (why, sent)| {
            Suppressed::after(before, *why, at(*sent), at(sent + 1)).or(before)
        })
    }

    #[test]
    fn hard_bounces_suppress_for_longer_each_time_and_in_the_end_for_good() {
        use Suppression::Bounced;
        let second = 1 + DAY;
        let third = second + 1 + 7 * DAY;
        let fourth = third + 1 + 30 * DAY;
        let news = [
            (Bounced, 0),
            (Bounced, second),
            (Bounced, third),
            (Bounced, fourth),
        ];
        for (told, until) in [
            (1, Some(at(second))),
            (2, Some(at(third))),
            (3, Some(at(fourth))),
            (4, None),
        ] {
            let suppressed = after(&news[..told]).unwrap();
            assert_eq!(suppressed.until, until, "{told}");
            assert_eq!(usize::try_from(suppressed.count).unwrap(), told);
            if let Some(until) = until {
                let before = until.minus(Duration::from_millis(1));
                assert_eq!(suppressed.stopped(before), Stopped::All);
                assert_eq!(suppressed.stopped(until), Stopped::None);
            }
        }
        let good = after(&news).unwrap();
        assert_eq!(good.stopped(at(fourth + 10_000 * DAY)), Stopped::All);
        assert_eq!(
            Suppressed::after(Some(good), Bounced, at(fourth + DAY), at(fourth + DAY)),
            None
        );
    }

    #[test]
    fn a_bounce_of_a_mail_sent_before_a_suppression_ended_does_not_count() {
        let first = after(&[(Suppression::Bounced, 0)]).unwrap();
        for (sent, counts) in [(0, false), (DAY, false), (DAY + 1, true)] {
            let told = at(400 * DAY);
            let next = Suppressed::after(Some(first), Suppression::Bounced, at(sent), told);
            assert_eq!(next.is_some(), counts, "{sent}");
        }
    }

    #[test]
    fn a_complaint_stops_codes_for_good_and_a_second_one_the_notices() {
        use Suppression::{Bounced, Complained};
        let far = at(10_000 * DAY);
        for (news, stopped) in [
            (&[(Complained, 0)][..], Stopped::Codes),
            // The same told again, and a mail that was under way.
            (
                &[(Complained, 5), (Complained, 5), (Complained, 4)],
                Stopped::Codes,
            ),
            (&[(Complained, 0), (Bounced, 0)], Stopped::Codes),
            (&[(Complained, 0), (Complained, 9)], Stopped::All),
            (&[(Complained, 0), (Bounced, 9)], Stopped::All),
            (&[(Bounced, 0), (Complained, 0)], Stopped::Codes),
        ] {
            assert_eq!(after(news).unwrap().stopped(far), stopped, "{news:?}");
        }
    }

    #[test]
    fn a_suppression_of_an_older_version_stops_the_same_mails() {
        for (why, stopped) in [("bounced", Stopped::All), ("complained", Stopped::Codes)] {
            let old = serde_json::json!({ "at": 1_773_144_000_000_i64, "why": why });
            let old: Suppressed = serde_json::from_value(old).unwrap();
            assert_eq!(old.stopped(at(10_000 * DAY)), stopped);
        }
        let old = serde_json::json!({ "at": 1_773_144_000_000_i64, "why": "bounced" });
        let old: Suppressed = serde_json::from_value(old).unwrap();
        for why in [Suppression::Bounced, Suppression::Complained] {
            assert_eq!(Suppressed::after(Some(old), why, at(DAY), at(DAY)), None);
        }
    }
}
