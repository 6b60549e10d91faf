//! What an answer has to be, whatever it answers: the contract's envelopes and error tables, once more.

use std::collections::BTreeMap;

use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use regain::session::Protocol;
use serde_json::{Map, Value, json};

use crate::call::REQUEST_ID;

/// The Directory API's refusals: code, message and statuses.
const DIRECTORY: [(&str, &str, &[u16]); 12] = [
    ("DI_USP_PRQ", "Password Required", &[400]),
    ("DI_UVO_UDNE", "User Does not exists", &[404]),
    ("DI_UVO_OINV", "Otp is invalid", &[401]),
    ("DI_UVO_UBKD", "User is blocked", &[403]),
    ("DI_USC_SDNE", "Session Does not exists", &[404]),
    ("DI_USC_SE", "Session Expired", &[410]),
    ("DI_USC_SAE", "Session Attempts excited", &[429]),
    ("DI_USP_PINV", "Password is not acceptable", &[422]),
    ("DI_USR_INV", "Request is invalid", &[400, 405, 413, 415]),
    ("DI_USR_LIM", "Too many requests", &[429]),
    ("DI_SYS_UNA", "Service unavailable", &[503]),
    ("DI_SYS_ERR", "Internal error", &[500]),
];

/// The refusals of auth/v1: slug and statuses.
const AUTH_V1: [(&str, &[u16]); 13] = [
    ("invalid_request", &[400, 405, 413, 415]),
    ("password_required", &[400]),
    ("otp_invalid", &[401]),
    ("otp_expired", &[410]),
    ("token_invalid", &[401]),
    ("user_blocked", &[403]),
    ("session_not_found", &[404]),
    ("session_expired", &[410]),
    ("password_rejected", &[422]),
    ("attempts_exceeded", &[429]),
    ("too_many_requests", &[429]),
    ("service_unavailable", &[503]),
    ("internal_error", &[500]),
];

const REASONS: [&str; 7] = [
    "too_short",
    "too_long",
    "too_common",
    "breached",
    "contains_address",
    "contains_service_name",
    "contains_profile",
];

/// An answer, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, `Retry-After` apart.
    pub headers: BTreeMap<String, String>,
    /// How long to wait, in seconds.
    pub retry_after: Option<u64>,
    /// Its body.
    pub body: Map<String, Value>,
}

impl Answer {
    /// Takes an answer apart: it is a JSON object that nobody keeps, and names its call.
    #[must_use]
    pub fn of(response: ApiGatewayV2httpResponse) -> Self {
        let mut headers: BTreeMap<String, String> = response
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let header = |name| headers.get(name).map(String::as_str);
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("x-request-id"), Some(REQUEST_ID));
        assert!(!response.is_base64_encoded && response.cookies.is_empty());
        let Some(Body::Text(body)) = response.body else {
            panic!("an answer without text: {response:?}")
        };
        let retry_after = headers.remove("retry-after");
        Self {
            status: u16::try_from(response.status_code).unwrap(),
            headers,
            retry_after: retry_after.map(|seconds| seconds.parse().expect("whole seconds")),
            body: serde_json::from_str(&body).expect("a JSON object"),
        }
    }

    /// The field that is to blame, taken out.
    pub fn take_field(&mut self) -> Option<String> {
        let field = self.body.remove("field")?;
        Some(field.as_str().expect("a name").to_owned())
    }

    /// Holds a refusal against the protocol's table; `field` was taken out.
    pub fn check_refusal(&self, protocol: Protocol) {
        let text = |key: &str| {
            let value = self.body.get(key).and_then(Value::as_str);
            value.unwrap_or_else(|| panic!("no {key} in {self:?}"))
        };
        let mut keys: Vec<&str> = self.body.keys().map(String::as_str).collect();
        keys.retain(|key| *key != "reasons");
        let slug = text("error");
        let statuses = match protocol {
            Protocol::Directory => {
                assert_eq!(keys, ["code", "error", "isSuccess", "message"]);
                assert_eq!(self.body.get("isSuccess"), Some(&Value::Bool(false)));
                assert_eq!(text("code"), slug);
                let row = DIRECTORY.iter().find(|(code, ..)| *code == slug);
                let (_, message, statuses) = row.expect("a code of the table");
                assert_eq!(text("message"), *message);
                *statuses
            }
            Protocol::AuthV1 => {
                assert_eq!(keys, ["data", "error", "message", "status_code"]);
                assert_eq!(self.body.get("data"), Some(&Value::Null));
                assert_eq!(self.body.get("status_code"), Some(&json!(self.status)));
                assert!(!text("message").is_empty());
                let row = AUTH_V1.iter().find(|(known, _)| *known == slug);
                row.expect("a slug of the table").1
            }
        };
        assert!(statuses.contains(&self.status), "{self:?}");
        let reasons = self.body.get("reasons").map(|reasons| {
            let reasons = reasons.as_array().expect("an array");
            assert!(!reasons.is_empty());
            for reason in reasons {
                assert!(REASONS.iter().any(|known| reason == known), "{reasons:?}");
            }
        });
        assert_eq!(reasons.is_some(), self.status == 422, "{self:?}");
        let allow = self.headers.get("allow").map(String::as_str);
        assert_eq!(allow, (self.status == 405).then_some("POST"));
        assert_eq!(self.headers.len(), 3 + usize::from(allow.is_some()));
        match self.status {
            // Nothing is refilled by waiting where a session's own guesses are spent.
            429 => assert!(
                self.retry_after.is_some() || slug == "DI_USC_SAE" || slug == "attempts_exceeded"
            ),
            503 => assert!(self.retry_after.is_some()),
            _ => assert_eq!(self.retry_after, None),
        }
    }

    /// Holds an answer to a call that got what it asked for against the protocol's envelope, and
    /// returns its `data`.
    #[must_use]
    pub fn check_success(&self, protocol: Protocol) -> &Value {
        assert_eq!((self.status, self.retry_after), (200, None), "{self:?}");
        let keys: Vec<&str> = self.body.keys().map(String::as_str).collect();
        match protocol {
            Protocol::Directory => {
                assert_eq!(keys, ["data", "isSuccess"]);
                assert_eq!(self.body.get("isSuccess"), Some(&Value::Bool(true)));
            }
            Protocol::AuthV1 => {
                assert_eq!(keys, ["data", "message", "status_code"]);
                assert_eq!(self.body.get("status_code"), Some(&json!(200)));
            }
        }
        self.body.get("data").unwrap()
    }
}
