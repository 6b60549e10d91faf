//! Reads the events that Lambda hands a function.
//!
//! If the Lambda runtime cannot read an event, it logs serde's message, which quotes the event: a code, a
//! password, a bearer token. So the runtime reads events as raw JSON only, and this module reads what they
//! hold.

use lambda_http::LambdaEvent;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::value::RawValue;
use thiserror::Error;

/// An event as Lambda hands it to a function.
pub(crate) type Invocation = LambdaEvent<Box<RawValue>>;

/// Why an event, or a part of one, cannot be read. It has the kind of the first fault and its position,
/// and nothing of the event's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{problem} at line {line}, column {column}")]
pub struct Unreadable {
    problem: &'static str,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        let problem = match error.classify() {
            Category::Data => "a value is missing or of the wrong type",
            Category::Io | Category::Syntax | Category::Eof => "not JSON",
        };
        Self {
            problem,
            line: error.line(),
            column: error.column(),
        }
    }
}

/// Reads an event. `None` if it is a probe, which somebody sends to keep the function warm, to try it in
/// the console, or by a schedule. A probe has none of the `marks` that every event of this function has.
pub(crate) fn read<T: DeserializeOwned>(
    event: &RawValue,
    marks: &[&str],
) -> Result<Option<T>, Unreadable> {
    let text = event.get();
    // Anywhere in the text: an event that was encoded twice is not a probe.
    if !marks.iter().any(|mark| text.contains(mark)) {
        return Ok(None);
    }
    // Serde accepts an array in place of an object, with the fields in order.
    if !text.starts_with('{') {
        return Err(Unreadable {
            problem: "not an object",
            line: 1,
            column: 1,
        });
    }
    Ok(Some(serde_json::from_str(text)?))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Event {
        #[serde(rename = "Records")]
        records: Vec<String>,
    }

    fn read_text(text: &str) -> Result<Option<Vec<String>>, Unreadable> {
        let event = RawValue::from_string(text.to_owned()).unwrap();
        let event: Option<Event> = read(&event, &["Records"])?;
        Ok(event.map(|event| event.records))
    }

    #[test]
    fn an_event_without_a_mark_is_a_probe() {
        for text in [
            "{}",
            "[]",
            "null",
            "7",
            "true",
            r#""ping""#,
            r#"{"warmer":true}"#,
            r#"{"key1":"value1","key2":"value2"}"#,
            r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#,
        ] {
            assert_eq!(read_text(text), Ok(None), "{text}");
        }
    }

    const WRONG_TYPE: &str = "a value is missing or of the wrong type";

    #[test]
    fn an_event_with_a_mark_is_read_or_refused() {
        assert_eq!(read_text(r#"{"Records":[]}"#), Ok(Some(vec![])));
        for (text, told) in [
            (
                r#""{\"Records\":[]}""#,
                "not an object at line 1, column 1".to_owned(),
            ),
            (
                r#"[{"Records":[]}]"#,
                "not an object at line 1, column 1".to_owned(),
            ),
            (
                r#"[["Records"]]"#,
                "not an object at line 1, column 1".to_owned(),
            ),
            (
                "{\n  \"Records\": 7\n}",
                format!("{WRONG_TYPE} at line 2, column 14"),
            ),
            (
                r#"{"Records":["a",7]}"#,
                format!("{WRONG_TYPE} at line 1, column 17"),
            ),
        ] {
            assert_eq!(read_text(text).unwrap_err().to_string(), told, "{text}");
        }
    }

    #[test]
    fn the_error_of_an_unreadable_event_quotes_nothing() {
        for text in [
            r#"{"Records":"hunter2"}"#,
            r#"{"Records":["a",{"hunter2":1}]}"#,
            r#""Records hunter2""#,
        ] {
            let told = format!("{:?}", read_text(text).unwrap_err());
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
