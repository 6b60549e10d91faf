//! `regain throttle show` and `clear`.

use std::process::ExitCode;
use std::sync::Arc;

use regain::ambient;
use regain::keys::{AddressKey, IndexKeys};
use regain::session::AddressState;
use regain::settings::Limits;
use regain::settings::Share::Strangers;
use regain::timestamp::Timestamp;

use crate::connection::Connection;
use crate::failure::{Failure, Trouble};
use crate::say;
use crate::stack::Stack;
use crate::users::{parse_address, trouble};

/// Prints the throttles of an address.
pub(crate) async fn show(
    connection: &Connection,
    stack: &Stack,
    given: &str,
) -> Result<ExitCode, Failure> {
    let key = key(connection, stack, given).await?;
    let at = ambient::now();
    let state = connection.store(&stack.table).address_state(&key, at).await;
    let state = state.map_err(|error| trouble(stack, &error))?;
    for line in described(&state, &stack.settings.limits, at) {
        say::line(line);
    }
    if !stack.has_own_settings {
        say::note(
            "the limits are the defaults, or those of this environment; only --stack NAME reads a stack's own",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Clears the throttles of an address.
pub(crate) async fn clear(
    connection: &Connection,
    stack: &Stack,
    given: &str,
) -> Result<ExitCode, Failure> {
    let key = key(connection, stack, given).await?;
    let cleared = connection.store(&stack.table).clear_throttle(&key).await;
    say::line(if cleared.map_err(|error| trouble(stack, &error))? {
        format!(
            "cleared: {given} may guess at once, and ask for a code after a minute at most; sessions stay \
             as they are"
        )
    } else {
        format!("nothing throttles {given}")
    });
    Ok(ExitCode::SUCCESS)
}

/// The key under which an address is counted. Computing it needs the index key.
pub(crate) async fn key(
    connection: &Connection,
    stack: &Stack,
    given: &str,
) -> Result<AddressKey, Failure> {
    let address = parse_address(given)?;
    Ok(index_keys(connection, stack).await?.address(&address))
}

/// The index keys, from which the keys of all state about addresses and callers are derived.
pub(crate) async fn index_keys(
    connection: &Connection,
    stack: &Stack,
) -> Result<Arc<IndexKeys>, Failure> {
    let id = stack.index_key.clone().ok_or(Failure::Usage(
        "this is kept under a keyed name: give --index-key-secret ID, or --stack NAME",
    ))?;
    let what = format!("the secret {id}");
    let keys = connection.index_key(id).index().await;
    Ok(keys.map_err(|error| Trouble::because(what, &error))?)
}

fn described(state: &AddressState, limits: &Limits, at: Timestamp) -> [String; 5] {
    let of = |strangers: Option<u32>, all: Option<u32>| match (strangers, all) {
        (Some(strangers), Some(all)) if strangers < all => {
            format!("of {all} ({strangers} for unknown networks)")
        }
        (_, Some(all)) => format!("of {all}"),
        (_, None) => "no limit".to_owned(),
    };
    let until = |end: Timestamp| format!("until {}", say::minute(end));
    let cooled = state
        .last_code_at
        .map(|last| last.plus(limits.cooldown).since(at));
    let cooldown = match cooled.map(|left| left.as_millis().div_ceil(1000)) {
        Some(left @ 1..) => format!("{left} s more"),
        _ => "none".to_owned(),
    };
    let last = state.last_code_at.map_or(
        "none in two days, or cleared since".to_owned(),
        Timestamp::rfc3339,
    );
    let hour = (
        state.codes_this_hour,
        of(limits.codes_an_hour(Strangers), limits.address_per_hour),
        until(at.next_hour()),
    );
    let day = (
        state.codes_today,
        of(limits.codes_a_day(Strangers), limits.address_per_day),
        until(at.next_day()),
    );
    let guesses = (
        state.guesses_today,
        of(
            Some(limits.guesses_a_day(Strangers)),
            Some(limits.daily_guesses),
        ),
        until(at.next_day()),
    );
    let row = |what: &str, (count, limit, end): (u32, String, String)| {
        format!("{what:<20} {count} {limit}, {end}")
    };
    [
        format!("{:<20} {last}", "last code"),
        format!("{:<20} {cooldown}", "cooldown"),
        row("codes this hour", hour),
        row("codes today", day),
        row("wrong guesses today", guesses),
    ]
}

#[cfg(test)]
mod tests {
    use regain::settings::Settings;

    use super::*;

    #[test]
    fn what_throttles_is_told_with_its_limit_and_its_end() {
        let at = Timestamp::from_millis(1_773_144_000_000);
        let limits =
            Settings::read(&|name| (name == "EMAIL_REQUESTS_PER_DAY").then(|| "0".to_owned()));
        let state = AddressState {
            last_code_at: Some(at.minus(std::time::Duration::from_millis(19_500))),
            codes_this_hour: 5,
            codes_today: 7,
            guesses_today: 2,
        };
        assert_eq!(
            described(&state, &limits.unwrap().limits, at),
            [
                "last code            2026-03-10T11:59:40.500Z",
                "cooldown             41 s more",
                "codes this hour      5 of 5 (4 for unknown networks), until 2026-03-10 13:00 UTC",
                "codes today          7 no limit, until 2026-03-11 00:00 UTC",
                "wrong guesses today  2 of 30 (20 for unknown networks), until 2026-03-11 00:00 UTC",
            ]
        );
    }
}
