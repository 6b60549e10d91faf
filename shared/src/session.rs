//! The life of a recovery session, as a pure state machine.
//!
//! ```text
//! Awaiting ──prove──▶ Validated ──use──▶ Used
//!    ▲  └────────────use────────────────▲
//!    └──────renew───────┘  (Awaiting too)
//! ```
//!
//! A session is over when it is used or expired. It is spent when its guesses are spent. Sessions of one
//! address stand side by side: no session ends another, but setting a password voids every code, link and
//! proof that was asked for before it. This module knows no store, no HTTP and no clock. The store repeats
//! the rules as conditions, because only a condition holds when two calls come at once.

use std::time::Duration;

use regain_password::Address;

use crate::api::Protocol;
use crate::code::Nonce;
use crate::ids::{SessionRef, TokenDigest, UserId};
use crate::settings::{Limits, Share};
use crate::template::Template;
use crate::timestamp::Timestamp;
use crate::users::CredentialsVersion;

/// How long a validated session may still set its password, at most.
pub const PROOF_TTL: Duration = Duration::from_mins(10);

/// For how long an `Idempotency-Key` leads to the session that it began.
pub const IDEMPOTENCY_WINDOW: Duration = Duration::from_mins(10);

/// The part of a session that never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// The key that it is stored under.
    pub reference: SessionRef,
    /// The API that began it.
    pub protocol: Protocol,
    /// The template of the mails with its codes.
    pub template: Template,
    /// The address as typed, in canonical form.
    pub address: Address,
    /// The user id that the request was answered with, in the protocol that answers with one.
    pub answered_id: Option<AnsweredId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ends: it is good before that millisecond, and not at it.
    pub expires_at: Timestamp,
}

/// The user id that a request was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnsweredId {
    /// The id of the address's user, or a decoy if nobody had the address.
    User(UserId),
    /// The address's alias, which every request for the address is answered with.
    Alias(UserId),
}

impl AnsweredId {
    /// The id as the caller knows it.
    #[must_use]
    pub const fn id(&self) -> &UserId {
        match self {
            Self::User(id) | Self::Alias(id) => id,
        }
    }
}

/// One of a session's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number. The first is the session's start in milliseconds, and each next is one more. So a
    /// session that begins anew under the same id (by a reused `Idempotency-Key`) repeats no number.
    pub number: u64,
    /// The nonce that the code is derived with.
    pub nonce: Nonce,
    /// When it was asked for. A password that was set since voids it.
    pub asked_at: Timestamp,
    /// When the code expires, no later than the session: it is good before that millisecond, and not at it.
    pub expires_at: Timestamp,
}

impl SessionInfo {
    /// Whether the session may recover the account of that user, if the user has its address. Not if the request
    /// was answered with another user's id or with a decoy.
    #[must_use]
    pub fn may_be_of(&self, user: &UserId) -> bool {
        match &self.answered_id {
            Some(AnsweredId::User(answered)) => answered == user,
            Some(AnsweredId::Alias(_)) | None => true,
        }
    }
}

/// A session, in one of its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// A code was requested and is not yet proven.
    Awaiting(Awaiting),
    /// The code was proven; a password may be set.
    Validated(Validated),
    /// The password was set, or the user turned out to be blocked. Nothing more can be done.
    Used(Used),
}

/// A session that awaits its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaiting {
    /// The part that never changes.
    pub info: SessionInfo,
    /// The code that is good now.
    pub generation: Generation,
    /// How many guesses are charged and not given back.
    pub guesses: u32,
    /// Whether an earlier code of the session was proven before this one was requested.
    pub was_proven: bool,
}

/// A session whose code was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// The part that never changes.
    pub info: SessionInfo,
    /// The code that was proven.
    pub generation: Generation,
    /// How many guesses are charged and not given back.
    pub guesses: u32,
    /// What was proven.
    pub proof: Proof,
}

/// A session that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The part that never changes.
    pub info: SessionInfo,
    /// Its last code.
    pub generation: Generation,
    /// The reset token that it was used with, which tells a repeated use from an unknown token.
    pub token: Option<TokenDigest>,
}

/// What a proven code has established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The user whose mailbox was proven.
    pub subject: UserId,
    /// The version of the user's credentials at that moment. If it has changed since, the proof is void.
    pub credentials_version: CredentialsVersion,
    /// Until when a password may be set.
    pub expires_at: Timestamp,
    /// The reset token that was issued, in the protocol that has one.
    pub token: Option<TokenDigest>,
}

