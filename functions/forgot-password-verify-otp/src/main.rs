//! `POST /auth/v1/forgot-password/verify-otp`: checks a code and hands out a reset token.

use std::process::ExitCode;
use std::sync::Arc;

use regain::api::Protocol;
use regain::function;
use regain::protocol::{Call, Failure, Reply, auth_v1};
use regain::recovery::Recovery;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::AuthV1, verify_otp).await
}

async fn verify_otp(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let length = recovery.settings().code_length;
    let (lookup, guess) = auth_v1::verify_otp(&call, length)?;
    let token = recovery
        .verify_for_token(&mut call.context, &lookup, &guess)
        .await?;
    Ok(auth_v1::code_proven(&token, call.locale()))
}
