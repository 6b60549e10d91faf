//! What a caller is told, in a form that can be compared.

use regain::recovery::RecoveryError;
use regain::timestamp::Timestamp;
use regain_password::Reason;

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

pub(crate) fn told<T>(result: &Result<T, RecoveryError>) -> Told {
    let Err(refusal) = result else {
        return Told::Done;
    };
    match refusal {
        RecoveryError::Throttled { until, .. } => Told::Throttled(*until),
        RecoveryError::NoSession => Told::NoSession,
        RecoveryError::SessionOver => Told::Over,
        RecoveryError::OtherUser => Told::OtherUser,
        RecoveryError::GuessesSpent { until: None } => Told::Spent,
        RecoveryError::GuessesSpent { until: Some(until) } => Told::SpentUntil(*until),
        RecoveryError::CodeExpired => Told::CodeExpired,
        RecoveryError::CodeWrong => Told::CodeWrong,
        RecoveryError::TokenUnknown => Told::TokenUnknown,
        RecoveryError::Blocked => Told::Blocked,
        RecoveryError::PasswordRefused(reasons) => Told::Password(reasons.clone()),
        RecoveryError::Unavailable(_) => Told::Unavailable,
        RecoveryError::Broken(_) => Told::Broken,
    }
}
