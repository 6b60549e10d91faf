//! The user store of `--user-store`: a program in any language that answers questions over HTTP.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::json;

use crate::lambda::invoke_api::failed;

/// The name of its function.
pub const USER_STORE: &str = "user-store";
/// The ARN that the stack calls it by.
pub const USER_STORE_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:user-store";

/// How long it may take to answer, as a function has a timeout. The functions that ask wait for less.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A program that answers the questions that are posted to its URL.
#[derive(Clone, Debug)]
pub struct UserStore {
    client: Client,
    url: String,
}

impl UserStore {
    /// The program at a URL.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn at(url: String) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { client, url })
    }

    /// Asks the program, and answers as Lambda does for a function: the body of a 200 is its answer, and anything
    /// else means that it failed.
    pub(super) async fn answer(&self, question: Bytes) -> Response {
        let failed = |why: String| failed(json!({"errorType": "UserStore", "errorMessage": why}));
        let asked = self
            .client
            .post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(question);
        let answer = match asked.send().await {
            Ok(answer) => answer,
            Err(error) => return failed(error.without_url().to_string()),
        };
        match answer.status() {
            StatusCode::OK => match answer.bytes().await {
                Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
                Err(error) => failed(error.without_url().to_string()),
            },
            status => failed(format!("status {status}")),
        }
    }
}
