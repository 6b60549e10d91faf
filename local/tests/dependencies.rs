//! The table in docs/dependencies.md, against what cargo knows: every crate that the workspace names has a
//! row with its reasons, and nothing that is for development reaches a function.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const PAGE: &str = include_str!("../../docs/dependencies.md");

/// The workspace's own packages, as cargo knows them.
fn packages() -> Vec<Value> {
    let known = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(WORKSPACE)
        .output()
        .unwrap();
    let known: Value = serde_json::from_slice(&known.stdout).unwrap();
    known["packages"].as_array().unwrap().clone()
}

fn is_in_functions(package: &Value) -> bool {
    let manifest = package["manifest_path"].as_str().unwrap();
    let is_library = package["name"] == "regain" || package["name"] == "regain-password";
    is_library || manifest.contains("/functions/")
}

/// Each crate that is named, and whether it is built into a function.
fn named() -> BTreeMap<String, bool> {
    let mut named = BTreeMap::new();
    for package in packages() {
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["path"].is_string() {
                continue;
            }
            let name = dependency["name"].as_str().unwrap().to_owned();
            let shipped = is_in_functions(&package) && dependency["kind"].is_null();
            *named.entry(name).or_default() |= shipped;
        }
    }
    named
}

/// The rows of the page's one table.
fn rows() -> Vec<Vec<&'static str>> {
    PAGE.lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect())
        .collect()
}

#[test]
fn every_crate_has_its_row_and_every_row_its_crate() {
    let told: BTreeMap<_, _> = rows()
        .iter()
        .map(|row| (row[0].trim_end_matches('`').to_owned(), row[1] == "yes"))
        .collect();
    assert_eq!(told, named());
}

#[test]
fn every_row_says_what_for_and_who_keeps_it() {
    let mut names = BTreeSet::new();
    for row in rows() {
        assert_eq!(row.len(), 4, "{row:?}");
        assert!(matches!(row[1], "yes" | "no"), "{row:?}");
        assert!(row.iter().all(|cell| cell.trim().len() > 1), "{row:?}");
        assert!(names.insert(row[0]), "twice: {row:?}");
    }
}

#[test]
fn no_function_is_built_of_what_is_for_development() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--edges", "normal,build", "--package", "users-set-password"])
        .args(["--package", "deliver-mail", "--package", "mail-events"])
        .current_dir(WORKSPACE)
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let built_of: BTreeSet<_> = tree.lines().filter_map(|it| it.split(' ').next()).collect();
    assert!(built_of.contains("aws-sdk-dynamodb"), "{tree}");
    for name in [
        "admin",
        "axum",
        "clap",
        "dynoxide-rs",
        "handlebars",
        "local",
        "reqwest",
        "rusqlite",
    ] {
        assert!(!built_of.contains(name), "{name}");
    }
}
