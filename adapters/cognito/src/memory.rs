//! The adapter's own table: the keys of the passwords that it has set, and who is setting one now.
//!
//! Cognito sets passwords without conditions. So at most one invocation at a time may work on a user: it
//! takes a lease on the user's item, reads the user, and sets the password. If it dies in between, the item
//! still says which key was at work, and since when. An invocation with the same key goes on from there.
//!
//! | attribute | |
//! |---|---|
//! | `id` | the user's `sub`; the key of the table |
//! | `keys` | a map: each key whose password was set, and when |
//! | `sets` | how many passwords were set |
//! | `holder`, `begun`, `until` | the lease: its key, when its work began, and when others may take it |
//! | `expiresAt` | the TTL |

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use thiserror::Error;

/// The function ends after six seconds (`Timeout` in template.yaml), so no holder outlives its lease.
pub(crate) const LEASE: Duration = Duration::from_secs(7);
/// Keys are remembered for a day.
const REMEMBERED: Duration = Duration::from_hours(24);
/// Items are kept for longer than any proof lives, since the count in them is part of a version.
const KEPT: Duration = Duration::from_hours(48);

type Item = HashMap<String, AttributeValue>;

/// A call to the table that failed, after the SDK's own retries.
#[derive(Debug, Error)]
#[error("the table of keys cannot be reached: {0}")]
pub(crate) struct MemoryError(String);

impl<E: ProvideErrorMetadata, R> From<SdkError<E, R>> for MemoryError {
    fn from(error: SdkError<E, R>) -> Self {
        let service = error.as_service_error();
        let code = service.and_then(|it| it.code()).unwrap_or("no answer");
        Self(code.to_owned())
    }
}

/// The answer to a request for the lease.
#[derive(Debug)]
pub(crate) enum Lease {
    /// Nobody worked on this user.
    New(Work),
    /// An earlier invocation with the same key began, at the time in the work, and did not end.
    Resumed(Work),
    /// The password of this key was set before. So many were set in all.
    Done(u64),
    /// Another key is at work.
    Taken,
}

/// The lease on a user.
#[derive(Debug)]
pub(crate) struct Work {
    /// When the work began, in milliseconds since 1970.
    pub(crate) begun: i64,
    /// How many passwords were set before.
    pub(crate) sets: u64,
    id: String,
    key: String,
    stale: Vec<String>,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Memory {
    client: Client,
    table: String,
}

impl Memory {
    pub(crate) fn new(config: &aws_types::SdkConfig, table: String) -> Self {
        let client = Client::new(config);
        Self { client, table }
    }

    /// How many passwords were set for a user.
    pub(crate) async fn sets(&self, id: &str) -> Result<u64, MemoryError> {
        let request = self.client.get_item().table_name(&self.table);
        let request = request.key("id", text(id)).consistent_read(true);
        let request = request.projection_expression("#sets");
        let named = request.expression_attribute_names("#sets", "sets");
        let read = named.send().await?;
        Ok(read.item.as_ref().map_or(0, sets))
    }

