//! Invoked by services of the account: creates, changes, deletes and finds users.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_users().await
}
