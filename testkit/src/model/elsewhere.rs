//! The model's user store elsewhere: its users, its answers, and how far a call has come that asks it.

mod steps;

use std::collections::BTreeSet;

use regain::timestamp::Timestamp;

use super::progress::{MoveOutcome, Progress, Stepped};
use super::{Answer, Call, Model};
use crate::user_store_faults::{StoreFault, Veto};

/// The reason of a store that refuses passwords.
pub const REFUSED: &str = "reused";

/// How often a user who changes is found again.
const ATTEMPTS: u32 = 4;

/// A use of a proof that the store carries out once. Its key has to be the same each time that the store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// The mailbox is proven.
    Mailbox(usize, u32),
    /// The password is set.
    Password(usize, u32),
}

/// A user store, and what it was asked. It behaves as `FakeUserStore` does, whose
/// versions change with each proof.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// How it judges passwords.
    pub veto: Veto,
    /// Whether the user has another address.
    pub is_moved: bool,
    /// Whether the user's status may not recover.
    pub is_blocked: bool,
    /// Whether the mailbox is not proven.
    pub is_unverified: bool,
    /// How often a password was set.
    pub times_set: u32,
    /// The fault, the number of the first question that it hits, and how many it hits.
    pub fault: Option<(StoreFault, usize, usize)>,
    /// The questions since the fault was set.
    pub questions: usize,
    /// For which uses it was asked.
    pub asked: BTreeSet<Use>,
    /// Which uses it has answered with `done`.
    done: BTreeSet<Use>,
    /// For which generations of which sessions the notice is requested.
    pub notices: BTreeSet<(usize, u32)>,
}

/// A user as the store has answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct User {
    version: u64,
    is_blocked: bool,
    is_unverified: bool,
}

/// The answer to `find`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FindAnswer {
    Pending,
    Failed,
    Nobody,
    User(User),
}

/// The claim of a session by one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Claim {
    Unneeded,
    Wanted,
    Held,
    /// The session had changed before.
    Late(MoveOutcome),
}

/// Since when codes are void, as the table has answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stamp {
    Pending,
    Read(Option<Timestamp>),
}

/// The write that ends a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Write {
    /// The session is validated, for that version.
    Proof(u64),
    /// The same, though the store has refused the password.
    ProofOnly(u64),
    /// The session is used.
    Record,
}

/// How far a call has come that asks the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    /// A right guess is given back, if there is one, and the session claimed, while the user is found.
    Returning {
        stamp: Stamp,
        of_session: bool,
        of_address: bool,
        claim: Claim,
        user: FindAnswer,
    },
    /// The user is found, and the time read since when codes are void. A proof is bound to a version.
    Finding {
        bound: Option<u64>,
        attempt: u32,
        user: FindAnswer,
        stamp: Stamp,
    },
    /// A guess that was right by luck is charged again.
    ChargingAgain { session: bool, address: bool },
    /// The store is told of a proven mailbox, once more if an answer was lost.
    Telling { is_again: bool, is_refused: bool },
    /// The store is asked to set the password, once more if an answer was lost.
    Setting {
        bound: Option<u64>,
        user: User,
        attempt: u32,
        is_again: bool,
    },
    /// The session is closed, because the user may not recover, or because the store says so.
    Closing,
    /// The session moves on, while the network becomes known if this call proves the mailbox.
    Writing {
        write: Write,
        network: bool,
        outcome: Option<MoveOutcome>,
    },
}

/// The answer to a question that changes something.
enum Judged {
    Failed,
    Lost,
    Done(u64),
    Changed,
    Refused,
    Blocked,
}

/// A right guess that is still charged, and was not void before that time was noted.
pub(super) const fn right(call: Call, void_since: Option<Timestamp>) -> At {
    At::Returning {
        stamp: Stamp::Read(void_since),
        of_session: true,
        of_address: true,
        claim: if call.claims() {
            Claim::Wanted
        } else {
            Claim::Unneeded
        },
        user: FindAnswer::Pending,
    }
}

