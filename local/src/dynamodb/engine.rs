//! The embedded DynamoDB-compatible engine.

use std::path::Path;
use std::time::Duration;

use dynoxide::Database;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::console::say;
use crate::shutdown::Stop;

/// DynamoDB deletes expired items late; ten minutes is late enough to notice who relies on it.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// The engine finds stream records by table and sequence number, and has no index for it: without
/// this one every write reads every record there is.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS stream_records_by_sequence ON \
     _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// A stream keeps its records for a day. The last one stays, because numbers go on from it.
const TRIM_STREAM: &str = "DELETE FROM _stream_records WHERE created_at < unixepoch() - 86400 AND \
     id < (SELECT MAX(id) FROM _stream_records)";

/// Why the engine cannot be had.
#[derive(Debug, Error)]
pub enum EngineError {
    /// It refused.
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

    /// Serves the DynamoDB API until the end, and until the last request is answered: the stop is
    /// held for as long.
    pub async fn serve(self, listener: TcpListener, stop: Stop) {
        let mut asked = stop.clone();
        let stopped = async move { asked.requested().await };
        let served = dynoxide::server::serve_with_shutdown(listener, self.0, stopped).await;
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
            let database = self.0.clone();
            let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
            if let Ok(Err(error)) = swept {
                say(format!("[dynamodb] expired items stay for now: {error}"));
            }
        }
    }
}

/// The engine makes its tables when it opens a file, the index is added with the file to itself.
fn open_file(path: &Path) -> Result<Database, EngineError> {
    drop(Database::new(&path.to_string_lossy())?);
    let connection = rusqlite::Connection::open(path)?;
    connection.execute(TRIM_STREAM, [])?;
    connection.execute(STREAM_INDEX, [])?;
    drop(connection);
    Ok(Database::new(&path.to_string_lossy())?)
}

/// A database in memory cannot be shared with another connection: it is restored from a file that
/// has the index.
fn open_memory() -> Result<Database, EngineError> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("empty.sqlite");
    drop(open_file(&file)?);
    let database = Database::memory()?;
    database.restore_from(&file.to_string_lossy())?;
    Ok(database)
}
