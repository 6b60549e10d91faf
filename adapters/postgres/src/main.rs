//! A user store for Regain: the users in a table of Postgres.
//!
//! docs/user-store-postgres.md says how to use it.

mod database;
mod hashing;
mod row;
mod settings;
mod store;

use std::process::ExitCode;

use user_store::{Startup, serve};

use crate::settings::Settings;
use crate::store::PostgresStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    serve(async || -> Startup<PostgresStore> { Ok(PostgresStore::new(Settings::read()?)?) }).await
}
