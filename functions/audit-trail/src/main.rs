//! The functions' logs: keeps the records of the audit trail that are in them.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_audit_trail().await
}
