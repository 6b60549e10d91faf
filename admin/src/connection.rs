//! The AWS clients, with their endpoints and credentials.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_http_client::{Builder, tls};
use aws_types::origin::Origin;
use regain::secrets::Secrets;
use regain::settings::UserStoreSettings;
use regain::store::Store;
use regain::user_store::UserFunction;
use tokio::net::TcpStream;

use crate::failure::{Cause, Failure};
use crate::options::{Connect, Endpoint, Service};

/// The timeouts of one attempt and of a call with all its attempts. An operator can wait longer than a caller
/// of the API, and an import has to wait until the table's capacity has grown.
const ATTEMPT: Duration = Duration::from_secs(10);
const OPERATION: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 8;
/// The longest pause before the second attempt. It doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The clients of one stack.
#[derive(Debug)]
pub(crate) struct Connection {
    config: SdkConfig,
    endpoints: Vec<Endpoint>,
    /// The port of the API, for the stack of `cargo run`.
    local: Option<u16>,
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
        if options.local.is_some() {
            // The stand-ins check neither, but the SDK sends both with every call.
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
        if let Some(api) = options.local {
            endpoints.extend(stand_ins(api));
        }
        Self {
            config: loader.load().await,
            endpoints,
            local: options.local,
        }
    }

    /// The user store function of a stack.
    pub(crate) fn user_store(&self, settings: &UserStoreSettings) -> UserFunction {
        let config = self.config_at(self.endpoint(Service::Lambda));
        UserFunction::new(&config, settings)
    }

    /// The engine's secrets, of which an operator needs the index key alone.
    pub(crate) fn index_key(&self, id: String) -> Secrets {
        let config = self.config_at(self.endpoint(Service::Secrets));
        Secrets::new(&config, id, None)
    }

    /// The configuration with another endpoint, if there is one. It goes before those of the environment.
    fn config_at(&self, url: Option<String>) -> SdkConfig {
        let mut config = self.config.to_builder();
        if url.is_some() {
            config.set_endpoint_url(url);
            config.insert_origin("endpoint_url", Origin::shared_config());
        }
        config.build()
    }

    /// The endpoint of a service from --endpoint or --local. The first one counts.
    fn endpoint(&self, service: Service) -> Option<String> {
        let found = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.service == service);
        found.map(|endpoint| endpoint.url.clone())
    }

    /// The endpoint of a service, if it is not AWS's own.
    fn url(&self, service: Service) -> Option<String> {
        let set = |name: &str| {
            let url = std::env::var_os(name)?.into_string().ok()?;
            Some(url).filter(|url| !url.is_empty())
        };
        self.endpoint(service)
            .or_else(|| set(service.variable()))
            .or_else(|| set("AWS_ENDPOINT_URL"))
    }

    /// The URL of a service if nothing listens there. AWS's own endpoints are not checked.
    pub(crate) async fn silent(&self, service: Service) -> Option<String> {
        let url = self.url(service)?;
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split('/').next()?;
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = match scheme {
            _ if has_port => host.to_owned(),
            "https" => format!("{host}:443"),
            _ => format!("{host}:80"),
        };
        let connected = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await;
        let listens = connected.is_ok_and(|connected| connected.is_ok());
        (!listens).then_some(url)
    }

    /// The URL of the API, for the stack of `cargo run`.
    pub(crate) fn local_api(&self) -> Option<String> {
        let port = self.local?;
        Some(format!("http://127.0.0.1:{port}"))
    }

    /// What to do about a failure with `--local`: the end of the error sentence.
    pub(crate) fn hint(&self, failure: &Failure) -> String {
        let Failure::Aws(trouble) = failure else {
            return String::new();
        };
        if self.local.is_none() {
            return String::new();
        }
        let looked_at = SERVICES.iter().filter_map(|&(service, name)| {
            let url = self.endpoint(service)?;
            Some(format!("{url} ({name})"))
        });
        let looked_at: Vec<_> = looked_at.collect();
        match trouble.cause {
            _ if looked_at.is_empty() => String::new(),
            Cause::Unreachable(_) => format!(
                "; start the service with `cargo run`, which prints the options for this command if it \
                 is not at {}",
                looked_at.join(", ")
            ),
            Cause::NotServed | Cause::Other(_) => format!(
                "; another program may be at {}: the line `Operate` of `cargo run` has the right options",
                looked_at.join(", ")
            ),
            _ => String::new(),
        }
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

/// The stand-ins of `cargo run` in the order of their ports, with the names of their services.
pub(crate) const SERVICES: [(Service, &str); 3] = [
    (Service::Dynamodb, "DynamoDB"),
    (Service::Ses, "SES"),
    (Service::Secrets, "Secrets Manager"),
];

/// The stand-in on the port after those, which only a stack with users elsewhere needs.
pub(crate) const LAMBDA: (Service, &str) = (Service::Lambda, "Lambda");

/// The stand-ins of an API, except those for which the environment names another endpoint.
fn stand_ins(api: u16) -> impl Iterator<Item = Endpoint> {
    let ports = api.saturating_add(1)..;
    let moved =
        |service: Service| std::env::var_os(service.variable()).is_some_and(|url| !url.is_empty());
    SERVICES
        .into_iter()
        .chain([LAMBDA])
        .zip(ports)
        .filter(move |&((service, _), _)| !moved(service))
        .map(|((service, _), port)| Endpoint {
            service,
            url: format!("http://127.0.0.1:{port}"),
        })
}
