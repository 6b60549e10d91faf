//! Event patterns: which stream records, or which events of the bus, a function gets.

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
    /// The value is equal to this.
    Is(Json),
    /// The value is a text that starts with this.
    Prefix(String),
    /// The value is a text that ends with this.
    Suffix(String),
}

impl Filter {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A sentence that names the part that is not supported.
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

    /// Whether `event` matches.
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
        // A list matches if one of its elements does.
        if let Some(Json::Array(values)) = value {
            return values.iter().any(|value| self.matches(Some(value)));
        }
        let text = value.and_then(Json::as_str);
        match self {
            Self::Is(wanted) => value == Some(wanted),
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
        }
    }
}

fn rule(pattern: &Json) -> Result<Rule, String> {
    let Json::Object(object) = pattern else {
        return Ok(Rule::Is(pattern.clone()));
    };
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some((name, Json::String(part))), None) if name == "prefix" => {
            Ok(Rule::Prefix(part.clone()))
        }
        (Some((name, Json::String(part))), None) if name == "suffix" => {
            Ok(Rule::Suffix(part.clone()))
        }
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
            (json!({"a": [1, 2]}), json!({"a": 2}), true),
            (json!({"a": ["x"]}), json!({"a": ["w", "x"]}), true),
            (json!({"a": ["x"]}), json!({"a": []}), false),
            (json!({"a": [{"suffix": "#b"}]}), json!({"a": "a#b"}), true),
            (
                json!({"a": [{"suffix": "#b"}]}),
                json!({"a": "a#b#"}),
                false,
            ),
            (json!({"a": [{"suffix": "#b"}]}), json!({}), false),
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
        for rule in [
            json!({"cidr": "10.0.0.0/8"}),
            json!({"exists": false}),
            json!({"anything-but": "x"}),
            json!({"prefix": "x", "suffix": "y"}),
        ] {
            let error = Filter::compile(&json!({"a": [rule]})).unwrap_err();
            assert!(error.contains(&rule.to_string()), "{error}");
        }
    }
}
