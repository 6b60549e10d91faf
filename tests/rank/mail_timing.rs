//! Nobody can be enumerated by the delay of mail. An attacker asks for a code for some address, then for one for
//! their own, and measures when their own mail reaches SES. The delays behind known and unknown addresses are
//! compared by rank.
//!
//! SES takes 60 ms for a mail here. If deliver-mail sent one mail after another, an attacker behind a known address
//! would wait 60 ms longer. The measure is the AUC, as in the other test of this folder: 0.5 is a coin. If it is
//! outside the bounds, the test measures up to four times as many rounds before it fails. By chance alone the AUC
//! of single times then varies by 0.009 (one standard error), and that of minima of five by 0.018.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by panicking"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "when a mail leaves is what this is about"
)]

mod rank;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use rank::Times;
use serde_json::{Value, json};
use testkit::client::Mobile;
use testkit::eventually;
use testkit::outage::wrap_all;
use testkit::people::{Person, new_address};
use testkit::stack::{Setup, Stack};

const BOUNDS: RangeInclusive<f64> = 0.45..=0.55;
/// Outside of these, nothing is left to measure.
const NEAR: RangeInclusive<f64> = 0.35..=0.65;
/// How long SES takes to accept a mail.
const SES_TAKES: Duration = Duration::from_millis(60);
/// The length of a batch: shorter than the default, so that the test is.
const BATCH: Duration = Duration::from_millis(200);
/// How many milliseconds the attacker's requests are apart: longer than one takes. If each followed the answer
/// to the one before, mails that leave meanwhile would delay the next request, since everything here runs on
/// one machine. The attacker would then ask later behind known addresses, and wait less. It varies, as the
/// times on a network do: otherwise the AUC would show the millisecond or two that a mail's own work takes from
/// the others on this machine.
const APART: RangeInclusive<u64> = 25..=75;
/// Stacks that are attacked at the same time. An attacker mostly waits.
const STACKS: usize = 4;
/// Times of one side: at first, and at most.
const SAMPLES: usize = 400;
const MOST_SAMPLES: usize = 1_600;
/// Of how many observations a patient attacker takes the shortest.
const OBSERVATIONS: usize = 5;
/// How many of these are drawn from the times of one side.
const MINIMA: usize = 10_000;
/// Addresses of one side.
const ADDRESSES: usize = 24;

/// Times of known and of unknown addresses.
#[derive(Debug, Default)]
struct Sides([Vec<Duration>; 2]);

impl Sides {
    fn len(&self) -> usize {
        self.times().len()
    }

    fn times(&self) -> Times {
        let mut times = Times::default();
        for (side, is_known) in self.0.iter().zip([true, false]) {
            for time in side {
                times.add(is_known, *time);
            }
        }
        times
    }

    /// The shortest of some observations each, of observations drawn from the times.
    fn minima(&self, rng: &mut StdRng) -> Times {
        let mut times = Times::default();
        for (side, is_known) in self.0.iter().zip([true, false]) {
            for _ in 0..MINIMA {
                let shortest = side.sample(rng, OBSERVATIONS).min().unwrap();
                times.add(is_known, *shortest);
            }
        }
        times
    }
}

/// SES as the functions reach it: it takes its time, and notes when a mail arrived.
#[derive(Clone, Debug, Default)]
struct SlowSes(Arc<Mutex<HashMap<String, Instant>>>);

impl SlowSes {
    async fn serve(&self) -> String {
        let app = Router::new()
            .route("/v2/email/outbound-emails", post(Self::take))
            .with_state(self.clone());
        testkit::aws::serve(app).await
    }

    async fn take(State(ses): State<Self>, Json(mail): Json<Value>) -> Json<Value> {
        let to = &mail["Destination"]["ToAddresses"][0];
        let to = to.as_str().unwrap().to_owned();
        ses.0.lock().unwrap().insert(to, Instant::now());
        tokio::time::sleep(SES_TAKES).await;
        Json(json!({"MessageId": "0100"}))
    }
}

/// A stack, the people of both sides, and the attacker.
struct Attack {
    _stack: Stack,
    _functions: tempfile::TempDir,
    ses: SlowSes,
    mobile: Mobile,
    own: String,
    addresses: [Vec<String>; 2],
}

