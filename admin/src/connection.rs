//! The AWS clients: where each service is, and as whom it is asked.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_http_client::{Builder, tls};
use regain::store::Store;

use crate::options::{Connect, Endpoint, Service};

/// What one try of a call may take, and the call with all of them: an operator can wait longer than
/// somebody who calls the API, and an import goes on until the table's capacity has grown.
const ATTEMPT: Duration = Duration::from_secs(10);
const OPERATION: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 8;
/// The longest pause before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What is at hand to talk to a stack.
#[derive(Debug)]
pub(crate) struct Connection {
    config: SdkConfig,
    endpoints: Vec<Endpoint>,
}

impl Connection {
    pub(crate) async fn new(options: &Connect) -> Self {
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
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(connector)
            .timeout_config(timeouts)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(FIRST_PAUSE),
            );
        if options.local {
            // The stand-ins ask for neither, but every call carries both.
            loader = loader
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("local", "local", None, None, "--local"));
        }
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        let mut endpoints = options.endpoint.clone();
        if options.local {
            endpoints.extend(stand_ins());
        }
        Self {
            config: loader.load().await,
            endpoints,
        }
    }

    /// Where a service is, if not where AWS has it or the environment says. The first one counts.
    fn endpoint(&self, service: Service) -> Option<String> {
        let found = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.service == service);
        found.map(|endpoint| endpoint.url.clone())
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        if let Some(url) = self.endpoint(Service::Dynamodb) {
            config = config.endpoint_url(url);
        }
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub(crate) fn ses(&self) -> aws_sdk_sesv2::Client {
        let mut config = aws_sdk_sesv2::config::Builder::from(&self.config);
        if let Some(url) = self.endpoint(Service::Ses) {
            config = config.endpoint_url(url);
        }
        aws_sdk_sesv2::Client::from_conf(config.build())
    }

    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
        if let Some(url) = self.endpoint(Service::Secrets) {
            config = config.endpoint_url(url);
        }
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    pub(crate) fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        let mut config = aws_sdk_cloudformation::config::Builder::from(&self.config);
        if let Some(url) = self.endpoint(Service::Cloudformation) {
            config = config.endpoint_url(url);
        }
        aws_sdk_cloudformation::Client::from_conf(config.build())
    }

    pub(crate) fn store(&self, table: &str) -> Store {
        Store::new(self.dynamodb(), table)
    }
}

/// The stand-ins of `cargo run`, but for those that the environment says are elsewhere.
fn stand_ins() -> impl Iterator<Item = Endpoint> {
    [
        (Service::Dynamodb, "AWS_ENDPOINT_URL_DYNAMODB", 3001),
        (Service::Ses, "AWS_ENDPOINT_URL_SESV2", 3002),
        (Service::Secrets, "AWS_ENDPOINT_URL_SECRETS_MANAGER", 3003),
    ]
    .into_iter()
    .filter(|(_, variable, _)| std::env::var_os(variable).is_none_or(|url| url.is_empty()))
    .map(|(service, _, port)| Endpoint {
        service,
        url: format!("http://127.0.0.1:{port}"),
    })
}
