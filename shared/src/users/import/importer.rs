//! Checks lines against the table, and writes their users.

use std::collections::HashMap;

use rand::rngs::StdRng;
use regain_password::{Address, Candidate, Hasher, PasswordHash, Policy, Verified};

use super::lines::{Password, UserLine, accepted};
use super::workers::{Ended, Numbered};
use super::{BadLine, Done, ImportError, ImportRules};
use crate::hashing;
use crate::ids::{UserId, UserIdFormat, draw};
use crate::store::{Store, StoreError, UserWrite};
use crate::timestamp::Timestamp;
use crate::users::{StoredHash, User};

/// How often a line is tried if its user changes between the read and the write.
const ATTEMPTS: usize = 4;

/// Why a line is refused whose address another user has.
pub(in crate::users) const TAKEN: &str = "\"email\" belongs to another user";

/// The change that a line makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new user.
    Created,
    /// An existing user who is changed.
    Updated,
    /// An existing user who is as the line says.
    Unchanged,
}

/// A checked line, with its user as read then.
#[derive(Debug)]
pub(in crate::users) struct CheckedLine {
    pub(in crate::users) line: UserLine,
    pub(in crate::users) found: LineUser,
    /// The user as the line says, without the password.
    pub(in crate::users) user: User,
}

impl Numbered for CheckedLine {
    fn number(&self) -> usize {
        self.line.number()
    }
}

/// The user whom a line is about.
#[derive(Debug)]
pub(in crate::users) struct LineUser {
    /// The id that the user has, or will have.
    pub(in crate::users) id: UserId,
    /// The user who has the line's address.
    owner: Option<UserId>,
    /// The user as stored.
    pub(in crate::users) before: Option<User>,
    /// The size in octets of the attributes that other programs have written to the user's item.
    besides: usize,
}

/// The users whom lines are about. They show if two lines are about the same user: one line may have the id,
/// and the other the address.
#[derive(Debug, Default)]
pub(super) struct Subjects(HashMap<UserId, usize>);

impl Subjects {
    /// Records the user of a line.
    pub(super) fn claim(&mut self, checked: &CheckedLine) -> Result<(), BadLine> {
        let line = checked.number();
        match self.0.insert(checked.found.id.clone(), line) {
            None => Ok(()),
            Some(earlier) => Err(BadLine::new(
                line,
                format!("is about the same user as line {earlier}"),
            )),
        }
    }
}

/// What happens to the user's password.
enum NewPassword<'a> {
    /// The line has none, or the same.
    Stays,
    /// The line has another one, but a recovery or another program has changed the user's own.
    Kept,
    IsHashed(&'a StoredHash),
    IsTyped(&'a Candidate),
}

/// A line with the user as it is to be written.
pub(in crate::users) struct Prepared {
    pub(in crate::users) line: UserLine,
    found: LineUser,
    /// The user as the line says, password included.
    user: User,
    /// The address that the user had.
    address_before: Option<Address>,
    /// The hash of the line's typed password, once it was made.
    pub(in crate::users) typed: Option<PasswordHash>,
    pub(in crate::users) done: Done,
}

impl Prepared {
    pub(in crate::users) fn write(&self) -> UserWrite<'_> {
        UserWrite {
            user: &self.user,
            address: &self.line.address,
            before: self.found.before.as_ref(),
            address_before: self.address_before.as_ref(),
            besides: self.found.besides,
        }
    }
}

/// Who sets the passwords.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::users) enum Origin {
    /// An import, so the next import may set them again.
    Import,
    /// The person, by a service of the account.
    Person,
}

/// Works batches of lines, in any order. Clones hash in turns, see [`Hasher`].
#[derive(Clone)]
pub(in crate::users) struct Importer {
    store: Store,
    hasher: Hasher,
    format: UserIdFormat,
    policy: Policy,
    overwrite_passwords: bool,
    origin: Origin,
    at: Timestamp,
}

impl Importer {
    pub(in crate::users) fn new(
        store: Store,
        hasher: Hasher,
        rules: &ImportRules,
        origin: Origin,
        at: Timestamp,
    ) -> Self {
        Self {
            store,
            hasher,
            format: rules.id_format,
            policy: rules.policy.clone(),
            overwrite_passwords: rules.overwrite_passwords,
            origin,
            at,
        }
    }

    /// Checks lines against the table, each as the item that it would become.
    pub(super) async fn check(self, lines: Vec<UserLine>, mut rng: StdRng) -> Ended<CheckedLine> {
        let mut ended = Ended::default();
        let mut drawn = || UserId::draw(self.format, &mut rng);
        let asked: Vec<_> = lines.iter().map(|line| (line, drawn())).collect();
        let found = match self.find(&asked).await {
            Ok(found) => found,
            Err(error) => {
                let first = lines.first().map_or(0, UserLine::number);
                ended.add(first, Err(error.into()));
                return ended;
            }
        };
        for (line, found) in lines.into_iter().zip(found) {
            let number = line.number();
            let checked = found.map_err(ImportError::from).and_then(|found| {
                let user = merged(&line, &found, &self.policy)?;
                Ok(CheckedLine { line, found, user })
            });
            if !ended.add(number, checked) {
                break;
            }
        }
        ended
    }

