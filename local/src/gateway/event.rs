//! The events and answers that an HTTP API exchanges with functions: payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts,
};
use data_encoding::BASE64;
use regain::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::template::{ACCOUNT, Route};

const API_ID: &str = "local";
const STAGE: &str = "$default";

/// The access log's form: `12/Mar/2020:19:03:58 +0000`.
const COMMON_LOG_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

/// What the gateway knows of a request besides its content.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Its id.
    pub request_id: &'a str,
    /// Where the connection comes from.
    pub peer: SocketAddr,
    /// When it arrived.
    pub at: Timestamp,
}

/// The event for a request.
///
/// # Errors
/// None in practice: everything in an event can be written as JSON.
pub fn event(
    request: &Parts,
    body: &[u8],
    route: &Route,
    context: Context<'_>,
) -> serde_json::Result<Bytes> {
    let source_ip = context.peer.ip().to_string();
    let headers = headers(&request.headers, &source_ip);
    let text = |name: &str| headers.get(name).and_then(Json::as_str).unwrap_or_default();
    let host = text("host");
    let domain = host
        .rsplit_once(':')
        .map_or(host, |(name, _)| name)
        .to_owned();
    let user_agent = text("user-agent").to_owned();
    let path = request.uri.path();
    let query = request.uri.query().unwrap_or_default();
    let (body, is_base64) = match std::str::from_utf8(body) {
        Ok("") => (None, false),
        Ok(text) => (Some(text.to_owned()), false),
        Err(_) => (Some(BASE64.encode(body)), true),
    };
    let route_key = format!("{} {}", route.method, route.path);
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": domain,
            "domainPrefix": domain.split('.').next().unwrap_or_default(),
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", request.version),
                "sourceIp": source_ip,
                "userAgent": user_agent,
            },
            "requestId": context.request_id,
            "routeKey": route_key,
            "stage": STAGE,
            "time": common_log_time(context.at),
            "timeEpoch": context.at.millis(),
        },
        "isBase64Encoded": is_base64,
    });
    let optional = [
        ("body", body.map(Json::from)),
        ("cookies", cookies(&request.headers)),
        ("queryStringParameters", query_parameters(query)),
    ];
    if let Some(fields) = event.as_object_mut() {
        for (name, value) in optional {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    serde_json::to_vec(&event).map(Bytes::from)
}

/// The headers of an event. Names are in lower case, repeated headers are joined by commas, and cookies
/// have a field of their own. The caller can put anything into `x-forwarded-for` before the gateway adds
/// the source address to it, so nothing may trust this header.
fn headers(received: &HeaderMap, source_ip: &str) -> Map<String, Json> {
    let mut headers = BTreeMap::<&str, String>::new();
    for name in received.keys().filter(|name| **name != header::COOKIE) {
        let values = received.get_all(name).iter();
        let values: Vec<_> = values
            .map(|it| String::from_utf8_lossy(it.as_bytes()))
            .collect();
        headers.insert(name.as_str(), values.join(","));
    }
    let forwarded = match headers.get("x-forwarded-for") {
        Some(before) => format!("{before}, {source_ip}"),
        None => source_ip.to_owned(),
    };
    headers.insert("x-forwarded-for", forwarded);
    headers.insert("x-forwarded-proto", "http".to_owned());
    headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Json::from(value)))
        .collect()
}

fn cookies(received: &HeaderMap) -> Option<Json> {
    let values = received
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let cookies: Vec<_> = values
        .flat_map(|value| value.split(';'))
        .map(str::trim)
        .collect();
    (!cookies.is_empty()).then(|| Json::from(cookies))
}

fn query_parameters(query: &str) -> Option<Json> {
    let mut parameters = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .or_default()
            .push(value.into_owned());
    }
    let joined = parameters
        .into_iter()
        .map(|(name, values)| (name, Json::from(values.join(","))));
    let joined: Map<_, _> = joined.collect();
    (!joined.is_empty()).then_some(Json::Object(joined))
}

