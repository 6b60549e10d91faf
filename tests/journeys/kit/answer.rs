//! An answer, held against what its protocol's tables say.

use std::sync::LazyLock;

use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

/// The contract's two error tables, `directory` and `auth_v1`, and the `reasons` for which a password is
/// refused. A row's `retryAfter` says whether the error comes with `Retry-After`: `always`, `sometimes`
/// (where waiting helps), or never if it has none.
pub(crate) static ERRORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../shared/tests/contract/errors.json")).unwrap()
});

/// An answer of the API.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body.
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// `Retry-After`, in seconds.
    pub(crate) fn retry_after(&self) -> u64 {
        self.header("retry-after")
            .expect("a Retry-After")
            .parse()
            .expect("whole seconds")
    }

    /// The data of an answer that went well, whose envelope has nothing else.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        let body = self.body();
        if self.is_directory() {
            assert_eq!(keys(&body), ["data", "isSuccess"], "{self:?}");
            assert_eq!(body["isSuccess"], true);
        } else {
            assert_eq!(keys(&body), ["data", "message", "status_code"], "{self:?}");
            assert_eq!(body["status_code"], 200);
            assert!(
                body["message"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{self:?}"
            );
            assert!(
                body["data"].as_str().is_some_and(|text| !text.is_empty()),
                "{self:?}"
            );
        }
        body["data"].clone()
    }

    /// The text that is the data of auth/v1.
    #[track_caller]
    pub(crate) fn word(&self) -> String {
        self.data().as_str().expect("text").to_owned()
    }

    /// Checks that the answer is this error of its protocol's table, in its exact envelope.
    #[track_caller]
    pub(crate) fn refused(&self, code: &str) -> &Self {
        assert_eq!(self.error(), code, "{self:?}");
        self
    }

    /// Checks that a request was malformed in this field, and answered 400.
    #[track_caller]
    pub(crate) fn malformed(&self, field: &str) -> &Self {
        self.refused(if self.is_directory() {
            "DI_USR_INV"
        } else {
            "invalid_request"
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
    pub(crate) fn reasons(&self, reasons: &[&str]) -> &Self {
        assert_eq!(self.body()["reasons"], json!(reasons), "{self:?}");
        self
    }

    /// The error's code, after its envelope was held against the table.
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        let body = self.body();
        let code = body["error"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {self:?}"));
        let mut expected = Map::new();
        expected.insert("error".into(), code.into());
        let row = &ERRORS[if self.is_directory() {
            "directory"
        } else {
            "auth_v1"
        }][code];
        let statuses = row["statuses"]
            .as_array()
            .unwrap_or_else(|| panic!("no such code: {self:?}"));
        assert!(statuses.contains(&self.status.into()), "{self:?}");
        if self.is_directory() {
            expected.insert("isSuccess".into(), false.into());
            expected.insert("code".into(), code.into());
            expected.insert("message".into(), row["message"].clone());
        } else {
            expected.insert("data".into(), Value::Null);
            expected.insert("status_code".into(), self.status.into());
            let message = body["message"].as_str().unwrap_or_default();
            assert!(!message.is_empty(), "{self:?}");
            expected.insert("message".into(), message.into());
        }
        for (key, codes) in [
            ("field", ["DI_USR_INV", "invalid_request"]),
            ("reasons", ["DI_USP_PINV", "password_rejected"]),
        ] {
            if codes.contains(&code) {
                expected.insert(key.into(), body[key].clone());
                assert!(!body[key].is_null(), "{key} is missing: {self:?}");
            }
        }
        assert_eq!(body, Value::Object(expected), "the exact envelope");
        let known = ERRORS["reasons"].as_array().unwrap();
        for reason in body["reasons"].as_array().into_iter().flatten() {
            assert!(known.contains(reason), "{self:?}");
        }
        match row["retryAfter"].as_str() {
            Some("always") => assert!(self.retry_after() > 0, "{self:?}"),
            Some("sometimes") => {}
            _ => assert_eq!(self.header("retry-after"), None, "{self:?}"),
        }
        assert_eq!(
            self.header("allow"),
            (self.status == 405).then_some("POST"),
            "{self:?}"
        );
        code.to_owned()
    }

    fn is_directory(&self) -> bool {
        self.path.starts_with("/directory/")
    }
}

/// The keys of an object, in order.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}
