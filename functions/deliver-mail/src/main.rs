//! The table's stream: sends the mails that were requested.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_deliver_mail().await
}
