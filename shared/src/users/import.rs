//! Imports a file of users: one JSON object a line.
//!
//! A line matches an existing user by its id, or else by its address. Fields that the line does not have stay
//! as they were, and unchanged users are skipped. So an import that was stopped is finished by running it
//! again.
//!
//! [`Import::check`] reads all lines, and checks each against the table, as the item that it would become.
//! Only then does [`Import::run`] write. `cargo run -- --users` and `regain users import` both use this module.

pub(super) mod importer;
pub(super) mod lines;
mod notes;
mod workers;

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use rand::rngs::StdRng;
use regain_password::{FirebaseScrypt, Hasher, InvalidCost, Policy};
use thiserror::Error;

pub use self::importer::Change;
use self::importer::{CheckedLine, Importer, Origin};
pub use self::lines::BadLine;
use self::lines::UserLines;
pub use self::lines::exported;
pub use self::notes::Notes;
pub use self::workers::Progress;
use self::workers::{Ended, each};
use super::RecoverableStatuses;
use crate::hashing::HashingError;
use crate::ids::UserIdFormat;
use crate::settings::{Argon2Cost, DirectoryUserId, Settings};
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// Lines that are under way at once while a file is worked line by line.
const LINES_AT_ONCE: usize = 32;

/// Batches of several lines that are under way at once. So they stay below the 4,000 write units a second with
/// which an on-demand table begins.
const BATCHES_AT_ONCE: usize = 4;

/// The most lines of a batch. Their users are read by two calls, and are written by one transaction; a line
/// writes three items at most, and DynamoDB takes 100 in a transaction.
const MAX_BATCH: usize = 25;

/// A file has this many batches or more, if it has as many lines. So the lines of a small file are
/// independent of each other, and an import ends soon after it is stopped.
const MIN_BATCHES: usize = 256;

/// How many lines of a file are worked together.
fn batch_size(lines: usize) -> usize {
    (lines / MIN_BATCHES).clamp(1, MAX_BATCH)
}

/// How many batches of that many lines are under way at once.
fn batches_at_once(size: usize) -> usize {
    if size > 1 {
        BATCHES_AT_ONCE
    } else {
        LINES_AT_ONCE
    }
}

/// The rules of an import.
#[derive(Clone, Debug)]
pub struct ImportRules {
    /// The format of the ids.
    pub id_format: UserIdFormat,
    /// Whether callers are answered with the ids. A note then points out ids that tell who has an account.
    pub answers_ids: bool,
    /// The cost at which passwords in clear text are hashed.
    pub cost: Argon2Cost,
    /// The policy for passwords in clear text.
    pub policy: Policy,
    /// The statuses that may recover. A note points out others.
    pub statuses: RecoverableStatuses,
    /// Whether a password is also replaced if a recovery or another program has changed it.
    pub overwrite_passwords: bool,
    /// The parameters of the Firebase project that hashes with a `passwordSalt` are from.
    pub firebase: Option<FirebaseScrypt>,
}

impl ImportRules {
    /// The rules of a stack. A password that a recovery or another program has changed is kept.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            id_format: settings.user_id_format,
            answers_ids: settings.directory_user_id == DirectoryUserId::User,
            cost: settings.argon2,
            policy: Policy {
                min_length: settings.password_min_length,
                service_name: settings.service_name.clone(),
            },
            statuses: settings.recoverable_statuses.clone(),
            overwrite_passwords: false,
            firebase: None,
        }
    }
}

/// The counts of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New users.
    pub created: usize,
    /// Existing users that were changed.
    pub updated: usize,
    /// Existing users that were as their lines say.
    pub unchanged: usize,
    /// Users, updated or not, whose own password was kept, because a recovery or another program has
    /// changed it.
    pub passwords_kept: usize,
}

impl Imported {
    fn count(&mut self, done: Done) {
        match done.change {
            Change::Created => self.created += 1,
            Change::Updated => self.updated += 1,
            Change::Unchanged => self.unchanged += 1,
        }
        self.passwords_kept += usize::from(done.password_kept);
    }
}

/// The result of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The change to the user.
    pub change: Change,
    /// Whether the user's own password was kept.
    pub password_kept: bool,
}

/// Why a line or a whole file was not imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// These lines cannot be imported, so nothing was.
    #[error("{}", all(.bad, *.lines))]
    Bad {
        /// The lines, in order.
        bad: Vec<BadLine>,
        /// How many lines the file has, without blank ones.
        lines: usize,
    },
    /// The users of these lines were changed by somebody else meanwhile. The other lines were imported.
    #[error("{} of {lines} lines were not imported, because their users were changed meanwhile:{}", .bad.len(), list(.bad))]
    Raced {
        /// The lines, in order.
        bad: Vec<BadLine>,
        /// How many lines the file has, without blank ones.
        lines: usize,
    },
    /// A line cannot be imported.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// The table could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashingError),
    /// The cost of a hash is out of range.
    #[error(transparent)]
    Cost(#[from] InvalidCost),
    /// The import was stopped while the lines were checked.
    #[error("stopped after {done} of {lines} lines")]
    Stopped {
        /// Lines that were checked.
        done: usize,
        /// All lines.
        lines: usize,
    },
}

/// The message about all bad lines of a file.
fn all(bad: &[BadLine], lines: usize) -> String {
    let number = bad.len();
    let list = list(bad);
    format!("{number} of {lines} lines cannot be imported, so nothing was imported:{list}")
}

/// Lists bad lines, one on each line.
fn list(bad: &[BadLine]) -> String {
    bad.iter()
        .fold(String::new(), |text, line| format!("{text}\n  {line}"))
}

