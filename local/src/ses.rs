//! The SES stand-in (API v2): renders the stack's templates and keeps the mail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use handlebars::{Handlebars, no_escape};
use regain::locale::Locale;
use regain::template::Template;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::console::say;
use crate::mail_store::{Mail, MailStore};
use crate::random::Random;
use crate::template::{MailTemplate, STACK_NAME};

/// Handlebars helpers that SES does not have.
const NOT_IN_SES: [&str; 11] = [
    "raw", "len", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not",
];

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
    configuration_sets: BTreeSet<String>,
    mails: MailStore,
    random: Random,
}

/// An error as SES words it: its status, type and message.
type Refusal = (StatusCode, &'static str, String);

impl Ses {
    /// With the stack's templates, each of which has to compile.
    ///
    /// # Errors
    /// The first template that does not compile.
    pub fn new(
        templates: &[MailTemplate],
        configuration_sets: BTreeSet<String>,
        mails: MailStore,
        random: Random,
    ) -> Result<Self, TemplateError> {
        let compiled = templates.iter().map(|template| {
            let name = template.name.clone();
            let compiled = Compiled::new(template.clone()).map_err(|problem| TemplateError {
                name: name.clone(),
                problem,
            })?;
            Ok((name, Arc::new(compiled)))
        });
        let templates = RwLock::new(compiled.collect::<Result<_, _>>()?);
        Ok(Self(Arc::new(Inner {
            templates,
            configuration_sets,
            mails,
            random,
        })))
    }

    /// The HTTP interface: REST with JSON.
    #[must_use]
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/v2/email/outbound-emails", post(send_email))
            .route(
                "/v2/email/templates",
                post(create_template).get(list_templates),
            )
            .route(
                "/v2/email/templates/{name}",
                get(get_template)
                    .put(update_template)
                    .delete(delete_template),
            )
            .with_state(self)
    }

    fn template(&self, name: &str) -> Result<Arc<Compiled>, Refusal> {
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

    fn send(&self, request: SendEmail) -> Result<Value, Refusal> {
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
        if let Some(name) = request.configuration_set_name
            && !self.0.configuration_sets.contains(&name)
        {
            return Err(not_found(&format!(
                "Configuration set {name} does not exist"
            )));
        }
        let content = match (request.content.template, request.content.simple) {
            (Some(content), None) => self.from_template(content)?,
            (None, Some(content)) => Ok(content.into()),
            _ => {
                return Err(bad_request(
                    "Content needs either a Template or a Simple message",
                ));
            }
        };
        let message_id = format!("{}-000000", self.0.random.uuid());
        match content {
            Ok(content) => {
                let sent_at = regain::ambient::now().rfc3339();
                for to in recipients {
                    let mail = content.addressed(&to, &from, &sent_at);
                    self.0.mails.keep(mail).map_err(|error| {
                        say(format!("[ses] the mail cannot be kept: {error}"));
                        let status = StatusCode::INTERNAL_SERVER_ERROR;
                        (
                            status,
                            "InternalServiceErrorException",
                            "the mail is not kept".to_owned(),
                        )
                    })?;
                }
            }
            // Real SES has answered by now, and tells of this in an event.
            Err(problem) => say(format!("[ses] NOT DELIVERED: Rendering Failure: {problem}")),
        }
        Ok(json!({"MessageId": message_id}))
    }

    /// The mail, or why it cannot be rendered.
    fn from_template(&self, content: TemplateContent) -> Result<Result<Content, String>, Refusal> {
        let template = self.template(&content.template_name)?;
        let data = content.template_data.unwrap_or_else(|| "{}".to_owned());
        let data = serde_json::from_str::<serde_json::Map<String, Value>>(&data)
            .map_err(|_| bad_request("TemplateData is no JSON object"))?;
        Ok(template.render(&Value::Object(data)))
    }
}

/// A template, parsed once.
struct Compiled {
    template: MailTemplate,
    engine: Handlebars<'static>,
}

const SUBJECT: &str = "subject";
const TEXT: &str = "text";
const HTML: &str = "html";

impl Compiled {
    fn new(template: MailTemplate) -> Result<Self, String> {
        if template.name.is_empty() {
            return Err("TemplateName is missing".to_owned());
        }
        let mut engine = engine();
        let parts = [
            (SUBJECT, &template.subject),
            (TEXT, &template.text),
            (HTML, &template.html),
        ];
        for (name, part) in parts {
            engine
                .register_template_string(name, part)
                .map_err(|error| format!("{name}: {}", error.reason()))?;
        }
        Ok(Self { template, engine })
    }

    /// The mail's parts. The reason why not names the variable, never a value.
    fn render(&self, data: &Value) -> Result<Content, String> {
        let render = |part: &str| {
            let rendered = self.engine.render(part, data);
            rendered.map_err(|error| format!("{}, {part}: {}", self.template.name, error.reason()))
        };
        Ok(Content {
            subject: render(SUBJECT)?,
            text: render(TEXT)?,
            html: render(HTML)?,
            template: code(&self.template.name),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    configuration_set_name: Option<String>,
    content: EmailContent,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    #[serde(default)]
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EmailContent {
    template: Option<TemplateContent>,
    simple: Option<SimpleContent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TemplateContent {
    template_name: String,
    template_data: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SimpleContent {
    subject: Part,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(default)]
    text: Part,
    #[serde(default)]
    html: Part,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    data: String,
}

struct Content {
    subject: String,
    text: String,
    html: String,
    template: String,
}

impl From<SimpleContent> for Content {
    fn from(simple: SimpleContent) -> Self {
        Self {
            subject: simple.subject.data,
            text: simple.body.text.data,
            html: simple.body.html.data,
            template: String::new(),
        }
    }
}

impl Content {
    fn addressed(&self, to: &str, from: &str, sent_at: &str) -> Mail {
        Mail {
            to: to.to_owned(),
            from: from.to_owned(),
            subject: self.subject.clone(),
            template: self.template.clone(),
            text: self.text.clone(),
            html: self.html.clone(),
            sent_at: sent_at.to_owned(),
        }
    }
}

/// A template on the wire.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireTemplate {
    #[serde(default)]
    template_name: String,
    template_content: WireContent,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireContent {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    html: String,
}

impl WireTemplate {
    fn compiled(self) -> Result<(String, Arc<Compiled>), Refusal> {
        let WireContent {
            subject,
            text,
            html,
        } = self.template_content;
        let name = self.template_name.clone();
        let template = MailTemplate {
            name: self.template_name,
            subject,
            text,
            html,
        };
        let compiled = Compiled::new(template).map_err(|problem| bad_request(&problem))?;
        Ok((name, Arc::new(compiled)))
    }
}

impl From<&MailTemplate> for WireTemplate {
    fn from(template: &MailTemplate) -> Self {
        let MailTemplate {
            name,
            subject,
            text,
            html,
        } = template.clone();
        Self {
            template_name: name,
            template_content: WireContent {
                subject,
                text,
                html,
            },
        }
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

async fn create_template(State(ses): State<Ses>, body: String) -> Response {
    let created = parse::<WireTemplate>(&body).and_then(WireTemplate::compiled);
    reply(created.and_then(|(name, template)| {
        ses.change(|templates| {
            if templates.contains_key(&name) {
                let message = format!("Template {name} already exists");
                return Err((StatusCode::BAD_REQUEST, "AlreadyExistsException", message));
            }
            templates.insert(name, template);
            Ok(json!({}))
        })
    }))
}

async fn list_templates(State(ses): State<Ses>) -> Response {
    let names = ses.change(|templates| templates.keys().cloned().collect::<Vec<_>>());
    let all: Vec<_> = names
        .iter()
        .map(|name| json!({"TemplateName": name}))
        .collect();
    reply(Ok(json!({"TemplatesMetadata": all})))
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
        .and_then(WireTemplate::compiled)
        .and_then(|(name, template)| {
            ses.template(&name)?;
            ses.change(|templates| templates.insert(name, template));
            Ok(json!({}))
        });
    reply(changed)
}

async fn delete_template(State(ses): State<Ses>, Path(name): Path<String>) -> Response {
    let known = ses.template(&name);
    ses.change(|templates| templates.remove(&name));
    reply(known.map(|_| json!({})))
}

fn parse<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(body).map_err(|error| bad_request(&error.to_string()))
}

fn reply(answer: Result<Value, Refusal>) -> Response {
    match answer {
        Ok(body) => Json(body).into_response(),
        Err((status, kind, message)) => {
            let kind = [(HeaderName::from_static("x-amzn-errortype"), kind)];
            (status, kind, Json(json!({"message": message}))).into_response()
        }
    }
}

fn not_found(message: &str) -> Refusal {
    (
        StatusCode::NOT_FOUND,
        "NotFoundException",
        message.to_owned(),
    )
}

fn bad_request(message: &str) -> Refusal {
    (
        StatusCode::BAD_REQUEST,
        "BadRequestException",
        message.to_owned(),
    )
}

/// Handlebars as SES has it: no HTML escaping, no helpers of this crate's own, and a variable that
/// is missing is an error.
fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    for helper in NOT_IN_SES {
        engine.unregister_helper(helper);
    }
    engine
}

/// The code under which callers know the template, or its SES name if it is none of the stack's.
fn code(ses_name: &str) -> String {
    let of_stack = |template: &&Template| {
        Locale::ALL
            .iter()
            .any(|locale| template.ses_name(STACK_NAME, *locale) == ses_name)
    };
    let known = Template::ALL;
    known
        .iter()
        .find(of_stack)
        .map_or(ses_name, |template| template.code())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ses() -> (Ses, MailStore) {
        let mails = MailStore::default();
        let template = MailTemplate {
            name: "regain-directory-session-forgot-en".into(),
            subject: "Your {{name}} code".into(),
            text: "{{code}} for {{name}}".into(),
            html: "<b>{{code}}</b>{{#if extra.deep}}!{{/if}}".into(),
        };
        let sets = BTreeSet::from(["regain".to_owned()]);
        let ses = Ses::new(&[template], sets, mails.clone(), Random::new().unwrap()).unwrap();
        (ses, mails)
    }

    fn request(template: &str, data: &str) -> SendEmail {
        serde_json::from_value(json!({
            "FromEmailAddress": "no-reply@example.com",
            "Destination": {"ToAddresses": ["Ann@Example.com"]},
            "ConfigurationSetName": "regain",
            "Content": {"Template": {"TemplateName": template, "TemplateData": data}},
        }))
        .unwrap()
    }

    const KNOWN: &str = "regain-directory-session-forgot-en";

    #[test]
    fn a_mail_is_rendered_without_escaping_and_kept() {
        let (ses, mails) = ses();
        let data = r#"{"code": "012345", "name": "A & B", "extra": {"deep": true}}"#;
        let answer = ses.send(request(KNOWN, data)).unwrap();
        assert!(!answer["MessageId"].as_str().unwrap().is_empty());
        let mails = mails.newest_first(Some("ann@example.com"));
        assert_eq!(mails[0].subject, "Your A & B code");
        assert_eq!(mails[0].text, "012345 for A & B");
        assert_eq!(mails[0].html, "<b>012345</b>!");
        assert_eq!(mails[0].template, "directory|session-forgot");
    }

    #[test]
    fn a_missing_variable_is_accepted_and_not_delivered() {
        let (ses, mails) = ses();
        assert!(ses.send(request(KNOWN, r#"{"code": "1"}"#)).is_ok());
        assert!(mails.newest_first(None).is_empty());
    }

    #[test]
    fn what_ses_refuses_is_refused() {
        let (ses, _) = ses();
        for (template, data, kind) in [
            ("unknown", "{}", "NotFoundException"),
            (KNOWN, "no json", "BadRequestException"),
            (KNOWN, "[]", "BadRequestException"),
        ] {
            assert_eq!(
                ses.send(request(template, data)).unwrap_err().1,
                kind,
                "{template} {data}"
            );
        }
        let mut wrong_set = request(KNOWN, "{}");
        wrong_set.configuration_set_name = Some("other".into());
        assert_eq!(ses.send(wrong_set).unwrap_err().1, "NotFoundException");
        let mut nobody = request(KNOWN, "{}");
        nobody.destination.to_addresses.clear();
        assert_eq!(ses.send(nobody).unwrap_err().1, "BadRequestException");
    }

    #[test]
    fn helpers_that_ses_lacks_do_not_render() {
        let (ses, mails) = ses();
        let wire = r#"{"TemplateName": "x", "TemplateContent": {"Subject": "{{len code}}"}}"#;
        let (name, template) = parse::<WireTemplate>(wire).unwrap().compiled().unwrap();
        ses.change(|templates| templates.insert(name, template));
        assert!(ses.send(request("x", r#"{"code": "1"}"#)).is_ok());
        assert!(mails.newest_first(None).is_empty());
    }

    #[test]
    fn a_template_that_does_not_compile_is_refused_by_name() {
        let broken = MailTemplate {
            name: "broken".into(),
            subject: "{{#if x}}".into(),
            text: String::new(),
            html: String::new(),
        };
        let random = Random::new().unwrap();
        let refused = Ses::new(&[broken], BTreeSet::new(), MailStore::default(), random);
        let message = refused.err().unwrap().to_string();
        assert!(
            message.starts_with("the mail template broken does not compile"),
            "{message}"
        );
    }
}
