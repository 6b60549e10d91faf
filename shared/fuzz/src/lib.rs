//! The common parts of the fuzz targets: how bytes become a call, and what every answer must look like.
//!
//! 1. [`call`] reads an input as a call, and answers it as a function does.
//! 2. [`envelope`] compares an answer with the contract's error tables.
//! 3. [`body`] does both for the endpoints of one protocol. [`faults`] finds the mistakes in a call, and
//!    [`bare`] has the answers to calls without any content, with which other answers are compared.
//! 4. [`grammar`] is a second JSON parser, for [`faults`].
//! 5. [`table`] is a table that stays empty, for the functions that read the stream and SES's events.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a finding is a panic"
)]

pub mod bare;
pub mod body;
pub mod call;
pub mod envelope;
pub mod faults;
pub mod grammar;
pub mod table;
