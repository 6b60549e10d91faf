//! DynamoDB: the embedded engine, and the stack's table in it or in another one.

pub mod engine;
pub mod store;
