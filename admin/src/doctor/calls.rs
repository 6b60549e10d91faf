//! Checks the functions behind the API and deliver-mail. Each endpoint is called once, for an address that nobody
//! can have. A right answer shows that the function starts and has its permissions, and no user is affected. A call
//! of recover-not-me shows only that it can read the index key: without a notice's token it asks nothing else.

use std::convert::Infallible;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use rand::RngExt as _;
use regain::ambient;
use regain::ids::{ResetToken, SessionId};
use regain::not_me::NotMeToken;
use serde_json::{Value, json};
use tokio::time::error::Elapsed;

use super::Report;
use crate::connection::Connection;
use crate::failure::Trouble;
use crate::stack::Stack;

/// The pause between two reads of the outcome of `deliver-mail`.
const PAUSE: Duration = Duration::from_millis(250);

/// A password that every policy accepts: it is longer than `PasswordMinLength` can be.
const PASSWORD: &str =
    "regain doctor asks with this long sentence, which becomes the password of nobody at all";

const LOOK_INTO_LOG: &str = "its log says what it may not use or cannot reach";
const DEPLOY: &str =
    "its log says why it does not start; deploy the stack again, or the settings before";

/// The response to a call.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// Whether it comes from a function, and not from the gateway.
    is_functions: bool,
    body: Value,
}

impl Answer {
    fn text(&self, pointer: &str) -> &str {
        let found = self.body.pointer(pointer);
        found.and_then(Value::as_str).unwrap_or_default()
    }
}

/// Calls each endpoint, and checks that `deliver-mail` handles the mail request within `mail_timeout`.
pub(super) async fn look(
    connection: &Connection,
    stack: &Stack,
    mail_timeout: Duration,
    report: &mut Report,
) {
    let Some(api) = &stack.api else {
        return report.unchecked("the functions", "give --api URL, or --stack NAME");
    };
    let Ok(mut rng) = ambient::rng() else {
        return report.unchecked("the functions", "the system has no randomness to give");
    };
    // RFC 2606 reserves .invalid, so no such domain can exist. Each run takes new addresses, which have no
    // cooldown yet.
    let mut address = || format!("doctor-{:016x}@regain.invalid", rng.random::<u64>());
    let (first, second) = (address(), address());
    let code = "0".repeat(stack.settings.code_length.digits());

    let asked = json!({ "email": first });
    let started = post(api, "/auth/v1/forgot-password", &asked).await;
    judge(report, "forgot-password", &started, &[200]);
    let session = started.as_ref().map_or("", |it| it.text("/data"));
    if let Some(id) = SessionId::parse(session) {
        let guess = json!({ "session_id": session, "otp": code });
        let guessed = post(api, "/auth/v1/forgot-password/verify-otp", &guess).await;
        judge(report, "forgot-password-verify-otp", &guessed, &[401]);
        // The second code right after the first is refused, unless the service has no cooldown. In both cases
        // the function needs all of its permissions.
        let again = json!({ "session_id": session });
        let again = post(api, "/auth/v1/forgot-password/resend-otp", &again).await;
        judge(report, "forgot-password-resend-otp", &again, &[429, 200]);
        let token = ResetToken::draw(&id, &mut rng).reveal();
        let set = json!({ "token": token, "password": PASSWORD });
        let set = post(api, "/auth/v1/forgot-password/set-password", &set).await;
        judge(report, "forgot-password-set-password", &set, &[401]);
        let outcome = outcome(connection, stack, &id);
        let outcome = tokio::time::timeout(mail_timeout, outcome).await;
        mail(outcome, mail_timeout, report);
    } else {
        report.unchecked(
            "the other functions",
            "they need the session that was not begun",
        );
    }

    let asked = json!({ "email": second });
    let started = post(api, "/directory/api/users/resend", &asked).await;
    judge(report, "users-resend", &started, &[200]);
    if let Ok(started) = &started
        && started.status == 200
    {
        let (id, session) = (started.text("/data/id"), started.text("/data/session/id"));
        let guess = json!({ "id": id, "session": session, "otp": code });
        let guessed = post(api, "/directory/api/users/setPassword", &guess).await;
        judge(report, "users-set-password", &guessed, &[401]);
    }

    // A token of the right form, which no key has made.
    let disowned = json!({ "token": "a".repeat(NotMeToken::LETTERS) });
    let disowned = post(api, "/recover/not-me", &disowned).await;
    judge(report, "recover-not-me", &disowned, &[401]);
    let page = call(api, "GET", "/recover", String::new()).await;
    judge(report, "recovery-page", &page, &[200]);
}

