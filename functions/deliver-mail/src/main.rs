//! The table's stream: writes and sends the mails that were asked for.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_deliver_mail().await
}
