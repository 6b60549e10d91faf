//! One operation of an AWS service, made of the parts that the SDK's clients are made of.
//!
//! A client of the SDK knows all operations, errors and endpoints of its service. A function that needs one of the
//! operations is smaller without it.

use std::error::Error;
use std::fmt;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use bytes::Bytes;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{connector, endpoint};

/// Which operation of which service.
#[derive(Debug)]
pub(crate) struct Api {
    /// The service's name in settings: `Secrets Manager` is in `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub(crate) service: &'static str,
    /// The service's name in endpoints and signatures.
    pub(crate) signing_name: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) path: String,
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// The body of a request. It may hold a password, so it is wiped when dropped, and never printed.
pub(crate) struct Payload(pub(crate) Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload(..)")
    }
}

/// How a successful answer is read.
pub(crate) type Read<A> = fn(&HttpResponse) -> Result<A, Box<dyn Error + Send + Sync>>;

/// The operation, with the endpoint, credentials, connector, timeouts and retries of the configuration.
pub(crate) fn operation<A>(
    config: &SdkConfig,
    api: Api,
    read: Read<A>,
) -> Operation<Payload, A, ErrorMetadata>
where
    A: fmt::Debug + Send + Sync + 'static,
{
    let http_client = config.http_client();
    let retries = config.retry_config().cloned();
    let timeouts = config.timeout_config().cloned();
    let operation = Operation::builder()
        .service_name(api.service)
        .operation_name(api.operation)
        .behavior_version(aws_config::BehaviorVersion::latest())
        .http_client(http_client.unwrap_or_else(|| connector(usize::MAX)))
        .endpoint_url(&endpoint(config, api.service, api.signing_name))
        .standard_retry(&retries.unwrap_or_else(RetryConfig::standard))
        .timeout_config(timeouts.unwrap_or_else(TimeoutConfig::disabled))
        .with_connection_poisoning()
        .runtime_plugin(like_a_client(config, &api));
    operation
        .serializer(move |payload: Payload| {
            let mut request = HttpRequest::new(SdkBody::from(Bytes::from_owner(payload)));
            request.set_method("POST")?;
            request.set_uri(api.path.as_str())?;
            for (name, value) in api.headers {
                request.headers_mut().insert(*name, *value);
            }
            Ok(request)
        })
        .deserializer(move |response: &HttpResponse| {
            if response.status().is_success() {
                read(response).map_err(OrchestratorError::other)
            } else {
                Err(OrchestratorError::operation(refusal(response)))
            }
        })
        .build()
}

/// Signs with the configuration's credentials, and sends and retries what the SDK's clients do.
fn like_a_client(config: &SdkConfig, api: &Api) -> StaticRuntimePlugin {
    let mut layer = Layer::new("operation");
    layer.store_put(ApiMetadata::new(
        api.signing_name,
        env!("CARGO_PKG_VERSION"),
    ));
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SensitiveOutput);
    layer.store_put(SigningName::from_static(api.signing_name));
    if let Some(region) = config.region() {
        layer.store_put(SigningRegion::from(region.clone()));
    }
    layer.store_put(SigV4OperationSigningConfig::default());
    let mut components = RuntimeComponentsBuilder::new("operation");
    components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
        SCHEME_ID,
    ])));
    components.push_auth_scheme(SigV4AuthScheme::new());
    components.set_identity_cache(config.identity_cache());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    components.push_interceptor(ServiceClockSkewInterceptor::new());
    components.push_interceptor(RequestInfoInterceptor::new());
    components.push_interceptor(UserAgentInterceptor::new());
    components.push_interceptor(InvocationIdInterceptor::new());
    components.push_interceptor(RecursionDetectionInterceptor::new());
    components.push_retry_classifier(HttpStatusCodeClassifier::default());
    components.push_retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new());
    components.push_retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new());
    components.push_retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new());
    StaticRuntimePlugin::new()
        .with_config(layer.freeze())
        .with_runtime_components(components)
}

/// The error code and the message that a service gives.
fn refusal(response: &HttpResponse) -> ErrorMetadata {
    let body: Value =
        serde_json::from_slice(response.body().bytes().unwrap_or_default()).unwrap_or_default();
    let text = |name| body.get(name).and_then(Value::as_str);
    let code = response.headers().get("x-amzn-errortype");
    let code = code.or_else(|| text("code")).or_else(|| text("__type"));
    let message = ["message", "Message", "errorMessage"];
    let mut refusal = ErrorMetadata::builder();
    if let Some(code) = code {
        refusal = refusal.code(bare(code));
    }
    if let Some(message) = message.into_iter().find_map(text) {
        refusal = refusal.message(message);
    }
    refusal.build()
}

