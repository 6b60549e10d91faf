//! The steps of a guess: it is charged, compared and given back, and then the session moves on.

use super::elsewhere;
use super::progress::Stepped::{self, Ended, Goes};
use super::progress::{MoveOutcome, Progress, returned};
use super::{Answer, Call, DAILY_GUESSES, Model, PROOF_TTL, SESSION_GUESSES, Sent, Share, State};
use crate::outcome::Outcome;

impl Model {
    pub(super) fn steps_of_guess(
        &self,
        call: Call,
        number: usize,
        progress: Progress,
        answer: &Answer,
    ) -> Vec<(Self, Stepped)> {
        let claims = call.claims();
        match progress {
            Progress::ChargedSession(right, share) => {
                self.one(|it| it.charge_address(call, right, share))
            }
            Progress::RefusedAsStranger(right) => self.one(|it| {
                Goes(if it.known[answer.network] {
                    Progress::ChargedSession(right, Share::Whole)
                } else {
                    Progress::Refused
                })
            }),
            Progress::Refused => self.one(|it| {
                it.sessions[number].guesses -= 1;
                Ended(Outcome::SpentUntil(it.now.next_day()))
            }),
            Progress::Right {
                generation,
                of_session,
                of_address,
            } => {
                let mut all = Vec::new();
                if of_session {
                    all.extend(
                        self.one(|it| it.return_to_session(number, generation, claims, of_address)),
                    );
                }
                if of_address {
                    all.extend(self.one(|it| {
                        it.guesses.pop();
                        Goes(returned(generation, of_session, false))
                    }));
                }
                all
            }
            Progress::Overtaken(outcome) => self.one(|it| {
                it.guesses.pop();
                Ended(outcome.into())
            }),
            Progress::Returned(generation) => {
                let mut all = self.one(|it| it.read_user(number, generation));
                // A call that waits for another's claim looks at the session again.
                if claims && let Some(outcome) = self.overtaken(number, generation) {
                    all.push((self.clone(), Ended(outcome.into())));
                }
                all
            }
            progress => self.steps_of_move(call, number, progress, answer),
        }
    }

    /// The session moves on while the network becomes known.
    pub(super) fn steps_of_move(
        &self,
        call: Call,
        number: usize,
        progress: Progress,
        answer: &Answer,
    ) -> Vec<(Self, Stepped)> {
        match progress {
            Progress::Read(generation, version) => {
                let mut all = self.one(|it| {
                    let outcome = it.move_on(call, number, generation, version, answer);
                    Goes(outcome.map_or(Progress::ChangedFirst(generation), Progress::MovedFirst))
                });
                all.extend(self.one(|it| {
                    it.known[answer.network] = true;
                    Goes(Progress::NetworkFirst(generation, version))
                }));
                all
            }
            Progress::NetworkFirst(generation, version) => self.one(|it| {
                let outcome = it.move_on(call, number, generation, version, answer);
                outcome.map_or(Goes(Progress::Returned(generation)), |outcome| {
                    Ended(outcome.into())
                })
            }),
            Progress::MovedFirst(outcome) => self.one(|it| {
                it.known[answer.network] = true;
                Ended(outcome.into())
            }),
            Progress::ChangedFirst(generation) => self.one(|it| {
                it.known[answer.network] = true;
                Goes(Progress::Returned(generation))
            }),
            other => unreachable!("{call:?} is never {other:?}"),
        }
    }

    /// Charges a guess to its session. Only what is charged is looked at.
    pub(super) fn charge_session(&mut self, number: usize, sent: Sent, generation: u32) -> Stepped {
        let session = &self.sessions[number];
        Ended(if self.over(number) {
            Outcome::Over
        } else if session.state != State::Awaiting {
            Outcome::CodeWrong
        } else if session.guesses >= SESSION_GUESSES {
            Outcome::Spent
        } else if sent == Sent::Malformed {
            Outcome::CodeWrong
        } else if self.now >= session.code_ends {
            Outcome::CodeExpired
        } else {
            let right = sent == Sent::Right && session.generation == generation;
            self.sessions[number].guesses += 1;
            let right = right.then_some(generation);
            return Goes(Progress::ChargedSession(right, Share::Strangers));
        })
    }

    pub(super) fn charge_address(
        &mut self,
        call: Call,
        right: Option<u32>,
        share: Share,
    ) -> Stepped {
        if self.guesses_today() >= share.of(DAILY_GUESSES) {
            return Goes(match share {
                Share::Strangers => Progress::RefusedAsStranger(right),
                Share::Whole => Progress::Refused,
            });
        }
        self.guesses.push(self.now);
        match right {
            None => Ended(Outcome::CodeWrong),
            Some(generation) if self.elsewhere.is_some() => {
                let right = elsewhere::right(call, self.changed_at);
                Goes(Progress::Elsewhere(generation, right))
            }
            Some(generation) => Goes(returned(generation, true, true)),
        }
    }

    /// A right guess is given back to its session, which a call with a password claims at once.
    pub(super) fn return_to_session(
        &mut self,
        number: usize,
        generation: u32,
        claims: bool,
        of_address: bool,
    ) -> Stepped {
        let overtaken = self.overtaken(number, generation).filter(|_| claims);
        self.sessions[number].guesses -= 1;
        match overtaken {
            // The claim saw the session before the guess was given back.
            Some(outcome) if of_address => Goes(Progress::Overtaken(outcome)),
            Some(outcome) => Ended(outcome.into()),
            None => Goes(returned(generation, false, of_address)),
        }
    }

    /// Why a right guess of that generation comes too late, if it does.
    pub(super) fn overtaken(&self, number: usize, generation: u32) -> Option<MoveOutcome> {
        let session = &self.sessions[number];
        match session.state {
            State::Used => Some(MoveOutcome::Over),
            State::Awaiting if session.generation == generation => None,
            State::Awaiting if session.guesses >= SESSION_GUESSES => Some(MoveOutcome::Spent),
            State::Awaiting if self.now >= session.code_ends => Some(MoveOutcome::Expired),
            State::Awaiting | State::Validated { .. } => Some(MoveOutcome::Wrong),
        }
    }

    pub(super) fn read_user(&mut self, number: usize, generation: u32) -> Stepped {
        if self.is_void(number, generation) {
            return Ended(Outcome::CodeExpired);
        }
        Goes(Progress::Read(generation, self.version))
    }

    /// A right guess or a link moves its session on. `None` if the user has changed since it was read.
    pub(super) fn move_on(
        &mut self,
        call: Call,
        number: usize,
        generation: u32,
        version: u64,
        answer: &Answer,
    ) -> Option<MoveOutcome> {
        let late = match call {
            Call::Link(..) => self.refused_link(number, generation),
            _ => self.overtaken(number, generation),
        };
        if late.is_some() {
            return late;
        }
        if call.claims() || matches!(call, Call::Link(..)) {
            if version != self.version {
                return None;
            }
            self.password_set(number);
            return Some(MoveOutcome::Done);
        }
        let now = self.now;
        let session = &mut self.sessions[number];
        let until = now.plus(PROOF_TTL).min(session.ends);
        session.state = State::Validated { until, version };
        let token = answer.token.clone();
        session.token = token.map(|token| (token, generation));
        Some(MoveOutcome::Done)
    }
}
