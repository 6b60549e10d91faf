//! Random histories of calls are answered as a sequential model predicts. The calls run one by one and several at
//! once.
//!
//! The calls: requests by both APIs, another code, a code alone or with a password, for a session or for the newest one,
//! a proof, and a mail's link (that of the last mail, an older one, or a garbled one). They come from two networks,
//! which become known each by its own proofs, and only then may use the reserve of codes and guesses.
//!
//! An attempt of a call that is made alone may fail before or after the table has carried it out. It is retried then,
//! which changes neither its answer nor what is counted.
//!
//! In the model each call of the table is a step, as in the engine: a guess is charged to its session and to its
//! address, given back to both if it is right, and then moves the session on. Some order of the steps of concurrent
//! calls must explain all their answers, and what the table holds afterwards.
//! `REGAIN_MODEL_CASES` sets how many histories of some thirty such steps are played.
//!
//! The user lives in the table, where requests are answered the user's id or an alias, or elsewhere. The store
//! elsewhere is part of the history then: its answers are lost or fail, it refuses passwords, and the user changes in
//! between.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use proptest::prelude::*;
use regain::api::Protocol;
use regain::link::LinkToken;
use regain::recovery::{PasswordToken, Recovery, Started};

use crate::kit::{
    ANN, CALLER, CODE_KEY, CODE_SECRET, Dump, ElsewhereUser, Failure, Kit, LOCALE, NOON, PASSWORD,
    StoreFault, Version, Veto, in_auth, in_directory, named, names, new_password, newest, number,
    request, typed, wrong,
};
use testkit::fake_user_store::USER_STORE;
use testkit::model::elsewhere::REFUSED;
use testkit::model::{self as rules, Answer, Call, Model, NETWORKS, Sent, explanations};

/// Histories that are played if `REGAIN_MODEL_CASES` does not say: few, since people wait for `cargo test`. CI plays 200.
const CASES: u32 = 15;

/// A step of a history. Its number says how many sessions ago the session began that it is about.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Request(Protocol),
    Verify(usize, Sent),
    Resend(usize),
    Set(usize),
    Both(usize, Sent),
    /// A code and a password for the newest session.
    Newest(usize, Sent),
    Link(usize, Which),
}

/// A link of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// That of the last mail.
    Last,
    /// That of the mail before, if there is one.
    Older,
    /// That of the last mail, with another last letter.
    Garbled,
}

/// The networks that calls come from.
const FROM: [IpAddr; NETWORKS] = [CALLER, IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9))];

/// The links that were mailed, by their sessions and generations.
type Links = BTreeMap<(usize, u32), LinkToken>;

#[derive(Clone, Debug)]
enum Step {
    /// Calls that are made at once, each from one of the networks.
    Calls(Vec<(Wish, usize)>),
    /// A call whose attempt of that number at the table fails.
    Retried((Wish, usize), Failure, usize),
    Wait(u64),
    /// The code key is rotated, if the last time is long enough ago.
    Rotate,
    /// Something happens in the user store.
    Store(Change),
}

/// An event in a user store elsewhere. It lasts until the next one.
#[derive(Clone, Debug)]
enum Change {
    /// Somebody changes the password there.
    Password,
    /// The mailbox is not proven any more.
    Unproven,
    /// The user gets another address, or this one again.
    Move,
    /// The user is blocked, or active again.
    Block,
    /// Passwords are judged so.
    Veto(Veto),
    /// From one question on, some answers fail: which question, how many answers, and how.
    Fail(StoreFault, usize, usize),
}

/// The address that the user has after moving.
const MOVED: &str = "ann@example.org";

impl Change {
    /// Changes the store and its model.
    fn happen(self, kit: &Kit, model: &mut Model) {
        let store = model.elsewhere.as_mut().unwrap();
        let email = if store.is_moved { MOVED } else { ANN };
        let mut user = kit.users.user(email);
        match self {
            Self::Password => {
                user.version += 1;
                model.version += 1;
            }
            Self::Unproven => {
                user.email_verified = Some(false);
                store.is_unverified = true;
            }
            Self::Move => {
                store.is_moved = !store.is_moved;
                user.email = if store.is_moved { MOVED } else { ANN }.to_owned();
            }
            Self::Block => {
                store.is_blocked = !store.is_blocked;
                let status = if store.is_blocked {
                    "blocked"
                } else {
                    "active"
                };
                user.status = status.to_owned();
            }
            Self::Veto(veto) => {
                kit.users.veto(veto.clone());
                store.veto = veto;
            }
            Self::Fail(fault, from, times) => {
                kit.users.fail(fault, from, times);
                store.fault = Some((fault, from, times));
                store.questions = 0;
            }
        }
        kit.users.put(user);
    }
}

