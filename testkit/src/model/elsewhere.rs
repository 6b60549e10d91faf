//! The model's user store elsewhere, and the steps of the calls that ask it.
//!
//! Each question to the store is a step, as each call of the table is. A right guess is given back and claimed
//! while the store is asked for the user. To set a password, the session is claimed, the store is asked, and only
//! then does the table record it.

use std::collections::BTreeSet;

use regain::timestamp::Timestamp;

use super::Stepped::{Ended, Goes};
use super::{
    Answer, Call, DAILY_GUESSES, Model, PROOF_TTL, Progress, SESSION_GUESSES, Share, State,
    Stepped, Told,
};
use crate::outcome::Outcome;
use crate::user_store_faults::{StoreFault, Veto};

/// The reason of a store that refuses passwords.
pub const REFUSED: &str = "reused";

/// How often a user who changes is found again.
const ATTEMPTS: u32 = 4;

/// What is done once with a proof. Its key has to be the same each time that the store is asked.
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
    /// From the question of that number on, so many answers fail.
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
pub(super) enum Found {
    Pending,
    Failed,
    Nobody,
    User(User),
}

/// The claim of a session by the call of a certain place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Claim {
    Unneeded,
    Wanted,
    Held,
    /// The session had changed before.
    Late(Told),
}

/// Since when codes are void, as the table has answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stamp {
    Pending,
    Read(Option<Timestamp>),
}

/// What is written at last.
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
        user: Found,
    },
    /// The user is found, and the time read since when codes are void. A proof is bound to a version.
    Finding {
        bound: Option<u64>,
        attempt: u32,
        user: Found,
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
        told: Option<Told>,
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
        user: Found::Pending,
    }
}

/// A link that was found good.
pub(super) const LINKED: At = At::Returning {
    stamp: Stamp::Pending,
    of_session: false,
    of_address: false,
    claim: Claim::Wanted,
    user: Found::Pending,
};

/// The user is to be found, for that time.
pub(super) const fn finding(bound: Option<u64>, attempt: u32) -> At {
    At::Finding {
        bound,
        attempt,
        user: Found::Pending,
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
        Goes(Progress::Elsewhere(self.generation, at))
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
        let fault = self.fault;
        let fault = fault.filter(|(_, from, times)| (*from..from + times).contains(&number));
        fault.map(|(fault, ..)| fault)
    }
}

impl Model {
    fn store(&mut self) -> &mut Elsewhere {
        self.elsewhere.as_mut().unwrap()
    }

