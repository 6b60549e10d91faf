//! Compares `openapi.yaml` with the template, with the code that reads requests, and with the recorded answers, each
//! in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use testkit::contract::ERRORS;
use testkit::fixture::Fixture;
use testkit::snapshot::{pretty, redact};
use testkit::{WORKSPACE, fixture_stack, openapi};

/// The statuses of which not every endpoint has a fixture: they are the same for all endpoints, and journeys meet them.
const OF_ALL_ENDPOINTS: [u16; 5] = [405, 413, 415, 500, 503];

/// The recorded answers of the fixtures that call the API, by function and case.
fn recorded() -> BTreeMap<(String, String), Recorded> {
    let http = Fixture::all().into_iter().filter_map(|fixture| {
        if fixture.function == "recovery-page" {
            return None;
        }
        let path = fixture.event["rawPath"].as_str()?.to_owned();
        let file = format!("events/snapshots/{}.snap", fixture.name());
        let snapshot =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let (_, answer) = snapshot.split_once("\nHTTP ").unwrap();
        let (head, body) = answer.split_once("\n\n").unwrap();
        let recorded = Recorded {
            path,
            sent: fixture.event["body"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            event: fixture.text,
            status: head.lines().next().unwrap().parse().unwrap(),
            // A mail may follow.
            body: body.split("\n\n").next().unwrap().trim_end().to_owned(),
        };
        Some(((fixture.function, fixture.case), recorded))
    });
    http.collect()
}

struct Recorded {
    path: String,
    event: String,
    sent: String,
    status: u16,
    body: String,
}

#[test]
fn every_path_of_the_document_is_a_route_of_the_template_and_the_other_way_round() {
    let stack = fixture_stack::template();
    let routes = |method: &str| -> BTreeSet<&str> {
        let routes = stack.routes.iter().filter(|it| it.method == method);
        routes.map(|route| route.path.as_str()).collect()
    };
    let posted: BTreeSet<_> = openapi::operations().map(|(path, _)| path).collect();
    assert_eq!(posted, routes("POST"));
    // The other methods of these paths are answered 405. What is left is the page, its files behind one route.
    let route_of = |path: &'static str| match path.strip_prefix("/recover/") {
        Some(_) => "/recover/{proxy+}",
        None => path,
    };
    let pages: BTreeSet<_> = openapi::pages().map(|(path, _)| route_of(path)).collect();
    for method in ["GET", "HEAD"] {
        assert_eq!(pages, &routes(method) - &posted, "{method}");
    }
    let methods = openapi::DOCUMENT["paths"].as_object().unwrap().values();
    let methods: usize = methods.map(|item| item.as_object().unwrap().len()).sum();
    assert_eq!(methods, posted.len() + openapi::pages().count());
}

#[test]
fn browsers_may_send_every_header_of_the_document_and_read_those_that_the_template_exposes() {
    let cors = fixture_stack::template().cors.unwrap();
    let mut exposed = BTreeSet::new();
    for (_, operation) in openapi::operations() {
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = openapi::resolved(parameter)["name"]
                .as_str()
                .unwrap()
                .to_lowercase();
            assert!(cors.headers.contains(&name), "{name}");
        }
        for (_, answer) in openapi::responses(operation) {
            exposed.extend(
                answer["headers"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|name| name.to_lowercase()),
            );
        }
    }
    // Browsers give `Cache-Control` to every script, and the gateway's own headers to none. A 405 is a mistake of the app.
    for name in [
        "cache-control",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "allow",
    ] {
        assert!(exposed.remove(name), "{name}");
    }
    assert_eq!(cors.exposed.into_iter().collect::<BTreeSet<_>>(), exposed);
}

