//! Why a command does not work, in one sentence.

use std::error::Error as StdError;
use std::fmt;
use std::process::ExitCode;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ConnectorError, ErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::error::ResourceNotFoundException as NoTable;
use aws_sdk_secretsmanager::types::error::ResourceNotFoundException as NoSecret;
use regain::password::InvalidCost;
use regain::settings::SettingsError;
use thiserror::Error;

/// Why a command does not work.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// It was not called right.
    #[error("{0}")]
    Usage(&'static str),
    /// The argument is no such thing.
    #[error("{given:?} is {problem}")]
    Argument {
        given: String,
        problem: &'static str,
    },
    /// The settings of the stack or the environment make no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The cost of a hash is out of range.
    #[error(transparent)]
    Cost(#[from] InvalidCost),
    /// A file.
    #[error("{file} cannot be read: {problem}")]
    File { file: String, problem: String },
    /// AWS, or what stands in for it.
    #[error(transparent)]
    Aws(#[from] Trouble),
    /// An import that was begun.
    #[error("line {line}: {problem}; {so_far}")]
    CutShort {
        line: usize,
        problem: String,
        so_far: String,
    },
    /// The stack lacks what every stack has.
    #[error("the stack {stack} has no output {output}: it is none of Regain's")]
    NoRegain { stack: String, output: &'static str },
    /// Nobody has the address or id.
    #[error("nobody has the {kind} {given}")]
    Nobody { kind: &'static str, given: String },
    /// Somebody else was writing the same.
    #[error("the user was changed by somebody else just now: look again, and decide again")]
    Changed,
    /// The system has no randomness.
    #[error("the system has no randomness to give")]
    NoRandomness,
    /// The result cannot be written as JSON.
    #[error("the user cannot be shown: {0}")]
    Json(#[from] serde_json::Error),
}

impl Failure {
    /// 2 for what is the caller's to mend in the call, 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Argument { .. } | Self::Cost(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// What asking a service came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It knows no such thing.
    Absent,
    /// Permission is missing.
    Denied(String),
    /// There are no credentials, or they are not good.
    Credentials(String),
    /// It did not answer.
    Unreachable(String),
    /// The endpoint does not know the call.
    NotServed,
    /// The table has another key.
    OtherKey,
    /// Anything else.
    Other(String),
}

/// What was asked of a service that did not answer it, and why.
#[derive(Debug)]
pub(crate) struct Trouble {
    what: String,
    pub(crate) cause: Cause,
}

impl StdError for Trouble {}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match &self.cause {
            Cause::Absent => write!(f, "{what} does not exist there (look at name and region)"),
            Cause::Denied(message) => write!(f, "{what} may not be used: {message}"),
            Cause::Credentials(message) => write!(
                f,
                "there are no good AWS credentials for {what}: {message} (for a stack of `cargo \
                 run`, give --local)"
            ),
            Cause::Unreachable(message) => write!(f, "{what} cannot be reached: {message}"),
            Cause::NotServed => write!(f, "the endpoint of {what} does not know this call"),
            Cause::OtherKey => write!(f, "{what} is none of Regain's: its key is not pk"),
            Cause::Other(message) => write!(f, "{what} cannot be used: {message}"),
        }
    }
}

impl Trouble {
    /// From an answer of the SDK.
    pub(crate) fn of<E>(what: impl Into<String>, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + 'static,
    {
        let mut trouble = Self::because(what, error);
        // What a service does not serve it refuses without a code of its own.
        let status = error
            .raw_response()
            .map(|response| response.status().as_u16());
        if matches!(trouble.cause, Cause::Other(_))
            && code(error).is_none()
            && matches!(status, Some(404 | 405 | 501))
        {
            trouble.cause = Cause::NotServed;
        }
        trouble
    }

    /// From what an error of the engine was caused by.
    pub(crate) fn because(what: impl Into<String>, error: &(dyn StdError + 'static)) -> Self {
        Self {
            what: what.into(),
            cause: cause(error),
        }
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The code and message that a service answered with, where the SDK has no type for the code.
fn metadata<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a ErrorMetadata> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn code<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a str> {
    metadata(error).and_then(ErrorMetadata::code)
}

/// The connection that failed, if it was that.
fn connection_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a ConnectorError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn cause(error: &(dyn StdError + 'static)) -> Cause {
    if causes(error).any(|cause| cause.is::<NoTable>() || cause.is::<NoSecret>()) {
        return Cause::Absent;
    }
    let last = causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = metadata(error)
        .and_then(ErrorMetadata::message)
        .map_or(last.clone(), str::to_owned);
    match code(error) {
        Some("ResourceNotFoundException" | "NotFoundException") => Cause::Absent,
        Some(code) if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" => {
            Cause::Denied(message)
        }
        Some(
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException",
        ) => Cause::Credentials(message),
        Some("UnknownOperationException") => Cause::NotServed,
        Some("ValidationException") if message.contains("key element") => Cause::OtherKey,
        Some(_) => Cause::Other(message),
        None if causes(error).any(|cause| cause.to_string().contains("credential")) => {
            Cause::Credentials(last)
        }
        None if causes(error).any(|cause| cause.to_string().to_lowercase().contains("region")) => {
            Cause::Other("no region is known: set AWS_REGION, or give --region".to_owned())
        }
        None if connection_of(error).is_some() => Cause::Unreachable(last),
        None if last.contains("timed out") || last.contains("timeout") => Cause::Unreachable(last),
        None => Cause::Other(last),
    }
}
