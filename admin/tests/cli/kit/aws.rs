//! A stand-in for AWS. The calls of DynamoDB go to the embedded table, and those of Secrets Manager to its
//! stand-in. All other calls are answered as a healthy stack answers them, until a test says otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use regain::locale::Locale;
use regain::template::Template;
use regain_password::{Candidate, Policy};
use serde_json::{Value, json};
use tokio::sync::watch;

use testkit::aws::serve;

/// The answer that a test has set for a call.
#[derive(Clone, Debug)]
enum Answer {
    Body(Value),
    Failure(u16, &'static str, &'static str),
    /// The status that a function answers with.
    Status(u16),
    /// [`Answer::Failure`], after this many calls have succeeded.
    FailureAfter(usize, &'static str, &'static str),
    /// The usual answer, but not before [`Aws::recovers`].
    Held(watch::Receiver<()>),
}

#[derive(Debug)]
struct Inner {
    dynamodb: String,
    client: reqwest::Client,
    secrets: String,
    answers: Mutex<HashMap<String, Answer>>,
    calls: Mutex<HashMap<String, usize>>,
    held: watch::Sender<()>,
}

#[derive(Clone, Debug)]
pub(crate) struct Aws {
    inner: Arc<Inner>,
    url: String,
}

impl Aws {
    pub(crate) async fn serve(dynamodb: &str, secrets: &str) -> Self {
        let inner = Arc::new(Inner {
            dynamodb: dynamodb.to_owned(),
            client: reqwest::Client::new(),
            secrets: secrets.to_owned(),
            answers: Mutex::default(),
            calls: Mutex::default(),
            held: watch::Sender::default(),
        });
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inner));
        let url = serve(app).await;
        Self { inner, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sets the answer to a call. A call is named by an operation of DynamoDB or Secrets Manager, by the id of a
    /// secret that is read, or by the end of a path of SES.
    pub(crate) fn answers(&self, call: &str, body: Value) {
        locked(&self.inner.answers).insert(call.to_owned(), Answer::Body(body));
    }

    /// With which status an endpoint of the API answers from now on.
    pub(crate) fn replies(&self, path: &str, status: u16) {
        locked(&self.inner.answers).insert(path.to_owned(), Answer::Status(status));
    }

    /// With which error a call fails from now on; without a code, as an endpoint that does not know
    /// the call.
    pub(crate) fn fails(&self, call: &str, status: u16, code: &'static str, message: &'static str) {
        let answer = Answer::Failure(status, code, message);
        locked(&self.inner.answers).insert(call.to_owned(), answer);
    }

    pub(crate) fn fails_after(
        &self,
        times: usize,
        call: &str,
        code: &'static str,
        message: &'static str,
    ) {
        let answer = Answer::FailureAfter(times, code, message);
        locked(&self.inner.answers).insert(call.to_owned(), answer);
    }

    /// Has a call wait for its answer until all goes as before again.
    pub(crate) fn holds(&self, call: &str) {
        let held = Answer::Held(self.inner.held.subscribe());
        locked(&self.inner.answers).insert(call.to_owned(), held);
    }

    /// All goes as before again.
    pub(crate) fn recovers(&self) {
        locked(&self.inner.answers).clear();
        self.inner.held.send_replace(());
    }

    /// How often a call came.
    pub(crate) fn calls(&self, call: &str) -> usize {
        locked(&self.inner.calls)
            .get(call)
            .copied()
            .unwrap_or_default()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let (service, operation) = target
        .and_then(|target| target.split_once('.'))
        .unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let call = match service {
        "secretsmanager" if operation == "GetSecretValue" => {
            asked["SecretId"].as_str().unwrap_or_default().to_owned()
        }
        "" if uri.path().starts_with("/v2/email/") => uri
            .path()
            .trim_start_matches("/v2/email/")
            .replace("%40", "@"),
        "" if uri.path() != "/" => uri.path().to_owned(),
        "" => "DescribeStacks".to_owned(),
        _ => operation.to_owned(),
    };
    let times = {
        let mut calls = locked(&inner.calls);
        let times = calls.entry(call.clone()).or_default();
        *times += 1;
        *times
    };
    let set = locked(&inner.answers).get(&call).cloned();
    match set {
        Some(Answer::Body(body)) => return respond(&call, &body),
        Some(Answer::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap();
            return (status, [("x-request-id", "1")]).into_response();
        }
        Some(Answer::Failure(status, code, message)) => {
            return failure(&call, status, code, message);
        }
        Some(Answer::FailureAfter(well, code, message)) if times > well => {
            return failure(&call, 400, code, message);
        }
        Some(Answer::Held(mut until)) => until.changed().await.unwrap(),
        _ => {}
    }
    if let Some((status, body)) = endpoint(&call, &asked) {
        let status = StatusCode::from_u16(status).unwrap();
        return (status, [("x-request-id", "1")], body.to_string()).into_response();
    }
    let host = headers.get("host").and_then(|it| it.to_str().ok());
    let url = format!("http://{}", host.unwrap_or_default());
    match all_right(&call, &url) {
        Some(body) => respond(&call, &body),
        None if service.starts_with("DynamoDB") => {
            pass_on(&inner, &inner.dynamodb, &headers, body).await
        }
        None if service == "secretsmanager" => {
            pass_on(&inner, &inner.secrets, &headers, body).await
        }
        None if service.is_empty() => failure(&call, 404, "NotFoundException", "no such thing"),
        None => failure(&call, 400, "ResourceNotFoundException", "no such thing"),
    }
}

async fn pass_on(inner: &Inner, url: &str, headers: &HeaderMap, body: Bytes) -> Response {
    let mut headers = headers.clone();
    headers.remove("host");
    let passed = inner.client.post(url).headers(headers).body(body);
    let answer = passed.send().await.unwrap();
    let status = answer.status();
    (status, answer.bytes().await.unwrap()).into_response()
}

/// The answer of a healthy stack. `None` if the table answers, or nothing.
fn all_right(call: &str, url: &str) -> Option<Value> {
    match call {
        "DescribeContinuousBackups" => Some(json!({"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
        }})),
        "account" => Some(json!({"SendingEnabled": true, "ProductionAccessEnabled": true})),
        "identities/example.com" => Some(json!({"VerifiedForSendingStatus": true})),
        "DescribeStacks" => Some(json!({
            "outputs": {
                "TableName": "regain", "IndexKeyArn": "IndexKey", "CodeKeyArn": "CodeKey",
                "ApiUrl": url,
            },
            "parameters": {"MailFrom": "no-reply@mail.example.com"},
        })),
        _ => template(call.strip_prefix("templates/")?),
    }
}

