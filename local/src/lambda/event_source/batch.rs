//! Batches of records: the event of one invocation, and what its answer means for each record.

use std::collections::HashSet;
use std::time::Duration;

use axum::body::Bytes;
use regain::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::dynamodb::stream::Record;
use crate::template::EventSource;

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// Records that go to the function together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    /// Failed attempts so far.
    pub(super) attempts: u64,
    /// Failures in a row, splits included. The next wait grows with them.
    failures: u32,
    /// When it may be handed out.
    pub(super) due: Timestamp,
}

impl Batch {
    pub(super) fn new(records: Vec<Record>) -> Self {
        Self {
            records,
            attempts: 0,
            failures: 0,
            due: Timestamp::from_millis(0),
        }
    }

    pub(super) fn event(&self) -> Bytes {
        let records: Vec<_> = self.records.iter().map(|record| &record.event).collect();
        json!({"Records": records}).to_string().into()
    }

    /// Removes and returns the records that are older than allowed.
    pub(super) fn give_up_old(&mut self, oldest: Option<Duration>, now: Timestamp) -> Vec<Record> {
        let Some(oldest) = oldest else {
            return Vec::new();
        };
        let (old, young) = std::mem::take(&mut self.records)
            .into_iter()
            .partition(|record| record.created_at.plus(oldest) < now);
        self.records = young;
        old
    }

    fn again(&self, records: Vec<Record>, attempts: u64, now: Timestamp) -> Self {
        let wait = FIRST_BACKOFF
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST_BACKOFF);
        Self {
            records,
            attempts,
            failures: self.failures + 1,
            due: now.plus(wait),
        }
    }
}

/// What an answer means for a batch: the records that are done, and the batches to try again.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) done: Vec<Record>,
    pub(super) again: Vec<Batch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchAnswer {
    #[serde(default)]
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: Option<String>,
}

/// Reads the answer to a batch. It is `None` if the invocation failed.
pub(super) fn outcome(
    batch: &Batch,
    answer: Option<Bytes>,
    source: &EventSource,
    now: Timestamp,
) -> Outcome {
    let failed = match answer {
        None => None,
        Some(_) if !source.reports_failures => Some(HashSet::new()),
        Some(answer) => failed_records(&answer, batch),
    };
    match failed {
        // The stream goes on from the first record that failed.
        Some(failed) => {
            let mut done = batch.records.clone();
            let first = done.iter().position(|it| failed.contains(&it.sequence));
            let again = done.split_off(first.unwrap_or(done.len()));
            let again = (!again.is_empty()).then(|| batch.again(again, batch.attempts + 1, now));
            Outcome {
                done,
                again: again.into_iter().collect(),
            }
        }
        None => Outcome {
            done: Vec::new(),
            again: whole_batch_again(batch, source, now),
        },
    }
}

/// The sequence numbers that the function reports as failed, or `None` if the whole batch failed. The
/// whole batch has also failed if the answer names a record that is not in it.
fn failed_records(answer: &[u8], batch: &Batch) -> Option<HashSet<String>> {
    let answer: Option<BatchAnswer> = serde_json::from_slice(answer).ok()?;
    let failures = answer
        .and_then(|answer| answer.batch_item_failures)
        .unwrap_or_default();
    let known: HashSet<_> = batch
        .records
        .iter()
        .map(|record| record.sequence.as_str())
        .collect();
    failures
        .into_iter()
        .map(|failure| {
            failure
                .item_identifier
                .filter(|id| known.contains(id.as_str()))
        })
        .collect()
}

/// Splits a batch that failed as a whole, until the record that makes it fail is alone. A split does
/// not count as an attempt.
fn whole_batch_again(batch: &Batch, source: &EventSource, now: Timestamp) -> Vec<Batch> {
    if source.bisect && batch.records.len() > 1 {
        let (first, second) = batch.records.split_at(batch.records.len() / 2);
        return vec![
            batch.again(first.to_vec(), batch.attempts, now),
            batch.again(second.to_vec(), batch.attempts, now),
        ];
    }
    vec![batch.again(batch.records.clone(), batch.attempts + 1, now)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> EventSource {
        EventSource {
            maximum_retry_attempts: Some(3),
            ..EventSource::example()
        }
    }

    fn batch(sequences: &[&str]) -> Batch {
        let records = sequences
            .iter()
            .map(|it| Record::new((*it).to_owned(), 100, json!({"n": it})));
        Batch::new(records.collect())
    }

    fn sequences(records: &[Record]) -> Vec<&str> {
        records
            .iter()
            .map(|record| record.sequence.as_str())
            .collect()
    }

    fn outcome_of(sequences: &[&str], answer: Option<&str>) -> Outcome {
        let answer = answer.map(|text| Bytes::from(text.to_owned()));
        outcome(
            &batch(sequences),
            answer,
            &source(),
            Timestamp::from_millis(1000),
        )
    }

    #[test]
    fn an_answer_that_names_no_failure_settles_the_batch() {
        for answer in [
            "null",
            "{}",
            r#"{"batchItemFailures": []}"#,
            r#"{"batchItemFailures": null}"#,
        ] {
            let outcome = outcome_of(&["1", "2"], Some(answer));
            assert_eq!(sequences(&outcome.done), ["1", "2"], "{answer}");
            assert!(outcome.again.is_empty(), "{answer}");
        }
    }

    #[test]
    fn the_records_from_the_first_named_one_on_are_tried_again() {
        let answer = r#"{"batchItemFailures": [{"itemIdentifier": "4"}, {"itemIdentifier": "2"}]}"#;
        let outcome = outcome_of(&["1", "2", "3", "4", "5"], Some(answer));
        assert_eq!(sequences(&outcome.done), ["1"]);
        assert_eq!(sequences(&outcome.again[0].records), ["2", "3", "4", "5"]);
        assert_eq!(outcome.again[0].attempts, 1);
        assert_eq!(outcome.again[0].due, Timestamp::from_millis(1250));
    }

    #[test]
    fn a_batch_that_fails_as_a_whole_is_split() {
        for answer in [
            None,
            Some("no json"),
            Some(r#"{"batchItemFailures": [{"itemIdentifier": "9"}]}"#),
            Some(r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#),
        ] {
            let outcome = outcome_of(&["1", "2", "3"], answer);
            assert!(outcome.done.is_empty(), "{answer:?}");
            let halves: Vec<_> = outcome
                .again
                .iter()
                .map(|batch| sequences(&batch.records))
                .collect();
            assert_eq!(halves, [vec!["1"], vec!["2", "3"]], "{answer:?}");
            assert!(outcome.again.iter().all(|batch| batch.attempts == 0));
        }
    }

    #[test]
    fn a_single_record_that_fails_waits_longer_each_time() {
        let mut next = batch(&["1"]);
        let now = Timestamp::from_millis(0);
        let mut waits = Vec::new();
        for attempt in 1..=8 {
            let outcome = outcome(&next, None, &source(), now);
            next = outcome.again.into_iter().next().unwrap();
            assert_eq!(next.attempts, attempt);
            waits.push(next.due.millis());
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }

    #[test]
    fn a_record_is_given_up_when_it_is_too_old() {
        let mut batch = batch(&["1"]);
        let age = Some(Duration::from_mins(1));
        assert!(
            batch
                .give_up_old(age, Timestamp::from_millis(160_000))
                .is_empty()
        );
        assert_eq!(
            batch
                .give_up_old(age, Timestamp::from_millis(160_001))
                .len(),
            1
        );
        assert!(batch.records.is_empty());
    }
}
