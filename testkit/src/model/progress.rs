//! How far a call has come, and the result of its next step.

use regain::timestamp::Timestamp;

use super::elsewhere::{self, At};
use super::{Call, Share};
use crate::outcome::Outcome;

/// How far a call has come. Numbers of generations are those that the guess or the proof was for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Progress {
    NotBegun,
    /// A code was refused under the strangers' share. Whether the network is known is read next.
    AskedOfStrangers {
        until: Timestamp,
        whole: Option<Timestamp>,
    },
    /// The network is known, and a code is asked for under the whole.
    AskingOfAll,
    /// The guess is charged to its session, and found to be right if it is for that generation.
    ChargedSession(Option<u32>, Share),
    /// The address refused the guess under the strangers' share.
    RefusedAsStranger(Option<u32>),
    /// The address refused the guess.
    Refused,
    /// The guess is right, and still charged to the session and the address, or to one of them.
    Right {
        generation: u32,
        of_session: bool,
        of_address: bool,
    },
    /// The guess was right, but the claim found the session changed. It is still charged to the address.
    Overtaken(MoveOutcome),
    /// The link is found good, and its session is claimed next.
    LinkRead,
    /// Nothing is charged any more, or the proof is found good.
    Returned(u32),
    /// The user is read, with that version of the credentials.
    Read(u32, u64),
    /// The network is known, and the session has not moved on.
    NetworkFirst(u32, u64),
    /// The session has moved on or refused to, and the network is not known yet.
    MovedFirst(MoveOutcome),
    /// The user has changed since it was read, and the network is not known yet.
    ChangedFirst(u32),
    /// The call goes on with a user elsewhere. The number is the generation of the code that was proven.
    Elsewhere(u32, At),
    Answered,
}

/// The outcome of moving a session on: done, or why not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum MoveOutcome {
    Done,
    Over,
    Spent,
    Expired,
    Wrong,
    Unknown,
    Refused,
}

impl From<MoveOutcome> for Outcome {
    fn from(outcome: MoveOutcome) -> Self {
        match outcome {
            MoveOutcome::Done => Self::Done,
            MoveOutcome::Over => Self::Over,
            MoveOutcome::Spent => Self::Spent,
            MoveOutcome::Expired => Self::CodeExpired,
            MoveOutcome::Wrong => Self::CodeWrong,
            MoveOutcome::Unknown => Self::TokenUnknown,
            MoveOutcome::Refused => Self::PasswordElsewhere(vec![elsewhere::REFUSED.to_owned()]),
        }
    }
}

/// The result of one step of a call.
pub(super) enum Stepped {
    Ended(Outcome),
    Goes(Progress),
    /// The call is the same as that one, which has not begun.
    Is(Call),
}

/// A right guess that is still charged to these.
pub(super) const fn returned(generation: u32, of_session: bool, of_address: bool) -> Progress {
    if of_session || of_address {
        Progress::Right {
            generation,
            of_session,
            of_address,
        }
    } else {
        Progress::Returned(generation)
    }
}
