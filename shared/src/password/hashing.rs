//! How a password is kept: Argon2id (RFC 9106), as a PHC string.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordVerifier as _, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use super::Candidate;

/// Octets of hash.
const OUTPUT_LENGTH: usize = 32;

/// The least that is accepted of a stored hash, in octets.
const MIN_OUTPUT_LENGTH: usize = 16;

/// What one hash costs, us and whoever guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// A cost outside the range that is accepted.
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
    /// The most memory: half of what the largest function can have is left for everything else.
    pub const MAX_MEMORY_KIB: u32 = 5 * 1024 * 1024;
    /// The fewest passes over the memory, and the default.
    pub const MIN_ITERATIONS: u32 = 2;
    /// The most passes over the memory.
    pub const MAX_ITERATIONS: u32 = 100;
    /// The most lanes.
    pub const MAX_PARALLELISM: u32 = 64;

    /// A cost that is worth having.
    ///
    /// # Errors
    /// If one of the three is out of its range.
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

    /// Whether a hash made with `params` is cheaper to guess than one made now.
    fn exceeds(self, params: &Params) -> bool {
        params.m_cost() < self.memory_kib
            || params.t_cost() < self.iterations
            || params.output_len().unwrap_or(0) < OUTPUT_LENGTH
    }
}

/// Hashes passwords at one cost. Clones share their memory.
#[derive(Clone)]
pub struct Hasher {
    cost: Cost,
    /// Taken at the first hash and kept: asking the system for tens of megabytes and having each
    /// page faulted in costs a good part of a hash. Parallel hashes take turns, so that a
    /// function's memory is known beforehand. Wiped after each hash.
    memory: Arc<Mutex<Vec<Block>>>,
}

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The memory that the cost asks for is not there.
    #[error("not enough memory to hash a password")]
    OutOfMemory,
    /// The task that was hashing ended early: the runtime is shutting down.
    #[error("hashing a password was interrupted")]
    Interrupted,
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

    /// What each hash costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Hashes a password with a salt drawn for it, off the threads that serve requests.
    ///
    /// # Errors
    /// If there is no memory for it, or the runtime is shutting down.
    pub async fn hash(
        &self,
        password: Candidate,
        salt: [u8; 16],
    ) -> Result<PasswordHash, HashError> {
        let hasher = self.clone();
        tokio::task::spawn_blocking(move || hasher.hash_blocking(&password, &salt))
            .await
            .map_err(|_| HashError::Interrupted)?
    }

    fn hash_blocking(
        &self,
        password: &Candidate,
        salt: &[u8; 16],
    ) -> Result<PasswordHash, HashError> {
        let argon2 = self.cost.argon2()?;
        let mut output = [0; OUTPUT_LENGTH];
        {
            // What an interrupted hash left behind is overwritten by the next one.
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = argon2.params().block_count().saturating_sub(memory.len());
            memory
                .try_reserve_exact(missing)
                .map_err(|_| HashError::OutOfMemory)?;
            memory.resize(argon2.params().block_count(), Block::new());
            let hashed = argon2.hash_password_into_with_memory(
                password.as_str().as_bytes(),
                salt,
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
            salt: Some(Salt::new(salt).map_err(argon2::password_hash::Error::from)?),
            hash: Some(Output::new(&output).map_err(argon2::password_hash::Error::from)?),
        };
        Ok(PasswordHash(phc.to_string()))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

/// A stored password: a PHC string, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PasswordHash(String);

/// The text is no Argon2id hash that this service can check. Does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Argon2id PHC string")]
pub struct InvalidPasswordHash;

impl PasswordHash {
    /// A hash as it was stored, or as another Argon2id implementation wrote it.
    ///
    /// Costs below today's are accepted, so that people can be taken over with the passwords they
    /// have; [`verify`] tells when to replace them.
    ///
    /// # Errors
    /// Unless it is a complete PHC string of `argon2id`, version 19, whose cost is no higher than
    /// [`Cost`] allows and whose hash has 16 octets or more.
    pub fn parse(text: &str) -> Result<Self, InvalidPasswordHash> {
        let phc = Phc::new(text).map_err(|_| InvalidPasswordHash)?;
        let params = Params::try_from(&phc).map_err(|_| InvalidPasswordHash)?;
        let checkable = phc.algorithm == ARGON2ID_IDENT
            && phc.version == Some(Version::V0x13.into())
            && phc.salt.is_some()
            && phc.hash.is_some_and(|hash| hash.len() >= MIN_OUTPUT_LENGTH)
            && params.m_cost() <= Cost::MAX_MEMORY_KIB
            && params.t_cost() <= Cost::MAX_ITERATIONS
            && params.p_cost() <= Cost::MAX_PARALLELISM;
        if checkable {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPasswordHash)
        }
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = InvalidPasswordHash;

    fn try_from(text: String) -> Result<Self, InvalidPasswordHash> {
        Self::parse(&text)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What comparing a password with a stored hash came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is the password.
    Yes,
    /// It is the password, and its hash is cheaper to guess than one made now: hash it again and
    /// store that.
    YesButRehash,
    /// It is another password.
    No,
}

/// Compares a password with a stored hash, in constant time, for the service that signs people in
/// from the same table. Takes as long as a hash: call it where blocking is fine.
#[must_use]
pub fn verify(password: &Candidate, hash: &PasswordHash, current: &Cost) -> Verified {
    // A stored hash was parsed before; one that cannot be read matches nothing.
    let Ok(phc) = Phc::new(&hash.0) else {
        return Verified::No;
    };
    let Ok(params) = Params::try_from(&phc) else {
        return Verified::No;
    };
    let password = password.as_str().as_bytes();
    match Argon2::from(&params).verify_password(password, &phc) {
        Err(_) => Verified::No,
        Ok(()) if current.exceeds(&params) => Verified::YesButRehash,
        Ok(()) => Verified::Yes,
    }
}
