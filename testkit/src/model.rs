//! A sequential model of all sessions of one address, which predicts the outcome of every call.
//!
//! Each call of the table is a step of the model, as in the engine: a guess is charged to its session, then to
//! its address, then given back to both, then the user is read, then the session moves on, while the network
//! becomes known. A link is read, claimed and used without any charge. The callers come from two networks, each of
//! which becomes known by its own proof and may then use the reserve. [`explanations`] finds every order of the steps
//! of concurrent calls that has the outcomes which the callers saw.

pub mod elsewhere;

use std::collections::HashSet;
use std::time::Duration;

use regain::api::Protocol;
use regain::ids::ResetToken;
use regain::recovery::{RecoveryError, Started};
use regain::timestamp::Timestamp;

use crate::outcome::{Outcome, outcome_of};
use elsewhere::{At, Caller, Elsewhere};

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

/// The outcome of a call, and what its caller was given.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which of the [`NETWORKS`] the call came from.
    pub network: usize,
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
            network: 0,
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
/// the call was made; a token is named by the generation whose code was traded for it, and a link by that of its mail.
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
    /// A code of that session and a password are sent at once, for whichever session of the Directory API is the
    /// newest.
    Newest(usize, Sent, u32),
    /// The same, once it is known which session is the newest.
    Found(usize, Sent, u32),
    /// A password is set by the link of that generation.
    Link(usize, u32),
}

impl Call {
    /// The number of the session that it is about.
    fn session(self) -> usize {
        match self {
            Self::Verify(number, ..)
            | Self::Resend(number)
            | Self::Set(number, _)
            | Self::Both(number, ..)
            | Self::Newest(number, ..)
            | Self::Found(number, ..)
            | Self::Link(number, _) => number,
            Self::Request(_) => unreachable!("a request is about no session yet"),
        }
    }

    /// Whether a right code claims its session at once, because a password came with it.
    const fn claims(self) -> bool {
        matches!(self, Self::Both(..) | Self::Found(..))
    }
}

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

/// How far a call has come. Numbers of generations are those that the guess or the proof was for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Progress {
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
    Overtaken(Told),
    /// The link is found good, and its session is claimed next.
    LinkRead,
    /// Nothing is charged any more, or the proof is found good.
    Returned(u32),
    /// The user is read, with that version of the credentials.
    Read(u32, u64),
    /// The network is known, and the session has not moved on.
    NetworkFirst(u32, u64),
    /// The session has moved on or refused to, and the network is not known yet.
    MovedFirst(Told),
    /// The user has changed since it was read, and the network is not known yet.
    ChangedFirst(u32),
    /// What is proven by that generation's code is done with a user elsewhere.
    Elsewhere(u32, At),
    Answered,
}

/// The outcomes of a right guess that came too late or was the first, and of a password that a store refused.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Done,
    Over,
    Spent,
    Expired,
    Wrong,
    Unknown,
    Refused,
}

impl From<Told> for Outcome {
    fn from(told: Told) -> Self {
        match told {
            Told::Done => Self::Done,
            Told::Over => Self::Over,
            Told::Spent => Self::Spent,
            Told::Expired => Self::CodeExpired,
            Told::Wrong => Self::CodeWrong,
            Told::Unknown => Self::TokenUnknown,
            Told::Refused => Self::PasswordElsewhere(vec![elsewhere::REFUSED.to_owned()]),
        }
    }
}

/// The result of one step of a call.
enum Stepped {
    Ended(Outcome),
    Goes(Progress),
    /// The call is the same as that one, which has not begun.
    Is(Call),
}

