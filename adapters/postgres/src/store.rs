//! Answers each message.

use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};
use user_store::{Answer, Ask, EmailProven, Find, Outcome, SetPassword, User, UserStore};

use crate::database::{Database, DatabaseError, is_lost, is_nobodys};
use crate::hashing::{Hashing, HashingError};
use crate::row::{self, RowError};
use crate::settings::{Settings, Statements};

/// Regain waits 3 s for `find` and `email-proven`.
const FIND: Duration = Duration::from_millis(2800);

/// Why a message cannot be answered.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// There is no connection.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The connection broke while the password was being committed, and nobody can be asked whether it was.
    #[error("the password may be set: {0}")]
    Unknown(String),
    /// A row is of no use.
    #[error(transparent)]
    Row(#[from] RowError),
    /// There is no hash.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// It took too long.
    #[error("the database did not answer in time")]
    Timeout,
    /// A statement is wrong.
    #[error("{0}")]
    Statement(&'static str),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

/// How a transaction ended.
enum Ended {
    /// As it should.
    With(Outcome),
    /// The connection broke while it was being committed.
    Lost(DatabaseError),
}

/// The users in a table.
pub(crate) struct PostgresStore {
    database: Database,
    statements: Statements,
    hashing: Hashing,
}

impl UserStore for PostgresStore {
    type Error = StoreError;

    fn is_unknown(error: &StoreError) -> bool {
        matches!(error, StoreError::Unknown(_))
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, StoreError> {
        Ok(match ask {
            Ask::Find(find) => {
                let found = timeout(FIND, self.find(find)).await;
                let user = found.map_err(|_| StoreError::Timeout)??;
                Answer::Found { user }
            }
            // Each statement has a limit of its own. A limit for all of them could end within the commit.
            Ask::SetPassword(set) => self.set_password(set).await?.into(),
            Ask::EmailProven(proven) => {
                let noted = timeout(FIND, self.email_proven(proven)).await;
                noted.map_err(|_| StoreError::Timeout)??.into()
            }
        })
    }
}

impl PostgresStore {
    pub(crate) fn new(settings: Settings) -> Result<Self, DatabaseError> {
        let Settings {
            database,
            secret,
            plain,
            roots,
            statements,
            hashing,
        } = settings;
        let database = Database::new(database, secret, plain, roots.as_deref())?;
        Ok(Self {
            database,
            statements,
            hashing,
        })
    }

    async fn find(&self, find: Find) -> Result<Option<User>, StoreError> {
        let kept = self.database.connection().await?;
        let client = kept.as_ref().ok_or(DatabaseError::Timeout)?;
        match find {
            Find::Address(address) => self.statements.find(client, Some(&address), None).await,
            Find::Id(id) => self.statements.find(client, None, Some(&id)).await,
        }
    }

    async fn email_proven(&self, proven: EmailProven) -> Result<Outcome, StoreError> {
        let kept = self.database.connection().await?;
        let client = kept.as_ref().ok_or(DatabaseError::Timeout)?;
        let EmailProven { id, address } = proven;
        if let Some(statement) = &self.statements.email_proven {
            let given: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
                [(&id, Type::TEXT), (&address, Type::TEXT)];
            match client.execute_typed(statement, &given).await {
                Ok(0) => return Ok(Outcome::Changed),
                Ok(_) => {}
                Err(error) if is_nobodys(&error) => return Ok(Outcome::Changed),
                Err(error) => return Err(error.into()),
            }
        }
        let found = self.statements.find(client, None, Some(&id)).await?;
        Ok(found.map_or(Outcome::Changed, |user| Outcome::Proven {
            credentials_version: user.credentials_version,
        }))
    }

    async fn set_password(&self, mut set: SetPassword) -> Result<Outcome, StoreError> {
        // Before the transaction, which must not hold locks for as long as a hash takes.
        let hash = match self.hashing.hash(&mut set).await? {
            Ok(hash) => hash,
            Err(reason) => {
                return Ok(Outcome::Refused {
                    reasons: vec![reason],
                });
            }
        };
        match self.set_once(&set, &hash).await? {
            Ended::With(outcome) => Ok(outcome),
            // The key says whether it took place.
            Ended::Lost(_) => match self.set_once(&set, &hash).await {
                Ok(Ended::With(outcome)) => Ok(outcome),
                Ok(Ended::Lost(error)) => Err(StoreError::Unknown(error.to_string())),
                Err(error) => Err(StoreError::Unknown(error.to_string())),
            },
        }
    }

    /// Remembers the key and sets the password, in one transaction.
    async fn set_once(&self, set: &SetPassword, hash: &str) -> Result<Ended, StoreError> {
        let mut kept = self.database.connection().await?;
        let client: &mut Client = kept.as_mut().ok_or(DatabaseError::Timeout)?;
        let transaction = client.transaction().await?;
        transaction
            .batch_execute(&self.statements.forget_keys)
            .await?;
        // Waits for another transaction with the same key.
        let is_new = transaction
            .execute_typed(&self.statements.add_key, &[(&set.key, Type::TEXT)])
            .await?
            == 1;
        if is_new {
            let changed = transaction
                .execute_typed(
                    &self.statements.set,
                    &[
                        (&hash, Type::TEXT),
                        (&set.id, Type::TEXT),
                        (&set.credentials_version, Type::TEXT),
                        (&set.address, Type::TEXT),
                    ],
                )
                .await;
            match changed {
                Ok(0) => return Ok(Ended::With(Outcome::Changed)),
                Ok(1) => {}
                Err(error) if is_nobodys(&error) => return Ok(Ended::With(Outcome::Changed)),
                Err(error) => return Err(error.into()),
                Ok(_) => {
                    return Err(StoreError::Statement(
                        "SET_SQL changed more than one row, so nothing was changed",
                    ));
                }
            }
        }
        let Some(user) = self
            .statements
            .find(&transaction, None, Some(&set.id))
            .await?
        else {
            return Ok(Ended::With(Outcome::Changed));
        };
        if is_new && user.credentials_version == set.credentials_version {
            return Err(StoreError::Statement(
                "SET_SQL does not change the version that FIND_SQL answers, so nothing was changed",
            ));
        }
        match transaction.commit().await {
            Ok(()) => Ok(Ended::With(Outcome::Set {
                user: Box::new(user),
            })),
            Err(error) if is_lost(&error) => Ok(Ended::Lost(error.into())),
            Err(error) => Err(error.into()),
        }
    }
}

impl Statements {
    /// The one user of an address or id. An address that several users have leads to nobody.
    async fn find(
        &self,
        client: &impl GenericClient,
        address: Option<&str>,
        id: Option<&str>,
    ) -> Result<Option<User>, StoreError> {
        let given: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&address, Type::TEXT), (&id, Type::TEXT)];
        let rows = match client.query_typed(&self.find, &given).await {
            Ok(rows) => rows,
            Err(error) if is_nobodys(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if rows.len() > 1 {
            tracing::warn!("address is ambiguous");
            return Ok(None);
        }
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(row::read(row.try_get(0)?)?)
    }
}
