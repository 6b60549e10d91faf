//! The page's files as HTTP answers.

use std::collections::BTreeMap;

use regain::edge::Edge;
use regain::settings::{PageSettings, Settings};
use serde::Deserialize;
use serde_json::{Value, json};

/// Each file below `/recover/`: its name, a hash of its content, and the content.
const FILES: &[(&str, &str, &str)] = &include!("../../../web/dist/files.rs");
/// The document of the API, as the build script made it from openapi.yaml.
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
const HTML: &str = include_str!("../../../web/dist/index.html");

const PAGE: &str = "/recover";
const REFERENCE: &str = "/openapi.json";
/// Where browsers and password managers look for the page (W3C, A Well-Known URL for Changing Passwords).
const CHANGE_PASSWORD: &str = "/.well-known/change-password";

/// The fields of an API Gateway event (payload format 2.0) that the page reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    raw_path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(rename = "requestContext")]
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// The page with the operator's settings in it.
pub(crate) struct Page {
    html: String,
    policy: String,
    edge: Edge,
}

/// An answer before it becomes API Gateway's JSON.
struct Answer<'a> {
    status: u16,
    content_type: &'static str,
    caching: &'static str,
    body: &'a str,
    /// One more header.
    more: Option<(&'static str, String)>,
}

impl<'a> Answer<'a> {
    /// An answer that is never kept.
    const fn new(status: u16, content_type: &'static str, body: &'a str) -> Self {
        Self {
            status,
            content_type,
            caching: "no-store",
            body,
            more: None,
        }
    }

    fn text(status: u16, body: &'a str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }
}

impl Page {
    pub(crate) fn new(settings: &Settings, page: &PageSettings, edge: Edge) -> Self {
        let value = |name: &str| match name {
            "service_name" => settings.service_name.clone(),
            "sign_in_url" => page.sign_in_url.clone().unwrap_or_default(),
            "brand_color" => page.brand_color.clone(),
            "language" => settings.languages.auth_v1.tag().to_owned(),
            "code_length" => settings.code_length.digits().to_string(),
            "password_min_length" => settings.password_min_length.to_string(),
            "resend_cooldown" => settings.limits.cooldown.as_secs().to_string(),
            _ => String::new(),
        };
        let ancestors = page.frame_ancestors.as_deref().unwrap_or("'none'");
        Self {
            html: fill_in(HTML, value),
            policy: format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                 connect-src 'self'; base-uri 'none'; form-action 'none'; \
                 require-trusted-types-for 'script'; trusted-types 'none'; \
                 frame-ancestors {ancestors}"
            ),
            edge,
        }
    }

    /// Answers a request, as API Gateway takes answers.
    pub(crate) fn answer(&self, request: &Request) -> Value {
        let method = request.context.http.method.as_str();
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        let mut answer = match method {
            _ if !self.edge.admits(header) => {
                Answer::new(403, "application/json", r#"{"message":"Forbidden"}"#)
            }
            "GET" | "HEAD" => self.get(request),
            _ => Answer {
                more: Some(("allow", "GET, HEAD".to_owned())),
                ..Answer::text(405, "Method Not Allowed\n")
            },
        };
        if method == "HEAD" {
            answer.body = "";
        }
        let mut headers = json!({
            "content-type": answer.content_type,
            "cache-control": answer.caching,
            "content-security-policy": self.policy,
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        });
        if let (Some(headers), Some((name, value))) = (headers.as_object_mut(), answer.more) {
            headers.insert(name.to_owned(), value.into());
        }
        json!({ "statusCode": answer.status, "headers": headers, "body": answer.body })
    }

    fn get(&self, request: &Request) -> Answer<'_> {
        match request.raw_path.as_str() {
            PAGE => Answer::new(200, "text/html; charset=utf-8", &self.html),
            CHANGE_PASSWORD => Answer {
                more: Some(("location", PAGE.to_owned())),
                ..Answer::text(302, "")
            },
            REFERENCE => Answer::new(200, "application/json", OPENAPI),
            path => file(path, &request.headers),
        }
    }
}

