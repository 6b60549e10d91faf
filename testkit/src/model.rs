//! A sequential model of all sessions of one address, which predicts the outcome of every call.
//!
//! Each call of the table is a step of the model, as in the engine: a guess is charged to its session, then to
//! its address, then given back to both, then the user is read, then the session moves on, while the network
//! becomes known. A link is read, claimed and used without any charge. The callers come from two networks, each of
//! which becomes known by its own proof and may then use the reserve. [`explanations`] finds every order of the steps
//! of concurrent calls that has the outcomes which the callers saw.

mod call;
pub mod elsewhere;
mod guesses;
mod progress;
mod requests;
mod uses;

use std::collections::HashSet;
use std::time::Duration;

use regain::api::Protocol;
use regain::ids::ResetToken;
use regain::recovery::Started;
use regain::timestamp::Timestamp;

use elsewhere::{Caller, Elsewhere};
use progress::Progress;
use progress::Stepped::{self, Ended, Goes, Is};

pub use call::{Answer, Call, Sent};

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
/// For how long an instance remembers that it refused a request.
const REMEMBERED: Duration = Duration::from_mins(1);
/// From this age on, mail is written with a version of the code key.
const SECRET_COMES_OF_AGE: Duration = Duration::from_mins(10);

/// How many networks the callers come from.
pub const NETWORKS: usize = 2;

/// Which part of the address's limits a call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Strangers,
    Whole,
}

impl Share {
    /// A third, rounded down, is kept for known networks.
    const fn of(self, all: u32) -> u32 {
        match self {
            Self::Strangers => all - all / 3,
            Self::Whole => all,
        }
    }
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
    /// When each of its codes was asked for.
    asked: Vec<Timestamp>,
    /// Which of its codes is good, and by which version of the code key it was mailed.
    pub generation: u32,
    /// The version of the code key that its code was mailed with.
    pub secret: usize,
    code_ends: Timestamp,
    ends: Timestamp,
    /// The last token handed out, and for which generation.
    pub token: Option<(ResetToken, u32)>,
    /// The call that has claimed it. With users in the table, claims decide nothing.
    claimed: Option<usize>,
}

/// All sessions of one address.
#[derive(Clone, Debug)]
pub struct Model {
    /// The time.
    pub now: Timestamp,
    /// The sessions, in the order in which they began.
    pub sessions: Vec<Session>,
    /// The version of the user's credentials.
    pub version: u64,
    /// When the password was last set.
    changed_at: Option<Timestamp>,
    /// The user store, if the user lives elsewhere.
    pub elsewhere: Option<Elsewhere>,
    /// Which of the callers' networks have proven the address.
    pub known: [bool; NETWORKS],
    /// The requests that were refused: from which network, when, and until when.
    refused: Vec<(usize, Timestamp, Timestamp)>,
    /// When codes were asked for.
    pub codes: Vec<Timestamp>,
    /// From which network each of them was asked for.
    asked_from: Vec<usize>,
    /// When guesses were charged that were not given back.
    guesses: Vec<Timestamp>,
    /// How many versions the code key has had, and when it had the last one.
    pub secrets: usize,
    rotated: Option<Timestamp>,
}

