//! Every reason why the service cannot run. Each is one sentence.

use std::path::Path;

use regain::settings::SettingsError;
use thiserror::Error;

use crate::data::DataError;
use crate::dynamodb::engine::EngineError;
use crate::dynamodb::store::StoreError;
use crate::gateway::listen::ListenError;
use crate::lambda::binaries::BinariesError;
use crate::lambda::event_source::EventSourceError;
use crate::lambda::instance::StartError;
use crate::mail::ses;
use crate::template::TemplateError;
use crate::tour::TourError;
use crate::users::UsersError;

/// Why the service cannot run.
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
    /// The mapping from the table's stream.
    #[error(transparent)]
    EventSource(#[from] EventSourceError),
    /// The users.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// A mail template.
    #[error(transparent)]
    MailTemplate(#[from] ses::TemplateError),
    /// The tour.
    #[error(transparent)]
    Tour(#[from] TourError),
    /// A function.
    #[error(transparent)]
    Function(#[from] StartError),
    /// The client of a user store.
    #[error("no HTTP client for the user store: {0}")]
    UserStore(#[from] reqwest::Error),
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
    /// A second signal came before the service had ended.
    #[error("a second signal ended the service before its calls were answered")]
    SecondSignal,
    /// The system has no randomness to give.
    #[error("the system has no randomness to give: {0}")]
    Randomness(#[from] rand::rngs::SysError),
}

impl ServiceError {
    /// An error with a file.
    #[must_use]
    pub fn file(path: &Path, problem: std::io::Error) -> Self {
        Self::File {
            file: path.display().to_string(),
            problem,
        }
    }
}
