//! The configuration of the AWS clients: Lambda's credentials, rustls with ring, and timeouts that fit into
//! those of Regain, which waits 3 s for `find` and 5 s for `set-password`.
//!
//! It has the form of the module of the same name in the engine, which says more.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::ambient::setting;

/// The longest that one call may take, including its retries.
const OPERATION: Duration = Duration::from_millis(2500);
const ATTEMPT: Duration = Duration::from_millis(1200);
const CONNECT: Duration = Duration::from_millis(800);

/// The configuration from the variables that Lambda sets.
#[must_use]
pub fn config() -> SdkConfig {
    let builder = Builder::new().tls_provider(tls::Provider::Rustls(
        tls::rustls_provider::CryptoMode::Ring,
    ));
    let connector = match trusted(setting("AWS_REGION").as_deref()) {
        Some(context) => builder.tls_context(context).build_https(),
        None => builder.build_https(),
    };
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
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ))
        .http_client(connector)
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(retries)
        .service_config(Variables)
        .timeout_config(timeouts);
    config.set_region(setting("AWS_REGION").map(Region::new));
    config.build()
}

/// The roots that AWS's services chain to outside China.
const AMAZON_ROOTS: &str = include_str!("../../../shared/roots/amazon.pem");

/// The regions whose services have certificates of those roots.
const REGIONS: [&str; 11] = [
    "af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-east-", "us-west-", "us-gov-",
];

/// The roots that a function in a region trusts. In a region that is not known here, it trusts those of the
/// system, which take most of a start to read.
fn trusted(region: Option<&str>) -> Option<TlsContext> {
    let region = region?;
    let is_known = REGIONS.iter().any(|prefix| region.starts_with(prefix));
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let context = TlsContext::builder().with_trust_store(roots).build();
    context.ok().filter(|_| is_known)
}

/// The environment variables of one service, or else of all services.
#[derive(Debug)]
struct Variables;

impl LoadServiceConfig for Variables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().replace(' ', "_").to_ascii_uppercase();
        setting(&format!("{}_{service}", key.env())).or_else(|| setting(key.env()))
    }
}
