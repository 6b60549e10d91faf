//! Mutation tests of the store's conditions: for every part of a write that is left out, a test fails.
//!
//! `condition_mutants.txt` names that test for every part, see [`crate::kit::condition_mutants`].

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::kit::condition_mutants::{Detected, INVALID, MUTANT, PARTS};

/// Why a row of the list is wrong, if it is: its test has to run and fail.
fn wrong_about(part: &str, test: &str) -> Option<String> {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(MUTANT, part)
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    match run.status.code() {
        Some(101) if output.contains("test result: FAILED") => None,
        Some(0) if output.contains("running 0 tests") => Some(format!("{test} is no test")),
        Some(0) => Some(format!("{test} does not fail")),
        Some(INVALID) => Some("the table rejects what is left".to_owned()),
        _ => Some(format!("{test} ended in {}", run.status)),
    }
}

#[test]
#[ignore = "takes a minute or more; `bash .ci/run` and `scripts/mutants` run it"]
fn a_test_fails_for_every_condition_mutant() {
    let rows = Mutex::new(PARTS.iter());
    let wrong = Mutex::new(String::new());
    let next = || rows.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some((part, detected)) = next() {
                    if let Detected::ByTest(test) = detected
                        && let Some(why) = wrong_about(part, test)
                    {
                        writeln!(wrong.lock().unwrap(), "{part}: {why}").unwrap();
                    }
                }
            });
        }
    });
    let explained = PARTS
        .values()
        .filter(|detected| **detected == Detected::ByNoTest);
    println!(
        "{} parts, {} of them explained",
        PARTS.len(),
        explained.count()
    );
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{wrong}");
}
