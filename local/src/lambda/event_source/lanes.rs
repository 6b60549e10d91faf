//! The lanes of a mapping: which records may go to the function next.
//!
//! A key always has the same lane, and a lane has one batch with the function at a time, so the records of one
//! key are handed out in order. As on Lambda, a lane hands out nothing behind a batch that waits for another
//! attempt.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use regain::timestamp::Timestamp;

use super::batch::Batch;
use crate::dynamodb::stream::Record;

#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    batch_size: usize,
}

#[derive(Debug, Default)]
struct Lane {
    /// Records that have not been handed out yet.
    new: VecDeque<Record>,
    /// Batches that wait for another attempt, in order. New records wait behind them.
    retries: VecDeque<Batch>,
    /// Whether a batch is with the function.
    is_busy: bool,
}

impl Lanes {
    pub(super) fn new(count: usize, batch_size: usize) -> Self {
        let lanes = (0..count.max(1)).map(|_| Lane::default()).collect();
        Self { lanes, batch_size }
    }

    /// Adds the next record of the stream to its lane.
    pub(super) fn push(&mut self, record: Record) {
        let mut hasher = DefaultHasher::new();
        record.key().hash(&mut hasher);
        let count = u64::try_from(self.lanes.len()).unwrap_or(1);
        let index = usize::try_from(hasher.finish() % count).unwrap_or(0);
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.new.push_back(record);
        }
    }

    /// A batch of a lane that is free, and the lane, which is busy from now on.
    pub(super) fn next_batch(&mut self, now: Timestamp) -> Option<(usize, Batch)> {
        let mut lanes = self.lanes.iter_mut().enumerate();
        lanes.find_map(|(index, lane)| Some((index, lane.next_batch(now, self.batch_size)?)))
    }

    /// Keeps what is left of a lane's batch for another attempt, before all else in its lane.
    pub(super) fn retry(&mut self, lane: usize, batches: Vec<Batch>) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            for batch in batches.into_iter().rev() {
                lane.retries.push_front(batch);
            }
        }
    }

    /// Frees a lane for its next batch.
    pub(super) fn free(&mut self, lane: usize) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.is_busy = false;
        }
    }
}

impl Lane {
    fn next_batch(&mut self, now: Timestamp, size: usize) -> Option<Batch> {
        if self.is_busy {
            return None;
        }
        let batch = match self.retries.front() {
            None => self.new_batch(size)?,
            Some(first) if first.due <= now => self.retries.pop_front()?,
            Some(_) => return None,
        };
        self.is_busy = true;
        Some(batch)
    }

    fn new_batch(&mut self, size: usize) -> Option<Batch> {
        let size = size.min(self.new.len());
        let records: Vec<_> = self.new.drain(..size).collect();
        (!records.is_empty()).then(|| Batch::new(records))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::template::EventSource;

    fn now() -> Timestamp {
        Timestamp::from_millis(1000)
    }

    fn record(number: usize, key: &str) -> Record {
        let event = json!({"dynamodb": {"Keys": {"pk": {"S": key}}}});
        Record::new(format!("{number:021}"), 0, event)
    }

    /// Lanes with these keys' records in them, numbered from 0.
    fn lanes(count: usize, batch_size: usize, keys: &[&str]) -> Lanes {
        let mut lanes = Lanes::new(count, batch_size);
        for (number, key) in keys.iter().enumerate() {
            lanes.push(record(number, key));
        }
        lanes
    }

    fn numbers(batch: &Batch) -> Vec<usize> {
        let numbers = batch.records.iter().map(|it| it.sequence.parse().unwrap());
        numbers.collect()
    }

    /// The next batch, whose invocation fails.
    fn fail_next(lanes: &mut Lanes, at: Timestamp, bisect: bool) -> Vec<usize> {
        let source = EventSource {
            bisect,
            ..EventSource::example()
        };
        let (lane, batch) = lanes.next_batch(at).unwrap();
        let again = super::super::batch::outcome(&batch, None, &source, at).again;
        lanes.retry(lane, again);
        lanes.free(lane);
        numbers(&batch)
    }

    #[test]
    fn different_keys_are_handed_out_at_the_same_time() {
        let keys: Vec<_> = (0..200).map(|number| format!("MAIL#{number}")).collect();
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let mut lanes = lanes(10, 10, &keys);
        let batches: Vec<_> = std::iter::from_fn(|| lanes.next_batch(now())).collect();
        assert_eq!(batches.len(), 10, "one batch for each lane");
        assert!(batches.iter().all(|(_, batch)| batch.records.len() <= 10));
        let (lane, _) = batches[3];
        lanes.free(lane);
        assert_eq!(lanes.next_batch(now()).unwrap().0, lane, "the lane goes on");
    }

    #[test]
    fn records_of_one_key_are_handed_out_in_order_and_never_at_the_same_time() {
        let mut lanes = lanes(10, 2, &["a"; 5]);
        let mut order = Vec::new();
        while let Some((lane, batch)) = lanes.next_batch(now()) {
            assert!(lanes.next_batch(now()).is_none(), "the lane is busy");
            order.push(numbers(&batch));
            lanes.free(lane);
        }
        assert_eq!(order, [vec![0, 1], vec![2, 3], vec![4]]);
    }

    #[test]
    fn a_record_that_waits_for_its_next_attempt_holds_back_its_lane() {
        let mut lanes = lanes(1, 1, &["a", "a", "b"]);
        assert_eq!(fail_next(&mut lanes, now(), true), [0]);
        assert!(lanes.next_batch(now()).is_none(), "0 is not due");
        let later = Timestamp::from_millis(1250);
        for number in 0..3 {
            let (lane, batch) = lanes.next_batch(later).unwrap();
            assert_eq!(numbers(&batch), [number]);
            lanes.free(lane);
        }
    }

    #[test]
    fn the_halves_of_a_failed_batch_are_handed_out_in_order_before_new_records() {
        let mut lanes = lanes(1, 2, &["a", "b", "c"]);
        assert_eq!(fail_next(&mut lanes, now(), true), [0, 1]);
        let first = Timestamp::from_millis(1250);
        assert_eq!(fail_next(&mut lanes, first, true), [0]);
        assert!(lanes.next_batch(first).is_none(), "1 waits for 0");
        let later = Timestamp::from_millis(1750);
        for number in 0..3 {
            let (lane, batch) = lanes.next_batch(later).unwrap();
            assert_eq!(numbers(&batch), [number]);
            lanes.free(lane);
        }
    }
}
