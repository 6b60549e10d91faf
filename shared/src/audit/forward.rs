//! Copies the records of the audit trail to their own log group.
//!
//! Everything that a function writes to stdout goes to its log group, records included. A subscription of
//! CloudWatch Logs hands the records to one more function, `audit-trail`, which writes them to its own
//! stdout. Its log group is the audit trail, kept for as long as the stack says.

use std::io::{self, Read as _, Write};

use data_encoding::BASE64;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// The most that is unpacked of one event, in bytes. CloudWatch Logs packs far less into one.
const MAX_UNPACKED: u64 = 16 * 1024 * 1024;

/// A batch of log lines, as CloudWatch Logs hands it to a function.
#[derive(Debug, Deserialize)]
pub struct LogEvent {
    awslogs: Packed,
}

/// Lines as JSON, compressed by gzip (RFC 1952), in base64.
#[derive(Debug, Deserialize)]
struct Packed {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lines {
    message_type: String,
    #[serde(default)]
    log_group: String,
    log_events: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    message: String,
}

/// Why the records of an event were not kept. The event is to be delivered again.
#[derive(Debug, Error)]
pub enum ForwardError {
    /// The event is not as CloudWatch Logs makes it.
    #[error("the event cannot be unpacked")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The lines cannot be written.
    #[error("the records cannot be written")]
    Write(#[from] io::Error),
}

impl ForwardError {
    fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Malformed(error.into())
    }
}

/// Writes the records of an event. Each gets the log group that it comes from, which no function can forge.
///
/// An event holds no records if it is a control message of CloudWatch Logs, or if its log group does not
/// belong to `stack`, as in the console's test event. Without a stack's name, all log groups belong to it.
///
/// # Errors
/// When the event cannot be unpacked, and then nothing is written. Or when a record cannot be written: then
/// the event is delivered again, and those before it are written twice. A record that is there twice is one
/// record.
pub fn keep(event: &LogEvent, stack: Option<&str>, mut to: impl Write) -> Result<(), ForwardError> {
    let packed = BASE64
        .decode(event.awslogs.data.as_bytes())
        .map_err(ForwardError::malformed)?;
    let mut text = Vec::new();
    MultiGzDecoder::new(packed.as_slice())
        .take(MAX_UNPACKED)
        .read_to_end(&mut text)
        .map_err(ForwardError::malformed)?;
    // Without serde's message, which may quote a line.
    let lines: Lines =
        serde_json::from_slice(&text).map_err(|_| ForwardError::malformed("not log lines"))?;
    let is_ours = stack.is_none_or(|stack| is_log_group_of(stack, &lines.log_group));
    if lines.message_type != "DATA_MESSAGE" || !is_ours {
        return Ok(());
    }
    let records = lines.log_events.iter().map(|line| {
        let record = attested(line.message.trim(), &lines.log_group)?;
        Ok(record + "\n")
    });
    let records: String = records.collect::<Result<_, ForwardError>>()?;
    to.write_all(records.as_bytes())?;
    Ok(to.flush()?)
}

/// Whether a log group is that of a function of the stack.
fn is_log_group_of(stack: &str, log_group: &str) -> bool {
    let function = log_group.strip_prefix("/aws/lambda/");
    let own = function.and_then(|function| function.strip_prefix(stack));
    own.is_some_and(|own| own.starts_with('-'))
}

/// A record with the log group that it comes from, after all that it says itself.
pub(super) fn attested(line: &str, log_group: &str) -> Result<String, ForwardError> {
    const GROUP: &str = "logGroup";
    let malformed = |_| ForwardError::malformed("a line is no record");
    let mut record: Map<String, Value> = serde_json::from_str(line).map_err(malformed)?;
    let claimed = record.remove(GROUP).is_some();
    let said = if claimed {
        Value::Object(record).to_string()
    } else {
        line.to_owned()
    };
    let fields = said.strip_suffix('}').unwrap_or_default();
    let group = Value::from(log_group);
    Ok(format!("{fields},\"{GROUP}\":{group}}}"))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    fn packed(lines: &Value) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(lines.to_string().as_bytes()).unwrap();
        packed.finish().unwrap()
    }

    fn event(data: &[u8]) -> LogEvent {
        let event = json!({ "awslogs": { "data": BASE64.encode(data) } });
        serde_json::from_value(event).unwrap()
    }

    fn lines(kind: &str) -> Value {
        json!({
            "messageType": kind,
            "owner": "123456789012",
            "logGroup": "/aws/lambda/regain-users-resend",
            "logStream": "2026/03/10/[$LATEST]0123456789abcdef",
            "subscriptionFilters": ["AuditTrail"],
            "logEvents": [
                { "id": "1", "timestamp": 1_773_144_002_000_i64, "message": "{\"audit\":1}\n" },
                { "id": "2", "timestamp": 1_773_144_002_001_i64, "message": "{\"audit\":1,\"x\":\"ä\"}" },
            ],
        })
    }

