//! The table's stream: the records that `deliver-mail` and `announce` are handed, and the answer to a batch.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::payload::Unreadable;

/// A batch of the table's stream. Its records are read one by one, so that a record that cannot be read
/// does not hold up the others.
#[derive(Debug, Default, Deserialize)]
pub struct StreamBatch {
    #[serde(rename = "Records", default)]
    pub(crate) records: Option<Vec<Box<RawValue>>>,
}

#[derive(Debug, Deserialize)]
struct StreamRecord {
    dynamodb: Change,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    keys: BTreeMap<String, KeyValue>,
    sequence_number: String,
}

/// A key's value, in one of the three types that DynamoDB has for keys.
#[derive(Debug, Deserialize)]
enum KeyValue {
    S(String),
    N(IgnoredAny),
    B(IgnoredAny),
}

/// The item that a record says was written.
pub(crate) struct Written {
    pub(crate) pk: String,
    pub(crate) sequence_number: String,
}

/// Where a record comes from. Only test events of other services name another source.
#[derive(Debug, Deserialize)]
struct Origin {
    #[serde(rename = "eventSource", alias = "EventSource", default)]
    source: Option<String>,
}

/// The least that names a record whose change cannot be read.
#[derive(Debug, Deserialize)]
struct NumberedRecord {
    dynamodb: Numbered,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Numbered {
    sequence_number: String,
}

/// Reads which item a record is about. `None` if the record is of another service or another table (ours
/// has a key `pk` that is a text). Only test events have such records.
pub(crate) fn written(record: &RawValue) -> Result<Option<Written>, Unreadable> {
    let origin: Origin = serde_json::from_str(record.get())?;
    if origin.source.is_some_and(|source| source != "aws:dynamodb") {
        return Ok(None);
    }
    let record: StreamRecord = serde_json::from_str(record.get())?;
    let Change {
        mut keys,
        sequence_number,
    } = record.dynamodb;
    Ok(match keys.remove("pk") {
        Some(KeyValue::S(pk)) => Some(Written {
            pk,
            sequence_number,
        }),
        Some(KeyValue::N(_) | KeyValue::B(_)) | None => None,
    })
}

/// The sequence number of a record whose change cannot be read, if that at least can be read.
pub(crate) fn sequence_number(record: &RawValue) -> Option<String> {
    let record: NumberedRecord = serde_json::from_str(record.get()).ok()?;
    Some(record.dynamodb.sequence_number)
}

/// The records of a batch that are to be tried again. The others are done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResult {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl BatchResult {
    pub(crate) fn fail(&mut self, sequence_number: String) {
        self.batch_item_failures.push(BatchItemFailure {
            item_identifier: sequence_number,
        });
    }
}
