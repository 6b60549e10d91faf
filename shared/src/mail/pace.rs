//! The pace of a batch: when its records start, and when it ends.
//!
//! Both follow from the length that is set and from the place of a record. Neither depends on the outcome of a
//! mail, so nobody can tell from the delay of their own mail whether the ones before it were sent.

use std::time::Duration;

/// Records start a tenth of a batch apart. Delivery runs on one thread: by then it has handed over the mail
/// before, so that this one is not held up.
const APART: u32 = 10;

/// When the record at a place starts, from the start of its batch.
pub(super) fn offset(place: usize, batch: Duration) -> Duration {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    (batch / APART).saturating_mul(place)
}

/// How long a batch of `records` takes: each record has a batch's time to itself.
pub(super) fn length(records: usize, batch: Duration) -> Duration {
    match records.checked_sub(1) {
        None => Duration::ZERO,
        Some(last) => offset(last, batch) + batch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: Duration = Duration::from_millis(400);

    #[test]
    fn the_first_record_starts_at_once_and_each_other_one_a_tenth_of_a_batch_later() {
        let starts = [0, 1, 2, 9].map(|place| offset(place, BATCH).as_millis());
        assert_eq!(starts, [0, 40, 80, 360]);
    }

    #[test]
    fn a_batch_leaves_its_last_record_as_much_time_as_is_set() {
        let lengths = [0, 1, 2, 4, 10].map(|records| length(records, BATCH).as_millis());
        assert_eq!(lengths, [0, 400, 440, 520, 760]);
    }

    #[test]
    fn without_a_time_nothing_waits() {
        assert_eq!(length(10, Duration::ZERO), Duration::ZERO);
    }
}
