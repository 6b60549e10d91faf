//! The auth/v1 API: `/auth/v1/forgot-password` and what follows it.

use lambda_http::http::StatusCode;
use regain_password::{Candidate, MAX_LENGTH, Reason};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Call, Failure, Fields, Kind, Malformed, Reply, blame, put, reply};
use crate::api::Protocol;
use crate::code::CodeLength;
use crate::ids::{ResetToken, SessionId, UserId};
use crate::locale::Locale;
use crate::not_me::NotMeToken;
use crate::recovery::{
    CodeGuess, NewPassword, PasswordToken, RecoveryError, Request, SessionLookup, SessionName,
};
use crate::store::SessionOrigin;
use crate::template::Template;
use crate::users::BLOCKED;

/// Reads the body of `forgot-password`.
///
/// # Errors
/// The field that cannot be read.
pub fn forgot_password(call: &Call) -> Result<Request, Malformed> {
    let mut fields = call.fields()?;
    Ok(Request {
        protocol: Protocol::AuthV1,
        address: fields.address("email")?,
        template: Template::AuthV1ForgotPassword,
        origin: SessionOrigin {
            app: None,
            device: call.context.caller.device.clone(),
        },
        locale: call.locale(),
        idempotency_key: call.idempotency_key()?,
    })
}

/// Reads the body of `verify-otp`.
///
/// # Errors
/// The field that cannot be read.
pub fn verify_otp(
    call: &Call,
    length: CodeLength,
) -> Result<(SessionLookup, CodeGuess), Malformed> {
    let mut fields = call.fields()?;
    let session = session_lookup(&mut fields)?;
    let guess = fields.code("otp", length)?.ok_or(Malformed::field("otp"))?;
    Ok((session, guess))
}

/// Reads the body of `resend-otp`. An `otp` in it is ignored.
///
/// # Errors
/// The field that cannot be read.
pub fn resend_otp(call: &Call) -> Result<SessionLookup, Malformed> {
    session_lookup(&mut call.fields()?)
}

/// Reads which session a call names. A reset token names its own session, because clients keep both under
/// one name.
fn session_lookup(fields: &mut Fields<'_>) -> Result<SessionLookup, Malformed> {
    let id = Zeroizing::new(fields.required("session_id")?);
    let session = match ResetToken::parse(&id) {
        Some(token) => SessionName::Id(token.session()),
        None => SessionName::parse(&id),
    };
    Ok(SessionLookup {
        protocol: Protocol::AuthV1,
        session,
        user: None,
    })
}

/// Reads the body of `set-password`. The token, a reset token or that of a mail's link, has one of two names.
///
/// # Errors
/// The field that cannot be read, or is missing. Two different tokens are an error as well.
pub fn set_password(call: &Call) -> Result<(Option<PasswordToken>, NewPassword), Malformed> {
    let mut fields = call.fields()?;
    let token = fields.text("token")?.map(Zeroizing::new);
    let session_id = fields.text("session_id")?.map(Zeroizing::new);
    let token = match (token, session_id) {
        (Some(token), Some(other)) if token != other => return Err(Malformed::field("token")),
        (Some(token), _) | (None, Some(token)) => token,
        (None, None) => return Err(Malformed::field("token")),
    };
    let password = fields
        .password()?
        .filter(|password| !password.is_empty())
        .ok_or(Malformed::password_missing())?;
    let new = NewPassword {
        password: Candidate::new(password),
        locale: call.locale(),
    };
    Ok((PasswordToken::parse(&token), new))
}

/// Reads the body of `recover/not-me`.
///
/// # Errors
/// The field that cannot be read, or is missing.
pub fn not_me(call: &Call) -> Result<Option<NotMeToken>, Malformed> {
    let token = Zeroizing::new(call.fields()?.required("token")?);
    Ok(NotMeToken::parse(&token))
}

/// Answers `recover/not-me`: the status that the account has now.
#[must_use]
pub fn account_blocked(locale: Locale) -> Reply {
    ok(BLOCKED, locale, Message::AccountBlocked)
}

/// Answers `forgot-password` and `resend-otp`: the session's id.
#[must_use]
pub fn code_sent(session: &SessionId, locale: Locale) -> Reply {
    ok(session.reveal(), locale, Message::CodeSent)
}

/// Answers `verify-otp`: the reset token.
#[must_use]
pub fn code_proven(token: &ResetToken, locale: Locale) -> Reply {
    ok(&Zeroizing::new(token.reveal()), locale, Message::CodeProven)
}

