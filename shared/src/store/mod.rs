//! The table: one DynamoDB table, in which one key leads to each item.
//!
//! A condition on the table decides every rule of the engine, because another call may come between a
//! read and a write. A condition that fails is an answer and not an error: the operation returns what it
//! found instead. All reads are strongly consistent.

mod admin;
mod claims;
mod elsewhere;
mod guesses;
mod items;
mod keys;
mod limits;
mod mail;
mod moves;
mod sessions;
mod suppression;
mod users;

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::{PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, KeysAndAttributes, Put,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use rand::RngExt as _;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::ambient;
use crate::keys::AddressKey;
use crate::timestamp::Timestamp;
use crate::users::CredentialsVersion;

pub use claims::Claimant;
pub(crate) use claims::{Claimed, ClaimedWith};
pub use guesses::{AddressCharge, SessionCharge};
pub use items::{MailContent, MailRequest, Outcome, PasswordChange, Report, SessionOrigin};
pub(crate) use keys::{is_mail, is_notice, mail_session, mail_tag, retried_mail, tagged_mail};
pub(crate) use limits::{NoItem, Number};
pub use mail::Claim;
pub(crate) use mail::LEASE;

pub use moves::{FromState, Moved};
pub use sessions::{Begun, CodeRequest, LimitsReached, Renewed, Throttled};
pub use suppression::{Mailbox, Stopped, Suppressed, Suppression};
pub use users::Recipient;
pub(crate) use users::UserWrite;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// Why an operation of the store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The call failed, after the SDK's own retries. It may have been carried out.
    #[error("the table could not be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// Other calls kept writing the same items.
    #[error("the items stayed contended, or the table stayed busy")]
    Contended,
    /// An item is not as this version writes it.
    #[error("an item is malformed")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    fn unreachable<E>(error: SdkError<E>) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        Self::Unreachable(error.into())
    }

    pub(crate) fn malformed(why: &'static str) -> Self {
        Self::Malformed(why.into())
    }
}

/// The table, as this stack's functions use it.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    patience: Duration,
    waits_for_capacity: bool,
}

/// What a transaction came to.
enum Transacted {
    /// All of it was written.
    Applied,
    /// Nothing was written, because a condition failed.
    Refused(ConditionFailures),
}

/// What an update of one item came to.
enum Updated {
    /// It was written. Has the item as it is now, if the update asked for it.
    Done(Option<Item>),
    /// Its condition failed. Has the item as it stood, if there is one.
    Refused(Option<Item>),
}

/// The result of the condition on one item of a refused transaction.
enum Verdict {
    Held,
    /// It failed. Has the item as it stood, if there is one.
    Failed(Option<Item>),
}

/// Why a transaction was refused, with a verdict for each of its items.
struct ConditionFailures(Vec<Verdict>);

impl ConditionFailures {
    /// Whether the condition of the item at `index` failed.
    fn failed(&self, index: usize) -> bool {
        matches!(self.0.get(index), Some(Verdict::Failed(_)))
    }

    /// The item at `index` as it stood, if its condition failed and there was one.
    fn found(&self, index: usize) -> Option<&Item> {
        match self.0.get(index) {
            Some(Verdict::Failed(item)) => item.as_ref(),
            _ => None,
        }
    }
}

/// What a cancellation reason says about the condition of its item. `None` if it says nothing.
fn verdict(reason: CancellationReason) -> Option<Verdict> {
    match reason.code() {
        Some(CONDITION_FAILED) => Some(Verdict::Failed(reason.item)),
        None | Some(NO_REASON) => Some(Verdict::Held),
        Some(_) => None,
    }
}

/// The codes of cancellation reasons.
const NO_REASON: &str = "None";
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
const CONFLICT: &str = "TransactionConflict";
const THROTTLED: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

