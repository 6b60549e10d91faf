//! The AWS clients: one connector, and limits that fit a function's time.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::{Builder, tls};

/// What the SDK may take for one call, its own retries included.
pub(crate) const OPERATION: Duration = Duration::from_secs(4);
const ATTEMPT: Duration = Duration::from_millis(1500);
const CONNECT: Duration = Duration::from_millis(800);

/// Configuration from the function's environment.
///
/// TLS is rustls with ring: smaller and quicker to start than the SDK's default.
pub async fn config() -> SdkConfig {
    let connector = Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(connector)
        .timeout_config(timeouts)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(50)),
        )
        .load()
        .await
}
