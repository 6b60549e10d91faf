//! What the contract finds wrong with a call, found out without the readers that are under test.

use lambda_http::http::{HeaderValue, Method};
use regain::address::Address;
use regain::session::Protocol;
use serde_json::{Map, Value};

use crate::call::Written;

/// The longest body, in octets.
pub const MAX_BODY: usize = 16 * 1024;

/// The endpoints that callers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /directory/api/users/resend`.
    Resend,
    /// `POST /directory/api/users/setPassword`.
    SetPassword,
    /// `POST /auth/v1/forgot-password`.
    ForgotPassword,
    /// `POST /auth/v1/forgot-password/verify-otp`.
    VerifyOtp,
    /// `POST /auth/v1/forgot-password/resend-otp`.
    ResendOtp,
    /// `POST /auth/v1/forgot-password/set-password`.
    SetPasswordByToken,
}

impl Endpoint {
    /// The endpoint of that protocol whose path ends so.
    #[must_use]
    pub fn of(protocol: Protocol, name: &str) -> Option<Self> {
        match (protocol, name) {
            (Protocol::Directory, "resend") => Some(Self::Resend),
            (Protocol::Directory, "setPassword") => Some(Self::SetPassword),
            (Protocol::AuthV1, "forgot-password") => Some(Self::ForgotPassword),
            (Protocol::AuthV1, "verify-otp") => Some(Self::VerifyOtp),
            (Protocol::AuthV1, "resend-otp") => Some(Self::ResendOtp),
            (Protocol::AuthV1, "set-password") => Some(Self::SetPasswordByToken),
            _ => None,
        }
    }

    /// The protocol it belongs to.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Resend | Self::SetPassword => Protocol::Directory,
            _ => Protocol::AuthV1,
        }
    }
}

/// No field, but the protocols' own refusal.
pub const PASSWORD_MISSING: &str = "(password)";

/// Everything that the contract finds wrong with a call.
#[must_use]
pub fn faults(endpoint: Endpoint, written: &Written<'_>) -> Vec<&'static str> {
    let media_type = written.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if written.method != Method::POST {
        return vec!["method"];
    }
    if !media_type.eq_ignore_ascii_case("application/json") {
        return vec!["content-type"];
    }
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(written.body) else {
        return vec!["body"];
    };
    if written.body.len() > MAX_BODY {
        return vec!["body"];
    }
    let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
    let text = |name| field(name).and_then(Value::as_str);
    let unlike = |name, fits: &dyn Fn(&str) -> bool| {
        field(name).is_some_and(|value| !value.as_str().is_some_and(fits))
    };
    let mut faults = Vec::new();
    let mut blame = |is_wrong: bool, fault| {
        if is_wrong {
            faults.push(fault);
        }
    };
    if matches!(endpoint, Endpoint::Resend | Endpoint::ForgotPassword) {
        let email = text("email").map(Address::parse);
        blame(!matches!(email, Some(Ok(_))), "email");
        let key = written
            .headers
            .get("idempotency-key")
            .map(HeaderValue::as_bytes);
        let is_key = |key: &[u8]| uuid_of_a_key(key).is_some();
        blame(key.is_some_and(|key| !is_key(key)), "idempotency-key");
    }
    let no_integer = |value: &Value| value.as_f64().is_none_or(|number| number.fract() != 0.0);
    let no_code = |value: &Value| !value.is_string() && no_integer(value);
    match endpoint {
        Endpoint::ForgotPassword => {}
        Endpoint::Resend => {
            blame(unlike("purpose", &|it| it == "forgot-password"), "purpose");
            let known = ["directory|session-forgot", "auth-v1|forgot-password"];
            blame(
                unlike("templateCode", &|it| known.contains(&it)),
                "templateCode",
            );
            blame(unlike("app", &|it| it.chars().count() <= 64), "app");
            blame(unlike("device", &|it| it.chars().count() <= 256), "device");
        }
        Endpoint::SetPassword => {
            blame(text("id").is_none(), "id");
            let session =
                field("session").and_then(|it| it.as_object().map_or(Some(it), |it| it.get("id")));
            blame(!session.is_some_and(Value::is_string), "session");
            blame(field("otp").is_some_and(no_code), "otp");
            blame(unlike("password", &|_| true), "password");
            let neither = field("otp").is_none() && field("password").is_none();
            blame(neither || text("password") == Some(""), PASSWORD_MISSING);
        }
        Endpoint::VerifyOtp => {
            blame(text("session_id").is_none(), "session_id");
            blame(field("otp").is_none_or(no_code), "otp");
        }
        Endpoint::ResendOtp => blame(text("session_id").is_none(), "session_id"),
        Endpoint::SetPasswordByToken => {
            let (token, session_id) = (field("token"), field("session_id"));
            blame(unlike("token", &|_| true), "token");
            blame(unlike("session_id", &|_| true), "session_id");
            let different = token
                .zip(session_id)
                .is_some_and(|(token, other)| token != other);
            blame(different || token.or(session_id).is_none(), "token");
            blame(unlike("password", &|_| true), "password");
            blame(
                text("password").unwrap_or_default().is_empty(),
                PASSWORD_MISSING,
            );
        }
    }
    faults
}

/// The digits of the UUID of version 4 or 7, quoted or not, that an `Idempotency-Key` has to be, in lower
/// case and without hyphens.
#[must_use]
pub fn uuid_of_a_key(header: &[u8]) -> Option<String> {
    let key = std::str::from_utf8(header.trim_ascii()).ok()?;
    let quoted = key.len() == 38 && key.starts_with('"') && key.ends_with('"');
    let key = if quoted { key.get(1..37)? } else { key }.to_ascii_lowercase();
    let fits = |(at, c): (usize, char)| match at {
        8 | 13 | 18 | 23 => c == '-',
        14 => c == '4' || c == '7',
        19 => "89ab".contains(c),
        _ => c.is_ascii_hexdigit(),
    };
    (key.len() == 36 && key.char_indices().all(fits)).then(|| key.replace('-', ""))
}
