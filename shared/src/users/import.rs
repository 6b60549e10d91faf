//! Bringing a file of users in: one JSON object a line, each matched to the user it is about.
//!
//! A line matches an existing user by its id, or else by its address. What it does not say stays as it
//! was, and a user who is as the line says already is skipped: an import that was cut short is finished
//! by running it again.
//!
//! [`Import::check`] reads all lines and checks each against the table, as the item that it would become.
//! Only then does [`Import::run`] write. Both are what `cargo run -- --users` and `regain users import` do.

mod importer;
mod lines;
mod notes;
mod workers;

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use rand::rngs::StdRng;
use regain_password::{Hasher, InvalidCost, Policy};
use thiserror::Error;

pub use self::importer::Change;
use self::importer::{CheckedLine, Importer};
pub use self::lines::BadLine;
use self::lines::UserLines;
pub use self::notes::Notes;
pub use self::workers::Progress;
use self::workers::{Ended, each};
use super::RecoverableStatuses;
use crate::hashing::HashingError;
use crate::ids::UserIdFormat;
use crate::settings::{Argon2Cost, Settings};
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// Lines that are under way at once: a line waits for the table most of the time.
const AT_ONCE: usize = 32;

/// What an import goes by.
#[derive(Clone, Debug)]
pub struct ImportRules {
    /// The form that ids have.
    pub id_format: UserIdFormat,
    /// The cost of the hashes that are made of passwords in clear text.
    pub cost: Argon2Cost,
    /// What passwords in clear text have to meet.
    pub policy: Policy,
    /// The statuses that may recover. Other ones are noted.
    pub statuses: RecoverableStatuses,
    /// Whether a password that was changed otherwise than by an import, as by a recovery, is replaced,
    /// too.
    pub overwrite_passwords: bool,
}

impl ImportRules {
    /// The rules of a stack: a password that was changed otherwise than by an import stays.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            id_format: settings.user_id_format,
            cost: settings.argon2,
            policy: Policy {
                min_length: settings.password_min_length,
                service_name: settings.service_name.clone(),
            },
            statuses: settings.recoverable_statuses.clone(),
            overwrite_passwords: false,
        }
    }
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Users that were not there before.
    pub created: usize,
    /// Users that were, and are changed.
    pub updated: usize,
    /// Users that were as their lines say already.
    pub unchanged: usize,
    /// Users, updated or not, whose password was changed otherwise than by an import, so that it was
    /// kept and the line's was not taken.
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

/// What a line did to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// What became of the user.
    pub change: Change,
    /// Whether the user's own password was kept.
    pub password_kept: bool,
}

/// Why a line, or a whole file, was not brought in.
#[derive(Debug, Error)]
pub enum ImportError {
    /// These lines cannot be users; nothing was brought in.
    #[error("{}", all(.bad, *.lines))]
    Bad {
        /// The lines, in order.
        bad: Vec<BadLine>,
        /// How many lines the file has, blank ones apart.
        lines: usize,
    },
    /// A line cannot be brought in.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// The table could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashingError),
    /// The cost of a hash is out of range.
    #[error(transparent)]
    Cost(#[from] InvalidCost),
    /// It was stopped while the lines were checked.
    #[error("stopped after {done} of {lines} lines")]
    Stopped {
        /// Lines that were checked.
        done: usize,
        /// All lines.
        lines: usize,
    },
}

/// All bad lines of a file, in a text of several lines.
fn all(bad: &[BadLine], lines: usize) -> String {
    let number = bad.len();
    let mut text = format!("{number} of {lines} lines cannot be brought in, so nothing was:");
    for line in bad {
        text.push_str("\n  ");
        text.push_str(&line.to_string());
    }
    text
}

/// A file that was read, and checked against the table.
#[derive(Debug)]
pub struct CheckedFile {
    lines: Vec<CheckedLine>,
    /// The lines that cannot be brought in, in order.
    pub bad: Vec<BadLine>,
    /// What to know about the others.
    pub notes: Notes,
}

impl CheckedFile {
    /// How many lines there are, blank ones apart.
    #[must_use]
    pub fn total(&self) -> usize {
        self.lines.len() + self.bad.len()
    }
}

/// What is done with the lines of a checked file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Say what would be done, and write nothing.
    Preview,
    /// Bring them in.
    BringIn,
}

/// What running an import came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was done.
    pub imported: Imported,
    /// The lines that could not be brought in after all, in order.
    pub bad: Vec<BadLine>,
    /// The failure that ended it early, with the line that met it.
    pub failed: Option<(usize, ImportError)>,
    /// Lines that were not looked at, since it was stopped or failed.
    pub left: usize,
}

/// An import into a table.
pub struct Import {
    /// One for each processor: the clones of each hash in turns, see [`Hasher`].
    importers: Vec<Importer>,
    rules: ImportRules,
}

impl Import {
    /// An import that stamps new passwords with `at`.
    ///
    /// # Errors
    /// If the cost of a hash is out of range.
    pub fn new(store: &Store, rules: ImportRules, at: Timestamp) -> Result<Self, InvalidCost> {
        let processors = available_parallelism()
            .map_or(1, NonZeroUsize::get)
            .min(AT_ONCE);
        let importers = (0..processors).map(|_| {
            let cost = rules.cost;
            let hasher = Hasher::new(cost.memory_kib, cost.iterations, cost.parallelism)?;
            Ok(Importer::new(store.clone(), hasher, &rules, at))
        });
        Ok(Self {
            importers: importers.collect::<Result<_, InvalidCost>>()?,
            rules,
        })
    }

    /// Reads a file and checks every line: by itself, against the other lines, and as the item that it
    /// would become. Writes nothing.
    ///
    /// # Errors
    /// If the table cannot be asked, or if it is stopped.
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
        // A short file is under way as a whole before anybody can stop it.
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
                    notes.count(&line, &self.rules.statuses);
                    lines.push(line);
                }
                Err(line) => bad.push(line),
            }
        }
        bad.sort_by_key(|bad| bad.line);
        Ok(CheckedFile { lines, bad, notes })
    }

    /// Does one step with the good lines of a file, many at once, until the table fails or `progress`
    /// is stopped. What was begun is finished.
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
            Step::BringIn => each(importers, lines, Importer::bring_in, progress, rng).await,
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

/// Brings a whole file in, or nothing of it.
///
/// # Errors
/// Every line that cannot be a user, by which nothing was written; or the table's failure, by which
/// time other users may have been written.
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
    let outcome = import.run(file, Step::BringIn, &progress, rng).await;
    if let Some((_, error)) = outcome.failed {
        return Err(error);
    }
    if !outcome.bad.is_empty() {
        let bad = outcome.bad;
        return Err(ImportError::Bad { bad, lines });
    }
    Ok((outcome.imported, notes))
}
