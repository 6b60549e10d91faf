//! Event patterns: which stream records, or which events of the bus, a function wants.

use serde_json::Value as Json;

/// A compiled filter pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every named field matches.
    Fields(Vec<(String, Filter)>),
    /// At least one of the rules matches.
    AnyOf(Vec<Rule>),
}

/// One alternative for a field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Equal to this.
    Is(Json),
    /// A text that starts with this.
    Prefix(String),
    /// There, or not there.
    Exists(bool),
    /// None of these.
    AnythingBut(Vec<Json>),
}

impl Filter {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A sentence that names what is not supported.
    pub fn compile(pattern: &Json) -> Result<Self, String> {
        match pattern {
            Json::Object(fields) => fields
                .iter()
                .map(|(name, pattern)| Ok((name.clone(), Self::compile(pattern)?)))
                .collect::<Result<_, String>>()
                .map(Self::Fields),
            Json::Array(rules) => rules
                .iter()
                .map(rule)
                .collect::<Result<_, _>>()
                .map(Self::AnyOf),
            other => Err(format!(
                "the filter pattern needs a list or an object instead of {other}"
            )),
        }
    }

    /// Whether `event` is wanted.
    #[must_use]
    pub fn matches(&self, event: &Json) -> bool {
        self.matches_field(Some(event))
    }

    fn matches_field(&self, value: Option<&Json>) -> bool {
        match self {
            Self::Fields(fields) => fields.iter().all(|(name, filter)| {
                filter.matches_field(value.and_then(|value| value.get(name)))
            }),
            Self::AnyOf(rules) => rules.iter().any(|rule| rule.matches(value)),
        }
    }
}

impl Rule {
    fn matches(&self, value: Option<&Json>) -> bool {
        // Of a list any element will do.
        if let Some(Json::Array(values)) = value {
            return values.iter().any(|value| self.matches(Some(value)));
        }
        match self {
            Self::Exists(wanted) => value.is_some() == *wanted,
            Self::Is(wanted) => value == Some(wanted),
            Self::Prefix(prefix) => value
                .and_then(Json::as_str)
                .is_some_and(|text| text.starts_with(prefix)),
            Self::AnythingBut(refused) => value.is_some_and(|value| !refused.contains(value)),
        }
    }
}

fn rule(pattern: &Json) -> Result<Rule, String> {
    let Json::Object(object) = pattern else {
        return Ok(Rule::Is(pattern.clone()));
    };
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => match (name.as_str(), value) {
            ("prefix", Json::String(prefix)) => Ok(Rule::Prefix(prefix.clone())),
            ("exists", Json::Bool(wanted)) => Ok(Rule::Exists(*wanted)),
            ("anything-but", Json::Array(refused)) => Ok(Rule::AnythingBut(refused.clone())),
            ("anything-but", refused @ Json::String(_)) => {
                Ok(Rule::AnythingBut(vec![refused.clone()]))
            }
            _ => Err(format!(
                "the filter rule {pattern} is not supported on one machine"
            )),
        },
        _ => Err(format!(
            "the filter rule {pattern} is not supported on one machine"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mail_requests() -> Filter {
        Filter::compile(&json!({
            "eventName": ["INSERT"],
            "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "MAIL#"}]}}}
        }))
        .unwrap()
    }

    fn record(name: &str, key: &str) -> Json {
        json!({"eventName": name, "dynamodb": {"Keys": {"pk": {"S": key}}}})
    }

    #[test]
    fn only_new_mail_requests_pass_the_mail_filter() {
        for (event, wanted) in [
            (record("INSERT", "MAIL#1"), true),
            (record("MODIFY", "MAIL#1"), false),
            (record("INSERT", "SESSION#1"), false),
            (json!({"eventName": "INSERT"}), false),
        ] {
            assert_eq!(mail_requests().matches(&event), wanted, "{event}");
        }
    }

    #[test]
    fn the_other_rules_match_as_event_filtering_defines_them() {
        for (pattern, event, wanted) in [
            (json!({"a": [{"exists": false}]}), json!({}), true),
            (json!({"a": [{"exists": true}]}), json!({}), false),
            (
                json!({"a": [{"anything-but": ["x"]}]}),
                json!({"a": "y"}),
                true,
            ),
            (
                json!({"a": [{"anything-but": "x"}]}),
                json!({"a": "x"}),
                false,
            ),
            (json!({"a": [1, 2]}), json!({"a": 2}), true),
            (json!({"a": ["x"]}), json!({"a": ["w", "x"]}), true),
            (json!({"a": ["x"]}), json!({"a": []}), false),
        ] {
            assert_eq!(
                Filter::compile(&pattern).unwrap().matches(&event),
                wanted,
                "{pattern}"
            );
        }
    }

    #[test]
    fn an_unknown_rule_is_refused_by_name() {
        let error = Filter::compile(&json!({"a": [{"cidr": "10.0.0.0/8"}]})).unwrap_err();
        assert!(error.contains("cidr"), "{error}");
    }
}
