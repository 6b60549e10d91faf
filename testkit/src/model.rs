//! A sequential model of all sessions of one address, which predicts the outcome of every call.
//!
//! A right guess takes two steps in the model, as in the engine: the guess is charged, and then it moves the
//! session on and is given back. The use of a proof takes two steps as well. [`explanations`] finds every
//! order of the steps of concurrent calls that has the outcomes which the callers saw.

use std::time::Duration;

use regain::api::Protocol;
use regain::ids::ResetToken;
use regain::recovery::{RecoveryError, Started};
use regain::timestamp::Timestamp;

use crate::outcome::{Outcome, outcome_of};

/// The settings of a stack that the model predicts.
pub const SETTINGS: [(&str, &str); 8] = [
    ("CODE_MAX_ATTEMPTS", "2"),
    ("ACCOUNT_GUESSES_PER_DAY", "5"),
    ("CODE_TTL_SECONDS", "100"),
    ("SESSION_TTL_SECONDS", "1000"),
    ("RESEND_COOLDOWN_SECONDS", "30"),
    ("EMAIL_REQUESTS_PER_HOUR", "8"),
    ("EMAIL_REQUESTS_PER_DAY", "14"),
    ("IP_REQUESTS_PER_HOUR", "7"),
];
const SESSION_GUESSES: u32 = 2;
const DAILY_GUESSES: u32 = 5;
const CODE_TTL: Duration = Duration::from_secs(100);
const SESSION_TTL: Duration = Duration::from_secs(1000);
const PROOF_TTL: Duration = Duration::from_mins(10);
const COOLDOWN: Duration = Duration::from_secs(30);
const PER_HOUR: u32 = 8;
const PER_DAY: u32 = 14;
const PER_CALLER: u32 = 7;
/// From this age on, mail is written with a version of the code key.
const SECRET_COMES_OF_AGE: Duration = Duration::from_mins(10);

/// The outcome of a call, and what its caller was given.
#[derive(Clone, Debug)]
pub struct Answer {
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

/// A call about the session of that number. What is right is the code that its generation had when
/// the call was made; a token is named by the generation whose code was traded for it.
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
}

/// The state of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// A code is awaited.
    Awaiting,
    /// A code was proven.
    Validated {
        /// When the proof ends.
        until: Timestamp,
        /// The version of the credentials that it is good for.
        version: u64,
    },
    /// The password was set.
    Used,
}

impl State {
    /// The name that the table has for the state.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Validated { .. } => "validated",
            Self::Used => "used",
        }
    }
}

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// What its caller was given.
    pub started: Started,
    /// The API that it began over.
    pub protocol: Protocol,
    /// Its state.
    pub state: State,
    /// The guesses charged to it and not given back.
    pub guesses: u32,
    /// Which of its codes is good, and by which version of the code key it was mailed.
    pub generation: u32,
    /// The version of the code key that its code was mailed with.
    pub secret: usize,
    code_ends: Timestamp,
    ends: Timestamp,
    /// The last token handed out, and for which generation.
    pub token: Option<(ResetToken, u32)>,
}

/// All sessions of one address.
#[derive(Clone, Debug)]
pub struct Model {
    /// The time.
    pub now: Timestamp,
    /// The sessions, in the order in which they began.
    pub sessions: Vec<Session>,
    /// The number of the current session.
    pub current: Option<usize>,
    /// The version of the user's credentials.
    pub version: u64,
    /// When codes were asked for.
    pub codes: Vec<Timestamp>,
    /// When guesses were charged that were not refunded.
    guesses: Vec<Timestamp>,
    /// How many versions the code key has had, and when it had the last one.
    pub secrets: usize,
    rotated: Option<Timestamp>,
}

/// How far a call has come that is neither refused nor done in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Progress {
    NotBegun,
    /// The guess is charged and right; the proof is found good. With the generation it was for.
    Good(u32),
    Answered,
}

/// The result of one step of a call.
enum Stepped {
    Ended(Outcome),
    Good(u32),
}

