//! The life of a recovery session, as a pure state machine.
//!
//! ```text
//! Awaiting ──prove──▶ Validated ──use──▶ Used
//!    ▲  └────────────use────────────────▲
//!    └──────renew───────┘  (Awaiting too)
//! ```
//!
//! A session is over when it is used, expired, or superseded by a newer one of its address; it is
//! spent when its guesses are. This module knows neither the store, HTTP nor the clock: the store
//! repeats its rules as conditions, because only a condition holds when two callers come at once.

use std::time::Duration;

use regain_password::Address;
use serde::{Deserialize, Serialize};

use crate::code::Nonce;
use crate::ids::{SessionRef, TokenDigest, UserId};
use crate::settings::Limits;
use crate::template::Template;
use crate::timestamp::Timestamp;

/// How long a validated session may still set its password, at most.
pub const PROOF_TTL: Duration = Duration::from_mins(10);

/// How long an `Idempotency-Key` leads to the session that it began.
pub const IDEMPOTENCY_WINDOW: Duration = Duration::from_mins(10);

/// The API that began a session. To the other one the session does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// The Directory API.
    Directory,
    /// The auth/v1 API.
    AuthV1,
}

impl Protocol {
    /// The name under which the protocol is stored and enters a code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::AuthV1 => "auth-v1",
        }
    }
}

/// What never changes about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its key.
    pub reference: SessionRef,
    /// The API that began it.
    pub protocol: Protocol,
    /// What its codes are mailed with.
    pub template: Template,
    /// The address as typed, in canonical form.
    pub address: Address,
    /// The user id that the caller was answered with, real or decoy, where the protocol tells one.
    pub answered_id: Option<UserId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ends. Good before that millisecond, not at it.
    pub expires_at: Timestamp,
}

/// One of a session's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Which one. The first is the session's start in milliseconds, each next is one more: so a
    /// session begun anew under an old id (a reused `Idempotency-Key`) never repeats one.
    pub number: u64,
    /// What it is derived with.
    pub nonce: Nonce,
    /// When it ends, no later than its session. Good before that millisecond, not at it.
    pub expires_at: Timestamp,
}

/// A session as loaded: in one of its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// A code was asked for and not yet proven.
    Awaiting(Awaiting),
    /// The code was proven; a password may be set.
    Validated(Validated),
    /// The password was set, or the user found blocked. Nothing more may be done.
    Used(Used),
}

/// A session that waits for its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaiting {
    /// What never changes.
    pub info: SessionInfo,
    /// The code that is good now.
    pub generation: Generation,
    /// Guesses charged so far.
    pub guesses: u32,
    /// Whether an earlier code of the session was proven, before another was asked for.
    pub was_proven: bool,
}

/// A session whose code was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// What never changes.
    pub info: SessionInfo,
    /// The code that was proven.
    pub generation: Generation,
    /// Guesses charged so far, the right one refunded.
    pub guesses: u32,
    /// What was proven.
    pub proof: Proof,
}

/// A session that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// What never changes.
    pub info: SessionInfo,
    /// The reset token it was used with, so that a repeated use is told from an unknown token.
    pub token: Option<TokenDigest>,
}

/// What a proven code established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The user whose mailbox was proven.
    pub subject: UserId,
    /// The user's credentials at that moment: if they have changed since, the proof is void.
    pub credentials_version: u64,
    /// Until when a password may be set.
    pub expires_at: Timestamp,
    /// The reset token handed out, in the protocol that has one.
    pub token: Option<TokenDigest>,
}

/// What is counted about an address, over all its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressState {
    /// The session that may be awaiting its code; any other that does is superseded.
    pub current: Option<SessionRef>,
    /// When the last code was asked for.
    pub last_code_at: Option<Timestamp>,
    /// Codes in this UTC clock hour.
    pub codes_this_hour: u32,
    /// Codes in this UTC day.
    pub codes_today: u32,
    /// Guesses charged in this UTC day and not refunded.
    pub guesses_today: u32,
}

/// Why a session does not take a guess, or no longer does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionError {
    /// Expired, superseded or used.
    Over,
    /// The session's guesses are spent (`None`), or the address's until the given time.
    Spent(Option<Timestamp>),
    /// The code was proven already: it is used.
    CodeUsed,
    /// The code has expired in a live session.
    CodeExpired,
}

/// What a request comes to whose `Idempotency-Key` led to a session before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It is answered with that session.
    Same,
    /// The key's time is over: it begins a session anew, in the place of that one.
    Anew,
    /// The key counts as absent: it must not lead to a session that was proven or used.
    Absent,
}

/// Whether an address may have another code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Permitted,
    /// Not before the given time.
    Throttled {
        /// When the last of the limits that refused it ends.
        until: Timestamp,
    },
}

impl Session {
    /// What never changes about the session.
    #[must_use]
    pub const fn info(&self) -> &SessionInfo {
        match self {
            Self::Awaiting(Awaiting { info, .. })
            | Self::Validated(Validated { info, .. })
            | Self::Used(Used { info, .. }) => info,
        }
    }

