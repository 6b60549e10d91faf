//! DynamoDB: the embedded engine, and the stack's table and stream in it or in another one.

pub mod engine;
pub mod store;
pub mod stream;
