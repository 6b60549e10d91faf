//! Invokes a Lambda function and returns its answer.
//!
//! One call of Lambda's API, made of the parts that the SDK's clients are made of: see Cargo.toml for why it is
//! not the SDK's own client.

use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use bytes::Bytes;
use thiserror::Error;
use zeroize::Zeroizing;

use super::UserStoreError;
use crate::aws;

/// The header that an answer has if the function failed.
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// The payload of an invocation. It may hold a password, so it is wiped when dropped, and never printed.
pub(super) struct Payload(pub(super) Zeroizing<Vec<u8>>);

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

/// Lambda's answer.
enum Answer {
    /// The function's own answer.
    Of(Bytes),
    /// The function failed.
    FunctionError,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

/// Lambda itself refused the invocation, or failed.
#[derive(Debug, Error)]
#[error("Lambda answered with status {0}")]
struct NotInvoked(u16);

/// Invokes one function.
#[derive(Clone, Debug)]
pub(super) struct Invoker(Operation<Payload, Answer, NotInvoked>);

impl Invoker {
    /// An invoker of a function, by its name or ARN, which waits for an answer for that long. It never retries.
    pub(super) fn new(config: &SdkConfig, function: &str, limit: Duration) -> Self {
        // As the SDK's client encodes a name in a path.
        let function = function.replace(':', "%3A").replace('$', "%24");
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(aws::CONNECT)
            .operation_attempt_timeout(limit)
            .operation_timeout(limit)
            .build();
        let operation = Operation::builder()
            .service_name("lambda")
            .operation_name("Invoke")
            .behavior_version(aws_config::BehaviorVersion::latest())
            .http_client(aws::fresh_connections())
            .endpoint_url(&aws::endpoint(config, "lambda"))
            .no_retry()
            .timeout_config(timeouts)
            .runtime_plugin(signed(config))
            .serializer(move |payload: Payload| {
                let mut request = HttpRequest::new(SdkBody::from(Bytes::from_owner(payload)));
                request.set_method("POST")?;
                request.set_uri(path.as_str())?;
                request
                    .headers_mut()
                    .insert("content-type", "application/json");
                Ok(request)
            })
            .deserializer(|response: &HttpResponse| {
                if !response.status().is_success() {
                    let status = response.status().as_u16();
                    return Err(OrchestratorError::operation(NotInvoked(status)));
                }
                if response.headers().contains_key(FUNCTION_ERROR) {
                    return Ok(Answer::FunctionError);
                }
                let body = response.body().bytes().unwrap_or_default();
                Ok(Answer::Of(Bytes::copy_from_slice(body)))
            })
            .build();
        Self(operation)
    }

    /// Invokes the function, and returns its answer as it is.
    pub(super) async fn invoke(&self, payload: Payload) -> Result<Bytes, UserStoreError> {
        // On the heap: calls of the SDK are large futures.
        match Box::pin(self.0.invoke(payload)).await {
            Ok(Answer::Of(answer)) => Ok(answer),
            Ok(Answer::FunctionError) => Err(UserStoreError::Failed),
            Err(SdkError::ConstructionFailure(_)) => Err(UserStoreError::NotInvoked(
                "the request could not be made".into(),
            )),
            Err(SdkError::TimeoutError(_)) => Err(UserStoreError::Lost("no answer in time")),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                // The function may have run.
                NotInvoked(500..) => Err(UserStoreError::Lost("Lambda failed")),
                refused => Err(UserStoreError::NotInvoked(refused.to_string())),
            },
            // Without the cause, which may quote the answer.
            Err(_) => Err(UserStoreError::Lost("the connection broke")),
        }
    }
}

/// Signs with the role's credentials.
fn signed(config: &SdkConfig) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signed");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigningName::from_static("lambda"));
    if let Some(region) = config.region() {
        layer.store_put(SigningRegion::from(region.clone()));
    }
    layer.store_put(SigV4OperationSigningConfig::default());
    let mut components = RuntimeComponentsBuilder::new("signed");
    components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
        SCHEME_ID,
    ])));
    components.push_auth_scheme(SigV4AuthScheme::new());
    components.set_identity_cache(Some(IdentityCache::no_cache()));
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new()
        .with_config(layer.freeze())
        .with_runtime_components(components)
}