/// A file below the page, or that there is none.
fn file(path: &str, headers: &BTreeMap<String, String>) -> Answer<'static> {
    let name = path.strip_prefix(PAGE).and_then(|it| it.strip_prefix('/'));
    let found = name.and_then(|name| FILES.iter().find(|(it, ..)| *it == name));
    let Some((name, hash, content)) = found else {
        return Answer::text(404, "Not Found\n");
    };
    let answer = Answer::new(200, content_type(name), content);
    if name.contains(hash) {
        // The name changes with the content.
        return Answer {
            caching: "public, max-age=31536000, immutable",
            ..answer
        };
    }
    let tag = format!("\"{hash}\"");
    // A proxy that compresses makes the tag a weak one.
    let known = headers.get("if-none-match").is_some_and(|known| {
        let mut known = known
            .split(',')
            .map(|it| it.trim().trim_start_matches("W/"));
        known.any(|it| it == tag || it == "*")
    });
    Answer {
        status: if known { 304 } else { 200 },
        body: if known { "" } else { content },
        caching: "no-cache",
        more: Some(("etag", tag)),
        ..answer
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

/// Puts values in place of `{{name}}`, escaped for an attribute and for text. A value is not filled in again.
fn fill_in(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        html_escape::encode_safe_to_string(value(name), &mut filled);
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use regain::settings::read_edge;

    use super::*;

    fn settings(set: &'static [(&str, &str)]) -> Page {
        let get = |name: &str| {
            let found = set.iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Page::new(
            &Settings::read(&get).unwrap(),
            &PageSettings::read(&get).unwrap(),
            read_edge(&get).unwrap(),
        )
    }

    fn ask(page: &Page, method: &str, path: &str, headers: &Value) -> Value {
        let event = json!({
            "version": "2.0",
            "rawPath": path,
            "headers": headers,
            "requestContext": { "http": { "method": method } },
        });
        page.answer(&serde_json::from_value(event).unwrap())
    }

    fn get(path: &str) -> Value {
        ask(&settings(&[]), "GET", path, &json!({}))
    }

    #[test]
    fn the_page_is_never_kept_and_allows_nothing_from_elsewhere() {
        let answer = get("/recover");
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(
            answer["headers"],
            json!({
                "content-type": "text/html; charset=utf-8",
                "cache-control": "no-store",
                "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                    connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; \
                    trusted-types 'none'; frame-ancestors 'none'",
                "referrer-policy": "no-referrer",
                "x-content-type-options": "nosniff",
            })
        );
    }

    #[test]
    fn every_file_that_the_page_names_is_there_and_kept_for_good() {
        let html = get("/recover")["body"].as_str().unwrap().to_owned();
        let named: Vec<_> = html
            .split('"')
            .filter(|it| it.starts_with("recover/"))
            .collect();
        assert_eq!(named.len(), 4, "{named:?}");
        for path in named {
            let answer = get(&format!("/{path}"));
            assert_eq!(answer["statusCode"], 200, "{path}");
            let is_kept =
                answer["headers"]["cache-control"] == "public, max-age=31536000, immutable";
            assert_eq!(is_kept, path != "recover/regain.js", "{path}");
        }
    }

    #[test]
    fn the_document_of_the_api_is_that_of_the_repository() {
        let answer = get("/openapi.json");
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(answer["headers"]["content-type"], "application/json");
        let served: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let source = include_str!("../../../openapi.yaml");
        assert_eq!(served, serde_yaml_ng::from_str::<Value>(source).unwrap());
    }

    #[test]
    fn the_client_is_asked_for_again_and_answered_by_its_tag() {
        let page = settings(&[]);
        let path = "/recover/regain.js";
        let first = get(path);
        assert_eq!(first["headers"]["cache-control"], "no-cache");
        assert_eq!(
            first["headers"]["content-type"],
            "text/javascript; charset=utf-8"
        );
        let tag = first["headers"]["etag"].as_str().unwrap();
        for known in [tag, &format!("W/{tag}"), &format!("\"x\", {tag}"), "*"] {
            let again = ask(&page, "GET", path, &json!({ "if-none-match": known }));
            assert_eq!(again["statusCode"], 304, "{known}");
            assert_eq!(again["body"], "");
            assert_eq!(again["headers"]["etag"], tag);
        }
        let other = ask(&page, "GET", path, &json!({ "if-none-match": "\"x\"" }));
        assert_eq!(other["statusCode"], 200);
    }

    #[test]
    fn anything_else_below_the_page_is_not_found() {
        for path in [
            "/recover/",
            "/recover/x",
            "/recover/index.html",
            "/recover/files.rs",
            "/recover/../recover",
            "/recoverregain.js",
            "/",
        ] {
            let answer = get(path);
            assert_eq!(answer["statusCode"], 404, "{path}");
            assert_eq!(answer["headers"]["cache-control"], "no-store");
        }
    }

    #[test]
    fn head_has_the_headers_of_get_and_no_body() {
        for path in ["/recover", "/recover/regain.js", "/recover/x"] {
            let mut expected = get(path);
            expected["body"] = json!("");
            assert_eq!(ask(&settings(&[]), "HEAD", path, &json!({})), expected);
        }
    }

    #[test]
    fn other_methods_are_refused() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = ask(&settings(&[]), method, "/recover", &json!({}));
            assert_eq!(answer["statusCode"], 405);
            assert_eq!(answer["headers"]["allow"], "GET, HEAD");
        }
    }

    #[test]
    fn whoever_does_not_come_through_the_edge_is_refused_if_it_is_the_only_way() {
        let secret = "0123456789abcdef0123456789ABCDEF";
        let page = settings(&[
            ("EDGE_SECRET", "0123456789abcdef0123456789ABCDEF"),
            ("EDGE_ONLY", "true"),
        ]);
        for path in [
            "/recover",
            "/recover/regain.js",
            "/.well-known/change-password",
        ] {
            for headers in [
                json!({}),
                json!({ "x-edge-secret": "x" }),
                json!({ "x-origin-secret": "x" }),
            ] {
                let answer = ask(&page, "GET", path, &headers);
                assert_eq!(answer["statusCode"], 403, "{path}");
                assert_eq!(answer["body"], "{\"message\":\"Forbidden\"}");
                assert_eq!(answer["headers"]["content-type"], "application/json");
            }
            let answer = ask(&page, "GET", path, &json!({ "x-edge-secret": secret }));
            assert_ne!(answer["statusCode"], 403, "{path}");
        }
    }

    #[test]
    fn the_well_known_address_leads_to_the_page() {
        let answer = get("/.well-known/change-password");
        assert_eq!(answer["statusCode"], 302);
        assert_eq!(answer["headers"]["location"], "/recover");
    }

    #[test]
    fn settings_are_in_the_html_and_cannot_break_out_of_it() {
        let page = settings(&[
            ("SERVICE_NAME", "R & B <\"shop\">, {{code_length}}"),
            ("SIGN_IN_URL", "https://app.example.com/sign-in?a=1&b=2"),
            ("BRAND_COLOR", "#aB12ef"),
            ("CODE_LENGTH", "8"),
            ("PASSWORD_MIN_LENGTH", "12"),
            ("RESEND_COOLDOWN_SECONDS", "90"),
            ("AUTH_V1_LANGUAGE", "en"),
            ("FRAME_ANCESTORS", "https://app.example.com"),
        ]);
        let answer = ask(&page, "GET", "/recover", &json!({}));
        let html = answer["body"].as_str().unwrap();
        for expected in [
            "data-service-name=\"R &amp; B &lt;&quot;shop&quot;&gt;, {{code_length}}\"",
            "data-sign-in-url=\"https:&#x2F;&#x2F;app.example.com&#x2F;sign-in?a=1&amp;b=2\"",
            "data-brand-color=\"#aB12ef\"",
            "data-language=\"en\"",
            "data-code-length=\"8\"",
            "data-password-min-length=\"12\"",
            "data-resend-cooldown=\"90\"",
            "<title>R &amp; B &lt;&quot;shop&quot;&gt;, {{code_length}}</title>",
        ] {
            assert!(html.contains(expected), "{expected} in {html}");
        }
        let policy = answer["headers"]["content-security-policy"]
            .as_str()
            .unwrap();
        assert!(policy.ends_with("; frame-ancestors https://app.example.com"));
    }
}
