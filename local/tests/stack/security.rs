//! Compares `docs/security.md` with the code: every requirement has a row, every row has a test that exists
//! or a reason, every figure follows from the settings, and the inventories are complete.

mod bounds;
mod page;
mod requirements;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use page::{Shown, Table, shown, tables};
use serde_yaml_ng::Value;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SHOWN_BY: &str = "shown by";

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(WORKSPACE).join(file)).unwrap()
}

fn page() -> String {
    read("docs/security.md")
}

/// The tables of requirements. Their last column has the evidence.
fn conformance() -> Vec<Table> {
    let mut tables = tables(&page());
    tables.retain(|table| table.columns.last().is_some_and(|last| last == SHOWN_BY));
    tables
}

/// The rows under a heading, each as its line.
fn rows_under(heading: &str) -> Vec<String> {
    let tables = tables(&page());
    let mut found = tables.iter().filter(|table| table.heading == heading);
    let table = found
        .next()
        .unwrap_or_else(|| panic!("no table under {heading}"));
    let rows = table.rows.iter();
    rows.map(|row| format!("| {} |", row.join(" | "))).collect()
}

/// The words in backticks in the first column of the table under a heading.
fn named_under(heading: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for row in rows_under(heading) {
        let first = row.split(" | ").next().unwrap().to_owned();
        names.extend(first.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    names
}

#[test]
fn every_named_test_exists() {
    let tests = sources::tests(Path::new(WORKSPACE));
    let mut named = 0;
    for table in conformance() {
        for row in &table.rows {
            let shown = shown(row.last().unwrap());
            for test in shown.map(|shown| shown.tests).unwrap_or_default() {
                assert!(tests.contains(&test), "{}: no test `{test}`", row[0]);
                named += 1;
            }
        }
    }
    assert!(named > 100, "only {named} tests are named");
}

#[test]
fn every_row_has_a_test_or_a_reason() {
    for table in conformance() {
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{row:?}");
            assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
            if let Err(error) = shown(row.last().unwrap()) {
                panic!("{} of {}: {error}", row[0], table.heading);
            }
        }
    }
}

#[test]
fn no_requirement_is_answered_twice() {
    let mut answered = BTreeSet::new();
    for table in conformance() {
        for row in &table.rows {
            let source = table.heading.split(' ').next().unwrap();
            for id in row[0].split(", ") {
                let id = format!("{source}: {id}");
                assert!(answered.insert(id.clone()), "{id} is answered twice");
            }
        }
    }
}

#[test]
fn every_requirement_of_the_asvs_has_a_row_with_its_level() {
    let mut answered = BTreeMap::new();
    for table in conformance() {
        if table.heading.starts_with("ASVS") {
            for row in &table.rows {
                let level: u8 = row[1].parse().unwrap();
                let ids = row[0].split(", ");
                answered.extend(ids.map(|id| (id.to_owned(), level)));
            }
        }
    }
    let asked: BTreeMap<_, _> = requirements::asvs().into_iter().collect();
    assert_eq!(answered, asked);
}

#[test]
fn the_sections_of_nist_and_both_cheat_sheets_have_tables() {
    let headings: Vec<String> = conformance()
        .into_iter()
        .map(|table| table.heading)
        .collect();
    for heading in [
        "NIST SP 800-63B-4, 3.1.1.2: passwords",
        "NIST SP 800-63B-4, 3.2.2: throttling",
        "NIST SP 800-63B-4, 4.2: account recovery",
        "OWASP Forgot Password Cheat Sheet",
        "OWASP Password Storage Cheat Sheet",
    ] {
        assert!(headings.iter().any(|found| found == heading), "{heading}");
    }
}

#[test]
fn the_bounds_follow_from_the_settings() {
    let settings = bounds::settings(&[]).unwrap();
    let gateway = gateway();
    for (heading, expected) in [
        ("One account", bounds::account(&settings)),
        ("All accounts", bounds::accounts(&settings, &gateway)),
        ("Other lengths of a code", bounds::lengths()),
    ] {
        let printed = rows_under(heading);
        assert_eq!(printed, expected, "\n{}\n", expected.join("\n"));
    }
}

/// The template as YAML, with every merge (`<<`) written out.
fn template() -> Value {
    let mut template: Value = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    template.apply_merge().unwrap();
    template
}

/// The template's default limits, and the threshold of its alarm.
fn gateway() -> bounds::Gateway {
    let template = template();
    let default = |name: &str| template["Parameters"][name]["Default"].as_u64().unwrap();
    let alarm = &template["Resources"]["WrongGuessesAlarm"]["Properties"]["Metrics"];
    let expression = alarm[0]["Expression"].as_str().unwrap();
    let least = expression.split(">= ").nth(1).unwrap();
    let least = least.split(',').next().unwrap().parse().unwrap();
    bounds::Gateway {
        prove: default("RequestsPerSecond"),
        prove_and_set: default("PasswordsPerSecond"),
        alarm_guesses: least,
        alarm_seconds: alarm[1]["MetricStat"]["Period"].as_u64().unwrap(),
    }
}

#[test]
fn every_function_has_a_row_for_its_permissions() {
    let functions = fs::read_dir(Path::new(WORKSPACE).join("functions")).unwrap();
    let functions = functions.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let named = named_under("One function's environment");
    assert_eq!(named, functions.collect());
}

#[test]
fn every_key_is_in_the_inventory() {
    let mut labels = BTreeSet::new();
    for file in sources::modules(&Path::new(WORKSPACE).join("shared/src/lib.rs")) {
        sources::texts_from(&sources::tokens(&file), "regain/", &mut labels);
    }
    let named = named_under("Keys");
    let named: BTreeSet<_> = named
        .into_iter()
        .filter(|name| name.contains('/'))
        .collect();
    assert_eq!(named, labels);
}

#[test]
fn every_possible_log_line_is_in_the_inventory() {
    let mut messages = BTreeSet::new();
    for file in sources::modules(&Path::new(WORKSPACE).join("shared/src/lib.rs")) {
        sources::logged(&sources::tokens(&file), &mut messages);
    }
    assert_eq!(named_under("Lines of the functions"), messages);
}

#[test]
fn every_field_of_the_access_log_is_in_the_inventory() {
    let template = template();
    let api = &template["Resources"]["HttpApi"]["Properties"];
    let Value::Tagged(format) = &api["AccessLogSettings"]["Format"] else {
        panic!("the format is a !Sub");
    };
    let fields = format.value.as_str().unwrap().split(',').map(|field| {
        let name = field.trim().trim_start_matches('{').split(':').next();
        name.unwrap().trim_matches('"').to_owned()
    });
    assert_eq!(named_under("Fields of the access log"), fields.collect());
}

#[test]
fn a_cell_names_tests_or_a_reason_or_both_and_nothing_else() {
    let tests = |tests: &[&str], reason: Option<&str>| {
        Ok(Shown {
            tests: tests.iter().map(|test| (*test).to_owned()).collect(),
            reason: reason.map(str::to_owned),
        })
    };
    assert_eq!(shown("`engine: a`"), tests(&["engine: a"], None));
    let both = "`engine: a`, `cli: b`; deviation: only half of it";
    let reason = "deviation: only half of it";
    assert_eq!(shown(both), tests(&["engine: a", "cli: b"], Some(reason)));
    let reason = "by design: there are none; and so on";
    assert_eq!(shown(reason), tests(&[], Some(reason)));
    for cell in [
        "",
        "`a`",
        "engine: a",
        "`engine: a` `engine: b`",
        "`engine: a`; because",
        "not applicable: no",
        "deviation:",
        "it is met",
    ] {
        assert!(shown(cell).is_err(), "{cell}");
    }
}

#[test]
fn a_test_is_a_function_with_the_attribute_and_not_a_word_in_a_comment() {
    let source = r##"
        // #[test] fn in_a_line() {}
        /* #[test] fn in_a_block() {} */
        /// #[test] fn in_a_doc() {}
        const TEXT: &str = "#[test] fn in_a_text() {}";
        fn plain() {}
        #[test] #[ignore] fn ignored() {}
        #[cfg(test)] mod tests {
            #[test] fn inside() {}
            #[tokio::test(flavor = "current_thread")] #[expect(x)] async fn asynchronous() {}
            proptest! { #[test] fn with_inputs(x: u8) { fn helper() {} } }
        }
        #[derive(Debug)] struct Test;
        fn after() {}
    "##;
    let mut names = Vec::new();
    sources::tests_in(&source.parse().unwrap(), &mut names);
    assert_eq!(names, ["inside", "asynchronous", "with_inputs"]);
}
