//! Turns API Gateway's events into HTTP requests, and answers into its responses (payload format 2.0).
//!
//! `lambda_http` is not used for this. It rebuilds the URL and panics if that fails, so that an unencoded
//! character in a query, or a blank in `Host`, would end the instance. No endpoint needs its URL.

use data_encoding::BASE64;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::request::RequestContext;
use lambda_http::{Body, LambdaEvent, Request, RequestExt as _};

use crate::protocol::Reply;

/// The request in an event, without its URL.
pub(super) fn request(event: LambdaEvent<ApiGatewayV2httpRequest>) -> Request {
    let LambdaEvent { payload, context } = event;
    let body = match payload.body {
        None => Body::Empty,
        // Invalid base64 becomes an empty body, which is not JSON.
        Some(body) if payload.is_base64_encoded => BASE64
            .decode(body.as_bytes())
            .map_or(Body::Empty, Body::Binary),
        Some(body) => Body::Text(body),
    };
    let mut request = Request::new(body);
    *request.method_mut() = payload.request_context.http.method.clone();
    *request.headers_mut() = payload.headers;
    request
        .with_request_context(RequestContext::ApiGatewayV2(payload.request_context))
        .with_lambda_context(context)
}

/// The response for API Gateway. All answers are text.
pub(super) fn response(reply: Reply) -> ApiGatewayV2httpResponse {
    let (parts, body) = reply.into_parts();
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = parts.status.as_u16().into();
    response.headers = parts.headers;
    response.body = Some(body);
    response
}

#[cfg(test)]
mod tests {
    use lambda_http::http::Method;
    use serde_json::{Value, json};

    use super::*;

    fn read(changed: Value) -> Request {
        let mut event = json!({
            "version": "2.0",
            "routeKey": "POST /auth/v1/forgot-password",
            "rawPath": "/auth/v1/forgot-password",
            "rawQueryString": "",
            "headers": { "host": "api.example.com", "x-agent": "B\u{fc}ro" },
            "requestContext": {
                "http": { "method": "POST", "sourceIp": "203.0.113.55" },
                "stage": "$default",
            },
            "body": "{}",
            "isBase64Encoded": false,
        });
        let Value::Object(changed) = changed else {
            panic!("an object")
        };
        event.as_object_mut().unwrap().extend(changed);
        let payload = serde_json::from_value(event).unwrap();
        request(LambdaEvent::new(payload, lambda_http::Context::default()))
    }

    #[test]
    fn method_headers_and_body_are_the_callers() {
        let request = read(json!({}));
        assert_eq!(request.method(), Method::POST);
        assert_eq!(
            request.headers()["x-agent"].as_bytes(),
            "B\u{fc}ro".as_bytes()
        );
        assert_eq!(request.body().as_ref(), b"{}");
    }

    #[test]
    fn a_call_is_read_whatever_its_url_and_host() {
        for (changed, why) in [
            (json!({ "rawQueryString": "a=<b>" }), "a sign to be encoded"),
            (json!({ "rawQueryString": "a b" }), "a blank in the query"),
            (json!({ "rawPath": "" }), "no path"),
            (
                json!({ "headers": { "host": "a b" } }),
                "a blank in the host",
            ),
            (json!({ "headers": { "host": "" } }), "no host"),
            (
                json!({ "headers": { "host": "a", "x-forwarded-proto": "1" } }),
                "no scheme",
            ),
        ] {
            assert_eq!(read(changed).body().as_ref(), b"{}", "{why}");
        }
    }

    #[test]
    fn a_base64_body_is_decoded_and_an_invalid_one_is_empty() {
        for (body, read_as) in [("e30=", "{}"), ("e30", ""), ("{}", ""), ("", "")] {
            let request = read(json!({ "body": body, "isBase64Encoded": true }));
            assert_eq!(request.body().as_ref(), read_as.as_bytes(), "{body:?}");
        }
        assert_eq!(read(json!({ "body": null })).body().as_ref(), b"");
    }

    #[test]
    fn an_answer_has_its_status_headers_and_text() {
        let mut reply = Reply::new(Body::Text("{}".to_owned()));
        *reply.status_mut() = lambda_http::http::StatusCode::GONE;
        reply.headers_mut().insert(
            "retry-after",
            lambda_http::http::HeaderValue::from_static("2"),
        );
        assert_eq!(
            serde_json::to_value(response(reply)).unwrap(),
            json!({
                "statusCode": 410,
                "headers": { "retry-after": "2" },
                "multiValueHeaders": {},
                "body": "{}",
                "isBase64Encoded": false,
                "cookies": [],
            })
        );
    }
}
