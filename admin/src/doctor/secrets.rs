//! Checks the two secrets: both exist, are long enough, and differ.

use regain::secrets::SecretError;

use super::Report;
use crate::connection::Connection;
use crate::failure::Trouble;
use crate::stack::Stack;

/// The least length. The secrets that the template generates are twice as long.
const LEAST: usize = 32;

pub(super) async fn look(connection: &Connection, stack: &Stack, report: &mut Report) {
    let index = read(
        connection,
        "index key",
        "--index-key-secret",
        stack.index_key.as_deref(),
        report,
    )
    .await;
    let code = read(
        connection,
        "code key",
        "--code-key-secret",
        stack.code_key.as_deref(),
        report,
    )
    .await;
    if let (Some(index), Some(code)) = (index, code) {
        report.judge(
            index != code,
            "they differ",
            "index key and code key are the same: who learns one knows both",
            "put a new value into the code key (not into the index key, which must never change)",
        );
    }
}

async fn read(
    connection: &Connection,
    what: &str,
    option: &str,
    id: Option<&str>,
    report: &mut Report,
) -> Option<String> {
    let Some(id) = id else {
        report.unchecked(
            &format!("the {what}"),
            &format!("give {option} ID, or --stack NAME"),
        );
        return None;
    };
    let asked = connection
        .secrets()
        .get_secret_value()
        .secret_id(id)
        .send()
        .await;
    let secret = match asked {
        Ok(answer) => answer.secret_string,
        Err(error) => {
            let trouble = Trouble::of(format!("the secret {id}"), &error);
            report.required(&format!("the {what}"), "Secrets Manager", &trouble);
            return None;
        }
    };
    let secret = secret.unwrap_or_default();
    let weak = match secret.len() {
        0 => Some(SecretError::Empty.to_string()),
        1..LEAST => Some(format!("it has fewer than {LEAST} characters")),
        _ => None,
    };
    report.judge(
        weak.is_none(),
        &format!("the {what} can be read"),
        &format!("the {what} is too weak: {}", weak.unwrap_or_default()),
        "put 64 random letters and digits into it, before the first code is asked for",
    );
    Some(secret).filter(|secret| !secret.is_empty())
}
