//! Answers each message.

use std::error::Error;
use std::time::Duration;

use tokio::time::sleep;
use user_store::{Answer, Ask, EmailProven, Find, Outcome, SetPassword, User, UserStore, ambient};

use crate::memory::{LEASE, Lease, Memory, MemoryError, Work, millis};
use crate::pool::{Pool, PoolError, Verdict};
use crate::profile::Profile;

/// The longest password that Cognito takes.
const LONGEST: usize = 256;
/// How often, and after which time each, an invocation asks again for a lease that another one has. Together
/// this is less than the five seconds that Regain waits.
const TRIES: usize = 30;
const PAUSE: Duration = Duration::from_millis(100);
/// By how much the clocks of Cognito and of this function may differ.
const SKEW: i64 = 1000;

/// Why a message cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Cognito failed.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The table failed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The password may be set.
    #[error("the password may be set: {0}")]
    Unknown(String),
    /// Others were at work on the user all the time.
    #[error("another password of the same user is being set")]
    Busy,
    /// The stack sends hashes, which Cognito does not take.
    #[error("there is no password in clear: set UserStorePassword=plain in Regain's stack")]
    NoPassword,
}

/// The users of a pool.
#[derive(Debug)]
pub(crate) struct CognitoStore {
    pool: Pool,
    memory: Memory,
}

impl UserStore for CognitoStore {
    type Error = StoreError;

    fn is_unknown(error: &StoreError) -> bool {
        matches!(error, StoreError::Unknown(_))
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, StoreError> {
        Ok(match ask {
            Ask::Find(find) => Answer::Found {
                user: self.find(find).await?,
            },
            Ask::SetPassword(set) => self.set_password(set).await?.into(),
            Ask::EmailProven(proven) => self.email_proven(proven).await?.into(),
        })
    }
}

impl CognitoStore {
    pub(crate) fn new(pool: Pool, memory: Memory) -> Self {
        Self { pool, memory }
    }

    async fn find(&self, find: Find) -> Result<Option<User>, StoreError> {
        let profile = match find {
            Find::Address(address) => self.by_address(&address).await?,
            Find::Id(id) => self.by_id(&id).await?,
        };
        Ok(match profile {
            Some(profile) => Some(profile.user(self.memory.sets(profile.id()).await?)),
            None => None,
        })
    }

    /// The one user of an address. An address that several users have leads to nobody, unless only one of
    /// them has verified it.
    async fn by_address(&self, address: &str) -> Result<Option<Profile>, StoreError> {
        let mut found = self.pool.with_email(address).await?;
        if found.is_empty() {
            // Where people sign in by their address, Cognito finds it as an alias, whatever its case.
            found.extend(self.pool.get(address).await?);
        }
        found.retain(|it| it.has_address(address) && it.is_found_by_address());
        if found.iter().any(Profile::is_verified) {
            found.retain(Profile::is_verified);
        }
        if found.len() > 1 {
            tracing::warn!(users = found.len(), "address is ambiguous");
            return Ok(None);
        }
        Ok(found.pop())
    }

    async fn by_id(&self, id: &str) -> Result<Option<Profile>, StoreError> {
        // Cognito takes the `sub` of most users as a name. A chosen name that looks like it must not stand for it.
        let mut found = self.pool.get(id).await?.filter(|it| it.id() == id);
        if found.is_none()
            && let Some(listed) = self.pool.with_id(id).await?
        {
            // Lists lag behind changes.
            found = self.pool.get(&listed.username).await?;
        }
        Ok(found.filter(|it| it.id() == id && it.is_found_by_address()))
    }

    async fn email_proven(&self, proven: EmailProven) -> Result<Outcome, StoreError> {
        let found = self.by_id(&proven.id).await?;
        let Some(profile) = found.filter(|it| it.has_address(&proven.address)) else {
            return Ok(Outcome::Changed);
        };
        let Some(profile) = self.verified(profile).await? else {
            return Ok(Outcome::Changed);
        };
        let sets = self.memory.sets(profile.id()).await?;
        Ok(Outcome::Proven {
            credentials_version: profile.version(sets),
        })
    }

    /// The user with a verified address. Cognito changes the time of the last change with it.
    async fn verified(&self, profile: Profile) -> Result<Option<Profile>, StoreError> {
        if profile.is_verified() {
            return Ok(Some(profile));
        }
        self.pool.verify_email(&profile).await?;
        self.by_id(profile.id()).await
    }