/// The session that the API begins.
pub(crate) const SESSION: &str = "0b8c2c3e-51a4-4c1c-9f0e-6f4d1a2b3c4d";

/// The answer of an endpoint to a request for an unknown address, and to a guess after it.
fn endpoint(path: &str, asked: &Value) -> Option<(u16, Value)> {
    if let Some(password) = asked["password"].as_str() {
        // The policy comes first, and here it is the strictest that a stack can have.
        let policy = Policy {
            min_length: 64,
            service_name: "Regain Doctor".to_owned(),
        };
        let reasons = policy.check(&Candidate::new(password.to_owned().into()));
        if !reasons.is_empty() {
            return Some((422, json!({"status_code": 422})));
        }
    }
    Some(match path {
        "/auth/v1/forgot-password" => (200, json!({"status_code": 200, "data": SESSION})),
        "/auth/v1/forgot-password/resend-otp" => (429, json!({"status_code": 429})),
        "/auth/v1/forgot-password/verify-otp" | "/auth/v1/forgot-password/set-password" => {
            (401, json!({"status_code": 401}))
        }
        "/directory/api/users/resend" => (
            200,
            json!({"isSuccess": true, "data": {"id": "x", "session": {"id": SESSION}}}),
        ),
        "/directory/api/users/setPassword" => (401, json!({"isSuccess": false})),
        "/recover/not-me" if asked["token"].as_str().is_some_and(|it| it.len() == 130) => {
            (401, json!({"status_code": 401}))
        }
        "/recover" => (200, Value::Null),
        _ => return None,
    })
}

fn template(name: &str) -> Option<Value> {
    let all = Template::ALL.into_iter().flat_map(|template| {
        Locale::ALL.map(|locale| (template, template.ses_name("regain", locale)))
    });
    let (template, name) = all.into_iter().find(|(_, known)| known == name)?;
    let code = if template.carries_code() {
        "{{code}}\n{{validFor}} {{link}}"
    } else {
        "{{notMeLink}}"
    };
    Some(json!({"TemplateName": name, "TemplateContent": {
        "Subject": "{{serviceName}}", "Text": code, "Html": code,
    }}))
}

fn respond(call: &str, body: &Value) -> Response {
    if call == "DescribeStacks" {
        return described(body).into_response();
    }
    body.to_string().into_response()
}

/// A stack as `CloudFormation` writes it.
fn described(stack: &Value) -> String {
    let members = |of: &str, key: &str, value: &str| -> String {
        let pairs = stack[of].as_object().into_iter().flatten();
        let member = |(name, text): (&String, &Value)| {
            let text = text.as_str().unwrap();
            format!("<member><{key}>{name}</{key}><{value}>{text}</{value}></member>")
        };
        pairs.map(member).collect::<Vec<_>>().concat()
    };
    let outputs = members("outputs", "OutputKey", "OutputValue");
    let parameters = members("parameters", "ParameterKey", "ParameterValue");
    format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <DescribeStacksResult><Stacks><member><StackName>regain</StackName>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>\
         <Outputs>{outputs}</Outputs><Parameters>{parameters}</Parameters></member></Stacks>\
         </DescribeStacksResult></DescribeStacksResponse>"
    )
}

fn failure(call: &str, status: u16, code: &'static str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    if code.is_empty() {
        return status.into_response();
    }
    if call == "DescribeStacks" {
        let body = format!(
            "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        return (status, body).into_response();
    }
    let body = json!({"__type": code, "message": message}).to_string();
    (status, [("x-amzn-errortype", code)], body).into_response()
}