    /// Reports what importing lines would do. Writes nothing.
    pub(super) async fn preview(self, lines: Vec<CheckedLine>, _: StdRng) -> Ended<Done> {
        let mut ended = Ended::default();
        for CheckedLine { line, found, user } in lines {
            let password = self.new_password(&line, found.before.as_ref()).await;
            let done = password.and_then(|password| done(&found, &user, &password));
            if !ended.add(line.number(), done) {
                break;
            }
        }
        ended
    }

    /// Imports lines. Unchanged users are skipped. The others are written together in one transaction; if it
    /// is refused, each user is written alone.
    pub(super) async fn import(self, lines: Vec<CheckedLine>, mut rng: StdRng) -> Ended<Done> {
        let mut ended = Ended::default();
        let mut writes = Vec::with_capacity(lines.len());
        for line in lines {
            let number = line.number();
            match self.prepare(line, None, &mut rng).await {
                Ok(Prepared { done, .. }) if done.change == Change::Unchanged => {
                    ended.add(number, Ok(done));
                }
                Ok(write) => writes.push(write),
                Err(error) => {
                    // The lines that were prepared before are not written, and count as left.
                    ended.add(number, Err(error));
                    return ended;
                }
            }
        }
        if writes.len() > 1 {
            let together: Vec<_> = writes.iter().map(Prepared::write).collect();
            match self.store.put_users(&together).await {
                Ok(true) => {
                    for write in writes {
                        ended.add(write.line.number(), Ok(write.done));
                    }
                    return ended;
                }
                Ok(false) => {}
                Err(error) => {
                    let first = writes.first().map_or(0, |write| write.line.number());
                    ended.add(first, Err(error.into()));
                    return ended;
                }
            }
        }
        for write in writes {
            let number = write.line.number();
            if !ended.add(number, self.write(write, &mut rng).await) {
                break;
            }
        }
        ended
    }

    /// Writes the user of one line. If the user was changed since the read, the line is applied to the user as
    /// stored now, but it never overwrites a status that somebody has set meanwhile.
    async fn write(&self, mut write: Prepared, rng: &mut StdRng) -> Result<Done, ImportError> {
        let drawn = write.found.id.clone();
        let number = write.line.number();
        for attempt in 1..=ATTEMPTS {
            let UserWrite {
                user,
                address,
                before,
                address_before,
                ..
            } = write.write();
            let written = self.store.put_user(user, address, before, address_before);
            if written.await? {
                return Ok(write.done);
            }
            if attempt == ATTEMPTS {
                break;
            }
            let Prepared {
                line, found, typed, ..
            } = write;
            let status = found.before.map(|before| before.status);
            let again = self.find(&[(&line, drawn.clone())]).await?;
            let Some(found) = again.into_iter().next().transpose()? else {
                break;
            };
            if line.says_a_status()
                && found.before.as_ref().map(|now| &now.status) != status.as_ref()
            {
                break;
            }
            let user = merged(&line, &found, &self.policy)?;
            let checked = CheckedLine { line, found, user };
            write = self.prepare(checked, typed, rng).await?;
            if write.done.change == Change::Unchanged {
                return Ok(write.done);
            }
        }
        let reason = "the user or the address was changed meanwhile";
        Err(BadLine::new(number, reason).into())
    }

    /// Prepares the write of a line's user. `typed` is the hash of the line's password, if it was made before.
    pub(in crate::users) async fn prepare(
        &self,
        checked: CheckedLine,
        mut typed: Option<PasswordHash>,
        rng: &mut StdRng,
    ) -> Result<Prepared, ImportError> {
        let CheckedLine { line, found, user } = checked;
        let password = self.new_password(&line, found.before.as_ref()).await?;
        let done = done(&found, &user, &password)?;
        let user = match password {
            NewPassword::Stays | NewPassword::Kept => user,
            NewPassword::IsHashed(hash) => self.with_password(user, hash.clone(), &line),
            NewPassword::IsTyped(password) => {
                let hash = match &typed {
                    Some(hash) => hash,
                    None => typed.insert(hashing::hash(&self.hasher, password, draw(rng)).await?),
                };
                self.with_password(user, hash.clone().into(), &line)
            }
        };
        let before = found.before.as_ref();
        let address_before = before.and_then(|user| Address::parse(&user.email).ok());
        Ok(Prepared {
            line,
            found,
            user,
            address_before,
            typed,
            done,
        })
    }

