//! The event source mapping: hands the records of the table's stream to a function, as Lambda does.
//!
//! The mapping has lanes. The records of one key go through one lane in order, and all lanes work at the same
//! time. A lane gets its next batch only when the one before is done, so records behind one that failed wait.
//! The mapping reads the stream whenever the gateway has answered a call, because that call may have written to
//! the table. For all other writes, it polls four times a second, as Lambda does.

mod batch;
mod checkpoint;
mod lanes;

use std::time::Duration;

use axum::body::Bytes;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

use crate::console::say;
use crate::dynamodb::store::TableStore;
use crate::dynamodb::stream::{Record, StreamError, StreamReader};
use crate::lambda::pool::Pool;
use crate::shutdown::Stop;
use crate::template::EventSource;

use batch::{Batch, Outcome, outcome};
use checkpoint::Checkpoint;
use lanes::Lanes;

pub use checkpoint::Files;

const POLL_EVERY: Duration = Duration::from_millis(250);

/// Between a call's answer and the delivery of its mail. The answer is on its way by then, so its
/// timing does not show whether there is a mail to deliver.
const WAKE_AFTER: Duration = Duration::from_millis(10);

/// Why a mapping cannot begin.
#[derive(Debug, Error)]
pub enum EventSourceError {
    /// The stream cannot be read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The file with the position cannot be used.
    #[error("the position in the table's stream: {0}")]
    Position(#[from] std::io::Error),
}

/// Wakes the mappings. Clones wake the same ones.
#[derive(Clone, Debug, Default)]
pub struct Waker(watch::Sender<()>);

impl Waker {
    /// Wakes every mapping, a moment after the call that has just been answered.
    pub fn wake(&self) {
        let sender = self.0.clone();
        tokio::spawn(async move {
            tokio::time::sleep(WAKE_AFTER).await;
            sender.send_replace(());
        });
    }
}

/// One mapping at work.
pub struct EventSourceMapping {
    source: EventSource,
    pool: Pool,
    reader: StreamReader,
    checkpoint: Checkpoint,
    lanes: Lanes,
    poll_every: Duration,
    running: JoinSet<Invoked>,
}

/// A batch after its invocation: its lane, and the function's answer if the invocation succeeded.
struct Invoked {
    lane: usize,
    batch: Batch,
    answer: Option<Bytes>,
}

impl EventSourceMapping {
    /// Continues where the last run ended.
    ///
    /// # Errors
    /// When the position or the stream cannot be read.
    pub async fn new(
        source: EventSource,
        pool: Pool,
        store: TableStore,
        stream_arn: String,
        files: Files,
    ) -> Result<Self, EventSourceError> {
        let checkpoint = Checkpoint::open(files)?;
        let reader = StreamReader::new(store, stream_arn, checkpoint.position()).await?;
        let lanes = Lanes::new(source.parallelization, source.batch_size);
        Ok(Self {
            source,
            pool,
            reader,
            checkpoint,
            lanes,
            poll_every: POLL_EVERY,
            running: JoinSet::new(),
        })
    }

    /// Sets how often it reads the stream without being woken.
    #[must_use]
    pub fn poll_every(self, poll_every: Duration) -> Self {
        Self { poll_every, ..self }
    }

    /// Works until the service ends. Batches that are with the function then are waited for, so that
    /// their mail is not sent again after a restart.
    pub async fn run(mut self, stop: Stop, waker: Waker) {
        let mut woken = waker.0.subscribe();
        let mut poll: Interval = tokio::time::interval(self.poll_every);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.requested() => break,
                Some(Ok(invoked)) = self.running.join_next() => self.finish(invoked),
                Ok(()) = woken.changed() => self.read().await,
                _ = poll.tick() => self.read().await,
            }
            self.start();
        }
        while let Some(invoked) = self.running.join_next().await {
            if let Ok(invoked) = invoked {
                self.finish(invoked);
            }
        }
    }

    /// Puts the new records that pass the filters into their lanes.
    async fn read(&mut self) {
        let mut more = true;
        while more {
            let records;
            (records, more) = match self.reader.read().await {
                Ok(page) => page,
                Err(error) => return say(format!("[stream] {error}")),
            };
            let filters = &self.source.filters;
            for record in records {
                let is_wanted =
                    filters.is_empty() || filters.iter().any(|it| it.matches(&record.event));
                if is_wanted && self.checkpoint.begin(&record) {
                    self.lanes.push(record);
                }
            }
        }
    }

    /// Invokes the function for every lane that is free and has records.
    fn start(&mut self) {
        let now = regain::ambient::now();
        while let Some((lane, mut batch)) = self.lanes.next_batch(now) {
            for record in batch.give_up_old(self.source.maximum_record_age, now) {
                self.give_up(&record, "it is too old");
            }
            if batch.records.is_empty() {
                self.lanes.free(lane);
                continue;
            }
            let pool = self.pool.clone();
            self.running.spawn(async move {
                let answer = pool.invoke(batch.event()).await.ok();
                Invoked {
                    lane,
                    batch,
                    answer,
                }
            });
        }
    }

    fn finish(&mut self, invoked: Invoked) {
        let Invoked {
            lane,
            batch,
            answer,
        } = invoked;
        let Outcome { done, again } = outcome(&batch, answer, &self.source, regain::ambient::now());
        for record in &done {
            self.checkpoint.finish(record);
        }
        let most = self.source.maximum_retry_attempts;
        let (given_up, again): (Vec<_>, Vec<_>) = again
            .into_iter()
            .partition(|batch| most.is_some_and(|most| batch.attempts > most));
        for record in given_up.iter().flat_map(|batch| &batch.records) {
            self.give_up(record, "it failed too often");
        }
        self.lanes.retry(lane, again);
        self.lanes.free(lane);
        if let Err(error) = self.checkpoint.save() {
            say(format!("[stream] the position cannot be saved: {error}"));
        }
    }

    fn give_up(&mut self, record: &Record, why: &str) {
        let (name, sequence) = (&self.source.function, &record.sequence);
        say(format!("[stream] {name}: gave up on {sequence}: {why}"));
        if let Err(error) = self.checkpoint.give_up(record, why) {
            say(format!("[stream] the dead letter cannot be saved: {error}"));
        }
    }
}
