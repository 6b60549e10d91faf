//! The race: in a storm of guesses, on a store that is slow and full of conflicts, the right one is compared as
//! often as any other, and not more often.

use std::ops::RangeInclusive;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt as _, SeedableRng};
use regain::api::Protocol;
use regain::recovery::{CallContext, Recovery, Started};

use crate::kit::{Kit, NOON, Outcome, PASSWORD, in_directory, new_password, outcome_of, typed};
use crate::races::{at_once, count, guess, instances};

/// Guesses at once, one of them right.
const GUESSES: u32 = 16;
/// How many of them a session lets be judged. Once the right one is given back, another takes its place.
const BUDGET: u32 = 5;
/// How often the storm is played: enough to notice a right guess that wins two times of three.
const ROUNDS: u32 = 100;
/// How often a test here may fail though nothing is wrong.
const FALSE_ALARM: f64 = 1e-6;

/// How many of `rounds` are won in fair play, each with the given chance: fewer are as improbable as
/// half of `FALSE_ALARM`, and so are more (the tails of the binomial distribution).
fn fair_wins(rounds: u32, chance: f64) -> RangeInclusive<u32> {
    let mut of = vec![(1.0 - chance).powf(f64::from(rounds))];
    for wins in 1..=rounds {
        let odds = chance / (1.0 - chance) * f64::from(rounds - wins + 1) / f64::from(wins);
        of.push(of.last().unwrap() * odds);
    }
    let improbable = |probabilities: &mut dyn Iterator<Item = &f64>| {
        let mut tail = 0.0;
        let count = probabilities.take_while(|probability| {
            tail += **probability;
            tail < FALSE_ALARM / 2.0
        });
        u32::try_from(count.count()).unwrap()
    };
    improbable(&mut of.iter())..=rounds - improbable(&mut of.iter().rev())
}

#[test]
fn fair_chances_follow_the_binomial_distribution() {
    // From Python: sums of math.comb(n, k) * p**k * (1 - p)**(n - k) from either end.
    assert_eq!(fair_wins(60, 0.5), 12..=48);
    assert_eq!(fair_wins(80, 5.0 / 30.0), 1..=32);
    assert_eq!(fair_wins(100, 5.0 / 16.0), 11..=55);
}

/// Sends a guess together with a password.
async fn guess_with_password(
    recovery: Arc<Recovery>,
    started: Started,
    code: String,
    mut call: CallContext,
) -> Outcome {
    let (named, guess, new) = (in_directory(&started), typed(&code), new_password(PASSWORD));
    let set = recovery.set_password_with_code(&mut call, &named, &guess, new);
    outcome_of(&set.await)
}

/// Plays all rounds, and counts those that the right guess won.
async fn wins(seed: u64, with_password: bool) -> u32 {
    let kit = Kit::new().await;
    kit.recovery.warm(NOON).await;
    let instances = instances(&kit);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut wins = 0;
    for round in 0..ROUNDS {
        let email = format!("user{round}@example.com");
        kit.user(&email).await;
        let protocol = match (with_password, round % 2) {
            (false, 0) => Protocol::AuthV1,
            _ => Protocol::Directory,
        };
        let started = kit.start(protocol, &email, NOON).await;
        let right = kit.derived(&started.session).await;
        let mut codes = vec![right.clone()];
        while codes.len() < GUESSES as usize {
            let code = format!("{:06}", rng.random_range(0..1_000_000));
            if code != right {
                codes.push(code);
            }
        }
        codes.shuffle(&mut rng);
        kit.faults.storm(rng.random());
        let answers = at_once(&kit, &instances, codes.len(), |recovery, number, call| {
            let (started, code) = (started.clone(), codes[number].clone());
            async move {
                if with_password {
                    guess_with_password(recovery, started, code, call).await
                } else {
                    guess(recovery, started, code, call).await
                }
            }
        })
        .await;
        kit.faults.clear();
        let won = u32::try_from(count(&answers, &Outcome::Done)).unwrap();
        let judged = kit.guesses(&started.session).await;
        assert!(won <= 1 && judged <= BUDGET, "{answers:?}");
        wins += won;
    }
    wins
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_code_has_no_better_chance_than_any_other_in_a_storm() {
    let fair = fair_wins(ROUNDS, f64::from(BUDGET) / f64::from(GUESSES));
    let wins = wins(7, false).await;
    assert!(fair.contains(&wins), "{wins} wins, {fair:?} are fair");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_code_with_a_password_has_no_better_chance_than_any_other_in_a_storm() {
    let fair = fair_wins(ROUNDS, f64::from(BUDGET) / f64::from(GUESSES));
    let wins = wins(8, true).await;
    assert!(fair.contains(&wins), "{wins} wins, {fair:?} are fair");
}
