//! Faults between the engine's DynamoDB client and its table. They are injected below the SDK, so that the
//! SDK's own retries, timeouts and tokens take part.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::sync::Barrier;

/// How one attempt of a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer in time, and nothing arrived.
    TimeoutBefore,
    /// No answer in time, though it was carried out.
    TimeoutAfter,
    /// The connection is reset before anything arrived.
    ResetBefore,
    /// The connection is reset after it was carried out.
    ResetAfter,
    /// 500, and nothing was done.
    ErrorBefore,
    /// 500, though it was carried out.
    ErrorAfter,
    /// The table has no capacity left.
    Throttled,
    /// Another transaction has the item. A read knows no such thing.
    Conflict,
    /// The transaction is cancelled for want of capacity.
    Cancelled,
}

impl Failure {
    fn is_after(self) -> bool {
        matches!(
            self,
            Self::TimeoutAfter | Self::ResetAfter | Self::ErrorAfter
        )
    }

    /// The answer that the client sees. `None` if this call cannot fail so.
    fn seen(self, request: &HttpRequest) -> Option<Result<HttpResponse, ConnectorError>> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let items = sent["TransactItems"].as_array().map_or(0, Vec::len);
        let cancelled = |code: &str| {
            let mut reasons = vec![json!({ "Code": "None" }); items];
            reasons[items / 2] = json!({ "Code": code });
            let extra = json!({ "CancellationReasons": reasons });
            answer(400, "TransactionCanceledException", extra)
        };
        let error = |kind| answer(400, kind, json!({}));
        Some(match (self, operation) {
            (Self::TimeoutBefore | Self::TimeoutAfter, _) => {
                Err(ConnectorError::timeout("no answer in time".into()))
            }
            (Self::ResetBefore | Self::ResetAfter, _) => {
                Err(ConnectorError::io("connection reset by peer".into()))
            }
            (Self::ErrorBefore | Self::ErrorAfter, _) => {
                Ok(answer(500, "InternalServerError", json!({})))
            }
            (Self::Throttled, _) => Ok(error("ThrottlingException")),
            (Self::Conflict, "TransactWriteItems") => Ok(cancelled("TransactionConflict")),
            (Self::Conflict, "UpdateItem") => Ok(error("TransactionConflictException")),
            (Self::Cancelled, "TransactWriteItems") => Ok(cancelled("ThrottlingError")),
            (Self::Conflict | Self::Cancelled, _) => return None,
        })
    }
}

fn answer(status: u16, kind: &str, mut body: Value) -> HttpResponse {
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{kind}"));
    body["Message"] = json!("refused");
    let status = status.try_into().unwrap();
    HttpResponse::new(status, body.to_string().into())
}

#[derive(Debug, Default)]
enum Plan {
    #[default]
    None,
    /// From attempt `from` on, `times` attempts fail.
    Fail {
        failure: Failure,
        from: usize,
        times: usize,
        attempts: usize,
    },
    /// The attempt of that number waits at the gate for its test, twice.
    Held {
        number: usize,
        gate: Arc<Barrier>,
        attempts: usize,
    },
    /// Attempts are delayed at random on the way there and back, and some conflict with another transaction.
    Storm { rng: Box<StdRng> },
}

/// The longest delay of an attempt on one way in a storm.
const LONGEST: Duration = Duration::from_millis(4);
/// The share of a storm's attempts that conflict with another transaction.
const CONFLICTS: f64 = 0.05;

/// Injects faults into the calls of all clients of one stack.
#[derive(Clone, Debug, Default)]
pub struct FaultInjector(Arc<Mutex<Plan>>);

/// The effect on one attempt.
#[derive(Default)]
struct Effect {
    gate: Option<Arc<Barrier>>,
    before: Duration,
    failure: Option<Failure>,
    after: Duration,
}

impl FaultInjector {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on no call fails.
    pub fn clear(&self) {
        *self.plan() = Plan::None;
    }

    /// The attempts since [`FaultInjector::fail`].
    ///
    /// # Panics
    /// If [`FaultInjector::fail`] was not called, or its plan was replaced.
    pub fn attempts(&self) -> usize {
        match *self.plan() {
            Plan::Fail { attempts, .. } => attempts,
            _ => panic!("no call fails"),
        }
    }

    /// Makes `times` attempts fail, from attempt `from` on, counted from now.
    pub fn fail(&self, failure: Failure, from: usize, times: usize) {
        *self.plan() = Plan::Fail {
            failure,
            from,
            times,
            attempts: 0,
        };
    }

    /// Holds attempt `number`, counted from now, until the gate has been waited for twice. Whatever a test does
    /// between its two waits happens before the attempt.
    pub fn hold(&self, number: usize) -> Arc<Barrier> {
        let gate = Arc::new(Barrier::new(2));
        *self.plan() = Plan::Held {
            number,
            gate: gate.clone(),
            attempts: 0,
        };
        gate
    }

    /// From now on attempts are delayed at random, and some conflict with other transactions.
    pub fn storm(&self, seed: u64) {
        let rng = Box::new(StdRng::seed_from_u64(seed));
        *self.plan() = Plan::Storm { rng };
    }

    fn next(&self) -> Effect {
        match &mut *self.plan() {
            Plan::None => Effect::default(),
            Plan::Fail {
                failure,
                from,
                times,
                attempts,
            } => {
                *attempts += 1;
                let fails = *from <= *attempts && *attempts < from.saturating_add(*times);
                Effect {
                    failure: fails.then_some(*failure),
                    ..Effect::default()
                }
            }
            Plan::Held {
                number,
                gate,
                attempts,
            } => {
                *attempts += 1;
                Effect {
                    gate: (attempts == number).then(|| gate.clone()),
                    ..Effect::default()
                }
            }
            Plan::Storm { rng } => Effect {
                gate: None,
                before: LONGEST.mul_f64(rng.random()),
                failure: rng.random_bool(CONFLICTS).then_some(Failure::Conflict),
                after: LONGEST.mul_f64(rng.random()),
            },
        }
    }

    /// The client with these faults between it and the table.
    pub fn wrap(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Faulty {
            inner,
            injector: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Faulty<T> {
    inner: T,
    injector: FaultInjector,
}

impl HttpClient for Faulty<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Faulty {
            inner: self.inner.http_connector(settings, components),
            injector: self.injector.clone(),
        })
    }
}

impl HttpConnector for Faulty<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Effect {
            gate,
            before,
            failure,
            after,
        } = self.injector.next();
        let is_after = failure.is_some_and(Failure::is_after);
        let seen = failure.and_then(|failure| failure.seen(&request));
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            if let Some(gate) = gate {
                gate.wait().await;
                gate.wait().await;
            }
            if !before.is_zero() {
                tokio::time::sleep(before).await;
            }
            match seen {
                None => {
                    let answer = inner.call(request).await;
                    if !after.is_zero() {
                        tokio::time::sleep(after).await;
                    }
                    answer
                }
                Some(seen) => {
                    if is_after {
                        inner.call(request).await?;
                    }
                    seen
                }
            }
        })
    }
}
