//! The embedded engine, which speaks DynamoDB's API.

use std::path::Path;
use std::time::Duration;

use dynoxide::Database;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::console::say;
use crate::shutdown::Stop;

/// DynamoDB deletes expired items late. So does this, to show whether anything relies on the deletion.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// The engine looks stream records up by table and sequence number and has no index for that. Without
/// this one, each write reads all records.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS stream_records_by_sequence ON \
     _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// A stream keeps its records for a day. The last one stays, because the next number follows from it.
const TRIM_STREAM: &str = "DELETE FROM _stream_records WHERE created_at < unixepoch() - 86400 AND \
     id < (SELECT MAX(id) FROM _stream_records)";

/// Why the engine cannot be opened.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The engine refused.
    #[error("the table: {0}")]
    Engine(#[from] dynoxide::errors::DynoxideError),
    /// The file cannot be prepared.
    #[error("the table's file: {0}")]
    File(#[from] rusqlite::Error),
    /// A folder or file cannot be made.
    #[error("the table's file: {0}")]
    Io(#[from] std::io::Error),
}

/// The engine. Clones share it.
#[derive(Clone)]
pub struct Engine(Database);

impl Engine {
    /// Opens it, in a file or in memory.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(file: Option<&Path>) -> Result<Self, EngineError> {
        let database = match file {
            Some(path) => open_file(path)?,
            None => open_memory()?,
        };
        Ok(Self(database))
    }

    /// Serves the DynamoDB API until the end is asked for and the last request is answered.
    pub async fn serve(self, listener: TcpListener, stop: Stop) {
        let stopped = stop.token().cancelled_owned();
        let served = dynoxide::server::serve_with_shutdown(listener, self.0, stopped).await;
        if let Err(error) = served {
            say(format!("[dynamodb] {error}"));
        }
        drop(stop);
    }

    /// Deletes expired items every ten minutes, until the end.
    pub async fn sweep(self, stop: Stop) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = stop.requested() => return,
            }
            let database = self.0.clone();
            let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
            if let Ok(Err(error)) = swept {
                say(format!("[dynamodb] expired items stay for now: {error}"));
            }
        }
    }
}

/// The engine makes its tables when it opens the file. The index is added while nobody else has it open.
fn open_file(path: &Path) -> Result<Database, EngineError> {
    drop(Database::new(&path.to_string_lossy())?);
    let connection = rusqlite::Connection::open(path)?;
    connection.execute(TRIM_STREAM, [])?;
    connection.execute(STREAM_INDEX, [])?;
    drop(connection);
    Ok(Database::new(&path.to_string_lossy())?)
}

/// No second connection can reach a database in memory, so it is restored from a file with the index.
fn open_memory() -> Result<Database, EngineError> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("empty.sqlite");
    drop(open_file(&file)?);
    let database = Database::memory()?;
    database.restore_from(&file.to_string_lossy())?;
    Ok(database)
}