    /// Asks the store for the user.
    fn find_user(&mut self) -> Found {
        match self.store().ask() {
            None => {}
            Some(StoreFault::ChangedBefore) => self.version += 1,
            Some(_) => return Found::Failed,
        }
        let version = self.version;
        let store = self.store();
        if store.is_moved {
            return Found::Nobody;
        }
        Found::User(User {
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

    /// A call with a good proof claims its session. If another call has claimed it, this one waits.
    pub(super) fn claim_elsewhere(
        &self,
        number: usize,
        token: Option<u32>,
        place: usize,
    ) -> Vec<(Self, Stepped)> {
        let claimed = self.sessions[number].claimed;
        let permitted = self.one(|it| match it.permit_use(number, token) {
            Goes(Progress::Returned(generation)) => {
                let session = &mut it.sessions[number];
                session.claimed = Some(place);
                let State::Validated { version, .. } = session.state else {
                    unreachable!("a good proof is of a validated session")
                };
                Goes(Progress::Elsewhere(generation, finding(Some(version), 0)))
            }
            refused => refused,
        });
        let waits = |stepped: &Stepped| matches!(stepped, Goes(_)) && claimed.is_some();
        permitted.into_iter().filter(|(_, it)| !waits(it)).collect()
    }

    /// Every next step of a call that asks the store.
    pub(super) fn steps_elsewhere(&self, caller: Caller<'_>, at: At) -> Vec<(Self, Stepped)> {
        match at {
            At::Returning { .. } => self.steps_of_return(caller, at),
            At::Finding { .. } => self.steps_of_finding(caller, at),
            At::ChargingAgain { session, address } => {
                self.steps_of_charging(caller, session, address)
            }
            At::Telling {
                is_again,
                is_refused,
            } => self.one(|it| it.tell(caller, is_again, is_refused)),
            At::Setting {
                bound,
                user,
                attempt,
                is_again,
            } => self.one(|it| it.set(caller, bound, user, attempt, is_again)),
            At::Closing => self.one(|it| it.close(caller)),
            At::Writing { .. } => self.steps_of_writing(caller, at),
        }
    }

    /// The user is found while the time is read since when codes and proofs are void.
    fn steps_of_finding(&self, caller: Caller<'_>, at: At) -> Vec<(Self, Stepped)> {
        let At::Finding {
            bound,
            attempt,
            user,
            stamp,
        } = at
        else {
            unreachable!("{at:?} finds nobody")
        };
        let next = |it: &mut Self, user, stamp| match (user, stamp) {
            (Found::Pending, _) | (_, Stamp::Pending) => caller.goes(At::Finding {
                bound,
                attempt,
                user,
                stamp,
            }),
            (user, Stamp::Read(since)) => it.found(caller, user, since, bound, attempt),
        };
        let mut all = Vec::new();
        if user == Found::Pending {
            all.extend(self.one(|it| {
                let user = it.find_user();
                next(it, user, stamp)
            }));
        }
        if stamp == Stamp::Pending {
            all.extend(self.one(|it| {
                let stamp = Stamp::Read(it.changed_at);
                next(it, user, stamp)
            }));
        }
        all
    }

    /// A guess that was right by luck is charged again, where it may still be.
    fn steps_of_charging(
        &self,
        caller: Caller<'_>,
        session: bool,
        address: bool,
    ) -> Vec<(Self, Stepped)> {
        let number = caller.number;
        let next = |it: &mut Self, session, address| match (session, address) {
            (false, false) => it.ended(caller, Outcome::CodeWrong),
            (session, address) => caller.goes(At::ChargingAgain { session, address }),
        };
        let mut all = Vec::new();
        if session {
            let charged = &self.sessions[number];
            let may_guess = !self.over(number)
                && charged.state == State::Awaiting
                && charged.guesses < SESSION_GUESSES
                && self.now < charged.code_ends;
            all.extend(self.one(|it| {
                it.sessions[number].guesses += u32::from(may_guess);
                next(it, false, address)
            }));
        }
        if address {
            all.extend(self.one(|it| {
                if it.guesses_today() < Share::Whole.of(DAILY_GUESSES) {
                    it.guesses.push(it.now);
                }
                next(it, session, false)
            }));
        }
        all
    }

    fn tell(&mut self, caller: Caller<'_>, is_again: bool, is_refused: bool) -> Stepped {
        match self.tell_of_mailbox(caller) {
            Judged::Done(version) if is_refused => {
                caller.goes(writing(caller, Write::ProofOnly(version)))
            }
            Judged::Done(version) => caller.goes(writing(caller, Write::Proof(version))),
            Judged::Lost if !is_again => caller.goes(At::Telling {
                is_again: true,
                is_refused,
            }),
            _ => self.ended(caller, Outcome::Unavailable),
        }
    }

    fn set(
        &mut self,
        caller: Caller<'_>,
        bound: Option<u64>,
        user: User,
        attempt: u32,
        is_again: bool,
    ) -> Stepped {
        match self.set_in_store(caller, bound.unwrap_or(user.version)) {
            Judged::Done(_) => caller.goes(writing(caller, Write::Record)),
            Judged::Changed if attempt + 1 < ATTEMPTS => caller.goes(finding(bound, attempt + 1)),
            Judged::Refused if !caller.can_go_on() => self.ended(caller, Told::Refused.into()),
            Judged::Refused if user.is_unverified => caller.goes(At::Telling {
                is_again: false,
                is_refused: true,
            }),
            Judged::Refused => caller.goes(writing(caller, Write::ProofOnly(user.version))),
            Judged::Blocked => caller.goes(At::Closing),
            Judged::Lost if !is_again => caller.goes(At::Setting {
                bound,
                user,
                attempt,
                is_again: true,
            }),
            Judged::Lost => {
                // The password may be set, so its owner is told.
                let notice = (caller.number, caller.generation);
                self.store().notices.insert(notice);
                self.ended(caller, Outcome::Unavailable)
            }
            Judged::Changed | Judged::Failed => self.ended(caller, Outcome::Unavailable),
        }
    }

    /// The session moves on while the network becomes known.
    fn steps_of_writing(&self, caller: Caller<'_>, at: At) -> Vec<(Self, Stepped)> {
        let At::Writing {
            write,
            network,
            told,
        } = at
        else {
            unreachable!("{at:?} writes nothing")
        };
        let next = |it: &mut Self, network, told: Option<Told>| match (network, told) {
            (false, Some(told)) => it.ended(caller, told.into()),
            (network, told) => caller.goes(At::Writing {
                write,
                network,
                told,
            }),
        };
        let mut all = Vec::new();
        if network {
            all.extend(self.one(|it| {
                it.known[caller.answer.network] = true;
                next(it, false, told)
            }));
        }
        if told.is_none() && !self.waits_to_write(caller, write) {
            all.extend(self.one(|it| {
                let told = it.write(caller, write);
                next(it, network, Some(told))
            }));
        }
        all
    }

    /// A right guess is given back, then its session claimed, or that of a link. The user is found at the same time.
    fn steps_of_return(&self, caller: Caller<'_>, at: At) -> Vec<(Self, Stepped)> {
        let At::Returning {
            stamp,
            of_session,
            of_address,
            claim,
            user,
        } = at
        else {
            unreachable!("{at:?} returns nothing")
        };
        let number = caller.number;
        let mut all = Vec::new();
        let next = |it: &mut Self, stamp, of_session, of_address, claim, user| {
            let still = At::Returning {
                stamp,
                of_session,
                of_address,
                claim,
                user,
            };
            match (user, claim, stamp) {
                _ if of_session || of_address => caller.goes(still),
                (Found::Failed, ..) => it.ended(caller, Outcome::Unavailable),
                (Found::Pending, ..) | (_, Claim::Wanted, _) => caller.goes(still),
                (_, Claim::Late(told), _) => it.ended(caller, told.into()),
                (.., Stamp::Pending) => caller.goes(still),
                (user, Claim::Unneeded | Claim::Held, Stamp::Read(since)) => {
                    it.found(caller, user, since, None, 0)
                }
            }
        };
        if of_session {
            all.extend(self.one(|it| {
                it.sessions[number].guesses -= 1;
                next(it, stamp, false, of_address, claim, user)
            }));
        } else if claim == Claim::Wanted {
            let late = match caller.call {
                Call::Link(..) => self.refused_link(number, caller.generation),
                _ => self.overtaken(number, caller.generation),
            };
            // A call that finds the session claimed waits.
            if late.is_some() || self.sessions[number].claimed.is_none() {
                all.extend(self.one(|it| {
                    let claim = late.map_or(Claim::Held, Claim::Late);
                    if claim == Claim::Held {
                        it.sessions[number].claimed = Some(caller.place);
                    }
                    next(it, stamp, false, of_address, claim, user)
                }));
            }
        }
        if of_address {
            all.extend(self.one(|it| {
                it.guesses.pop();
                next(it, stamp, of_session, false, claim, user)
            }));
        }
        if user == Found::Pending {
            all.extend(self.one(|it| {
                let user = it.find_user();
                next(it, stamp, of_session, of_address, claim, user)
            }));
        }
        if stamp == Stamp::Pending {
            all.extend(self.one(|it| {
                let stamp = Stamp::Read(it.changed_at);
                next(it, stamp, of_session, of_address, claim, user)
            }));
        }
        all
    }

    /// Whether the user who was found may recover, by a code that is void if it was asked for until then.
    fn found(
        &mut self,
        caller: Caller<'_>,
        user: Found,
        void_since: Option<Timestamp>,
        bound: Option<u64>,
        attempt: u32,
    ) -> Stepped {
        let session = &self.sessions[caller.number];
        let asked = session.asked[caller.generation as usize];
        let is_void = void_since.is_some_and(|since| asked <= since);
        let user = match user {
            Found::User(user) => user,
            Found::Nobody if caller.guesses() => {
                return caller.goes(At::ChargingAgain {
                    session: true,
                    address: true,
                });
            }
            Found::Nobody => return self.ended(caller, Outcome::Over),
            Found::Failed => return self.ended(caller, Outcome::Unavailable),
            Found::Pending => unreachable!("nobody is found yet"),
        };
        if caller.guesses() {
            if is_void {
                return self.ended(caller, Outcome::CodeExpired);
            }
        } else {
            // The store is asked once whether a proof for other credentials is the repetition of a use.
            if is_void || (attempt > 0 && bound.is_some_and(|bound| bound != user.version)) {
                return self.ended(caller, Outcome::Over);
            }
        }
        if user.is_blocked {
            return caller.goes(At::Closing);
        }
        match caller.call {
            Call::Verify(..) if user.is_unverified => caller.goes(At::Telling {
                is_again: false,
                is_refused: false,
            }),
            Call::Verify(..) => caller.goes(writing(caller, Write::Proof(user.version))),
            _ => caller.goes(At::Setting {
                bound,
                user,
                attempt,
                is_again: false,
            }),
        }
    }

    fn close(&mut self, caller: Caller<'_>) -> Stepped {
        let session = &self.sessions[caller.number];
        let is_proven = matches!(session.state, State::Validated { .. })
            && session.generation == caller.generation;
        let late = match caller.call {
            Call::Set(..) => (!is_proven).then_some(Told::Over),
            // The time was compared before.
            Call::Link(..) if session.generation != caller.generation => Some(Told::Unknown),
            Call::Link(..) => (session.state == State::Used).then_some(Told::Over),
            _ => self.overtaken(caller.number, caller.generation),
        };
        if let Some(told) = late {
            return self.ended(caller, told.into());
        }
        let session = &mut self.sessions[caller.number];
        session.state = State::Used;
        Ended(Outcome::Blocked)
    }

    /// Whether a proof waits for the call that is setting a password with its session.
    fn waits_to_write(&self, caller: Caller<'_>, write: Write) -> bool {
        let claimed = self.sessions[caller.number].claimed;
        write != Write::Record
            && claimed.is_some_and(|by| by != caller.place)
            && self.overtaken(caller.number, caller.generation).is_none()
    }

    fn write(&mut self, caller: Caller<'_>, write: Write) -> Told {
        let (number, now) = (caller.number, self.now);
        let (version, told) = match write {
            Write::Record => {
                // The store has decided: nothing depends on what has become of the session.
                self.sessions[number].state = State::Used;
                self.changed_at = Some(now);
                self.store().notices.insert((number, caller.generation));
                return Told::Done;
            }
            Write::Proof(version) => (version, Told::Done),
            Write::ProofOnly(version) => (version, Told::Refused),
        };
        if let Some(told) = self.overtaken(number, caller.generation) {
            return told;
        }
        let session = &mut self.sessions[number];
        let until = now.plus(PROOF_TTL).min(session.ends);
        session.state = State::Validated { until, version };
        let token = caller.answer.token.clone();
        session.token = token.map(|token| (token, caller.generation));
        told
    }

    /// The call ends, and gives its claim up.
    fn ended(&mut self, caller: Caller<'_>, outcome: Outcome) -> Stepped {
        let claimed = &mut self.sessions[caller.number].claimed;
        if *claimed == Some(caller.place) {
            *claimed = None;
        }
        Ended(outcome)
    }
}

fn writing(caller: Caller<'_>, write: Write) -> At {
    At::Writing {
        write,
        network: caller.proves(),
        told: None,
    }
}
