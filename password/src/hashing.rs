//! Hashing a password with Argon2id (RFC 9106).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize as _;

use crate::{Candidate, PasswordHash};

/// The length of a hash in octets.
const OUTPUT_LENGTH: usize = 32;

/// The cost of one hash: its memory, passes and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// A cost that is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCost {
    /// See [`Cost::MIN_MEMORY_KIB`] and [`Cost::MAX_MEMORY_KIB`].
    #[error(
        "memory of a password hash must be {} to {} KiB",
        Cost::MIN_MEMORY_KIB,
        Cost::MAX_MEMORY_KIB
    )]
    Memory,
    /// See [`Cost::MIN_ITERATIONS`] and [`Cost::MAX_ITERATIONS`].
    #[error(
        "iterations of a password hash must be {} to {}",
        Cost::MIN_ITERATIONS,
        Cost::MAX_ITERATIONS
    )]
    Iterations,
    /// See [`Cost::MAX_PARALLELISM`].
    #[error(
        "parallelism of a password hash must be 1 to {}",
        Cost::MAX_PARALLELISM
    )]
    Parallelism,
}

impl Cost {
    /// The least memory, and the default (OWASP Password Storage Cheat Sheet: 19 MiB, t=2, p=1).
    pub const MIN_MEMORY_KIB: u32 = 19_456;
    /// The most memory: half of what the largest Lambda function can have.
    pub const MAX_MEMORY_KIB: u32 = 5 * 1024 * 1024;
    /// The fewest passes over the memory, and the default.
    pub const MIN_ITERATIONS: u32 = 2;
    /// The most passes over the memory.
    pub const MAX_ITERATIONS: u32 = 100;
    /// The most lanes.
    pub const MAX_PARALLELISM: u32 = 64;

    /// Checks a cost.
    ///
    /// # Errors
    /// If the memory, the passes or the lanes are out of range.
    pub fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, InvalidCost> {
        if !(Self::MIN_MEMORY_KIB..=Self::MAX_MEMORY_KIB).contains(&memory_kib) {
            return Err(InvalidCost::Memory);
        }
        if !(Self::MIN_ITERATIONS..=Self::MAX_ITERATIONS).contains(&iterations) {
            return Err(InvalidCost::Iterations);
        }
        if !(1..=Self::MAX_PARALLELISM).contains(&parallelism) {
            return Err(InvalidCost::Parallelism);
        }
        Ok(Self {
            memory_kib,
            iterations,
            parallelism,
        })
    }

    fn argon2(self) -> Result<Argon2<'static>, argon2::Error> {
        let params = Params::new(
            self.memory_kib,
            self.iterations,
            self.parallelism,
            Some(OUTPUT_LENGTH),
        )?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// Whether a hash with `params` is cheaper to guess than a hash with this cost.
    pub(crate) fn exceeds(self, params: &Params) -> bool {
        params.m_cost() < self.memory_kib
            || params.t_cost() < self.iterations
            || params.output_len().unwrap_or(0) < OUTPUT_LENGTH
    }
}

