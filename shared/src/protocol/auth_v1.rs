//! The auth/v1 API: `/auth/v1/forgot-password` and what follows it.

use std::borrow::Cow;

use lambda_http::http::StatusCode;
use regain_password::{Candidate, MAX_LENGTH, Reason};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Call, Failure, Fields, Kind, Malformed, Reply, blame, put, reply};
use crate::api::Protocol;
use crate::code::CodeLength;
use crate::ids::{ResetToken, SessionId, UserId};
use crate::locale::Locale;
use crate::recovery::{
    CodeGuess, NewPassword, PasswordToken, RecoveryError, Request, SessionLookup,
};
use crate::store::SessionOrigin;
use crate::template::Template;

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
    let of_token = || ResetToken::parse(&id).map(|token| token.session());
    Ok(SessionLookup {
        protocol: Protocol::AuthV1,
        session: SessionId::parse(&id).or_else(of_token),
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

/// Answers `forgot-password` and `resend-otp`: the session's id.
#[must_use]
pub fn code_sent(session: &SessionId, locale: Locale) -> Reply {
    ok(session.reveal(), locale, Text::CodeSent)
}

/// Answers `verify-otp`: the reset token.
#[must_use]
pub fn code_proven(token: &ResetToken, locale: Locale) -> Reply {
    ok(&Zeroizing::new(token.reveal()), locale, Text::CodeProven)
}

/// Answers `set-password`: the user's id.
#[must_use]
pub fn password_set(user: &UserId, locale: Locale) -> Reply {
    ok(user.as_str(), locale, Text::PasswordSet)
}

fn ok(data: &str, locale: Locale, text: Text) -> Reply {
    envelope(
        StatusCode::OK,
        json!({ "data": data, "message": text.in_language(locale) }),
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
            Text::PasswordRequired.in_language(locale).to_owned(),
        ),
        Failure::Malformed(malformed) => (
            malformed.status(),
            "invalid_request",
            invalid(malformed.field, locale),
        ),
        Failure::Refused(error) => {
            let (status, slug, text) = refused(error);
            (status, slug, text.in_language(locale).to_owned())
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

fn refused(error: &RecoveryError) -> (StatusCode, &'static str, Text) {
    match error {
        RecoveryError::CodeWrong => (StatusCode::UNAUTHORIZED, "otp_invalid", Text::OtpInvalid),
        RecoveryError::CodeExpired => (StatusCode::GONE, "otp_expired", Text::OtpExpired),
        RecoveryError::TokenUnknown => (
            StatusCode::UNAUTHORIZED,
            "token_invalid",
            Text::TokenInvalid,
        ),
        RecoveryError::Blocked => (StatusCode::FORBIDDEN, "user_blocked", Text::UserBlocked),
        RecoveryError::NoSession | RecoveryError::OtherUser => (
            StatusCode::NOT_FOUND,
            "session_not_found",
            Text::SessionNotFound,
        ),
        RecoveryError::SessionOver => (StatusCode::GONE, "session_expired", Text::SessionExpired),
        RecoveryError::PasswordRefused(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "password_rejected",
            Text::PasswordRejected,
        ),
        RecoveryError::GuessesSpent { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "attempts_exceeded",
            Text::AttemptsExceeded,
        ),
        RecoveryError::Throttled { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            Text::TooManyRequests,
        ),
        RecoveryError::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "service_unavailable",
            Text::Unavailable,
        ),
        RecoveryError::Broken(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            Text::InternalError,
        ),
    }
}

/// The messages of the answers.
#[derive(Clone, Copy)]
enum Text {
    CodeSent,
    CodeProven,
    PasswordSet,
    PasswordRequired,
    OtpInvalid,
    OtpExpired,
    TokenInvalid,
    UserBlocked,
    SessionNotFound,
    SessionExpired,
    PasswordRejected,
    AttemptsExceeded,
    TooManyRequests,
    Unavailable,
    InternalError,
}

impl Text {
    const fn in_language(self, locale: Locale) -> &'static str {
        let (indonesian, english) = match self {
            Self::CodeSent => (
                "Jika alamat email ini terdaftar, kode sedang dikirim.",
                "If this address is registered, a code is on its way.",
            ),
            Self::CodeProven => (
                "Kode benar. Silakan buat kata sandi baru.",
                "The code is right. Please choose a new password.",
            ),
            Self::PasswordSet => (
                "Kata sandi Anda telah diubah.",
                "Your password was changed.",
            ),
            Self::PasswordRequired => ("Kata sandi wajib diisi.", "A password is required."),
            Self::OtpInvalid => ("Kode salah.", "The code is not right."),
            Self::OtpExpired => (
                "Kode sudah kedaluwarsa. Silakan minta kode baru.",
                "The code has expired. Please ask for a new one.",
            ),
            Self::TokenInvalid => (
                "Token tidak valid. Silakan verifikasi kode terlebih dahulu.",
                "The token is not valid. Please verify the code first.",
            ),
            Self::UserBlocked => (
                "Akun ini diblokir. Silakan hubungi layanan pelanggan.",
                "This account is blocked. Please contact support.",
            ),
            Self::SessionNotFound => ("Sesi tidak ditemukan.", "There is no such session."),
            Self::SessionExpired => (
                "Sesi sudah berakhir. Silakan mulai lagi.",
                "The session is over. Please start again.",
            ),
            Self::PasswordRejected => (
                "Kata sandi ini tidak dapat diterima.",
                "This password is not acceptable.",
            ),
            Self::AttemptsExceeded => ("Terlalu banyak kode yang salah.", "Too many wrong codes."),
            Self::TooManyRequests => (
                "Terlalu banyak permintaan. Silakan coba lagi nanti.",
                "Too many requests. Please try again later.",
            ),
            Self::Unavailable => (
                "Layanan sedang tidak tersedia. Silakan coba lagi.",
                "The service is unavailable. Please try again.",
            ),
            Self::InternalError => (
                "Terjadi kesalahan di sistem kami.",
                "Something went wrong on our side.",
            ),
        };
        match locale {
            Locale::En => english,
            Locale::Id => indonesian,
        }
    }
}

/// The message about a field that cannot be read.
fn invalid(field: &str, locale: Locale) -> String {
    let (indonesian, english) = match field {
        "body" => ("Permintaan", "Request"),
        "content-type" => ("Tipe konten", "Content type"),
        "email" => ("Email", "Email"),
        "idempotency-key" => ("Kunci idempotensi", "Idempotency key"),
        "method" => ("Metode", "Method"),
        "otp" => ("Kode OTP", "OTP code"),
        "password" => ("Kata sandi", "Password"),
        "session_id" => ("Sesi", "Session"),
        "token" => ("Token", "Token"),
        other => (other, other),
    };
    match locale {
        Locale::Id => format!("{indonesian} tidak valid"),
        Locale::En => format!("{english} is not valid"),
    }
}

/// The message about a reason against a password.
fn explained(reason: Reason, locale: Locale) -> Cow<'static, str> {
    let (indonesian, english): (Cow<_>, Cow<_>) = match reason {
        Reason::TooShort { minimum } => (
            format!("Gunakan paling sedikit {minimum} karakter.").into(),
            format!("It needs at least {minimum} characters.").into(),
        ),
        Reason::TooLong => (
            format!("Gunakan paling banyak {MAX_LENGTH} karakter.").into(),
            format!("It may have at most {MAX_LENGTH} characters.").into(),
        ),
        Reason::TooCommon => (
            "Kata sandi ini termasuk yang paling dulu ditebak orang.".into(),
            "It is one of those that are guessed first.".into(),
        ),
        Reason::Breached => (
            "Kata sandi ini ada dalam daftar kata sandi yang bocor; pilihlah yang tidak Anda \
             pakai di tempat lain."
                .into(),
            "It is on a list of leaked passwords; choose one that you use nowhere else.".into(),
        ),
        Reason::ContainsAddress => (
            "Kata sandi ini terlalu mirip dengan alamat email Anda.".into(),
            "It is too close to your email address.".into(),
        ),
        Reason::ContainsServiceName => (
            "Kata sandi ini terlalu mirip dengan nama layanan ini.".into(),
            "It is too close to the name of this service.".into(),
        ),
        Reason::ContainsProfile => (
            "Kata sandi ini terlalu mirip dengan nama Anda atau hal lain dalam profil Anda.".into(),
            "It is too close to your name or something else in your profile.".into(),
        ),
    };
    match locale {
        Locale::Id => indonesian,
        Locale::En => english,
    }
}
