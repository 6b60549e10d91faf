//! Bringing a file of users in: one JSON object a line, each matched to the user it is about.
//!
//! A line matches an existing user by its id, or else by its address. What it does not say stays as it
//! was, and a user who is as the line says already is left alone: an import that was cut short is
//! finished by doing it again.

mod lines;

use std::collections::HashMap;

use rand::rngs::StdRng;
use thiserror::Error;

use self::lines::Password;
pub use self::lines::{BadLine, UserLine, UserLines};
use super::User;
use crate::address::Address;
use crate::ids::{UserId, UserIdFormat, draw};
use crate::password::{Candidate, HashError, Hasher, PasswordHash, Verified, verify};
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Users that were not there before.
    pub created: usize,
    /// Users that were, and are changed.
    pub updated: usize,
    /// Users that were as their lines say already.
    pub unchanged: usize,
}

impl Imported {
    /// Counts one more line.
    pub fn count(&mut self, change: Change) {
        match change {
            Change::Created => self.created += 1,
            Change::Updated => self.updated += 1,
            Change::Unchanged => self.unchanged += 1,
        }
    }
}

/// What a line does to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A user who was not there before.
    Created,
    /// A user who was, and is changed.
    Updated,
    /// A user who is as the line says already.
    Unchanged,
}

/// Why a line was not brought in.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It cannot be a user.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// The table could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// Brings a file of users in. Every line is read and checked before the first is written.
///
/// # Errors
/// The first line that cannot be a user, with its number and the reason; or the table's failure, by
/// which time users before the failing one may have been written.
pub async fn import(
    store: &Store,
    hasher: &Hasher,
    format: UserIdFormat,
    jsonl: &str,
    at: Timestamp,
    rng: &mut StdRng,
) -> Result<Imported, ImportError> {
    let UserLines { lines, bad, .. } = UserLines::read(jsonl, format);
    if let Some(first) = bad.into_iter().next() {
        return Err(first.into());
    }
    let importer = Importer::new(store.clone(), hasher.clone(), format, at);
    let mut subjects = Subjects::default();
    for line in &lines {
        subjects.claim(importer.subject(line).await?, line.number())?;
    }
    let mut counts = Imported::default();
    for line in &lines {
        counts.count(importer.bring_in(line, rng).await?);
    }
    Ok(counts)
}

/// The users that lines are about, by which two lines about the same one are found out: one may name
/// the id, and the other the address that the user still has.
#[derive(Debug, Default)]
pub struct Subjects(HashMap<UserId, usize>);

impl Subjects {
    /// Notes who a line is about; nobody yet if it makes a new user.
    ///
    /// # Errors
    /// If an earlier line is about the same user.
    pub fn claim(&mut self, subject: Option<UserId>, line: usize) -> Result<(), BadLine> {
        match subject.and_then(|id| self.0.insert(id, line)) {
            None => Ok(()),
            Some(earlier) => Err(BadLine::new(
                line,
                format!("is about the same user as line {earlier}"),
            )),
        }
    }
}

/// Brings lines in one by one, in any order. Clones hash in turns, see [`Hasher`].
#[derive(Clone)]
pub struct Importer {
    store: Store,
    hasher: Hasher,
    format: UserIdFormat,
    at: Timestamp,
}

/// What is to become of a line, as the table was when it was read.
struct Plan<'a> {
    /// The user as the line says, but for the password.
    user: User,
    before: Option<User>,
    password: NewPassword<'a>,
    change: Change,
}

