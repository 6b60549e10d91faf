//! Any sequence of requests, resends, guesses, passwords, waits and rotations of the code key, on the pure core and
//! a store without failures or races.
//!
//! Every answer and the stored state have to agree with the model of the engine's tests. A ledger, which is
//! independent of both, counts guesses, uses and lifetimes, and checks their limits.

#![no_main]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a finding is a panic"
)]

mod world;

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use regain::api::Protocol;
use regain::timestamp::Timestamp;
use testkit::model::{self, Answer, Call, Model, Sent, explanations};

use world::World;

const NOON: Timestamp = Timestamp::from_millis(1_773_144_000_000);
/// The waits that matter, in milliseconds: up to the end of a cooldown, code, session or day, and past it.
const WAITS: [u64; 8] = [
    0, 30_000, 100_000, 590_000, 600_000, 1_000_000, 3_600_000, 43_200_000,
];
/// Longer histories find nothing new, and slow the fuzzer down.
const STEPS: usize = 100;

/// A step of a history. Its number says how many sessions ago the session began that it is about.
#[derive(Clone, Copy, Debug)]
enum Step {
    Request(Protocol),
    Verify(usize, Typed),
    Resend(usize),
    /// Sets the password with the reset token of that session, or with that of the one before.
    Set(usize, Whose),
    Both(usize, Typed),
    Wait(u64),
    Rotate,
}

#[derive(Clone, Copy, Debug)]
enum Typed {
    Right,
    Wrong,
    /// The right code of the previous generation.
    Stale,
    Malformed,
}

#[derive(Clone, Copy, Debug)]
enum Whose {
    Its,
    AnOlder,
}

impl Step {
    /// Reads a step from two bytes: the kind of step, and its details.
    fn read([what, how]: [u8; 2]) -> Self {
        let ago = usize::from(how / 16).saturating_sub(8);
        let typed = match how % 4 {
            0 => Typed::Right,
            1 => Typed::Wrong,
            2 => Typed::Stale,
            _ => Typed::Malformed,
        };
        match what % 16 {
            0..2 if how % 2 == 0 => Self::Request(Protocol::AuthV1),
            0..2 => Self::Request(Protocol::Directory),
            2..6 => Self::Verify(ago, typed),
            6..8 => Self::Resend(ago),
            8 | 9 if how % 4 == 0 => Self::Set(ago, Whose::AnOlder),
            8 | 9 => Self::Set(ago, Whose::Its),
            10 | 11 => Self::Both(ago, typed),
            12 => Self::Wait(u64::from(how) * 1000),
            13 | 14 => {
                let end = WAITS[usize::from(how) % WAITS.len()];
                Self::Wait((end + u64::from(how / 16 % 3)).saturating_sub(1))
            }
            _ => Self::Rotate,
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let mut world = World::new(&model::SETTINGS, NOON);
    let mut model = Model::new(NOON);
    let (steps, _) = input.as_chunks();
    for step in steps.iter().take(STEPS).copied().map(Step::read) {
        match step {
            Step::Wait(millis) => model.now = model.now.plus(Duration::from_millis(millis)),
            Step::Rotate => {
                if model.rotate() {
                    world.rotate();
                }
            }
            _ => {
                if let Some((call, answer)) = called(&mut world, &model, step) {
                    model = explained(&model, call, &answer);
                    world.check(&model);
                }
            }
        }
    }
});

/// Makes a call, if there is a session for it whose protocol has such a call.
fn called(world: &mut World, model: &Model, step: Step) -> Option<(Call, Answer)> {
    let now = model.now;
    let about = |ago: usize| {
        let number = model.sessions.len().checked_sub(ago + 1)?;
        Some((number, &model.sessions[number]))
    };
    Some(match step {
        Step::Request(protocol) => (Call::Request(protocol), world.request(protocol, now)),
        Step::Verify(ago, typed) => {
            let (number, session) = about(ago)?;
            let (code, sent) = sent(world, number, session.secret, typed);
            let call = Call::Verify(number, sent, session.generation);
            (call, world.verify(number, code, now))
        }
        Step::Both(ago, typed) => {
            let (number, session) = about(ago)?;
            if session.protocol != Protocol::Directory {
                return None;
            }
            let (code, sent) = sent(world, number, session.secret, typed);
            let call = Call::Both(number, sent, session.generation);
            (call, world.set_with_code(number, code, now))
        }
        Step::Resend(ago) => {
            let (number, session) = about(ago)?;
            if session.protocol != Protocol::AuthV1 {
                return None;
            }
            (
                Call::Resend(number),
                world.resend(number, session.secret, now),
            )
        }
        Step::Set(ago, whose) => {
            let (number, session) = about(ago)?;
            // To the model, another session's token is no token of this session.
            let (token, of) = match (whose, about(ago + 1)) {
                (Whose::AnOlder, Some((_, older))) => (older.token.clone(), None),
                _ => (session.token.clone(), session.token.as_ref().map(|it| it.1)),
            };
            let token = token.map(|(token, _)| token);
            (Call::Set(number, of), world.set(number, token, now))
        }
        Step::Wait(_) | Step::Rotate => return None,
    })
}

/// The code that is sent, and the model's name for it.
fn sent(world: &World, number: usize, secret: usize, typed: Typed) -> (Option<String>, Sent) {
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

/// The model after a call. The model must give the same answer.
fn explained(model: &Model, call: Call, answer: &Answer) -> Model {
    let explained = explanations(model, &[call], std::slice::from_ref(answer));
    let Some(explained) = explained.into_iter().next() else {
        panic!(
            "{call:?} had the outcome {:?}, of {model:#?}",
            answer.outcome
        );
    };
    explained
}
