//! `POST /directory/api/users/resend`: begins a recovery and has its code mailed.

use std::process::ExitCode;
use std::sync::Arc;

use regain::api::Protocol;
use regain::function;
use regain::protocol::{Call, Failure, Reply, directory};
use regain::recovery::Recovery;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::Directory, resend).await
}

async fn resend(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let request = directory::resend(&call)?;
    let started = recovery.request(&mut call.context, request).await?;
    Ok(directory::session_started(&started))
}
