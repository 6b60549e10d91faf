//! What each part of each write is good for: a test fails without it.
//!
//! `omissions.txt` names that test for every part of every condition and update, see
//! [`crate::kit::omissions`]. Here each part is left out in turn, and its test has to fail.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::kit::omissions::{LEAVES_OUT, Missed, NOT_UNDERSTOOD, PARTS};

/// What is wrong about a row of the list, if anything: the test has to fail, and nothing else than that.
fn wrong_about(part: &str, test: &str) -> Option<String> {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(LEAVES_OUT, part)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    match run.status.code() {
        Some(101) if told.contains("test result: FAILED") => None,
        Some(0) if told.contains("running 0 tests") => Some(format!("{test} is no test")),
        Some(0) => Some(format!("{test} does not miss it")),
        Some(NOT_UNDERSTOOD) => Some("the table does not understand what is left".to_owned()),
        _ => Some(format!("{test} ended in {}", run.status)),
    }
}

#[test]
#[ignore = "takes a minute or more; `bash .ci/run` and `scripts/mutants` run it"]
fn every_part_of_every_write_is_missed_by_the_test_that_is_named_for_it() {
    let rows = Mutex::new(PARTS.iter());
    let wrong = Mutex::new(String::new());
    let next = || rows.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some((part, missed)) = next() {
                    if let Missed::By(test) = missed
                        && let Some(why) = wrong_about(part, test)
                    {
                        writeln!(wrong.lock().unwrap(), "{part}: {why}").unwrap();
                    }
                }
            });
        }
    });
    let explained = PARTS.values().filter(|missed| **missed == Missed::ByNobody);
    println!(
        "{} parts, {} of them explained",
        PARTS.len(),
        explained.count()
    );
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{wrong}");
}
