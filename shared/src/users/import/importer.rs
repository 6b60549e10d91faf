//! What becomes of one line.

use std::collections::HashMap;

use rand::rngs::StdRng;
use regain_password::{Address, Candidate, Hasher, PasswordHash, Policy, Verified};

use super::lines::{Password, UserLine, accepted};
use super::workers::Numbered;
use super::{BadLine, Done, ImportError, ImportRules};
use crate::hashing;
use crate::ids::{UserId, UserIdFormat, draw};
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::users::User;

/// How often a line is tried whose user was changed between being read and written.
const ATTEMPTS: usize = 4;

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

/// A line that was checked, with the user whom it is about as read then.
#[derive(Debug)]
pub(super) struct CheckedLine {
    line: UserLine,
    found: Found,
    /// The user as the line says, but for the password.
    pub(super) user: User,
}

impl Numbered for CheckedLine {
    fn number(&self) -> usize {
        self.line.number()
    }
}

/// Whom a line is about.
#[derive(Debug)]
struct Found {
    /// The id that the user has, or will have.
    id: UserId,
    /// Who has the line's address.
    owner: Option<UserId>,
    /// The user as stored.
    before: Option<User>,
    /// The size in octets of what else is stored of the user.
    besides: usize,
}

/// The users that lines are about, by which two lines about the same one are found out: one may name
/// the id, and the other the address that the user still has.
#[derive(Debug, Default)]
pub(super) struct Subjects(HashMap<UserId, usize>);

impl Subjects {
    /// Notes who a line is about.
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

/// What becomes of the user's password.
enum NewPassword<'a> {
    /// The line has none, or the same.
    Stays,
    /// The line has another one, and the user's own was changed otherwise than by an import.
    Kept,
    IsHashed(&'a PasswordHash),
    IsTyped(&'a Candidate),
}

/// Works lines one by one, in any order. Clones hash in turns, see [`Hasher`].
#[derive(Clone)]
pub(super) struct Importer {
    store: Store,
    hasher: Hasher,
    format: UserIdFormat,
    policy: Policy,
    overwrite_passwords: bool,
    at: Timestamp,
}

impl Importer {
    pub(super) fn new(store: Store, hasher: Hasher, rules: &ImportRules, at: Timestamp) -> Self {
        Self {
            store,
            hasher,
            format: rules.id_format,
            policy: rules.policy.clone(),
            overwrite_passwords: rules.overwrite_passwords,
            at,
        }
    }

    /// Checks a line against the table, as the item that it would become.
    pub(super) async fn check(
        self,
        line: UserLine,
        mut rng: StdRng,
    ) -> Result<CheckedLine, ImportError> {
        let drawn = UserId::draw(self.format, &mut rng);
        let found = self.find(&line, drawn).await?;
        let user = merged(&line, &found, &self.policy)?;
        Ok(CheckedLine { line, found, user })
    }

    /// What bringing a line in would do. Writes nothing.
    pub(super) async fn preview(
        self,
        checked: CheckedLine,
        _: StdRng,
    ) -> Result<Done, ImportError> {
        let CheckedLine { line, found, user } = &checked;
        let password = self.new_password(line, found.before.as_ref()).await?;
        Ok(Done {
            change: change(found, user, &password)?,
            password_kept: matches!(password, NewPassword::Kept),
        })
    }

    /// Brings a line in, or skips the user who is as it says already. If the user was changed since
    /// being read, the line is applied to what is stored now; but never over a status that somebody
    /// has set meanwhile.
    pub(super) async fn bring_in(
        self,
        checked: CheckedLine,
        mut rng: StdRng,
    ) -> Result<Done, ImportError> {
        let CheckedLine {
            line,
            mut found,
            mut user,
        } = checked;
        let drawn = found.id.clone();
        let mut typed = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let status = found.before.map(|before| before.status);
                found = self.find(&line, drawn.clone()).await?;
                if line.says_a_status()
                    && found.before.as_ref().map(|now| &now.status) != status.as_ref()
                {
                    break;
                }
                user = merged(&line, &found, &self.policy)?;
            }
            let before = found.before.as_ref();
            let password = self.new_password(&line, before).await?;
            let done = Done {
                change: change(&found, &user, &password)?,
                password_kept: matches!(password, NewPassword::Kept),
            };
            if done.change == Change::Unchanged {
                return Ok(done);
            }
            let with_password = match password {
                NewPassword::Stays | NewPassword::Kept => user.clone(),
                NewPassword::IsHashed(hash) => {
                    user.clone().with_imported_password(hash.clone(), self.at)
                }
                NewPassword::IsTyped(password) => {
                    let hash = match &typed {
                        Some(hash) => hash,
                        None => typed
                            .insert(hashing::hash(&self.hasher, password, draw(&mut rng)).await?),
                    };
                    user.clone().with_imported_password(hash.clone(), self.at)
                }
            };
            let address_before = before.and_then(|user| Address::parse(&user.email).ok());
            let written = self
                .store
                .put_user(
                    &with_password,
                    &line.address,
                    before,
                    address_before.as_ref(),
                )
                .await?;
            if written {
                return Ok(done);
            }
        }
        let reason = "the user or the address was changed meanwhile";
        Err(BadLine::new(line.number(), reason).into())
    }

