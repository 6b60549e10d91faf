//! Lambda's Invoke API: calls a function by its name, as the account's other services and the AWS SDK do.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::lambda::pool::{Pool, PoolError};
use crate::lambda::user_store::{USER_STORE, UserStore};
use crate::template::Function;

/// The largest event that Lambda takes from a caller who waits.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The functions by their names. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct InvokeApi {
    functions: Arc<HashMap<String, Pool>>,
    /// A user store that is no function of the stack.
    user_store: Option<UserStore>,
}

impl InvokeApi {
    /// Calls functions by the names that they are deployed under, or by those of their folders.
    pub fn new<'a>(functions: impl IntoIterator<Item = (&'a Function, Pool)>) -> Self {
        let names = functions.into_iter().flat_map(|(function, pool)| {
            let names = [&function.function_name, &function.name];
            names.map(|name| (name.clone(), pool.clone()))
        });
        Self {
            functions: Arc::new(names.collect()),
            user_store: None,
        }
    }

    /// The same with a user store.
    #[must_use]
    pub fn with_user_store(self, user_store: Option<UserStore>) -> Self {
        Self { user_store, ..self }
    }

    /// The HTTP interface.
    pub fn into_router(self) -> Router {
        Router::new()
            .route(
                "/2015-03-31/functions/{name}/invocations",
                post(Self::invoke),
            )
            .layer(DefaultBodyLimit::max(LARGEST_EVENT))
            .with_state(self)
    }

    async fn invoke(
        State(api): State<Self>,
        Path(name): Path<String>,
        headers: HeaderMap,
        event: Bytes,
    ) -> Response {
        let function = function_name(&name);
        if function == USER_STORE
            && let Some(store) = &api.user_store
        {
            return store.answer(event).await;
        }
        let Some(pool) = api.functions.get(function) else {
            let message = format!("Function not found: {name}");
            return refused(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message);
        };
        let event = match event.as_ref() {
            [] => Bytes::from_static(b"{}"),
            given if serde_json::from_slice::<Value>(given).is_ok() => event,
            _ => {
                return refused(
                    StatusCode::BAD_REQUEST,
                    "InvalidRequestContentException",
                    "Could not parse request body into json",
                );
            }
        };
        let kind = headers.get(INVOCATION_TYPE).map(HeaderValue::as_bytes);
        match kind.unwrap_or(b"RequestResponse") {
            b"RequestResponse" => answered(pool.invoke(event).await),
            b"Event" => {
                let pool = pool.clone();
                tokio::spawn(async move { pool.invoke_unattended(event, "lambda").await });
                StatusCode::ACCEPTED.into_response()
            }
            b"DryRun" => StatusCode::NO_CONTENT.into_response(),
            _ => refused(
                StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                "X-Amz-Invocation-Type must be RequestResponse, Event or DryRun",
            ),
        }
    }
}

/// The name in what a caller names a function by: its name or its ARN, whole or in part, each with a version or
/// an alias behind it or without.
fn function_name(named: &str) -> &str {
    let behind = named.rsplit_once("function:").map_or(named, |(_, it)| it);
    behind.split(':').next().unwrap_or_default()
}

/// The answer of a function. That a function failed is an answer too.
fn answered(result: Result<Bytes, PoolError>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (EXECUTED_VERSION, "$LATEST"),
    ];
    let failure = match result {
        Ok(answer) => return (headers, answer).into_response(),
        Err(PoolError::Function(failure)) => json!(failure),
        Err(error @ PoolError::TimedOut(_)) => {
            json!({"errorType": "Sandbox.Timedout", "errorMessage": error.to_string()})
        }
        Err(error @ PoolError::Failed(_)) => {
            json!({"errorType": "Runtime.ExitError", "errorMessage": error.to_string()})
        }
    };
    (headers, failed(failure)).into_response()
}

/// The answer of a function that failed.
pub(super) fn failed(failure: Value) -> Response {
    ([(FUNCTION_ERROR, "Unhandled")], Json(failure)).into_response()
}

fn refused(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = Json(json!({"Type": "User", "Message": message}));
    (status, [(ERROR_TYPE, kind)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_its_name_or_its_arn() {
        for named in [
            "regain-users-resend",
            "regain-users-resend:live",
            "regain-users-resend:$LATEST",
            "arn:aws:lambda:us-east-1:000000000000:function:regain-users-resend",
            "arn:aws:lambda:us-east-1:000000000000:function:regain-users-resend:7",
            "000000000000:function:regain-users-resend",
        ] {
            assert_eq!(function_name(named), "regain-users-resend", "{named}");
        }
    }
}