    /// Asks for the lease on a user.
    pub(crate) async fn lease(&self, id: &str, key: &str, now: i64) -> Result<Lease, MemoryError> {
        let request = self.client.update_item().table_name(&self.table);
        let taken = request
            .key("id", text(id))
            .condition_expression(
                "attribute_not_exists(#keys.#key) AND \
                 (attribute_not_exists(holder) OR (holder <> :key AND #until < :now))",
            )
            .update_expression(
                "SET holder = :key, begun = :now, #until = :until, expiresAt = :expires, \
                 #keys = if_not_exists(#keys, :none)",
            )
            .expression_attribute_names("#keys", "keys")
            .expression_attribute_names("#key", key)
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":key", text(key))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":until", number(now + millis(LEASE)))
            .expression_attribute_values(":expires", expires(now))
            .expression_attribute_values(":none", AttributeValue::M(HashMap::new()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let work = |begun, item: &Item| Work {
            begun,
            sets: sets(item),
            id: id.to_owned(),
            key: key.to_owned(),
            stale: stale(item, now),
        };
        let error = match taken {
            Ok(taken) => {
                let item = taken.attributes.unwrap_or_default();
                return Ok(Lease::New(work(now, &item)));
            }
            Err(error) => error,
        };
        let Some(item) = refused(&error) else {
            return Err(error.into());
        };
        if keys(&item).is_some_and(|keys| keys.contains_key(key)) {
            return Ok(Lease::Done(sets(&item)));
        }
        let holder = item.get("holder").and_then(|it| it.as_s().ok());
        if holder.is_none_or(|it| it != key) {
            return Ok(Lease::Taken);
        }
        let begun = integer(&item, "begun").unwrap_or(now);
        let held = self.extend(id, key, now).await?;
        Ok(held.map_or(Lease::Taken, |()| Lease::Resumed(work(begun, &item))))
    }

    /// Begins the work of the same key anew. None if the lease has passed to another key, or is over.
    async fn extend(&self, id: &str, key: &str, now: i64) -> Result<Option<()>, MemoryError> {
        let request = self.client.update_item().table_name(&self.table);
        let extended = request
            .key("id", text(id))
            .condition_expression("holder = :key")
            .update_expression("SET begun = :now, #until = :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":key", text(key))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":until", number(now + millis(LEASE)))
            .send()
            .await;
        match extended {
            Ok(_) => Ok(Some(())),
            Err(error) if is_refused(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers that the password is set, and gives the lease back. Answers how many were set in all.
    pub(crate) async fn finish(&self, work: Work, now: i64) -> Result<u64, MemoryError> {
        let mut forgotten = String::new();
        let mut request = self.client.update_item().table_name(&self.table);
        for (n, key) in work.stale.iter().enumerate() {
            let _ = write!(forgotten, ", #keys.#stale{n}");
            request = request.expression_attribute_names(format!("#stale{n}"), key);
        }
        let finished = request
            .key("id", text(&work.id))
            .condition_expression("holder = :key")
            .update_expression(format!(
                "SET #keys.#key = :now, expiresAt = :expires ADD #sets :one \
                 REMOVE holder, begun, #until{forgotten}"
            ))
            .expression_attribute_names("#keys", "keys")
            .expression_attribute_names("#key", &work.key)
            .expression_attribute_names("#sets", "sets")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":key", text(&work.key))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", expires(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match finished {
            Ok(finished) => Ok(finished.attributes.as_ref().map_or(work.sets + 1, sets)),
            // Another invocation with the same key was faster. It set the same password.
            Err(error) => match refused(&error) {
                Some(item) => Ok(sets(&item)),
                None => Err(error.into()),
            },
        }
    }

    /// Gives the lease back without having set a password.
    pub(crate) async fn give_back(&self, work: Work) -> Result<(), MemoryError> {
        let request = self.client.update_item().table_name(&self.table);
        let given_back = request
            .key("id", text(&work.id))
            .condition_expression("holder = :key")
            .update_expression("REMOVE holder, begun, #until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":key", text(&work.key))
            .send()
            .await;
        match given_back {
            Err(error) if !is_refused(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

type UpdateError = SdkError<UpdateItemError, HttpResponse>;

fn is_refused(error: &UpdateError) -> bool {
    let service = error.as_service_error();
    service.is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}

/// The item that did not meet the condition.
fn refused(error: &UpdateError) -> Option<Item> {
    match error.as_service_error()? {
        UpdateItemError::ConditionalCheckFailedException(refused) => {
            Some(refused.item.clone().unwrap_or_default())
        }
        _ => None,
    }
}

fn keys(item: &Item) -> Option<&Item> {
    item.get("keys").and_then(|it| it.as_m().ok())
}

/// The keys that need not be remembered any longer.
fn stale(item: &Item, now: i64) -> Vec<String> {
    let keys = keys(item).into_iter().flatten();
    let old = keys.filter(|(_, at)| {
        let at = at.as_n().ok().and_then(|it| it.parse::<i64>().ok());
        at.is_none_or(|at| at < now - millis(REMEMBERED))
    });
    old.map(|(key, _)| key.clone()).collect()
}

fn sets(item: &Item) -> u64 {
    let sets = integer(item, "sets").unwrap_or_default();
    u64::try_from(sets).unwrap_or_default()
}

fn integer(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The TTL in whole seconds, rounded up.
fn expires(now: i64) -> AttributeValue {
    number((now + millis(KEPT)) / 1000 + 1)
}

/// A constant of this module in milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
