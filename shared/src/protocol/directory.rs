//! The Directory API: `/directory/api/users/resend` and `/directory/api/users/setPassword`.

use lambda_http::http::StatusCode;
use regain_password::Candidate;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Call, Failure, Kind, Malformed, Reply, blame, put, reply};
use crate::api::Protocol;
use crate::code::CodeLength;
use crate::ids::UserId;
use crate::recovery::{
    CodeGuess, NewPassword, RecoveryError, Request, SessionLookup, SessionName, Started,
};
use crate::settings::DirectorySession;
use crate::store::SessionOrigin;
use crate::template::Template;
use crate::users::User;

/// The longest `app` and `device`, in characters.
const MAX_APP: usize = 64;
const MAX_DEVICE: usize = 256;

/// Reads the body of `users/resend`.
///
/// # Errors
/// The field that cannot be read.
pub fn resend(call: &Call) -> Result<Request, Malformed> {
    let mut fields = call.fields()?;
    let address = fields.address("email")?;
    if fields
        .text("purpose")?
        .is_some_and(|purpose| purpose != "forgot-password")
    {
        return Err(Malformed::field("purpose"));
    }
    let template = match fields.text("templateCode")? {
        None => Template::DirectorySessionForgot,
        Some(code) => Template::of_code(&code).ok_or(Malformed::field("templateCode"))?,
    };
    let origin = SessionOrigin {
        app: fields.short("app", MAX_APP)?,
        device: fields.short("device", MAX_DEVICE)?,
    };
    Ok(Request {
        protocol: Protocol::Directory,
        address,
        template,
        origin,
        locale: call.locale(),
        idempotency_key: call.idempotency_key()?,
    })
}

/// Answers `users/resend`.
#[must_use]
pub fn session_started(started: &Started) -> Reply {
    ok(json!({
        "id": started.user,
        "session": {
            "id": started.session.reveal(),
            "timeStamp": started.at.rfc3339(),
            "status": "awaiting",
        },
    }))
}

/// What a call of `users/setPassword` asks for.
#[derive(Debug)]
pub enum SetPasswordAction {
    /// Verify the code.
    Verify(CodeGuess),
    /// Set the password of a validated session.
    SetPassword(NewPassword),
    /// Verify the code and set the password, both or neither.
    Both(CodeGuess, NewPassword),
}

/// Reads the body of `users/setPassword`. `sessions` is what a call means that names no session: the newest one is
/// meant only by a call that has both a code and a password.
///
/// # Errors
/// The field that cannot be read, or that there is neither a code nor a password.
pub fn set_password(
    call: &Call,
    length: CodeLength,
    sessions: DirectorySession,
) -> Result<(SessionLookup, SetPasswordAction), Malformed> {
    let mut fields = call.fields()?;
    let user = UserId::sent(&fields.required("id")?);
    let session = match (fields.id("session")?, sessions) {
        (Some(id), _) => SessionName::parse(&Zeroizing::new(id)),
        (None, DirectorySession::Latest) => SessionName::Latest,
        (None, DirectorySession::Required) => return Err(Malformed::field("session")),
    };
    let guess = fields.code("otp", length)?;
    let password = fields.password()?;
    let has_password = password
        .as_ref()
        .is_some_and(|password| !password.is_empty());
    if matches!(session, SessionName::Latest) && !(guess.is_some() && has_password) {
        return Err(Malformed::field("session"));
    }
    if password
        .as_ref()
        .is_some_and(|password| password.is_empty())
    {
        return Err(Malformed::password_missing());
    }
    let locale = call.locale();
    let new = password.map(|password| NewPassword {
        password: Candidate::new(password),
        locale,
    });
    let action = match (guess, new) {
        (Some(guess), None) => SetPasswordAction::Verify(guess),
        (None, Some(new)) => SetPasswordAction::SetPassword(new),
        (Some(guess), Some(new)) => SetPasswordAction::Both(guess, new),
        (None, None) => return Err(Malformed::password_missing()),
    };
    Ok((
        SessionLookup {
            protocol: Protocol::Directory,
            session,
            user: Some(user),
        },
        action,
    ))
}

/// Answers `users/setPassword`.
#[must_use]
pub fn user(user: &User) -> Reply {
    ok(json!({
        "id": user.id,
        "email": user.email,
        "phone": user.phone,
        "status": user.status.text().unwrap_or_default(),
        "profile": user.profile,
        "meta": user.meta,
        "identities": user.identities,
        "isEmailValidate": user.is_email_validate,
        "isProfileComplete": user.is_profile_complete,
        "isTemporary": user.is_temporary,
        "address": user.address,
        "roles": user.roles,
    }))
}

fn ok(data: Value) -> Reply {
    let mut body = json!({ "isSuccess": true });
    put(&mut body, "data", data);
    reply(StatusCode::OK, &body)
}

/// Answers a call that failed, by the protocol's error table. The messages are those of the original API,
/// to the letter.
pub(super) fn failed(failure: &Failure) -> Reply {
    let (status, code, message) = match failure {
        Failure::Malformed(Malformed {
            kind: Kind::PasswordMissing,
            ..
        }) => (StatusCode::BAD_REQUEST, "DI_USP_PRQ", "Password Required"),
        Failure::Malformed(malformed) => (malformed.status(), "DI_USR_INV", "Request is invalid"),
        Failure::Refused(error) => refused(error),
    };
    let mut body = json!({ "isSuccess": false, "code": code, "error": code, "message": message });
    blame(&mut body, failure);
    reply(status, &body)
}

fn refused(error: &RecoveryError) -> (StatusCode, &'static str, &'static str) {
    match error {
        RecoveryError::OtherUser => (StatusCode::NOT_FOUND, "DI_UVO_UDNE", "User Does not exists"),
        RecoveryError::CodeWrong | RecoveryError::TokenUnknown => {
            (StatusCode::UNAUTHORIZED, "DI_UVO_OINV", "Otp is invalid")
        }
        RecoveryError::Blocked => (StatusCode::FORBIDDEN, "DI_UVO_UBKD", "User is blocked"),
        RecoveryError::NoSession => (
            StatusCode::NOT_FOUND,
            "DI_USC_SDNE",
            "Session does not exists",
        ),
        RecoveryError::SessionOver | RecoveryError::CodeExpired => {
            (StatusCode::GONE, "DI_USC_SE", "Session Expired")
        }
        RecoveryError::GuessesSpent { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "DI_USC_SAE",
            "Session Attempts excited",
        ),
        RecoveryError::PasswordRefused(_) | RecoveryError::PasswordRefusedElsewhere(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "DI_USP_PINV",
            "Password is not acceptable",
        ),
        RecoveryError::Throttled { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "DI_USR_LIM",
            "Too many requests",
        ),
        RecoveryError::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "DI_SYS_UNA",
            "Service unavailable",
        ),
        RecoveryError::Broken(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "DI_SYS_ERR",
            "Internal error",
        ),
    }
}
