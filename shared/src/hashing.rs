//! Hashes and verifies passwords on the runtime's blocking threads.
//!
//! One hash takes tens of milliseconds of a processor. On a thread that serves requests, it would hold
//! up everything else there.

use regain_password::{Candidate, Cost, HashError, Hasher, PasswordHash, Verified};
use thiserror::Error;
use tokio::task::{JoinError, spawn_blocking};

/// Why a password was not hashed or verified.
#[derive(Debug, Error)]
pub enum HashingError {
    /// The blocking thread ended early: the runtime is shutting down, or the hash panicked.
    #[error("hashing a password was interrupted")]
    Interrupted(#[from] JoinError),
    /// The hash itself failed.
    #[error(transparent)]
    Failed(#[from] HashError),
}

/// Hashes a password with a salt that was drawn for this hash.
pub(crate) async fn hash(
    hasher: &Hasher,
    password: &Candidate,
    salt: [u8; 16],
) -> Result<PasswordHash, HashingError> {
    let (hasher, password) = (hasher.clone(), password.clone());
    Ok(spawn_blocking(move || hasher.hash(&password, salt)).await??)
}

/// Compares a password with a stored hash, see [`regain_password::verify`].
pub(crate) async fn verify(
    password: &Candidate,
    stored: &PasswordHash,
    current: Cost,
) -> Result<Verified, HashingError> {
    let (password, stored) = (password.clone(), stored.clone());
    Ok(spawn_blocking(move || regain_password::verify(&password, &stored, &current)).await?)
}