fn change() -> impl Strategy<Value = Change> {
    let veto = prop_oneof![
        2 => Just(Veto::None),
        1 => Just(Veto::Refused(vec![REFUSED])),
        1 => Just(Veto::Blocked),
    ];
    let fault = prop::sample::select(vec![
        StoreFault::FunctionError,
        StoreFault::Status(403),
        StoreFault::Status(500),
        StoreFault::Nonsense("[]"),
        StoreFault::LostBefore,
        StoreFault::LostAfter,
        StoreFault::LostAfter,
        StoreFault::LostThenRefused,
        StoreFault::ChangedBefore,
    ]);
    prop_oneof![
        1 => Just(Change::Password),
        2 => Just(Change::Unproven),
        1 => Just(Change::Move),
        1 => Just(Change::Block),
        2 => veto.prop_map(Change::Veto),
        5 => (fault, 1..4_usize, 1..4_usize)
            .prop_map(|(fault, from, times)| Change::Fail(fault, from, times)),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let session = || prop_oneof![6 => Just(0_usize), 2 => Just(1_usize), 1 => Just(2_usize)];
    let sent =
        || prop_oneof![4 => Just(Sent::Right), 4 => Just(Sent::Wrong), 1 => Just(Sent::Malformed)];
    let protocol = prop_oneof![Just(Protocol::AuthV1), Just(Protocol::Directory)];
    let which =
        prop_oneof![6 => Just(Which::Last), 1 => Just(Which::Older), 1 => Just(Which::Garbled)];
    prop_oneof![
        4 => protocol.prop_map(Wish::Request),
        7 => (session(), sent()).prop_map(|(session, sent)| Wish::Verify(session, sent)),
        3 => session().prop_map(Wish::Resend),
        4 => session().prop_map(Wish::Set),
        3 => (session(), sent()).prop_map(|(session, sent)| Wish::Both(session, sent)),
        2 => (session(), sent()).prop_map(|(session, sent)| Wish::Newest(session, sent)),
        3 => (session(), which).prop_map(|(session, which)| Wish::Link(session, which)),
    ]
}

/// A call, and the network that it comes from.
fn call() -> impl Strategy<Value = (Wish, usize)> {
    (wish(), prop_oneof![3 => Just(0), 2 => Just(1)])
}

/// Where the user lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    Table,
    /// In the table, and requests are answered an alias.
    Aliased,
    Elsewhere,
}

fn steps(home: Home) -> impl Strategy<Value = Vec<Step>> {
    let wait = prop::sample::select(vec![
        1, 29_999, 30_000, 30_000, 30_000, 99_999, 100_000, 599_999, 600_000, 3_600_000, 43_200_000,
    ]);
    let failure = prop::sample::select(vec![
        Failure::TimeoutAfter,
        Failure::ResetAfter,
        Failure::ErrorAfter,
        Failure::ResetBefore,
        Failure::Conflict,
    ]);
    let step = prop_oneof![
        6 => call().prop_map(|call| Step::Calls(vec![call])),
        5 => prop::collection::vec(call(), 2..5).prop_map(Step::Calls),
        10 => (call(), failure, 1..9_usize)
            .prop_map(|(call, failure, number)| Step::Retried(call, failure, number)),
        6 => wait.prop_map(Step::Wait),
        1 => Just(Step::Rotate),
        match home { Home::Table | Home::Aliased => 0, Home::Elsewhere => 5 } => change().prop_map(Step::Store),
    ];
    prop::collection::vec(step, 20..40)
}

fn secret(version: usize) -> String {
    match version {
        0 => CODE_SECRET.to_owned(),
        _ => format!("{CODE_SECRET}-{version}"),
    }
}

/// A call as it is made: what of the wish was there to be done.
struct Made {
    call: Call,
    network: usize,
    started: Option<Started>,
    code: String,
    token: Option<PasswordToken>,
}

