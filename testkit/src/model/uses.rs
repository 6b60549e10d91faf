//! The steps of a call that sets the password by a reset token, a validated session or a mail's link.

use regain::api::Protocol;

use super::elsewhere;
use super::progress::Stepped::{self, Ended, Goes};
use super::progress::{MoveOutcome, Progress};
use super::{Answer, Call, Model, State};
use crate::outcome::Outcome;

impl Model {
    /// A link is read, its session claimed, the user read, and then the session used up.
    pub(super) fn steps_of_link(
        &self,
        number: usize,
        generation: u32,
        progress: Progress,
        answer: &Answer,
    ) -> Vec<(Self, Stepped)> {
        let refused = self.refused_link(number, generation);
        match (progress, refused) {
            (Progress::NotBegun, Some(MoveOutcome::Over))
                if self.sessions[number].secret + 1 < self.secrets =>
            {
                // Of a mail that is over, the version of the code key may be gone.
                let outcome = [Outcome::Over, Outcome::TokenUnknown];
                outcome.map(|outcome| (self.clone(), Ended(outcome))).into()
            }
            (Progress::NotBegun | Progress::LinkRead, Some(outcome)) => {
                self.one(|_| Ended(outcome.into()))
            }
            (Progress::NotBegun, None) if self.elsewhere.is_some() => {
                self.one(|_| Goes(Progress::Elsewhere(generation, elsewhere::LINKED)))
            }
            (Progress::NotBegun, None) => self.one(|_| Goes(Progress::LinkRead)),
            (Progress::LinkRead, None) => self.one(|_| Goes(Progress::Returned(generation))),
            (Progress::Returned(_), _) => self.one(|it| {
                if it.is_void(number, generation) {
                    return Ended(Outcome::Over);
                }
                Goes(Progress::Read(generation, it.version))
            }),
            (progress, _) => {
                self.steps_of_move(Call::Link(number, generation), number, progress, answer)
            }
        }
    }

    /// Why that generation's link opens nothing, if so: another code was mailed since, or the code beside it or the
    /// session is over.
    pub(super) fn refused_link(&self, number: usize, generation: u32) -> Option<MoveOutcome> {
        let session = &self.sessions[number];
        if session.generation != generation {
            Some(MoveOutcome::Unknown)
        } else if self.over(number) || self.now >= session.code_ends {
            Some(MoveOutcome::Over)
        } else {
            None
        }
    }

    pub(super) fn steps_of_use(
        &self,
        number: usize,
        token: Option<u32>,
        place: usize,
        progress: Progress,
    ) -> Vec<(Self, Stepped)> {
        match progress {
            Progress::NotBegun if self.elsewhere.is_some() => {
                self.claim_elsewhere(number, token, place)
            }
            Progress::NotBegun => self.one(|it| it.permit_use(number, token)),
            Progress::Returned(generation) => self.one(|it| match it.sessions[number].state {
                State::Validated { version, .. }
                    if version == it.version && !it.is_void(number, generation) =>
                {
                    Goes(Progress::Read(generation, version))
                }
                _ => Ended(Outcome::Over),
            }),
            Progress::Read(generation, version) => {
                self.one(|it| Ended(it.use_up(number, generation, version)))
            }
            other => unreachable!("a use is never {other:?}"),
        }
    }

    /// Whether a proof is good: of a token, if it is the one that the session knows.
    pub(super) fn permit_use(&mut self, number: usize, token: Option<u32>) -> Stepped {
        let session = &self.sessions[number];
        let known = session.token.as_ref().map(|(_, of)| *of);
        // A session that awaits another code has forgotten its token.
        let known = known.filter(|of| *of == session.generation);
        if session.protocol == Protocol::AuthV1 && (known.is_none() || token != known) {
            return Ended(Outcome::TokenUnknown);
        }
        match session.state {
            _ if self.over(number) => Ended(Outcome::Over),
            State::Awaiting => Ended(Outcome::CodeWrong),
            State::Validated { until, .. } if self.now < until => {
                Goes(Progress::Returned(session.generation))
            }
            _ => Ended(Outcome::Over),
        }
    }

    pub(super) fn use_up(&mut self, number: usize, generation: u32, version: u64) -> Outcome {
        let session = &self.sessions[number];
        match session.state {
            State::Validated { .. }
                if session.generation == generation && version == self.version =>
            {
                self.password_set(number);
                Outcome::Done
            }
            _ => Outcome::Over,
        }
    }
}
