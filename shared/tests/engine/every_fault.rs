//! Every use case under every fault: the answer is true or 503, no write is half done, a 503 costs no guess as
//! far as the table answers, and the person can go on.
//!
//! A fault lasts, or it ends after one call. With `REGAIN_FAULTS=all`, as in CI, it also ends after one attempt of a
//! call, or after three calls.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::future::join_all;
use regain::api::Protocol;
use regain::not_me::NotMeToken;
use regain::recovery::{Request, Started};
use regain::timestamp::Timestamp;

use crate::kit::{
    Dump, Failure, Kit, NOON, Outcome, PASSWORD, Verified, blocked, keyed, later, outcome_of,
    request, wrong,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Begin(Protocol),
    BeginWithKey(Protocol),
    Resend,
    Verify(Protocol),
    GuessWrong(Protocol),
    SetPassword(Protocol),
    SetPasswordWithCode,
    Blocked(By),
    NotMe,
}

/// The proof that a blocked user shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Code,
    Token,
    Link,
}

use Case::{
    Begin, BeginWithKey, Blocked, GuessWrong, NotMe, Resend, SetPassword, SetPasswordWithCode,
    Verify,
};
use Protocol::{AuthV1, Directory};

const CASES: [Case; 16] = [
    Begin(AuthV1),
    Begin(Directory),
    BeginWithKey(AuthV1),
    BeginWithKey(Directory),
    Resend,
    Verify(AuthV1),
    Verify(Directory),
    GuessWrong(AuthV1),
    GuessWrong(Directory),
    SetPassword(AuthV1),
    SetPassword(Directory),
    SetPasswordWithCode,
    Blocked(By::Code),
    Blocked(By::Token),
    Blocked(By::Link),
    NotMe,
];

impl Case {
    fn protocol(self) -> Protocol {
        match self {
            Begin(protocol)
            | BeginWithKey(protocol)
            | Verify(protocol)
            | GuessWrong(protocol)
            | SetPassword(protocol) => protocol,
            Resend | Blocked(_) => AuthV1,
            SetPasswordWithCode | NotMe => Directory,
        }
    }

    /// The answer when nothing goes wrong.
    fn answer(self) -> Outcome {
        match self {
            GuessWrong(_) => Outcome::CodeWrong,
            Blocked(_) => Outcome::Blocked,
            _ => Outcome::Done,
        }
    }

    /// The answer to a repetition after success.
    fn answer_once_done(self) -> Outcome {
        match self {
            Verify(_) => Outcome::CodeWrong,
            SetPassword(_) | SetPasswordWithCode | Blocked(_) => Outcome::Over,
            other => other.answer(),
        }
    }
}

/// A person as far as the case needs them to be. The table holds nothing else.
struct Person<'a> {
    kit: &'a Kit,
    case: Case,
    email: String,
    caller: IpAddr,
    started: Option<Started>,
    code: String,
    proof: Option<Verified>,
    notice: Option<NotMeToken>,
}

