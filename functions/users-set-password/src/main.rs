//! `POST /directory/api/users/setPassword`: checks a code, sets the password, or both at once.

use std::process::ExitCode;
use std::sync::Arc;

use regain::function;
use regain::protocol::directory::{self, SetPasswordAction};
use regain::protocol::{Call, Failure, Reply};
use regain::recovery::Recovery;
use regain::session::Protocol;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    function::serve(Protocol::Directory, set_password).await
}

async fn set_password(recovery: Arc<Recovery>, mut call: Call) -> Result<Reply, Failure> {
    let length = recovery.settings().code_length;
    let (named, wish) = directory::set_password(&call, length)?;
    let (caller, at, rng) = (&call.caller, call.at, &mut call.rng);
    let user = match wish {
        SetPasswordAction::Verify(guess) => recovery.verify(caller, &named, &guess, at).await,
        SetPasswordAction::SetPassword(new) => {
            recovery.set_password(caller, &named, new, at, rng).await
        }
        SetPasswordAction::Both(guess, new) => {
            recovery
                .set_password_with_code(caller, &named, &guess, new, at, rng)
                .await
        }
    }?;
    Ok(directory::user(&user))
}
