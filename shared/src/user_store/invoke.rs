//! Invokes a Lambda function and returns its answer.

use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use bytes::Bytes;

use super::UserStoreError;
use crate::aws;
use crate::aws::operation::{Api, Payload, operation};

/// The header that an answer has if the function failed.
const FUNCTION_ERROR: &str = "x-amz-function-error";

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

/// Invokes one function.
#[derive(Clone, Debug)]
pub(super) struct Invoker(Operation<Payload, Answer, ErrorMetadata>);

impl Invoker {
    /// An invoker of a function, by its name or ARN, which waits for an answer for that long. It never retries.
    pub(super) fn new(config: &SdkConfig, function: &str, limit: Duration) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(aws::CONNECT)
            .operation_attempt_timeout(limit)
            .operation_timeout(limit)
            .build();
        let config = config
            .to_builder()
            .http_client(aws::fresh_connections())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        // As the SDK's client encodes a name in a path.
        let function = function.replace(':', "%3A").replace('$', "%24");
        let api = Api {
            service: "Lambda",
            signing_name: "lambda",
            operation: "Invoke",
            path: format!("/2015-03-31/functions/{function}/invocations"),
            headers: &[("content-type", "application/json")],
        };
        Self(operation(&config, api, |response| {
            if response.headers().contains_key(FUNCTION_ERROR) {
                return Ok(Answer::FunctionError);
            }
            let body = response.body().bytes().unwrap_or_default();
            Ok(Answer::Of(Bytes::copy_from_slice(body)))
        }))
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
            Err(SdkError::ServiceError(error)) => match error.raw().status().as_u16() {
                // The function may have run.
                500.. => Err(UserStoreError::Lost("Lambda failed")),
                status => Err(UserStoreError::NotInvoked(format!(
                    "Lambda answered with status {status}"
                ))),
            },
            // Without the cause, which may quote the answer.
            Err(_) => Err(UserStoreError::Lost("the connection broke")),
        }
    }
}