/// A file that was read and checked against the table.
#[derive(Debug)]
pub struct CheckedFile {
    lines: Vec<CheckedLine>,
    /// The lines that cannot be imported, in order.
    pub bad: Vec<BadLine>,
    /// Notes about the other lines.
    pub notes: Notes,
}

impl CheckedFile {
    /// How many lines there are, without blank ones.
    #[must_use]
    pub fn total(&self) -> usize {
        self.lines.len() + self.bad.len()
    }
}

/// What an import does with a checked file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Report what would be done, and write nothing.
    Preview,
    /// Import the lines.
    Import,
}

/// The result of an import.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The counts of the lines that were done.
    pub imported: Imported,
    /// The lines that could not be imported after all, in order.
    pub bad: Vec<BadLine>,
    /// The failure that ended the import early, with the first line of the batch that met it.
    pub failed: Option<(usize, ImportError)>,
    /// Lines that were left, because the import was stopped or failed.
    pub left: usize,
}

/// An import into a table.
pub struct Import {
    /// One for each processor, because the clones of one hasher take turns, see [`Hasher`].
    importers: Vec<Importer>,
    rules: ImportRules,
}

impl Import {
    /// An import whose new passwords have the time `at`.
    ///
    /// # Errors
    /// If the cost of a hash is out of range.
    pub fn new(store: &Store, rules: ImportRules, at: Timestamp) -> Result<Self, InvalidCost> {
        let processors = available_parallelism()
            .map_or(1, NonZeroUsize::get)
            .min(LINES_AT_ONCE);
        let importers = (0..processors).map(|_| {
            let cost = rules.cost;
            let hasher = Hasher::new(cost.memory_kib, cost.iterations, cost.parallelism)?;
            Ok(Importer::new(
                store.clone(),
                hasher,
                &rules,
                Origin::Import,
                at,
            ))
        });
        Ok(Self {
            importers: importers.collect::<Result<_, InvalidCost>>()?,
            rules,
        })
    }

    /// Reads a file and checks every line: by itself, against the other lines, and as the item that it would
    /// become. Writes nothing.
    ///
    /// # Errors
    /// If the table cannot be read, or if the import is stopped.
    pub async fn check(
        &self,
        jsonl: &str,
        progress: &Progress,
        rng: &mut StdRng,
    ) -> Result<CheckedFile, ImportError> {
        let UserLines {
            lines,
            mut bad,
            unknown,
            rounded,
        } = UserLines::read(jsonl, &self.rules);
        let mut notes = Notes::new(unknown, rounded);
        let total = lines.len();
        let Ended { done, failed } =
            each(&self.importers, lines, Importer::check, progress, rng).await;
        if let Some((_, error)) = failed {
            return Err(error);
        }
        let stopped = ImportError::Stopped {
            done: done.len(),
            lines: total,
        };
        // A short file may be checked completely before the import is stopped.
        if done.len() < total || progress.is_stopped() {
            return Err(stopped);
        }
        let mut subjects = importer::Subjects::default();
        let mut lines = Vec::with_capacity(total);
        for (_, checked) in done {
            let checked = checked.and_then(|line| {
                subjects.claim(&line)?;
                Ok(line)
            });
            match checked {
                Ok(line) => {
                    notes.count(&line, &self.rules);
                    lines.push(line);
                }
                Err(line) => bad.push(line),
            }
        }
        bad.sort_by_key(|bad| bad.line);
        Ok(CheckedFile { lines, bad, notes })
    }

    /// Does one step with the good lines of a file, in batches, until the table fails or `progress` is
    /// stopped. Batches under way are finished.
    pub async fn run(
        &self,
        file: CheckedFile,
        step: Step,
        progress: &Progress,
        rng: &mut StdRng,
    ) -> Outcome {
        let total = file.lines.len();
        let (importers, lines) = (&self.importers, file.lines);
        let Ended { done, failed } = match step {
            Step::Preview => each(importers, lines, Importer::preview, progress, rng).await,
            Step::Import => each(importers, lines, Importer::import, progress, rng).await,
        };
        let mut outcome = Outcome {
            left: total - done.len(),
            failed,
            ..Outcome::default()
        };
        for (_, done) in done {
            match done {
                Ok(done) => outcome.imported.count(done),
                Err(line) => outcome.bad.push(line),
            }
        }
        outcome
    }
}

/// Imports a whole file.
///
/// # Errors
/// If lines cannot be imported: the error has all of them, and nothing was written. If users are changed by
/// somebody else meanwhile: the error has their lines, and the others were written. If the table fails: other
/// users may have been written by then.
pub async fn import(
    store: &Store,
    rules: &ImportRules,
    jsonl: &str,
    at: Timestamp,
    rng: &mut StdRng,
) -> Result<(Imported, Notes), ImportError> {
    let import = Import::new(store, rules.clone(), at)?;
    let progress = Progress::default();
    let file = import.check(jsonl, &progress, rng).await?;
    let lines = file.total();
    if !file.bad.is_empty() {
        let bad = file.bad;
        return Err(ImportError::Bad { bad, lines });
    }
    let notes = file.notes.clone();
    let outcome = import.run(file, Step::Import, &progress, rng).await;
    if let Some((_, error)) = outcome.failed {
        return Err(error);
    }
    if !outcome.bad.is_empty() {
        let bad = outcome.bad;
        return Err(ImportError::Raced { bad, lines });
    }
    Ok((outcome.imported, notes))
}
