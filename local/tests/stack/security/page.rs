//! Reads `docs/security.md`: its headings and tables, and the evidence in each row.

use std::fmt;

/// The beginnings of a reason, which stands in place of tests or beside them.
const REASONS: [&str; 3] = ["not applicable: ", "by design: ", "deviation: "];

/// A table of the page: the heading it stands under, its columns and its rows.
pub(crate) struct Table {
    pub(crate) heading: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Every table of a page, in order.
pub(crate) fn tables(page: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let (mut heading, mut is_inside) = (String::new(), false);
    for line in page.lines() {
        if let Some(text) = line.strip_prefix('#') {
            text.trim_start_matches('#').trim().clone_into(&mut heading);
        }
        let Some(cells) = line
            .strip_prefix("| ")
            .and_then(|line| line.strip_suffix(" |"))
        else {
            is_inside = is_inside && line.starts_with("|--");
            continue;
        };
        let cells = cells.split(" | ").map(|cell| cell.trim().to_owned());
        let cells = cells.collect::<Vec<_>>();
        match tables.last_mut().filter(|_| is_inside) {
            Some(table) => table.rows.push(cells),
            None => tables.push(Table {
                heading: heading.clone(),
                columns: cells,
                rows: Vec::new(),
            }),
        }
        is_inside = true;
    }
    tables
}

/// The evidence in a row of a conformance table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) tests: Vec<String>,
    pub(crate) reason: Option<String>,
}

/// Neither tests nor a reason, or in the wrong form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "neither `target: test` nor a reason: \"{}\"", self.0)
    }
}

/// Reads a cell: tests as `` `target: name` `` with commas between, a reason, or tests and then a
/// reason after a semicolon.
pub(crate) fn shown(cell: &str) -> Result<Shown, Unreadable> {
    let is_reason = |text: &str| {
        let mut kinds = REASONS.iter();
        kinds.any(|kind| text.strip_prefix(kind).is_some_and(|why| why.len() >= 10))
    };
    let (tests, reason) = match cell.split_once("; ") {
        _ if is_reason(cell) => ("", Some(cell.to_owned())),
        Some((tests, reason)) if is_reason(reason) => (tests, Some(reason.to_owned())),
        _ => (cell, None),
    };
    let tests = tests.split(", ").filter(|_| !tests.is_empty());
    let tests = tests.map(|test| {
        let name = test.strip_prefix('`')?.strip_suffix('`')?;
        let is_name = name.contains(": ") && !name.contains('`');
        is_name.then(|| name.to_owned())
    });
    match tests.collect::<Option<Vec<_>>>() {
        Some(tests) if reason.is_some() || !tests.is_empty() => Ok(Shown { tests, reason }),
        _ => Err(Unreadable(cell.to_owned())),
    }
}
