//! The whole service on one machine: a small API Gateway and Lambda, an embedded DynamoDB, and
//! stand-ins for SES and Secrets Manager, wired up as template.yaml says.
//!
//! In the order of a request: [`gateway`] takes it and makes it an [`event`]; a [`pool`] gives the
//! event to an [`instance`] of the function, which fetches it from its [`runtime_api`]; the function
//! talks to the [`store`]'s table, which is in the [`engine`], and to the [`secrets`]; the [`stream`]
//! hands what it wrote to the function that mails, through [`ses`], into the [`mailbox`]; what becomes of
//! a mail goes over the event [`bus`] to the function that hears of it; and the [`logs`] of all of them go
//! to the one that keeps the audit trail. [`service`] starts and ends all of that.

pub mod binaries;
pub mod bus;
pub mod console;
pub mod cors;
pub mod data;
pub mod engine;
pub mod event;
pub mod gateway;
pub mod instance;
pub mod listen;
pub mod logs;
pub mod mail_store;
pub mod mailbox;
pub mod options;
pub mod pool;
pub mod program;
pub mod random;
pub mod runtime_api;
pub mod seal;
pub mod secrets;
pub mod service;
pub mod service_error;
pub mod ses;
pub mod shutdown;
pub mod store;
pub mod stream;
pub mod template;
pub mod users;
