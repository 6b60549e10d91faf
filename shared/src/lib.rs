//! Password recovery: two public APIs over one engine, on AWS Lambda and one DynamoDB table.
//!
//! The flow, in reading order:
//!
//! 1. [`function`] starts a Lambda function, and hands it each call, read from its [`payload`].
//! 2. [`protocol`] reads the call and words the answer: [`protocol::directory`], [`protocol::auth_v1`].
//! 3. [`recovery`] holds the use cases: ask for a code, prove it, ask for another, set the password.
//! 4. [`session`] is the pure core: what a session may do, and when.
//! 5. [`code`] derives codes. [`regain_password`] checks and hashes passwords and gives addresses their
//!    canonical form; [`hashing`] runs the hash on a thread where it may block. [`ids`] and [`keys`] are
//!    what everything is named by.
//! 6. [`store`] decides all of it by conditions on one table.
//! 7. [`mail`] writes the mails that the store was left, in a [`template`] and a [`locale`].
//!
//! Around it: [`settings`] and [`secrets`] come from outside, [`users`] are brought in, [`telemetry`],
//! [`metrics`] and the [`audit`] trail say what happened, [`aws`] connects, and [`ambient`] is the one place for time and randomness, a
//! [`timestamp`] being the one form of time.

pub mod ambient;
pub mod audit;
pub mod aws;
pub mod code;
pub mod function;
pub mod hashing;
pub mod ids;
pub mod keys;
pub mod locale;
pub mod mail;
pub mod metrics;
pub mod payload;
pub mod protocol;
pub mod recovery;
pub mod secrets;
pub mod session;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod template;
pub mod timestamp;
pub mod users;

/// Compiles the examples of `docs/sign-in.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sign-in.md")]
struct SignInPage;