fn common_log_time(at: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(at.millis().div_euclid(1000))
        .ok()
        .and_then(|at| at.format(COMMON_LOG_TIME).ok())
        .unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: Option<Map<String, Json>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The HTTP response in a function's answer, or `None` if the answer is not a response.
///
/// An answer without a status code is the body itself, as JSON with status 200.
#[must_use]
pub fn response(answer: &[u8]) -> Option<Response<Body>> {
    let value: Json = serde_json::from_slice(answer).ok()?;
    if value.get("statusCode").is_none() {
        let mut response = Response::new(Body::from(answer.to_vec()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        return Some(response);
    }
    let answer: Answer = serde_json::from_value(value).ok()?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded {
        BASE64.decode(body.as_bytes()).ok()?
    } else {
        body.into_bytes()
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers.unwrap_or_default() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = crate::template::scalar(&value)?;
        if !is_connections_own(&name) {
            headers.insert(name, HeaderValue::from_str(&value).ok()?);
        }
    }
    for cookie in answer.cookies.unwrap_or_default() {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
    }
    let text = HeaderValue::from_static("text/plain;charset=UTF-8");
    headers.entry(header::CONTENT_TYPE).or_insert(text);
    Some(response)
}

/// Headers that belong to the connection between gateway and caller (RFC 9110, 7.6.1).
fn is_connections_own(name: &HeaderName) -> bool {
    [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ]
    .contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn route() -> Route {
        Route {
            method: "POST".into(),
            path: "/a/b".into(),
            function: "F".into(),
        }
    }

    fn event_of(request: Request<()>, body: &[u8]) -> Json {
        let (parts, ()) = request.into_parts();
        let context = Context {
            request_id: "id",
            peer: ([192, 0, 2, 7], 1234).into(),
            at: Timestamp::from_millis(1_583_348_638_390),
        };
        serde_json::from_slice(&event(&parts, body, &route(), context).unwrap()).unwrap()
    }

    #[test]
    fn a_request_becomes_an_event_in_format_two() {
        let request = Request::post("/a/b?x=1&x=2&y=a+b%20c")
            .header("Host", "localhost:3000")
            .header("User-Agent", "agent/1")
            .header("X-Twice", "one")
            .header("X-Twice", "two")
            .header("Cookie", "a=1; b=2")
            .header("X-Forwarded-For", "203.0.113.9")
            .body(())
            .unwrap();
        insta::assert_json_snapshot!(event_of(request, b"{\"a\": 1}"), @r#"
        {
          "body": "{\"a\": 1}",
          "cookies": [
            "a=1",
            "b=2"
          ],
          "headers": {
            "host": "localhost:3000",
            "user-agent": "agent/1",
            "x-forwarded-for": "203.0.113.9, 192.0.2.7",
            "x-forwarded-proto": "http",
            "x-twice": "one,two"
          },
          "isBase64Encoded": false,
          "queryStringParameters": {
            "x": "1,2",
            "y": "a b c"
          },
          "rawPath": "/a/b",
          "rawQueryString": "x=1&x=2&y=a+b%20c",
          "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
              "method": "POST",
              "path": "/a/b",
              "protocol": "HTTP/1.1",
              "sourceIp": "192.0.2.7",
              "userAgent": "agent/1"
            },
            "requestId": "id",
            "routeKey": "POST /a/b",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390
          },
          "routeKey": "POST /a/b",
          "version": "2.0"
        }
        "#);
    }

    #[test]
    fn a_body_that_is_not_text_is_sent_as_base64() {
        let event = event_of(Request::post("/a/b").body(()).unwrap(), &[0xff, 0x00]);
        assert_eq!(event.get("body"), Some(&Json::from("/wA=")));
        assert_eq!(event.get("isBase64Encoded"), Some(&Json::from(true)));
    }

    #[test]
    fn an_empty_body_is_left_out() {
        let event = event_of(Request::post("/a/b").body(()).unwrap(), b"");
        assert_eq!(event.get("body"), None);
    }

    #[tokio::test]
    async fn an_answer_becomes_a_response() {
        let answer = json!({
            "statusCode": 418,
            "headers": {"Content-Type": "application/json", "retry-after": 7, "content-length": "1"},
            "cookies": ["a=1", "b=2"],
            "body": "e30=",
            "isBase64Encoded": true,
        });
        let response = response(answer.to_string().as_bytes()).unwrap();
        assert_eq!(response.status(), 418);
        let headers = response.headers().clone();
        assert_eq!(headers.get("retry-after").unwrap(), "7");
        assert_eq!(headers.get("content-type").unwrap(), "application/json");
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        assert!(headers.get("content-length").is_none());
        let body = axum::body::to_bytes(response.into_body(), 100)
            .await
            .unwrap();
        assert_eq!(&body[..], b"{}");
    }

    #[tokio::test]
    async fn an_answer_without_a_status_is_the_body() {
        let response = response(br#"{"a": 1}"#).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers().get("content-type").unwrap(),
            "application/json"
        );
        let body = axum::body::to_bytes(response.into_body(), 100)
            .await
            .unwrap();
        assert_eq!(&body[..], br#"{"a": 1}"#);
    }

    #[test]
    fn an_answer_that_is_not_a_response_is_none() {
        for answer in [
            "not json",
            r#"{"statusCode": "x"}"#,
            r#"{"statusCode": 9}"#,
            r#"{"statusCode": 200, "body": "%", "isBase64Encoded": true}"#,
            r#"{"statusCode": 200, "headers": {"a b": "c"}}"#,
        ] {
            assert!(response(answer.as_bytes()).is_none(), "{answer}");
        }
    }
}
