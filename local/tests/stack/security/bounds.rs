//! The chances of guessing a code, computed from the settings in the form of `docs/security.md`.

use std::fmt::Display;

use regain::settings::{Settings, Share};

/// A table's rows, each a line of the page.
pub(crate) type Rows = Vec<String>;

const DAYS: u64 = 365;
const HOURS: u64 = 24;

/// The default settings, with the given ones in their place.
pub(crate) fn settings(set: &[(&str, u64)]) -> Option<Settings> {
    let get = |name: &str| {
        let mut set = set.iter().filter(|(known, _)| *known == name);
        set.next().map(|(_, value)| value.to_string())
    };
    Settings::read(&get).ok()
}

/// The chances against one account, with the default settings.
pub(crate) fn account(settings: &Settings) -> Rows {
    let (codes, limits) = (settings.code_length.codes(), settings.limits);
    let session = u64::from(limits.session_guesses);
    let all = u64::from(limits.daily_guesses);
    let day = u64::from(limits.guesses_a_day(Share::Strangers));
    let an_hour = u64::from(limits.codes_an_hour(Share::Strangers).unwrap());
    let a_day = u64::from(limits.codes_a_day(Share::Strangers).unwrap());
    let sessions = day.div_ceil(session);
    let codes_text = grouped(codes);
    vec![
        row("a guess", format!("1 / {codes_text}"), one_in(codes, 1)),
        row(
            "a session",
            format!("{session} / {codes_text}"),
            one_in(codes, session),
        ),
        row(
            "an account in a UTC day, from networks that never proved it",
            format!("({all} − {all} / 3) / {codes_text}"),
            one_in(codes, day),
        ),
        row(
            "an account in a UTC day, from all networks",
            format!("{all} / {codes_text}"),
            one_in(codes, all),
        ),
        row(
            "an account in any 24 hours, which touch two UTC days, from networks that never proved it",
            format!("2 × {day} / {codes_text}"),
            one_in(codes, 2 * day),
        ),
        row(
            "an account in a year, attacked to the full every day, from networks that never proved it",
            format!("1 − (1 − {day} / {codes_text})^{DAYS}"),
            percent(over(DAYS, day, codes)),
        ),
        row(
            "the same, from all networks",
            format!("1 − (1 − {all} / {codes_text})^{DAYS}"),
            percent(over(DAYS, all, codes)),
        ),
        row(
            "guesses that the mails of a day would allow",
            format!("{a_day} sessions × {session}; the day's {day} end it before"),
            grouped(a_day * session),
        ),
        row(
            "sessions a full day of guessing takes, each of them a mail to the person",
            format!("{day} / {session}, rounded up"),
            grouped(sessions),
        ),
        row(
            "clock hours that they are spread over, at least",
            format!("{sessions} / {an_hour}, rounded up"),
            grouped(sessions.div_ceil(an_hour)),
        ),
        row(
            "mails to the person in a year of that",
            format!("{sessions} × {DAYS}"),
            grouped(sessions * DAYS),
        ),
    ]
}

/// The limits of the whole stack: calls a second on the route that verifies a code and on the one that may
/// set a password with it, and the share of wrong guesses that raises the alarm.
pub(crate) struct Gateway {
    pub(crate) prove: u64,
    pub(crate) prove_and_set: u64,
    pub(crate) alarm_guesses: u64,
    pub(crate) alarm_seconds: u64,
}