/// A link that was found good.
pub(super) const LINKED: At = At::Returning {
    stamp: Stamp::Pending,
    of_session: false,
    of_address: false,
    claim: Claim::Wanted,
    user: FindAnswer::Pending,
};

/// The user is to be found, for that time.
pub(super) const fn finding(bound: Option<u64>, attempt: u32) -> At {
    At::Finding {
        bound,
        attempt,
        user: FindAnswer::Pending,
        stamp: Stamp::Pending,
    }
}

/// The call of one place, about a generation of a session.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) call: Call,
    pub(super) place: usize,
    pub(super) number: usize,
    pub(super) generation: u32,
    pub(super) answer: &'a Answer,
}

impl Caller<'_> {
    fn goes(self, at: At) -> Stepped {
        Stepped::Goes(Progress::Elsewhere(self.generation, at))
    }

    const fn guesses(self) -> bool {
        !matches!(self.call, Call::Set(..) | Call::Link(..))
    }

    /// Whether the call proves the mailbox, so that its network becomes known.
    const fn proves(self) -> bool {
        !matches!(self.call, Call::Set(..))
    }

    /// Whether its session is proven if the password is refused. A caller without the session's id could not go on.
    const fn can_go_on(self) -> bool {
        matches!(self.call, Call::Both(..))
    }
}

impl Elsewhere {
    /// The fault of the next question.
    fn ask(&mut self) -> Option<StoreFault> {
        self.questions += 1;
        let number = self.questions;
        let (fault, from, times) = self.fault?;
        fault.at(number, from, times)
    }
}

impl Model {
    fn store(&mut self) -> &mut Elsewhere {
        self.elsewhere.as_mut().unwrap()
    }

    /// Asks the store for the user.
    fn find_user(&mut self) -> FindAnswer {
        match self.store().ask() {
            None => {}
            Some(StoreFault::ChangedBefore) => self.version += 1,
            Some(_) => return FindAnswer::Failed,
        }
        let version = self.version;
        let store = self.store();
        if store.is_moved {
            return FindAnswer::Nobody;
        }
        FindAnswer::User(User {
            version,
            is_blocked: store.is_blocked,
            is_unverified: store.is_unverified,
        })
    }

    /// Asks the store to do something once, if it judges so.
    fn ask_store(&mut self, what: Use, judge: impl FnOnce(&mut Self) -> Judged) -> Judged {
        self.store().asked.insert(what);
        let fault = self.store().ask();
        match fault {
            Some(StoreFault::LostBefore | StoreFault::Status(500..)) => return Judged::Lost,
            None | Some(StoreFault::LostAfter | StoreFault::ChangedBefore) => {}
            Some(_) => return Judged::Failed,
        }
        if fault == Some(StoreFault::ChangedBefore) {
            self.version += 1;
        }
        let judged = if self.store().done.contains(&what) {
            Judged::Done(self.version)
        } else {
            judge(self)
        };
        if let Judged::Done(_) = judged {
            self.store().done.insert(what);
        }
        match fault {
            Some(StoreFault::LostAfter) => Judged::Lost,
            _ => judged,
        }
    }

    fn tell_of_mailbox(&mut self, caller: Caller<'_>) -> Judged {
        let what = Use::Mailbox(caller.number, caller.generation);
        self.ask_store(what, |it| {
            it.store().is_unverified = false;
            it.version += 1;
            Judged::Done(it.version)
        })
    }

    fn set_in_store(&mut self, caller: Caller<'_>, version: u64) -> Judged {
        let what = Use::Password(caller.number, caller.generation);
        self.ask_store(what, |it| {
            if it.store().is_moved || it.version != version {
                return Judged::Changed;
            }
            match it.store().veto {
                Veto::Refused(_) => Judged::Refused,
                Veto::Blocked => Judged::Blocked,
                Veto::None => {
                    it.version += 1;
                    it.store().times_set += 1;
                    it.store().is_unverified = false;
                    Judged::Done(it.version)
                }
            }
        })
    }
}
