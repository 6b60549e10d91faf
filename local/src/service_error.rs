//! Every reason why the service does not run, each a sentence of its own.

use std::path::Path;

use regain::settings::SettingsError;
use thiserror::Error;

use crate::binaries::BinariesError;
use crate::data::DataError;
use crate::engine::EngineError;
use crate::instance::StartError;
use crate::listen::ListenError;
use crate::ses;
use crate::store::StoreError;
use crate::stream::StreamError;
use crate::template::TemplateError;
use crate::users::UsersError;

/// Why the service does not run.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// A setting.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A port.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The binaries.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The embedded engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The users.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// A mail template.
    #[error(transparent)]
    MailTemplate(#[from] ses::TemplateError),
    /// A function.
    #[error(transparent)]
    Function(#[from] StartError),
    /// The template has an event source for a function it does not have, which reading it refuses.
    #[error("template.yaml: there is no function called {0}")]
    NoFunction(String),
    /// A file.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: std::io::Error,
    },
    /// The system has no randomness to give.
    #[error("the system has no randomness to give: {0}")]
    Randomness(#[from] rand::rngs::SysError),
}

impl ServiceError {
    /// Something is wrong with a file.
    #[must_use]
    pub fn file(path: &Path, problem: std::io::Error) -> Self {
        Self::File {
            file: path.display().to_string(),
            problem,
        }
    }
}
