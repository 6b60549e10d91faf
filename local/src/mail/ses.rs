//! The SES stand-in (API v2): renders the mails from the stack's templates, and keeps them.

mod events;
mod rendering;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::console::say;
use crate::lambda::bus::Bus;
use crate::mail::store::MailStore;
use crate::random::Random;
use crate::template::{ConfigurationSets, MailTemplate};

use events::{Accepted, Outcome};
use rendering::{Compiled, Content};
use wire::{SendEmail, TemplateContent, WireSuppressed, WireTemplate};

/// A template that cannot be compiled.
#[derive(Debug, Error)]
#[error("the mail template {name} does not compile: {problem}")]
pub struct TemplateError {
    name: String,
    problem: String,
}

/// The stand-in. Clones share their templates.
#[derive(Clone)]
pub struct Ses(Arc<Inner>);

struct Inner {
    templates: RwLock<BTreeMap<String, Arc<Compiled>>>,
    configuration_sets: ConfigurationSets,
    mails: MailStore,
    bus: Bus,
    random: Random,
    /// The account's suppression list: addresses in lower case, and why they are on it.
    suppressed: RwLock<BTreeMap<String, String>>,
}

/// An error as SES answers it: its status, type and message.
type SesError = (StatusCode, &'static str, String);

impl Ses {
    /// A stand-in with the stack's templates.
    ///
    /// # Errors
    /// When a template does not compile.
    pub fn new(
        templates: &[MailTemplate],
        configuration_sets: ConfigurationSets,
        mails: MailStore,
        bus: Bus,
        random: Random,
    ) -> Result<Self, TemplateError> {
        let compiled = templates.iter().map(|template| {
            let name = template.name.clone();
            match Compiled::new(template.clone()) {
                Ok(compiled) => Ok((name, Arc::new(compiled))),
                Err(problem) => Err(TemplateError { name, problem }),
            }
        });
        let templates = RwLock::new(compiled.collect::<Result<_, _>>()?);
        Ok(Self(Arc::new(Inner {
            templates,
            configuration_sets,
            mails,
            bus,
            random,
            suppressed: RwLock::default(),
        })))
    }

    /// The HTTP interface: REST with JSON.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/v2/email/outbound-emails", post(send_email))
            .route(
                "/v2/email/templates/{name}",
                get(get_template).put(update_template),
            )
            .route("/v2/email/suppression/addresses", put(put_suppressed))
            .route(
                "/v2/email/suppression/addresses/{address}",
                get(get_suppressed).delete(delete_suppressed),
            )
            .with_state(self)
    }

    fn suppressed<T>(&self, look: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        let list = self.0.suppressed.write();
        look(&mut list.unwrap_or_else(PoisonError::into_inner))
    }

    fn template(&self, name: &str) -> Result<Arc<Compiled>, SesError> {
        let templates = self
            .0
            .templates
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let found = templates.get(name).cloned();
        found.ok_or_else(|| not_found(&format!("Template {name} does not exist")))
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Arc<Compiled>>) -> T) -> T {
        change(
            &mut self
                .0
                .templates
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn send(&self, request: SendEmail) -> Result<Value, SesError> {
        let from = request
            .from_email_address
            .filter(|from| from.contains('@'))
            .ok_or_else(|| bad_request("FromEmailAddress is missing or no address"))?;
        let recipients = request.destination.to_addresses;
        if recipients.is_empty() || recipients.iter().any(|address| !address.contains('@')) {
            return Err(bad_request(
                "Destination has no recipient, or one that is no address",
            ));
        }
        let set = request.configuration_set_name;
        if let Some(name) = &set
            && !self.0.configuration_sets.contains_key(name)
        {
            return Err(not_found(&format!(
                "Configuration set {name} does not exist"
            )));
        }
        if request.email_tags.iter().any(|tag| !tag.is_valid()) {
            return Err(bad_request(
                "EmailTags may have letters, digits, _ and - only, 256 at most",
            ));
        }
        let tags: Vec<_> = request
            .email_tags
            .into_iter()
            .map(|tag| (tag.name, tag.value))
            .collect();
        let template = request.content.template.template_name.clone();
        let content = self.render(request.content.template)?;
        let message_id = format!("{}-000000", self.0.random.uuid());
        let at = regain::ambient::now().rfc3339();
        for to in recipients {
            let outcome = match &content {
                Ok(_) if self.suppressed(|list| list.contains_key(&to.to_ascii_lowercase())) => {
                    Outcome::SUPPRESSED
                }
                Ok(_) => Outcome::of(&to),
                Err(_) => Outcome::NotRendered,
            };
            match &content {
                Ok(content) if outcome.arrives() => {
                    let mail = content.addressed(&to, &from, &at);
                    self.0.mails.keep(mail).map_err(|it| not_kept(&it))?;
                }
                Ok(_) => {
                    say("[ses] NOT DELIVERED: a mail bounced".to_owned());
                }
                // SES accepts such a mail, and reports the failure in an event.
                Err(problem) => say(format!("[ses] NOT DELIVERED: Rendering Failure: {problem}")),
            }
            let accepted = Accepted {
                configuration_set: set.as_deref().unwrap_or_default(),
                from: &from,
                to: &to,
                message_id: &message_id,
                template: &template,
                tags: &tags,
                at: &at,
            };
            self.publish(&accepted, &outcome);
        }
        Ok(json!({"MessageId": message_id}))
    }

    /// Publishes what happened to a mail on the event bus, if its configuration set asks for such events.
    fn publish(&self, mail: &Accepted<'_>, outcome: &Outcome) {
        let types = self.0.configuration_sets.get(mail.configuration_set);
        let is_wanted = |kind: &str| types.is_some_and(|types| types.contains(kind));
        if let Some(event) = mail.event(outcome, is_wanted, &self.0.random) {
            self.0.bus.put(&event);
        }
    }

    /// Renders a mail. The inner error says why it cannot be rendered.
    fn render(&self, content: TemplateContent) -> Result<Result<Content, String>, SesError> {
        let template = self.template(&content.template_name)?;
        let data = content.template_data.unwrap_or_else(|| "{}".to_owned());
        let data = serde_json::from_str::<serde_json::Map<String, Value>>(&data)
            .map_err(|_| bad_request("TemplateData is no JSON object"))?;
        Ok(template.render(&Value::Object(data)))
    }
}

async fn send_email(State(ses): State<Ses>, body: String) -> Response {
    let sent = match parse(&body) {
        Ok(request) => tokio::task::spawn_blocking(move || ses.send(request))
            .await
            .unwrap_or_else(|error| Err(bad_request(&error.to_string()))),
        Err(refusal) => Err(refusal),
    };
    reply(sent)
}

async fn get_template(State(ses): State<Ses>, Path(name): Path<String>) -> Response {
    reply(
        ses.template(&name)
            .map(|found| json!(WireTemplate::from(&found.template))),
    )
}

async fn update_template(
    State(ses): State<Ses>,
    Path(name): Path<String>,
    body: String,
) -> Response {
    let changed = parse::<WireTemplate>(&body)
        .map(|wire| WireTemplate {
            template_name: name,
            ..wire
        })
        .and_then(compile)
        .and_then(|(name, template)| {
            ses.template(&name)?;
            ses.change(|templates| templates.insert(name, template));
            Ok(json!({}))
        });
    reply(changed)
}

async fn put_suppressed(State(ses): State<Ses>, body: String) -> Response {
    let put = parse::<WireSuppressed>(&body).map(|wire| {
        let address = wire.email_address.to_ascii_lowercase();
        ses.suppressed(|list| list.insert(address, wire.reason));
        json!({})
    });
    reply(put)
}

async fn get_suppressed(State(ses): State<Ses>, Path(address): Path<String>) -> Response {
    let reason = ses.suppressed(|list| list.get(&address.to_ascii_lowercase()).cloned());
    reply(match reason {
        Some(reason) => Ok(json!({"SuppressedDestination": {
            "EmailAddress": address,
            "Reason": reason,
        }})),
        None => Err(not_suppressed()),
    })
}

async fn delete_suppressed(State(ses): State<Ses>, Path(address): Path<String>) -> Response {
    let removed = ses.suppressed(|list| list.remove(&address.to_ascii_lowercase()));
    reply(removed.map(|_| json!({})).ok_or_else(not_suppressed))
}

fn not_suppressed() -> SesError {
    not_found("Email address does not exist on your suppression list.")
}

fn compile(wire: WireTemplate) -> Result<(String, Arc<Compiled>), SesError> {
    let template = MailTemplate::from(wire);
    let name = template.name.clone();
    let compiled = Compiled::new(template).map_err(|problem| bad_request(&problem))?;
    Ok((name, Arc::new(compiled)))
}

fn parse<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, SesError> {
    serde_json::from_str(body).map_err(|error| bad_request(&error.to_string()))
}

fn reply(answer: Result<Value, SesError>) -> Response {
    match answer {
        Ok(body) => Json(body).into_response(),
        Err((status, kind, message)) => {
            let kind = [(HeaderName::from_static("x-amzn-errortype"), kind)];
            (status, kind, Json(json!({"message": message}))).into_response()
        }
    }
}

fn not_kept(error: &std::io::Error) -> SesError {
    say(format!("[ses] the mail cannot be kept: {error}"));
    let message = "the mail cannot be kept".to_owned();
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalServiceErrorException",
        message,
    )
}

fn not_found(message: &str) -> SesError {
    (
        StatusCode::NOT_FOUND,
        "NotFoundException",
        message.to_owned(),
    )
}

fn bad_request(message: &str) -> SesError {
    (
        StatusCode::BAD_REQUEST,
        "BadRequestException",
        message.to_owned(),
    )
}

#[cfg(test)]
mod tests;
