//! `POST /auth/v1/forgot-password/set-password`: sets the password that a reset token or a mail's link allows.

use std::process::ExitCode;
use std::sync::Arc;

use regain::api::Protocol;
use regain::function;
use regain::protocol::{Call, Failure, Reply, auth_v1};
use regain::recovery::Recovery;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::AuthV1, set_password).await
}

async fn set_password(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let locale = call.locale();
    let (token, new) = auth_v1::set_password(&call)?;
    let user = recovery
        .set_password_by_token(&mut call.context, token, new)
        .await?;
    Ok(auth_v1::password_set(&user.id, locale))
}