    async fn set_password(&self, set: SetPassword) -> Result<Outcome, StoreError> {
        let password = set.password.as_ref().ok_or(StoreError::NoPassword)?;
        let (work, resumed) = match self.lease(&set).await? {
            Lease::New(work) => (work, false),
            Lease::Resumed(work) => (work, true),
            Lease::Done(sets) => {
                return Ok(match self.by_id(&set.id).await? {
                    Some(profile) => done(&profile, sets),
                    None => Outcome::Changed,
                });
            }
            Lease::Taken => return Err(StoreError::Busy),
        };
        let found = self.by_id(&set.id).await?;
        let Some(profile) = found.filter(|it| it.has_address(&set.address)) else {
            return self.not_set(work, Outcome::Changed).await;
        };
        // Something changed the user just after the last invocation of this key had begun: that invocation.
        let until = work.begun + millis(LEASE);
        let applied = resumed && (work.begun - SKEW..=until).contains(&profile.modified);
        if profile.version(work.sets) != set.credentials_version && !applied {
            return self.not_set(work, Outcome::Changed).await;
        }
        if profile.is_disabled() {
            return self.not_set(work, Outcome::Blocked).await;
        }
        if let Some(reason) = unacceptable(password) {
            return self.not_set(work, refused(reason)).await;
        }
        let Some(profile) = self.verified(profile).await? else {
            return self.not_set(work, Outcome::Changed).await;
        };
        let verdict = self.pool.set_password(&profile, password).await;
        let verdict = verdict.map_err(|error| {
            if error.is_refusal() {
                StoreError::Pool(error)
            } else {
                unknown(&error)
            }
        });
        match verdict? {
            Verdict::Set => {}
            // The pool remembers the password that the earlier invocation set.
            Verdict::Reused if applied => {}
            Verdict::Reused => return self.not_set(work, refused("reused")).await,
            Verdict::NotConforming => return self.not_set(work, refused("password_policy")).await,
            Verdict::NoUser => return self.not_set(work, Outcome::Changed).await,
        }
        let signed_out = self.pool.sign_out(&profile).await;
        signed_out.map_err(|error| unknown(&error))?;
        let finished = self.memory.finish(work, ambient::now()).await;
        let sets = finished.map_err(|error| unknown(&error))?;
        let read = self.by_id(&set.id).await.map_err(|error| unknown(&error))?;
        Ok(read.map_or(Outcome::Changed, |profile| done(&profile, sets)))
    }

    /// The lease on a user, as soon as nobody else has it.
    async fn lease(&self, set: &SetPassword) -> Result<Lease, MemoryError> {
        for _ in 0..TRIES {
            let lease = self.memory.lease(&set.id, &set.key, ambient::now()).await?;
            if !matches!(lease, Lease::Taken) {
                return Ok(lease);
            }
            sleep(PAUSE).await;
        }
        Ok(Lease::Taken)
    }

    async fn not_set(&self, work: Work, outcome: Outcome) -> Result<Outcome, StoreError> {
        self.memory.give_back(work).await?;
        Ok(outcome)
    }
}

fn unknown(error: &dyn Error) -> StoreError {
    StoreError::Unknown(error.to_string())
}

fn done(profile: &Profile, sets: u64) -> Outcome {
    let user = Box::new(profile.user(sets));
    Outcome::Set { user }
}

fn refused(reason: &'static str) -> Outcome {
    let reasons = vec![reason];
    Outcome::Refused { reasons }
}

/// Why Cognito would refuse a password as a malformed request, before its own policy.
fn unacceptable(password: &str) -> Option<&'static str> {
    let outer = |it: Option<char>| it.is_some_and(char::is_whitespace);
    if password.encode_utf16().count() > LONGEST {
        Some("too_long")
    } else if outer(password.chars().next()) || outer(password.chars().next_back()) {
        Some("outer_space")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cognito_calls_malformed_is_refused_with_a_reason() {
        for (password, reason) in [
            ("correct horse battery", None),
            (" correct horse battery", Some("outer_space")),
            ("correct horse battery\u{a0}", Some("outer_space")),
            (&"x".repeat(256), None),
            (&"x".repeat(257), Some("too_long")),
        ] {
            assert_eq!(unacceptable(password), reason, "{password:?}");
        }
    }
}
