//! Errors of the command, each as one sentence.

use std::error::Error as StdError;
use std::fmt;
use std::process::ExitCode;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ConnectorError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::error::ResourceNotFoundException as NoTable;
use aws_sdk_secretsmanager::types::error::ResourceNotFoundException as NoSecret;
use regain::settings::SettingsError;
use regain::users::{EditError, ImportError};
use regain_password::InvalidCost;
use thiserror::Error;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(&'static str),
    /// An argument has the wrong form.
    #[error("{given:?} is {problem}")]
    Argument {
        given: String,
        problem: &'static str,
    },
    /// The settings of the stack or the environment are invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The cost of a hash is out of range.
    #[error(transparent)]
    Cost(#[from] InvalidCost),
    /// A file cannot be read.
    #[error("{file} cannot be read: {problem}")]
    File { file: String, problem: String },
    /// A file of the mails is not as it has to be.
    #[error("{file}: {problem}")]
    Mail { file: String, problem: String },
    /// AWS or a stand-in for it failed.
    #[error(transparent)]
    Aws(#[from] Trouble),
    /// The lines of a file could not be checked.
    #[error(transparent)]
    Import(ImportError),
    /// A user could not be created, changed or deleted.
    #[error(transparent)]
    Edit(EditError),
    /// An import ended before its last line.
    #[error("line {line}: {problem} ({so_far})")]
    CutShort {
        line: usize,
        problem: String,
        so_far: String,
    },
    /// The stack lacks an output that every stack of Regain has.
    #[error("the stack {stack} has no output {output}: it is not a stack of Regain")]
    NoRegain { stack: String, output: &'static str },
    /// Nobody has the address or id.
    #[error("nobody has the {kind} {given}")]
    Nobody { kind: &'static str, given: String },
    /// Another program was writing the same item.
    #[error("the user was changed by somebody else just now: look again, and decide again")]
    Changed,
    /// The previous key is still needed.
    #[error(
        "the code key was rotated at {rotated}, and codes mailed before that may still be good: it may \
         be rotated again at {again}"
    )]
    TooSoon { rotated: String, again: String },
    /// Somebody else was rotating the key at the same time.
    #[error(
        "the code key was rotated by somebody else just now, or set back by hand: look with `aws \
         secretsmanager list-secret-version-ids`, and decide again"
    )]
    Rotated,
    /// The secret has no current version, or another one than the version that was put.
    #[error("{secret} {problem}: look with `aws secretsmanager list-secret-version-ids`")]
    Versions {
        secret: String,
        problem: &'static str,
    },
    /// The system has no randomness to give.
    #[error("the system has no randomness to give")]
    NoRandomness,
    /// The result cannot be written as JSON.
    #[error("the user cannot be shown: {0}")]
    Json(#[from] serde_json::Error),
}

impl Failure {
    /// 2 if the command line is wrong, and 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Argument { .. } | Self::Cost(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Why a call to a service failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The service has no such resource.
    Absent,
    /// Permission is missing.
    Denied(String),
    /// Credentials are missing or invalid.
    Credentials(String),
    /// The service did not answer.
    Unreachable(String),
    /// The endpoint does not know the call.
    NotServed,
    /// The table has another key.
    OtherKey,
    /// Anything else.
    Other(String),
}

/// A call that failed: its subject, and the cause.
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
            Cause::NotServed => write!(f, "the endpoint of {what} does not know the call"),
            Cause::OtherKey => write!(f, "{what} is not a table of Regain: its key is not pk"),
            Cause::Other(message) => write!(f, "{what} cannot be used: {message}"),
        }
    }
}

impl Trouble {
    /// Reads the cause from an error of the SDK.
    pub(crate) fn of<E>(what: impl Into<String>, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let status = error
            .raw_response()
            .map(|response| response.status().as_u16());
        let cause = match error.code() {
            Some(code) => refusal(code, error.message().unwrap_or(code)),
            // A service refuses an unknown call without an error code.
            None if matches!(status, Some(404 | 405 | 501)) => Cause::NotServed,
            None => cause(error),
        };
        Self {
            what: what.into(),
            cause,
        }
    }

    /// Reads the cause from the source of an error of the store.
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

fn has<E: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| cause.downcast_ref::<E>().is_some())
}

/// Why a call failed, by the chain of its error sources.
fn cause(error: &(dyn StdError + 'static)) -> Cause {
    if has::<NoTable>(error) || has::<NoSecret>(error) {
        return Cause::Absent;
    }
    let metadata = causes(error).find_map(|cause| cause.downcast_ref::<ErrorMetadata>());
    if let Some(metadata) = metadata {
        return match metadata.code() {
            Some(code) => refusal(code, metadata.message().unwrap_or(code)),
            None => Cause::NotServed,
        };
    }
    let texts: Vec<_> = causes(error).map(ToString::to_string).collect();
    let last = texts.last().cloned().unwrap_or_default();
    let says = |word: &str| texts.iter().any(|text| text.to_lowercase().contains(word));
    if says("credential") {
        Cause::Credentials(no_credentials(&last))
    } else if says("region") {
        Cause::Other("no region is known: set AWS_REGION, or give --region".to_owned())
    } else if has::<ConnectorError>(error) || says("timed out") || says("timeout") {
        Cause::Unreachable(last)
    } else {
        Cause::Other(last)
    }
}

/// The meaning of an error code of a service.
fn refusal(code: &str, message: &str) -> Cause {
    let message = message.to_owned();
    match code {
        "ResourceNotFoundException" | "NotFoundException" => Cause::Absent,
        // CloudFormation has no code for a stack that does not exist.
        "ValidationError" if message.ends_with("does not exist") => Cause::Absent,
        "ValidationException" if message.contains("key element") => Cause::OtherKey,
        "UnknownOperationException" => Cause::NotServed,
        "UnauthorizedOperation" => Cause::Denied(message),
        _ if code.starts_with("AccessDenied") => Cause::Denied(message),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Cause::Credentials(message),
        _ => Cause::Other(message),
    }
}

/// The sources of credentials that the SDK tried, as a sentence.
fn no_credentials(tried: &str) -> String {
    let tried = tried.to_lowercase();
    if tried.contains("`sso`") || tried.contains("sso feature") {
        return "the profile signs in by SSO; run `eval \"$(aws configure export-credentials \
                --format env)\"` first"
            .to_owned();
    }
    "none were found in the environment, the profile or the machine's role".to_owned()
}
