#![doc = include_str!("../README.md")]

mod address;
mod candidate;
mod firebase;
mod foreign;
mod hashing;
mod stored;
pub mod unicode;

#[cfg(feature = "policy")]
mod fold;
#[cfg(feature = "policy")]
mod lists;
#[cfg(feature = "policy")]
mod policy;
#[cfg(feature = "policy")]
mod words;

pub use address::{Address, InvalidAddress};
pub use candidate::{Candidate, MAX_LENGTH};
pub use firebase::{FirebaseScrypt, InvalidFirebaseScrypt};
pub use hashing::{Cost, HashError, Hasher, InvalidCost};
#[cfg(feature = "policy")]
pub use policy::{Policy, Reason};
pub use stored::{InvalidPasswordHash, PasswordHash, Verified, verify};
