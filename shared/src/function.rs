//! Runs the functions: each checks its settings, connects, and answers calls one by one.

mod event;

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use futures_util::future::{BoxFuture, LocalBoxFuture};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::{LambdaEvent, RequestExt as _, lambda_runtime, service_fn};
use regain_password::Hasher;
use serde::de::DeserializeOwned;

use crate::announce::{Announcer, TestEvent};
use crate::api::Protocol;
use crate::audit::AuditTrail;
use crate::audit::forward::{self, LogEvent};
use crate::edge::Edge;
use crate::locale::Locale;
use crate::mail::Delivery;
use crate::mail::events::{MailEvent, MailEvents};
use crate::metrics::Metric;
use crate::payload::{self, Invocation, Unreadable};
use crate::protocol::{Call, Failure, Malformed, Reply, failed, forbidden};
use crate::recovery::{Recovery, RecoveryError};
use crate::secrets::Secrets;
use crate::settings::{
    self, Deployment, MailSettings, SecretNames, Settings, SettingsError, stack_name,
};
use crate::store::Store;
use crate::stream::StreamBatch;
use crate::user_store::{UserFunction, UserStore};
use crate::users::{ImportRules, UserOperations};
use crate::{ambient, aws, metrics, telemetry, users};

/// How long an endpoint may take. Its function has 10 s, and the caller is to get an answer in the envelope
/// before that.
const DEADLINE: Duration = Duration::from_secs(9);

/// How long an endpoint may take whose users live elsewhere. Its function has [`TIMEOUT_ELSEWHERE`].
pub(crate) const DEADLINE_ELSEWHERE: Duration = Duration::from_secs(19);
/// The timeout in the template of the functions that ask a user store elsewhere, less than that of the gateway.
pub(crate) const TIMEOUT_ELSEWHERE: Duration = Duration::from_secs(20);

type Startup<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A function that runs. It is on the heap and has no type of its own. So it is compiled with this crate, for size, and
/// not with the function's.
pub type Running = LocalBoxFuture<'static, ExitCode>;

/// The code of an endpoint, without its type: a call becomes a reply.
type Endpoint = dyn Fn(Arc<Recovery>, Call) -> Answering + Send + Sync;
type Answering = BoxFuture<'static, Result<Reply, Failure>>;

/// Runs the function of one endpoint. Returns only if the function cannot start or go on. Wrong settings are
/// reported before its first call.
pub fn serve<F, A>(protocol: Protocol, endpoint: F) -> Running
where
    F: Fn(Arc<Recovery>, Call) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Reply, Failure>> + Send + 'static,
{
    let endpoint = move |recovery, call| -> Answering { Box::pin(endpoint(recovery, call)) };
    run_endpoint(protocol, Arc::new(endpoint))
}

/// [`serve`], in so far as it does not depend on the endpoint's type.
fn run_endpoint(protocol: Protocol, endpoint: Arc<Endpoint>) -> Running {
    Box::pin(async move {
        if let Err(error) = telemetry::init() {
            return stopped(&error);
        }
        let recovery = match recovery().await {
            Ok(recovery) => Arc::new(recovery),
            Err(error) => return stopped(&*error),
        };
        let edge = match settings::edge() {
            Ok(edge) => edge,
            Err(error) => return stopped(&error),
        };
        let edge = &edge;
        let language = recovery.settings().languages.of(protocol);
        let deadline = match recovery.settings().user_store {
            None => DEADLINE,
            Some(_) => DEADLINE_ELSEWHERE,
        };
        let trail = &audit();
        let answer = |invocation: Invocation| {
            let (recovery, endpoint) = (recovery.clone(), endpoint.clone());
            async move {
                let LambdaEvent { payload, context } = invocation;
                let answered = match payload::read(&payload, &["requestContext"]) {
                    Ok(Some(event)) => {
                        let endpoint = |call| endpoint(recovery, call);
                        let event = LambdaEvent::new(event, context);
                        Some(
                            answer(protocol, language, edge, trail, deadline, endpoint, event)
                                .await,
                        )
                    }
                    Ok(None) => None,
                    // What cannot be read shows no secret.
                    Err(_) if !edge.admits(|_| None) => Some(event::response(forbidden())),
                    Err(unreadable) => Some(refuse(protocol, language, unreadable, context)),
                };
                Ok::<_, lambda_http::Error>(answered)
            }
        };
        ended(lambda_runtime::run(service_fn(answer)).await)
    })
}

