//! The common parts of the user stores in this folder: the messages of Regain's user store protocol, the
//! loop of a Lambda function that answers them, and its surroundings.
//!
//! docs/user-store.md describes the protocol.

mod function;
mod message;

pub mod ambient;
pub mod aws;

pub use function::{Startup, UserStore, serve};
pub use message::{Answer, Ask, EmailProven, Find, Malformed, Outcome, SetPassword, User};
