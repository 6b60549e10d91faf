//! Suppression: an address that bounced or complained is mailed less, or no more.
//!
//! It is an attribute of the address's lookup item, which only the delivery of mail asks for. Hard bounces
//! suppress for longer each time, and in the end for good; a complaint suppresses codes for good. Nothing
//! but an operator makes an address's count start anew: whether a mail arrived is not told.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use regain_password::Address;
use serde::{Deserialize, Serialize};

use super::users::Lookup;
use super::{Item, MailContent, Store, StoreError, Transacted, keys, n, read, s, updated};
use crate::timestamp::Timestamp;

/// For how long the first hard bounces of an address suppress it; the next one does for good.
const PAUSES: [Duration; 3] = [
    Duration::from_hours(24),
    Duration::from_hours(7 * 24),
    Duration::from_hours(30 * 24),
];
/// How often a write is tried again that somebody else came before.
const RETRIES: u32 = 5;

/// That an address is not mailed as others are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: Suppression,
    /// How many mails brought it about, each of them sent after the one before had ended or begun to
    /// suppress. An item without a count is older than counting.
    #[serde(default = "one")]
    pub count: u32,
    /// When it ends; without an end, it is for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

const fn one() -> u32 {
    1
}

/// Why an address is not mailed as others are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suppression {
    /// Its server refused a mail for good.
    Bounced,
    /// Its owner called a mail spam.
    Complained,
}

impl Suppression {
    /// The word that is recorded.
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
    /// Codes; the notice that a password was changed is still tried.
    Codes,
    /// None: it has ended.
    None,
}

impl Suppressed {
    /// How an address is suppressed, by its lookup item, if it is or was.
    ///
    /// # Errors
    /// If the item is not what this version writes.
    pub fn read(lookup: Item) -> Result<Option<Self>, StoreError> {
        let lookup: Lookup = read(lookup)?;
        Ok(lookup.suppressed)
    }

    /// Which mails are stopped at a time.
    #[must_use]
    pub fn stopped(&self, at: Timestamp) -> Stopped {
        match self.why {
            Suppression::Bounced if self.until.is_some_and(|until| at >= until) => Stopped::None,
            Suppression::Bounced => Stopped::All,
            // Whoever calls codes spam is to hear of a change of the password all the same, until that
            // is called spam, too.
            Suppression::Complained if self.count > 1 => Stopped::All,
            Suppression::Complained => Stopped::Codes,
        }
    }

    pub(super) fn stops(&self, content: &MailContent, at: Timestamp) -> bool {
        match self.stopped(at) {
            Stopped::All => true,
            Stopped::Codes => matches!(content, MailContent::Code { .. }),
            Stopped::None => false,
        }
    }

    /// What comes of a suppression at the news of a mail that was sent at `sent_at`; nothing if that
    /// changes nothing, as of a mail that was under way already, or news that is told twice.
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
                        // A complaint has no end, and so goes before what has one.
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

impl Store {
    /// How an address is suppressed, if it is or was.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn suppressed(&self, address: &Address) -> Result<Option<Suppressed>, StoreError> {
        let lookup: Option<Lookup> = self.get(keys::email(address)).await?;
        Ok(lookup.and_then(|lookup| lookup.suppressed))
    }

    /// Suppresses an address, if somebody has it: a mail that was sent at `sent_at` bounced for good, or
    /// its recipient called it spam.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn suppress(
        &self,
        address: &Address,
        why: Suppression,
        sent_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut before = None;
        for _ in 0..=RETRIES {
            let Some(next) = Suppressed::after(before, why, sent_at, at) else {
                return Ok(());
            };
            let next: AttributeValue = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(next)
                .map_err(|error| StoreError::Malformed(error.into()))?;
            let update = self
                .client
                .update_item()
                .table_name(&self.table)
                .key(keys::PK, s(keys::email(address)))
                .update_expression("SET suppressed = :next")
                .expression_attribute_values(":next", next)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            let update = match before {
                None => update.condition_expression(
                    "attribute_exists(pk) AND attribute_not_exists(suppressed)",
                ),
                Some(before) => update
                    .condition_expression("suppressed.#at = :before")
                    .expression_attribute_names("#at", "at")
                    .expression_attribute_values(":before", n(before.at.millis())),
            };
            let Err(error) = update.send().await else {
                return Ok(());
            };
            before = match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    match refused.item().cloned() {
                        None => return Ok(()),
                        Some(item) => Suppressed::read(item)?,
                    }
                }
                _ => return Err(StoreError::unreachable(error)),
            };
        }
        Err(StoreError::Contended)
    }

    /// Has an address mailed again that was suppressed, and counts its bounces anew.
    ///
    /// Returns whether there was anything to clear.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn clear_suppression(&self, address: &Address) -> Result<bool, StoreError> {
        let update = self
            .update(keys::email(address))
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

    /// What stands there after news of mails, each told a second after it was sent.
    fn after(news: &[(Suppression, u64)]) -> Option<Suppressed> {
        news.iter().fold(None, |before, (why, sent)| {
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
    fn what_the_version_before_wrote_stops_what_it_stopped_then() {
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
