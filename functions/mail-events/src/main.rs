//! SES's events: records bounces, complaints and other reports about mails that SES had accepted.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_mail_events().await
}