/// What is counted for an address, over all its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressState {
    /// When the last code was requested.
    pub last_code_at: Option<Timestamp>,
    /// How many codes were requested in this UTC clock hour.
    pub codes_this_hour: u32,
    /// How many codes were requested in this UTC day.
    pub codes_today: u32,
    /// How many guesses were charged in this UTC day and not given back.
    pub guesses_today: u32,
}

/// Why a session refuses a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionError {
    /// The session is expired or used.
    Over,
    /// The guesses of the session are spent (`None`), or those of the address until the given time.
    Spent(Option<Timestamp>),
    /// The code was proven before, and is used.
    CodeUsed,
    /// The session is live, but its code has expired.
    CodeExpired,
}

/// How to answer a request whose `Idempotency-Key` has led to a session before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// With that session.
    Same,
    /// The key has expired: with a new session, in place of that one.
    Anew,
    /// As if there were no key, because it must not lead to a session that was proven or used.
    Absent,
}

/// Whether another code may be requested for an address, or another guess be charged to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Permitted,
    /// Not before the given time.
    Throttled {
        /// When the last of the limits that were reached ends.
        until: Timestamp,
    },
}

impl Session {
    /// The part of the session that never changes.
    #[must_use]
    pub const fn info(&self) -> &SessionInfo {
        match self {
            Self::Awaiting(Awaiting { info, .. })
            | Self::Validated(Validated { info, .. })
            | Self::Used(Used { info, .. }) => info,
        }
    }

    /// How to answer another request with the `Idempotency-Key` of this session.
    #[must_use]
    pub fn repeat(&self, at: Timestamp) -> Repeat {
        match self {
            Self::Validated(_)
            | Self::Used(_)
            | Self::Awaiting(Awaiting {
                was_proven: true, ..
            }) => Repeat::Absent,
            Self::Awaiting(Awaiting { info, .. }) => {
                if info.started_at > at.minus(IDEMPOTENCY_WINDOW) {
                    Repeat::Same
                } else {
                    Repeat::Anew
                }
            }
        }
    }

    /// The code that was mailed last.
    #[must_use]
    pub const fn generation(&self) -> &Generation {
        match self {
            Self::Awaiting(Awaiting { generation, .. })
            | Self::Validated(Validated { generation, .. })
            | Self::Used(Used { generation, .. }) => generation,
        }
    }

    /// The session, if it is neither expired nor used.
    ///
    /// # Errors
    /// [`TransitionError::Over`] if it is expired or used.
    pub fn live(self, at: Timestamp) -> Result<Self, TransitionError> {
        let over = matches!(self, Self::Used(_)) || at >= self.info().expires_at;
        if over {
            Err(TransitionError::Over)
        } else {
            Ok(self)
        }
    }

    /// Whether a guess may be charged to the session.
    ///
    /// # Errors
    /// The first reason against it, in the order in which callers are told.
    pub fn permit_guess(self, limits: &Limits, at: Timestamp) -> Result<Awaiting, TransitionError> {
        let session = self.permit_malformed_guess(limits, at)?;
        if at >= session.generation.expires_at {
            return Err(TransitionError::CodeExpired);
        }
        Ok(session)
    }

    /// The checks of [`Session::permit_guess`] that come before the form of the code. A malformed code
    /// passes no others, because it is never charged.
    ///
    /// # Errors
    /// The first reason against it, in the order in which callers are told.
    pub fn permit_malformed_guess(
        self,
        limits: &Limits,
        at: Timestamp,
    ) -> Result<Awaiting, TransitionError> {
        let session = match self.live(at)? {
            Self::Awaiting(session) => session,
            Self::Validated(_) | Self::Used(_) => return Err(TransitionError::CodeUsed),
        };
        if session.guesses >= limits.session_guesses {
            return Err(TransitionError::Spent(None));
        }
        Ok(session)
    }

    /// The session, if the link of its last code still opens it: whether or not the code was proven, and for as
    /// long as the code is good.
    ///
    /// # Errors
    /// [`TransitionError::Over`] if the session is used, or it or the code is expired.
    pub fn permit_link(self, at: Timestamp) -> Result<Self, TransitionError> {
        if at >= self.generation().expires_at {
            return Err(TransitionError::Over);
        }
        self.live(at)
    }

