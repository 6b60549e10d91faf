//! Many callers at once, over several instances: never more than the rules allow.

use std::future::Future;
use std::sync::Arc;

use regain::api::Protocol;
use regain::recovery::{CallContext, PasswordToken, Recovery, Request};
use regain::timestamp::Timestamp;
use tokio::sync::Barrier;

use crate::kit::{
    ANN, Kit, LOCALE, NOON, Outcome, PASSWORD, Verified, calling, in_auth, in_directory, keyed,
    named, new_password, outcome_of, request, typed, wrong,
};

const TASKS: usize = 60;

/// Some instances of the same functions.
pub(crate) fn instances(kit: &Kit) -> Vec<Arc<Recovery>> {
    (0..4).map(|_| Arc::new(kit.another_instance())).collect()
}

/// Carries all of it out at the same time, each on one of the instances in turn.
pub(crate) async fn at_once<T, F>(
    kit: &Kit,
    instances: &[Arc<Recovery>],
    tasks: usize,
    task: impl Fn(Arc<Recovery>, usize, CallContext) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(tasks));
    let mut running = Vec::new();
    for number in 0..tasks {
        let instance = instances[number % instances.len()].clone();
        let (start, task) = (start.clone(), task(instance, number, kit.call(NOON)));
        running.push(tokio::spawn(async move {
            start.wait().await;
            task.await
        }));
    }
    let mut results = Vec::new();
    for task in running {
        results.push(task.await.unwrap());
    }
    results
}

pub(crate) fn count(told: &[Outcome], which: &Outcome) -> usize {
    told.iter().filter(|told| *told == which).count()
}

