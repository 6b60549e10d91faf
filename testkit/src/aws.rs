//! The common parts of the tests' clients and stand-ins: plain HTTP on this machine.

use std::net::Ipv4Addr;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_types::sdk_config::{Builder, SdkConfig, SharedCredentialsProvider};
use axum::Router;
use tokio::net::TcpListener;

/// The region of the tests, and of the stack that `cargo run` plays: an emulator may keep regions apart.
pub const REGION: Region = Region::from_static("us-east-1");

/// A client for plain HTTP.
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// Credentials of no account.
pub fn credentials() -> Credentials {
    Credentials::new("id", "secret", None, None, "tests")
}

/// Three attempts without a pause: the failures that are retried are made up.
pub fn quick_retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(1))
}

/// The configuration of a client of one stand-in.
pub fn config(endpoint: &str) -> Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(REGION)
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials()))
        .retry_config(quick_retries())
        .http_client(http_client())
}

/// Listens on a free port of this machine, and says where.
pub async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// Serves a stand-in until the test ends, and says where.
pub async fn serve(app: Router) -> String {
    let (listener, endpoint) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    endpoint
}
