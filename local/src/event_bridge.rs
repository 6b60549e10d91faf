//! The EventBridge stand-in: takes events by `PutEvents`, keeps them for `/_events.json`, and passes them to the bus.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use regain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lambda::bus::Bus;
use crate::random::Random;
use crate::template::{ACCOUNT, REGION};

/// The most events that are kept. The oldest go first.
const MOST_EVENTS: usize = 1000;
/// The most events that `PutEvents` takes at once.
const MOST_ENTRIES: usize = 10;

/// An event that was published.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PublishedEvent {
    source: String,
    detail_type: String,
    detail: Value,
    time: String,
}

/// The stand-in. Clones share their events.
#[derive(Clone, Debug)]
pub struct EventBridge {
    bus: Bus,
    random: Random,
    events: Arc<Mutex<VecDeque<PublishedEvent>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    /// Seconds since the Unix epoch.
    time: Option<f64>,
}

impl EventBridge {
    /// A stand-in that passes events to this bus.
    #[must_use]
    pub fn new(bus: Bus, random: Random) -> Self {
        Self {
            bus,
            random,
            events: Arc::default(),
        }
    }

    /// The interface of EventBridge: JSON 1.1.
    pub fn into_router(self) -> Router {
        Router::new().route("/", post(put_events)).with_state(self)
    }

    /// The page that shows the events: `GET /_events.json`.
    pub fn page(&self) -> Router {
        let events = get(async |State(events): State<Self>| {
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            (no_store, Json(events.newest_first()))
        });
        let nothing = async || (StatusCode::NOT_FOUND, Json(json!({"message": "Not Found"})));
        Router::new()
            .route("/_events.json", events.fallback(nothing))
            .with_state(self.clone())
    }

    /// The events, newest first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<PublishedEvent> {
        self.lock().iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<PublishedEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts an event, or answers why not.
    fn put(&self, entry: Entry) -> Value {
        let (Some(source), Some(detail_type), Some(detail)) =
            (entry.source, entry.detail_type, entry.detail)
        else {
            return refused(
                "InvalidArgument",
                "Source, DetailType and Detail are needed",
            );
        };
        let Ok(detail @ Value::Object(_)) = serde_json::from_str(&detail) else {
            return refused("MalformedDetail", "Detail is malformed.");
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time in this age fits, and another is cut off"
        )]
        let at = entry.time.map_or_else(regain::ambient::now, |seconds| {
            Timestamp::from_millis((seconds * 1000.0).round() as i64)
        });
        let (id, time) = (self.random.uuid().to_string(), at.rfc3339());
        self.bus.put(&json!({
            "version": "0",
            "id": id,
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": time,
            "region": REGION,
            "resources": [],
            "detail": detail,
        }));
        let mut events = self.lock();
        if events.len() >= MOST_EVENTS {
            events.pop_front();
        }
        events.push_back(PublishedEvent {
            source,
            detail_type,
            detail,
            time,
        });
        json!({ "EventId": id })
    }
}

fn refused(code: &str, message: &str) -> Value {
    json!({ "ErrorCode": code, "ErrorMessage": message })
}

async fn put_events(
    State(events): State<EventBridge>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target = headers.get("x-amz-target").map(HeaderValue::as_bytes);
    if target != Some(b"AWSEvents.PutEvents") {
        return error("UnknownOperationException");
    }
    let Ok(PutEvents { entries }) = serde_json::from_str(&body) else {
        return error("SerializationException");
    };
    if !(1..=MOST_ENTRIES).contains(&entries.len()) {
        return error("ValidationException");
    }
    let answers: Vec<_> = entries.into_iter().map(|it| events.put(it)).collect();
    let failed = answers.iter().filter(|it| it.get("ErrorCode").is_some());
    Json(json!({ "FailedEntryCount": failed.count(), "Entries": answers })).into_response()
}

fn error(kind: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "__type": kind }))).into_response()
}