/// Runs the function that delivers mail. Returns only if it cannot start or go on.
#[must_use]
pub fn run_deliver_mail() -> Running {
    Box::pin(async {
        if let Err(error) = telemetry::init() {
            return stopped(&error);
        }
        let delivery = match delivery() {
            Ok(delivery) => delivery,
            Err(error) => return stopped(&*error),
        };
        let delivery = &delivery;
        let deliver = |invocation: Invocation| async move {
            let batch: StreamBatch = read(&invocation, &["Records"])?.unwrap_or_default();
            let mut rng = ambient::rng()?;
            let delivered = delivery.deliver_batch(batch, ambient::now, &mut rng).await;
            // After an error, the stream delivers the batch again, in halves.
            delivered.map_err(lambda_http::Error::from)
        };
        ended(lambda_runtime::run(service_fn(deliver)).await)
    })
}

/// Runs the function that tells other services of each password that was set. Returns only if it cannot start or go
/// on.
#[must_use]
pub fn run_announce() -> Running {
    Box::pin(async {
        if let Err(error) = telemetry::init() {
            return stopped(&error);
        }
        let announcer = match announcer() {
            Ok(announcer) => announcer,
            Err(error) => return stopped(&error),
        };
        let announcer = &announcer;
        let announce = |invocation: Invocation| async move {
            if let Some(TestEvent { wanted: true }) = read(&invocation, &["testEvent"])? {
                announcer.announce_test().await?;
            }
            let batch: StreamBatch = read(&invocation, &["Records"])?.unwrap_or_default();
            // After an error, the stream delivers the batch again, in halves.
            let result = announcer.announce_batch(batch).await;
            result.map_err(lambda_http::Error::from)
        };
        ended(lambda_runtime::run(service_fn(announce)).await)
    })
}

/// Runs the function by which services of the account create, change, delete and find users. Returns only if it cannot
/// start or go on.
#[must_use]
pub fn run_users() -> Running {
    Box::pin(async {
        if let Err(error) = telemetry::init() {
            return stopped(&error);
        }
        let operations = match user_operations() {
            Ok(operations) => operations,
            Err(error) => return stopped(&error),
        };
        let operations = &operations;
        let answer = |invocation: Invocation| async move {
            let request: users::Request = match read(&invocation, &["operation"]) {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(None),
                Err(unreadable) => return Ok(Some(users::Answer::unreadable(&unreadable))),
            };
            let mut rng = ambient::rng()?;
            // On the heap, as the use cases are.
            let answered = Box::pin(operations.answer(&request, ambient::now(), &mut rng)).await;
            answered.map(Some).map_err(|error| {
                tracing::error!(error = telemetry::causes(&error), "user operation failed");
                lambda_http::Error::from(error)
            })
        };
        ended(lambda_runtime::run(service_fn(answer)).await)
    })
}

/// Runs the function that handles SES's events. Returns only if it cannot start or go on.
#[must_use]
pub fn run_mail_events() -> Running {
    Box::pin(async {
        if let Err(error) = telemetry::init() {
            return stopped(&error);
        }
        let events = match mail_events() {
            Ok(events) => events,
            Err(error) => return stopped(&*error),
        };
        let events = &events;
        let handle = |invocation: Invocation| async move {
            let Some(event) = read::<MailEvent>(&invocation, &["aws.ses", "eventType"])? else {
                return Ok(());
            };
            let handled = events.handle(event, ambient::now()).await;
            // After an error, the event is delivered again, and in the end goes to the dead-letter queue.
            handled.map_err(|error| {
                tracing::error!(
                    error = telemetry::causes(&error),
                    "SES event failed, will be retried"
                );
                lambda_http::Error::from(error)
            })
        };
        ended(lambda_runtime::run(service_fn(handle)).await)
    })
}

