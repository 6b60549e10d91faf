//! `POST /recover/not-me`: blocks the account whose changed password a person disowns.

use std::process::ExitCode;
use std::sync::Arc;

use regain::api::Protocol;
use regain::function;
use regain::protocol::{Call, Failure, Reply, auth_v1};
use regain::recovery::Recovery;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::AuthV1, not_me).await
}

async fn not_me(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let locale = call.locale();
    let token = auth_v1::not_me(&call)?;
    recovery.not_me(&mut call.context, token).await?;
    Ok(auth_v1::account_blocked(locale))
}