async fn made(
    kit: &Kit,
    model: &Model,
    links: &Links,
    (wish, network): (Wish, usize),
) -> Option<Made> {
    let ago = match wish {
        Wish::Request(protocol) => {
            return Some(Made {
                call: Call::Request(protocol),
                network,
                started: None,
                code: String::new(),
                token: None,
            });
        }
        Wish::Verify(ago, _)
        | Wish::Resend(ago)
        | Wish::Set(ago)
        | Wish::Both(ago, _)
        | Wish::Newest(ago, _)
        | Wish::Link(ago, _) => ago,
    };
    let number = model.sessions.len().checked_sub(ago + 1)?;
    let session = &model.sessions[number];
    let in_directory = session.protocol == Protocol::Directory;
    let generation = session.generation;
    let (call, sent) = match wish {
        Wish::Verify(_, sent) => (Call::Verify(number, sent, generation), sent),
        Wish::Both(_, sent) if in_directory => (Call::Both(number, sent, generation), sent),
        Wish::Newest(_, sent) if in_directory => (Call::Newest(number, sent, generation), sent),
        Wish::Link(_, which) => {
            let of = match which {
                Which::Last => generation,
                Which::Older => generation.checked_sub(1)?,
                // The link of no generation.
                Which::Garbled => u32::MAX,
            };
            (Call::Link(number, of), Sent::Malformed)
        }
        Wish::Resend(_) if !in_directory => (Call::Resend(number), Sent::Malformed),
        Wish::Set(_) => {
            let token = session.token.as_ref();
            let call = Call::Set(number, token.map(|(_, of)| *of));
            (call, Sent::Malformed)
        }
        _ => return None,
    };
    let right = kit
        .derived_with(&secret(session.secret), &session.started.session)
        .await;
    let token = match (call, wish) {
        (Call::Link(..), Wish::Link(_, Which::Garbled)) => {
            Some(PasswordToken::Link(garbled(&links[&(number, generation)])))
        }
        (Call::Link(_, of), _) => Some(PasswordToken::Link(links[&(number, of)].clone())),
        _ => {
            let token = session.token.clone();
            token.map(|(token, _)| PasswordToken::Reset(token))
        }
    };
    Some(Made {
        call,
        network,
        started: Some(session.started.clone()),
        code: match sent {
            Sent::Right => right,
            Sent::Wrong => wrong(&right),
            Sent::Malformed => "none".to_owned(),
        },
        token,
    })
}

/// The link with another last letter.
fn garbled(link: &LinkToken) -> LinkToken {
    let mut text = link.reveal().to_string();
    let last = if text.pop() == Some('a') { 'b' } else { 'a' };
    text.push(last);
    LinkToken::parse(&text).unwrap()
}

/// Notes the links of the mails that were asked for since.
async fn note_links(kit: &Kit, model: &Model, links: &mut Links) {
    for (number, session) in model.sessions.iter().enumerate() {
        if let Entry::Vacant(unknown) = links.entry((number, session.generation)) {
            let secret = secret(session.secret);
            let link = kit.derived_link_with(&secret, &session.started.session);
            unknown.insert(link.await);
        }
    }
}

async fn answer(kit: &Kit, recovery: &Recovery, model: &Model, made: &Made) -> Answer {
    let answered = answered(kit, recovery, model, made).await;
    Answer {
        network: made.network,
        ..answered
    }
}

