//! What the contract finds wrong with a call, found out without the readers that are under test.

use lambda_http::http::{HeaderValue, Method};
use regain::address::Address;
use regain::session::Protocol;

use crate::call::Written;
use crate::grammar::{self, Value};

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
        let key = key.map(<[u8]>::trim_ascii);
        let is_key =
            |key: &[u8]| (16..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        blame(key.is_some_and(|key| !is_key(key)), "idempotency-key");
    }
    let no_code = |value: &Value| value.text().is_none() && !matches!(value, Value::Number(_));
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

/// Whether a call says that its body is JSON, as often as it says anything of it, and not encoded.
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
        it.get(..end).unwrap_or_default().trim().to_ascii_lowercase() == "application/json"
    };
    let codings = written.text("content-encoding").to_ascii_lowercase();
    !media_types.is_empty()
        && media_types.iter().all(is_json)
        && codings
            .split(',')
            .all(|it| ["", "identity"].contains(&it.trim()))
}
