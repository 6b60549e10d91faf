//! The configuration of the AWS clients: Lambda's credentials, one connector, and timeouts that fit a
//! function's.
//!
//! The SDK's own loader also looks for profiles, single sign-on, web identities, containers and instance
//! metadata. A function has none of these, and the code that looks for them would be a tenth of its size.

pub(crate) mod operation;

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
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

/// The partitions other than AWS's public one: how the names of their regions begin, and the domains of their services,
/// over IPv4 alone and over IPv6 too.
const PARTITIONS: [(&str, &str, &str); 6] = [
    ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
];

/// Where a service is: where the configuration says, or else in its region. The service has one name in settings, and
/// another in endpoints.
fn endpoint(config: &SdkConfig, service: &str, name: &str) -> String {
    configured_endpoint(config, service).unwrap_or_else(|| {
        let region = config.region().map_or("us-east-1", Region::as_ref);
        let partition = PARTITIONS.iter().find(|it| region.starts_with(it.0));
        let &(_, ipv4, dual) = partition.unwrap_or(&("", "amazonaws.com", "api.aws"));
        let is = |setting: Option<bool>| setting.unwrap_or_default();
        let domain = if is(config.use_dual_stack()) {
            dual
        } else {
            ipv4
        };
        let fips = if is(config.use_fips()) { "-fips" } else { "" };
        format!("https://{name}{fips}.{region}.{domain}")
    })
}

/// The endpoint of the configuration. A variable of the service goes before one of all services, as in the SDK's
/// clients.
fn configured_endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let of_all = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return of_all;
    }
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let variables = config.service_config();
    let of_service = key.ok().and_then(|key| variables?.load_config(key));
    of_service.or(of_all)
}

/// A connector that opens a connection for each call and keeps none.
///
/// While a function is frozen, the other side may reset a kept connection. The function then cannot tell
/// whether its next call was received. A call that must not be made twice is worth a handshake each time.
pub(crate) fn fresh_connections() -> SharedHttpClient {
    connector(0)
}

/// A connector that keeps at most `most_idle` idle connections to a host.
fn connector(most_idle: usize) -> SharedHttpClient {
    let builder = Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .pool_max_idle_per_host(most_idle);
    match trusted(env("AWS_REGION").as_deref()) {
        Some(context) => builder.tls_context(context).build_https(),
        None => builder.build_https(),
    }
}

/// The roots that AWS's services chain to outside China: Amazon Root CA 1 to 4, and Starfield Services Root CA G2
/// (<https://www.amazontrust.com/repository/>).
const AMAZON_ROOTS: &str = include_str!("../roots/amazon.pem");

/// The regions whose services have certificates of those roots: all of the partitions `aws` and `aws-us-gov`.
const REGIONS: [&str; 11] = [
    "af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-east-", "us-west-", "us-gov-",
];

/// The roots that a function in a region trusts. In a region that is not known here, it trusts those of the
/// system, which are thirty times as many, and take most of a start to read.
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
    use aws_types::origin::Origin;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn functions_trust_the_roots_of_amazon_and_no_others() {
        // As https://www.amazontrust.com/repository/ lists them.
        let fingerprints = [
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        ];
        let found: Vec<_> = AMAZON_ROOTS
            .split_terminator("-----END CERTIFICATE-----\n")
            .map(|pem| {
                let body = pem.trim_start_matches("-----BEGIN CERTIFICATE-----");
                let der = data_encoding::BASE64
                    .decode(body.replace('\n', "").as_bytes())
                    .unwrap();
                data_encoding::HEXLOWER.encode(&Sha256::digest(der))
            })
            .collect();
        assert_eq!(found, fingerprints);
    }

    #[test]
    fn the_roots_of_amazon_are_trusted_where_its_services_have_them() {
        for region in [
            "us-east-1",
            "eu-central-2",
            "us-gov-west-1",
            "ap-southeast-7",
            "mx-central-1",
        ] {
            assert!(trusted(Some(region)).is_some(), "{region}");
        }
        for region in [
            Some("cn-north-1"),
            Some("eusc-de-east-1"),
            Some("us-iso-east-1"),
            Some(""),
            None,
        ] {
            assert!(trusted(region).is_none(), "{region:?}");
        }
    }

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
                in_region("us-gov-west-1").use_fips(true),
                "https://lambda-fips.us-gov-west-1.amazonaws.com",
            ),
            (
                in_region("eu-central-1").use_dual_stack(true),
                "https://lambda.eu-central-1.api.aws",
            ),
            (
                in_region("cn-north-1"),
                "https://lambda.cn-north-1.amazonaws.com.cn",
            ),
            (
                in_region("us-isob-east-1"),
                "https://lambda.us-isob-east-1.sc2s.sgov.gov",
            ),
            (
                in_region("eu-central-1").endpoint_url("http://127.0.0.1:3004"),
                "http://127.0.0.1:3004",
            ),
        ] {
            assert_eq!(endpoint(&config.build(), "Lambda", "lambda"), url);
        }
    }

    #[test]
    fn an_endpoint_of_one_service_goes_before_that_of_all_unless_the_program_sets_it() {
        #[derive(Debug)]
        struct Variable;
        impl LoadServiceConfig for Variable {
            fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
                (key.service_id() == "Lambda").then(|| "one".to_owned())
            }
        }
        for (origin, lambda) in [
            (Origin::shared_environment_variable(), "one"),
            (Origin::shared_config(), "all"),
        ] {
            let config = SdkConfig::builder().endpoint_url("all");
            let mut config = config.service_config(Variable);
            config.insert_origin("endpoint_url", origin);
            let config = config.build();
            assert_eq!(endpoint(&config, "Lambda", "lambda"), lambda);
            assert_eq!(endpoint(&config, "SESv2", "email"), "all");
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