impl<'a> Person<'a> {
    async fn new(kit: &'a Kit, case: Case, number: u8) -> Self {
        let mut person = Self {
            kit,
            case,
            email: format!("person{number}@example.com"),
            caller: IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)),
            started: None,
            code: String::new(),
            proof: None,
            notice: None,
        };
        let user = kit.user(&person.email).await;
        if !matches!(case, Begin(_) | BeginWithKey(_)) {
            let asked = person.request(request);
            let started = kit.request_from(person.caller, asked, NOON).await.unwrap();
            person.code = kit.derived(&started.session).await;
            if let SetPassword(_) | Blocked(By::Token) = case {
                person.proof = Some(kit.verify(&started, &person.code, NOON).await.unwrap());
            }
            if case == NotMe {
                let set = kit.set_with_code(&started, &person.code, PASSWORD, NOON);
                set.await.unwrap();
                person.notice = Some(kit.notice(NOON).await);
            }
            person.started = Some(started);
            if let Blocked(_) = case {
                kit.change_user(&user, "status", blocked()).await;
            }
        }
        person
    }

    fn request(&self, asked: fn(Protocol, &str) -> Request) -> Request {
        asked(self.case.protocol(), &self.email)
    }

    async fn asks(&self, at: Timestamp) -> Outcome {
        let kit = self.kit;
        let started = || self.started.as_ref().unwrap();
        match self.case {
            Begin(_) => outcome_of(
                &kit.request_from(self.caller, self.request(request), at)
                    .await,
            ),
            BeginWithKey(_) => {
                outcome_of(&kit.request_from(self.caller, self.request(keyed), at).await)
            }
            Resend => outcome_of(&kit.resend_from(self.caller, &started().session, at).await),
            NotMe => {
                let notice = self.notice.clone();
                outcome_of(&kit.recovery.not_me(&mut kit.call(at), notice).await)
            }
            Blocked(By::Link) => {
                let link = kit.derived_link(&started().session).await;
                outcome_of(&kit.set_by_link(&link, PASSWORD, at).await)
            }
            Verify(_) | Blocked(By::Code) => {
                outcome_of(&kit.verify(started(), &self.code, at).await)
            }
            GuessWrong(_) => outcome_of(&kit.verify(started(), &wrong(&self.code), at).await),
            SetPassword(_) | Blocked(By::Token) => {
                let proof = self.proof.as_ref().unwrap();
                outcome_of(&kit.set_password(started(), proof, PASSWORD, at).await)
            }
            SetPasswordWithCode => {
                outcome_of(&kit.set_with_code(started(), &self.code, PASSWORD, at).await)
            }
        }
    }
}

/// The items without the claims that were not given up, and without what a call may leave beside its move: the
/// network that is known, and the guesses, which are compared apart.
fn without_traces(mut items: Dump) -> Dump {
    items.retain(|key, _| !key.starts_with("NETWORK#"));
    for item in items.values_mut() {
        item.retain(|name, _| {
            let traces = ["tries", "claimed", "isEmailValidate"];
            !traces.iter().any(|trace| name.starts_with(trace)) && name != "expiresAt"
        });
    }
    items
}

/// The items without what differs from person to person: the effects of the calls.
fn effects(items: &Dump) -> Vec<String> {
    let is_compared = |name: &str| {
        let counts = ["codes", "requests"];
        ["sessionState", "credentialsVersion", "outcome"].contains(&name)
            || counts.iter().any(|count| name.starts_with(count))
    };
    let mut effects: Vec<String> = items
        .iter()
        .map(|(key, item)| {
            let (kind, _) = key.split_once('#').unwrap();
            let item: BTreeMap<&str, String> = item
                .iter()
                .map(|(name, value)| {
                    let value = if is_compared(name) {
                        format!("{value:?}")
                    } else {
                        String::new()
                    };
                    (name.as_str(), value)
                })
                .collect();
            format!("{kind} {item:?}")
        })
        .collect();
    effects.sort();
    effects
}

/// Guesses charged to the session and to the address.
fn charged(items: &Dump) -> Vec<u32> {
    let sets = items.values().flatten();
    let sets = sets.filter(|(name, _)| name.starts_with("tries"));
    sets.map(|(_, set)| u32::try_from(set.as_bs().unwrap().len()).unwrap())
        .collect()
}

/// How often the SDK tries a call.
const ATTEMPTS: usize = 3;
/// So many attempts that the table does not answer again.
const FOREVER: usize = 1000;