/// How long one write waits in all for the transactions of other calls on its items.
///
/// The callers of a whole office share one count, and DynamoDB refuses a transaction on an item that another
/// transaction is writing. If a write takes 20 ms, 100 calls at once succeed within this time. A call with
/// several writes may wait this long for each, up to its deadline.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(16);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Store {
    /// The store in the given table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            patience: PATIENCE,
            waits_for_capacity: false,
        }
    }

    /// The same store, which waits that long for other calls' transactions instead of 5 s.
    #[must_use]
    pub fn waiting_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same store for a task that nobody waits for: a throttled transaction is tried again, as after a
    /// conflict.
    #[must_use]
    pub fn waiting_for_capacity(self) -> Self {
        Self {
            waits_for_capacity: true,
            ..self
        }
    }

    /// The waits of a new call.
    fn turns(&self) -> Turns {
        Turns {
            longest: FIRST_PAUSE,
            left: self.patience,
        }
    }

    async fn get<T: DeserializeOwned>(&self, key: String) -> Result<Option<T>, StoreError> {
        self.get_item(key).await?.map(read).transpose()
    }

    /// Opens a connection to the table, by reading an item that no session can have. Every endpoint may read sessions.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn connect(&self) -> Result<(), StoreError> {
        self.get_item(keys::no_session()).await?;
        Ok(())
    }

    async fn get_item(&self, key: String) -> Result<Option<Item>, StoreError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::PK, s(key))
            .consistent_read(true);
        // On the heap, here and below: calls of the SDK are large futures.
        let found = Box::pin(get.send()).await;
        Ok(found.map_err(StoreError::unreachable)?.item)
    }

    /// The items of up to 100 keys, by their keys. What the table leaves out of an answer, because it is too long
    /// or the table is too busy, is read again.
    async fn get_items(&self, keys: BTreeSet<String>) -> Result<HashMap<String, Item>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        if keys.is_empty() {
            return Ok(found);
        }
        let keys = keys.into_iter();
        let mut asked = KeysAndAttributes::builder()
            .consistent_read(true)
            .set_keys(Some(
                keys.map(|key| Item::from([(keys::PK.to_owned(), s(key))]))
                    .collect(),
            ))
            .build()
            .map_err(|error| StoreError::Malformed(error.into()))?;
        let mut turns = self.turns();
        loop {
            let before = found.len();
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, asked)
                .send()
                .await
                .map_err(StoreError::unreachable)?;
            for item in answer.responses.into_iter().flatten().flat_map(|it| it.1) {
                if let Some(Ok(key)) = item.get(keys::PK).map(AttributeValue::as_s) {
                    found.insert(key.clone(), item);
                }
            }
            let left = answer.unprocessed_keys.into_iter().flatten().next();
            match left {
                Some((_, left)) => asked = left,
                None => return Ok(found),
            }
            // A busy table answers with a part of the items. Only one that answers with none is waited for in vain.
            if found.len() > before {
                turns = self.turns();
            }
            turns.give_way().await?;
        }
    }

    /// Writes all items or none.
    ///
    /// The SDK sends one `ClientRequestToken` with all retries of an operation, so that a write whose answer
    /// was lost is not applied twice. After a conflict with another transaction nothing was applied, and the
    /// operation is tried again with a new token.
    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Transacted, StoreError> {
        let mut turns = self.turns();
        loop {
            let write = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()));
            let sent = Box::pin(write.send()).await;
            let Err(error) = sent else {
                return Ok(Transacted::Applied);
            };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    cancelled.cancellation_reasons().to_vec()
                }
                _ => return Err(StoreError::unreachable(error)),
            };
            // A conflict hides the verdict on its item, so that the other verdicts are no answer yet.
            let is_busy = |reason: &CancellationReason| match reason.code() {
                Some(CONFLICT) => true,
                Some(code) => self.waits_for_capacity && THROTTLED.contains(&code),
                None => false,
            };
            if reasons.iter().any(is_busy) {
                turns.give_way().await?;
                continue;
            }
            // Any other reason hides it too, such as throttling.
            let verdicts: Option<Vec<_>> = reasons.into_iter().map(verdict).collect();
            return match verdicts {
                Some(verdicts) => Ok(Transacted::Refused(ConditionFailures(verdicts))),
                None => Err(StoreError::unreachable(error)),
            };
        }
    }

    /// An update to be sent on its own by [`Store::update_one`].
    fn update_item(&self, key: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(keys::PK, s(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Updates one item. An update that meets another call's transaction on the item is tried again, as
    /// transactions are.
    async fn update_one(&self, update: UpdateItemFluentBuilder) -> Result<Updated, StoreError> {
        let mut turns = self.turns();
        loop {
            let error = match Box::pin(update.clone().send()).await {
                Ok(done) => return Ok(Updated::Done(done.attributes)),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::TransactionConflictException(_)) => turns.give_way().await?,
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    return Ok(Updated::Refused(refused.item().cloned()));
                }
                _ => return Err(StoreError::unreachable(error)),
            }
        }
    }

    /// An update that is part of a transaction. It returns the item if its condition fails.
    fn update(&self, key: String) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key(keys::PK, s(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// An update of an address's state. Every write extends the time for which the state is kept.
    fn address_update(&self, key: &AddressKey, at: Timestamp) -> UpdateBuilder {
        self.update(keys::address(key))
            .expression_attribute_values(":expiresAt", n(at.plus(ADDRESS_TTL).ttl_seconds()))
    }

    /// A new item. Its condition fails if its key is taken.
    fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        put(Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)"))
    }
}

/// The waits of one call that meets the transactions of other calls.
struct Turns {
    /// The longest that the next wait may be.
    longest: Duration,
    /// How long all waits together may still be.
    left: Duration,
}

impl Turns {
    /// Waits before the call is sent again.
    async fn give_way(&mut self) -> Result<(), StoreError> {
        let pause = self.next(chance()?).ok_or(StoreError::Contended)?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// The next wait: up to twice as long each time, and random (`chance` is from 0 to 1), so that two calls do
    /// not stay in step. `None` once the call has waited long enough.
    fn next(&mut self, chance: f64) -> Option<Duration> {
        if self.left.is_zero() {
            return None;
        }
        let pause = self.longest.mul_f64(chance);
        self.left = self.left.saturating_sub(pause);
        self.longest = (self.longest * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

/// A random number from 0 to 1, to spread out calls that come at once.
pub(crate) fn chance() -> Result<f64, StoreError> {
    let mut rng = ambient::rng().map_err(|error| StoreError::Unreachable(error.into()))?;
    Ok(rng.random())
}

/// How long an address's state outlives its last write. No count in it matters that long.
const ADDRESS_TTL: Duration = Duration::from_hours(48);
/// For how many past days a write to an address's state removes the counts.
const KEPT_DAYS: i64 = 3;

/// The names of the counts of `count` hours or days, which are to be removed. The hour or day before `now` is
/// not among them: if a clock is behind, or a call was under way as the hour or day ended, its count goes on.
fn stale(now: i64, count: i64, attribute: fn(i64) -> String) -> String {
    (now - 1 - count..now - 1)
        .map(attribute)
        .collect::<Vec<_>>()
        .join(", ")
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    // Without serde's message, which may quote the item.
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|_| StoreError::malformed("its attributes are not what this version writes"))
}

fn write<T: serde::Serialize>(value: &T) -> Result<Item, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(value)
        .map_err(|error| StoreError::Malformed(error.into()))
}

fn put(put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put
        .build()
        .map_err(|error| StoreError::Malformed(error.into()))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn updated(update: UpdateBuilder) -> Result<TransactWriteItem, StoreError> {
    let update = update
        .build()
        .map_err(|error| StoreError::Malformed(error.into()))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// A version of credentials: the number of a user in the table, or the text of one who lives elsewhere.
fn version(version: &CredentialsVersion) -> AttributeValue {
    match version.number() {
        Some(number) => n(number),
        None => s(version.to_string()),
    }
}

/// A time and a reason, as one attribute.
fn told(why: &str, at: Timestamp) -> AttributeValue {
    AttributeValue::M(HashMap::from([
        ("at".to_owned(), n(at.millis())),
        ("why".to_owned(), s(why)),
    ]))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    /// How long a transaction locks an item: what DynamoDB takes for one on a slow day.
    const WRITE: Duration = Duration::from_millis(20);

    /// Simulates that many calls at once that write one item, and returns when the last of them has
    /// written. `None` if one gave up.
    fn simulate(calls: usize, rng: &mut StdRng) -> Option<Duration> {
        let turns = || Turns {
            longest: FIRST_PAUSE,
            left: PATIENCE,
        };
        let mut waits: Vec<_> = (0..calls).map(|_| turns()).collect();
        let mut due: BTreeSet<_> = (0..calls).map(|call| (Duration::ZERO, call)).collect();
        let mut free = Duration::ZERO;
        while let Some((now, call)) = due.pop_first() {
            if now < free {
                due.insert((now + waits[call].next(rng.random())?, call));
            } else {
                free = now + WRITE;
            }
        }
        Some(free)
    }

    #[test]
    fn a_hundred_calls_at_once_write_one_item_within_the_deadline_of_an_endpoint() {
        let mut rng = StdRng::seed_from_u64(1);
        for calls in [1, 2, 10, 30, 100] {
            for _ in 0..20 {
                let last = simulate(calls, &mut rng);
                assert!(
                    last.is_some_and(|it| it < Duration::from_secs(7)),
                    "{calls}: {last:?}"
                );
            }
        }
    }

    #[test]
    fn a_call_stops_waiting_after_its_patience() {
        for chance in [0.01, 0.5, 1.0] {
            let mut turns = Turns {
                longest: FIRST_PAUSE,
                left: PATIENCE,
            };
            let waited: Duration = std::iter::from_fn(|| turns.next(chance)).sum();
            assert!(
                waited >= PATIENCE && waited <= PATIENCE + LONGEST_PAUSE,
                "{waited:?}"
            );
        }
    }
}