    /// The user whom a line is about; one who is new has the id that was drawn.
    async fn find(&self, line: &UserLine, drawn: UserId) -> Result<Found, ImportError> {
        let owner = self.store.user_id_of(&line.address).await?;
        let subject = match (&line.id, &owner) {
            (Some(id), Some(owner)) if id != owner => {
                let reason = "\"email\" belongs to another user";
                return Err(BadLine::new(line.number(), reason).into());
            }
            (Some(id), _) | (None, Some(id)) => Some(id.clone()),
            (None, None) => None,
        };
        let stored = match &subject {
            Some(id) => self.store.user_and_size_besides(id).await?,
            None => None,
        };
        // Without an id only the address says who is meant, and its lookup may be out of date.
        if line.id.is_none()
            && let Some((user, _)) = &stored
            && !user.has_address(&line.address)
        {
            let id = user.id.as_str();
            let reason = format!(
                "\"email\" leads to the user {id}, who does not have that address: say by \"id\" who is meant"
            );
            return Err(BadLine::new(line.number(), reason).into());
        }
        let (before, besides) = stored.map_or((None, 0), |(user, size)| (Some(user), size));
        Ok(Found {
            id: subject.unwrap_or(drawn),
            owner,
            before,
            besides,
        })
    }

    /// What a line does to a password. One that is the user's already stays, unless its hash is
    /// cheaper to guess than one made now.
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
            (Password::Hashed(hash), Some(stored)) if hash == stored => Ok(NewPassword::Stays),
            (Password::Hashed(_), _) if is_kept => Ok(NewPassword::Kept),
            (Password::Hashed(hash), _) => Ok(NewPassword::IsHashed(hash)),
            (Password::Typed(typed), None) => Ok(NewPassword::IsTyped(typed)),
            (Password::Typed(typed), Some(stored)) => {
                let verified = hashing::verify(typed, stored, self.hasher.cost()).await?;
                Ok(match verified {
                    Verified::Yes => NewPassword::Stays,
                    Verified::No if is_kept => NewPassword::Kept,
                    Verified::YesButRehash | Verified::No => NewPassword::IsTyped(typed),
                })
            }
        }
    }
}

/// The user as a line says, but for the password, if that can be an item.
fn merged(line: &UserLine, found: &Found, policy: &Policy) -> Result<User, ImportError> {
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

fn change(found: &Found, user: &User, password: &NewPassword<'_>) -> Result<Change, ImportError> {
    let Some(before) = &found.before else {
        return Ok(Change::Created);
    };
    let stays = matches!(password, NewPassword::Stays | NewPassword::Kept);
    let same = stays && found.owner.as_ref() == Some(&found.id) && Store::is_same(before, user)?;
    Ok(if same {
        Change::Unchanged
    } else {
        Change::Updated
    })
}
