//! The rules, as plainly as they can be said, and which orders of steps explain what was told.

use std::time::Duration;

use regain::api::Protocol;
use regain::ids::ResetToken;
use regain::recovery::Started;
use regain::timestamp::Timestamp;

use super::Answer;
use crate::kit::Told;

pub(super) const SETTINGS: [(&str, &str); 8] = [
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Right,
    Wrong,
    Malformed,
}

/// A call about the session of that number. What is right is the code that its generation had when
/// the call was made; a token is named by the generation whose code was traded for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Request(Protocol),
    Verify(usize, Sent, u32),
    Resend(usize),
    Set(usize, Option<u32>),
    Both(usize, Sent, u32),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Awaiting,
    Validated { until: Timestamp, version: u64 },
    Used,
}

impl State {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Validated { .. } => "validated",
            Self::Used => "used",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) started: Started,
    pub(super) protocol: Protocol,
    pub(super) state: State,
    pub(super) guesses: u32,
    /// Which of its codes is good, and by which version of the code key it was mailed.
    pub(super) generation: u32,
    pub(super) secret: usize,
    code_ends: Timestamp,
    ends: Timestamp,
    /// The last token handed out, and for which generation.
    pub(super) token: Option<(ResetToken, u32)>,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) sessions: Vec<Session>,
    pub(super) current: Option<usize>,
    pub(super) version: u64,
    /// When codes were asked for.
    pub(super) codes: Vec<Timestamp>,
    /// When guesses were charged that were not refunded.
    guesses: Vec<Timestamp>,
    /// How many versions the code key has had, and when it had the last one.
    pub(super) secrets: usize,
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

/// What a step of a call comes to.
enum Stepped {
    Told(Told),
    Good(u32),
}

impl Model {
    pub(super) fn new(now: Timestamp) -> Self {
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

    pub(super) fn guesses_today(&self) -> u32 {
        let today = self.guesses.iter().filter(|at| at.day() == self.now.day());
        u32::try_from(today.count()).unwrap()
    }

    /// Rotates the code key, unless a code of the version before the last may still be good.
    pub(super) fn rotate(&mut self) -> bool {
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

    fn throttled(&self) -> Option<Told> {
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
        .map(Told::Throttled)
    }

    fn over(&self, number: usize) -> bool {
        let session = &self.sessions[number];
        session.state == State::Used || self.now >= session.ends
    }

    /// The next step of a call.
    fn step(&mut self, call: Call, progress: Progress, answer: &Answer) -> Stepped {
        match (call, progress) {
            (Call::Request(protocol), _) => Stepped::Told(self.request(protocol, answer)),
            (Call::Resend(number), _) => Stepped::Told(self.resend(number)),
            (
                Call::Verify(number, sent, generation) | Call::Both(number, sent, generation),
                Progress::NotBegun,
            ) => self.charge(number, sent, generation),
            (Call::Verify(number, ..), Progress::Good(generation)) => {
                Stepped::Told(self.prove(number, generation, answer))
            }
            (Call::Both(number, ..), Progress::Good(generation)) => {
                let told = self.refund(number, generation);
                if told == Told::Done {
                    self.password_set(number);
                }
                Stepped::Told(told)
            }
            (Call::Set(number, token), Progress::NotBegun) => self.permit_use(number, token),
            (Call::Set(number, _), Progress::Good(generation)) => {
                Stepped::Told(self.use_up(number, generation))
            }
            (_, Progress::Answered) => unreachable!("an answered call takes no step"),
        }
    }

    fn request(&mut self, protocol: Protocol, answer: &Answer) -> Told {
        if let Some(throttled) = self.throttled() {
            return throttled;
        }
        let Some(started) = answer.started.clone() else {
            return Told::Done;
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
        Told::Done
    }

    fn resend(&mut self, number: usize) -> Told {
        if self.over(number) || self.current != Some(number) {
            return Told::Over;
        }
        if self.sessions[number].guesses >= SESSION_GUESSES {
            return Told::Spent;
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
        Told::Done
    }

    /// Charges a guess, and only then looks at it.
    fn charge(&mut self, number: usize, sent: Sent, generation: u32) -> Stepped {
        let today = self.guesses_today();
        let session = &self.sessions[number];
        Stepped::Told(if self.over(number) {
            Told::Over
        } else if session.state != State::Awaiting {
            Told::CodeWrong
        } else if self.current != Some(number) {
            Told::Over
        } else if session.guesses >= SESSION_GUESSES {
            Told::Spent
        } else if sent == Sent::Malformed {
            Told::CodeWrong
        } else if self.now >= session.code_ends {
            Told::CodeExpired
        } else if today >= DAILY_GUESSES {
            Told::SpentUntil(self.now.next_day())
        } else {
            let right = sent == Sent::Right && session.generation == generation;
            self.sessions[number].guesses += 1;
            self.guesses.push(self.now);
            if right {
                return Stepped::Good(generation);
            }
            Told::CodeWrong
        })
    }

    /// Gives a right guess back, unless its session was moved on since it was charged.
    fn refund(&mut self, number: usize, generation: u32) -> Told {
        let session = &mut self.sessions[number];
        match session.state {
            State::Used => Told::Over,
            State::Awaiting if self.current != Some(number) => Told::Over,
            State::Awaiting if session.generation == generation => {
                session.guesses -= 1;
                self.guesses.pop();
                Told::Done
            }
            State::Awaiting if session.guesses >= SESSION_GUESSES => Told::Spent,
            State::Awaiting | State::Validated { .. } => Told::CodeWrong,
        }
    }

    fn prove(&mut self, number: usize, generation: u32, answer: &Answer) -> Told {
        let told = self.refund(number, generation);
        if told == Told::Done {
            let (now, version) = (self.now, self.version);
            let session = &mut self.sessions[number];
            let until = now.plus(PROOF_TTL).min(session.ends);
            session.state = State::Validated { until, version };
            let token = answer.token.clone();
            session.token = token.map(|token| (token, generation));
        }
        told
    }

    /// Whether a proof is good: of a token, if it is the one that the session knows.
    fn permit_use(&self, number: usize, token: Option<u32>) -> Stepped {
        let session = &self.sessions[number];
        let known = session.token.as_ref().map(|(_, of)| *of);
        // A session that awaits another code has forgotten its token.
        let known = known.filter(|of| *of == session.generation);
        if session.protocol == Protocol::AuthV1 && (known.is_none() || token != known) {
            return Stepped::Told(Told::TokenUnknown);
        }
        Stepped::Told(match session.state {
            _ if self.over(number) => Told::Over,
            State::Awaiting if self.current == Some(number) => Told::CodeWrong,
            State::Validated { until, version } if self.now < until && version == self.version => {
                return Stepped::Good(session.generation);
            }
            _ => Told::Over,
        })
    }

    fn use_up(&mut self, number: usize, generation: u32) -> Told {
        let session = &self.sessions[number];
        match session.state {
            State::Validated { version, .. }
                if session.generation == generation && version == self.version =>
            {
                self.password_set(number);
                Told::Done
            }
            _ => Told::Over,
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
pub(super) fn explanations(model: &Model, calls: &[Call], answers: &[Answer]) -> Vec<Model> {
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
            Stepped::Told(told) if told == answers[place].told => Progress::Answered,
            Stepped::Told(_) => continue,
        };
        explain(&next, calls, answers, &progress, found);
    }
    if !open {
        found.push(model.clone());
    }
}
