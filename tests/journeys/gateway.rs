//! The gateway's own answers: to preflight requests and unknown paths, and its headers on every answer.

use reqwest::Method;
use serde_json::json;

use crate::stacks::{self, ORIGIN};
use testkit::client::{Api, FORGOT, PATHS};
use testkit::people::new_address;

const ALLOWED: [&str; 14] = [
    "accept-language",
    "authorization",
    "cache-control",
    "content-type",
    "expires",
    "idempotency-key",
    "pragma",
    "x-access-token",
    "x-agent",
    "x-application-code",
    "x-organization-code",
    "x-role-key",
    "x-session-id",
    "x-tenant-code",
];

fn listed(header: Option<&str>) -> Vec<String> {
    let mut names: Vec<_> = header
        .expect("a list of headers")
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn preflight_from_an_allowed_origin_is_answered_by_the_gateway() {
    for (stack, origin, answered) in [
        (stacks::open(), ORIGIN, ORIGIN),
        (
            stacks::open(),
            "https://other.example.com",
            "https://other.example.com",
        ),
        (stacks::defaults(), "https://anywhere.example.org", "*"),
    ] {
        let api = Api::of(stack)
            .with("origin", origin)
            .with("access-control-request-method", "POST")
            .with("access-control-request-headers", "content-type,x-agent");
        for path in PATHS {
            let answer = api.raw(Method::OPTIONS, path, "", "").await;
            assert_eq!((answer.status, &*answer.text), (204, ""));
            assert_eq!(answer.header("access-control-allow-origin"), Some(answered));
            assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
            assert_eq!(
                listed(answer.header("access-control-allow-headers")),
                ALLOWED
            );
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
}

#[tokio::test]
async fn preflight_from_another_origin_allows_nothing() {
    for origin in [
        "https://evil.example.com",
        "https://app.example.com.evil.example",
        "null",
    ] {
        let api = Api::of(stacks::open())
            .with("origin", origin)
            .with("access-control-request-method", "POST");
        let answer = api.raw(Method::OPTIONS, FORGOT, "", "").await;
        assert_eq!(answer.status, 204);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{origin}"
        );
        assert_eq!(
            answer.header("access-control-allow-headers"),
            None,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn answers_and_errors_alike_expose_their_headers_to_browsers() {
    let api = Api::of(stacks::open()).with("origin", ORIGIN);
    for path in PATHS {
        for body in [json!({"email": new_address()}), json!({})] {
            let answer = api.post(path, body).await;
            assert_eq!(
                answer.header("access-control-allow-origin"),
                Some(ORIGIN),
                "{path}"
            );
            let exposed = listed(answer.header("access-control-expose-headers"));
            assert_eq!(exposed, ["retry-after", "x-request-id"], "{path}");
        }
    }
    let stranger = Api::of(stacks::open()).with("origin", "https://evil.example.com");
    let answer = stranger.post(FORGOT, json!({"email": new_address()})).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn unknown_paths_get_the_gateways_own_404() {
    let api = Api::of(stacks::open());
    for path in [
        "/auth/v1",
        "/auth/v1/forgot-password/",
        "/auth/v1/forgot-password/nothing",
        "/Auth/v1/forgot-password",
        "/directory/api/users",
        "/directory/api/users/setpassword",
        "/directory/api/users/resend%2f",
        "/_nothing",
        "/favicon.ico",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = api.raw(method, path, "application/json", "{}").await;
            assert_eq!(
                (answer.status, answer.body()),
                (404, json!({"message": "Not Found"}))
            );
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("cache-control"), None, "{path}");
            assert_eq!(answer.header("x-request-id"), None, "{path}");
        }
    }
}

#[tokio::test]
async fn bodies_too_large_for_the_gateway_get_its_own_error() {
    let api = Api::of(stacks::open());
    let body = "x".repeat(10 * 1024 * 1024 + 1);
    let answer = api
        .raw(Method::POST, FORGOT, "application/json", body)
        .await;
    assert_eq!(answer.status, 413);
    assert_eq!(
        answer.body(),
        json!({"message": "Request Entity Too Large"})
    );
    assert_eq!(answer.header("x-request-id"), None);
}

#[tokio::test]
async fn query_strings_and_cookies_change_nothing() {
    let api = Api::of(stacks::open()).with("cookie", "email=thief@example.com");
    let path = format!("{FORGOT}?email=thief%40example.com&%ff=%00");
    api.post(&path, json!({"email": new_address()}))
        .await
        .word();
    api.post(&path, json!({})).await.malformed("email");
}

#[tokio::test]
async fn any_authorization_is_ignored() {
    for value in ["Bearer", "Bearer ", "Bearer x.y.z", "Basic \u{e9}", ""] {
        let api = Api::of(stacks::open()).with("authorization", value);
        api.post(FORGOT, json!({"email": new_address()}))
            .await
            .word();
    }
}

#[tokio::test]
async fn the_service_says_that_it_is_up() {
    let answer = Api::of(stacks::open())
        .raw(Method::GET, "/_health", "", "")
        .await;
    assert_eq!(
        (answer.status, answer.body()),
        (200, json!({"status": "ok"}))
    );
}