    /// The session with a new code. Its guesses stay charged.
    ///
    /// # Errors
    /// [`TransitionError::Over`] if it is used or expired, [`TransitionError::Spent`] if its own guesses are
    /// spent. If those of the address are, its codes are still mailed.
    pub fn renew(
        self,
        limits: &Limits,
        nonce: Nonce,
        at: Timestamp,
    ) -> Result<Awaiting, TransitionError> {
        let (info, generation, guesses, was_proven) = match self.live(at)? {
            Self::Awaiting(Awaiting {
                info,
                generation,
                guesses,
                was_proven,
            }) => (info, generation, guesses, was_proven),
            Self::Validated(Validated {
                info,
                generation,
                guesses,
                ..
            }) => (info, generation, guesses, true),
            Self::Used(_) => return Err(TransitionError::Over),
        };
        if guesses >= limits.session_guesses {
            return Err(TransitionError::Spent(None));
        }
        let generation = Generation {
            number: generation.number + 1,
            nonce,
            asked_at: at,
            expires_at: at.plus(limits.code_ttl).min(info.expires_at),
        };
        Ok(Awaiting {
            info,
            generation,
            guesses,
            was_proven,
        })
    }
}

impl Generation {
    /// Whether a password that was set at that time voids it. A code that was asked for in the same
    /// millisecond counts as asked for before.
    #[must_use]
    pub fn is_void(&self, password_changed_at: Option<Timestamp>) -> bool {
        password_changed_at.is_some_and(|changed_at| self.asked_at <= changed_at)
    }
}

impl Awaiting {
    /// A new session, begun at `info.started_at`.
    #[must_use]
    pub fn begin(info: SessionInfo, nonce: Nonce, limits: &Limits) -> Self {
        let generation = Generation {
            number: u64::try_from(info.started_at.millis()).unwrap_or_default(),
            nonce,
            asked_at: info.started_at,
            expires_at: info.started_at.plus(limits.code_ttl).min(info.expires_at),
        };
        Self {
            info,
            generation,
            guesses: 0,
            was_proven: false,
        }
    }

    /// The session after its code was proven.
    #[must_use]
    pub fn prove(
        self,
        subject: UserId,
        credentials_version: CredentialsVersion,
        token: Option<TokenDigest>,
        at: Timestamp,
    ) -> Validated {
        let expires_at = at.plus(PROOF_TTL).min(self.info.expires_at);
        Validated {
            info: self.info,
            generation: self.generation,
            guesses: self.guesses,
            proof: Proof {
                subject,
                credentials_version,
                expires_at,
                token,
            },
        }
    }

    /// The session after the code itself has set the password.
    #[must_use]
    pub fn use_up(self) -> Used {
        Used {
            info: self.info,
            generation: self.generation,
            token: None,
        }
    }
}

impl Validated {
    /// Whether the proof still permits a password to be set.
    ///
    /// # Errors
    /// [`TransitionError::Over`] from the millisecond on at which the proof or the session ends.
    pub fn permit_use(&self, at: Timestamp) -> Result<(), TransitionError> {
        let ends = self.proof.expires_at.min(self.info.expires_at);
        if at < ends {
            Ok(())
        } else {
            Err(TransitionError::Over)
        }
    }

    /// The session after its proof has set the password.
    #[must_use]
    pub fn use_up(self) -> Used {
        Used {
            info: self.info,
            generation: self.generation,
            token: self.proof.token,
        }
    }
}

impl AddressState {
    /// Whether another guess may be charged to the address.
    #[must_use]
    pub const fn permit_guess(&self, limits: &Limits, share: Share, at: Timestamp) -> Decision {
        if self.guesses_today < limits.guesses_a_day(share) {
            Decision::Permitted
        } else {
            Decision::Throttled {
                until: at.next_day(),
            }
        }
    }

    /// Whether another code may be requested for the address.
    #[must_use]
    pub fn permit_code(&self, limits: &Limits, share: Share, at: Timestamp) -> Decision {
        let reached = |limit: Option<u32>, count| limit.is_some_and(|limit| count >= limit);
        let cooling = self
            .last_code_at
            .map(|last| last.plus(limits.cooldown))
            .filter(|until| !limits.cooldown.is_zero() && *until > at);
        let hour =
            reached(limits.codes_an_hour(share), self.codes_this_hour).then(|| at.next_hour());
        let day = reached(limits.codes_a_day(share), self.codes_today).then(|| at.next_day());
        match [cooling, hour, day].into_iter().flatten().max() {
            Some(until) => Decision::Throttled { until },
            None => Decision::Permitted,
        }
    }
}

#[cfg(test)]
mod tests;
