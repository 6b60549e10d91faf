//! What a caller is told, in a form that can be compared.

use regain::password::Reason;
use regain::recovery::Refusal;
use regain::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Done,
    Throttled(Timestamp),
    NoSession,
    Over,
    OtherUser,
    Spent,
    SpentUntil(Timestamp),
    CodeExpired,
    CodeWrong,
    TokenUnknown,
    Blocked,
    Password(Vec<Reason>),
    Unavailable,
    Broken,
}

pub(crate) fn told<T>(result: &Result<T, Refusal>) -> Told {
    let Err(refusal) = result else {
        return Told::Done;
    };
    match refusal {
        Refusal::Throttled { until, .. } => Told::Throttled(*until),
        Refusal::NoSession => Told::NoSession,
        Refusal::SessionOver => Told::Over,
        Refusal::OtherUser => Told::OtherUser,
        Refusal::GuessesSpent { until: None } => Told::Spent,
        Refusal::GuessesSpent { until: Some(until) } => Told::SpentUntil(*until),
        Refusal::CodeExpired => Told::CodeExpired,
        Refusal::CodeWrong => Told::CodeWrong,
        Refusal::TokenUnknown => Told::TokenUnknown,
        Refusal::Blocked => Told::Blocked,
        Refusal::PasswordRefused(reasons) => Told::Password(reasons.clone()),
        Refusal::Unavailable(_) => Told::Unavailable,
        Refusal::Broken(_) => Told::Broken,
    }
}
