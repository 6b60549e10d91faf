//! The table's stream: its records in the order of the writes, as `GetRecords` returns them.

use regain::timestamp::Timestamp;
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::dynamodb::store::{StoreError, TableStore};
use crate::template::{ACCOUNT, REGION};

/// The most records that one `GetRecords` returns.
const PAGE: usize = 1000;

/// Why the stream cannot be read.
#[derive(Debug, Error)]
pub enum StreamError {
    /// DynamoDB refused, or cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An answer lacks a field that DynamoDB's have.
    #[error("the table's stream: {what} is missing: {answer}")]
    Answer {
        /// The field.
        what: &'static str,
        /// The answer.
        answer: Json,
    },
}

/// One record: a write to one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its place in the stream.
    pub sequence: String,
    /// When the write was made.
    pub created_at: Timestamp,
    /// The record as a function gets it.
    pub event: Json,
}

impl Record {
    /// A record, with its time in seconds as the stream gives it.
    #[must_use]
    pub fn new(sequence: String, created_seconds: i64, event: Json) -> Self {
        let created_at = Timestamp::from_millis(created_seconds.saturating_mul(1000));
        Self {
            sequence,
            created_at,
            event,
        }
    }

    /// The key of the item. The table has no sort key, so this is the partition key.
    #[must_use]
    pub fn key(&self) -> Option<&Json> {
        self.event.pointer("/dynamodb/Keys")
    }
}

/// Reads the stream's first shard. An emulator's stream has no other.
#[derive(Debug)]
pub struct StreamReader {
    store: TableStore,
    stream_arn: String,
    shard: String,
    after: Option<String>,
    /// Where the last page said that the next one begins.
    next: Option<String>,
}

impl StreamReader {
    /// A reader that begins after a sequence number, or with the oldest record.
    ///
    /// # Errors
    /// When the stream cannot be described.
    pub async fn new(
        store: TableStore,
        stream_arn: String,
        after: Option<String>,
    ) -> Result<Self, StreamError> {
        let operation = "DynamoDBStreams_20120810.DescribeStream";
        let stream = store
            .call(operation, json!({"StreamArn": stream_arn}))
            .await?;
        let shard = text(&stream, "/StreamDescription/Shards/0/ShardId")?;
        Ok(Self {
            store,
            stream_arn,
            shard,
            after,
            next: None,
        })
    }

    /// Reads the next page. Also returns whether there may be more to read at once.
    ///
    /// # Errors
    /// When the stream cannot be read. The same page is read again next time.
    pub async fn read(&mut self) -> Result<(Vec<Record>, bool), StreamError> {
        let iterator = match self.next.take() {
            Some(next) => next,
            None => self.iterator().await?,
        };
        let page = json!({"ShardIterator": iterator, "Limit": PAGE});
        let operation = "DynamoDBStreams_20120810.GetRecords";
        let mut page = self.store.call(operation, page).await?;
        let Some(Json::Array(events)) = page.get_mut("Records").map(Json::take) else {
            return Err(missing("/Records", &page));
        };
        let arn = event_source_arn(&self.stream_arn);
        let mut records = Vec::with_capacity(events.len());
        for mut event in events {
            let sequence = text(&event, "/dynamodb/SequenceNumber")?;
            let created = seconds(&event, "/dynamodb/ApproximateCreationDateTime")?;
            relocate(&mut event, &arn, created);
            records.push(Record::new(sequence, created, event));
        }
        // The position moves only once the whole page is understood: no record is skipped.
        if let Some(last) = records.last() {
            self.after = Some(last.sequence.clone());
        }
        self.next = text(&page, "/NextShardIterator").ok();
        let is_full = records.len() == PAGE;
        Ok((records, is_full))
    }

    /// An iterator that begins after the last record that was read. It is needed at the start, and after an error.
    async fn iterator(&self) -> Result<String, StreamError> {
        let (arn, shard) = (&self.stream_arn, &self.shard);
        let from = match &self.after {
            None => json!({
                "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON",
            }),
            Some(after) => json!({
                "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": after,
            }),
        };
        let operation = "DynamoDBStreams_20120810.GetShardIterator";
        let iterator = self.store.call(operation, from).await?;
        text(&iterator, "/ShardIterator")
    }
}

/// The text at a place in an answer.
fn text(answer: &Json, what: &'static str) -> Result<String, StreamError> {
    let found = answer.pointer(what).and_then(Json::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| missing(what, answer))
}

/// The time at a place in an answer, in whole seconds since 1970.
fn seconds(answer: &Json, what: &'static str) -> Result<i64, StreamError> {
    let found = answer.pointer(what).and_then(Json::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds since 1970")]
    found
        .map(|seconds| seconds as i64)
        .ok_or_else(|| missing(what, answer))
}

fn missing(what: &'static str, answer: &Json) -> StreamError {
    StreamError::Answer {
        what,
        answer: answer.clone(),
    }
}

/// Gives a record the region, account and form of time that the rest of the stack has.
fn relocate(event: &mut Json, arn: &str, created: i64) {
    if let Some(fields) = event.as_object_mut() {
        fields.insert("awsRegion".to_owned(), json!(REGION));
        fields.insert("eventSourceARN".to_owned(), json!(arn));
        if let Some(record) = fields.get_mut("dynamodb").and_then(Json::as_object_mut) {
            record.insert("ApproximateCreationDateTime".to_owned(), json!(created));
        }
    }
}

fn event_source_arn(engine_arn: &str) -> String {
    let resource = engine_arn
        .find("table/")
        .and_then(|at| engine_arn.get(at..));
    let resource = resource.unwrap_or(engine_arn);
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:{resource}")
}