/// A case in which at most `times` attempts fail, and all that has to hold then. Returns how many were in that range.
async fn strike(
    person: &Person<'_>,
    failure: Failure,
    from: usize,
    times: usize,
    done: &Dump,
) -> usize {
    let (kit, case) = (person.kit, person.case);
    let before = kit.dump().await;
    kit.faults.fail(failure, from, times);
    let answer = person.asks(later(1)).await;
    let times = times.min((kit.faults.attempts() + 1).saturating_sub(from));
    kit.faults.clear();
    let what = format!("{case:?}, {failure:?} from attempt {from}, {times} times");
    let after = kit.dump().await;

    let is_done = effects(&without_traces(after.clone())) == effects(&without_traces(done.clone()));
    if answer == case.answer() {
        assert!(is_done, "{what}: the effects are those of the answer");
        assert_eq!(charged(&after), charged(done), "{what}");
    } else {
        assert_eq!(answer, Outcome::Unavailable, "{what}");
        let nothing = without_traces(after.clone()) == without_traces(before);
        assert!(nothing || is_done, "{what}: wholly or not at all");
        // One failure is made up for, unless nothing is known to have passed by itself.
        assert!(times > 1 || failure == Failure::Cancelled, "{what}");
    }
    // Two calls charge a guess one after the other; the next three are under way at the same time.
    let answers_again = times <= ATTEMPTS || (times <= 3 * ATTEMPTS && from > 2);
    if answer == Outcome::Unavailable && answers_again {
        assert_eq!(charged(&after), [0_u32; 0], "{what}: a 503 costs no guess");
    }
    assert!(
        charged(&after).iter().all(|count| *count <= 1),
        "{what}: one guess"
    );

    // The claim of a call that failed has ended by then.
    let again = person.asks(later(5)).await;
    let expected = if is_done {
        case.answer_once_done()
    } else {
        case.answer()
    };
    assert_eq!(again, expected, "{what}: and then again");
    let after_again = kit.dump().await;
    match case {
        BeginWithKey(_) => {
            assert_eq!(
                effects(&after_again),
                effects(done),
                "{what}: one key, one mail"
            );
        }
        GuessWrong(_) => {
            let before: u32 = charged(&after).iter().sum();
            let now: u32 = charged(&after_again).iter().sum();
            assert_eq!(now, before + 2, "{what}: a new guess");
        }
        _ => {
            assert_eq!(
                charged(&after_again),
                charged(&after),
                "{what}: costs nothing"
            );
        }
    }
    times
}

/// How many attempts fail. Few lengths are played if `REGAIN_FAULTS` does not ask for all, since people wait for
/// `cargo test`.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a test may take is no setting of the service"
)]
pub(crate) fn lengths() -> &'static [usize] {
    match std::env::var("REGAIN_FAULTS") {
        Ok(faults) if faults == "all" => &[FOREVER, 3 * ATTEMPTS, ATTEMPTS, 1],
        Ok(faults) => panic!("REGAIN_FAULTS is {faults}, and may be all"),
        Err(_) => &[FOREVER, ATTEMPTS],
    }
}

async fn every_case_through(failures: &[Failure]) {
    // While the SDK pauses before it asks again in one case, the others go on.
    join_all(CASES.map(|case| through(case, failures))).await;
}

async fn through(case: Case, failures: &[Failure]) {
    let lengths = lengths();
    for failure in failures {
        let kit = Kit::throttled(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
        kit.recovery.warm(NOON).await;
        let undisturbed = Box::pin(Person::new(&kit, case, 0)).await;
        kit.log.reset();
        assert_eq!(Box::pin(undisturbed.asks(later(1))).await, case.answer());
        let calls = kit.log.calls().len();
        let done = kit.dump().await;
        kit.table.clear().await;
        let mut number = 0;
        for from in 1..=calls {
            let mut most = FOREVER;
            for &times in lengths {
                // The run before had fewer attempts to fail than this: it would be the same run.
                if times > most {
                    continue;
                }
                number += 1;
                let person = Box::pin(Person::new(&kit, case, number)).await;
                let struck = Box::pin(strike(&person, *failure, from, times, &done)).await;
                most = struck.saturating_sub(1);
                kit.table.clear().await;
            }
        }
    }
}

#[tokio::test]
async fn a_timeout_anywhere_leaves_nothing_half_done_and_charges_no_second_guess() {
    every_case_through(&[Failure::TimeoutBefore, Failure::TimeoutAfter]).await;
}

#[tokio::test]
async fn a_connection_reset_anywhere_leaves_nothing_half_done_and_charges_no_second_guess() {
    every_case_through(&[Failure::ResetBefore, Failure::ResetAfter]).await;
}

#[tokio::test]
async fn an_error_of_the_table_anywhere_leaves_nothing_half_done_and_charges_no_second_guess() {
    every_case_through(&[Failure::ErrorBefore, Failure::ErrorAfter]).await;
}

#[tokio::test]
async fn a_table_that_throttles_anywhere_leaves_nothing_half_done_and_charges_no_second_guess() {
    every_case_through(&[Failure::Throttled, Failure::Cancelled]).await;
}

#[tokio::test]
async fn a_conflict_anywhere_leaves_nothing_half_done_and_charges_no_second_guess() {
    every_case_through(&[Failure::Conflict]).await;
}
