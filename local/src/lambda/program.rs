//! The program of a function: its binary and its environment.

use std::path::{Path, PathBuf};

use crate::gateway::listen::Urls;
use crate::lambda::log::Log;
use crate::template::{Function, REGION};

/// The program that instances of a function run.
#[derive(Clone, Debug)]
pub struct Program {
    /// The function's name. Its output is marked with it.
    pub name: String,
    /// Its binary.
    pub path: PathBuf,
    /// Its whole environment, except for the address of the Runtime API.
    pub environment: Vec<(String, String)>,
    /// Where its output goes.
    pub log: Log,
}

/// The program of a function. Its environment holds the variables of Lambda and of the template, and
/// nothing of this process's own environment.
#[must_use]
pub fn program(function: &Function, folder: &Path, urls: &Urls) -> Program {
    let own = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ENDPOINT_URL_DYNAMODB", &urls.dynamodb),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &urls.events),
        ("AWS_ENDPOINT_URL_LAMBDA", &urls.lambda),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &urls.secrets),
        ("AWS_ENDPOINT_URL_SESV2", &urls.ses),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            &function.memory_mb.to_string(),
        ),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.function_name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
        ("AWS_REGION", REGION),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ];
    let own = own
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = own.chain(function.environment.clone()).collect();
    Program {
        name: function.name.clone(),
        path: folder.join(&function.name),
        environment,
        log: Log::default(),
    }
}