pub(crate) async fn guess(
    recovery: Arc<Recovery>,
    started: regain::recovery::Started,
    code: String,
    mut call: CallContext,
) -> Outcome {
    let (named, guess) = (named(&started), typed(&code));
    match named.protocol {
        Protocol::AuthV1 => outcome_of(&recovery.verify_for_token(&mut call, &named, &guess).await),
        Protocol::Directory => outcome_of(&recovery.verify(&mut call, &named, &guess).await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_wrong_guesses_never_exceed_the_sessions_budget() {
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.derived(&started.session).await;
        let answers = at_once(&kit, &instances(&kit), TASKS, |recovery, _, call| {
            guess(recovery, started.clone(), wrong(&code), call)
        })
        .await;
        assert_eq!(count(&answers, &Outcome::CodeWrong), 5);
        assert_eq!(count(&answers, &Outcome::Spent), TASKS - 5);
        assert_eq!(kit.guesses(&started.session).await, 5);
        assert_eq!(kit.guesses_today(ANN, NOON).await, 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_wrong_guesses_never_exceed_the_daily_budget() {
    let kit = Kit::with(&[
        ("CODE_MAX_ATTEMPTS", "20"),
        ("ACCOUNT_GUESSES_PER_DAY", "12"),
        ("KNOWN_NETWORK_DAYS", "0"),
    ])
    .await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    let answers = at_once(&kit, &instances(&kit), TASKS, |recovery, _, call| {
        guess(recovery, started.clone(), wrong(&code), call)
    })
    .await;
    assert_eq!(count(&answers, &Outcome::CodeWrong), 12);
    // A guess is charged to the session first, and given back once the day refuses it.
    let spent = count(&answers, &Outcome::SpentUntil(NOON.next_day()));
    assert_eq!(spent + count(&answers, &Outcome::Spent), TASKS - 12);
    assert!(spent > 0, "{answers:?}");
    assert_eq!(kit.guesses(&started.session).await, 12);
    assert_eq!(kit.guesses_today(ANN, NOON).await, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_guesses_and_resends_never_exceed_the_sessions_budget() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = wrong(&kit.derived(&started.session).await);
    let answers = at_once(
        &kit,
        &instances(&kit),
        TASKS,
        |recovery, number, mut call| {
            let (started, code) = (started.clone(), code.clone());
            async move {
                if number % 4 == 0 {
                    let named = in_auth(&started.session);
                    let resent = recovery.resend(&mut call, &named, LOCALE).await;
                    return (true, outcome_of(&resent));
                }
                (false, guess(recovery, started, code, call).await)
            }
        },
    )
    .await;
    let (resent, guessed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(resent, _)| *resent);
    let guessed: Vec<Outcome> = guessed.into_iter().map(|(_, told)| told).collect();
    assert!(count(&guessed, &Outcome::CodeWrong) <= 5, "{guessed:?}");
    assert!(kit.guesses(&started.session).await <= 5);
    let mails = kit.keys("MAIL#").await.len();
    let done = resent
        .iter()
        .filter(|(_, told)| *told == Outcome::Done)
        .count();
    assert_eq!(
        mails,
        1 + done,
        "a mail for each code, and for nothing else"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_right_guesses_wins() {
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.derived(&started.session).await;
        let answers = at_once(&kit, &instances(&kit), TASKS, |recovery, _, call| {
            guess(recovery, started.clone(), code.clone(), call)
        })
        .await;
        assert_eq!(count(&answers, &Outcome::Done), 1, "{answers:?}");
        let refused = count(&answers, &Outcome::CodeWrong) + count(&answers, &Outcome::Spent);
        assert_eq!(refused, TASKS - 1);
        assert!(kit.guesses(&started.session).await < 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_codes_with_a_password_wins_and_one_notice_is_mailed() {
    let kit = Kit::with(&[("CODE_MAX_ATTEMPTS", "20")]).await;
    let user = kit.user(ANN).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let answers = at_once(
        &kit,
        &instances(&kit),
        TASKS,
        |recovery, number, mut call| {
            let (named, guess) = (in_directory(&started), typed(&code));
            async move {
                let new = new_password(&format!("{PASSWORD} {number}"));
                let set = recovery
                    .set_password_with_code(&mut call, &named, &guess, new)
                    .await;
                outcome_of(&set)
            }
        },
    )
    .await;
    assert_eq!(count(&answers, &Outcome::Done), 1, "{answers:?}");
    assert_eq!(count(&answers, &Outcome::Unavailable), 0, "{answers:?}");
    assert_eq!(kit.stored(&user).await.credentials_version, 1);
    assert_eq!(kit.mailed(NOON).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_uses_of_one_proof_wins() {
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let proof = Arc::new(kit.verify(&started, &code, NOON).await.unwrap());
        let answers = at_once(
            &kit,
            &instances(&kit),
            TASKS,
            |recovery, number, mut call| {
                let (started, proof) = (started.clone(), proof.clone());
                async move {
                    let new = new_password(&format!("{PASSWORD} {number}"));
                    outcome_of(&match &*proof {
                        Verified::Token(token) => {
                            let token = Some(token.clone());
                            recovery
                                .set_password_by_token(
                                    &mut call,
                                    token.map(PasswordToken::Reset),
                                    new,
                                )
                                .await
                        }
                        Verified::User => {
                            recovery
                                .set_password(&mut call, &in_directory(&started), new)
                                .await
                        }
                    })
                }
            },
        )
        .await;
        assert_eq!(count(&answers, &Outcome::Done), 1, "{answers:?}");
        assert_eq!(count(&answers, &Outcome::Over), TASKS - 1, "{answers:?}");
        assert_eq!(kit.stored(&user).await.credentials_version, 1);
        assert_eq!(kit.mailed(NOON).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_uses_of_two_proofs_wins() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let mut proofs = Vec::new();
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let proof = kit.verify(&started, &code, NOON).await.unwrap();
        proofs.push((started, proof));
    }
    let proofs = Arc::new(proofs);
    let answers = at_once(
        &kit,
        &instances(&kit),
        TASKS,
        |recovery, number, mut call| {
            let proofs = proofs.clone();
            async move {
                let new = new_password(&format!("{PASSWORD} {number}"));
                match &proofs[number % 2] {
                    (_, Verified::Token(token)) => {
                        let token = Some(token.clone());
                        outcome_of(
                            &recovery
                                .set_password_by_token(
                                    &mut call,
                                    token.map(PasswordToken::Reset),
                                    new,
                                )
                                .await,
                        )
                    }
                    (started, Verified::User) => {
                        let named = in_directory(started);
                        outcome_of(&recovery.set_password(&mut call, &named, new).await)
                    }
                }
            }
        },
    )
    .await;
    assert_eq!(count(&answers, &Outcome::Done), 1, "{answers:?}");
    assert_eq!(kit.stored(&user).await.credentials_version, 1);
    assert_eq!(kit.mailed(NOON).await.len(), 1);
}

async fn asked(
    recovery: Arc<Recovery>,
    asked: Request,
    mut call: CallContext,
) -> (Outcome, Option<String>) {
    let started = recovery.request(&mut call, asked).await;
    let id = started
        .as_ref()
        .ok()
        .map(|started| started.session.reveal().to_owned());
    (outcome_of(&started), id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_requests_within_the_cooldown_is_accepted() {
    let kit = Kit::throttled(&[]).await;
    let answers = at_once(&kit, &instances(&kit), TASKS, |recovery, number, call| {
        let protocol = [Protocol::AuthV1, Protocol::Directory][number % 2];
        asked(recovery, request(protocol, ANN), call)
    })
    .await;
    let answers: Vec<Outcome> = answers.into_iter().map(|(told, _)| told).collect();
    assert_eq!(count(&answers, &Outcome::Done), 1);
    assert_eq!(
        count(&answers, &Outcome::Throttled(crate::kit::later(60))),
        TASKS - 1
    );
    assert_eq!(kit.keys("MAIL#").await.len(), 1);
    assert_eq!(kit.keys("SESSION#").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_never_exceed_the_hourly_limits() {
    for (setting, email) in [
        ("EMAIL_REQUESTS_PER_HOUR", "one"),
        ("IP_REQUESTS_PER_HOUR", "many"),
    ] {
        let kit = Kit::throttled(&[
            (setting, "7"),
            ("RESEND_COOLDOWN_SECONDS", "0"),
            ("EMAIL_REQUESTS_PER_DAY", "0"),
            ("KNOWN_NETWORK_DAYS", "0"),
        ])
        .await;
        let end: Timestamp = NOON.next_hour();
        let answers = at_once(&kit, &instances(&kit), TASKS, |recovery, number, call| {
            let address = if email == "one" {
                ANN.to_owned()
            } else {
                format!("u{number}@example.com")
            };
            asked(recovery, request(Protocol::AuthV1, &address), call)
        })
        .await;
        let answers: Vec<Outcome> = answers.into_iter().map(|(told, _)| told).collect();
        assert_eq!(count(&answers, &Outcome::Done), 7, "{setting}");
        assert_eq!(
            count(&answers, &Outcome::Throttled(end)),
            TASKS - 7,
            "{setting}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_with_one_key_are_one_session_and_one_mail() {
    for protocol in [Protocol::AuthV1, Protocol::Directory] {
        let kit = Kit::throttled(&[]).await;
        let answers = at_once(&kit, &instances(&kit), TASKS, |recovery, _, mut call| {
            call.caller = calling("192.0.2.99".parse().unwrap());
            asked(recovery, keyed(protocol, ANN), call)
        })
        .await;
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        assert_eq!(answers[0].0, Outcome::Done);
        assert_eq!(kit.keys("MAIL#").await.len(), 1);
        assert_eq!(kit.keys("SESSION#").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_deliveries_of_one_record_send_one_mail() {
    let kit = Arc::new(Kit::new().await);
    kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let keys = kit.keys("MAIL#").await;
    let mut running = Vec::new();
    for _ in 0..20 {
        let (kit, keys) = (kit.clone(), keys.clone());
        running.push(tokio::spawn(
            async move { kit.deliver_keys(&keys, NOON).await },
        ));
    }
    for delivery in running {
        delivery.await.unwrap();
    }
    assert_eq!(kit.ses.mails().len(), 1);
}