#[test]
fn the_document_has_every_field_that_the_code_reads() {
    for (file, prefix) in [("directory.rs", "/directory/"), ("auth_v1.rs", "/auth/v1/")] {
        let file = Path::new(WORKSPACE).join("shared/src/protocol").join(file);
        let source = fs::read_to_string(file).unwrap();
        // `fields.text("purpose")`, whatever line breaks are in between.
        let source: String = source.split_whitespace().collect();
        let calls = source.split("fields.").skip(1).filter_map(|call| {
            let (_, argument) = call.split_once('(')?;
            argument.strip_prefix('"')?.split('"').next()
        });
        let mut read: BTreeSet<_> = calls.collect();
        assert!(read.len() > 2, "{read:?}");
        if source.contains("fields.password()") {
            read.insert("password");
        }
        let operations = openapi::operations().filter(|(path, _)| path.starts_with(prefix));
        let documented: BTreeSet<_> = operations.flat_map(|(_, it)| openapi::fields(it)).collect();
        assert_eq!(documented, read, "{prefix}");
    }
}

#[test]
fn the_document_has_every_recorded_error_and_each_of_its_errors_is_recorded() {
    let mut found = BTreeMap::<String, BTreeSet<(u16, String)>>::new();
    for recorded in recorded().into_values() {
        let body: Json = serde_json::from_str(&recorded.body).unwrap();
        let errors = found.entry(recorded.path).or_default();
        errors.extend(
            body["error"]
                .as_str()
                .map(|code| (recorded.status, code.to_owned())),
        );
    }
    for (path, operation) in openapi::operations() {
        let documented = openapi::errors(operation);
        let (everywhere, here): (BTreeSet<_>, BTreeSet<_>) = documented
            .iter()
            .map(|&(status, code)| (status, code.to_owned()))
            .partition(|(status, _)| OF_ALL_ENDPOINTS.contains(status));
        let mut recorded = found.remove(path).unwrap();
        recorded.retain(|error| !everywhere.contains(error));
        assert_eq!(recorded, here, "{path}");
    }
    assert!(found.is_empty());
}

#[test]
fn every_example_is_a_request_of_a_fixture_or_its_recorded_answer() {
    let recorded = recorded();
    let of = |path: &str, case: &str| {
        let found = recorded
            .iter()
            .find(|((_, name), it)| it.path == path && name == case);
        found
            .unwrap_or_else(|| panic!("{path} has no fixture {case}"))
            .1
    };
    for (path, operation) in openapi::operations() {
        for (case, example) in examples(&operation["requestBody"]) {
            let sent: Json = serde_json::from_str(&of(path, case).sent).unwrap();
            assert_eq!(*example, sent, "{path}: {case}");
        }
        for (status, answer) in openapi::responses(operation) {
            if OF_ALL_ENDPOINTS.contains(&status) {
                continue;
            }
            for (case, example) in examples(answer) {
                let recorded = of(path, case);
                let mut example = example.clone();
                redact(&recorded.event, &mut example);
                assert_eq!(status, recorded.status, "{path}: {case}");
                assert_eq!(pretty(&example), recorded.body, "{path}: {case}");
            }
        }
    }
}

/// The examples of a request or an answer, by name.
fn examples(of: &'static Json) -> impl Iterator<Item = (&'static str, &'static Json)> {
    let examples = of["content"]["application/json"]["examples"].as_object();
    examples
        .into_iter()
        .flatten()
        .map(|(name, example)| (name.as_str(), &example["value"]))
}

#[test]
fn the_page_for_people_says_what_to_show_for_every_error_and_every_reason() {
    let page = fs::read_to_string(Path::new(WORKSPACE).join("docs/api.md")).unwrap();
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with('|')).collect();
    let errors = openapi::operations().flat_map(|(_, it)| openapi::errors(it));
    let mut words: BTreeSet<_> = errors.map(|(_, code)| code).collect();
    let reasons = ERRORS["reasons"].as_array().unwrap();
    words.extend(reasons.iter().map(|reason| reason.as_str().unwrap()));
    for word in words {
        let quoted = format!("`{word}`");
        assert!(rows.iter().any(|row| row.contains(&quoted)), "{word}");
    }
}
