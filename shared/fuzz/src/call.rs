//! A call, read from a text that people can write, and answered as a function answers it.
//!
//! ```text
//! POST setPassword
//! content-type: application/json
//!
//! {"id": "60115a65c0c6974f894f9ea6", …
//! ```

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use regain::api::Protocol;
use regain::audit::AuditTrail;
use regain::edge::Edge;
use regain::locale::Locale;
use regain::protocol::{Call, Failure, Reply};

use data_encoding::BASE64;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method};
use lambda_http::{Context, LambdaEvent};

/// The id that every call here has in the logs.
pub const REQUEST_ID: &str = "3f2a9c1e-fuzz";

thread_local! {
    static RUNTIME: RefCell<tokio::runtime::Runtime> = RefCell::new(
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap(),
    );
}

/// One call, as the input spells it.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// Its method.
    pub method: Method,
    /// The last part of its path.
    pub endpoint: &'a str,
    /// Its headers. Of a header given twice the last one counts, because the gateway passes on one of each.
    pub headers: HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

impl<'a> Written<'a> {
    /// Reads a call, if the input is one.
    #[must_use]
    pub fn read(input: &'a [u8]) -> Option<Self> {
        let end = input.windows(2).position(|pair| pair == b"\n\n")?;
        let (head, rest) = input.split_at(end);
        let mut lines = std::str::from_utf8(head).ok()?.split('\n');
        let (method, endpoint) = lines.next()?.split_once(' ')?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            headers.insert(
                name.parse::<HeaderName>().ok()?,
                HeaderValue::from_bytes(value.trim().as_bytes()).ok()?,
            );
        }
        Some(Self {
            method: method.parse().ok()?,
            endpoint,
            headers,
            body: rest.strip_prefix(b"\n\n")?,
        })
    }

    /// A header's text, with U+FFFD for bytes that are not text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let value = self.headers.get(name).map(HeaderValue::as_bytes);
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    }

    /// The gateway's event for this call.
    #[must_use]
    pub fn event(&self) -> ApiGatewayV2httpRequest {
        let mut event = ApiGatewayV2httpRequest::default();
        event.request_context.http.method = self.method.clone();
        event.request_context.http.source_ip = Some("203.0.113.55".to_owned());
        event.headers = self.headers.clone();
        match std::str::from_utf8(self.body) {
            Ok("") => {}
            Ok(text) => event.body = Some(text.to_owned()),
            Err(_) => {
                event.body = Some(BASE64.encode(self.body));
                event.is_base64_encoded = true;
            }
        }
        event
    }
}

/// The language of callers who ask for none of ours.
#[must_use]
pub const fn default_language(protocol: Protocol) -> Locale {
    match protocol {
        Protocol::Directory => Locale::En,
        Protocol::AuthV1 => Locale::Id,
    }
}

/// Answers an event by an endpoint, as a function does.
pub fn answered<A>(
    protocol: Protocol,
    endpoint: impl FnOnce(Call) -> A,
    event: ApiGatewayV2httpRequest,
) -> ApiGatewayV2httpResponse
where
    A: Future<Output = Result<Reply, Failure>>,
{
    let mut context = Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    let event = LambdaEvent::new(event, context);
    let language = default_language(protocol);
    let trail = AuditTrail::new(std::io::sink());
    let edge = Edge::default();
    let answer = regain::function::answer(
        protocol,
        language,
        &edge,
        &trail,
        Duration::from_secs(9),
        endpoint,
        event,
    );
    block_on(answer)
}

/// Waits for a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with_borrow(|runtime| runtime.block_on(future))
}