/// What becomes of the user's password.
enum NewPassword<'a> {
    Stays,
    IsHashed(&'a PasswordHash),
    IsTyped(&'a Candidate),
}

impl Importer {
    /// An importer that hashes passwords with `hasher`, draws missing ids in the given form, and
    /// stamps new passwords with `at`.
    #[must_use]
    pub fn new(store: Store, hasher: Hasher, format: UserIdFormat, at: Timestamp) -> Self {
        Self {
            store,
            hasher,
            format,
            at,
        }
    }

    /// Who a line is about: the user it names, or who has its address.
    ///
    /// # Errors
    /// If it names one and another has its address, or the table cannot be asked.
    pub async fn subject(&self, line: &UserLine) -> Result<Option<UserId>, ImportError> {
        let owner = self.store.user_id_of(&line.address).await?;
        subject(line, owner.as_ref())
    }

    /// What bringing a line in would do. Writes nothing.
    ///
    /// # Errors
    /// As [`Importer::bring_in`].
    pub async fn preview(&self, line: &UserLine) -> Result<Change, ImportError> {
        Ok(self
            .plan(line)
            .await?
            .map_or(Change::Created, |plan| plan.change))
    }

    /// Brings a line in, or leaves the user alone who is as it says already.
    ///
    /// # Errors
    /// If its address is another user's by now, or the user is being changed by somebody else; if the
    /// table cannot be asked, or there is no memory to hash its password.
    pub async fn bring_in(&self, line: &UserLine, rng: &mut StdRng) -> Result<Change, ImportError> {
        let plan = match self.plan(line).await? {
            Some(plan) => plan,
            None => plan_new(line, UserId::draw(self.format, rng)),
        };
        if plan.change == Change::Unchanged {
            return Ok(plan.change);
        }
        let user = match plan.password {
            NewPassword::Stays => plan.user,
            NewPassword::IsHashed(hash) => plan.user.with_password(hash.clone(), self.at),
            NewPassword::IsTyped(password) => {
                let hash = self.hasher.hash(password.clone(), draw(rng)).await?;
                plan.user.with_password(hash, self.at)
            }
        };
        let before = plan.before.as_ref();
        let address_before = before.and_then(|user| Address::parse(&user.email).ok());
        let written = self
            .store
            .put_user(&user, &line.address, before, address_before.as_ref())
            .await?;
        if written {
            Ok(plan.change)
        } else {
            let reason = "the user or the address was changed meanwhile";
            Err(BadLine::new(line.number(), reason).into())
        }
    }

    /// What is to become of a line; nothing where it makes a user whose id is yet to be drawn.
    async fn plan<'a>(&self, line: &'a UserLine) -> Result<Option<Plan<'a>>, ImportError> {
        let owner = self.store.user_id_of(&line.address).await?;
        let Some(id) = subject(line, owner.as_ref())? else {
            return Ok(None);
        };
        let Some(before) = self.store.user(&id).await? else {
            return Ok(Some(plan_new(line, id)));
        };
        let user = line.applied_to(before.clone());
        let password = self
            .new_password(line, before.password_hash.as_ref())
            .await?;
        let stays = matches!(password, NewPassword::Stays);
        let same = stays && owner.as_ref() == Some(&id) && Store::is_same(&before, &user)?;
        Ok(Some(Plan {
            user,
            before: Some(before),
            password,
            change: if same {
                Change::Unchanged
            } else {
                Change::Updated
            },
        }))
    }

    /// What a line does to a password. One that is the user's already stays, unless its hash is
    /// cheaper to guess than one made now.
    async fn new_password<'a>(
        &self,
        line: &'a UserLine,
        stored: Option<&PasswordHash>,
    ) -> Result<NewPassword<'a>, ImportError> {
        match (&line.password, stored) {
            (Password::Unsaid, _) => Ok(NewPassword::Stays),
            (Password::Hashed(hash), Some(stored)) if hash == stored => Ok(NewPassword::Stays),
            (Password::Hashed(hash), _) => Ok(NewPassword::IsHashed(hash)),
            (Password::Typed(typed), None) => Ok(NewPassword::IsTyped(typed)),
            (Password::Typed(typed), Some(stored)) => {
                let (candidate, stored, cost) = (typed.clone(), stored.clone(), self.hasher.cost());
                let verified =
                    tokio::task::spawn_blocking(move || verify(&candidate, &stored, &cost))
                        .await
                        .map_err(|_| HashError::Interrupted)?;
                Ok(match verified {
                    Verified::Yes => NewPassword::Stays,
                    Verified::YesButRehash | Verified::No => NewPassword::IsTyped(typed),
                })
            }
        }
    }
}

/// Who a line is about, if `owner` has its address.
fn subject(line: &UserLine, owner: Option<&UserId>) -> Result<Option<UserId>, ImportError> {
    match (&line.id, owner) {
        (Some(id), Some(owner)) if id != owner => {
            Err(BadLine::new(line.number(), "\"email\" belongs to another user").into())
        }
        (Some(id), _) | (None, Some(id)) => Ok(Some(id.clone())),
        (None, None) => Ok(None),
    }
}

fn plan_new(line: &UserLine, id: UserId) -> Plan<'_> {
    Plan {
        user: line.applied_to(User::new(id)),
        before: None,
        password: match &line.password {
            Password::Unsaid => NewPassword::Stays,
            Password::Hashed(hash) => NewPassword::IsHashed(hash),
            Password::Typed(typed) => NewPassword::IsTyped(typed),
        },
        change: Change::Created,
    }
}
