//! Lambda: runs the functions' programs, and calls them for what happens in the stack.
//!
//! A [`pool`] gives each event to an [`instance`] of the function, which fetches it from its
//! [`runtime_api`]. Besides the gateway, four sources call functions: the [`invoke_api`], the table's stream by an
//! [`event_source`] mapping, the event [`bus`], and the subscriptions to [`logs`]. The invoke API also passes
//! questions on to the [`user_store`] that `--user-store` names.

pub mod binaries;
pub mod bus;
pub mod event_source;
pub mod instance;
pub mod invoke_api;
pub mod log;
pub mod logs;
pub mod pool;
pub mod program;
pub mod runtime_api;
pub mod user_store;
