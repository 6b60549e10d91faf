//! What is said on the terminal: colours where there is one, plain text where there is none.

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

/// What is as it should be.
pub(crate) fn good(text: impl Display) {
    anstream::println!("{GOOD}✓{GOOD:#} {text}");
}

/// What is not.
pub(crate) fn bad(text: impl Display) {
    anstream::println!("{BAD}✗{BAD:#} {text}");
}

/// What could not be looked at.
pub(crate) fn unchecked(text: impl Display) {
    anstream::println!("{QUIET}– {text}{QUIET:#}");
}

/// What to do about it.
pub(crate) fn fix(text: impl Display) {
    anstream::println!("  → {text}");
}

/// Something to know that stops nothing.
pub(crate) fn note(text: impl Display) {
    anstream::eprintln!("{NOTE}note:{NOTE:#} {text}");
}

/// Why it did not work.
pub(crate) fn error(text: impl Display) {
    anstream::eprintln!("{BAD}error:{BAD:#} {text}");
}

/// A point in time to the minute, which is what hours and days end on.
pub(crate) fn minute(at: Timestamp) -> String {
    let text = at.rfc3339();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.get(..5).unwrap_or_default())
}

/// A number of things.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
