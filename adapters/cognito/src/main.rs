//! A user store for Regain: the users of an Amazon Cognito user pool.
//!
//! docs/user-store-cognito.md says how to use it, and what becomes of a user in each of Cognito's states.

mod memory;
mod pool;
mod profile;
mod store;

use std::process::ExitCode;

use user_store::{Startup, ambient, aws, serve};

use crate::memory::Memory;
use crate::pool::Pool;
use crate::store::CognitoStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve(connect).await
}

async fn connect() -> Startup<CognitoStore> {
    let config = aws::config();
    let pool = Pool::new(&config, ambient::required("USER_POOL_ID")?);
    let memory = Memory::new(&config, ambient::required("MEMORY_TABLE")?);
    Ok(CognitoStore::new(pool, memory))
}