/// Hashes passwords at one cost. Clones share their memory.
#[derive(Clone)]
pub struct Hasher {
    cost: Cost,
    /// Allocated at the first hash and kept: allocating tens of megabytes, with a page fault for each page,
    /// takes a good part of a hash's time. Parallel hashes take turns, so that the memory that a program
    /// needs is known. Wiped after each hash.
    memory: Arc<Mutex<Vec<Block>>>,
}

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// There is less memory than the cost needs.
    #[error("not enough memory to hash a password")]
    OutOfMemory,
    /// The algorithm refused its input.
    #[error("hashing a password failed: {0}")]
    Argon2(#[from] argon2::Error),
    /// The result does not fit the PHC string format.
    #[error("writing a password hash failed: {0}")]
    Phc(#[from] argon2::password_hash::Error),
}

impl Hasher {
    /// A hasher at a cost.
    ///
    /// # Errors
    /// If the cost is out of range, see [`Cost::new`].
    pub fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, InvalidCost> {
        Ok(Self {
            cost: Cost::new(memory_kib, iterations, parallelism)?,
            memory: Arc::default(),
        })
    }

    /// The cost of each hash.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Hashes a password. The salt has to be drawn at random for this hash alone.
    ///
    /// This takes tens of milliseconds of a processor: in an async program, call it where blocking is allowed.
    ///
    /// # Errors
    /// If there is not enough memory.
    // In a caller that is compiled for size, it would not be vectorised.
    #[inline(never)]
    pub fn hash(&self, password: &Candidate, salt: [u8; 16]) -> Result<PasswordHash, HashError> {
        let argon2 = self.cost.argon2()?;
        let mut output = [0; OUTPUT_LENGTH];
        {
            // The contents that an interrupted hash may have left are overwritten.
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = argon2.params().block_count().saturating_sub(memory.len());
            memory
                .try_reserve_exact(missing)
                .map_err(|_| HashError::OutOfMemory)?;
            memory.resize(argon2.params().block_count(), Block::new());
            let hashed = argon2.hash_password_into_with_memory(
                password.as_str().as_bytes(),
                &salt,
                &mut output,
                memory.as_mut_slice(),
            );
            memory.iter_mut().zeroize();
            hashed?;
        }
        let phc = Phc {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon2.params())?,
            salt: Some(Salt::new(&salt).map_err(argon2::password_hash::Error::from)?),
            hash: Some(Output::new(&output).map_err(argon2::password_hash::Error::from)?),
        };
        Ok(PasswordHash::from(&phc))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    const SALT: [u8; 16] = *b"sixteen octets !";

    fn candidate(typed: &str) -> Candidate {
        Candidate::new(Zeroizing::new(typed.to_owned()))
    }

    fn hasher() -> Hasher {
        Hasher::new(Cost::MIN_MEMORY_KIB, Cost::MIN_ITERATIONS, 1).unwrap()
    }

    /// The hash by the algorithm alone, without our memory and our string.
    fn expected(password: &str, memory_kib: u32, iterations: u32, parallelism: u32) -> String {
        let params = Params::new(memory_kib, iterations, parallelism, Some(32)).unwrap();
        let mut output = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &SALT, &mut output)
            .unwrap();
        let base64 = data_encoding::BASE64_NOPAD;
        format!(
            "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${}${}",
            base64.encode(&SALT),
            base64.encode(&output)
        )
    }

    #[test]
    fn a_hash_is_a_phc_string_with_its_parameters() {
        for (memory_kib, iterations, parallelism) in [(19_456, 2, 1), (20_480, 3, 4)] {
            let hasher = Hasher::new(memory_kib, iterations, parallelism).unwrap();
            let hash = hasher.hash(&candidate("vK4#tq9z"), SALT).unwrap();
            let expected = expected("vK4#tq9z", memory_kib, iterations, parallelism);
            assert_eq!(hash.as_str(), expected);
            assert_eq!(PasswordHash::parse(hash.as_str()), Ok(hash));
        }
    }

    #[test]
    fn used_memory_hashes_like_fresh_memory() {
        let used = hasher();
        used.hash(&candidate("another password"), [7; 16]).unwrap();
        let again = used.hash(&candidate("vK4#tq9z"), SALT).unwrap();
        assert_eq!(again.as_str(), expected("vK4#tq9z", 19_456, 2, 1));
    }

    #[test]
    fn the_memory_is_kept_and_wiped() {
        let hasher = hasher();
        assert!(hasher.memory.lock().unwrap().is_empty(), "taken too early");
        hasher.hash(&candidate("vK4#tq9z"), SALT).unwrap();
        let memory = hasher.memory.lock().unwrap();
        assert_eq!(memory.len(), 19_456);
        let is_wiped = |block: &Block| block.as_ref().iter().all(|word| *word == 0);
        assert!(memory.iter().all(is_wiped));
    }

    #[test]
    fn hashes_in_parallel_do_not_disturb_each_other() {
        let hasher = hasher();
        let passwords = ["password one", "password two", "password three"];
        std::thread::scope(|scope| {
            let hasher = &hasher;
            let threads = passwords
                .map(|password| scope.spawn(move || hasher.hash(&candidate(password), SALT)));
            for (thread, password) in threads.into_iter().zip(passwords) {
                let hash = thread.join().unwrap().unwrap();
                assert_eq!(hash.as_str(), expected(password, 19_456, 2, 1));
            }
        });
    }

    #[test]
    fn the_salt_makes_the_same_password_another_hash() {
        let hasher = hasher();
        let one = hasher.hash(&candidate("vK4#tq9z"), [1; 16]).unwrap();
        let two = hasher.hash(&candidate("vK4#tq9z"), [2; 16]).unwrap();
        assert_ne!(one, two);
    }

    #[test]
    fn nothing_of_a_long_password_is_cut_off() {
        let hasher = hasher();
        let one = "z".repeat(255) + "1";
        let two = "z".repeat(255) + "2";
        let one = hasher.hash(&candidate(&one), SALT).unwrap();
        let two = hasher.hash(&candidate(&two), SALT).unwrap();
        assert_ne!(one, two);
    }

    #[test]
    fn a_cost_out_of_range_is_refused_by_name() {
        for (memory_kib, iterations, parallelism, refused) in [
            (19_456, 2, 1, None),
            (19_455, 2, 1, Some(InvalidCost::Memory)),
            (5 * 1024 * 1024, 2, 1, None),
            (5 * 1024 * 1024 + 1, 2, 1, Some(InvalidCost::Memory)),
            (u32::MAX, 2, 1, Some(InvalidCost::Memory)),
            (19_456, 1, 1, Some(InvalidCost::Iterations)),
            (19_456, 100, 1, None),
            (19_456, 101, 1, Some(InvalidCost::Iterations)),
            (19_456, 2, 0, Some(InvalidCost::Parallelism)),
            (19_456, 2, 64, None),
            (19_456, 2, 65, Some(InvalidCost::Parallelism)),
        ] {
            assert_eq!(
                Cost::new(memory_kib, iterations, parallelism).err(),
                refused,
                "m={memory_kib}, t={iterations}, p={parallelism}"
            );
        }
        assert_eq!(
            InvalidCost::Memory.to_string(),
            "memory of a password hash must be 19456 to 5242880 KiB"
        );
    }

    #[test]
    fn debug_shows_the_cost_only() {
        assert_eq!(
            format!("{:?}", hasher()),
            "Hasher { cost: Cost { memory_kib: 19456, iterations: 2, parallelism: 1 }, .. }"
        );
    }
}