fn judge(report: &mut Report, function: &str, answer: &Result<Answer, String>, expected: &[u16]) {
    match answer {
        Ok(answer) if answer.is_functions && expected.contains(&answer.status) => {
            report.good(&format!("{function} answers"));
        }
        Ok(Answer {
            status,
            is_functions: false,
            ..
        }) => report.bad(
            &format!("{function} gives no answer: the gateway says {status}"),
            DEPLOY,
        ),
        Ok(Answer { status: 429, .. }) => {
            report.unchecked(
                function,
                "it answers 429: a limit is reached, such as IP_REQUESTS_PER_HOUR; try again later",
            );
        }
        Ok(Answer { status, .. }) => {
            let expected: Vec<_> = expected.iter().map(u16::to_string).collect();
            let expected = expected.join(" or ");
            report.bad(
                &format!("{function} answers {status}, not {expected}"),
                LOOK_INTO_LOG,
            );
        }
        Err(problem) => report.bad(
            &format!("{function} cannot be called: {problem}"),
            "look at the network and at --api",
        ),
    }
}

/// Reports whether `deliver-mail` has handled the mail request in time.
fn mail(
    outcome: Result<Result<(), Trouble>, Elapsed>,
    mail_timeout: Duration,
    report: &mut Report,
) {
    match outcome {
        Ok(Ok(())) => report.good("deliver-mail handles mail requests"),
        Ok(Err(trouble)) => report.trouble("deliver-mail", &trouble),
        Err(_) => report.bad(
            &format!(
                "deliver-mail did not handle the mail request within {} s",
                mail_timeout.as_secs()
            ),
            "look at its event source mapping and its log",
        ),
    }
}

/// Waits until the session's mail request has an outcome. The key of the request contains the number of the code.
async fn outcome(
    connection: &Connection,
    stack: &Stack,
    session: &SessionId,
) -> Result<(), Trouble> {
    let client = connection.dynamodb();
    let get = async |key: String| {
        let get = client.get_item().table_name(&stack.table);
        let get = get.key("pk", AttributeValue::S(key)).consistent_read(true);
        let got = get.send().await;
        let got = got.map_err(|error| Trouble::of(stack.the_table(), &error))?;
        Ok(got.item.unwrap_or_default())
    };
    let reference = session.reference().hex();
    let session = get(format!("SESSION#{reference}")).await?;
    let number = session.get("generation").and_then(|it| it.as_n().ok());
    let key = format!("MAIL#{reference}#{}", number.map_or("", String::as_str));
    while !get(key.clone()).await?.contains_key("outcome") {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Posts JSON to the API, as a client does.
async fn post(api: &str, path: &str, body: &Value) -> Result<Answer, String> {
    call(api, "POST", path, body.to_string()).await
}

/// The headers that an answer has from the endpoints and from the recovery page, and from no gateway.
const FROM_FUNCTIONS: [&str; 2] = ["x-request-id", "content-security-policy"];

async fn call(api: &str, method: &'static str, path: &str, body: String) -> Result<Answer, String> {
    let client = Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    let path = path.to_owned();
    let operation = Operation::builder()
        .service_name("api")
        .operation_name("call")
        .http_client(client)
        .endpoint_url(api)
        .no_auth()
        .no_retry()
        .timeout_config(TimeoutConfig::disabled())
        .serializer(move |body: String| {
            let mut request = HttpRequest::new(body.into());
            request.set_method(method)?;
            request.set_uri(path.as_str())?;
            request
                .headers_mut()
                .insert("content-type", "application/json");
            Ok(request)
        })
        .deserializer::<_, Infallible>(|answer| {
            let body = answer.body().bytes().unwrap_or_default();
            Ok(Answer {
                status: answer.status().as_u16(),
                is_functions: FROM_FUNCTIONS
                    .iter()
                    .any(|name| answer.headers().contains_key(*name)),
                body: serde_json::from_slice(body).unwrap_or_default(),
            })
        })
        .build();
    // API Gateway ends a call after 30 s.
    let answered = tokio::time::timeout(Duration::from_secs(35), operation.invoke(body));
    match answered.await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(regain::telemetry::causes(&error)),
        Err(_) => Err("no answer came".to_owned()),
    }
}
