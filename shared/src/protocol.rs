//! The protocols of the two APIs: how calls are read and answers are worded.
//!
//! This file has what both share. [`directory`] and [`auth_v1`] have their bodies, envelopes, error tables
//! and texts. No other module knows a status code.

pub mod auth_v1;
pub mod directory;
mod fields;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use lambda_http::http::header::{
    ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, RETRY_AFTER,
};
use lambda_http::http::request::Parts;
use lambda_http::http::{Method, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt as _};
use rand::rngs::StdRng;
use regain_password::Reason;
use serde_json::{Value, json};

use crate::api::Protocol;
use crate::audit::{AuditTrail, Caller};
use crate::ids::IdempotencyKey;
use crate::locale::Locale;
use crate::recovery::{CallContext, RecoveryError};
use crate::timestamp::Timestamp;
use crate::user_store::OwnReason;

use fields::Fields;

/// An answer.
pub type Reply = lambda_http::Response<Body>;

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 16 * 1024;
/// The `Retry-After` of a failure that is not the caller's fault, in seconds.
const RETRY_AFTER_FAILURE: i64 = 2;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that names the device, and how many bytes of it are kept.
const DEVICE: &str = "x-agent";
const MAX_DEVICE: usize = 256;

/// One call of an endpoint.
pub struct Call {
    method: Method,
    headers: HeaderMap,
    body: Body,
    locale: Locale,
    /// The context that the use cases take. Its caller has the network address that the gateway saw, and
    /// the device that the header names.
    pub context: CallContext,
}

/// What an answer needs to know of its call.
#[derive(Clone, Debug)]
pub struct ReplyContext {
    protocol: Protocol,
    locale: Locale,
    at: Timestamp,
    /// The id under which the call is found in the logs.
    pub request_id: String,
}

/// Why a request cannot be read. The engine is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    kind: Kind,
    field: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Request,
    Method,
    TooLarge,
    MediaType,
    PasswordMissing,
}

