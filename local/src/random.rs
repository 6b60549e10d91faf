//! Randomness for ids and secrets, from one generator seeded at the start.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysError};
use rand::{Rng, RngExt};
use uuid::{Builder, Uuid};

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A shared cryptographic generator. Clones draw from the same stream.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// A generator seeded by the operating system.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new() -> Result<Self, SysError> {
        Ok(Self(Arc::new(Mutex::new(regain::ambient::rng()?))))
    }

    /// A random (version 4) UUID.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// `length` letters and digits, each equally likely.
    #[must_use]
    pub fn alphanumeric(&self, length: usize) -> String {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (0..length)
            .filter_map(|_| ALPHANUMERIC.get(rng.random_range(0..ALPHANUMERIC.len())))
            .map(|&byte| char::from(byte))
            .collect()
    }
}