/// Answers `set-password`: the user's id.
#[must_use]
pub fn password_set(user: &UserId, locale: Locale) -> Reply {
    ok(user.as_str(), locale, Message::PasswordSet)
}

fn ok(data: &str, locale: Locale, message: Message) -> Reply {
    envelope(
        StatusCode::OK,
        json!({ "data": data, "message": message.text(locale) }),
    )
}

fn envelope(status: StatusCode, mut body: Value) -> Reply {
    put(&mut body, "status_code", json!(status.as_u16()));
    reply(status, &body)
}

/// Answers a call that failed, by the protocol's error table.
pub(super) fn failed(failure: &Failure, locale: Locale) -> Reply {
    let (status, slug, mut message) = match failure {
        Failure::Malformed(Malformed {
            kind: Kind::PasswordMissing,
            ..
        }) => (
            StatusCode::BAD_REQUEST,
            "password_required",
            Message::PasswordRequired.text(locale).to_owned(),
        ),
        Failure::Malformed(malformed) => (
            malformed.status(),
            "invalid_request",
            invalid(malformed.field, locale).to_owned(),
        ),
        Failure::Refused(error) => {
            let (status, slug, message) = refused(error);
            (status, slug, message.text(locale).to_owned())
        }
    };
    if let Failure::Refused(RecoveryError::PasswordRefused(reasons)) = failure {
        for reason in reasons {
            message.extend([" ", &explained(*reason, locale)]);
        }
    }
    let mut body = json!({ "data": null, "message": message, "error": slug });
    blame(&mut body, failure);
    envelope(status, body)
}

fn refused(error: &RecoveryError) -> (StatusCode, &'static str, Message) {
    match error {
        RecoveryError::CodeWrong => (StatusCode::UNAUTHORIZED, "otp_invalid", Message::OtpInvalid),
        RecoveryError::CodeExpired => (StatusCode::GONE, "otp_expired", Message::OtpExpired),
        RecoveryError::TokenUnknown => (
            StatusCode::UNAUTHORIZED,
            "token_invalid",
            Message::TokenInvalid,
        ),
        RecoveryError::Blocked => (StatusCode::FORBIDDEN, "user_blocked", Message::UserBlocked),
        RecoveryError::NoSession | RecoveryError::OtherUser => (
            StatusCode::NOT_FOUND,
            "session_not_found",
            Message::SessionNotFound,
        ),
        RecoveryError::SessionOver => {
            (StatusCode::GONE, "session_expired", Message::SessionExpired)
        }
        RecoveryError::PasswordRefused(_) | RecoveryError::PasswordRefusedElsewhere(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "password_rejected",
            Message::PasswordRejected,
        ),
        RecoveryError::GuessesSpent { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "attempts_exceeded",
            Message::AttemptsExceeded,
        ),
        RecoveryError::Throttled { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            Message::TooManyRequests,
        ),
        RecoveryError::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "service_unavailable",
            Message::Unavailable,
        ),
        RecoveryError::Broken(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            Message::InternalError,
        ),
    }
}

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// The message about a field that cannot be read.
fn invalid(field: &str, locale: Locale) -> &'static str {
    let message = match field {
        "content-type" => Message::InvalidContentType,
        "email" => Message::InvalidEmail,
        "idempotency-key" => Message::InvalidIdempotencyKey,
        "method" => Message::InvalidMethod,
        "otp" => Message::InvalidOtp,
        "password" => Message::InvalidPassword,
        "session_id" => Message::InvalidSessionId,
        "token" => Message::InvalidToken,
        _ => Message::InvalidBody,
    };
    message.text(locale)
}

/// The message about a reason against a password.
fn explained(reason: Reason, locale: Locale) -> String {
    let (message, count) = match reason {
        Reason::TooShort { minimum } => (Message::ReasonTooShort, minimum),
        Reason::TooLong => (Message::ReasonTooLong, MAX_LENGTH),
        Reason::TooCommon => (Message::ReasonTooCommon, 0),
        Reason::Breached => (Message::ReasonBreached, 0),
        Reason::ContainsAddress => (Message::ReasonContainsAddress, 0),
        Reason::ContainsServiceName => (Message::ReasonContainsServiceName, 0),
        Reason::ContainsProfile => (Message::ReasonContainsProfile, 0),
    };
    message.text(locale).replace("{count}", &count.to_string())
}
