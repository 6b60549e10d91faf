//! Stand-ins for Secrets Manager and SES, as far as the engine speaks to them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::{BehaviorVersion, Region, retry::RetryConfig};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use regain::secrets::Secrets;
use regain::timestamp::Timestamp;
use serde_json::{Value, json};

use super::{CODE_SECRET, INDEX_SECRET, NOON, credentials, http, listen, retries};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mail that SES took or was asked to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) from: String,
    pub(crate) template: String,
    pub(crate) data: Value,
    pub(crate) configuration_set: Option<String>,
    /// By which its events name its mail request.
    pub(crate) tag: String,
    /// By which they name whom it is about.
    pub(crate) subject_tag: String,
}

impl Mail {
    /// The code in it.
    pub(crate) fn code(&self) -> String {
        self.data["code"].as_str().unwrap().to_owned()
    }
}

/// How SES answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SesAnswer {
    Accepted,
    WithoutMessageId,
    Failure(u16, &'static str),
    /// Refuses a mail by an error of that type, in these words.
    RecoveryError(&'static str, &'static str),
    /// Takes the mail, and never answers.
    Silence,
}

#[derive(Debug, Default)]
struct Postbag {
    /// All that arrived.
    mails: Vec<Mail>,
    /// Those of them that were taken.
    taken: Vec<Mail>,
    is_down: bool,
    /// What to answer next; then everything is accepted.
    answers: VecDeque<SesAnswer>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ses {
    bag: Arc<Mutex<Postbag>>,
    endpoint: String,
}

impl Ses {
    pub(crate) async fn serve() -> Self {
        let (listener, endpoint) = listen().await;
        let bag: Arc<Mutex<Postbag>> = Arc::default();
        let app = Router::new().fallback(take_mail).with_state(bag.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { bag, endpoint }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// As deliver-mail has it: no retries of its own.
    pub(crate) fn client(&self) -> aws_sdk_sesv2::Client {
        let timeouts = aws_sdk_sesv2::config::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(std::time::Duration::from_secs(3))
            .build();
        let config = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(credentials())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .http_client(http())
            .build();
        aws_sdk_sesv2::Client::from_conf(config)
    }

    /// What to answer next.
    pub(crate) fn answer(&self, answer: SesAnswer) {
        locked(&self.bag).answers.push_back(answer);
    }

    /// Forgets what was to be answered: from now on everything is accepted.
    pub(crate) fn forget_answers(&self) {
        locked(&self.bag).answers.clear();
    }

    /// Has it take nothing, or again everything.
    pub(crate) fn set_down(&self, is_down: bool) {
        locked(&self.bag).is_down = is_down;
    }

    /// All mails that it took, and so may have sent.
    pub(crate) fn taken(&self) -> Vec<Mail> {
        locked(&self.bag).taken.clone()
    }

    /// All mails that arrived.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        locked(&self.bag).mails.clone()
    }
}

async fn take_mail(State(bag): State<Arc<Mutex<Postbag>>>, body: Bytes) -> Response {
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
    let mail = Mail {
        to: sent["Destination"]["ToAddresses"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect(),
        from: text(&sent["FromEmailAddress"]),
        template: text(&template["TemplateName"]),
        data: serde_json::from_str(&text(&template["TemplateData"])).unwrap_or_default(),
        configuration_set: sent["ConfigurationSetName"].as_str().map(str::to_owned),
        tag: tagged("mail-request"),
        subject_tag: tagged("subject"),
    };
    let (answer, number) = {
        let mut bag = locked(&bag);
        bag.mails.push(mail.clone());
        let answer = if bag.is_down {
            SesAnswer::Failure(503, "ServiceUnavailable")
        } else {
            bag.answers.pop_front().unwrap_or(SesAnswer::Accepted)
        };
        if matches!(answer, SesAnswer::Accepted | SesAnswer::Silence) {
            bag.taken.push(mail);
        }
        (answer, bag.mails.len())
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
        SesAnswer::RecoveryError(kind, message) => (
            StatusCode::BAD_REQUEST,
            [("x-amzn-errortype", kind)],
            json!({ "message": message }).to_string(),
        )
            .into_response(),
        SesAnswer::Silence => std::future::pending().await,
    }
}

/// A version of a secret.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) text: String,
    pub(crate) created_at: Timestamp,
}

impl Version {
    pub(crate) fn new(text: &str, created_at: Timestamp) -> Self {
        Self {
            text: text.to_owned(),
            created_at,
        }
    }
}

#[derive(Debug)]
struct Kept {
    index: Option<Version>,
    code: Option<Version>,
    previous_code: Option<Version>,
    fetched: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Vault {
    kept: Arc<Mutex<Kept>>,
    endpoint: String,
}

impl Vault {
    pub(crate) async fn serve() -> Self {
        let (listener, endpoint) = listen().await;
        let long_ago = NOON.minus(std::time::Duration::from_hours(24 * 30));
        let kept = Arc::new(Mutex::new(Kept {
            index: Some(Version::new(INDEX_SECRET, long_ago)),
            code: Some(Version::new(CODE_SECRET, long_ago)),
            previous_code: None,
            fetched: 0,
        }));
        let app = Router::new().fallback(hand_out).with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { kept, endpoint }
    }

    /// The secrets as a fresh instance has them: not fetched yet.
    pub(crate) fn secrets(&self) -> Secrets {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(credentials())
            .retry_config(retries())
            .http_client(http())
            .build();
        Secrets::new(
            aws_sdk_secretsmanager::Client::from_conf(config),
            "index".to_owned(),
            Some("code".to_owned()),
        )
    }

    /// The index key; `None` cannot be had.
    pub(crate) fn set_index(&self, version: Option<Version>) {
        locked(&self.kept).index = version;
    }

    /// The code key, current and previous; without a current one it cannot be had.
    pub(crate) fn set_code(&self, current: Option<Version>, previous: Option<Version>) {
        let mut kept = locked(&self.kept);
        kept.code = current;
        kept.previous_code = previous;
    }

    /// How often a secret was asked for.
    pub(crate) fn fetched(&self) -> usize {
        locked(&self.kept).fetched
    }
}

async fn hand_out(State(kept): State<Arc<Mutex<Kept>>>, body: Bytes) -> Response {
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut kept = locked(&kept);
    kept.fetched += 1;
    let failure = |kind: &str| {
        let body = json!({ "__type": kind, "message": "refused" });
        (StatusCode::BAD_REQUEST, body.to_string()).into_response()
    };
    let version = match (asked["SecretId"].as_str(), asked["VersionStage"].as_str()) {
        (Some("index"), Some("AWSCURRENT")) => &kept.index,
        (Some("code"), Some("AWSCURRENT")) => &kept.code,
        (Some("code"), Some("AWSPREVIOUS")) if kept.code.is_some() => {
            if kept.previous_code.is_none() {
                return failure("ResourceNotFoundException");
            }
            &kept.previous_code
        }
        _ => &None,
    };
    let Some(version) = version else {
        return failure("DecryptionFailure");
    };
    json!({
        "SecretString": version.text,
        "CreatedDate": version.created_at.millis() / 1000,
    })
    .to_string()
    .into_response()
}