/// Runs the function that keeps the audit trail. Returns only if it cannot start or go on.
#[must_use]
pub fn run_audit_trail() -> Running {
    Box::pin(async {
        if let Err(error) = telemetry::init() {
            return stopped(&error);
        }
        let stack = stack_name();
        let stack = stack.as_deref();
        let keep = |invocation: Invocation| async move {
            let Some(event) = read::<LogEvent>(&invocation, &["awslogs"])? else {
                return Ok(());
            };
            // After an error, the event is delivered again, and in the end goes to the dead-letter queue.
            forward::keep(&event, stack, std::io::stdout()).map_err(|error| {
                tracing::error!(
                    error = telemetry::causes(&error),
                    "audit records failed, will be retried"
                );
                lambda_http::Error::from(error)
            })
        };
        ended(lambda_runtime::run(service_fn(keep)).await)
    })
}

/// Reads an event for which no caller waits. An event that cannot be read is an error, so that it goes to the
/// dead-letter queue and is not lost.
fn read<T: DeserializeOwned>(
    invocation: &Invocation,
    marks: &[&str],
) -> Result<Option<T>, Unreadable> {
    payload::read(&invocation.payload, marks).inspect_err(|unreadable| {
        tracing::error!(error = %unreadable, "the event cannot be read");
    })
}

/// Answers an event that is a call but cannot be read. The answer is in the envelope, and the function has not
/// failed.
fn refuse(
    protocol: Protocol,
    language: Locale,
    unreadable: Unreadable,
    lambda: lambda_http::Context,
) -> ApiGatewayV2httpResponse {
    tracing::warn!(request = lambda.request_id, error = %unreadable, "the event cannot be read");
    let request = lambda_http::Request::default().with_lambda_context(lambda);
    let context = Call::reply_context(protocol, language, &request, ambient::now());
    event::response(failed(&Malformed::UNREADABLE.into(), &context))
}

/// Answers one event of API Gateway by an endpoint, in the envelope of its protocol. The language is
/// `language`, unless the caller asks for another that there is. With `EDGE_ONLY`, a request without the edge's
/// secret is refused. An endpoint that takes longer than `deadline` is cut off.
pub async fn answer<F, A>(
    protocol: Protocol,
    language: Locale,
    edge: &Edge,
    trail: &AuditTrail,
    deadline: Duration,
    endpoint: F,
    mut event: LambdaEvent<ApiGatewayV2httpRequest>,
) -> ApiGatewayV2httpResponse
where
    F: FnOnce(Call) -> A,
    A: Future<Output = Result<Reply, Failure>>,
{
    let ApiGatewayV2httpRequest {
        headers,
        request_context: gateway,
        ..
    } = &mut event.payload;
    let is_admitted = edge.admits(|name| headers.get(name)?.to_str().ok());
    let peer = gateway.http.source_ip.as_deref().unwrap_or_default();
    if let Ok(peer) = peer.parse() {
        gateway.http.source_ip = Some(edge.caller(headers, peer).to_string());
    }
    let request = event::request(event);
    if !is_admitted {
        let context = Call::reply_context(protocol, language, &request, ambient::now());
        return event::response(context.stamp(forbidden()));
    }
    event::response(reply(protocol, language, trail, deadline, endpoint, request).await)
}

async fn reply<F, A>(
    protocol: Protocol,
    language: Locale,
    trail: &AuditTrail,
    deadline: Duration,
    endpoint: F,
    request: lambda_http::Request,
) -> Reply
where
    F: FnOnce(Call) -> A,
    A: Future<Output = Result<Reply, Failure>>,
{
    let at = ambient::now();
    let (call, context) = match ambient::rng() {
        Ok(rng) => Call::new(protocol, language, request, at, rng, trail),
        Err(error) => {
            let context = Call::reply_context(protocol, language, &request, at);
            tracing::error!(
                request = context.request_id,
                error = %telemetry::causes(&error),
                "failed"
            );
            return failed(&RecoveryError::Unavailable(error.into()).into(), &context);
        }
    };
    let answer = tokio::time::timeout(deadline, endpoint(call.timed_by(ambient::now))).await;
    match answer.unwrap_or_else(|late| Err(RecoveryError::Unavailable(late.into()).into())) {
        Ok(reply) => logged(context.stamp(reply)),
        Err(failure) => {
            match &failure {
                Failure::Refused(RecoveryError::Throttled { .. }) => {
                    metrics::count(Metric::Throttled);
                }
                Failure::Refused(RecoveryError::GuessesSpent { .. }) => {
                    metrics::count(Metric::GuessesSpent);
                }
                Failure::Refused(
                    error @ (RecoveryError::Unavailable(_) | RecoveryError::Broken(_)),
                ) => {
                    tracing::error!(
                        request = context.request_id,
                        error = %telemetry::causes(error),
                        "failed"
                    );
                }
                Failure::Refused(_) | Failure::Malformed(_) => {}
            }
            tracing::debug!(request = context.request_id, reason = %failure, "refused");
            failed(&failure, &context)
        }
    }
}

