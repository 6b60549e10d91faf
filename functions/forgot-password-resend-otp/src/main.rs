//! `POST /auth/v1/forgot-password/resend-otp`: has another code mailed for the same session.

use std::process::ExitCode;
use std::sync::Arc;

use regain::api::Protocol;
use regain::function;
use regain::protocol::{Call, Failure, Reply, auth_v1};
use regain::recovery::Recovery;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::AuthV1, resend_otp).await
}

async fn resend_otp(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let locale = call.locale();
    let lookup = auth_v1::resend_otp(&call)?;
    let session = recovery.resend(&mut call.context, &lookup, locale).await?;
    Ok(auth_v1::code_sent(&session, locale))
}
