//! `POST /directory/api/users/setPassword`: checks a code, sets the password, or both at once.

use std::process::ExitCode;
use std::sync::Arc;

use regain::api::Protocol;
use regain::function;
use regain::protocol::directory::{self, SetPasswordAction};
use regain::protocol::{Call, Failure, Reply};
use regain::recovery::Recovery;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::Directory, set_password).await
}

async fn set_password(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let settings = recovery.settings();
    let (lookup, action) =
        directory::set_password(&call, settings.code_length, settings.directory_session)?;
    let context = &mut call.context;
    let user = match action {
        SetPasswordAction::Verify(guess) => recovery.verify(context, &lookup, &guess).await,
        SetPasswordAction::SetPassword(new) => recovery.set_password(context, &lookup, new).await,
        SetPasswordAction::Both(guess, new) => {
            recovery
                .set_password_with_code(context, &lookup, &guess, new)
                .await
        }
    }?;
    Ok(directory::user(&user))
}