impl Model {
    /// An address without sessions.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            sessions: Vec::new(),
            version: 0,
            changed_at: None,
            elsewhere: None,
            known: [false; NETWORKS],
            refused: Vec::new(),
            codes: Vec::new(),
            asked_from: Vec::new(),
            guesses: Vec::new(),
            secrets: 1,
            rotated: None,
        }
    }

    /// An address without sessions, whose user lives elsewhere.
    pub fn elsewhere(now: Timestamp) -> Self {
        Self {
            elsewhere: Some(Elsewhere::default()),
            ..Self::new(now)
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

    /// Until when another code is refused to that network under that share.
    fn throttled(&self, share: Share, network: usize) -> Option<Timestamp> {
        let within = |same: &dyn Fn(&Timestamp, usize) -> bool| {
            let codes = self.codes.iter().zip(&self.asked_from);
            u32::try_from(codes.filter(|(at, from)| same(at, **from)).count()).unwrap()
        };
        let this_hour = within(&|at, _| at.hour() == self.now.hour());
        let today = within(&|at, _| at.day() == self.now.day());
        let by_caller = within(&|at, from| at.hour() == self.now.hour() && from == network);
        let cooled = self.codes.last().map(|last| last.plus(COOLDOWN));
        [
            cooled.filter(|cooled| self.now < *cooled),
            (this_hour >= share.of(PER_HOUR) || by_caller >= PER_CALLER)
                .then_some(self.now.next_hour()),
            (today >= share.of(PER_DAY)).then_some(self.now.next_day()),
        ]
        .into_iter()
        .flatten()
        .max()
    }

    fn over(&self, number: usize) -> bool {
        let session = &self.sessions[number];
        session.state == State::Used || self.now >= session.ends
    }

    /// Every next step that a call may take, each with the model after it.
    fn steps(
        &self,
        call: Call,
        place: usize,
        progress: Progress,
        answer: &Answer,
    ) -> Vec<(Self, Stepped)> {
        if let Progress::Elsewhere(generation, at) = progress {
            let number = call.session();
            let caller = Caller {
                call,
                place,
                number,
                generation,
                answer,
            };
            return self.steps_elsewhere(caller, at);
        }
        match call {
            Call::Request(_) | Call::Resend(_) => self.steps_of_request(call, progress, answer),
            Call::Verify(number, sent, generation)
            | Call::Both(number, sent, generation)
            | Call::Found(number, sent, generation) => {
                if progress == Progress::NotBegun {
                    return self.one(|it| it.charge_session(number, sent, generation));
                }
                self.steps_of_guess(call, number, progress, answer)
            }
            Call::Newest(number, sent, generation) => self.one(|it| {
                let newest = it.newest().unwrap();
                // The code of another session is a wrong one.
                let sent = match sent {
                    Sent::Right if newest != number => Sent::Wrong,
                    sent => sent,
                };
                Is(Call::Found(newest, sent, generation))
            }),
            Call::Set(number, token) => self.steps_of_use(number, token, place, progress),
            Call::Link(number, generation) => {
                self.steps_of_link(number, generation, progress, answer)
            }
        }
    }

    /// The one next step of a call.
    fn one(&self, step: impl Fn(&mut Self) -> Stepped) -> Vec<(Self, Stepped)> {
        let mut next = self.clone();
        let stepped = step(&mut next);
        vec![(next, stepped)]
    }

    /// The newest session of the Directory API, if one has begun.
    pub fn newest(&self) -> Option<usize> {
        let in_directory = |it: &Session| it.protocol == Protocol::Directory;
        self.sessions.iter().rposition(in_directory)
    }

    /// Whether the password was set since that code of the session was asked for.
    fn is_void(&self, number: usize, generation: u32) -> bool {
        let asked = self.sessions[number].asked[generation as usize];
        self.changed_at.is_some_and(|changed| asked <= changed)
    }

    fn password_set(&mut self, number: usize) {
        self.sessions[number].state = State::Used;
        self.version += 1;
        self.changed_at = Some(self.now);
    }

    /// All that decides what happens next.
    fn fingerprint(&self, calls: &[Call], progress: &[Progress]) -> String {
        let sessions: Vec<_> = self
            .sessions
            .iter()
            .map(|it| {
                let token = it.token.as_ref().map(|(_, of)| *of);
                let (guesses, claimed) = (it.guesses, it.claimed);
                (&it.state, guesses, it.generation, &it.asked, token, claimed)
            })
            .collect();
        format!(
            "{sessions:?} {:?} {} {:?} {:?} {:?} {:?} {calls:?} {progress:?}",
            self.guesses.len(),
            self.version,
            self.changed_at,
            self.known,
            self.asked_from,
            self.elsewhere,
        )
    }
}

/// The possible states after concurrent calls: one model for each order of their steps that explains the answers.
pub fn explanations(model: &Model, calls: &[Call], answers: &[Answer]) -> Vec<Model> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let begun = vec![Progress::NotBegun; calls.len()];
    let mut open = vec![(model.clone(), calls.to_vec(), begun)];
    while let Some((model, calls, progress)) = open.pop() {
        if progress.iter().all(|it| *it == Progress::Answered) {
            found.push(model);
            continue;
        }
        for (place, call) in calls.iter().enumerate() {
            if progress[place] == Progress::Answered {
                continue;
            }
            for (next, stepped) in model.steps(*call, place, progress[place], &answers[place]) {
                let (mut calls, mut progress) = (calls.clone(), progress.clone());
                progress[place] = match stepped {
                    Goes(on) => on,
                    Is(other) => {
                        calls[place] = other;
                        Progress::NotBegun
                    }
                    Ended(outcome) if outcome == answers[place].outcome => Progress::Answered,
                    Ended(_) => continue,
                };
                if seen.insert(next.fingerprint(&calls, &progress)) {
                    open.push((next, calls, progress));
                }
            }
        }
    }
    found
}