/// An error code without its namespace, which ends with `#`, and without the URL behind a colon.
fn bare(code: &str) -> &str {
    let code = code.split_once(':').map_or(code, |(code, _)| code);
    code.split_once('#').map_or(code, |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use aws_config::Region;
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::result::SdkError;
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

    use super::*;

    const SECRET: &str = "a password";

    /// A service with a list of answers, which notes the requests.
    #[derive(Clone, Debug, Default)]
    struct Service {
        answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
        requests: Arc<Mutex<Vec<HttpRequest>>>,
    }

    impl HttpClient for Service {
        fn http_connector(
            &self,
            _: &HttpConnectorSettings,
            _: &RuntimeComponents,
        ) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    impl HttpConnector for Service {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.requests.lock().unwrap().push(request);
            let (status, body) = self.answers.lock().unwrap().pop_front().unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(
                status.try_into().unwrap(),
                body.into(),
            )))
        }
    }

    impl Service {
        fn answering(answers: &[(u16, &'static str)]) -> Self {
            let service = Self::default();
            service.answers.lock().unwrap().extend(answers);
            service
        }

        /// Calls an operation of it, whose answer is its body.
        async fn call(
            &self,
            retries: RetryConfig,
        ) -> Result<String, SdkError<ErrorMetadata, HttpResponse>> {
            let credentials = Credentials::new("id", "key", Some("token".into()), None, "tests");
            let config = SdkConfig::builder()
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .http_client(self.clone())
                .region(Region::from_static("eu-central-1"))
                .retry_config(retries.with_initial_backoff(Duration::from_millis(1)))
                .build();
            let api = Api {
                service: "Secrets Manager",
                signing_name: "secretsmanager",
                operation: "GetSecretValue",
                path: "/path".to_owned(),
                headers: &[("x-amz-target", "secretsmanager.GetSecretValue")],
            };
            let operation = operation(&config, api, |response| {
                let body = response.body().bytes().unwrap();
                Ok(std::str::from_utf8(body)?.to_owned())
            });
            let payload = Payload(Zeroizing::new(SECRET.into()));
            assert!(!format!("{payload:?} {operation:?}").contains(SECRET));
            operation.invoke(payload).await
        }
    }

    #[tokio::test]
    async fn a_request_is_signed_for_the_service_and_says_who_sends_it() {
        let service = Service::answering(&[(200, "done")]);
        let answer = service.call(RetryConfig::standard()).await;
        assert_eq!(answer.unwrap(), "done");
        let requests = service.requests.lock().unwrap();
        let [request] = &requests[..] else {
            panic!("{requests:?}")
        };
        assert_eq!(
            (request.method(), request.uri()),
            (
                "POST",
                "https://secretsmanager.eu-central-1.amazonaws.com/path"
            )
        );
        assert_eq!(request.body().bytes(), Some(SECRET.as_bytes()));
        let header = |name| request.headers().get(name).unwrap();
        assert_eq!(header("x-amz-target"), "secretsmanager.GetSecretValue");
        assert_eq!(header("x-amz-security-token"), "token");
        assert_eq!(header("amz-sdk-request"), "attempt=1; max=3");
        assert!(header("user-agent").starts_with("aws-sdk-rust/"));
        let signature = header("authorization");
        assert!(signature.contains("/eu-central-1/secretsmanager/aws4_request"));
        assert!(signature.contains("x-amz-target"), "{signature}");
    }

    #[tokio::test]
    async fn calls_are_repeated_if_the_failure_may_pass() {
        let denied = (400, r#"{"__type": "AccessDeniedException"}"#);
        let throttled = (400, r#"{"__type": "ThrottlingException"}"#);
        let (failed, done) = ((503, "<html>"), (200, "done"));
        let code = |error: SdkError<ErrorMetadata, HttpResponse>| {
            let refusal = error.as_service_error().unwrap();
            refusal.code().unwrap_or_default().to_owned()
        };
        let (standard, disabled) = (RetryConfig::standard(), RetryConfig::disabled());
        for (retries, answers, expected) in [
            (&standard, &[failed, done][..], Ok("done")),
            (&standard, &[throttled, failed, done], Ok("done")),
            (&standard, &[failed, failed, failed], Err("")),
            (
                &standard,
                &[failed, throttled, throttled],
                Err("ThrottlingException"),
            ),
            (&standard, &[denied], Err("AccessDeniedException")),
            (&disabled, &[failed], Err("")),
            (&disabled, &[throttled], Err("ThrottlingException")),
        ] {
            let service = Service::answering(answers);
            let called = service.call(retries.clone()).await.map_err(code);
            assert_eq!(called.as_deref().map_err(String::as_str), expected);
            let requests = service.requests.lock().unwrap().len();
            assert_eq!(requests, answers.len(), "{answers:?}");
        }
    }

    #[test]
    fn an_error_code_is_read_wherever_a_service_writes_it() {
        for (header, body, code, message) in [
            (None, "", None, None),
            (None, "<html>", None, None),
            (None, "[]", None, None),
            (None, r#"{"__type": 5, "message": null}"#, None, None),
            (
                None,
                r#"{"__type": "ResourceNotFoundException", "Message": "there is none"}"#,
                Some("ResourceNotFoundException"),
                Some("there is none"),
            ),
            (
                None,
                r#"{"__type": "com.amazonaws.secretsmanager#DecryptionFailure:http://internal.amazon.com/coral/"}"#,
                Some("DecryptionFailure"),
                None,
            ),
            (
                None,
                r#"{"code": "Throttling", "__type": "Other", "message": "slow", "Message": "down"}"#,
                Some("Throttling"),
                Some("slow"),
            ),
            (
                Some("TooManyRequestsException:http://internal.amazon.com/coral/"),
                r#"{"__type": "Other", "errorMessage": "slow"}"#,
                Some("TooManyRequestsException"),
                Some("slow"),
            ),
        ] {
            let mut response = HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body));
            if let Some(header) = header {
                response.headers_mut().insert("x-amzn-errortype", header);
            }
            let refused = refusal(&response);
            assert_eq!(
                (refused.code(), refused.message()),
                (code, message),
                "{body}"
            );
        }
    }
}