/// The chances against all accounts together, with the default settings.
pub(crate) fn accounts(settings: &Settings, gateway: &Gateway) -> Rows {
    let (codes, limits) = (settings.code_length.codes(), settings.limits);
    let session = u64::from(limits.session_guesses);
    let day = u64::from(limits.guesses_a_day(Share::Strangers));
    let caller = u64::from(limits.caller_per_hour.unwrap());
    let sessions = day.div_ceil(session);
    let mut rows = Rows::new();
    for accounts in [1_000, 100_000, 1_000_000] {
        rows.push(format!(
            "| {} accounts, each guessed at to the full | {0} × {day} / {} | {} | {} | {} |",
            grouped(accounts),
            grouped(codes),
            takeovers(accounts * day, codes),
            takeovers(accounts * day * DAYS, codes),
            grouped(accounts * sessions),
        ));
    }
    let begun = caller * HOURS;
    rows.push(format!(
        "| one network address, whatever the number of accounts | {caller} × {HOURS} sessions × {session} / {} | {} | {} | {} |",
        grouped(codes),
        takeovers(begun * session, codes),
        takeovers(begun * session * DAYS, codes),
        grouped(begun),
    ));
    let quiet = (gateway.alarm_guesses - 1) * (HOURS * 3600 / gateway.alarm_seconds);
    rows.push(format!(
        "| below the alarm for wrong guesses | {} guesses each {} s, of which a day has {} / {} | {} | {} | {} |",
        gateway.alarm_guesses - 1,
        gateway.alarm_seconds,
        HOURS * 3600 / gateway.alarm_seconds,
        grouped(codes),
        takeovers(quiet, codes),
        takeovers(quiet * DAYS, codes),
        grouped(quiet.div_ceil(session)),
    ));
    let most = (gateway.prove + gateway.prove_and_set) * HOURS * 3600;
    rows.push(format!(
        "| all that the gateway lets through | ({} + {}) guesses a second × {} / {} | {} | {} | {} |",
        gateway.prove,
        gateway.prove_and_set,
        grouped(HOURS * 3600),
        grouped(codes),
        takeovers(most, codes),
        takeovers(most * DAYS, codes),
        grouped(most.div_ceil(session)),
    ));
    rows
}

/// Every length of a code, with the most guesses a day that are allowed for it and with the default.
pub(crate) fn lengths() -> Rows {
    let allowed = |digits: u64, guesses: u64| {
        let set = [
            ("CODE_LENGTH", digits),
            ("ACCOUNT_GUESSES_PER_DAY", guesses),
        ];
        settings(&set)
    };
    let default = settings(&[]).unwrap().limits.daily_guesses.into();
    let rows = (0..=20).filter_map(|digits| {
        let most = (1..=2_000)
            .rev()
            .find(|most| allowed(digits, *most).is_some())?;
        let codes = allowed(digits, most).unwrap().code_length.codes();
        let at_default = match allowed(digits, default) {
            None => "refused | refused".to_owned(),
            Some(_) => format!(
                "{} | {}",
                one_in(codes, default),
                percent(over(DAYS, default, codes))
            ),
        };
        Some(format!(
            "| {digits} | {} | {} | {} | {at_default} |",
            grouped(most),
            one_in(codes, most),
            percent(over(DAYS, most, codes)),
        ))
    });
    rows.collect()
}

fn row(bound: &str, arithmetic: impl Display, figure: impl Display) -> String {
    format!("| {bound} | {arithmetic} | {figure} |")
}

/// The chance of at least one hit in a number of days.
#[expect(clippy::cast_precision_loss, reason = "printed to three digits")]
fn over(days: u64, guesses: u64, codes: u64) -> f64 {
    let miss = (-(guesses as f64) / codes as f64).ln_1p();
    -(miss * days as f64).exp_m1()
}

/// The expected number of takeovers.
#[expect(clippy::cast_precision_loss, reason = "printed to three digits")]
fn takeovers(guesses: u64, codes: u64) -> String {
    three_digits(guesses as f64 / codes as f64)
}

fn one_in(codes: u64, guesses: u64) -> String {
    format!("1 in {}", grouped(codes / guesses))
}

fn percent(chance: f64) -> String {
    format!("{} %", three_digits(chance * 100.0))
}

/// A positive number to three significant digits.
fn three_digits(number: f64) -> String {
    let whole_digits = number.log10().floor() + 1.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a few dozen"
    )]
    let decimals = (3.0 - whole_digits).max(0.0) as usize;
    format!("{number:.decimals$}")
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
