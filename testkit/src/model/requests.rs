//! The steps of a call that asks for a code: a request or a resend.

use super::progress::Progress;
use super::progress::Stepped::{self, Ended, Goes};
use super::{
    Answer, CODE_TTL, Call, Model, REMEMBERED, SESSION_GUESSES, SESSION_TTL, Session, Share, State,
};
use crate::outcome::Outcome;
use regain::timestamp::Timestamp;

impl Model {
    pub(super) fn steps_of_request(
        &self,
        call: Call,
        progress: Progress,
        answer: &Answer,
    ) -> Vec<(Self, Stepped)> {
        if let Call::Resend(number) = call
            && matches!(progress, Progress::NotBegun | Progress::AskingOfAll)
        {
            if self.over(number) {
                return self.one(|_| Ended(Outcome::Over));
            }
            if self.sessions[number].guesses >= SESSION_GUESSES {
                return self.one(|_| Ended(Outcome::Spent));
            }
        }
        match progress {
            Progress::NotBegun => {
                let mut all = self.one(|it| it.ask(call, Share::Strangers, answer));
                if matches!(call, Call::Resend(_)) {
                    return all;
                }
                // An instance may have refused a request, and remember it.
                let remembered = self.refused.iter().filter(|(from, since, until)| {
                    *from == answer.network
                        && *since <= self.now
                        && self.now < (*until).min(since.plus(REMEMBERED))
                });
                for (.., until) in remembered {
                    // The table may have been asked all the same, so this may be remembered as well.
                    all.extend(self.one(|it| it.refuse(call, answer, *until)));
                }
                all
            }
            Progress::AskedOfStrangers { until, whole } => self.one(|it| match whole {
                None if it.known[answer.network] => Goes(Progress::AskingOfAll),
                Some(whole) if it.known[answer.network] => it.refuse(call, answer, whole),
                _ => it.refuse(call, answer, until),
            }),
            Progress::AskingOfAll => self.one(|it| it.ask(call, Share::Whole, answer)),
            other => unreachable!("{call:?} is never {other:?}"),
        }
    }

    /// A code is asked for, by a request or for a session.
    pub(super) fn ask(&mut self, call: Call, share: Share, answer: &Answer) -> Stepped {
        if let Some(until) = self.throttled(share, answer.network) {
            let whole = self.throttled(Share::Whole, answer.network);
            if whole == Some(until) {
                return self.refuse(call, answer, until);
            }
            return Goes(Progress::AskedOfStrangers { until, whole });
        }
        let (now, secret) = (self.now, self.secret());
        match call {
            Call::Resend(number) => {
                let session = &mut self.sessions[number];
                session.state = State::Awaiting;
                session.generation += 1;
                session.asked.push(now);
                session.secret = secret;
                session.code_ends = now.plus(CODE_TTL).min(session.ends);
            }
            Call::Request(protocol) => {
                let Some(started) = answer.started.clone() else {
                    return Ended(Outcome::Done);
                };
                self.sessions.push(Session {
                    started,
                    protocol,
                    state: State::Awaiting,
                    guesses: 0,
                    asked: vec![now],
                    generation: 0,
                    secret,
                    code_ends: now.plus(CODE_TTL),
                    ends: now.plus(SESSION_TTL),
                    token: None,
                    claimed: None,
                });
            }
            _ => unreachable!("{call:?} asks for no code"),
        }
        self.codes.push(now);
        self.asked_from.push(answer.network);
        Ended(Outcome::Done)
    }

    pub(super) fn refuse(&mut self, call: Call, answer: &Answer, until: Timestamp) -> Stepped {
        if matches!(call, Call::Request(_)) {
            self.refused.push((answer.network, self.now, until));
        }
        Ended(Outcome::Throttled(until))
    }
}
