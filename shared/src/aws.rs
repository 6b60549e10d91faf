//! The configuration of the AWS clients: Lambda's credentials, one connector, and timeouts that fit a
//! function's.
//!
//! The SDK's own loader also looks for profiles, single sign-on, web identities, containers and instance
//! metadata. A function has none of these, and the code that looks for them would be a tenth of its size.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::{Builder, tls};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::settings::env;

/// The longest that one call of the SDK may take, including its retries.
pub(crate) const OPERATION: Duration = Duration::from_secs(4);
const ATTEMPT: Duration = Duration::from_millis(1500);
pub(crate) const CONNECT: Duration = Duration::from_millis(800);

/// The configuration from the variables that Lambda sets: the region, and the credentials of the
/// function's role, which do not change while the process lives.
///
/// TLS is rustls with ring, which is smaller and starts faster than the SDK's default.
pub(crate) fn config() -> SdkConfig {
    let connector = connector(usize::MAX);
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(50));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(connector)
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(retries)
        .service_config(Variables)
        .timeout_config(timeouts);
    config.set_region(env("AWS_REGION").map(Region::new));
    config.build()
}

/// Where a service is: where the configuration says, or else in its region.
pub(crate) fn endpoint(config: &SdkConfig, service: &str) -> String {
    if let Some(url) = config.endpoint_url() {
        return url.to_owned();
    }
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let variables = config.service_config();
    let url = key.ok().and_then(|key| variables?.load_config(key));
    if let Some(url) = url {
        return url;
    }
    let region = config.region().map_or("us-east-1", Region::as_ref);
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://{service}.{region}.{domain}")
}

/// A connector that opens a connection for each call and keeps none.
///
/// While a function is frozen, the other side may reset a kept connection. The function then cannot tell
/// whether its next call was received. A call that must not be made twice is worth a handshake each time.
pub(crate) fn fresh_connections() -> SharedHttpClient {
    connector(0)
}

/// A connector that keeps at most so many idle connections to a host.
fn connector(most_idle: usize) -> SharedHttpClient {
    Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .pool_max_idle_per_host(most_idle)
        .build_https()
}

/// The environment variables of one service, or else of all services.
#[derive(Debug)]
struct Variables;

impl LoadServiceConfig for Variables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        configured(&key, env)
    }
}

/// The first of two variables that is set, such as `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL`.
fn configured(key: &ServiceConfigKey<'_>, env: impl Fn(&str) -> Option<String>) -> Option<String> {
    let service = key.service_id().replace(' ', "_").to_ascii_uppercase();
    env(&format!("{}_{service}", key.env())).or_else(|| env(key.env()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_in_its_region_unless_the_configuration_says_another_place() {
        let in_region = |region| {
            let region = Region::from_static(region);
            let config = SdkConfig::builder().region(region);
            config.behavior_version(BehaviorVersion::latest())
        };
        for (config, url) in [
            (
                in_region("eu-central-1"),
                "https://lambda.eu-central-1.amazonaws.com",
            ),
            (
                in_region("cn-north-1"),
                "https://lambda.cn-north-1.amazonaws.com.cn",
            ),
            (
                in_region("eu-central-1").endpoint_url("http://127.0.0.1:3004"),
                "http://127.0.0.1:3004",
            ),
        ] {
            assert_eq!(endpoint(&config.build(), "lambda"), url);
        }
    }

    #[test]
    fn a_variable_of_one_service_goes_before_that_of_all() {
        let all = ("AWS_ENDPOINT_URL", "all");
        let one = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "one");
        let other = ("AWS_ENDPOINT_URL_DYNAMODB", "other");
        for (set, found) in [
            (&[all, one, other][..], Some("one")),
            (&[all, other], Some("all")),
            (&[other], None),
        ] {
            let key = ServiceConfigKey::builder()
                .service_id("Secrets Manager")
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .unwrap();
            let env = |name: &str| {
                let variable = set.iter().find(|(it, _)| *it == name);
                variable.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(configured(&key, env).as_deref(), found, "{set:?}");
        }
    }
}
