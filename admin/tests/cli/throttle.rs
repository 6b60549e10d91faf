//! `regain throttle`: shows and clears the throttle of an address.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use regain::ambient;
use serde_json::json;

use crate::kit::Kit;

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A set of that many names of guesses.
fn guesses(count: u8) -> AttributeValue {
    AttributeValue::Bs((0..count).map(|name| Blob::new([name; 8])).collect())
}

/// An address that asked for codes just now, and whose code was guessed at today and yesterday.
async fn throttled() -> Kit {
    let kit = Kit::new().await;
    let now = ambient::now();
    kit.put_address_state(
        "ann@example.com",
        &[
            ("expiresAt", n(now.millis() / 1000 + 1000)),
            ("lastCodeAt", n(now.millis())),
            (&format!("codesHour{}", now.hour()), n(2)),
            // The test goes on where an hour or a day ends while it runs.
            (&format!("codesHour{}", now.hour() + 1), n(2)),
            (&format!("codesDay{}", now.day()), n(7)),
            (&format!("codesDay{}", now.day() + 1), n(7)),
            (&format!("triesDay{}", now.day() - 1), guesses(30)),
            (&format!("triesDay{}", now.day()), guesses(4)),
            (&format!("triesDay{}", now.day() + 1), guesses(4)),
        ],
    )
    .await;
    kit
}

#[tokio::test]
async fn the_throttle_state_of_an_address_is_shown_with_the_stacks_limits() {
    let kit = throttled().await;
    kit.aws.answers(
        "DescribeStacks",
        json!({
            "outputs": {"TableName": "regain", "IndexKeyArn": "IndexKey", "CodeKeyArn": "CodeKey"},
            "parameters": {"EmailRequestsPerHour": "3", "ResendCooldownSeconds": "3600"},
        }),
    );
    let ran = kit
        .run(&["throttle", "show", "ANN@example.com", "--stack", "regain"])
        .await;
    let lines = ran.well();
    assert!(lines[1].starts_with("cooldown             3"), "{lines:?}");
    assert!(
        lines[2].starts_with("codes this hour      2 of 3 (2 for unknown networks), until "),
        "{lines:?}"
    );
    assert!(
        lines[3].starts_with("codes today          7 of 20 (14 for unknown networks), until "),
        "{lines:?}"
    );
    assert!(
        lines[4].starts_with("wrong guesses today  4 of 30 (20 for unknown networks), until "),
        "{lines:?}"
    );
    assert_eq!(ran.err, "");
}

#[tokio::test]
async fn limits_are_marked_as_assumed_if_the_stacks_are_unknown() {
    let kit = throttled().await;
    let named = ["--table", "regain", "--index-key-secret", "IndexKey"];
    let ran = kit
        .run(&[&["throttle", "show", "ann@example.com"], &named[..]].concat())
        .await;
    ran.well();
    assert!(
        ran.err.starts_with("note: the limits are the defaults"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn clearing_removes_cooldown_and_counts() {
    let kit = throttled().await;
    let clear = ["throttle", "clear", "ann@example.com"];
    let ran = kit.local(&clear).await;
    assert!(
        ran.well()[0].starts_with(
            "cleared: ann@example.com may guess at once, and ask for a code after a minute at most"
        ),
        "{ran:?}"
    );
    assert_eq!(
        kit.address_state("ann@example.com").await,
        ["expiresAt", "pk"]
    );
    let ran = kit.local(&["throttle", "show", "ann@example.com"]).await;
    let lines = ran.well();
    assert_eq!(
        lines[..2],
        [
            "last code            none in two days, or cleared since",
            "cooldown             none"
        ]
    );
    assert!(
        lines[4].starts_with("wrong guesses today  0 of 30"),
        "{lines:?}"
    );
    assert_eq!(
        kit.local(&clear).await.well(),
        ["nothing throttles ann@example.com"]
    );
}

#[tokio::test]
async fn an_address_that_never_asked_is_not_throttled() {
    let kit = Kit::new().await;
    let ran = kit.local(&["throttle", "clear", "ann@example.com"]).await;
    assert_eq!(ran.well(), ["nothing throttles ann@example.com"]);
    assert_eq!(kit.keys().await, [""; 0]);
}
