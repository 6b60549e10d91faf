//! HTTP clients of the tests: the web client, the mobile client, and a raw client.

use std::net::IpAddr;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::stack::Stack;

/// Asks for a code, by the Directory API.
pub const RESEND: &str = "/directory/api/users/resend";
/// Sends a code, a password or both, by the Directory API.
pub const SET_PASSWORD: &str = "/directory/api/users/setPassword";
/// Asks for a code, by auth/v1.
pub const FORGOT: &str = "/auth/v1/forgot-password";
/// Trades a code for a token, by auth/v1.
pub const VERIFY: &str = "/auth/v1/forgot-password/verify-otp";
/// Asks for another code, by auth/v1.
pub const RESEND_OTP: &str = "/auth/v1/forgot-password/resend-otp";
/// Sets a password with a token, by auth/v1.
pub const RESET: &str = "/auth/v1/forgot-password/set-password";
/// Every path of the API.
pub const PATHS: [&str; 6] = [RESEND, SET_PASSWORD, FORGOT, VERIFY, RESEND_OTP, RESET];

/// A client of the API. Every answer is checked for what all answers have in common.
#[derive(Clone, Debug)]
#[must_use]
pub struct Api {
    url: String,
    http: Client,
    headers: HeaderMap,
}

/// The web client of the Directory API.
#[derive(Clone, Debug)]
pub struct Web(pub Api);

/// The mobile client of auth/v1.
#[derive(Clone, Debug)]
pub struct Mobile(pub Api);

/// A session that began over the Directory API: the user's id and its own.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The user's id.
    pub id: String,
    /// The session's id.
    pub session: String,
}

impl Api {
    /// A client that says nothing but what it must.
    pub fn of(stack: &Stack) -> Self {
        Self {
            url: stack.url.clone(),
            http: Client::new(),
            headers: HeaderMap::new(),
        }
    }

    /// A client with another network address of this machine.
    pub fn from(stack: &Stack, address: [u8; 4]) -> Self {
        let http = Client::builder()
            .local_address(IpAddr::from(address))
            .build()
            .unwrap();
        Self {
            http,
            ..Self::of(stack)
        }
    }

    /// With a header on every request.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let answer = self
            .send(Method::POST, path, "application/json", body.to_string())
            .await;
        if answer.status != 200 {
            assert_nothing_echoed(&answer, &body);
        }
        answer
    }

    /// Posts what may not be JSON.
    pub async fn post_bytes(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Method::POST, path, "application/json", body.into())
            .await
    }

    /// Sends a request to a function, whose answers have much in common.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let has_body = method != Method::HEAD;
        let answer = self.raw(method, path, content_type, body).await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{answer:?}"
        );
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{answer:?}"
        );
        let request_id = answer.header("x-request-id").expect("a request id");
        assert!(request_id.len() >= 16, "{answer:?}");
        if has_body && answer.status != 200 {
            answer.error();
            for word in [
                "expected",
                "line",
                "column",
                "EOF",
                "invalid type",
                "missing field",
            ] {
                assert!(!answer.text.contains(word), "serde's words: {answer:?}");
            }
        }
        answer
    }

    /// Sends a request to the gateway.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let response = request
            .headers(self.headers.clone())
            .body(body)
            .send()
            .await
            .unwrap();
        Answer {
            path: path.to_owned(),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }
}

/// Nothing a caller sent comes back in a refusal.
fn assert_nothing_echoed(answer: &Answer, sent: &Value) {
    match sent {
        Value::String(text) => {
            let echoed = text.chars().count() >= 8 && answer.text.contains(text.as_str());
            assert!(!echoed, "{text:?} is echoed: {answer:?}");
        }
        Value::Array(values) => values
            .iter()
            .for_each(|it| assert_nothing_echoed(answer, it)),
        Value::Object(map) => map
            .values()
            .for_each(|it| assert_nothing_echoed(answer, it)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Web {
    /// The web client, with all the headers it sends.
    pub fn of(stack: &Stack) -> Self {
        Self(
            Api::of(stack)
                .with("authorization", "Bearer ")
                .with("cache-control", "no-cache")
                .with("pragma", "no-cache")
                .with("expires", "0")
                .with("x-application-code", "web")
                .with("x-session-id", "")
                .with("x-access-token", "")
                .with("x-role-key", "")
                .with("x-organization-code", "main")
                .with("x-tenant-code", "main"),
        )
    }

    /// Asks for a code.
    pub async fn resend(&self, email: &str) -> Answer {
        let body = json!({
            "email": email,
            "purpose": "forgot-password",
            "templateCode": "directory|session-forgot",
            "app": "web",
            "device": "Firefox on Debian",
        });
        self.0.post(RESEND, body).await
    }

    /// Begins a session.
    pub async fn begin(&self, email: &str) -> Begun {
        let data = self.resend(email).await.data();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Begun {
            id: text(&data["id"]),
            session: text(&data["session"]["id"]),
        }
    }

    /// Proves a code.
    pub async fn verify(&self, begun: &Begun, otp: &str) -> Answer {
        let body = json!({"id": begun.id, "session": begun.session, "otp": otp});
        self.0.post(SET_PASSWORD, body).await
    }

    /// Sets a password after a code was proven.
    pub async fn set_password(&self, begun: &Begun, password: &str) -> Answer {
        let body = json!({"id": begun.id, "session": begun.session, "password": password});
        self.0.post(SET_PASSWORD, body).await
    }

    /// Proves a code and sets a password at once.
    pub async fn set_both(&self, begun: &Begun, otp: &str, password: &str) -> Answer {
        let body = json!({
            "id": begun.id, "session": begun.session, "otp": otp, "password": password,
        });
        self.0.post(SET_PASSWORD, body).await
    }
}

impl Mobile {
    /// The mobile client, with the headers it sends.
    pub fn of(stack: &Stack) -> Self {
        Self(
            Api::of(stack)
                .with("authorization", "Bearer ")
                .with("x-agent", "Pixel 8; Android 15"),
        )
    }

    /// Asks for a code.
    pub async fn forgot(&self, email: &str) -> Answer {
        self.0.post(FORGOT, json!({"email": email})).await
    }

    /// Begins a session: its id.
    pub async fn begin(&self, email: &str) -> String {
        self.forgot(email).await.word()
    }

    /// Proves a code.
    pub async fn verify(&self, session: &str, otp: &str) -> Answer {
        self.0
            .post(VERIFY, json!({"session_id": session, "otp": otp}))
            .await
    }

    /// Asks for another code; the client sends the last one along, though nobody asks for it.
    pub async fn resend(&self, session: &str) -> Answer {
        self.0
            .post(RESEND_OTP, json!({"session_id": session, "otp": ""}))
            .await
    }

    /// Sets a password: the client sends what verify-otp answered back as `session_id`.
    pub async fn set_password(&self, token: &str, password: &str) -> Answer {
        self.0
            .post(RESET, json!({"session_id": token, "password": password}))
            .await
    }
}
