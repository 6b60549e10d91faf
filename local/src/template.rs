//! Reads template.yaml, as far as one machine needs it.
//!
//! The functions and their environment, the routes, the table, its event source, the event rules, the
//! mail templates and the secrets all come from the file that is deployed, so the same stack runs here.
//! Anything in it that matters here and is not supported stops the start.

mod document;
mod filter;
mod function;
mod intrinsics;
mod log_pattern;
mod resources;
mod stack;
mod yaml;

pub use document::{Resource, Template};
pub use filter::Filter;
pub use function::{EventRule, EventSource, Function, LogSubscription, Route};
pub(crate) use intrinsics::scalar;
pub use log_pattern::LogPattern;
pub use resources::{ConfigurationSets, Cors, MailTemplate, Secret, Table};
pub use stack::Stack;

use std::collections::BTreeMap;
use std::path::PathBuf;

use thiserror::Error;

/// The name the stack has on this machine.
pub const STACK_NAME: &str = "regain";
/// The region that everything is said to be in.
pub const REGION: &str = "us-east-1";
/// The account that everything is said to belong to.
pub const ACCOUNT: &str = "000000000000";

/// The environment variables of this process. They override the template's parameters.
pub type Environment = BTreeMap<String, String>;

/// Why the template cannot be run here.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// A file cannot be read.
    #[error("{} cannot be read: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: std::io::Error,
    },
    /// It is not YAML.
    #[error("template.yaml cannot be read: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// Something in it is missing or has the wrong form.
    #[error("template.yaml: {place}: {problem}")]
    Invalid {
        /// Where, as a path of keys.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

impl TemplateError {
    fn at(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid {
            place: place.into(),
            problem: problem.into(),
        }
    }
}