impl Attack {
    async fn prepare() -> Self {
        let ses = SlowSes::default();
        let url = ses.serve().await;
        let functions = tempfile::tempdir().unwrap();
        wrap_all(
            functions.path(),
            &format!("export AWS_ENDPOINT_URL_SESV2={url}"),
        );
        let stack = Setup::default()
            .unthrottled()
            .set("MAIL_BATCH_MILLISECONDS", BATCH.as_millis())
            .functions(functions.path())
            .start();
        let mut known = Vec::new();
        for _ in 0..ADDRESSES {
            known.push(Person::of(&stack).await.email);
        }
        let unknown = (0..ADDRESSES).map(|_| new_address()).collect();
        Self {
            mobile: Mobile::of(&stack),
            own: Person::of(&stack).await.email,
            _stack: stack,
            _functions: functions,
            ses,
            addresses: [known, unknown],
        }
    }

    /// Asks for codes of addresses of one side, then for one of the attacker's own, and waits for that. Returns how
    /// long it took to reach SES.
    async fn observe(&self, side: usize, in_front: usize, rng: &mut StdRng) -> Duration {
        let candidates: Vec<_> = self.addresses[side].sample(rng, in_front).collect();
        self.ses.0.lock().unwrap().clear();
        let apart = Duration::from_millis(rng.random_range(APART));
        let mut pace = tokio::time::interval(apart);
        for candidate in candidates {
            pace.tick().await;
            self.mobile.begin(candidate).await;
        }
        pace.tick().await;
        let asked = Instant::now();
        self.mobile.begin(&self.own).await;
        let arrived = eventually("the attacker's mail reaches SES", async || {
            self.ses.0.lock().unwrap().get(&self.own).copied()
        });
        let took = arrived.await - asked;
        // The attacker lets the service come to rest before the next observation.
        tokio::time::sleep(BATCH * 3 / 2).await;
        took
    }

    /// Observes each side `rounds` times, in random order.
    async fn observe_all(&self, in_front: usize, rounds: usize, mut rng: StdRng) -> Sides {
        let mut sides = Sides::default();
        let mut order = [0, 1].repeat(rounds);
        order.shuffle(&mut rng);
        for side in order {
            let time = self.observe(side, in_front, &mut rng).await;
            sides.0[side].push(time);
        }
        sides
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let seed = regain::ambient::rng().unwrap().random();
    println!("seed {seed}: AUC of known against unknown, to be within {BOUNDS:?}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut attacks = Vec::new();
    for _ in 0..STACKS {
        attacks.push(Attack::prepare().await);
    }
    let mut all_within = true;
    for in_front in [1, 8] {
        let mut sides = Sides::default();
        // The first calls only warm the functions up.
        observe(
            &attacks,
            &mut Sides::default(),
            in_front,
            5 * STACKS,
            &mut rng,
        )
        .await;
        let mut wanted = SAMPLES;
        let (single, minima) = loop {
            let missing = wanted - sides.len();
            observe(&attacks, &mut sides, in_front, missing, &mut rng).await;
            let (single, minima) = (sides.times(), sides.minima(&mut rng));
            let aucs = [single.auc(), minima.auc()];
            let are_within = aucs.iter().all(|auc| BOUNDS.contains(auc));
            let are_near = NEAR.contains(&single.auc());
            if are_within || !are_near || wanted >= MOST_SAMPLES {
                break (single, minima);
            }
            wanted *= 2;
        };
        for (times, what) in [(single, "one time"), (minima, "shortest of five")] {
            let auc = times.auc();
            let is_within = BOUNDS.contains(&auc);
            all_within &= is_within;
            println!(
                "{in_front} in front, {what:<16} {auc:.3}  {} a side, median {:.0} ms; {:.1} ms more would be outside{}",
                sides.len(),
                times.median() * 1e3,
                times.detectable(*BOUNDS.end()) * 1e3,
                if is_within { "" } else { "  <- OUTSIDE" },
            );
        }
    }
    if all_within {
        ExitCode::SUCCESS
    } else {
        println!("an attacker learns from their own mail whether an address is known");
        ExitCode::FAILURE
    }
}

/// Adds so many times of each side, observed on all stacks at the same time.
async fn observe(
    attacks: &[Attack],
    sides: &mut Sides,
    in_front: usize,
    rounds: usize,
    rng: &mut StdRng,
) {
    let rounds = rounds.div_ceil(attacks.len());
    let observing = attacks.iter().map(|attack| {
        let rng = StdRng::seed_from_u64(rng.random());
        attack.observe_all(in_front, rounds, rng)
    });
    for observed in join_all(observing).await {
        for (side, times) in sides.0.iter_mut().zip(observed.0) {
            side.extend(times);
        }
    }
}
