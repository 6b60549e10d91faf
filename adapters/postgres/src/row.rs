//! Reads a user from a row of `FIND_SQL`.

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use user_store::User;

/// The longest version that the protocol has room for.
const LONGEST_VERSION: usize = 64;

/// The columns, by their names. More columns do no harm.
#[derive(Deserialize)]
struct Row {
    id: Value,
    email: Option<String>,
    status: Value,
    version: Value,
    locale: Option<String>,
    email_verified: Option<bool>,
    context: Option<Vec<Option<String>>>,
    directory: Option<Map<String, Value>>,
}

/// A row that is of no use. The message quotes nothing of it.
#[derive(Debug, Error)]
pub(crate) enum RowError {
    /// A column is missing or has another type.
    #[error(
        "FIND_SQL has to answer the columns id, email, status and version, and may answer locale (text), email_verified (boolean), context (text[]) and directory (json)"
    )]
    Columns,
    /// A column is NULL or no single value.
    #[error("FIND_SQL answered no text or number as {0}")]
    Empty(&'static str),
    /// The version is too long.
    #[error("FIND_SQL answered a version of more than {LONGEST_VERSION} characters")]
    Long,
}

/// Reads a row that was turned into JSON. None is a user without an address.
pub(crate) fn read(json: &str) -> Result<Option<User>, RowError> {
    let row: Row = serde_json::from_str(json).map_err(|_| RowError::Columns)?;
    let Some(email) = row.email else {
        return Ok(None);
    };
    let version = text("version", &row.version)?;
    if version.chars().count() > LONGEST_VERSION {
        return Err(RowError::Long);
    }
    Ok(Some(User {
        id: text("id", &row.id)?,
        email,
        status: text("status", &row.status)?,
        locale: row.locale,
        credentials_version: version,
        email_verified: row.email_verified,
        context: row
            .context
            .unwrap_or_default()
            .into_iter()
            .flatten()
            .collect(),
        directory: row.directory.map(Value::Object),
    }))
}

fn text(column: &'static str, value: &Value) -> Result<String, RowError> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(RowError::Empty(column)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_may_be_of_any_type() {
        let row = json!({"id": 7, "email": "ana@example.com", "status": "active", "version": 3, "more": [],
            "email_verified": false, "context": ["Ana", null], "directory": {"phone": "1"}});
        let user = read(&row.to_string()).unwrap().unwrap();
        assert_eq!((&*user.id, &*user.credentials_version), ("7", "3"));
        assert_eq!(user.email_verified, Some(false));
        assert_eq!(user.context, ["Ana"]);
        assert_eq!(user.directory, Some(json!({"phone": "1"})));
    }

    #[test]
    fn a_row_that_is_of_no_use_is_an_error_without_a_quote() {
        let good = json!({"id": 7, "email": "ana@example.com", "status": "active", "version": 3});
        for (column, value, message) in [
            (
                "id",
                json!(null),
                "FIND_SQL answered no text or number as id",
            ),
            (
                "version",
                json!(""),
                "FIND_SQL answered no text or number as version",
            ),
            ("version", json!("v".repeat(65)), "more than 64"),
            ("email", json!(7), "has to answer the columns"),
            ("context", json!("Ana"), "has to answer the columns"),
        ] {
            let mut row = good.clone();
            row[column] = value;
            let error = read(&row.to_string()).unwrap_err().to_string();
            assert!(
                error.contains(message) && !error.contains("ana@"),
                "{error}"
            );
        }
        let error = read(r#"{"id": 7}"#).unwrap_err();
        assert!(matches!(error, RowError::Columns));
    }

    #[test]
    fn a_user_without_an_address_is_nobody() {
        let row = json!({"id": 7, "email": null, "status": "active", "version": 3});
        assert!(read(&row.to_string()).unwrap().is_none());
    }
}
