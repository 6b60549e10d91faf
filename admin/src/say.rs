//! Prints to the terminal in colours, or to a pipe or file in plain text.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use regain::timestamp::Timestamp;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// A line of the result.
pub(crate) fn line(text: impl Display) {
    anstream::println!("{text}");
}

/// A heading in the result.
pub(crate) fn heading(text: impl Display) {
    let bold = Style::new().bold();
    anstream::println!("{bold}{text}{bold:#}");
}

/// A check that passed.
pub(crate) fn good(text: impl Display) {
    anstream::println!("{GOOD}✓{GOOD:#} {text}");
}

/// A check that failed.
pub(crate) fn bad(text: impl Display) {
    anstream::println!("{BAD}✗{BAD:#} {text}");
}

/// A check that could not be made.
pub(crate) fn unchecked(text: impl Display) {
    anstream::println!("{QUIET}– {text}{QUIET:#}");
}

/// How to repair what a check found.
pub(crate) fn fix(text: impl Display) {
    anstream::println!("  → {text}");
}

/// A note, which stops nothing.
pub(crate) fn note(text: impl Display) {
    anstream::eprintln!("{NOTE}note:{NOTE:#} {text}");
}

/// The error that ends the command.
pub(crate) fn error(text: impl Display) {
    anstream::eprintln!("{BAD}error:{BAD:#} {text}");
}

/// A time to the minute; limits end at full hours and days.
pub(crate) fn minute(at: Timestamp) -> String {
    let text = at.rfc3339();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.get(..5).unwrap_or_default())
}

/// A number with its noun in the singular or plural.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
