//! The functions' logs: copies the audit records in them to the audit trail.

use std::process::ExitCode;

use regain::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::run_audit_trail().await
}
