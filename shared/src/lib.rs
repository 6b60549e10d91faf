//! Password recovery.

