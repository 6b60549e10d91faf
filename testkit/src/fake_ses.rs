//! A stand-in for SES that takes mail, and answers as a test wants it to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_sesv2::config::BehaviorVersion;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::aws::{REGION, credentials, http_client, serve};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mail that SES took or was asked to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The recipients.
    pub to: Vec<String>,
    /// The sender.
    pub from: String,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The headers that are added, as SES takes them.
    pub headers: Value,
    /// The name of the template.
    pub template: String,
    /// The template's variables.
    pub data: Value,
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// The message tag that names the mail request.
    pub tag: String,
    /// The message tag that holds the audit subject.
    pub subject_tag: String,
}

impl Mail {
    /// The code in it.
    pub fn code(&self) -> String {
        self.data["code"].as_str().unwrap().to_owned()
    }
}

/// How SES answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SesAnswer {
    /// Takes the mail.
    Accepted,
    /// Answers without a message id, which is a failure.
    WithoutMessageId,
    /// Fails with that status and type.
    Failure(u16, &'static str),
    /// Refuses a mail by an error of that type, in these words.
    Refused(&'static str, &'static str),
    /// Takes the mail, and never answers.
    Silence,
}

#[derive(Debug, Default)]
struct Inbox {
    /// All that arrived.
    mails: Vec<Mail>,
    /// Those of them that were taken.
    taken: Vec<Mail>,
    is_down: bool,
    /// The next answers. After them, every mail is accepted.
    answers: VecDeque<SesAnswer>,
}

/// The stand-in. Clones share its mail.
#[derive(Clone, Debug)]
pub struct FakeSes {
    inbox: Arc<Mutex<Inbox>>,
    endpoint: String,
}

impl FakeSes {
    /// Serves it.
    pub async fn serve() -> Self {
        let inbox: Arc<Mutex<Inbox>> = Arc::default();
        let app = Router::new().fallback(take_mail).with_state(inbox.clone());
        let endpoint = serve(app).await;
        Self { inbox, endpoint }
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A client like deliver-mail's: without retries.
    pub fn client(&self) -> aws_sdk_sesv2::Client {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(std::time::Duration::from_secs(3))
            .build();
        let config = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(REGION)
            .endpoint_url(&self.endpoint)
            .credentials_provider(credentials())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .http_client(http_client())
            .build();
        aws_sdk_sesv2::Client::from_conf(config)
    }

    /// Sets the next answers.
    pub fn answer(&self, answer: SesAnswer) {
        locked(&self.inbox).answers.push_back(answer);
    }

    /// Forgets what was to be answered: from now on everything is accepted.
    pub fn forget_answers(&self) {
        locked(&self.inbox).answers.clear();
    }

    /// Has it take nothing, or again everything.
    pub fn set_down(&self, is_down: bool) {
        locked(&self.inbox).is_down = is_down;
    }

    /// All mails that it took, and so may have sent.
    pub fn taken(&self) -> Vec<Mail> {
        locked(&self.inbox).taken.clone()
    }

    /// All mails that arrived.
    pub fn mails(&self) -> Vec<Mail> {
        locked(&self.inbox).mails.clone()
    }
}

async fn take_mail(State(inbox): State<Arc<Mutex<Inbox>>>, body: Bytes) -> Response {
    let Ok(sent) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let template = &sent["Content"]["Template"];
    if template.is_null() {
        return json!({}).to_string().into_response();
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tagged = |name: &str| {
        let tags = sent["EmailTags"].as_array().into_iter().flatten();
        let mut tags = tags.filter(|tag| tag["Name"] == name);
        tags.next()
            .map(|tag| text(&tag["Value"]))
            .unwrap_or_default()
    };
    let texts = |list: &Value| list.as_array().into_iter().flatten().map(text).collect();
    let mail = Mail {
        to: texts(&sent["Destination"]["ToAddresses"]),
        from: text(&sent["FromEmailAddress"]),
        reply_to: texts(&sent["ReplyToAddresses"]),
        headers: template["Headers"].clone(),
        template: text(&template["TemplateName"]),
        data: serde_json::from_str(&text(&template["TemplateData"])).unwrap_or_default(),
        configuration_set: sent["ConfigurationSetName"].as_str().map(str::to_owned),
        tag: tagged("mail-request"),
        subject_tag: tagged("subject"),
    };
    let (answer, number) = {
        let mut inbox = locked(&inbox);
        inbox.mails.push(mail.clone());
        let answer = if inbox.is_down {
            SesAnswer::Failure(503, "ServiceUnavailable")
        } else {
            inbox.answers.pop_front().unwrap_or(SesAnswer::Accepted)
        };
        if matches!(answer, SesAnswer::Accepted | SesAnswer::Silence) {
            inbox.taken.push(mail);
        }
        (answer, inbox.mails.len())
    };
    match answer {
        SesAnswer::Accepted => json!({ "MessageId": format!("message-{number}") })
            .to_string()
            .into_response(),
        SesAnswer::WithoutMessageId => "{}".into_response(),
        SesAnswer::Failure(status, kind) => (
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            [("x-amzn-errortype", kind)],
            json!({ "message": "refused" }).to_string(),
        )
            .into_response(),
        SesAnswer::Refused(kind, message) => (
            StatusCode::BAD_REQUEST,
            [("x-amzn-errortype", kind)],
            json!({ "message": message }).to_string(),
        )
            .into_response(),
        SesAnswer::Silence => std::future::pending().await,
    }
}