/// Why a call did not get what it asked for.
#[derive(Debug)]
pub enum Failure {
    /// The request cannot be read.
    Malformed(Malformed),
    /// The engine refused it.
    Refused(RecoveryError),
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<RecoveryError> for Failure {
    fn from(error: RecoveryError) -> Self {
        Self::Refused(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => write!(f, "malformed: {}", malformed.field),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl Malformed {
    /// The event from the gateway cannot be read.
    pub(crate) const UNREADABLE: Self = Self::field("body");

    const fn field(field: &'static str) -> Self {
        Self {
            kind: Kind::Request,
            field,
        }
    }

    const fn password_missing() -> Self {
        Self {
            kind: Kind::PasswordMissing,
            field: "password",
        }
    }

    const fn status(self) -> StatusCode {
        match self.kind {
            Kind::Request | Kind::PasswordMissing => StatusCode::BAD_REQUEST,
            Kind::Method => StatusCode::METHOD_NOT_ALLOWED,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Call {
    /// A call from the gateway's event, and what its answer needs to know of it. `language` is for callers
    /// who ask for none of ours.
    pub(crate) fn new(
        protocol: Protocol,
        language: Locale,
        request: lambda_http::Request,
        at: Timestamp,
        rng: StdRng,
        trail: &AuditTrail,
    ) -> (Self, ReplyContext) {
        let reply_context = Self::reply_context(protocol, language, &request, at);
        // The gateway always gives an address. Without one, all callers share one throttle.
        let caller = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(gateway)) => gateway
                .http
                .source_ip
                .as_deref()
                .and_then(|ip| ip.parse().ok()),
            _ => None,
        };
        let caller = Caller {
            network: caller.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            device: header_cut(request.headers(), DEVICE, MAX_DEVICE),
            request: reply_context.request_id.clone(),
        };
        let (parts, body) = request.into_parts();
        let Parts {
            method, headers, ..
        } = parts;
        (
            Self {
                method,
                headers,
                body,
                locale: reply_context.locale,
                context: CallContext::new(caller, at, rng, trail.clone()),
            },
            reply_context,
        )
    }

    /// The same call, with a clock that goes.
    pub(crate) fn timed_by(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            context: self.context.timed_by(clock),
            ..self
        }
    }

    pub(crate) fn reply_context(
        protocol: Protocol,
        language: Locale,
        request: &lambda_http::Request,
        at: Timestamp,
    ) -> ReplyContext {
        let request_id = request
            .lambda_context_ref()
            .map(|lambda| lambda.request_id.clone())
            .unwrap_or_default();
        ReplyContext {
            protocol,
            locale: Locale::negotiate(&list(request.headers(), &ACCEPT_LANGUAGE), language),
            at,
            request_id,
        }
    }

    /// The language that the caller asks for, or else that of the protocol.
    #[must_use]
    pub const fn locale(&self) -> Locale {
        self.locale
    }

    /// Checks method, media type, encoding and size, and reads the body.
    fn fields(&self) -> Result<Fields<'_>, Malformed> {
        if self.method != Method::POST {
            return Err(Malformed {
                kind: Kind::Method,
                field: "method",
            });
        }
        if !is_json(&list(&self.headers, &CONTENT_TYPE))
            || !is_identity(&list(&self.headers, &CONTENT_ENCODING))
        {
            return Err(Malformed {
                kind: Kind::MediaType,
                field: "content-type",
            });
        }
        if self.body.len() > MAX_BODY {
            return Err(Malformed {
                kind: Kind::TooLarge,
                field: "body",
            });
        }
        Fields::read(&self.body)
    }

    /// The `Idempotency-Key`, if there is one.
    fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Malformed> {
        let mut values = self.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let key = value.to_str().ok().map(str::trim);
        match (key.and_then(IdempotencyKey::parse), values.next()) {
            (Some(key), None) => Ok(Some(key)),
            _ => Err(Malformed::field(IDEMPOTENCY_KEY)),
        }
    }
}

/// The lines of a header as one list (RFC 9110, 5.3), as API Gateway joins them. Bytes that are not text
/// become U+FFFD.
fn list(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines = headers.get_all(name).iter();
    let lines: Vec<_> = lines
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    lines.join(",")
}

/// Whether a `Content-Type` is JSON, with any parameters. If the header was sent twice, both must be JSON.
fn is_json(content_type: &str) -> bool {
    let mut is_quoted = false;
    let types = content_type.split(|c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    let mut types = types.filter(|it| !it.trim().is_empty()).peekable();
    types.peek().is_some()
        && types.all(|it| {
            let media_type = it.split(';').next().unwrap_or_default().trim();
            media_type.eq_ignore_ascii_case("application/json")
        })
}

/// Whether a `Content-Encoding` leaves the body as it is.
fn is_identity(content_encoding: &str) -> bool {
    content_encoding
        .split(',')
        .map(str::trim)
        .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
}

/// A header's text, whatever its bytes, cut at a number of bytes.
fn header_cut(headers: &HeaderMap, name: &str, max: usize) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    let text = text.get(..end.unwrap_or(0))?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl ReplyContext {
    /// Adds the headers that every answer has.
    #[must_use]
    pub fn stamp(&self, mut reply: Reply) -> Reply {
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert("x-request-id", id);
        }
        reply
    }
}

/// The answer to a call that failed, in its protocol's envelope.
pub(crate) fn failed(failure: &Failure, context: &ReplyContext) -> Reply {
    let mut reply = match context.protocol {
        Protocol::Directory => directory::failed(failure),
        Protocol::AuthV1 => auth_v1::failed(failure, context.locale),
    };
    if reply.status() == StatusCode::METHOD_NOT_ALLOWED {
        reply
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
    }
    let retry_after = match failure {
        Failure::Refused(
            RecoveryError::Throttled { until, .. }
            | RecoveryError::GuessesSpent { until: Some(until) },
        ) => Some(until.seconds_after(context.at)),
        Failure::Refused(RecoveryError::Unavailable(_)) => Some(RETRY_AFTER_FAILURE),
        Failure::Refused(_) | Failure::Malformed(_) => None,
    };
    if let Some(seconds) = retry_after {
        reply.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    context.stamp(reply)
}

/// The answer to a request that does not come through the edge. It is in no protocol's envelope, but in that of
/// the gateway, which would refuse the request if it could.
pub(crate) fn forbidden() -> Reply {
    reply(StatusCode::FORBIDDEN, &json!({ "message": "Forbidden" }))
}

fn reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Reply::new(Body::Text(body.to_string()));
    *reply.status_mut() = status;
    reply
}

/// Adds the cause to an answer: the field, or the reasons of the password policy.
fn blame(body: &mut Value, failure: &Failure) {
    match failure {
        Failure::Malformed(Malformed {
            kind: Kind::PasswordMissing,
            ..
        }) => {}
        Failure::Malformed(malformed) => put(body, "field", malformed.field.into()),
        Failure::Refused(RecoveryError::PasswordRefused(reasons)) => {
            let slugs = reasons.iter().copied().map(Reason::slug);
            put(body, "reasons", slugs.collect());
        }
        Failure::Refused(RecoveryError::PasswordRefusedElsewhere(reasons)) => {
            put(
                body,
                "reasons",
                reasons.iter().map(OwnReason::slug).collect(),
            );
        }
        Failure::Refused(_) => {}
    }
}

/// Adds a key to an answer's object.
fn put(body: &mut Value, key: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
