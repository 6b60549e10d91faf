//! The whole service on one machine: a small API Gateway and Lambda, an embedded DynamoDB, and
//! stand-ins for SES, EventBridge and Secrets Manager, wired up as template.yaml says.
//!
//! In the order of a request: the [`gateway`] makes it an event and gives the event to the function
//! in [`lambda`]; the function reads and writes the table in [`dynamodb`], and reads the [`secrets`].
//! The table's stream calls two functions: the one that mails, whose mail goes through SES into the mailbox, both
//! in [`mail`], and the one that publishes events about changed passwords on [`event_bridge`]. [`template`] reads
//! from template.yaml what to run. [`service`] starts and ends everything.

pub mod console;
pub mod data;
pub mod dynamodb;
pub mod event_bridge;
pub mod gateway;
pub mod lambda;
pub mod mail;
pub mod options;
pub mod random;
pub mod secrets;
pub mod service;
pub mod service_error;
pub mod shutdown;
pub mod template;
pub mod tour;
pub mod users;
