//! `POST /auth/v1/forgot-password`: begins a recovery and has its code mailed.

use std::process::ExitCode;
use std::sync::Arc;

use regain::api::Protocol;
use regain::function;
use regain::protocol::{Call, Failure, Reply, auth_v1};
use regain::recovery::Recovery;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::AuthV1, forgot_password).await
}

async fn forgot_password(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let request = auth_v1::forgot_password(&call)?;
    let started = recovery.request(&mut call.context, request).await?;
    Ok(auth_v1::code_sent(&started.session, call.locale()))
}
