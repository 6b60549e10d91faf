//! The table, in the embedded DynamoDB-compatible engine.

use std::path::Path;
use std::time::Duration;

use dynoxide::Database;
use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::actions::update_table::UpdateTableRequest;
use dynoxide::actions::update_time_to_live::UpdateTimeToLiveRequest;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::console::say;
use crate::shutdown::Stop;
use crate::template::Table;

/// DynamoDB deletes expired items late; ten minutes is late enough to notice who relies on it.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// The engine finds stream records by table and sequence number, and has no index for it: without
/// this one every write reads every record there is.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS stream_records_by_sequence ON \
     _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// A stream keeps its records for a day. The last one stays, because numbers go on from it.
const TRIM_STREAM: &str = "DELETE FROM _stream_records WHERE created_at < unixepoch() - 86400 AND \
     id < (SELECT MAX(id) FROM _stream_records)";

/// Why the table cannot be had.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The engine refused.
    #[error("the table: {0}")]
    Engine(#[from] dynoxide::errors::DynoxideError),
    /// The file cannot be prepared.
    #[error("the table's file: {0}")]
    File(#[from] rusqlite::Error),
    /// The template's words are none the engine knows.
    #[error("the table, as template.yaml describes it: {0}")]
    Description(#[from] serde_json::Error),
    /// A folder or file cannot be made.
    #[error("the table's file: {0}")]
    Io(#[from] std::io::Error),
}

/// The engine with the stack's table in it. Clones share it.
#[derive(Clone)]
pub struct TableStore {
    database: Database,
    table: Table,
}

impl TableStore {
    /// Opens the store, in a file or in memory, and makes the table if it is not there.
    ///
    /// # Errors
    /// When the file cannot be used or the template describes no table.
    pub fn open(file: Option<&Path>, table: Table) -> Result<Self, StoreError> {
        let database = match file {
            Some(path) => open_file(path)?,
            None => open_memory()?,
        };
        let store = Self { database, table };
        if store.describe().is_err() {
            store.create()?;
        }
        Ok(store)
    }

    /// Turns the table's stream on, if it is not. A new store does this after its first users are
    /// in it: their records would only be in the way.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn turn_stream_on(&self) -> Result<(), StoreError> {
        let Some(view) = &self.table.stream_view_type else {
            return Ok(());
        };
        if self.stream_arn()?.is_none() {
            self.database
                .update_table(request::<UpdateTableRequest>(json!({
                    "TableName": self.table.name,
                    "StreamSpecification": {"StreamEnabled": true, "StreamViewType": view},
                }))?)?;
        }
        Ok(())
    }

    /// The ARN of the table's stream, if it is on.
    ///
    /// # Errors
    /// When the engine does not know the table.
    pub fn stream_arn(&self) -> Result<Option<String>, StoreError> {
        let description = serde_json::to_value(self.describe()?)?;
        let table = description.get("Table");
        let enabled = table.and_then(|table| {
            table
                .get("StreamSpecification")?
                .get("StreamEnabled")?
                .as_bool()
        });
        let arn = table.and_then(|table| table.get("LatestStreamArn")?.as_str());
        Ok(arn.filter(|_| enabled == Some(true)).map(str::to_owned))
    }

    /// Whether the table has no items.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        let scan = request::<ScanRequest>(json!({"TableName": self.table.name, "Limit": 1}))?;
        Ok(self.database.scan(scan)?.count == 0)
    }

    /// The engine.
    #[must_use]
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Serves the DynamoDB API until the end, and until the last request is answered: the stop is
    /// held for as long.
    pub async fn serve(self, listener: TcpListener, stop: Stop) {
        let mut asked = stop.clone();
        let stopped = async move { asked.requested().await };
        let served = dynoxide::server::serve_with_shutdown(listener, self.database, stopped).await;
        if let Err(error) = served {
            say(format!("[dynamodb] {error}"));
        }
        drop(stop);
    }

    /// Deletes expired items now and then, until the end.
    pub async fn sweep(self, mut stop: Stop) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = stop.requested() => return,
            }
            let database = self.database.clone();
            let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
            if let Ok(Err(error)) = swept {
                say(format!("[dynamodb] expired items stay for now: {error}"));
            }
        }
    }

    fn describe(
        &self,
    ) -> Result<dynoxide::actions::describe_table::DescribeTableResponse, StoreError> {
        let describe = json!({"TableName": self.table.name});
        Ok(self
            .database
            .describe_table(request::<DescribeTableRequest>(describe)?)?)
    }

    fn create(&self) -> Result<(), StoreError> {
        let mut create = json!({
            "TableName": self.table.name,
            "KeySchema": self.table.key_schema,
            "AttributeDefinitions": self.table.attribute_definitions,
            "BillingMode": "PAY_PER_REQUEST",
        });
        if let (Some(indexes), Some(fields)) =
            (&self.table.global_secondary_indexes, create.as_object_mut())
        {
            fields.insert("GlobalSecondaryIndexes".to_owned(), indexes.clone());
        }
        self.database
            .create_table(request::<CreateTableRequest>(create)?)?;
        if let Some(attribute) = &self.table.ttl_attribute {
            self.database
                .update_time_to_live(request::<UpdateTimeToLiveRequest>(json!({
                    "TableName": self.table.name,
                    "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
                }))?)?;
        }
        Ok(())
    }
}

fn request<T: DeserializeOwned>(value: Json) -> serde_json::Result<T> {
    serde_json::from_value(value)
}

/// The engine makes its tables when it opens a file, the index is added with the file to itself.
fn open_file(path: &Path) -> Result<Database, StoreError> {
    drop(Database::new(&path.to_string_lossy())?);
    let connection = rusqlite::Connection::open(path)?;
    connection.execute(TRIM_STREAM, [])?;
    connection.execute(STREAM_INDEX, [])?;
    drop(connection);
    Ok(Database::new(&path.to_string_lossy())?)
}

/// A database in memory cannot be shared with another connection: it is restored from a file that
/// has the index.
fn open_memory() -> Result<Database, StoreError> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("empty.sqlite");
    drop(open_file(&file)?);
    let database = Database::memory()?;
    database.restore_from(&file.to_string_lossy())?;
    Ok(database)
}
