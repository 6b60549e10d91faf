//! Why a use case refuses a call.

use std::error::Error;

use regain_password::Reason;
use thiserror::Error;

use crate::hashing::HashingError;
use crate::secrets::SecretError;
use crate::session::TransitionError;
use crate::store::{StoreError, Throttled};
use crate::timestamp::Timestamp;
use crate::user_store::{OwnReason, UserStoreError};

/// Why a use case refused a call. Each protocol decides how much of it the caller is told.
#[derive(Debug, Error)]
pub enum RecoveryError {
    /// Too many codes were requested for the address, or by the caller.
    #[error("throttled")]
    Throttled {
        /// When the last of the limits that were reached ends.
        until: Timestamp,
        /// Whose limits were reached.
        whom: Throttled,
    },
    /// This protocol has no session of that id.
    #[error("no such session")]
    NoSession,
    /// The session is expired or used. For a proof or a link: or it is void, because the password was set
    /// since.
    #[error("the session is over")]
    SessionOver,
    /// The user id is not the one that the session was answered with.
    #[error("not the session's user")]
    OtherUser,
    /// The guesses of the session are spent, or those of the address until the given time.
    #[error("the guesses are spent")]
    GuessesSpent {
        /// When there are guesses again, if waiting helps.
        until: Option<Timestamp>,
    },
    /// The session is live, but its code has expired, or it is right but was asked for before the password was
    /// last set.
    #[error("the code has expired")]
    CodeExpired,
    /// The code is wrong or already used, or no code was proven where one had to be.
    #[error("not the code")]
    CodeWrong,
    /// No session has that reset token.
    #[error("no such reset token")]
    TokenUnknown,
    /// The user's status may not recover. Returned only after the code was proven.
    #[error("the user is blocked")]
    Blocked,
    /// The password policy refuses the password.
    #[error("the password is refused")]
    PasswordRefused(Vec<Reason>),
    /// The user store refuses the password.
    #[error("the user store refuses the password")]
    PasswordRefusedElsewhere(Vec<OwnReason>),
    /// The store, a secret or the hashing failed. Nothing was done.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A stored item is not as it must be: a bug.
    #[error("broken")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl From<StoreError> for RecoveryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreachable(_) | StoreError::Contended => Self::Unavailable(error.into()),
            StoreError::Malformed(_) => Self::Broken(error.into()),
        }
    }
}

impl From<UserStoreError> for RecoveryError {
    fn from(error: UserStoreError) -> Self {
        match error {
            UserStoreError::Table(error) => error.into(),
            error => Self::Unavailable(error.into()),
        }
    }
}

impl From<SecretError> for RecoveryError {
    fn from(error: SecretError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<HashingError> for RecoveryError {
    fn from(error: HashingError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<TransitionError> for RecoveryError {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::Over => Self::SessionOver,
            TransitionError::Spent(until) => Self::GuessesSpent { until },
            TransitionError::CodeUsed => Self::CodeWrong,
            TransitionError::CodeExpired => Self::CodeExpired,
        }
    }
}