async fn answered(kit: &Kit, recovery: &Recovery, model: &Model, made: &Made) -> Answer {
    let call = &mut kit.call_from(FROM[made.network], model.now);
    let started = || made.started.as_ref().unwrap();
    match made.call {
        Call::Request(protocol) => {
            let begun = recovery.request(call, request(protocol, ANN)).await;
            Answer {
                started: begun.as_ref().ok().cloned(),
                ..Answer::of(&begun)
            }
        }
        Call::Resend(_) => {
            let named = in_auth(&started().session);
            Answer::of(&recovery.resend(call, &named, LOCALE).await)
        }
        Call::Verify(..) => {
            let (named, guess) = (named(started()), typed(&made.code));
            if named.protocol == Protocol::Directory {
                return Answer::of(&recovery.verify(call, &named, &guess).await);
            }
            let proven = recovery.verify_for_token(call, &named, &guess).await;
            Answer {
                token: proven.as_ref().ok().cloned(),
                ..Answer::of(&proven)
            }
        }
        Call::Both(..) => {
            let (named, guess) = (in_directory(started()), typed(&made.code));
            let new = new_password(PASSWORD);
            let set = recovery.set_password_with_code(call, &named, &guess, new);
            Answer::of(&set.await)
        }
        Call::Newest(..) | Call::Found(..) => {
            let named = newest(started().user.as_ref().unwrap());
            let (guess, new) = (typed(&made.code), new_password(PASSWORD));
            let set = recovery.set_password_with_code(call, &named, &guess, new);
            Answer::of(&set.await)
        }
        Call::Link(..) => {
            let (token, new) = (made.token.clone(), new_password(PASSWORD));
            Answer::of(&recovery.set_password_by_token(call, token, new).await)
        }
        Call::Set(..) => {
            let new = new_password(PASSWORD);
            Answer::of(&if started().user.is_some() {
                let named = in_directory(started());
                recovery.set_password(call, &named, new).await
            } else {
                let token = made.token.clone();
                recovery.set_password_by_token(call, token, new).await
            })
        }
    }
}

/// Whether the table and the user store hold what the model says.
fn is_kept(model: &Model, dump: &Dump, kit: &Kit) -> bool {
    let counted =
        |item: &std::collections::BTreeMap<String, _>, name: &str| item.get(name).map_or(0, number);
    let sessions = model.sessions.iter().all(|session| {
        let key = format!("SESSION#{}", session.started.session.reference().hex());
        dump.get(&key).is_some_and(|item| {
            names(item, "tries") == session.guesses
                && item["sessionState"].as_s().unwrap() == session.state.name()
        })
    });
    let today = format!("triesDay{}", model.now.day());
    let of = |kind: &str| {
        dump.iter()
            .filter(move |(key, _)| key.starts_with(kind))
            .collect::<Vec<_>>()
    };
    let guesses = of("ADDRESS#")
        .iter()
        .all(|(_, item)| names(*item, &today) == model.guesses_today());
    let known = model.known.iter().filter(|known| **known).count();
    let known = of("NETWORK#").len() == known;
    let newest = model
        .newest()
        .map(|it| model.sessions[it].started.session.reference());
    let latest = of("LATEST#");
    let latest = latest
        .first()
        .map(|(_, item)| item["session"].as_s().unwrap());
    let latest = latest.map(String::as_str) == newest.map(|it| it.hex()).as_deref();
    let version = of("USER#")
        .iter()
        .all(|(_, item)| u64::from(counted(item, "credentialsVersion")) == model.version);
    let (store, notices) = match &model.elsewhere {
        None => (true, usize::try_from(model.version).unwrap()),
        Some(store) => {
            let user = kit.users.user(if store.is_moved { MOVED } else { ANN });
            let kept = (user.version.into(), user.times_set, user.email_verified);
            let expected = (model.version, store.times_set, Some(!store.is_unverified));
            let asked = kit.users.questions().len() == store.questions;
            (kept == expected && asked, store.notices.len())
        }
    };
    let mails = of("MAIL#").len() == model.codes.len() + notices;
    sessions && guesses && known && latest && version && store && mails
}

/// The keys of the questions that the store was asked since they were forgotten.
fn keys(kit: &Kit) -> Vec<String> {
    let questions = kit.users.questions().into_iter();
    questions
        .filter_map(|question| Some(question["key"].as_str()?.to_owned()))
        .collect()
}

/// A stack whose one user lives there, and the model of it.
async fn built(home: Home) -> (Kit, Model) {
    let its_own = match home {
        Home::Table => ("DIRECTORY_USER_ID", "user"),
        Home::Aliased => ("DIRECTORY_USER_ID", "alias"),
        Home::Elsewhere => ("USER_STORE_FUNCTION", USER_STORE),
    };
    let its_own = [("DIRECTORY_SESSION", "latest"), its_own];
    let kit = Kit::throttled(&[&rules::SETTINGS[..], &its_own].concat()).await;
    if home != Home::Elsewhere {
        kit.user(ANN).await;
        return (kit, Model::new(NOON));
    }
    kit.users.put(ElsewhereUser::of(ANN));
    kit.users.change_version_by_proofs();
    (kit, Model::elsewhere(NOON))
}

