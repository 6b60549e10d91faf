//! Mail requests: one delivery at a time claims each, and closes it with an outcome.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;

use super::items::{self, MailRequest, Outcome, Report};
use super::{Claimant, Item, Store, StoreError, Updated, keys, n, s, told};
use crate::timestamp::Timestamp;

/// How long a claim lasts. A delivery that dies holds its mail up for this long. A delivery that lives
/// starts to send in time or gives the claim back, so that no two deliveries send at once.
pub(crate) const LEASE: Duration = Duration::from_secs(12);

/// How long a retry's item is kept. The stream has it at once.
const RETRY_LIFE: Duration = Duration::from_hours(24);

/// The result of claiming a mail request.
#[derive(Debug)]
pub enum Claim {
    /// This delivery has it.
    Claimed(Box<MailRequest>),
    /// Another delivery has it, or its process died. It is to be tried again later.
    Leased,
    /// It has its outcome, or is gone. Nothing is to be done.
    Closed,
    /// The item is not a mail request, and was not changed.
    NoRequest,
}

impl Store {
    /// The mail request of a key, as it is stored.
    ///
    /// # Errors
    /// When the table cannot be asked, or the mail request cannot be read.
    pub async fn mail_request(&self, key: &str) -> Result<Option<MailRequest>, StoreError> {
        let item = self.get_item(key.to_owned()).await?;
        item.map(items::mail_request).transpose()
    }

    /// Claims the mail request of a key. If the answer to a claim was lost, the same claimant can claim it
    /// again.
    ///
    /// # Errors
    /// When the table cannot be asked, or the mail request cannot be read.
    pub async fn claim_mail(
        &self,
        key: &str,
        claimant: &Claimant,
        at: Timestamp,
    ) -> Result<Claim, StoreError> {
        let claim = self
            .update_item(key)
            .update_expression("SET leasedUntil = :lease, leasedBy = :claimant")
            .condition_expression(
                "attribute_exists(requestedAt) AND attribute_not_exists(outcome) AND \
                 (attribute_not_exists(leasedUntil) OR leasedUntil <= :now OR leasedBy = :claimant)",
            )
            .expression_attribute_values(":lease", n(at.plus(LEASE).millis()))
            .expression_attribute_values(":now", n(at.millis()))
            .expression_attribute_values(":claimant", s(claimant.name()))
            .return_values(ReturnValue::AllNew);
        match self.update_one(claim).await? {
            Updated::Done(item) => {
                let item =
                    item.ok_or_else(|| StoreError::malformed("a claim returned no mail request"))?;
                Ok(Claim::Claimed(Box::new(items::mail_request(item)?)))
            }
            Updated::Refused(item) => Ok(unclaimed(item.as_ref())),
        }
    }

    /// Records the outcome of a claimed mail request. Nothing is sent for it again.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn close_mail(&self, key: &str, outcome: &Outcome) -> Result<(), StoreError> {
        let update = self
            .update_item(key)
            .condition_expression("attribute_exists(requestedAt)")
            .expression_attribute_values(":outcome", s(outcome.name()));
        let update = match outcome {
            Outcome::Sent(message_id) => update
                .update_expression(
                    "SET outcome = :outcome, messageId = :id REMOVE leasedUntil, leasedBy",
                )
                .expression_attribute_values(":id", s(message_id)),
            _ => update.update_expression("SET outcome = :outcome REMOVE leasedUntil, leasedBy"),
        };
        match self.update_one(update).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(_) => Err(StoreError::malformed("the mail request is gone")),
        }
    }

    /// Records what SES reports about the mail with that message tag.
    ///
    /// Returns whether the report is new. If the mail request is gone, it counts as new.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn report(
        &self,
        tag: &str,
        report: Report,
        why: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(key) = keys::tagged_mail(tag) else {
            return Ok(true);
        };
        let told = told(why, at);
        let record = self
            .update_item(key)
            .update_expression("SET #report = :told")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#report)")
            .expression_attribute_names("#report", report.name())
            .expression_attribute_values(":told", told.clone());
        match self.update_one(record).await? {
            Updated::Done(_) | Updated::Refused(None) => Ok(true),
            // This call may have recorded it itself, and the answer to its first attempt was lost.
            Updated::Refused(Some(item)) => Ok(item.get(report.name()) == Some(&told)),
        }
    }

    /// Gives back a mail request that was claimed at `claimed_at`, so that it can be tried again at once. Does
    /// nothing if the claim has ended and another delivery has it.
    ///
    /// # Errors
    /// When the table cannot be asked. The claim then ends by itself.
    pub async fn release_mail(
        &self,
        key: &str,
        claimant: &Claimant,
        claimed_at: Timestamp,
    ) -> Result<(), StoreError> {
        let release = self
            .update_item(key)
            .update_expression("REMOVE leasedUntil, leasedBy")
            // During a canary, the version before this one runs as well, and it claims without a name.
            .condition_expression("leasedBy = :claimant AND leasedUntil = :lease")
            .expression_attribute_values(":claimant", s(claimant.name()))
            .expression_attribute_values(":lease", n(claimed_at.plus(LEASE).millis()));
        self.update_one(release).await?;
        Ok(())
    }

    /// Writes the item by which the stream has a mail request delivered once more.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn retry_mail(
        &self,
        key: &str,
        claimant: &Claimant,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let retry = self
            .update_item(keys::retry(claimant.name(), key))
            .update_expression("SET expiresAt = :expiresAt")
            .expression_attribute_values(":expiresAt", n(at.plus(RETRY_LIFE).ttl_seconds()));
        self.update_one(retry).await?;
        Ok(())
    }
}

/// Why an item could not be claimed.
fn unclaimed(item: Option<&Item>) -> Claim {
    match item {
        None => Claim::Closed,
        Some(item) if !item.contains_key("requestedAt") => Claim::NoRequest,
        Some(item) if item.contains_key("outcome") => Claim::Closed,
        Some(_) => Claim::Leased,
    }
}
