//! The tour: `GET /` shows what there is on this machine.

use axum::Router;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, Html};
use axum::routing::get;
use handlebars::Handlebars;
use serde::Serialize;
use serde_json::{Value as Json, json};
use serde_yaml_ng::Value as Yaml;
use thiserror::Error;

use crate::gateway::listen::Urls;
use crate::users::DemoUser;

const PAGE: &str = include_str!("tour.html");
const STYLE: &str = concat!(include_str!("colors.css"), include_str!("tour.css"));
const REFERENCE: &str = include_str!("../../openapi.yaml");

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Why the page cannot be made of the files that are compiled in.
#[derive(Debug, Error)]
pub enum TourError {
    /// The document of the API.
    #[error("openapi.yaml cannot be read: {0}")]
    Reference(#[from] serde_yaml_ng::Error),
    /// The page itself.
    #[error("tour.html cannot be filled in: {0}")]
    Page(#[from] handlebars::RenderError),
}

/// What the page shows.
#[derive(Debug, Serialize)]
pub struct Tour<'a> {
    /// The demo users, if there are any.
    pub users: &'a [DemoUser],
    /// The URL of the user store, if users live elsewhere.
    pub user_store: Option<&'a str>,
    /// Where the API answers.
    pub api: &'a str,
    /// Where the stand-ins do.
    pub parts: Vec<Part<'a>>,
    /// The command that operates this stack.
    pub operate: &'a str,
    endpoints: Vec<Json>,
}

/// A stand-in.
#[derive(Debug, Serialize)]
pub struct Part<'a> {
    name: &'static str,
    url: &'a str,
}

impl<'a> Tour<'a> {
    /// The tour of a service.
    ///
    /// # Errors
    /// When openapi.yaml cannot be read.
    pub fn new(
        users: &'a [DemoUser],
        user_store: Option<&'a str>,
        urls: &'a Urls,
        operate: &'a str,
    ) -> Result<Self, TourError> {
        // As YAML, which keeps the order of the document.
        let reference: Yaml = serde_yaml_ng::from_str(REFERENCE)?;
        let paths = reference.get("paths").and_then(Yaml::as_mapping);
        let endpoints = paths.into_iter().flatten().filter_map(|(path, item)| {
            let summary = item.get("post")?.get("summary")?;
            Some(json!({"path": path.as_str(), "summary": summary.as_str()}))
        });
        let part = |name, url| Part { name, url };
        Ok(Self {
            users,
            user_store,
            api: &urls.api,
            parts: vec![
                part("DynamoDB", &urls.dynamodb),
                part("SES", &urls.ses),
                part("Secrets Manager", &urls.secrets),
                part("Lambda", &urls.lambda),
                part("EventBridge", &urls.events),
            ],
            operate,
            endpoints: endpoints.collect(),
        })
    }

    /// The paths of the page.
    ///
    /// # Errors
    /// When the page cannot be filled in.
    pub fn router(&self) -> Result<Router, TourError> {
        let page = Handlebars::new().render_template(PAGE, self)?;
        let page = get(async move || (headers(), Html(page)));
        // The gateway has no other method there.
        let nothing = async || {
            let body = json!({"message": "Not Found"});
            (StatusCode::NOT_FOUND, axum::Json(body))
        };
        let style = get(async || ([(header::CONTENT_TYPE, "text/css")], headers(), STYLE));
        Ok(Router::new()
            .route("/", page.fallback(nothing))
            .route("/_tour.css", style))
    }
}

fn headers() -> AppendHeaders<[(HeaderName, &'static str); 4]> {
    AppendHeaders([
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ])
}
