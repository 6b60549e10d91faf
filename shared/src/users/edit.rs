//! Creates, changes and deletes one user at a time, by the rules of an import.
//!
//! Every call writes one transaction, on the condition that the user is as it was read, and can be repeated:
//! unchanged users are skipped.

use rand::rngs::StdRng;
use regain_password::{Address, Hasher, InvalidCost};
use thiserror::Error;

use super::User;
use super::import::importer::{CheckedLine, Importer, Origin, TAKEN, merged};
use super::import::lines::UserLine;
use super::import::{BadLine, Change, ImportError, ImportRules};
use crate::hashing::HashingError;
use crate::ids::UserId;
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// How often a call is tried if its user changes between the read and the write.
const ATTEMPTS: usize = 4;

/// Why a user was not created, changed or deleted.
#[derive(Debug, Error)]
pub enum EditError {
    /// The JSON is no user. Never repeats a password or a hash.
    #[error("{0}")]
    Bad(String),
    /// Another user has the address.
    #[error("{TAKEN}")]
    Taken,
    /// A user has the address or the id, and differs from the one to be created.
    #[error("a user has this address or id, and is not as given")]
    Exists,
    /// There is no such user.
    #[error("there is no such user")]
    Nobody,
    /// Somebody else was changing the user.
    #[error("the user or the address was changed meanwhile")]
    Changed,
    /// The table could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashingError),
}

impl From<BadLine> for EditError {
    fn from(line: BadLine) -> Self {
        if line.reason == TAKEN {
            Self::Taken
        } else {
            Self::Bad(line.reason)
        }
    }
}

impl From<ImportError> for EditError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Line(line) => line.into(),
            ImportError::Store(error) => error.into(),
            ImportError::Hash(error) => error.into(),
            // These are errors of whole files.
            ImportError::Bad { .. }
            | ImportError::Raced { .. }
            | ImportError::Stopped { .. }
            | ImportError::Cost(_) => Self::Bad(error.to_string()),
        }
    }
}

/// A user who was created or changed, or was so already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The user's id.
    pub id: UserId,
    /// The change to the user.
    pub change: Change,
}

/// Creates, changes and deletes users.
pub struct Edit {
    store: Store,
    importer: Importer,
    rules: ImportRules,
}

impl Edit {
    /// Changes at the time `at`. A password that is set counts as set by the person, so a later import keeps it.
    ///
    /// # Errors
    /// If the cost of a hash is out of range.
    pub fn new(store: &Store, rules: ImportRules, at: Timestamp) -> Result<Self, InvalidCost> {
        let rules = ImportRules {
            overwrite_passwords: true,
            ..rules
        };
        let cost = rules.cost;
        let hasher = Hasher::new(cost.memory_kib, cost.iterations, cost.parallelism)?;
        let importer = Importer::new(store.clone(), hasher, &rules, Origin::Person, at);
        Ok(Self {
            store: store.clone(),
            importer,
            rules,
        })
    }

    /// Creates a user from JSON, which has the fields of a line of a users file.
    ///
    /// # Errors
    /// If the JSON is no user, if there is such a user who differs, or if the table fails.
    pub async fn create(&self, json: &str, rng: &mut StdRng) -> Result<Edited, EditError> {
        let line = UserLine::one(json, &self.rules, None).map_err(EditError::Bad)?;
        self.write(line, None, rng).await
    }

    /// Changes what the JSON gives of a user, which has the fields of a line of a users file. An address that
    /// changes is unproven unless the JSON says otherwise, and a password that changes voids all proofs.
    ///
    /// # Errors
    /// If the JSON cannot be of this user, if there is no such user, if somebody else has changed the status
    /// that the JSON changes, or if the table fails.
    pub async fn update(
        &self,
        id: &UserId,
        json: &str,
        rng: &mut StdRng,
    ) -> Result<Edited, EditError> {
        let user = self.store.user(id).await?.ok_or(EditError::Nobody)?;
        let line = UserLine::one(json, &self.rules, Some(&user)).map_err(EditError::Bad)?;
        self.write(line, Some(&user), rng).await
    }

    /// Writes a line. `of` is the user who is changed, as read, or nothing for a new one.
    async fn write(
        &self,
        mut line: UserLine,
        of: Option<&User>,
        rng: &mut StdRng,
    ) -> Result<Edited, EditError> {
        let drawn = UserId::draw(self.rules.id_format, rng);
        let mut typed = None;
        for _ in 0..ATTEMPTS {
            let found = self.importer.find(&[(&line, drawn.clone())]).await?;
            let Some(found) = found.into_iter().next().transpose()? else {
                return Err(EditError::Changed);
            };
            match (of, &found.before) {
                (Some(_), None) => return Err(EditError::Nobody),
                (Some(of), Some(now)) if line.says_a_status() && now.status != of.status => {
                    return Err(EditError::Changed);
                }
                // A field that the JSON leaves out stays as it was read, the address included.
                (Some(of), Some(now)) if !line.says_an_address() && now.email != of.email => {
                    return Err(EditError::Changed);
                }
                _ => {}
            }
            let id = found.id.clone();
            let user = merged(&line, &found, &self.rules.policy)?;
            let checked = CheckedLine { line, found, user };
            let prepared = self.importer.prepare(checked, typed, rng).await?;
            let change = prepared.done.change;
            match change {
                Change::Unchanged => return Ok(Edited { id, change }),
                Change::Updated if of.is_none() => return Err(EditError::Exists),
                Change::Created | Change::Updated => {}
            }
            let write = prepared.write();
            let (before, address_before) = (write.before, write.address_before);
            let written = self
                .store
                .put_user(write.user, write.address, before, address_before);
            if written.await? {
                return Ok(Edited { id, change });
            }
            (line, typed) = (prepared.line, prepared.typed);
        }
        Err(EditError::Changed)
    }

    /// Deletes a user, and the lookup of the user's address. Sessions and mail requests, which no key leads to,
    /// open nothing without the user and end by themselves.
    ///
    /// Returns whether there was such a user.
    ///
    /// # Errors
    /// If the user is changed all the time, or if the table fails.
    pub async fn delete(store: &Store, id: &UserId) -> Result<bool, EditError> {
        for _ in 0..ATTEMPTS {
            let Some(user) = store.user(id).await? else {
                return Ok(false);
            };
            let address = match Address::parse(&user.email) {
                Ok(address) if store.user_id_of(&address).await?.as_ref() == Some(id) => {
                    Some(address)
                }
                // The lookup is another user's, or there is none.
                _ => None,
            };
            if store.delete_user(&user, address.as_ref()).await? {
                return Ok(true);
            }
        }
        Err(EditError::Changed)
    }
}
