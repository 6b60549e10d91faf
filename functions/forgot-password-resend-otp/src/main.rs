//! Password recovery.
fn main() {}