use Stepped::{Ended, Goes, Is};

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

    fn steps_of_request(
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

    fn steps_of_guess(
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
            Progress::Overtaken(told) => self.one(|it| {
                it.guesses.pop();
                Ended(told.into())
            }),
            Progress::Returned(generation) => {
                let mut all = self.one(|it| it.read_user(number, generation));
                // A call that waits for another's claim looks at the session again.
                if claims && let Some(told) = self.overtaken(number, generation) {
                    all.push((self.clone(), Ended(told.into())));
                }
                all
            }
            progress => self.steps_of_move(call, number, progress, answer),
        }
    }

    /// The session moves on while the network becomes known.
    fn steps_of_move(
        &self,
        call: Call,
        number: usize,
        progress: Progress,
        answer: &Answer,
    ) -> Vec<(Self, Stepped)> {
        match progress {
            Progress::Read(generation, version) => {
                let mut all = self.one(|it| {
                    let told = it.move_on(call, number, generation, version, answer);
                    Goes(told.map_or(Progress::ChangedFirst(generation), Progress::MovedFirst))
                });
                all.extend(self.one(|it| {
                    it.known[answer.network] = true;
                    Goes(Progress::NetworkFirst(generation, version))
                }));
                all
            }
            Progress::NetworkFirst(generation, version) => self.one(|it| {
                let told = it.move_on(call, number, generation, version, answer);
                told.map_or(Goes(Progress::Returned(generation)), |told| {
                    Ended(told.into())
                })
            }),
            Progress::MovedFirst(told) => self.one(|it| {
                it.known[answer.network] = true;
                Ended(told.into())
            }),
            Progress::ChangedFirst(generation) => self.one(|it| {
                it.known[answer.network] = true;
                Goes(Progress::Returned(generation))
            }),
            other => unreachable!("{call:?} is never {other:?}"),
        }
    }

    /// A link is read, its session claimed, the user read, and then the session used up.
    fn steps_of_link(
        &self,
        number: usize,
        generation: u32,
        progress: Progress,
        answer: &Answer,
    ) -> Vec<(Self, Stepped)> {
        let refused = self.refused_link(number, generation);
        match (progress, refused) {
            (Progress::NotBegun, Some(Told::Over))
                if self.sessions[number].secret + 1 < self.secrets =>
            {
                // Of a mail that is over, the version of the code key may be gone.
                let told = [Outcome::Over, Outcome::TokenUnknown];
                told.map(|told| (self.clone(), Ended(told))).into()
            }
            (Progress::NotBegun | Progress::LinkRead, Some(told)) => {
                self.one(|_| Ended(told.into()))
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
    fn refused_link(&self, number: usize, generation: u32) -> Option<Told> {
        let session = &self.sessions[number];
        if session.generation != generation {
            Some(Told::Unknown)
        } else if self.over(number) || self.now >= session.code_ends {
            Some(Told::Over)
        } else {
            None
        }
    }

    /// The newest session of the Directory API, if one has begun.
    pub fn newest(&self) -> Option<usize> {
        let in_directory = |it: &Session| it.protocol == Protocol::Directory;
        self.sessions.iter().rposition(in_directory)
    }

    fn steps_of_use(
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

    /// A code is asked for, by a request or for a session.
    fn ask(&mut self, call: Call, share: Share, answer: &Answer) -> Stepped {
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

    fn refuse(&mut self, call: Call, answer: &Answer, until: Timestamp) -> Stepped {
        if matches!(call, Call::Request(_)) {
            self.refused.push((answer.network, self.now, until));
        }
        Ended(Outcome::Throttled(until))
    }

    /// Charges a guess to its session. Only what is charged is looked at.
    fn charge_session(&mut self, number: usize, sent: Sent, generation: u32) -> Stepped {
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

    fn charge_address(&mut self, call: Call, right: Option<u32>, share: Share) -> Stepped {
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
    fn return_to_session(
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
            Some(told) if of_address => Goes(Progress::Overtaken(told)),
            Some(told) => Ended(told.into()),
            None => Goes(returned(generation, false, of_address)),
        }
    }

    /// Why a right guess of that generation comes too late, if it does.
    fn overtaken(&self, number: usize, generation: u32) -> Option<Told> {
        let session = &self.sessions[number];
        match session.state {
            State::Used => Some(Told::Over),
            State::Awaiting if session.generation == generation => None,
            State::Awaiting if session.guesses >= SESSION_GUESSES => Some(Told::Spent),
            State::Awaiting if self.now >= session.code_ends => Some(Told::Expired),
            State::Awaiting | State::Validated { .. } => Some(Told::Wrong),
        }
    }

    /// Whether the password was set since that code of the session was asked for.
    fn is_void(&self, number: usize, generation: u32) -> bool {
        let asked = self.sessions[number].asked[generation as usize];
        self.changed_at.is_some_and(|changed| asked <= changed)
    }

    fn read_user(&mut self, number: usize, generation: u32) -> Stepped {
        if self.is_void(number, generation) {
            return Ended(Outcome::CodeExpired);
        }
        Goes(Progress::Read(generation, self.version))
    }

    /// A right guess or a link moves its session on. `None` if the user has changed since it was read.
    fn move_on(
        &mut self,
        call: Call,
        number: usize,
        generation: u32,
        version: u64,
        answer: &Answer,
    ) -> Option<Told> {
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
            return Some(Told::Done);
        }
        let now = self.now;
        let session = &mut self.sessions[number];
        let until = now.plus(PROOF_TTL).min(session.ends);
        session.state = State::Validated { until, version };
        let token = answer.token.clone();
        session.token = token.map(|token| (token, generation));
        Some(Told::Done)
    }

    /// Whether a proof is good: of a token, if it is the one that the session knows.
    fn permit_use(&mut self, number: usize, token: Option<u32>) -> Stepped {
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

    fn use_up(&mut self, number: usize, generation: u32, version: u64) -> Outcome {
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

/// A right guess that is still charged to these.
const fn returned(generation: u32, of_session: bool, of_address: bool) -> Progress {
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

/// What may be the case after the calls were answered so: one model for each order of their steps that
/// explains the answers.
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
