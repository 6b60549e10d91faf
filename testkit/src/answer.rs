//! An answer of the API, compared with the contract.

use regain::api::Protocol;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::{contract, openapi};

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The path that was called.
    pub path: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The body.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// `Retry-After`, in seconds.
    pub fn retry_after(&self) -> u64 {
        self.header("retry-after")
            .expect("a Retry-After")
            .parse()
            .expect("whole seconds")
    }

    /// The data of an answer that went well, whose envelope has nothing else.
    #[track_caller]
    pub fn data(&self) -> Value {
        contract::data(self.protocol(), self.status, &self.body()).clone()
    }

    /// The text that is the data of auth/v1.
    #[track_caller]
    pub fn word(&self) -> String {
        self.data().as_str().expect("text").to_owned()
    }

    /// Checks that the answer is this error of its protocol's table, in its exact envelope.
    #[track_caller]
    pub fn refused(&self, code: &str) -> &Self {
        assert_eq!(self.error(), code, "{self:?}");
        self
    }

    /// Checks that a request was malformed in this field, and answered 400.
    #[track_caller]
    pub fn malformed(&self, field: &str) -> &Self {
        self.refused(match self.protocol() {
            Protocol::Directory => "DI_USR_INV",
            Protocol::AuthV1 => "invalid_request",
        });
        assert_eq!(
            (self.status, &self.body()["field"]),
            (400, &json!(field)),
            "{self:?}"
        );
        self
    }

    /// Checks why a password was refused.
    #[track_caller]
    pub fn reasons(&self, reasons: &[&str]) -> &Self {
        assert_eq!(self.body()["reasons"], json!(reasons), "{self:?}");
        self
    }

    /// The error's code, after the answer was compared with the contract's table.
    #[track_caller]
    pub fn error(&self) -> String {
        let retry_after = self.header("retry-after").map(|_| self.retry_after());
        let code = contract::error(self.protocol(), self.status, retry_after, &self.body());
        let path = self.path.split('?').next().unwrap();
        let documented = openapi::errors(openapi::operation(path));
        assert!(
            documented.contains(&(self.status, code.as_str())),
            "{self:?}"
        );
        assert_eq!(
            self.header("allow"),
            (self.status == 405).then_some("POST"),
            "{self:?}"
        );
        code
    }

    fn protocol(&self) -> Protocol {
        if self.path.starts_with("/directory/") {
            Protocol::Directory
        } else {
            Protocol::AuthV1
        }
    }
}
