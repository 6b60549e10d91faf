//! What an answer has to be, whatever it answers: the contract's envelopes and error tables.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use regain::api::Protocol;
use serde_json::{Map, Value, json};

use crate::call::REQUEST_ID;

/// The contract's two error tables, `directory` and `auth_v1`, and the `reasons` for which a password is
/// refused.
static ERRORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../tests/contract/errors.json")).unwrap()
});

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
        let table = match protocol {
            Protocol::Directory => "/directory",
            Protocol::AuthV1 => "/auth_v1",
        };
        let row = ERRORS.pointer(table).and_then(|table| table.get(slug));
        let row = row.expect("a code of the table");
        match protocol {
            Protocol::Directory => {
                assert_eq!(keys, ["code", "error", "isSuccess", "message"]);
                assert_eq!(self.body.get("isSuccess"), Some(&Value::Bool(false)));
                assert_eq!(text("code"), slug);
                assert_eq!(self.body.get("message"), row.get("message"));
            }
            Protocol::AuthV1 => {
                assert_eq!(keys, ["data", "error", "message", "status_code"]);
                assert_eq!(self.body.get("data"), Some(&Value::Null));
                assert_eq!(self.body.get("status_code"), Some(&json!(self.status)));
                assert!(!text("message").is_empty());
            }
        }
        let statuses = row.get("statuses").and_then(Value::as_array).unwrap();
        assert!(statuses.contains(&json!(self.status)), "{self:?}");
        let reasons = self.body.get("reasons").map(|reasons| {
            let reasons = reasons.as_array().expect("an array");
            assert!(!reasons.is_empty());
            let known = ERRORS.get("reasons").and_then(Value::as_array).unwrap();
            assert!(
                reasons.iter().all(|reason| known.contains(reason)),
                "{reasons:?}"
            );
        });
        assert_eq!(reasons.is_some(), self.status == 422, "{self:?}");
        let allow = self.headers.get("allow").map(String::as_str);
        assert_eq!(allow, (self.status == 405).then_some("POST"));
        assert_eq!(self.headers.len(), 3 + usize::from(allow.is_some()));
        match row.get("retryAfter").and_then(Value::as_str) {
            Some("always") => assert!(self.retry_after.is_some(), "{self:?}"),
            // Nothing is refilled by waiting where a session's own guesses are spent.
            Some("sometimes") => {}
            _ => assert_eq!(self.retry_after, None, "{self:?}"),
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
