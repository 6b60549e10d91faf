//! The outcome of a use case, in a form that can be compared.

use regain::recovery::RecoveryError;
use regain::timestamp::Timestamp;
use regain_password::Reason;

/// The outcome as the caller sees it: a [`RecoveryError`] without its causes, or success.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "the variants of `RecoveryError` are documented there"
)]
pub enum Outcome {
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
    PasswordElsewhere(Vec<String>),
    Unavailable,
    Broken,
}

/// The outcome of a call of a use case.
pub fn outcome_of<T>(result: &Result<T, RecoveryError>) -> Outcome {
    let Err(error) = result else {
        return Outcome::Done;
    };
    match error {
        RecoveryError::Throttled { until, .. } => Outcome::Throttled(*until),
        RecoveryError::NoSession => Outcome::NoSession,
        RecoveryError::SessionOver => Outcome::Over,
        RecoveryError::OtherUser => Outcome::OtherUser,
        RecoveryError::GuessesSpent { until: None } => Outcome::Spent,
        RecoveryError::GuessesSpent { until: Some(until) } => Outcome::SpentUntil(*until),
        RecoveryError::CodeExpired => Outcome::CodeExpired,
        RecoveryError::CodeWrong => Outcome::CodeWrong,
        RecoveryError::TokenUnknown => Outcome::TokenUnknown,
        RecoveryError::Blocked => Outcome::Blocked,
        RecoveryError::PasswordRefused(reasons) => Outcome::Password(reasons.clone()),
        RecoveryError::PasswordRefusedElsewhere(reasons) => {
            let slugs = reasons.iter().map(|reason| reason.slug().to_owned());
            Outcome::PasswordElsewhere(slugs.collect())
        }
        RecoveryError::Unavailable(_) => Outcome::Unavailable,
        RecoveryError::Broken(_) => Outcome::Broken,
    }
}