fn logged(reply: Reply) -> Reply {
    tracing::debug!(status = reply.status().as_u16(), "answered");
    reply
}

async fn recovery() -> Startup<Recovery> {
    let settings = Settings::from_env()?;
    let deployment = Deployment::from_env()?;
    let names = SecretNames::from_env()?;
    let cost = settings.argon2;
    let hasher = Hasher::new(cost.memory_kib, cost.iterations, cost.parallelism)?;
    let config = aws::config();
    let (store, secrets) = (store(&config, deployment), secrets(&config, names));
    let users = user_store(&config, &store, &settings);
    let recovery = Recovery::new(store, secrets, settings, hasher).with_users(users);
    recovery.warm(ambient::now()).await;
    Ok(recovery)
}

fn delivery() -> Startup<Delivery> {
    let settings = Settings::from_env()?;
    let deployment = Deployment::from_env()?;
    let names = SecretNames::from_env()?;
    let mail = MailSettings::from_env()?;
    let config = aws::config();
    let (store, secrets) = (store(&config, deployment), secrets(&config, names));
    // A send without an answer may have succeeded, so SES gets as much time as possible.
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(aws::OPERATION)
        .operation_attempt_timeout(aws::OPERATION)
        .build();
    let ses = aws_sdk_sesv2::config::Builder::from(&config)
        .http_client(aws::fresh_connections())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .build();
    let users = user_store(&config, &store, &settings);
    let ses = aws_sdk_sesv2::Client::from_conf(ses);
    Ok(Delivery::new(store, secrets, ses, settings, mail, audit()).with_users(users))
}

fn mail_events() -> Startup<MailEvents> {
    let settings = Settings::from_env()?;
    let config = aws::config();
    let events = MailEvents::new(store(&config, Deployment::from_env()?), audit());
    Ok(match settings.user_store {
        None => events,
        Some(_) => events.with_users_elsewhere(secrets(&config, SecretNames::from_env()?)),
    })
}

fn announcer() -> Result<Announcer, SettingsError> {
    let deployment = Deployment::from_env()?;
    let bus = settings::event_bus()?;
    let config = aws::config();
    Ok(Announcer::new(store(&config, deployment), &config, bus))
}

fn user_operations() -> Result<UserOperations, SettingsError> {
    let settings = Settings::from_env()?;
    let deployment = Deployment::from_env()?;
    let store = store(&aws::config(), deployment);
    let operations = UserOperations::new(store, ImportRules::of(&settings));
    Ok(match settings.user_store {
        None => operations,
        Some(_) => operations.with_users_elsewhere(),
    })
}

fn audit() -> AuditTrail {
    AuditTrail::new(std::io::stdout())
}

fn store(config: &SdkConfig, deployment: Deployment) -> Store {
    if let Some(stack) = deployment.stack {
        metrics::init(stack);
    }
    Store::new(aws_sdk_dynamodb::Client::new(config), deployment.table)
}

/// Where the users are.
fn user_store(config: &SdkConfig, store: &Store, settings: &Settings) -> UserStore {
    match &settings.user_store {
        None => UserStore::Table(store.clone()),
        Some(elsewhere) => UserStore::Function(UserFunction::new(config, elsewhere)),
    }
}

fn secrets(config: &SdkConfig, names: SecretNames) -> Secrets {
    Secrets::new(config, names.index_key, names.code_key)
}

fn stopped(error: &(dyn Error + 'static)) -> ExitCode {
    let causes = telemetry::causes(error);
    tracing::error!(error = causes, "the function does not start");
    ExitCode::FAILURE
}

fn ended(result: Result<(), lambda_http::Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stopped(&*error),
    }
}
