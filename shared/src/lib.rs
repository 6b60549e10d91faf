//! Password recovery.

pub mod address;
pub mod password;
