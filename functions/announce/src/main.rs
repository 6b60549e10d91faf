//! The table's stream: publishes an event on EventBridge for each password that was set.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_announce().await
}
