//! The calls of a history, and their answers.

use regain::api::Protocol;
use regain::ids::ResetToken;
use regain::recovery::{RecoveryError, Started};

use crate::outcome::{Outcome, outcome_of};

/// The outcome of a call, and what its caller was given.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which of the [`super::NETWORKS`] the call came from.
    pub network: usize,
    /// The outcome.
    pub outcome: Outcome,
    /// The session that began.
    pub started: Option<Started>,
    /// The token that a right code was traded for.
    pub token: Option<ResetToken>,
}

impl Answer {
    /// The answer to a call that gives its caller nothing.
    pub fn of<T>(result: &Result<T, RecoveryError>) -> Self {
        Self {
            network: 0,
            outcome: outcome_of(result),
            started: None,
            token: None,
        }
    }
}

/// The code that a caller sends, compared with the one that was mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Sent {
    Right,
    Wrong,
    Malformed,
}

/// A call about the session of a number. The last number of a guess is the generation of the right code when the call
/// was made. A token is named by the generation whose code was traded for it, and a link by that of its mail.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    /// A code is asked for.
    Request(Protocol),
    /// A code is sent, made for that generation.
    Verify(usize, Sent, u32),
    /// Another code is asked for.
    Resend(usize),
    /// A password is set with the token of that generation.
    Set(usize, Option<u32>),
    /// A code and a password are sent at once.
    Both(usize, Sent, u32),
    /// A code of that session and a password are sent at once, for whichever session of the Directory API is the
    /// newest.
    Newest(usize, Sent, u32),
    /// The same, once it is known which session is the newest.
    Found(usize, Sent, u32),
    /// A password is set by the link of that generation.
    Link(usize, u32),
}

impl Call {
    /// The number of the session that it is about.
    pub(super) fn session(self) -> usize {
        match self {
            Self::Verify(number, ..)
            | Self::Resend(number)
            | Self::Set(number, _)
            | Self::Both(number, ..)
            | Self::Newest(number, ..)
            | Self::Found(number, ..)
            | Self::Link(number, _) => number,
            Self::Request(_) => unreachable!("a request is about no session yet"),
        }
    }

    /// Whether a right code claims its session at once, because a password came with it.
    pub(super) const fn claims(self) -> bool {
        matches!(self, Self::Both(..) | Self::Found(..))
    }
}
