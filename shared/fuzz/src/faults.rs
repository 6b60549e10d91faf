//! The mistakes in a call, by a second parser that is written from the contract.

use lambda_http::http::{HeaderValue, Method};
use regain::api::Protocol;
use regain_password::Address;

use crate::call::Written;
use crate::grammar::{self, Value};

/// The longest body, in octets.
pub const MAX_BODY: usize = 16 * 1024;

/// The endpoints of both APIs.
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
    /// The endpoint of a protocol whose path ends in this name.
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

/// A missing password. It is not a field at fault: both protocols have an error of its own for it.
pub const PASSWORD_MISSING: &str = "(password)";

/// All mistakes in a call, by the contract.
#[must_use]
pub fn faults(endpoint: Endpoint, written: &Written<'_>) -> Vec<&'static str> {
    if written.method != Method::POST {
        return vec!["method"];
    }
    if !is_plain_json(written) {
        return vec!["content-type"];
    }
    let Some(fields) = grammar::object(written.body) else {
        return vec!["body"];
    };
    if written.body.len() > MAX_BODY {
        return vec!["body"];
    }
    let field = |name: &str| grammar::field(&fields, name);
    let text = |name| field(name).and_then(Value::text);
    let unlike = |name, fits: &dyn Fn(&str) -> bool| {
        field(name).is_some_and(|value| !value.text().is_some_and(|text| fits(&text)))
    };
    let long = |name, most| {
        field(name).is_some_and(|it| it.kept().is_none_or(|text| text.chars().count() > most))
    };
    let mut faults = Vec::new();
    let mut blame = |is_wrong: bool, fault| {
        if is_wrong {
            faults.push(fault);
        }
    };
    if matches!(endpoint, Endpoint::Resend | Endpoint::ForgotPassword) {
        let email = text("email").map(|email| Address::parse(&email));
        blame(!matches!(email, Some(Ok(_))), "email");
        let key = written
            .headers
            .get("idempotency-key")
            .map(HeaderValue::as_bytes);
        let is_key = |key: &[u8]| uuid_of_a_key(key).is_some();
        blame(key.is_some_and(|key| !is_key(key)), "idempotency-key");
    }
    let is_integer = |value: &Value| matches!(value, Value::Number(text) if is_integer(text));
    let no_code = |value: &Value| value.text().is_none() && !is_integer(value);
    match endpoint {
        Endpoint::ForgotPassword => {}
        Endpoint::Resend => {
            blame(unlike("purpose", &|it| it == "forgot-password"), "purpose");
            let known = ["directory|session-forgot", "auth-v1|forgot-password"];
            blame(
                unlike("templateCode", &|it| known.contains(&it)),
                "templateCode",
            );
            blame(long("app", 64), "app");
            blame(long("device", 256), "device");
        }
        Endpoint::SetPassword => {
            blame(text("id").is_none(), "id");
            let session = match field("session") {
                Some(Value::Object(session)) => grammar::field(session, "id"),
                other => other,
            };
            blame(session.and_then(Value::text).is_none(), "session");
            blame(field("otp").is_some_and(no_code), "otp");
            blame(unlike("password", &|_| true), "password");
            let neither = field("otp").is_none() && field("password").is_none();
            blame(
                neither || text("password").is_some_and(|it| it.is_empty()),
                PASSWORD_MISSING,
            );
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

/// Whether each `Content-Type` of a call is JSON, there is at least one, and the body is not encoded.
fn is_plain_json(written: &Written<'_>) -> bool {
    let mut media_types = vec![String::new()];
    let mut is_quoted = false;
    for c in written.text("content-type").chars() {
        is_quoted = is_quoted != (c == '"');
        match media_types.last_mut() {
            Some(media_type) if is_quoted || c != ',' => media_type.push(c),
            _ => media_types.push(String::new()),
        }
    }
    media_types.retain(|it| !it.trim().is_empty());
    let is_json = |it: &String| {
        let end = it.find(';').unwrap_or(it.len());
        it.get(..end)
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case("application/json")
    };
    let codings = written.text("content-encoding").to_ascii_lowercase();
    !media_types.is_empty()
        && media_types.iter().all(is_json)
        && codings
            .split(',')
            .all(|it| ["", "identity"].contains(&it.trim()))
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

/// Whether a number is an integer once its exponent is applied.
fn is_integer(number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let furthest = if exponent.starts_with('-') {
        i128::from(i64::MIN)
    } else {
        i128::from(i64::MAX)
    };
    let exponent = exponent.parse().unwrap_or(furthest);
    zeros == digits.len() || exponent + zeros as i128 >= fraction.len() as i128
}
