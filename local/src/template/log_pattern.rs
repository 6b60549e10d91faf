//! Filter patterns of CloudWatch Logs: which lines of a log a subscriber gets.

use serde_json::Value as Json;

/// A compiled pattern. Only the simplest pattern for JSON is supported: `{ $.NAME = VALUE }`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPattern {
    name: String,
    value: Json,
}

impl LogPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A sentence that names the pattern.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let unsupported =
            || format!("the filter pattern \"{pattern}\" is not supported on one machine");
        let inner = pattern
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let (name, value) = inner
            .and_then(|inner| inner.split_once('='))
            .ok_or_else(unsupported)?;
        let name = name
            .trim()
            .strip_prefix("$.")
            .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric()))
            .ok_or_else(unsupported)?;
        let value: Json = serde_json::from_str(value.trim()).map_err(|_| unsupported())?;
        // A * would match any text. Only texts and numbers can be compared.
        if !value.is_number() && value.as_str().is_none_or(|text| text.contains('*')) {
            return Err(unsupported());
        }
        Ok(Self {
            name: name.to_owned(),
            value,
        })
    }

    /// Whether a line matches.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        serde_json::from_str::<Json>(line)
            .is_ok_and(|line| line.get(&self.name) == Some(&self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_matches_if_its_field_has_the_value() {
        let records = LogPattern::compile("{ $.audit = 1 }").unwrap();
        let errors = LogPattern::compile("{$.level=\"ERROR\"}").unwrap();
        for (pattern, line, wanted) in [
            (&records, r#"{"audit":1,"event":"mailed"}"#, true),
            (&records, r#"{"audit":2}"#, false),
            (&records, r#"{"audit":"1"}"#, false),
            (&records, r#"{"inner":{"audit":1}}"#, false),
            (&records, "audit = 1", false),
            (&errors, r#"{"level":"ERROR"}"#, true),
            (&errors, r#"{"level":"INFO"}"#, false),
        ] {
            assert_eq!(pattern.matches(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_pattern_that_is_not_supported_is_refused_by_name() {
        for pattern in [
            "",
            "ERROR",
            "{ $.a EXISTS }",
            "{ $.a.b = 1 }",
            "{ $.a = 1 && $.b = 2 }",
            "{ $.a != 1 }",
            "{ $.a = \"b*\" }",
            "{ $.a = true }",
        ] {
            let error = LogPattern::compile(pattern).unwrap_err();
            assert!(error.contains(&format!("\"{pattern}\"")), "{error}");
        }
    }
}
