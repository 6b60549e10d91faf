//! Writes the Golomb-coded set that [`Filter`](super::filter::Filter) reads.
//!
//! Only the build and the tests use it.

use std::collections::BTreeSet;
use std::num::TryFromIntError;

use super::filter::{BUCKET_BITS, REMAINDER_BITS, buckets, position};

/// Makes the filter of some keys, which have to be different.
///
/// # Errors
/// If there are too many keys for the filter's 32-bit numbers.
pub(crate) fn encode(keys: &[&str]) -> Result<Vec<u8>, TryFromIntError> {
    let count = u32::try_from(keys.len())?;
    let positions: BTreeSet<u64> = keys.iter().map(|key| position(key, count)).collect();
    let mut filter = count.to_le_bytes().to_vec();
    let mut gaps = Bits::default();
    for bucket in 0..buckets(count) {
        filter.extend(u32::try_from(gaps.length)?.to_le_bytes());
        let mut last = bucket << BUCKET_BITS;
        for position in positions.range(last..(bucket + 1) << BUCKET_BITS) {
            gaps.push_gap(position - last);
            last = *position;
        }
    }
    filter.extend(u32::try_from(gaps.length)?.to_le_bytes());
    filter.append(&mut gaps.octets);
    filter.extend([0; 8]);
    Ok(filter)
}

/// Bits, from the highest of each octet down.
#[derive(Default)]
struct Bits {
    octets: Vec<u8>,
    length: usize,
}

impl Bits {
    fn push_gap(&mut self, gap: u64) {
        for _ in 0..gap >> REMAINDER_BITS {
            self.push(true);
        }
        self.push(false);
        for bit in (0..REMAINDER_BITS).rev() {
            self.push(gap >> bit & 1 == 1);
        }
    }

    fn push(&mut self, bit: bool) {
        let place = self.length % 8;
        if place == 0 {
            self.octets.push(0);
        }
        if let Some(octet) = self.octets.last_mut() {
            *octet |= u8::from(bit) << (7 - place);
        }
        self.length += 1;
    }
}
