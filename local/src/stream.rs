//! The event source mapping: hands the records of the table's stream to a function.
//!
//! It polls four times a second, as Lambda does. That also keeps the delivery of a mail apart from
//! the request that asked for it, whose timing must not show whether there is anybody to mail.

mod ledger;
mod work;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use dynoxide::Database;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use serde_json::{Value as Json, json};
use thiserror::Error;
use tokio::task::JoinSet;

use crate::console::say;
use crate::pool::Pool;
use crate::shutdown::Stop;
use crate::template::{ACCOUNT, EventSource, REGION};

use ledger::Ledger;
use work::{Batch, Record, Settled, settle};

const POLL_EVERY: Duration = Duration::from_millis(250);
/// What one `GetRecords` returns at most.
const PAGE: usize = 1000;

/// Why the stream cannot be read.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The engine refused.
    #[error("the table's stream: {0}")]
    Engine(#[from] dynoxide::errors::DynoxideError),
    /// A record is none.
    #[error("the table's stream: a record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
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

/// Reads the one shard of the stream.
#[derive(Clone)]
struct Reader {
    database: Database,
    stream_arn: String,
    shard: String,
    after: Option<String>,
}

impl Dispatcher {
    /// Goes on where the last one ended.
    ///
    /// # Errors
    /// When the remembered position cannot be read.
    pub fn new(
        source: EventSource,
        pool: Pool,
        database: Database,
        table: &str,
        stream_arn: String,
        files: Files,
    ) -> Result<Self, StreamError> {
        let ledger = Ledger::open(files)?;
        let after = ledger.position();
        let shard = dynoxide::streams::shard_id(table);
        let reader = Reader {
            database,
            stream_arn,
            shard,
            after,
        };
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
            let mut reader = self.reader.clone();
            let read = tokio::task::spawn_blocking(move || {
                let records = reader.read();
                (reader, records)
            });
            let Ok((reader, records)) = read.await else {
                return Ok(());
            };
            let records = records?;
            self.reader = reader;
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
    /// The next page of records.
    fn read(&mut self) -> Result<Vec<Record>, StreamError> {
        let kind = if self.after.is_some() {
            "AFTER_SEQUENCE_NUMBER"
        } else {
            "TRIM_HORIZON"
        };
        let iterator = self.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: self.stream_arn.clone(),
            shard_id: self.shard.clone(),
            shard_iterator_type: kind.to_owned(),
            sequence_number: self.after.clone(),
        })?;
        let page = self.database.get_records(GetRecordsRequest {
            shard_iterator: iterator.shard_iterator.unwrap_or_default(),
            limit: Some(PAGE),
        })?;
        let arn = event_source_arn(&self.stream_arn);
        let mut records = Vec::with_capacity(page.records.len());
        for record in page.records {
            let sequence = record.dynamodb.sequence_number.clone();
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds since 1970")]
            let created = record.dynamodb.approximate_creation_date_time as i64;
            let mut event = serde_json::to_value(&record)?;
            place(&mut event, &arn, created);
            self.after = Some(sequence.clone());
            records.push(Record::new(sequence, created, event));
        }
        Ok(records)
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
