//! The Lambda Runtime API (2018-06-01) of one instance.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use regain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot, watch};

/// The largest answer Lambda takes from a function, with room for the envelope.
const LARGEST_ANSWER: usize = 7 * 1024 * 1024;

/// One event for the function.
#[derive(Debug)]
pub struct Invocation {
    /// The request id.
    pub id: String,
    /// The event, as JSON.
    pub event: Bytes,
    /// When the process is ended if it has not answered.
    pub deadline: Timestamp,
    /// The function's own ARN.
    pub function_arn: String,
    /// The X-Ray trace header.
    pub trace_id: String,
}

/// The error that a function reported.
#[derive(Clone, Debug, Deserialize, Error, Serialize)]
#[serde(rename_all = "camelCase")]
#[error("{error_type}: {error_message}")]
pub struct FunctionFailure {
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error_message: String,
}

type Answer = Result<Bytes, FunctionFailure>;

/// What one instance is doing.
#[derive(Debug)]
pub struct RuntimeApi {
    work: Mutex<Work>,
    given: Notify,
    polled: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Work {
    waiting: Option<(Invocation, oneshot::Sender<Answer>)>,
    running: Option<(String, oneshot::Sender<Answer>)>,
    untouched: bool,
    closed: bool,
    init_failure: Option<FunctionFailure>,
}

impl RuntimeApi {
    /// A Runtime API, and a view of whether its function has asked for an event yet.
    #[must_use]
    pub fn new() -> (Arc<Self>, watch::Receiver<bool>) {
        let (polled, first_poll) = watch::channel(false);
        let api = Self {
            work: Mutex::default(),
            given: Notify::new(),
            polled,
        };
        (Arc::new(api), first_poll)
    }

    /// Serves until it is aborted.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(LARGEST_ANSWER))
            .with_state(self);
        // The listener is this instance's own. If it breaks, the process ends, too.
        let _ = axum::serve(listener, app).await;
    }

    /// Hands over an invocation. The channel of its answer closes when the process ends.
    pub fn give(&self, invocation: Invocation) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        let mut work = self.work();
        work.untouched = true;
        if !work.closed {
            work.waiting = Some((invocation, sender));
        }
        drop(work);
        self.given.notify_one();
        receiver
    }

    /// Whether the last invocation given was never fetched.
    pub fn is_untouched(&self) -> bool {
        self.work().untouched
    }

    /// The error of a function that could not start.
    pub fn init_failure(&self) -> Option<FunctionFailure> {
        self.work().init_failure.clone()
    }

    /// The process has ended: nobody answers any more.
    pub fn close(&self) {
        let mut work = self.work();
        work.closed = true;
        work.waiting = None;
        work.running = None;
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Invocation {
        self.polled.send_replace(true);
        loop {
            let taken = self.take();
            if let Some(invocation) = taken {
                return invocation;
            }
            self.given.notified().await;
        }
    }

    fn take(&self) -> Option<Invocation> {
        let mut work = self.work();
        let (invocation, answer) = work.waiting.take()?;
        work.running = Some((invocation.id.clone(), answer));
        work.untouched = false;
        Some(invocation)
    }

    fn answer(&self, id: &str, answer: Answer) -> Response {
        let mut work = self.work();
        let running = work.running.take_if(|(running, _)| running == id);
        drop(work);
        let Some((_, sender)) = running else {
            let body = json!({
                "errorType": "InvalidRequestID",
                "errorMessage": "Invalid request ID",
            });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        };
        // After a timeout nobody waits, and the process is being ended.
        let _ = sender.send(answer);
        accepted()
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    let invocation = api.next().await;
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.id),
        (
            "lambda-runtime-deadline-ms",
            invocation.deadline.millis().to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            invocation.function_arn,
        ),
        ("lambda-runtime-trace-id", invocation.trace_id),
    ];
    let mut response = invocation.event.into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    api.answer(&id, Ok(body))
}

async fn error(
    State(api): State<Arc<RuntimeApi>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    api.answer(&id, Err(failure(&body)))
}

async fn init_error(State(api): State<Arc<RuntimeApi>>, body: Bytes) -> Response {
    api.work().init_failure = Some(failure(&body));
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn failure(body: &[u8]) -> FunctionFailure {
    serde_json::from_slice(body).unwrap_or_else(|_| FunctionFailure {
        error_type: "Unknown".to_owned(),
        error_message: String::from_utf8_lossy(body).into_owned(),
    })
}