impl Model {
    /// An address without sessions.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            sessions: Vec::new(),
            current: None,
            version: 0,
            codes: Vec::new(),
            guesses: Vec::new(),
            secrets: 1,
            rotated: None,
        }
    }

    /// The guesses charged to the address on this UTC day and not given back.
    pub fn guesses_today(&self) -> u32 {
        let today = self.guesses.iter().filter(|at| at.day() == self.now.day());
        u32::try_from(today.count()).unwrap()
    }

    /// Rotates the code key, unless a code of the version before the last may still be good.
    pub fn rotate(&mut self) -> bool {
        let apart = SESSION_TTL + SECRET_COMES_OF_AGE;
        let permitted = self.rotated.is_none_or(|last| self.now >= last.plus(apart));
        if permitted {
            self.secrets += 1;
            self.rotated = Some(self.now);
        }
        permitted
    }

    /// The version of the code key that mail is written with.
    fn secret(&self) -> usize {
        let young = self
            .rotated
            .is_some_and(|at| self.now < at.plus(SECRET_COMES_OF_AGE));
        self.secrets - 1 - usize::from(young)
    }

    fn throttled(&self) -> Option<Outcome> {
        let within = |same: &dyn Fn(&Timestamp) -> bool| {
            u32::try_from(self.codes.iter().filter(|at| same(at)).count()).unwrap()
        };
        let this_hour = within(&|at| at.hour() == self.now.hour());
        let today = within(&|at| at.day() == self.now.day());
        let cooled = self.codes.last().map(|last| last.plus(COOLDOWN));
        [
            cooled.filter(|cooled| self.now < *cooled),
            (this_hour >= PER_HOUR.min(PER_CALLER)).then_some(self.now.next_hour()),
            (today >= PER_DAY).then_some(self.now.next_day()),
        ]
        .into_iter()
        .flatten()
        .max()
        .map(Outcome::Throttled)
    }

    fn over(&self, number: usize) -> bool {
        let session = &self.sessions[number];
        session.state == State::Used || self.now >= session.ends
    }

    /// The next step of a call.
    fn step(&mut self, call: Call, progress: Progress, answer: &Answer) -> Stepped {
        match (call, progress) {
            (Call::Request(protocol), _) => Stepped::Ended(self.request(protocol, answer)),
            (Call::Resend(number), _) => Stepped::Ended(self.resend(number)),
            (
                Call::Verify(number, sent, generation) | Call::Both(number, sent, generation),
                Progress::NotBegun,
            ) => self.charge(number, sent, generation),
            (Call::Verify(number, ..), Progress::Good(generation)) => {
                Stepped::Ended(self.prove(number, generation, answer))
            }
            (Call::Both(number, ..), Progress::Good(generation)) => {
                let outcome = self.refund(number, generation);
                if outcome == Outcome::Done {
                    self.password_set(number);
                }
                Stepped::Ended(outcome)
            }
            (Call::Set(number, token), Progress::NotBegun) => self.permit_use(number, token),
            (Call::Set(number, _), Progress::Good(generation)) => {
                Stepped::Ended(self.use_up(number, generation))
            }
            (_, Progress::Answered) => unreachable!("an answered call takes no step"),
        }
    }

    fn request(&mut self, protocol: Protocol, answer: &Answer) -> Outcome {
        if let Some(throttled) = self.throttled() {
            return throttled;
        }
        let Some(started) = answer.started.clone() else {
            return Outcome::Done;
        };
        self.codes.push(self.now);
        self.current = Some(self.sessions.len());
        self.sessions.push(Session {
            started,
            protocol,
            state: State::Awaiting,
            guesses: 0,
            generation: 0,
            secret: self.secret(),
            code_ends: self.now.plus(CODE_TTL),
            ends: self.now.plus(SESSION_TTL),
            token: None,
        });
        Outcome::Done
    }

    fn resend(&mut self, number: usize) -> Outcome {
        if self.over(number) || self.current != Some(number) {
            return Outcome::Over;
        }
        if self.sessions[number].guesses >= SESSION_GUESSES {
            return Outcome::Spent;
        }
        if let Some(throttled) = self.throttled() {
            return throttled;
        }
        self.codes.push(self.now);
        let (now, secret) = (self.now, self.secret());
        let session = &mut self.sessions[number];
        session.state = State::Awaiting;
        session.generation += 1;
        session.secret = secret;
        session.code_ends = now.plus(CODE_TTL).min(session.ends);
        Outcome::Done
    }

    /// Charges a guess, and only then looks at it.
    fn charge(&mut self, number: usize, sent: Sent, generation: u32) -> Stepped {
        let today = self.guesses_today();
        let session = &self.sessions[number];
        Stepped::Ended(if self.over(number) {
            Outcome::Over
        } else if session.state != State::Awaiting {
            Outcome::CodeWrong
        } else if self.current != Some(number) {
            Outcome::Over
        } else if session.guesses >= SESSION_GUESSES {
            Outcome::Spent
        } else if sent == Sent::Malformed {
            Outcome::CodeWrong
        } else if self.now >= session.code_ends {
            Outcome::CodeExpired
        } else if today >= DAILY_GUESSES {
            Outcome::SpentUntil(self.now.next_day())
        } else {
            let right = sent == Sent::Right && session.generation == generation;
            self.sessions[number].guesses += 1;
            self.guesses.push(self.now);
            if right {
                return Stepped::Good(generation);
            }
            Outcome::CodeWrong
        })
    }

    /// Gives a right guess back, unless its session was moved on since it was charged.
    fn refund(&mut self, number: usize, generation: u32) -> Outcome {
        let session = &mut self.sessions[number];
        match session.state {
            State::Used => Outcome::Over,
            State::Awaiting if self.current != Some(number) => Outcome::Over,
            State::Awaiting if session.generation == generation => {
                session.guesses -= 1;
                self.guesses.pop();
                Outcome::Done
            }
            State::Awaiting if session.guesses >= SESSION_GUESSES => Outcome::Spent,
            State::Awaiting | State::Validated { .. } => Outcome::CodeWrong,
        }
    }

    fn prove(&mut self, number: usize, generation: u32, answer: &Answer) -> Outcome {
        let outcome = self.refund(number, generation);
        if outcome == Outcome::Done {
            let (now, version) = (self.now, self.version);
            let session = &mut self.sessions[number];
            let until = now.plus(PROOF_TTL).min(session.ends);
            session.state = State::Validated { until, version };
            let token = answer.token.clone();
            session.token = token.map(|token| (token, generation));
        }
        outcome
    }

    /// Whether a proof is good: of a token, if it is the one that the session knows.
    fn permit_use(&self, number: usize, token: Option<u32>) -> Stepped {
        let session = &self.sessions[number];
        let known = session.token.as_ref().map(|(_, of)| *of);
        // A session that awaits another code has forgotten its token.
        let known = known.filter(|of| *of == session.generation);
        if session.protocol == Protocol::AuthV1 && (known.is_none() || token != known) {
            return Stepped::Ended(Outcome::TokenUnknown);
        }
        Stepped::Ended(match session.state {
            _ if self.over(number) => Outcome::Over,
            State::Awaiting if self.current == Some(number) => Outcome::CodeWrong,
            State::Validated { until, version } if self.now < until && version == self.version => {
                return Stepped::Good(session.generation);
            }
            _ => Outcome::Over,
        })
    }

    fn use_up(&mut self, number: usize, generation: u32) -> Outcome {
        let session = &self.sessions[number];
        match session.state {
            State::Validated { version, .. }
                if session.generation == generation && version == self.version =>
            {
                self.password_set(number);
                Outcome::Done
            }
            _ => Outcome::Over,
        }
    }

    fn password_set(&mut self, number: usize) {
        self.sessions[number].state = State::Used;
        self.version += 1;
        self.current = None;
    }
}

/// What may be the case after the calls were answered so: one model for each order of their steps that
/// explains the answers.
pub fn explanations(model: &Model, calls: &[Call], answers: &[Answer]) -> Vec<Model> {
    let mut found = Vec::new();
    let progress = vec![Progress::NotBegun; calls.len()];
    explain(model, calls, answers, &progress, &mut found);
    found
}

fn explain(
    model: &Model,
    calls: &[Call],
    answers: &[Answer],
    progress: &[Progress],
    found: &mut Vec<Model>,
) {
    let mut open = false;
    for (place, call) in calls.iter().enumerate() {
        if progress[place] == Progress::Answered {
            continue;
        }
        open = true;
        let (mut next, mut progress) = (model.clone(), progress.to_vec());
        progress[place] = match next.step(*call, progress[place], &answers[place]) {
            Stepped::Good(generation) => Progress::Good(generation),
            Stepped::Ended(outcome) if outcome == answers[place].outcome => Progress::Answered,
            Stepped::Ended(_) => continue,
        };
        explain(&next, calls, answers, &progress, found);
    }
    if !open {
        found.push(model.clone());
    }
}
