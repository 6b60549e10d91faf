//! Password recovery: two public APIs over one engine, on AWS Lambda and one DynamoDB table.
//!
//! In the order of a request:
//!
//! 1. [`function`] starts a Lambda function and hands it each call, read from its [`payload`]. The [`edge`] says
//!    where it comes from.
//! 2. [`protocol`] reads the call and words the answer, for each [`api`]: [`protocol::directory`] and
//!    [`protocol::auth_v1`].
//! 3. [`recovery`] has the use cases: request a code, resend it, verify it, set the password.
//! 4. [`session`] is the pure core: what a session may do, and when.
//! 5. [`code`] derives codes, and the tokens of mails' [`link`]s. [`regain_password`] checks and hashes passwords,
//!    and brings addresses to one canonical form. [`hashing`] runs the hash on a thread that may block. [`ids`] has
//!    the ids of users and sessions, [`keys`] the keyed digests that items are stored under, most of them in
//!    [`hex`]. [`not_me`] makes the token of a notice's link.
//! 6. [`store`] repeats every rule as a condition on the table.
//!    The users themselves may live elsewhere: [`user_store`] asks for them.
//! 7. [`mail`] sends the mails that were requested, each by a [`template`] in a [`locale`]. [`announce`]
//!    publishes an event for each password that was set. Both read the table's [`stream`].
//!
//! Around it: [`settings`] and [`secrets`] are read at start. [`users`] are imported. [`telemetry`] writes
//! logs, [`metrics`] counts, and [`audit`] records what happened to whom. [`aws`] makes the clients.
//! [`ambient`] is the one place that reads the clock and draws randomness; a [`timestamp`] is a point in
//! time.

pub mod ambient;
pub mod announce;
pub mod api;
pub mod audit;
pub mod aws;
pub mod code;
pub mod edge;
pub mod function;
pub mod hashing;
pub mod hex;
pub mod ids;
pub mod keys;
pub mod link;
pub mod locale;
pub mod mail;
pub mod metrics;
pub mod not_me;
pub mod payload;
pub mod protocol;
pub mod recovery;
pub mod secrets;
pub mod session;
pub mod settings;
pub mod store;
pub mod stream;
pub mod telemetry;
pub mod template;
pub mod timestamp;
pub mod user_store;
pub mod users;

/// Compiles the examples of `docs/sign-in.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sign-in.md")]
struct SignInPage;
