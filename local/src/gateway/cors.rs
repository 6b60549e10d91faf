//! CORS, as an HTTP API with a CORS configuration handles it: the gateway answers every preflight
//! request itself, and replaces the CORS headers of functions.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::template::Cors;

const OWN_HEADERS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

impl Cors {
    /// The answer to an `OPTIONS` request: 204, with CORS headers if it is a preflight request from an
    /// allowed origin.
    #[must_use]
    pub fn preflight(&self, request: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && let Some(origin) = self.allowed_origin(request)
        {
            let headers = response.headers_mut();
            self.insert_common(headers, origin);
            insert_list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods);
            insert_list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers);
            if let Some(seconds) = self.max_age {
                headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
            }
        }
        response
    }

    /// Replaces the CORS headers of a response by the configured ones.
    pub fn apply(&self, request: &HeaderMap, response: &mut HeaderMap) {
        for name in OWN_HEADERS {
            response.remove(name);
        }
        if let Some(origin) = self.allowed_origin(request) {
            self.insert_common(response, origin);
        }
    }

    fn insert_common(&self, headers: &mut HeaderMap, origin: HeaderValue) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        insert_list(
            headers,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            &self.exposed,
        );
        if self.credentials {
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }

    /// The allowed origin for the answer: `*` if every origin is allowed, or else the request's.
    fn allowed_origin(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(header::ORIGIN)?;
        if self.origins.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        let text = origin.to_str().ok()?;
        let allowed = |allowed: &String| match allowed.strip_suffix('*') {
            Some(scheme) if scheme.ends_with("://") => text.starts_with(scheme),
            _ => text.eq_ignore_ascii_case(allowed),
        };
        self.origins.iter().any(allowed).then(|| origin.clone())
    }
}

fn insert_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let (false, Ok(value)) = (values.is_empty(), HeaderValue::from_str(&values.join(","))) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
        Cors {
            origins: texts(origins),
            methods: texts(&["POST"]),
            headers: texts(&["authorization", "content-type"]),
            exposed: texts(&["retry-after", "x-request-id"]),
            max_age: Some(300),
            credentials: false,
        }
    }

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter()
            .map(|&(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    fn listed(headers: &HeaderMap) -> Vec<String> {
        let mut all: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn a_preflight_from_an_allowed_origin_gets_all_cors_headers() {
        let request = headers(&[
            ("origin", "https://a.example"),
            ("access-control-request-method", "POST"),
        ]);
        let response = cors(&["https://a.example"]).preflight(&request);
        assert_eq!(response.status(), 204);
        assert_eq!(
            listed(response.headers()),
            [
                "access-control-allow-headers: authorization,content-type",
                "access-control-allow-methods: POST",
                "access-control-allow-origin: https://a.example",
                "access-control-expose-headers: retry-after,x-request-id",
                "access-control-max-age: 300",
            ]
        );
    }

    #[test]
    fn other_options_requests_get_no_cors_header() {
        for request in [
            headers(&[]),
            headers(&[("origin", "https://a.example")]),
            headers(&[
                ("origin", "https://b.example"),
                ("access-control-request-method", "POST"),
            ]),
        ] {
            let response = cors(&["https://a.example"]).preflight(&request);
            assert_eq!(response.status(), 204);
            assert!(response.headers().is_empty(), "{request:?}");
        }
    }

    #[test]
    fn origins_are_matched_as_an_http_api_matches_them() {
        for (configured, origin, answered) in [
            ("*", "https://a.example", Some("*")),
            (
                "https://a.example",
                "https://a.example",
                Some("https://a.example"),
            ),
            ("https://a.example", "https://a.example.evil", None),
            ("https://*", "https://b.example", Some("https://b.example")),
            ("https://*", "http://b.example", None),
        ] {
            let mut response = HeaderMap::new();
            cors(&[configured]).apply(&headers(&[("origin", origin)]), &mut response);
            let found = response
                .get("access-control-allow-origin")
                .map(|it| it.to_str().unwrap());
            assert_eq!(found, answered, "{configured} {origin}");
        }
    }

    #[test]
    fn the_cors_headers_of_a_function_are_replaced() {
        let mut response = headers(&[
            ("access-control-allow-origin", "https://evil.example"),
            ("access-control-allow-credentials", "true"),
        ]);
        cors(&["https://a.example"]).apply(&headers(&[]), &mut response);
        assert!(response.is_empty());
    }
}
