//! Metrics, in CloudWatch's embedded format: JSON lines on stdout, which cost no request.
//!
//! They count what happened, and never to whom. Without the name of the stack, nothing is counted.

use std::io::Write as _;
use std::sync::OnceLock;

use serde_json::json;

use crate::ambient;

static STACK: OnceLock<String> = OnceLock::new();

/// The namespace that the dashboard and the alarms of the stack look in.
const NAMESPACE: &str = "Regain";

/// The metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// A code was requested and will be mailed, if anybody has the address.
    CodesRequested,
    /// SES accepted a mail, with a code or the notice.
    CodesMailed,
    /// An attempt to send a mail failed at SES, the table or a secret. Or SES refused a mail for good or
    /// rejected it later, or a record or an item could not be read.
    MailsFailed,
    /// A guess was right.
    GuessesRight,
    /// A guess was charged and wrong.
    GuessesWrong,
    /// A guess was refused because the guesses are spent.
    GuessesSpent,
    /// A password was set.
    PasswordsSet,
    /// A request for a code was throttled.
    Throttled,
    /// A mail bounced for good.
    Bounces,
    /// A recipient called a mail spam.
    Complaints,
    /// A mail is delayed.
    DeliveryDelays,
    /// SES accepted a mail, could not fill its template, and dropped it.
    RenderingFailures,
    /// Milliseconds from the request for a mail until SES accepted it.
    MailLatency,
}

impl Metric {
    const fn name(self) -> &'static str {
        match self {
            Self::CodesRequested => "CodesRequested",
            Self::CodesMailed => "CodesMailed",
            Self::MailsFailed => "MailsFailed",
            Self::GuessesRight => "GuessesRight",
            Self::GuessesWrong => "GuessesWrong",
            Self::GuessesSpent => "GuessesSpent",
            Self::PasswordsSet => "PasswordsSet",
            Self::Throttled => "Throttled",
            Self::Bounces => "Bounces",
            Self::Complaints => "Complaints",
            Self::DeliveryDelays => "DeliveryDelays",
            Self::RenderingFailures => "RenderingFailures",
            Self::MailLatency => "MailLatency",
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::MailLatency => "Milliseconds",
            _ => "Count",
        }
    }
}

/// Starts counting for a stack. A second call does nothing.
pub fn init(stack: String) {
    let _ = STACK.set(stack);
}

/// Counts one.
pub fn count(metric: Metric) {
    record(metric, 1);
}

/// Records a value.
pub fn record(metric: Metric, value: u128) {
    let Some(stack) = STACK.get() else { return };
    let line = line(stack, metric, value, ambient::now().millis());
    // A metric that cannot be written is lost; the answer is not.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn line(stack: &str, metric: Metric, value: u128, millis: i64) -> String {
    let (name, unit) = (metric.name(), metric.unit());
    json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Stack"]],
                "Metrics": [{ "Name": name, "Unit": unit }],
            }],
        },
        "Stack": stack,
        name: value,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_one_line_in_the_embedded_format() {
        let line = line("regain", Metric::MailLatency, 412, 1_672_986_341_227);
        assert_eq!(
            line,
            "{\"MailLatency\":412,\"Stack\":\"regain\",\"_aws\":{\"CloudWatchMetrics\":[{\
             \"Dimensions\":[[\"Stack\"]],\"Metrics\":[{\"Name\":\"MailLatency\",\
             \"Unit\":\"Milliseconds\"}],\"Namespace\":\"Regain\"}],\"Timestamp\":1672986341227}}"
        );
    }
}
