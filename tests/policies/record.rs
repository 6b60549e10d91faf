//! Records the calls of the functions to AWS.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::response::{IntoResponse, Response};
use local::gateway::listen::StandInListeners;
use local::lambda::program::Program;
use serde_json::Value as Json;

use testkit::fake_user_store::FakeUserStore;
use testkit::fixture::Fixture;
use testkit::fixture_stack::{FixtureStack, template_with};

use super::elsewhere;
use super::{USER_STORE_ARN, USER_STORE_SETTING};

/// The start of the variables that name a service's endpoint to the AWS SDK.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_";

/// A call that a function made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The function's name.
    pub(crate) function: String,
    /// The service, by the name that the AWS SDK's settings have for it.
    pub(crate) service: String,
    /// What `X-Amz-Target` says, else method and path.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: Json,
}

/// The way from one function to one service.
#[derive(Clone)]
struct Line {
    function: String,
    service: String,
    upstream: String,
    http: reqwest::Client,
    calls: Calls,
}

/// Settings under which the third call about an address needs what is kept for known networks.
const TIGHT: [(&str, &str); 3] = [
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("EMAIL_REQUESTS_PER_HOUR", "3"),
    ("ACCOUNT_GUESSES_PER_DAY", "3"),
];

/// The calls that functions have made so far. Clones share them.
type Calls = Arc<Mutex<Vec<Call>>>;

/// Gives every fixture to its function, and returns the calls that the functions made. Then does the same three
/// times under tight limits.
pub(crate) async fn every_fixture() -> Vec<Call> {
    let calls = Calls::default();
    let running = FixtureStack::start(|program| follow(program, &calls)).await;
    running.answers(&Fixture::all()).await;
    let running = FixtureStack::start(|program| follow(tightened(program), &calls)).await;
    running.answers(&thrice()).await;
    std::mem::take(&mut *calls.lock().unwrap())
}

/// Does the same on a stack whose users live elsewhere, and has people recover there in every way.
pub(crate) async fn every_fixture_and_recovery_elsewhere() -> Vec<Call> {
    let calls = Calls::default();
    let store = FakeUserStore::serve().await;
    let stack = || template_with(&[(USER_STORE_SETTING, USER_STORE_ARN)]);
    let start =
        FixtureStack::start_stack(stack(), store.endpoint(), |program| follow(program, &calls));
    let running = start.await;
    elsewhere::recover_in_every_way(&running, &store).await;
    running.answers(&Fixture::all()).await;
    let start = FixtureStack::start_stack(stack(), store.endpoint(), |program| {
        follow(tightened(program), &calls)
    });
    start.await.answers(&thrice()).await;
    std::mem::take(&mut *calls.lock().unwrap())
}

fn tightened(mut program: Program) -> Program {
    for (variable, value) in &mut program.environment {
        if let Some((_, tight)) = TIGHT.iter().find(|(name, _)| name == variable) {
            (*tight).clone_into(value);
        }
    }
    program
}

fn thrice() -> Vec<Fixture> {
    (0..3).flat_map(|_| Fixture::all()).collect()
}

/// The program, with a recording proxy of its own in front of each service.
fn follow(mut program: Program, calls: &Calls) -> Program {
    for (variable, url) in &mut program.environment {
        if let Some(service) = variable.strip_prefix(ENDPOINT) {
            let line = Line {
                function: program.name.clone(),
                service: service.to_owned(),
                upstream: url.clone(),
                http: reqwest::Client::new(),
                calls: Arc::clone(calls),
            };
            *url = line.open();
        }
    }
    program
}

impl Line {
    /// Opens the line, and returns where.
    fn open(self) -> String {
        let listeners = StandInListeners::bind(0, "a free port", None).unwrap();
        let url = listeners.url();
        let app = Router::new().fallback(carry).with_state(self);
        tokio::spawn(async move { axum::serve(listeners.loopback, app).await });
        url
    }
}

async fn carry(State(line): State<Line>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let target = parts.headers.get("x-amz-target");
    line.calls.lock().unwrap().push(Call {
        function: line.function.clone(),
        service: line.service.clone(),
        operation: match target {
            Some(target) => target.to_str().unwrap().to_owned(),
            None => format!("{} {}", parts.method, parts.uri.path()),
        },
        body: serde_json::from_slice(&body).unwrap(),
    });
    parts.headers.remove(HOST);
    let sent = line
        .http
        .request(parts.method, format!("{}{}", line.upstream, parts.uri))
        .headers(parts.headers)
        .body(body)
        .send();
    let answer = sent.await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    (status, headers, answer.bytes().await.unwrap()).into_response()
}