    fn kept(event: &LogEvent) -> Result<String, ForwardError> {
        let mut kept = Vec::new();
        keep(event, Some("regain"), &mut kept).map(|()| String::from_utf8(kept).unwrap())
    }

    #[test]
    fn each_record_is_kept_on_a_line_of_its_own_with_where_it_comes_from() {
        let kept = kept(&event(&packed(&lines("DATA_MESSAGE")))).unwrap();
        let group = "\"logGroup\":\"/aws/lambda/regain-users-resend\"";
        let expected = format!("{{\"audit\":1,{group}}}\n{{\"audit\":1,\"x\":\"ä\",{group}}}\n");
        assert_eq!(kept, expected);
    }

    #[test]
    fn no_record_can_say_itself_where_it_comes_from() {
        for line in [
            r#"{"audit":1,"logGroup":"forged"}"#,
            r#"{"logGroup":"forged","audit":1,"logGroup":"again"}"#,
        ] {
            let record = attested(line, "true").unwrap();
            assert_eq!(record, r#"{"audit":1,"logGroup":"true"}"#);
        }
    }

    #[test]
    fn a_line_that_is_no_record_has_the_event_given_again() {
        let mut lines = lines("DATA_MESSAGE");
        lines["logEvents"][1]["message"] = json!("secret");
        let mut kept = Vec::new();
        let error = keep(&event(&packed(&lines)), Some("regain"), &mut kept).unwrap_err();
        assert!(!crate::telemetry::causes(&error).contains("secret"));
        assert_eq!(kept, b"", "nor is the record before it kept");
    }

    #[test]
    fn a_message_that_only_asks_whether_anybody_is_there_leaves_nothing() {
        let kept = kept(&event(&packed(&lines("CONTROL_MESSAGE")))).unwrap();
        assert_eq!(kept, "");
    }

    #[test]
    fn an_event_of_a_log_group_that_is_not_the_stacks_leaves_nothing() {
        for (stack, group, is_ours) in [
            (Some("regain"), "/aws/lambda/regain-deliver-mail", true),
            (Some("regain"), "testLogGroup", false),
            (Some("regain"), "CloudTrail", false),
            (Some("regain"), "", false),
            (Some("regain"), "/aws/lambda/regain", false),
            (Some("regain"), "/aws/lambda/regained-deliver-mail", false),
            (Some("regain"), "/aws/lambda/other-deliver-mail", false),
            (Some("regain"), "/aws/rds/regain-deliver-mail", false),
            (None, "testLogGroup", true),
        ] {
            let mut lines = lines("DATA_MESSAGE");
            lines["logGroup"] = json!(group);
            let mut written = Vec::new();
            keep(&event(&packed(&lines)), stack, &mut written).unwrap();
            assert_eq!(!written.is_empty(), is_ours, "{group}");

            lines["logEvents"][1]["message"] = json!("[ERROR] First test message");
            let answer = keep(&event(&packed(&lines)), stack, io::sink());
            assert_eq!(answer.is_err(), is_ours, "{group}: no record");
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_an_error_that_quotes_nothing() {
        let whole = packed(&lines("DATA_MESSAGE"));
        for (data, why) in [
            (Vec::new(), "nothing"),
            (b"no gzip".to_vec(), "something else"),
            (whole[..whole.len() / 2].to_vec(), "cut off"),
            (packed(&json!({ "logEvents": "secret" })), "other fields"),
            (packed(&json!("secret")), "no object"),
        ] {
            let error = kept(&event(&data)).unwrap_err();
            let told = crate::telemetry::causes(&error);
            assert!(
                told.starts_with("the event cannot be unpacked: "),
                "{why}: {told}"
            );
            assert!(!told.contains("secret"), "{told}");
        }
        let no_base64: LogEvent =
            serde_json::from_value(json!({ "awslogs": { "data": "%%%" } })).unwrap();
        assert!(kept(&no_base64).is_err());
    }

    #[test]
    fn more_than_there_is_room_for_is_an_error_and_not_a_flood() {
        let mut endless = GzEncoder::new(Vec::new(), Compression::fast());
        let megabyte = vec![b' '; 1024 * 1024];
        for _ in 0..17 {
            endless.write_all(&megabyte).unwrap();
        }
        let endless = endless.finish().unwrap();
        assert!(kept(&event(&endless)).is_err());
    }

    #[test]
    fn a_line_that_cannot_be_written_has_the_event_given_again() {
        let mut full = Cursor::new([0; 4]);
        let event = event(&packed(&lines("DATA_MESSAGE")));
        let error = keep(&event, Some("regain"), &mut full).unwrap_err();
        assert!(matches!(error, ForwardError::Write(_)), "{error}");
    }
}