    /// The user with the password of a line. Whoever had to reset the password has done so, unless it is imported or
    /// the line says otherwise.
    fn with_password(&self, user: User, hash: StoredHash, line: &UserLine) -> User {
        match self.origin {
            Origin::Import => user.with_imported_password(hash, self.at),
            Origin::Person => {
                let must_reset = line.must_reset().unwrap_or_default();
                User {
                    must_reset,
                    ..user.with_password(hash, self.at)
                }
            }
        }
    }

    /// The users whom lines are about. A user who is new has the id that was drawn for the line.
    pub(in crate::users) async fn find(
        &self,
        lines: &[(&UserLine, UserId)],
    ) -> Result<Vec<Result<LineUser, BadLine>>, StoreError> {
        let addresses = lines.iter().map(|(line, _)| &line.address);
        let owners = self.store.user_ids_of(addresses).await?;
        let subject = |line: &'_ UserLine| {
            line.id
                .clone()
                .or_else(|| owners.get(&line.address).cloned())
        };
        let subjects: Vec<_> = lines.iter().filter_map(|(line, _)| subject(line)).collect();
        let stored = self.store.users_and_sizes_besides(subjects.iter()).await?;
        let found = lines.iter().map(|(line, drawn)| {
            let owner = owners.get(&line.address);
            if line.id.is_some() && owner.is_some_and(|owner| line.id.as_ref() != Some(owner)) {
                return Err(BadLine::new(line.number(), TAKEN));
            }
            let subject = subject(line);
            let stored = subject.as_ref().and_then(|id| stored.get(id)).cloned();
            // Without an id, only the address identifies the user, and the lookup may be out of date.
            if line.id.is_none()
                && let Some((user, _)) = &stored
                && !user.has_address(&line.address)
            {
                let id = user.id.as_str();
                let reason = format!(
                    "\"email\" leads to the user {id}, who does not have that address: say by \"id\" who is meant"
                );
                return Err(BadLine::new(line.number(), reason));
            }
            let (before, besides) = stored.map_or((None, 0), |(user, size)| (Some(user), size));
            Ok(LineUser {
                id: subject.unwrap_or_else(|| drawn.clone()),
                owner: owner.cloned(),
                before,
                besides,
            })
        });
        Ok(found.collect())
    }

    /// The change that a line makes to the password. A password that the user has already stays, unless its hash is
    /// cheaper to guess than a new one.
    async fn new_password<'a>(
        &self,
        line: &'a UserLine,
        before: Option<&User>,
    ) -> Result<NewPassword<'a>, ImportError> {
        let stored = before.and_then(|user| user.password_hash.as_ref());
        let is_kept = stored.is_some()
            && !self.overwrite_passwords
            && before.is_some_and(User::has_a_password_of_no_import);
        match (&line.password, stored) {
            (Password::Unsaid, _) => Ok(NewPassword::Stays),
            (Password::Hashed(hash), Some(stored)) if hash.as_str() == stored.as_str() => {
                Ok(NewPassword::Stays)
            }
            (Password::Hashed(_), _) if is_kept => Ok(NewPassword::Kept),
            (Password::Hashed(hash), _) => Ok(NewPassword::IsHashed(hash)),
            (Password::Typed(typed), None) => Ok(NewPassword::IsTyped(typed)),
            (Password::Typed(typed), Some(stored)) => {
                let verified = match stored.read() {
                    Ok(stored) => hashing::verify(typed, &stored, self.hasher.cost()).await?,
                    Err(_) => Verified::No,
                };
                Ok(match verified {
                    Verified::Yes => NewPassword::Stays,
                    Verified::No if is_kept => NewPassword::Kept,
                    Verified::YesButRehash | Verified::No => NewPassword::IsTyped(typed),
                })
            }
        }
    }
}

/// The user as a line says, without the password. Refused if it cannot be an item of the table.
pub(in crate::users) fn merged(
    line: &UserLine,
    found: &LineUser,
    policy: &Policy,
) -> Result<User, ImportError> {
    let bad = |reason: String| BadLine::new(line.number(), reason);
    let was = found.before.clone();
    let user = line.applied_to(was.unwrap_or_else(|| User::new(found.id.clone())));
    if let Some(reason) = Store::unstorable(&user, found.besides)? {
        return Err(bad(reason).into());
    }
    if let Password::Typed(typed) = &line.password {
        let reasons = policy.check_profile(typed, &line.address, user.profile_texts());
        accepted(&reasons).map_err(bad)?;
    }
    Ok(user)
}

/// The result of a line: the user who was found becomes `user`, with `password`.
fn done(found: &LineUser, user: &User, password: &NewPassword<'_>) -> Result<Done, ImportError> {
    let stays = matches!(password, NewPassword::Stays | NewPassword::Kept);
    let change = match &found.before {
        None => Change::Created,
        Some(before) => {
            let is_owner = found.owner.as_ref() == Some(&found.id);
            if stays && is_owner && Store::is_same(before, user)? {
                Change::Unchanged
            } else {
                Change::Updated
            }
        }
    };
    Ok(Done {
        change,
        password_kept: matches!(password, NewPassword::Kept),
    })
}