async fn run(home: Home, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (kit, mut model) = built(home).await;
    let instances = [kit.another_instance(), kit.another_instance()];
    let (mut asked, mut links) = (BTreeSet::new(), Links::new());
    for (number, step) in steps.into_iter().enumerate() {
        let wishes = match &step {
            Step::Wait(millis) => {
                model.now = model.now.plus(Duration::from_millis(*millis));
                continue;
            }
            Step::Rotate => {
                if model.rotate() {
                    let (current, previous) =
                        (secret(model.secrets - 1), secret(model.secrets - 2));
                    let versions = [
                        Version::current(&current, model.now),
                        Version::previous(&previous, model.now),
                    ];
                    kit.secrets.set(CODE_KEY, versions);
                }
                continue;
            }
            Step::Store(change) => {
                change.clone().happen(&kit, &mut model);
                continue;
            }
            Step::Retried(call, ..) => std::slice::from_ref(call),
            Step::Calls(calls) => calls,
        };
        let mut calls = Vec::new();
        for wish in wishes {
            calls.extend(made(&kit, &model, &links, *wish).await);
        }
        if let Step::Retried(_, failure, number) = step {
            kit.faults.fail(failure, number, 1);
        }
        if calls.len() > 1 {
            kit.faults.storm(u64::try_from(number).unwrap());
        }
        let answers = calls.iter().enumerate().map(|(place, made)| {
            let instance = &instances[(number + place) % instances.len()];
            answer(&kit, instance, &model, made)
        });
        let answers = futures_of(answers.collect()).await;
        kit.faults.clear();
        let dump = kit.dump().await;
        let calls: Vec<Call> = calls.iter().map(|made| made.call).collect();
        let explained = explanations(&model, &calls, &answers)
            .into_iter()
            .find(|model| is_kept(model, &dump, &kit));
        let Some(explained) = explained else {
            let told: Vec<_> = answers.iter().map(|answer| &answer.outcome).collect();
            let why = format!(
                "step {number}: no order explains {calls:?} told {told:?} of {model:#?}, leaving {dump:#?}"
            );
            return Err(TestCaseError::fail(why));
        };
        model = explained;
        note_links(&kit, &model, &mut links).await;
        asked.extend(keys(&kit));
        if let Some(store) = &model.elsewhere {
            prop_assert_eq!(asked.len(), store.asked.len(), "one key for each use");
        }
    }
    Ok(())
}

/// Carries all of them out at once.
async fn futures_of<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|it| (Box::pin(it), None)).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *output = Some(ready),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a test may take is no setting of the service"
)]
fn cases() -> u32 {
    let asked = std::env::var("REGAIN_MODEL_CASES").ok();
    asked.map_or(CASES, |cases| cases.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_history_of_sequential_and_concurrent_calls_is_answered_as_the_model_predicts(steps in steps(Home::Table)) {
        play(Home::Table, steps)?;
    }

    #[test]
    fn any_history_with_aliases_is_answered_as_the_model_predicts(steps in steps(Home::Aliased)) {
        play(Home::Aliased, steps)?;
    }

    #[test]
    fn any_history_with_a_user_elsewhere_is_answered_as_the_model_predicts(steps in steps(Home::Elsewhere)) {
        play(Home::Elsewhere, steps)?;
    }
}

fn play(home: Home, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(home, steps))
}

#[tokio::test]
async fn a_call_that_waits_for_another_may_find_that_its_proof_is_over() {
    let verified = Step::Calls(vec![(Wish::Verify(0, Sent::Right), 0)]);
    for (until_its_last_moment, wish) in [
        (vec![verified, Step::Wait(599_999)], Wish::Set(0)),
        (vec![Step::Wait(99_999)], Wish::Link(0, Which::Last)),
    ] {
        let mut steps = vec![Step::Calls(vec![(Wish::Request(Protocol::AuthV1), 0)])];
        steps.extend(until_its_last_moment);
        // The call that claims the session fails, so the other one goes on.
        let fails = Change::Fail(StoreFault::FunctionError, 1, 1);
        steps.push(Step::Store(fails));
        steps.push(Step::Calls(vec![(wish, 0), (wish, 0)]));
        run(Home::Elsewhere, steps).await.unwrap();
    }
}
