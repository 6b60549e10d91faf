//! Any order of calls over the real store is answered as a simple model in memory predicts.

use std::time::Duration;

use proptest::prelude::*;
use regain::ids::ResetToken;
use regain::recovery::Started;
use regain::session::Protocol;
use regain::timestamp::Timestamp;

use crate::kit::{ANN, Kit, NOON, PASSWORD, Told, Verified, request, told, wrong};

const SESSION_GUESSES: u32 = 2;
const DAILY_GUESSES: u32 = 5;
const CODE_TTL: Duration = Duration::from_secs(100);
const SESSION_TTL: Duration = Duration::from_secs(1000);
const PROOF_TTL: Duration = Duration::from_secs(600);
const COOLDOWN: Duration = Duration::from_secs(30);
const PER_HOUR: u32 = 8;
const PER_DAY: u32 = 14;
const PER_CALLER: u32 = 7;

#[derive(Clone, Copy, Debug)]
enum Sent {
    Right,
    Wrong,
    Malformed,
}

/// What callers do; sessions are named by how long ago they began.
#[derive(Clone, Copy, Debug)]
enum Step {
    Request(Protocol),
    Verify(usize, Sent),
    Resend(usize),
    Set(usize),
    Both(usize, Sent),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let session = || prop_oneof![5 => Just(0_usize), 2 => Just(1_usize), 1 => Just(2_usize)];
    let sent =
        || prop_oneof![4 => Just(Sent::Right), 4 => Just(Sent::Wrong), 1 => Just(Sent::Malformed)];
    let protocol = prop_oneof![Just(Protocol::AuthV1), Just(Protocol::Directory)];
    let wait = prop::sample::select(vec![
        1, 29_999, 30_000, 30_000, 30_000, 99_999, 100_000, 599_999, 600_000, 3_600_000, 43_200_000,
    ]);
    let step = prop_oneof![
        4 => protocol.prop_map(Step::Request),
        6 => (session(), sent()).prop_map(|(session, sent)| Step::Verify(session, sent)),
        3 => session().prop_map(Step::Resend),
        3 => session().prop_map(Step::Set),
        2 => (session(), sent()).prop_map(|(session, sent)| Step::Both(session, sent)),
        6 => wait.prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 20..60)
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Awaiting,
    Validated { until: Timestamp, version: u64 },
    Used,
}

#[derive(Debug)]
struct Session {
    started: Started,
    protocol: Protocol,
    state: State,
    guesses: u32,
    code_ends: Timestamp,
    ends: Timestamp,
    /// The last token handed out, and whether the session still knows it.
    token: Option<(ResetToken, bool)>,
}

/// The rules, as plainly as they can be said.
#[derive(Debug)]
struct Model {
    now: Timestamp,
    sessions: Vec<Session>,
    current: Option<usize>,
    version: u64,
    last_code: Option<Timestamp>,
    /// When codes were asked for.
    codes: Vec<Timestamp>,
    /// When wrong guesses were judged.
    guesses: Vec<Timestamp>,
}

impl Model {
    fn throttled(&self) -> Option<Told> {
        let (hour, day) = (self.now.next_hour(), self.now.next_day());
        let within = |same: &dyn Fn(&Timestamp) -> bool| {
            u32::try_from(self.codes.iter().filter(|at| same(at)).count()).unwrap()
        };
        let this_hour = within(&|at| at.hour() == self.now.hour());
        let today = within(&|at| at.day() == self.now.day());
        let cooled = self.last_code.map(|last| last.plus(COOLDOWN));
        [
            cooled.filter(|cooled| self.now < *cooled),
            (this_hour >= PER_HOUR.min(PER_CALLER)).then_some(hour),
            (today >= PER_DAY).then_some(day),
        ]
        .into_iter()
        .flatten()
        .max()
        .map(Told::Throttled)
    }

    fn count_code(&mut self) {
        self.last_code = Some(self.now);
        self.codes.push(self.now);
    }

    fn over(&self, number: usize) -> bool {
        let session = &self.sessions[number];
        session.state == State::Used || self.now >= session.ends
    }

    /// What a guess is told; a wrong one is counted.
    fn guess(&mut self, number: usize, sent: Sent) -> Told {
        if self.over(number) {
            return Told::Over;
        }
        let today = self
            .guesses
            .iter()
            .filter(|at| at.day() == self.now.day())
            .count();
        let session = &mut self.sessions[number];
        if session.state != State::Awaiting {
            Told::CodeWrong
        } else if self.current != Some(number) {
            Told::Over
        } else if session.guesses >= SESSION_GUESSES {
            Told::Spent
        } else if u32::try_from(today).unwrap() >= DAILY_GUESSES {
            Told::SpentUntil(self.now.next_day())
        } else if self.now >= session.code_ends {
            Told::CodeExpired
        } else {
            match sent {
                Sent::Right => Told::Done,
                Sent::Malformed => Told::CodeWrong,
                Sent::Wrong => {
                    session.guesses += 1;
                    self.guesses.push(self.now);
                    Told::CodeWrong
                }
            }
        }
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
        self.count_code();
        let session = &mut self.sessions[number];
        session.state = State::Awaiting;
        session.code_ends = self.now.plus(CODE_TTL).min(session.ends);
        if let Some((_, known)) = &mut session.token {
            *known = false;
        }
        Told::Done
    }

