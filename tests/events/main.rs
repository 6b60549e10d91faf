//! Invokes each function with its fixtures in `events/`, and compares the answers with the snapshots.
//!
//! The functions are the real binaries, behind the Runtime API. The table, the secrets and the mail are those of
//! `cargo run -- --seed events`. `snapshots/` has one file for each fixture. `scripts/sam-local` runs the same
//! fixtures on the functions as SAM builds them.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by panicking, and so do the functions it is made of"
)]

mod connections;
mod invoker;
mod logs;
mod reference;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use data_encoding::BASE64;
use flate2::read::GzDecoder;
use local::template::Stack;
use serde_json::Value as Json;

use testkit::fixture::{self, Fixture};
use testkit::fixture_stack::{self, FixtureStack};

use invoker::Invoker;

#[tokio::test]
async fn every_fixture_is_answered_as_its_snapshot_says() {
    let fixtures = Fixture::all();
    let answers = match Invoker::from_env() {
        Some(invoker) => invoker.answers(&fixtures).await,
        None => {
            FixtureStack::start(|program| program)
                .await
                .answers(&fixtures)
                .await
        }
    };
    let mut different = Vec::new();
    for fixture in &fixtures {
        let answer = &answers[&fixture.name()];
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(Path::new("snapshots").join(&fixture.function));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let compare = || insta::assert_snapshot!(fixture.case.as_str(), answer);
        if catch_unwind(AssertUnwindSafe(|| settings.bind(compare))).is_err() {
            different.push(fixture.name());
        }
    }
    assert!(
        different.is_empty(),
        "not as their snapshots: {different:?}"
    );
}

#[test]
fn every_snapshot_has_its_fixture() {
    let fixtures: BTreeSet<_> = Fixture::all().iter().map(Fixture::name).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/snapshots");
    let snapshots: BTreeSet<_> = fixture::files(&folder, "snap").collect();
    assert_eq!(snapshots, fixtures);
}

#[test]
fn every_http_fixture_is_on_a_route_to_its_function() {
    let stack = fixture_stack::template();
    for fixture in Fixture::all() {
        let Some(route_key) = fixture.event.get("routeKey").and_then(Json::as_str) else {
            continue;
        };
        let route = stack
            .routes
            .iter()
            .find(|route| format!("{} {}", route.method, route.path) == route_key);
        let route = route.unwrap_or_else(|| panic!("{}: no route {route_key}", fixture.name()));
        let function = stack.function(&route.function).unwrap();
        assert_eq!(function.name, fixture.function, "{}", fixture.name());
        for (pointer, expected) in [
            ("/rawPath", route.path.as_str()),
            ("/requestContext/http/path", route.path.as_str()),
            ("/requestContext/http/method", route.method.as_str()),
            ("/requestContext/routeKey", route_key),
        ] {
            let found = fixture.event.pointer(pointer).and_then(Json::as_str);
            assert_eq!(found, Some(expected), "{}: {pointer}", fixture.name());
        }
    }
}

#[test]
fn every_stream_fixture_passes_the_filter_of_its_functions_event_source() {
    let stack = fixture_stack::template();
    for fixture in Fixture::all() {
        let records = fixture.event.get("Records").and_then(Json::as_array);
        for record in records.into_iter().flatten() {
            assert!(
                wanted(&stack, &fixture.function, record),
                "{}: {record}",
                fixture.name()
            );
        }
    }
}

#[test]
fn every_event_fixture_passes_the_rule_of_its_function() {
    let stack = fixture_stack::template();
    for fixture in Fixture::all() {
        if fixture.event.get("detail-type").is_none() {
            continue;
        }
        let rule = stack.event_rules.iter().find(|rule| {
            stack
                .function(&rule.function)
                .is_some_and(|it| it.name == fixture.function)
        });
        let pattern = &rule.unwrap().pattern;
        assert!(pattern.matches(&fixture.event), "{}", fixture.name());
        let mut elsewhere = fixture.event.clone();
        elsewhere["detail"]["mail"]["tags"]["ses:configuration-set"] = "other".into();
        assert!(!pattern.matches(&elsewhere), "{}", fixture.name());
    }
}

#[test]
fn every_log_fixture_holds_lines_that_its_function_subscribed_to() {
    let stack = fixture_stack::template();
    let mut lines = 0;
    for fixture in Fixture::all() {
        let Some(packed) = fixture
            .event
            .pointer("/awslogs/data")
            .and_then(Json::as_str)
        else {
            continue;
        };
        let packed = BASE64.decode(packed.as_bytes()).unwrap();
        let log: Json = serde_json::from_reader(GzDecoder::new(packed.as_slice())).unwrap();
        if log["messageType"] == "CONTROL_MESSAGE" {
            continue;
        }
        let subscription = stack.log_subscriptions.iter().find(|subscription| {
            let function = stack.function(&subscription.function).unwrap();
            function.name == fixture.function && log["logGroup"] == *subscription.log_group
        });
        for event in log["logEvents"].as_array().unwrap() {
            let line = event["message"].as_str().unwrap();
            let is_wanted = subscription.unwrap().pattern.matches(line);
            assert!(is_wanted, "{}: {line}", fixture.name());
            lines += 1;
        }
    }
    assert!(lines > 0);
}

fn wanted(stack: &Stack, function: &str, record: &Json) -> bool {
    let of_function = stack.event_sources.iter().filter(|source| {
        stack
            .function(&source.function)
            .is_some_and(|it| it.name == function)
    });
    of_function
        .flat_map(|source| &source.filters)
        .any(|filter| filter.matches(record))
}
