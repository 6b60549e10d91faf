//! Behind a CDN: which address a call is counted under, and which calls are refused.

use reqwest::Method;
use serde_json::json;

use testkit::answer::Answer;
use testkit::client::{Api, FORGOT, Mobile, PATHS};
use testkit::people::new_address;
use testkit::stack::{Setup, Stack};

const SECRET: &str = "x-edge-secret";
/// `CloudFront` adds no header that begins with `X-Edge-`.
const FOR_CLOUDFRONT: &str = "x-origin-secret";
const CLOUDFRONT: &str = "cloudfront-viewer-address";
const FORWARDED: &str = "x-forwarded-for";

const OLD: &str = "an-old-secret-of-the-edge-in-front";
const NEW: &str = "a-new-secret-of-the-edge-in-front!";

/// A stack that lets a caller ask for one code an hour.
fn one_an_hour() -> Setup {
    Setup::default()
        .unthrottled()
        .set("IP_REQUESTS_PER_HOUR", 1)
}

/// Asks for a code of an address of its own.
async fn ask(stack: &Stack, address: [u8; 4], headers: &[(&'static str, &str)]) -> Answer {
    let api = Api::from(stack, address);
    let api = headers
        .iter()
        .fold(api, |api, (name, value)| api.with(name, value));
    Mobile(api).forgot(&new_address()).await
}

#[tokio::test]
async fn a_caller_behind_the_edge_is_counted_by_the_address_that_the_edge_names() {
    let stack = one_an_hour()
        .set("EDGE_SECRET", format!("{OLD},{NEW}"))
        .start();
    let edge = [127, 0, 3, 1];
    // Each caller in two spellings: the second call is one too many.
    for [first, second] in [
        [
            (CLOUDFRONT, "198.51.100.1:46532"),
            (CLOUDFRONT, "198.51.100.1:1"),
        ],
        [
            (CLOUDFRONT, "2001:db8:1:1::7:46532"),
            (CLOUDFRONT, "2001:0db8:0001:0001:0000:0000:0000:0008:1"),
        ],
        [
            (FORWARDED, "198.51.100.2"),
            (FORWARDED, "203.0.113.9, 198.51.100.2"),
        ],
        [
            (FORWARDED, "2001:db8:1:2::7"),
            (CLOUDFRONT, "2001:db8:1:2::8:443"),
        ],
    ] {
        ask(&stack, edge, &[(SECRET, OLD), first]).await.word();
        let refused = ask(&stack, edge, &[(FOR_CLOUDFRONT, NEW), second]).await;
        refused.refused("too_many_requests");
    }
}

#[tokio::test]
async fn a_header_without_the_secret_names_nobody() {
    let with_edge = one_an_hour().set("EDGE_SECRET", OLD).start();
    let without = one_an_hour().start();
    for (stack, secrets) in [
        (
            &with_edge,
            ["", "x", NEW, &OLD.to_uppercase(), &OLD[1..]].as_slice(),
        ),
        (&without, &["", OLD]),
    ] {
        let caller = [127, 0, 3, 2];
        ask(stack, caller, &[]).await.word();
        for secret in secrets {
            for spoofed in [(CLOUDFRONT, "198.51.100.3:1"), (FORWARDED, "198.51.100.3")] {
                let refused = ask(stack, caller, &[(SECRET, secret), spoofed]).await;
                refused.refused("too_many_requests");
            }
        }
    }
}

#[tokio::test]
async fn a_malformed_header_of_the_edge_counts_as_its_own_address() {
    let stack = one_an_hour().set("EDGE_SECRET", OLD).start();
    let edge = [127, 0, 3, 3];
    ask(&stack, edge, &[(SECRET, OLD)]).await.word();
    for malformed in [
        (CLOUDFRONT, "198.51.100.4"),
        (CLOUDFRONT, "198.51.100.4:http"),
        (CLOUDFRONT, "[2001:db8::4]:443"),
        (CLOUDFRONT, "somewhere:443"),
        (FORWARDED, "198.51.100.4, unknown"),
        (FORWARDED, "198.51.100.4:443"),
        (FORWARDED, ""),
    ] {
        let refused = ask(&stack, edge, &[(SECRET, OLD), malformed]).await;
        refused.refused("too_many_requests");
    }
    // Without a good first header, the second counts.
    let both = [
        (SECRET, OLD),
        (CLOUDFRONT, "198.51.100.4"),
        (FORWARDED, "198.51.100.5"),
    ];
    ask(&stack, edge, &both).await.word();
}

#[tokio::test]
async fn where_the_edge_is_the_only_way_everybody_else_is_refused() {
    let stack = Setup::default()
        .set("EDGE_SECRET", format!("{OLD},{NEW}"))
        .set("EDGE_ONLY", "true")
        .start();
    let direct = Api::of(&stack);
    let page = ["/recover", "/.well-known/change-password"];
    for api in [direct.clone(), direct.clone().with(SECRET, "x")] {
        for path in PATHS {
            for method in [Method::POST, Method::GET] {
                let body = json!({"email": new_address()}).to_string();
                let answer = api.raw(method, path, "application/json", body).await;
                assert_eq!(answer.status, 403, "{answer:?}");
                assert_eq!(answer.text, "{\"message\":\"Forbidden\"}");
                assert_eq!(answer.header("content-type"), Some("application/json"));
            }
        }
        for path in page {
            let answer = api.raw(Method::GET, path, "", "").await;
            assert_eq!(
                (answer.status, &*answer.text),
                (403, "{\"message\":\"Forbidden\"}")
            );
        }
    }
    for secret in [OLD, NEW] {
        let api = direct.clone().with(SECRET, secret);
        api.post(FORGOT, json!({"email": new_address()}))
            .await
            .word();
        assert_eq!(api.raw(Method::GET, page[0], "", "").await.status, 200);
    }
}

#[tokio::test]
async fn an_invalid_secret_stops_the_start_and_is_not_printed() {
    for (settings, told) in [
        (
            [("EDGE_SECRET", "a-short-secret"), ("EDGE_ONLY", "false")],
            "EDGE_SECRET must be 32 to 256 visible ASCII characters",
        ),
        (
            [("EDGE_SECRET", ""), ("EDGE_ONLY", "true")],
            "EDGE_ONLY is true, and EDGE_SECRET is not set",
        ),
    ] {
        let setup = settings
            .iter()
            .fold(Setup::default(), |setup, (name, value)| {
                setup.set(name, value)
            });
        let said = setup.try_start().unwrap_err().said;
        assert!(said.contains(told), "{said}");
        assert!(!said.contains("a-short-secret"), "{said}");
    }
}
