//! The whole service on one machine.
pub mod console;
pub mod instance;
pub mod listen;
pub mod options;
pub mod pool;
pub mod random;
pub mod runtime_api;
pub mod shutdown;
pub mod template;
