//! The API Gateway: routes requests to functions, and answers requests without a route itself.

pub mod cors;
pub mod event;
pub mod listen;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use axum::response::IntoResponse;
use axum::{Json, Router};
use data_encoding::BASE64;
use http_body_util::BodyExt;
use regain::timestamp::Timestamp;
use serde_json::json;

use crate::console::say;
use crate::lambda::event_source::Waker;
use crate::lambda::pool::{Pool, PoolError};
use crate::random::Random;
use crate::template::{Cors, Route};

use event::{Context, event, response};

/// The largest body that API Gateway takes.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
/// How much of a larger body is read, so that its sender sees the answer.
const MOST_READ: usize = 64 * 1024 * 1024;

/// How much of a path is printed.
const LONGEST_PATH: usize = 200;

/// How the last part of a path is written that takes everything below a folder.
pub const GREEDY: &str = "{proxy+}";

const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// The gateway and what is behind it.
#[derive(Debug)]
pub struct Gateway {
    paths: HashMap<String, Vec<(Method, Route, Pool)>>,
    cors: Option<Cors>,
    random: Random,
    waker: Waker,
    quiet: bool,
}

impl Gateway {
    /// A gateway for `routes`, each with the pool of its function. It wakes the mappings of the table's
    /// stream after each call that a function answered.
    #[must_use]
    pub fn new(
        routes: impl IntoIterator<Item = (Route, Pool)>,
        cors: Option<Cors>,
        random: Random,
        waker: Waker,
    ) -> Self {
        let mut paths = HashMap::<_, Vec<_>>::new();
        for (route, pool) in routes {
            if let Ok(method) = Method::from_bytes(route.method.as_bytes()) {
                paths
                    .entry(route.path.clone())
                    .or_default()
                    .push((method, route, pool));
            }
        }
        Self {
            paths,
            cors,
            random,
            waker,
            quiet: false,
        }
    }

    /// Sets whether the lines for calls are left out.
    #[must_use]
    pub fn quiet(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    /// A router whose requests all go to the gateway.
    pub fn into_router(self) -> Router {
        Router::new().fallback(handle).with_state(Arc::new(self))
    }

    async fn answer(&self, peer: SocketAddr, request: Request) -> Response<Body> {
        let request_id = BASE64.encode(&self.random.bytes::<11>());
        let (parts, body) = request.into_parts();
        let mut answered = match &self.cors {
            Some(cors) if parts.method == Method::OPTIONS => cors.preflight(&parts.headers),
            _ => {
                let forwarded = self.forward(&parts, body, peer, &request_id).await;
                forwarded.unwrap_or_else(|refused| refused)
            }
        };
        let headers = answered.headers_mut();
        if let (Some(cors), true) = (&self.cors, parts.method != Method::OPTIONS) {
            cors.apply(&parts.headers, headers);
        }
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert(REQUEST_ID, id);
        }
        answered
    }

    /// The function's answer, or an answer of the gateway's own.
    async fn forward(
        &self,
        parts: &Parts,
        body: Body,
        peer: SocketAddr,
        request_id: &str,
    ) -> Result<Response<Body>, Response<Body>> {
        let (route, pool) = self
            .route(parts.uri.path(), &parts.method)
            .ok_or_else(|| plain(StatusCode::NOT_FOUND, "Not Found"))?;
        let body = read(body).await?;
        let context = Context {
            request_id,
            peer,
            at: regain::ambient::now(),
        };
        let event = event(parts, &body, route, context).map_err(|_| internal_error())?;
        let answer = pool.invoke(event).await;
        self.waker.wake();
        match answer {
            Ok(answer) => response(&answer).ok_or_else(internal_error),
            Err(PoolError::TimedOut(_)) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Err(plain(status, "Service Unavailable"))
            }
            Err(PoolError::Function(_) | PoolError::Failed(_)) => Err(internal_error()),
        }
    }

    fn route(&self, path: &str, method: &Method) -> Option<(&Route, &Pool)> {
        let routed = |path: &str| {
            let routes = self.paths.get(path)?;
            let (_, route, pool) = routes.iter().find(|(routed, ..)| routed == method)?;
            Some((route, pool))
        };
        routed(path).or_else(|| {
            // Of several greedy routes the most specific one takes the request, which has the longest path.
            let slashes = path.rmatch_indices('/');
            let mut folders = slashes.filter(|(at, _)| at + 1 < path.len());
            folders.find_map(|(at, _)| routed(&format!("{}/{GREEDY}", path.get(..at)?)))
        })
    }
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    if gateway.quiet {
        return gateway.answer(peer, request).await;
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let at = regain::ambient::now();
    let answer = gateway.answer(peer, request).await;
    let took = regain::ambient::now().since(at);
    say(call_line(&method, uri.path(), answer.status(), at, took));
    answer
}

/// The line that is printed for a call. It holds no query, header, body or address.
fn call_line(
    method: &Method,
    path: &str,
    status: StatusCode,
    at: Timestamp,
    took: Duration,
) -> String {
    let clock = at.rfc3339();
    let clock = clock.get(11..19).unwrap_or_default();
    // Control characters are escaped, because a terminal would obey them.
    let path: String = path
        .chars()
        .take(LONGEST_PATH)
        .flat_map(char::escape_debug)
        .collect();
    let status = status.as_u16();
    format!("{clock} {method} {path} {status} {} ms", took.as_millis())
}

fn internal_error() -> Response<Body> {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn plain(status: StatusCode, message: &str) -> Response<Body> {
    (status, Json(json!({"message": message}))).into_response()
}

/// Reads the whole body.
///
/// # Errors
/// The answer to a body that is too large or incomplete.
async fn read(mut body: Body) -> Result<Bytes, Response<Body>> {
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| plain(StatusCode::BAD_REQUEST, "Bad Request"))?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        length += chunk.len();
        if length <= LARGEST_BODY {
            kept.extend_from_slice(&chunk);
        } else if length > MOST_READ {
            break;
        }
    }
    if length > LARGEST_BODY {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(plain(status, "Request Entity Too Large"));
    }
    Ok(kept.into())
}
