//! The operator's command, against the stand-ins of a stack.

use std::process::{Command, Output};

use crate::binaries::binaries;
use crate::stack::Stack;

/// Runs `regain` with these arguments, and returns what it printed.
///
/// # Errors
/// What it printed on stderr, if it failed.
pub fn regain(stack: &Stack, arguments: &[&str]) -> Result<String, String> {
    let endpoint = |service: &str, name: &str| {
        let url = stack.endpoint(name);
        ["--endpoint".to_owned(), format!("{service}={url}")]
    };
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(binaries().join("regain"))
        .args(arguments)
        .arg("--local")
        .args(endpoint("dynamodb", "DynamoDB"))
        .args(endpoint("ses", "SES"))
        .args(endpoint("secrets", "Secrets"))
        .args(endpoint("lambda", "Lambda"))
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if status.success() {
        Ok(text(stdout))
    } else {
        Err(text(stderr))
    }
}
