//! The connection to the database. One is kept, and made anew when it is broken.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client as SecretsClient;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use user_store::aws;
use zeroize::Zeroizing;

/// A connection has to be there within this time, and a kept one has to answer.
const CONNECT: Duration = Duration::from_millis(2500);
const ALIVE: Duration = Duration::from_millis(300);
/// A statement ends within this time, and so does a wait for a lock. Regain waits 3 s for `find` and 5 s for
/// `set-password`. A function that is frozen in a transaction holds its locks no longer than the last one.
const LIMITS: &str = "SET statement_timeout = '1500ms'; SET lock_timeout = '1200ms'; \
    SET idle_in_transaction_session_timeout = '5s'";

/// Why the database cannot be used. No message quotes a value.
#[derive(Debug, Error)]
pub(crate) enum DatabaseError {
    /// There is no connection within the time.
    #[error("no connection to the database in time")]
    Timeout,
    /// The server refused, or the connection broke.
    #[error("{0}")]
    Postgres(String),
    /// The roots cannot be read.
    #[error("DATABASE_ROOTS holds no certificate")]
    Roots,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The secret cannot be fetched.
    #[error("the secret of DATABASE_SECRET_ARN cannot be fetched: {0}")]
    Secret(String),
    /// The secret is of another form.
    #[error(
        "the secret of DATABASE_SECRET_ARN has to be a JSON object with username and password, and with host, port and dbname where DATABASE_URL lacks them"
    )]
    SecretForm,
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(match error.as_db_error() {
            // Wrong SQL and missing rights: the message names what the statement names. Other messages may
            // quote values.
            Some(refused) if refused.code().code().starts_with("42") => {
                format!(
                    "the database refused: {} ({})",
                    refused.message(),
                    refused.code().code()
                )
            }
            Some(refused) => format!("the database refused: {}", refused.code().code()),
            None if error.is_closed() => "the connection to the database broke".to_owned(),
            None => "the database cannot be reached".to_owned(),
        })
    }
}

/// The fields of a secret, in the form that RDS gives it.
#[derive(Deserialize)]
struct Secret {
    username: String,
    password: Zeroizing<String>,
    host: Option<String>,
    port: Option<u16>,
    dbname: Option<String>,
}

/// The database.
pub(crate) struct Database {
    config: Config,
    secret: Option<String>,
    tls: Option<MakeRustlsConnect>,
    kept: Mutex<Option<Client>>,
}

/// A connection in use.
pub(crate) type Connection<'a> = MutexGuard<'a, Option<Client>>;

impl Database {
    pub(crate) fn new(
        mut config: Config,
        secret: Option<String>,
        plain: bool,
        roots: Option<&str>,
    ) -> Result<Self, DatabaseError> {
        config.connect_timeout(CONNECT).application_name("regain");
        let tls = if plain { None } else { Some(tls(roots)?) };
        let kept = Mutex::default();
        Ok(Self {
            config,
            secret,
            tls,
            kept,
        })
    }

    /// The kept connection, if it still answers, else a new one.
    ///
    /// While a function is frozen, its connection may break without a sign.
    pub(crate) async fn connection(&self) -> Result<Connection<'_>, DatabaseError> {
        let mut kept = self.kept.lock().await;
        if let Some(client) = kept.as_ref()
            && matches!(timeout(ALIVE, client.check_connection()).await, Ok(Ok(())))
        {
            return Ok(kept);
        }
        *kept = None;
        *kept = Some(self.connect().await?);
        Ok(kept)
    }

    async fn connect(&self) -> Result<Client, DatabaseError> {
        let config = match &self.secret {
            // Fetched for each connection, so that a rotated password is known at once.
            Some(arn) => with_secret(&self.config, arn).await?,
            None => self.config.clone(),
        };
        let connected = timeout(CONNECT, async {
            let client = if let Some(tls) = &self.tls {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                client
            } else {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                client
            };
            client.batch_execute(LIMITS).await?;
            Ok::<_, DatabaseError>(client)
        });
        connected.await.map_err(|_| DatabaseError::Timeout)?
    }
}

/// Whether a transaction may have taken place although its end failed: nobody knows what the server did.
pub(crate) fn is_lost(error: &tokio_postgres::Error) -> bool {
    let refused = error
        .as_db_error()
        .map(tokio_postgres::error::DbError::code);
    refused
        .is_none_or(|code| *code == SqlState::ADMIN_SHUTDOWN || *code == SqlState::CRASH_SHUTDOWN)
}

/// Whether an id or version is no value of the column's type, so that it is nobody's.
pub(crate) fn is_nobodys(error: &tokio_postgres::Error) -> bool {
    let refused = error.code();
    refused.is_some_and(|code| {
        *code == SqlState::INVALID_TEXT_REPRESENTATION
            || *code == SqlState::NUMERIC_VALUE_OUT_OF_RANGE
    })
}

/// The configuration with what the secret adds.
async fn with_secret(config: &Config, arn: &str) -> Result<Config, DatabaseError> {
    let client = SecretsClient::new(&aws::config());
    let fetched = client.get_secret_value().secret_id(arn).send().await;
    let fetched = fetched.map_err(|error| {
        use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
        let service = error.as_service_error();
        DatabaseError::Secret(
            service
                .and_then(|it| it.code())
                .unwrap_or("no answer")
                .to_owned(),
        )
    })?;
    let text = Zeroizing::new(fetched.secret_string.unwrap_or_default());
    let secret: Secret = serde_json::from_str(&text).map_err(|_| DatabaseError::SecretForm)?;
    let mut config = config.clone();
    config
        .user(&secret.username)
        .password(secret.password.as_bytes());
    if config.get_hosts().is_empty() {
        config.host(secret.host.as_ref().ok_or(DatabaseError::SecretForm)?);
    }
    if config.get_ports().is_empty() {
        config.port(secret.port.unwrap_or(5432));
    }
    if config.get_dbname().is_none() {
        config.dbname(secret.dbname.as_ref().ok_or(DatabaseError::SecretForm)?);
    }
    Ok(config)
}

/// TLS that checks the server's certificate and name.
fn tls(roots: Option<&str>) -> Result<MakeRustlsConnect, DatabaseError> {
    let mut store = RootCertStore::empty();
    let certificates: Vec<CertificateDer<'_>> = match roots {
        None => rustls_native_certs::load_native_certs().certs,
        Some(pem) if pem.contains("-----BEGIN") => {
            let read: Result<_, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            read.map_err(|_| DatabaseError::Roots)?
        }
        Some(file) => {
            let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
            read.map_err(|_| DatabaseError::Roots)?
        }
    };
    let (taken, _) = store.add_parsable_certificates(certificates);
    if taken == 0 {
        return Err(DatabaseError::Roots);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
