//! The event source mapping: hands the records of the table's stream to a function.
//!
//! It polls four times a second, as Lambda does. That also keeps the delivery of a mail apart from
//! the request that asked for it, whose timing must not show whether there is anybody to mail.

mod batch;
mod checkpoint;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value as Json, json};
use thiserror::Error;
use tokio::task::JoinSet;

use crate::console::say;
use crate::dynamodb::store::{StoreError, TableStore};
use crate::lambda::pool::Pool;
use crate::shutdown::Stop;
use crate::template::{ACCOUNT, EventSource, REGION};

use batch::{Batch, Record, Settled, settle};
use checkpoint::Ledger;

const POLL_EVERY: Duration = Duration::from_millis(250);
/// What one `GetRecords` returns at most.
const PAGE: usize = 1000;

/// Why the stream cannot be read.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The table's engine refused, or cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An answer is not as DynamoDB's are.
    #[error("the table's stream: {what} is missing: {answer}")]
    Answer {
        /// What is missing.
        what: &'static str,
        /// Where.
        answer: Json,
    },
    /// The file that remembers the position cannot be used.
    #[error("the position in the table's stream: {0}")]
    Position(#[from] std::io::Error),
}

/// Where the mapping keeps what it has to remember; nowhere, if the table is in memory.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// What is delivered.
    pub position: Option<PathBuf>,
    /// What was given up.
    pub dead_letters: Option<PathBuf>,
}

/// One mapping at work.
pub struct Dispatcher {
    source: EventSource,
    pool: Pool,
    reader: Reader,
    ledger: Ledger,
    waiting: VecDeque<Batch>,
    running: JoinSet<(Batch, Option<Bytes>)>,
}

/// Reads the stream's first shard, which is its only one in an emulator.
struct Reader {
    store: TableStore,
    stream_arn: String,
    shard: String,
    after: Option<String>,
}

impl Dispatcher {
    /// Goes on where the last one ended.
    ///
    /// # Errors
    /// When the remembered position or the stream cannot be read.
    pub async fn new(
        source: EventSource,
        pool: Pool,
        store: TableStore,
        stream_arn: String,
        files: Files,
    ) -> Result<Self, StreamError> {
        let ledger = Ledger::open(files)?;
        let reader = Reader::new(store, stream_arn, ledger.position()).await?;
        let (waiting, running) = (VecDeque::new(), JoinSet::new());
        Ok(Self {
            source,
            pool,
            reader,
            ledger,
            waiting,
            running,
        })
    }

    /// Works until the end.
    pub async fn run(mut self, mut stop: Stop) {
        let mut poll = tokio::time::interval(POLL_EVERY);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.requested() => break,
                Some(Ok((batch, answer))) = self.running.join_next() => self.finish(&batch, answer),
                _ = poll.tick() => {
                    if let Err(error) = self.read().await {
                        say(format!("[stream] {error}"));
                    }
                    self.dispatch();
                }
            }
        }
        // What has begun is waited for, so that its mail is not sent again after a restart.
        while let Some(finished) = self.running.join_next().await {
            if let Ok((batch, answer)) = finished {
                self.finish(&batch, answer);
            }
        }
    }

    /// Takes what is new in the stream and wanted.
    async fn read(&mut self) -> Result<(), StreamError> {
        loop {
            let records = self.reader.read().await?;
            let page = records.len();
            let filters = &self.source.filters;
            let wanted: Vec<_> = records
                .into_iter()
                .filter(|record| {
                    filters.is_empty() || filters.iter().any(|it| it.matches(&record.event))
                })
                .filter(|record| self.ledger.begin(record))
                .collect();
            for records in wanted.chunks(self.source.batch_size) {
                self.waiting.push_back(Batch::new(records.to_vec()));
            }
            if page < PAGE {
                return Ok(());
            }
        }
    }

    /// Starts what is due, as far as the mapping may run at the same time.
    fn dispatch(&mut self) {
        let now = regain::ambient::now();
        let mut later = VecDeque::new();
        while let Some(mut batch) = self.waiting.pop_front() {
            for record in batch.give_up_old(self.source.maximum_record_age, now) {
                self.give_up(&record, "it is too old");
            }
            if batch.records.is_empty() {
                continue;
            }
            if batch.due > now || self.running.len() >= self.source.parallelization {
                later.push_back(batch);
                continue;
            }
            let pool = self.pool.clone();
            self.running.spawn(async move {
                let answer = pool.invoke(batch.event()).await.ok();
                (batch, answer)
            });
        }
        self.waiting = later;
    }

    fn finish(&mut self, batch: &Batch, answer: Option<Bytes>) {
        let Settled { done, again } = settle(batch, answer, &self.source, regain::ambient::now());
        for record in &done {
            self.ledger.finish(record);
        }
        for mut batch in again {
            let most = self.source.maximum_retry_attempts;
            if most.is_some_and(|most| batch.attempts > most) {
                for record in std::mem::take(&mut batch.records) {
                    self.give_up(&record, "it failed too often");
                }
            } else {
                self.waiting.push_back(batch);
            }
        }
        if let Err(error) = self.ledger.save() {
            say(format!("[stream] the position cannot be kept: {error}"));
        }
    }

    fn give_up(&mut self, record: &Record, why: &str) {
        let (name, sequence) = (&self.source.function, &record.sequence);
        say(format!("[stream] {name}: gave up on {sequence}: {why}"));
        if let Err(error) = self.ledger.bury(record, why) {
            say(format!("[stream] the dead letter cannot be kept: {error}"));
        }
    }
}

impl Reader {
    async fn new(
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
        })
    }

    /// The next page of records.
    async fn read(&mut self) -> Result<Vec<Record>, StreamError> {
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
        let page = json!({"ShardIterator": text(&iterator, "/ShardIterator")?, "Limit": PAGE});
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
            place(&mut event, &arn, created);
            records.push(Record::new(sequence, created, event));
        }
        // Not before all of the page can be read: what is passed is never read again.
        if let Some(last) = records.last() {
            self.after = Some(last.sequence.clone());
        }
        Ok(records)
    }
}

/// The text at a place in an answer.
fn text(answer: &Json, what: &'static str) -> Result<String, StreamError> {
    let found = answer.pointer(what).and_then(Json::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| missing(what, answer))
}

/// The time at a place in an answer, which may have fractions of a second.
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

/// Makes a record claim to be from where the rest of the stack claims to be.
fn place(event: &mut Json, arn: &str, created: i64) {
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
