//! The operator's command as it is called: the real binary, an embedded table, and stand-ins for the
//! other services.

mod doctor;
mod failures;
mod import;
mod kit;
mod throttle;
mod users;
