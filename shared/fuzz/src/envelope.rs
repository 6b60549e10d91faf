//! Checks that every answer has to pass: the contract's envelopes and error tables.

use std::collections::BTreeMap;

use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use regain::api::Protocol;
use serde_json::{Map, Value};
use testkit::contract;

use crate::call::REQUEST_ID;

/// An answer, in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, without `Retry-After`.
    pub headers: BTreeMap<String, String>,
    /// How long to wait, in seconds.
    pub retry_after: Option<u64>,
    /// Its body.
    pub body: Map<String, Value>,
}

impl Answer {
    /// Splits an answer into parts. It must be a JSON object that no cache keeps, with the call's `X-Request-Id`.
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

    /// Removes the field at fault from the body, and returns it.
    pub fn take_field(&mut self) -> Option<String> {
        let field = self.body.remove("field")?;
        Some(field.as_str().expect("a name").to_owned())
    }

    /// Compares a refusal with the protocol's table.
    pub fn check_refusal(&self, protocol: Protocol) {
        let body = Value::Object(self.body.clone());
        contract::error(protocol, self.status, self.retry_after, &body);
        let allow = self.headers.get("allow").map(String::as_str);
        assert_eq!(allow, (self.status == 405).then_some("POST"));
        assert_eq!(self.headers.len(), 3 + usize::from(allow.is_some()));
    }

    /// Compares the answer to a call that succeeded with the protocol's envelope, and returns its `data`.
    #[must_use]
    pub fn check_success(&self, protocol: Protocol) -> Value {
        assert_eq!(self.retry_after, None, "{self:?}");
        let body = Value::Object(self.body.clone());
        contract::data(protocol, self.status, &body).clone()
    }
}
