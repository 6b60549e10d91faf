//! The steps of the calls that ask a user store elsewhere.
//!
//! Each question to the store is a step, as each call of the table is. A right guess is given back and claimed
//! while the store is asked for the user. To set a password, the session is claimed, the store is asked, and only
//! then does the table record it.

use std::time::Duration;

use regain::timestamp::Timestamp;

use super::{ATTEMPTS, At, Caller, Claim, FindAnswer, Judged, Stamp, User, Write, finding};
use crate::model::progress::Stepped::{self, Ended, Goes};
use crate::model::progress::{MoveOutcome, Progress};
use crate::model::{Call, DAILY_GUESSES, Model, PROOF_TTL, SESSION_GUESSES, Share, State};
use crate::outcome::Outcome;

/// How long a call waits for the claim of another at most.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

impl Model {
    /// A call with a good proof claims its session. If another call has claimed it, this one waits.
    pub(in crate::model) fn claim_elsewhere(
        &self,
        number: usize,
        token: Option<u32>,
        place: usize,
    ) -> Vec<(Self, Stepped)> {
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
        match permitted.as_slice() {
            [(_, Goes(_))] if self.sessions[number].claimed.is_some() => {
                match self.after_a_wait().permit_use(number, token) {
                    over @ Ended(_) => vec![(self.clone(), over)],
                    _ => Vec::new(),
                }
            }
            _ => permitted,
        }
    }

    /// The same at the latest time to which a call waits for the claim of another. Its proof may end meanwhile.
    fn after_a_wait(&self) -> Self {
        Self {
            now: self.now.plus(LONGEST_WAIT),
            ..self.clone()
        }
    }

    /// Every next step of a call that asks the store.
    pub(in crate::model) fn steps_elsewhere(
        &self,
        caller: Caller<'_>,
        at: At,
    ) -> Vec<(Self, Stepped)> {
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
            (FindAnswer::Pending, _) | (_, Stamp::Pending) => caller.goes(At::Finding {
                bound,
                attempt,
                user,
                stamp,
            }),
            (user, Stamp::Read(since)) => it.found(caller, user, since, bound, attempt),
        };
        let mut all = Vec::new();
        if user == FindAnswer::Pending {
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
            Judged::Refused if !caller.can_go_on() => {
                self.ended(caller, MoveOutcome::Refused.into())
            }
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
            Judged::Lost | Judged::Failed if is_again => {
                // The password may be set, so its owner is told.
                let notice = (caller.number, caller.generation);
                self.store().notices.insert(notice);
                self.ended(caller, Outcome::Unavailable)
            }
            Judged::Changed | Judged::Lost | Judged::Failed => {
                self.ended(caller, Outcome::Unavailable)
            }
        }
    }

    /// The session moves on while the network becomes known.
    fn steps_of_writing(&self, caller: Caller<'_>, at: At) -> Vec<(Self, Stepped)> {
        let At::Writing {
            write,
            network,
            outcome,
        } = at
        else {
            unreachable!("{at:?} writes nothing")
        };
        let next = |it: &mut Self, network, outcome: Option<MoveOutcome>| match (network, outcome) {
            (false, Some(outcome)) => it.ended(caller, outcome.into()),
            (network, outcome) => caller.goes(At::Writing {
                write,
                network,
                outcome,
            }),
        };
        let mut all = Vec::new();
        if network {
            all.extend(self.one(|it| {
                it.known[caller.answer.network] = true;
                next(it, false, outcome)
            }));
        }
        if outcome.is_none() && !self.waits_to_write(caller, write) {
            all.extend(self.one(|it| {
                let outcome = it.write(caller, write);
                next(it, network, Some(outcome))
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
                (FindAnswer::Failed, ..) => it.ended(caller, Outcome::Unavailable),
                (FindAnswer::Pending, ..) | (_, Claim::Wanted, _) => caller.goes(still),
                (_, Claim::Late(outcome), _) => it.ended(caller, outcome.into()),
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
            let is_claimed = self.sessions[number].claimed.is_some();
            let late = match caller.call {
                Call::Link(..) if is_claimed => self
                    .refused_link(number, caller.generation)
                    .or_else(|| self.after_a_wait().refused_link(number, caller.generation)),
                Call::Link(..) => self.refused_link(number, caller.generation),
                _ => self.overtaken(number, caller.generation),
            };
            // A call that finds the session claimed waits.
            if late.is_some() || !is_claimed {
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
        if user == FindAnswer::Pending {
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
        user: FindAnswer,
        void_since: Option<Timestamp>,
        bound: Option<u64>,
        attempt: u32,
    ) -> Stepped {
        let session = &self.sessions[caller.number];
        let asked = session.asked[caller.generation as usize];
        let is_void = void_since.is_some_and(|since| asked <= since);
        let user = match user {
            FindAnswer::User(user) => user,
            FindAnswer::Nobody if caller.guesses() => {
                return caller.goes(At::ChargingAgain {
                    session: true,
                    address: true,
                });
            }
            FindAnswer::Nobody => return self.ended(caller, Outcome::Over),
            FindAnswer::Failed => return self.ended(caller, Outcome::Unavailable),
            FindAnswer::Pending => unreachable!("nobody is found yet"),
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
            Call::Set(..) => (!is_proven).then_some(MoveOutcome::Over),
            // The time was compared before.
            Call::Link(..) if session.generation != caller.generation => Some(MoveOutcome::Unknown),
            Call::Link(..) => (session.state == State::Used).then_some(MoveOutcome::Over),
            _ => self.overtaken(caller.number, caller.generation),
        };
        if let Some(outcome) = late {
            return self.ended(caller, outcome.into());
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

    fn write(&mut self, caller: Caller<'_>, write: Write) -> MoveOutcome {
        let (number, now) = (caller.number, self.now);
        let (version, outcome) = match write {
            Write::Record => {
                // The store has decided: nothing depends on what has become of the session.
                self.sessions[number].state = State::Used;
                self.changed_at = Some(now);
                self.store().notices.insert((number, caller.generation));
                return MoveOutcome::Done;
            }
            Write::Proof(version) => (version, MoveOutcome::Done),
            Write::ProofOnly(version) => (version, MoveOutcome::Refused),
        };
        if let Some(outcome) = self.overtaken(number, caller.generation) {
            return outcome;
        }
        let session = &mut self.sessions[number];
        let until = now.plus(PROOF_TTL).min(session.ends);
        session.state = State::Validated { until, version };
        let token = caller.answer.token.clone();
        session.token = token.map(|token| (token, caller.generation));
        outcome
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
        outcome: None,
    }
}