    fn set(&mut self, number: usize) -> Told {
        let session = &self.sessions[number];
        if session.protocol == Protocol::AuthV1
            && !session.token.as_ref().is_some_and(|(_, known)| *known)
        {
            return Told::TokenUnknown;
        }
        if self.over(number) {
            return Told::Over;
        }
        match session.state {
            State::Awaiting if self.current == Some(number) => Told::CodeWrong,
            State::Validated { until, version } if self.now < until && version == self.version => {
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

async fn sent(kit: &Kit, started: &Started, sent: Sent) -> String {
    let code = kit.derived(&started.session).await;
    match sent {
        Sent::Right => code,
        Sent::Wrong => wrong(&code),
        Sent::Malformed => "none".to_owned(),
    }
}

/// Takes a step in the engine and in the model: what each tells.
async fn step(kit: &Kit, model: &mut Model, step: Step) -> Option<(Told, Told)> {
    let now = model.now;
    let (Step::Verify(ago, _) | Step::Resend(ago) | Step::Set(ago) | Step::Both(ago, _)) = step
    else {
        return match step {
            Step::Wait(millis) => {
                model.now = now.plus(Duration::from_millis(millis));
                None
            }
            Step::Request(protocol) => {
                let answer = kit.request(request(protocol, ANN), now).await;
                let expected = model.throttled().unwrap_or(Told::Done);
                let answered = told(&answer);
                if let Ok(started) = answer {
                    model.count_code();
                    model.current = Some(model.sessions.len());
                    model.sessions.push(Session {
                        started,
                        protocol,
                        state: State::Awaiting,
                        guesses: 0,
                        code_ends: now.plus(CODE_TTL),
                        ends: now.plus(SESSION_TTL),
                        token: None,
                    });
                }
                Some((answered, expected))
            }
            _ => None,
        };
    };
    let number = model.sessions.len().checked_sub(ago + 1)?;
    let started = model.sessions[number].started.clone();
    let in_directory = model.sessions[number].protocol == Protocol::Directory;
    match step {
        Step::Verify(_, guess) => {
            let code = sent(kit, &started, guess).await;
            let answer = kit.verify(&started, &code, now).await;
            let expected = model.guess(number, guess);
            let answered = told(&answer);
            if expected == Told::Done {
                let version = model.version;
                let session = &mut model.sessions[number];
                let until = now.plus(PROOF_TTL).min(session.ends);
                session.state = State::Validated { until, version };
                if let Ok(Verified::Token(token)) = answer {
                    session.token = Some((token, true));
                }
            }
            Some((answered, expected))
        }
        Step::Resend(_) if !in_directory => {
            let answer = kit.resend(&started.session, now).await;
            Some((told(&answer), model.resend(number)))
        }
        Step::Set(_) => {
            let answer = if in_directory {
                kit.set_in_directory(&started, PASSWORD, now).await
            } else {
                let token = model.sessions[number].token.clone().map(|(token, _)| token);
                kit.set_by_token(token, PASSWORD, now).await
            };
            Some((told(&answer), model.set(number)))
        }
        Step::Both(_, guess) if in_directory => {
            let code = sent(kit, &started, guess).await;
            let answer = kit.set_with_code(&started, &code, PASSWORD, now).await;
            let expected = model.guess(number, guess);
            if expected == Told::Done {
                model.password_set(number);
            }
            Some((told(&answer), expected))
        }
        _ => None,
    }
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let kit = Kit::throttled(&[
        ("CODE_MAX_ATTEMPTS", "2"),
        ("ACCOUNT_GUESSES_PER_DAY", "5"),
        ("CODE_TTL_SECONDS", "100"),
        ("SESSION_TTL_SECONDS", "1000"),
        ("RESEND_COOLDOWN_SECONDS", "30"),
        ("EMAIL_REQUESTS_PER_HOUR", "8"),
        ("EMAIL_REQUESTS_PER_DAY", "14"),
        ("IP_REQUESTS_PER_HOUR", "7"),
    ])
    .await;
    let user = kit.user(ANN).await;
    let mut model = Model {
        now: NOON,
        sessions: Vec::new(),
        current: None,
        version: 0,
        last_code: None,
        codes: Vec::new(),
        guesses: Vec::new(),
    };
    for (number, next) in steps.into_iter().enumerate() {
        if let Some((answered, expected)) = step(&kit, &mut model, next).await {
            prop_assert_eq!(answered, expected, "step {}: {:?}", number, next);
        }
    }
    prop_assert_eq!(kit.stored(&user).await.credentials_version, model.version);
    for session in &model.sessions {
        prop_assert_eq!(kit.guesses(&session.started.session).await, session.guesses);
    }
    let codes = kit.keys("MAIL#").await.len();
    let notices = usize::try_from(model.version).unwrap();
    prop_assert_eq!(
        codes,
        model.codes.len() + notices,
        "a mail for each code and each change"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_calls_is_answered_as_the_model_predicts(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps))?;
    }
}
