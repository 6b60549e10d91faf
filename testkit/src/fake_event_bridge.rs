//! A stand-in for EventBridge that takes events, and answers as a test wants it to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::aws::{config, serve};

/// How EventBridge answers a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventsAnswer {
    /// Takes the events at these places only.
    Only(Vec<usize>),
    /// Fails with that status and type, and takes none.
    Failure(u16, &'static str),
    /// Takes all, and says so of none.
    TooShort,
    /// Takes all, and never answers.
    Silence,
}

#[derive(Debug, Default)]
struct Inbox {
    /// The events that were taken.
    taken: Vec<Value>,
    /// How many events each call had.
    calls: Vec<usize>,
    /// The next answers. After them, every event is accepted.
    answers: VecDeque<EventsAnswer>,
}

/// The stand-in. Clones share its events.
#[derive(Clone, Debug)]
pub struct FakeEventBridge {
    inbox: Arc<Mutex<Inbox>>,
    endpoint: String,
}

impl FakeEventBridge {
    /// Serves it.
    pub async fn serve() -> Self {
        let inbox: Arc<Mutex<Inbox>> = Arc::default();
        let app = Router::new().fallback(put_events).with_state(inbox.clone());
        let endpoint = serve(app).await;
        Self { inbox, endpoint }
    }

    /// The configuration of a client, which is quick to try again and to give up.
    pub fn config(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(3))
            .build();
        config(&self.endpoint).timeout_config(timeouts).build()
    }

    /// Sets the next answers.
    pub fn answer(&self, answer: EventsAnswer) {
        self.inbox().answers.push_back(answer);
    }

    /// All events that were taken, in order.
    pub fn taken(&self) -> Vec<Value> {
        self.inbox().taken.clone()
    }

    /// How many events each call had.
    pub fn calls(&self) -> Vec<usize> {
        self.inbox().calls.clone()
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn put_events(
    State(inbox): State<Arc<Mutex<Inbox>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(headers["x-amz-target"], "AWSEvents.PutEvents");
    let body: Value = serde_json::from_slice(&body).unwrap();
    let entries = body["Entries"].as_array().unwrap().clone();
    let answer = {
        let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.calls.push(entries.len());
        let answer = inbox.answers.pop_front();
        let is_taken = |place: usize| match &answer {
            Some(EventsAnswer::Only(places)) => places.contains(&place),
            Some(EventsAnswer::Failure(..)) => false,
            None | Some(EventsAnswer::TooShort | EventsAnswer::Silence) => true,
        };
        let taken = entries.iter().enumerate();
        let taken = taken.filter(|(place, _)| is_taken(*place));
        let taken: Vec<_> = taken.map(|(_, entry)| entry.clone()).collect();
        inbox.taken.extend(taken);
        answer
    };
    let accept = |is_taken: &dyn Fn(usize) -> bool| {
        let answers = (0..entries.len()).map(|place| {
            if is_taken(place) {
                json!({ "EventId": format!("event-{place}") })
            } else {
                json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "failed" })
            }
        });
        let answers: Vec<_> = answers.collect();
        let failed = (0..entries.len()).filter(|place| !is_taken(*place)).count();
        json!({ "FailedEntryCount": failed, "Entries": answers })
    };
    match answer {
        None => accept(&|_| true).to_string().into_response(),
        Some(EventsAnswer::Only(places)) => accept(&|place| places.contains(&place))
            .to_string()
            .into_response(),
        Some(EventsAnswer::TooShort) => json!({ "FailedEntryCount": 0, "Entries": [] })
            .to_string()
            .into_response(),
        Some(EventsAnswer::Failure(status, kind)) => (
            StatusCode::from_u16(status).unwrap(),
            json!({ "__type": kind, "message": "refused" }).to_string(),
        )
            .into_response(),
        Some(EventsAnswer::Silence) => std::future::pending().await,
    }
}
