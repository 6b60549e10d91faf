//! The table's stream: tells the event bus of each password that was set.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_announce().await
}
