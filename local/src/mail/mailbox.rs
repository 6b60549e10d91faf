//! The mailbox: shows the mail that SES would have sent, as a page and as JSON.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::mail::store::MailStore;

const PAGE: &str = include_str!("mailbox.html");
const SCRIPT: &str = include_str!("mailbox.js");
const STYLE: &str = concat!(include_str!("../colors.css"), include_str!("mailbox.css"));

/// Scripts come from this server only. A mail is shown in a sandboxed frame that inherits this policy, so
/// it cannot run any. Styles need `'unsafe-inline'`, because mails have theirs in their HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// The paths that the local service has beside the API.
pub fn router(mails: MailStore) -> Router {
    Router::new()
        .route("/_health", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/_mail", get(page))
        .route(
            "/_mail.js",
            get(|| async { asset("text/javascript", SCRIPT) }),
        )
        .route("/_mail.css", get(|| async { asset("text/css", STYLE) }))
        .route("/_mail.json", get(list))
        .with_state(mails)
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

/// The mail as JSON. The page asks every second, and gets the mail only if it has changed.
async fn list(
    State(mails): State<MailStore>,
    Query(filter): Query<Filter>,
    request: HeaderMap,
) -> Response {
    let version = mails.version();
    let headers = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, version.as_str()),
    ];
    if request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|seen| *seen == version)
    {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let to = filter.to.filter(|to| !to.trim().is_empty());
    (headers, Json(mails.newest_first(to.as_deref()))).into_response()
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(PAGE))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text)
}
