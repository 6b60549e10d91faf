//! Journeys: whole recoveries over HTTP, against the real functions behind the real `local` binary.
//!
//! Every answer that passes through [`testkit::client`] is checked for what all answers have in common;
//! the tests add what is particular. Stacks are shared by tests that need the same settings, and each
//! test brings people of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by panicking"
)]

mod aliases;
mod audit;
mod auth_v1;
mod claims;
mod codes;
mod directory;
mod edge;
mod enumeration;
mod error_tables;
mod events;
mod expiry;
mod fields;
mod gateway;
mod invoke;
mod links;
mod loaded_users;
mod lockout;
mod mail;
mod mail_events;
mod malformed;
mod not_me;
mod outage;
mod passwords;
mod process;
mod retries;
mod rotation;
mod secrecy;
mod sessions;
mod settings;
mod sign_in;
mod stacks;
mod throttles;
mod user_store;
mod users;
