//! Nobody can be enumerated by the clock: for each endpoint, the times that known and unknown addresses
//! take are shuffled, measured on the real binaries, and compared by rank.
//!
//! The measure is the area under the ROC curve (AUC): how often a time of a known address is longer than
//! one of an unknown address. 0.5 is a coin. It looks at ranks only, so that a slow or busy machine blurs
//! both sides alike. By chance alone it varies by 0.013 (one standard error) with 1,000 times a side. Unless
//! it is within the bounds by its standard error, the test measures up to 8,000 times a side (a standard error
//! of 0.0046) before it decides.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by panicking"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "how long a call takes is what this is about"
)]

mod people;
mod rank;

use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::Instant;

use people::{Caller, Endpoint, Side};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rank::Times;
use testkit::stack::{Setup, Stack};

const BOUNDS: RangeInclusive<f64> = 0.47..=0.53;
/// Times of one side: at first, and at most.
const SAMPLES: usize = 1_000;
const MOST_SAMPLES: usize = 8_000;
/// Calls between two silences, half of them of each side.
const BLOCK: usize = 40;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let seed = regain::ambient::rng().unwrap().random();
    println!("seed {seed}: AUC of known against unknown, to be within {BOUNDS:?}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut all_within = true;
    for endpoint in Endpoint::ALL {
        // A stack of its own for each: all begin with an empty table.
        let stack = Setup::default()
            .unthrottled()
            .set("CODE_MAX_ATTEMPTS", 20)
            .set("ACCOUNT_GUESSES_PER_DAY", 1000)
            .start();
        let times = measure(&stack, endpoint, &mut rng).await;
        let auc = times.auc();
        let is_within = BOUNDS.contains(&auc);
        all_within &= is_within;
        println!(
            "{:<32} {auc:.3}  {} a side, median {:.2} ms; {:.0} µs more would be outside{}",
            endpoint.name(),
            times.len(),
            times.median() * 1e3,
            times.detectable(*BOUNDS.end()) * 1e6,
            if is_within { "" } else { "  <- OUTSIDE" },
        );
    }
    if all_within {
        ExitCode::SUCCESS
    } else {
        println!("known addresses can be told from unknown ones by the clock");
        ExitCode::FAILURE
    }
}

/// Measures until there are times enough to tell.
async fn measure(stack: &Stack, endpoint: Endpoint, rng: &mut StdRng) -> Times {
    let mut caller = Caller::new(stack, endpoint).await;
    // The first calls only warm up.
    for side in [Side::Known, Side::Unknown].repeat(BLOCK / 4) {
        caller.call(side).await;
    }
    let mut times = Times::default();
    let mut wanted = SAMPLES;
    loop {
        while times.len() < wanted {
            caller.silence().await;
            let mut sides = [Side::Known, Side::Unknown].repeat(BLOCK / 2);
            sides.shuffle(rng);
            for side in sides {
                caller.prepare(side).await;
                let begun = Instant::now();
                caller.call(side).await;
                times.add(side == Side::Known, begun.elapsed());
            }
        }
        let (auc, error) = (times.auc(), standard_error(times.len()));
        let is_within = BOUNDS.contains(&(auc - error)) && BOUNDS.contains(&(auc + error));
        if is_within || wanted >= MOST_SAMPLES {
            return times;
        }
        wanted *= 2;
    }
}

/// By how much the AUC varies by chance, with so many times a side and no difference between the sides (Mann
/// and Whitney 1947).
fn standard_error(times: usize) -> f64 {
    (6.0 * f64::from(u32::try_from(times).unwrap()))
        .sqrt()
        .recip()
}
