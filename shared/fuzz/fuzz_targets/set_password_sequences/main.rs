//! Any sequence of requests, resends, guesses, passwords, waits and rotations of the code key, run by the
//! pure core over a store that is never in two minds.
//!
//! What every call is told, and what is kept, has to be what the model of the engine's tests says; and a
//! ledger that knows nothing of either counts what may never be too much.

#![no_main]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a finding is told by panicking"
)]

#[path = "../../../tests/engine/kit/told.rs"]
mod kit;
#[path = "../../../tests/engine/model/rules.rs"]
mod rules;
mod world;

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use regain::ids::ResetToken;
use regain::recovery::Started;
use regain::session::Protocol;
use regain::timestamp::Timestamp;

use kit::Told;
use rules::{Call, Model, Sent, explanations};
use world::World;

const NOON: Timestamp = Timestamp::from_millis(1_773_144_000_000);
/// The waits that matter, in milliseconds: up to an end, and past it.
const WAITS: [u64; 8] = [
    0, 30_000, 100_000, 590_000, 600_000, 1_000_000, 3_600_000, 43_200_000,
];
/// Longer histories tell nothing new, and slow the fuzzer down.
const STEPS: usize = 100;

/// What is done; sessions are named by how long ago they began.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Request {
        in_directory: bool,
    },
    Verify {
        ago: Ago,
        sent: Typed,
    },
    Resend {
        ago: Ago,
    },
    /// With the reset token of that session, or with that of the one before.
    Set {
        ago: Ago,
        of_the_one_before: bool,
    },
    Both {
        ago: Ago,
        sent: Typed,
    },
    Wait {
        about: u8,
        off: Off,
    },
    WaitAny {
        millis: u32,
    },
    Rotate,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Ago {
    Last,
    Before,
    Earlier(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Typed {
    Right,
    Wrong,
    /// The right code of the generation before.
    Stale,
    Malformed,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Off {
    JustBefore,
    At,
    JustAfter,
}

/// What a call was told, and what it was given.
#[derive(Clone, Debug)]
struct Answer {
    told: Told,
    started: Option<Started>,
    token: Option<ResetToken>,
}

fuzz_target!(|steps: Vec<Step>| {
    let mut world = World::new(&rules::SETTINGS, NOON);
    let mut model = Model::new(NOON);
    for step in steps.into_iter().take(STEPS) {
        let ago = match step {
            Step::Wait { about, off } => {
                let millis = WAITS[usize::from(about) % WAITS.len()];
                let millis = match off {
                    Off::JustBefore => millis.saturating_sub(1),
                    Off::At => millis,
                    Off::JustAfter => millis + 1,
                };
                model.now = model.now.plus(Duration::from_millis(millis));
                continue;
            }
            Step::WaitAny { millis } => {
                model.now = model.now.plus(Duration::from_millis(millis.into()));
                continue;
            }
            Step::Rotate => {
                if model.rotate() {
                    world.rotate();
                }
                continue;
            }
            Step::Request { in_directory } => {
                let protocol = if in_directory {
                    Protocol::Directory
                } else {
                    Protocol::AuthV1
                };
                let answer = world.request(protocol, model.now);
                model = explained(&model, Call::Request(protocol), &answer);
                world.check(&model);
                continue;
            }
            Step::Verify { ago, .. }
            | Step::Resend { ago }
            | Step::Set { ago, .. }
            | Step::Both { ago, .. } => ago,
        };
        let ago = match ago {
            Ago::Last => 0,
            Ago::Before => 1,
            Ago::Earlier(ago) => usize::from(ago),
        };
        let Some(number) = model.sessions.len().checked_sub(ago + 1) else {
            continue;
        };
        let session = &model.sessions[number];
        let in_directory = session.protocol == Protocol::Directory;
        let generation = session.generation;
        let (call, answer) = match step {
            Step::Verify { sent, .. } => {
                let (code, sent) = typed(&world, &model, number, sent);
                let answer = world.verify(number, code, model.now);
                (Call::Verify(number, sent, generation), answer)
            }
            Step::Both { sent, .. } if in_directory => {
                let (code, sent) = typed(&world, &model, number, sent);
                let answer = world.set_with_code(number, code, model.now);
                (Call::Both(number, sent, generation), answer)
            }
            Step::Resend { .. } if !in_directory => {
                (Call::Resend(number), world.resend(number, &model))
            }
            Step::Set {
                of_the_one_before, ..
            } => {
                let held = session.token.clone();
                let other = number
                    .checked_sub(1)
                    .map(|it| model.sessions[it].token.clone());
                let token = match other {
                    Some(other) if of_the_one_before => other,
                    _ => held.clone(),
                };
                let is_its_own = token.as_ref().map(|(it, _)| it.digest())
                    == held.as_ref().map(|(it, _)| it.digest());
                let known = held.filter(|_| is_its_own).map(|(_, of)| of);
                let answer = world.set(number, token.map(|(it, _)| it), model.now);
                (Call::Set(number, known), answer)
            }
            _ => continue,
        };
        model = explained(&model, call, &answer);
        world.check(&model);
    }
});

/// The code that is typed, and what the model calls it.
fn typed(world: &World, model: &Model, number: usize, typed: Typed) -> (Option<String>, Sent) {
    let secret = model.sessions[number].secret;
    match typed {
        Typed::Right => (Some(world.code(number, secret)), Sent::Right),
        Typed::Wrong => {
            let right = world.code(number, secret);
            let (rest, last) = right.split_at(right.len() - 1);
            let digit: u32 = last.parse().unwrap();
            (Some(format!("{rest}{}", (digit + 1) % 10)), Sent::Wrong)
        }
        Typed::Stale => match world.stale_code(number) {
            Some(code) => (Some(code), Sent::Wrong),
            None => (None, Sent::Malformed),
        },
        Typed::Malformed => (None, Sent::Malformed),
    }
}

/// The model after a call that was answered so, if it would have answered the same.
fn explained(model: &Model, call: Call, answer: &Answer) -> Model {
    let explained = explanations(model, &[call], std::slice::from_ref(answer));
    let Some(explained) = explained.into_iter().next() else {
        panic!("{call:?} was told {:?}, of {model:#?}", answer.told);
    };
    explained
}
