//! The log of one function: where each line that it writes goes.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use regain::timestamp::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use crate::template::{LogPattern, LogSubscription};

/// A line that a subscriber gets.
pub(super) struct Line {
    pub(super) group: Arc<str>,
    pub(super) at: Timestamp,
    pub(super) text: String,
}

/// The log of one function. A line without a subscriber is printed on stderr.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub(super) group: Arc<str>,
    pub(super) subscribers: Vec<(LogSubscription, UnboundedSender<Line>)>,
    /// The file that keeps the log, and the pattern of the lines that are not printed as well.
    pub(super) kept: Option<(Arc<File>, LogPattern)>,
}

impl Log {
    /// Whether it is kept in a file.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Takes a line. Returns `true` if a subscriber or the file has it, and it need not be printed.
    #[must_use]
    pub fn take(&self, text: &str) -> bool {
        let mut is_taken = false;
        for (subscription, subscriber) in &self.subscribers {
            if subscription.pattern.matches(text) {
                is_taken |= subscriber
                    .send(Line {
                        group: self.group.clone(),
                        at: regain::ambient::now(),
                        text: text.to_owned(),
                    })
                    .is_ok();
            }
        }
        if let Some((file, pattern)) = &self.kept {
            // One write, because several instances append to the file.
            let written = file.as_ref().write_all(format!("{text}\n").as_bytes());
            is_taken |= written.is_ok() && pattern.matches(text);
        }
        is_taken
    }
}
