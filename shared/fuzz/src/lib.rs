//! What the fuzz targets have in common: how bytes become a call, and what every answer has to be.
//!
//! 1. [`call`] reads an input as a call, and has it answered as a function answers it.
//! 2. [`envelope`] holds an answer against the contract's error tables.
//! 3. [`body`] does both for the endpoints of one protocol: [`faults`] says what is wrong with a call, and
//!    [`bare`] has the answers that say nothing about their caller.
//! 4. [`grammar`] is JSON once more, for [`faults`].
//! 5. [`table`] is a table that stays empty, for what is handed to the functions behind the table.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a finding is told by panicking"
)]

pub mod bare;
pub mod body;
pub mod call;
pub mod envelope;
pub mod faults;
pub mod grammar;
pub mod table;
