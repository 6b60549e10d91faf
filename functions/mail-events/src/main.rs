//! SES's events: what became of mails that SES took.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_mail_events().await
}
