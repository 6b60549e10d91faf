//! Lambda's Invoke API, by which services of the account reach a function, and the tour of the service.

use std::collections::BTreeSet;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::stacks;
use testkit::client::Api;
use testkit::openapi;
use testkit::stack::Stack;

async fn invoke(stack: &Stack, function: &str, kind: &str, event: &str) -> Response {
    let url = format!(
        "{}/2015-03-31/functions/{function}/invocations",
        stack.endpoint("Lambda")
    );
    let request = Client::new().post(url).body(event.to_owned());
    let request = request.header("x-amz-invocation-type", kind);
    request.send().await.unwrap()
}

fn header(answer: &Response, name: &str) -> Option<String> {
    let value = answer.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_function_is_invoked_by_its_name_or_its_arn() {
    let stack = stacks::open();
    let event = json!({
        "version": "2.0",
        "rawPath": "/openapi.json",
        "headers": {},
        "requestContext": {"http": {"method": "GET"}},
    });
    for name in [
        "regain-recovery-page",
        "recovery-page",
        "regain-recovery-page:live",
        "arn:aws:lambda:us-east-1:000000000000:function:regain-recovery-page",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aregain-recovery-page%3Alive",
    ] {
        let answer = invoke(stack, name, "RequestResponse", &event.to_string()).await;
        assert_eq!(answer.status(), 200, "{name}");
        assert_eq!(header(&answer, "x-amz-function-error"), None);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{name}");
    }
}

#[tokio::test]
async fn an_invocation_is_answered_as_lambda_answers_it() {
    let stack = stacks::open();
    let torn = json!({"Records": [{"dynamodb": {}}]}).to_string();
    let failed = invoke(stack, "deliver-mail", "RequestResponse", &torn).await;
    assert_eq!(failed.status(), 200);
    let kind = header(&failed, "x-amz-function-error");
    assert_eq!(kind.as_deref(), Some("Unhandled"));
    let failed: Value = failed.json().await.unwrap();
    assert!(
        failed["errorType"].is_string() && failed["errorMessage"].is_string(),
        "{failed}"
    );

    for (name, kind, event, status, error) in [
        ("deliver-mail", "Event", "{}", 202, None),
        ("deliver-mail", "DryRun", "{}", 204, None),
        ("deliver-mail", "RequestResponse", "", 200, None),
        (
            "deliver-mail",
            "RequestResponse",
            "{",
            400,
            Some("InvalidRequestContentException"),
        ),
        (
            "deliver-mail",
            "Later",
            "{}",
            400,
            Some("InvalidParameterValueException"),
        ),
        (
            "nobody",
            "RequestResponse",
            "{}",
            404,
            Some("ResourceNotFoundException"),
        ),
    ] {
        let answer = invoke(stack, name, kind, event).await;
        assert_eq!(answer.status(), status, "{name} {kind} {event}");
        assert_eq!(header(&answer, "x-amzn-errortype").as_deref(), error);
    }
}

#[tokio::test]
async fn the_tour_leads_to_everything_there_is() {
    let stack = stacks::open();
    let api = Api::of(stack);
    let tour = api.raw(Method::GET, "/", "", "").await;
    assert_eq!(tour.status, 200);
    assert_eq!(
        tour.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let links = tour.text.split("href=\"").skip(1);
    let links: Vec<_> = links
        .filter_map(|it| it.split('"').next())
        .filter(|it| it.starts_with('/'))
        .collect();
    assert_eq!(
        links,
        [
            "/_tour.css",
            "/recover",
            "/_mail",
            "/_events.json",
            "/openapi.json"
        ]
    );
    for link in links {
        assert_eq!(api.raw(Method::GET, link, "", "").await.status, 200);
    }
    for (path, _) in openapi::operations() {
        assert!(tour.text.contains(&format!("POST {path}")), "{path}");
    }
    for part in ["DynamoDB", "SES", "Secrets", "Lambda", "Events"] {
        assert!(tour.text.contains(stack.endpoint(part)), "{part}");
    }
    assert!(tour.text.contains("cargo run -- --user-store http://"));
    let other = api.raw(Method::POST, "/", "", "").await;
    assert_eq!(
        (other.status, other.body()),
        (404, json!({"message": "Not Found"}))
    );
}

#[tokio::test]
async fn the_service_serves_its_own_document() {
    let answer = Api::of(stacks::open())
        .raw(Method::GET, "/openapi.json", "", "")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body(), *openapi::DOCUMENT);
}

/// The headers that the gateway and the connection add to every answer.
const ADDED: [&str; 4] = ["apigw-requestid", "content-length", "content-type", "date"];

/// Compares the answer to a `GET` with what the document says of it, in both directions.
async fn assert_documented(http: &Client, url: &str, operation: &'static Value) {
    let answer = http.get(url).send().await.unwrap();
    let mut documented = openapi::responses(operation);
    let documented = documented.find(|(status, _)| *status == answer.status().as_u16());
    let (_, documented) = documented.unwrap_or_else(|| panic!("{url}: {}", answer.status()));
    let headers = documented["headers"].as_object().unwrap();
    let headers = headers
        .iter()
        .map(|(name, of)| (name, openapi::resolved(of)));
    // The headers of CORS come with an `Origin` only.
    let headers: Vec<_> = headers.filter(|(_, of)| of["required"] == true).collect();
    let expected: BTreeSet<_> = headers
        .iter()
        .map(|(name, _)| name.to_lowercase())
        .collect();
    let sent = answer.headers().keys().map(|name| name.as_str().to_owned());
    let sent: BTreeSet<_> = sent
        .filter(|name| !ADDED.contains(&name.as_str()))
        .collect();
    assert_eq!(sent, expected, "{url}");
    for (name, of) in headers {
        let sent = header(&answer, name).unwrap();
        let constant = of["schema"]["const"].as_str().unwrap_or(&sent);
        assert_eq!(sent, constant, "{url}: {name}");
    }
    let content_type = header(&answer, "content-type").unwrap();
    let content_type = content_type.split(';').next().unwrap();
    assert!(documented["content"].get(content_type).is_some(), "{url}");
}

#[tokio::test]
async fn the_page_and_its_files_are_answered_as_the_document_says() {
    let stack = stacks::open();
    let unfollowed = Client::builder().redirect(Policy::none());
    let http = unfollowed.build().unwrap();
    let page = http.get(format!("{}/recover", stack.url)).send().await;
    let html = page.unwrap().text().await.unwrap();
    let hashed = html.split('"').filter(|it| it.starts_with("recover/"));
    let hashed: Vec<_> = hashed.filter(|it| *it != "recover/regain.js").collect();
    assert_eq!(hashed.len(), 3, "icon, style and script: {hashed:?}");
    for (path, operation) in openapi::pages() {
        let url = format!("{}{path}", stack.url);
        if path.contains('{') {
            for file in &hashed {
                let url = format!("{}/{file}", stack.url);
                assert_documented(&http, &url, operation).await;
            }
        } else {
            assert_documented(&http, &url, operation).await;
        }
    }
}

#[test]
fn the_greeting_begins_with_the_address_of_the_page() {
    let stack = stacks::open();
    let said = stack.said();
    let page = format!("Page       {}/recover", stack.url);
    assert!(said.lines().any(|line| line == page), "{said}");
    let printed = said.lines().find(|line| line.contains("http://"));
    assert_eq!(printed, Some(page.as_str()));
}