    /// What another request with the `Idempotency-Key` of this session comes to.
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

    /// The session if it is not over as far as it knows itself; being superseded is known to its
    /// address only.
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

    /// Whether a guess may be charged to the session and its address.
    ///
    /// # Errors
    /// The first reason against it, in the order in which callers are told.
    pub fn permit_guess(
        self,
        address: &AddressState,
        limits: &Limits,
        at: Timestamp,
    ) -> Result<Awaiting, TransitionError> {
        let session = self.permit_malformed_guess(address, limits, at)?;
        if at >= session.generation.expires_at {
            return Err(TransitionError::CodeExpired);
        }
        if address.guesses_today >= limits.daily_guesses {
            return Err(TransitionError::Spent(Some(at.next_day())));
        }
        Ok(session)
    }

    /// The checks of [`Session::permit_guess`] that come before the code's own form: all that a
    /// malformed code has to pass, since it is never charged.
    ///
    /// # Errors
    /// The first reason against it, in the order in which callers are told.
    pub fn permit_malformed_guess(
        self,
        address: &AddressState,
        limits: &Limits,
        at: Timestamp,
    ) -> Result<Awaiting, TransitionError> {
        let session = match self.live(at)? {
            Self::Awaiting(session) => session,
            Self::Validated(_) | Self::Used(_) => return Err(TransitionError::CodeUsed),
        };
        if address.current != Some(session.info.reference) {
            return Err(TransitionError::Over);
        }
        if session.guesses >= limits.session_guesses {
            return Err(TransitionError::Spent(None));
        }
        Ok(session)
    }

    /// The session with a new code; its guesses stay spent.
    ///
    /// # Errors
    /// [`TransitionError::Over`] if it is used, expired or superseded, [`TransitionError::Spent`] if its own guesses
    /// are spent. The address's guesses of the day do not matter: its codes are still mailed.
    pub fn renew(
        self,
        address: &AddressState,
        limits: &Limits,
        nonce: Nonce,
        at: Timestamp,
    ) -> Result<Awaiting, TransitionError> {
        if address.current != Some(self.info().reference) {
            return Err(TransitionError::Over);
        }
        self.renewed(limits, nonce, at)
    }

    /// [`Session::renew`] as far as the session knows itself: for a store whose condition on the
    /// address decides about the rest.
    ///
    /// # Errors
    /// As [`Session::renew`], being superseded apart.
    pub fn renewed(
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

impl Awaiting {
    /// A new session, begun at `info.started_at`.
    #[must_use]
    pub fn begin(info: SessionInfo, nonce: Nonce, limits: &Limits) -> Self {
        let generation = Generation {
            number: u64::try_from(info.started_at.millis()).unwrap_or_default(),
            nonce,
            expires_at: info.started_at.plus(limits.code_ttl).min(info.expires_at),
        };
        Self {
            info,
            generation,
            guesses: 0,
            was_proven: false,
        }
    }

    /// The session after a guess was charged to it.
    #[must_use]
    pub fn charged(self) -> Self {
        Self {
            guesses: self.guesses.saturating_add(1),
            ..self
        }
    }

    /// The session after its code was proven: the right guess is refunded.
    #[must_use]
    pub fn prove(
        self,
        subject: UserId,
        credentials_version: u64,
        token: Option<TokenDigest>,
        at: Timestamp,
    ) -> Validated {
        let expires_at = at.plus(PROOF_TTL).min(self.info.expires_at);
        Validated {
            info: self.info,
            generation: self.generation,
            guesses: self.guesses.saturating_sub(1),
            proof: Proof {
                subject,
                credentials_version,
                expires_at,
                token,
            },
        }
    }

    /// The session used at once, with its code.
    #[must_use]
    pub fn use_up(self) -> Used {
        Used {
            info: self.info,
            token: None,
        }
    }
}

impl Validated {
    /// Whether the proof still lets a password be set.
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

    /// The session used.
    #[must_use]
    pub fn use_up(self) -> Used {
        Used {
            info: self.info,
            token: self.proof.token,
        }
    }
}

impl AddressState {
    /// Whether the address may have another code.
    #[must_use]
    pub fn permit_code(&self, limits: &Limits, at: Timestamp) -> Decision {
        let reached = |limit: Option<u32>, count| limit.is_some_and(|limit| count >= limit);
        let cooling = self
            .last_code_at
            .map(|last| last.plus(limits.cooldown))
            .filter(|until| !limits.cooldown.is_zero() && *until > at);
        let hour = reached(limits.address_per_hour, self.codes_this_hour).then(|| at.next_hour());
        let day = reached(limits.address_per_day, self.codes_today).then(|| at.next_day());
        match [cooling, hour, day].into_iter().flatten().max() {
            Some(until) => Decision::Throttled { until },
            None => Decision::Permitted,
        }
    }
}

#[cfg(test)]
mod tests;
