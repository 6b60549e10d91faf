//! Reads a Golomb-coded set: a filter that finds every key, and mistakes few other texts for a key.
//!
//! The hash of each key gives it a position in a range that is 2^21 times as large as the number of
//! keys. The filter is the sorted positions, stored as the gaps between them: the quotient of the gap
//! by 2^21 as that many ones and a zero, then the remainder in 21 bits. A bucket is a part of the
//! range that holds 32 positions on average. A table says where each bucket begins, so that a look-up
//! reads one bucket only.
//!
//! As octets: the number of keys, then the bit at which each bucket begins and the last one ends
//! (all in four octets, little endian), then the gaps, from the highest bit of each octet down,
//! and eight octets more, so that eight can be read from wherever a gap begins.

use std::hash::{DefaultHasher, Hasher as _};

/// The bits of a remainder. They decide the false-positive rate, too: a text that is no key has the
/// position of one with a chance of 1 in 2^21. Two filters together stay below one in a million.
pub(crate) const REMAINDER_BITS: u32 = 21;

/// The length of a bucket, in bits: 32 positions that are 2^21 apart on average. So a gap within
/// one has fewer than 32 ones, and takes at most 53 bits: it is read at once.
pub(crate) const BUCKET_BITS: u32 = REMAINDER_BITS + 5;

/// Octets of a number.
const WORD: u64 = 4;

/// A filter, read where it lies.
pub(crate) struct Filter<'a> {
    keys: u32,
    table: &'a [u8],
    gaps: &'a [u8],
}

impl<'a> Filter<'a> {
    /// Takes a filter as it was written. `None` if it is cut short.
    pub(crate) fn new(octets: &'a [u8]) -> Option<Self> {
        let (keys, rest) = octets.split_first_chunk()?;
        let keys = u32::from_le_bytes(*keys);
        let table = usize::try_from((buckets(keys) + 1) * WORD).ok()?;
        let (table, gaps) = rest.split_at_checked(table)?;
        Some(Self { keys, table, gaps })
    }

    /// Whether a text is one of the keys, or one of the few others that look like one. `None` if
    /// the filter ends before it is known, which one that was written whole never does.
    pub(crate) fn contains(&self, text: &str) -> Option<bool> {
        let wanted = position(text, self.keys);
        let bucket = wanted >> BUCKET_BITS;
        let (mut bit, end) = (self.begins(bucket)?, self.begins(bucket + 1)?);
        let mut found = bucket << BUCKET_BITS;
        while bit < end {
            let bits = self.bits_from(bit)?;
            let ones = bits.leading_ones();
            let remainder = bits.checked_shl(ones + 1)? >> (u64::BITS - REMAINDER_BITS);
            bit += ones + 1 + REMAINDER_BITS;
            found += (u64::from(ones) << REMAINDER_BITS) + remainder;
            if found >= wanted {
                return Some(found == wanted);
            }
        }
        Some(false)
    }

    /// The bit at which a bucket begins, which is where the one before it ends.
    fn begins(&self, bucket: u64) -> Option<u32> {
        let at = usize::try_from(bucket * WORD).ok()?;
        let begins = self.table.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*begins))
    }

    /// The bits from one on, at the top of a number: 57 of them or more.
    fn bits_from(&self, bit: u32) -> Option<u64> {
        let at = usize::try_from(bit / 8).ok()?;
        let octets = self.gaps.get(at..)?.first_chunk()?;
        Some(u64::from_be_bytes(*octets) << (bit % 8))
    }
}

/// The position of a text in the range of a filter with this many keys.
///
/// The hash of the standard library may change with a release of Rust. But the same release builds the writer and
/// the reader of a filter.
pub(crate) fn position(text: &str, keys: u32) -> u64 {
    let mut hash = DefaultHasher::new();
    hash.write(text.as_bytes());
    // A hash of 64 bits is far larger than the range, so all positions are equally likely.
    hash.finish().checked_rem(range(keys)).unwrap_or(0)
}

/// The number of buckets of a filter with this many keys.
pub(crate) fn buckets(keys: u32) -> u64 {
    (range(keys) >> BUCKET_BITS) + 1
}

fn range(keys: u32) -> u64 {
    u64::from(keys) << REMAINDER_BITS
}
