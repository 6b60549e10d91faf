//! Evaluates IAM policies, as far as those of this stack need it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde_json::Value as Json;

/// The condition key for the partition keys that a call to DynamoDB names.
pub(crate) const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
/// The one for the address that a mail is sent from.
pub(crate) const FROM_ADDRESS: &str = "ses:FromAddress";
/// The one for the service that uses a key in the caller's name.
pub(crate) const VIA_SERVICE: &str = "kms:ViaService";

/// An action on a resource, as IAM judges it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// The condition keys that the call has, with their values.
    context: BTreeMap<String, Vec<String>>,
}

/// A statement that allows something.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// A statement with one action, one resource, and one value in each condition.
#[derive(Clone, Debug)]
pub(crate) struct Permission(Statement);

#[derive(Clone, Debug)]
struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    /// Every value of the call is like one of these. So it is, too, if the call has none.
    ForAllValuesStringLike,
    /// The value of the call is one of these.
    StringEquals,
    /// Whether the call has no such value.
    Null,
}

impl Access {
    /// An action on a resource, of a call without condition keys.
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    /// The same in a call with a condition key.
    pub(crate) fn with<T: Into<String>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.context.insert(key.to_owned(), values);
        self
    }
}

impl Statement {
    /// Reads a statement; what is not understood is an error, so that nothing is overlooked.
    pub(crate) fn read(statement: &Json) -> Self {
        let fields = statement.as_object().unwrap();
        for key in fields.keys() {
            assert!(
                ["Sid", "Effect", "Action", "Resource", "Condition"].contains(&key.as_str()),
                "{key} is not understood: {statement}"
            );
        }
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let conditions = fields.get("Condition").and_then(Json::as_object);
        let conditions = conditions.into_iter().flatten();
        Self {
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            conditions: conditions
                .flat_map(|(operator, keys)| {
                    let keys = keys.as_object().unwrap().iter();
                    keys.map(|(key, values)| Condition {
                        operator: Operator::read(operator),
                        key: key.clone(),
                        values: texts(values),
                    })
                })
                .collect(),
        }
    }

    /// Whether it allows that.
    pub(crate) fn allows(&self, access: &Access) -> bool {
        self.actions.iter().any(|it| like(it, &access.action))
            && self.resources.iter().any(|it| like(it, &access.resource))
            && self.conditions.iter().all(|it| it.holds(access))
    }

    /// The single permissions that it is made of.
    pub(crate) fn permissions(&self) -> Vec<Permission> {
        let mut permissions = vec![Self {
            actions: Vec::new(),
            resources: Vec::new(),
            conditions: Vec::new(),
        }];
        permissions = each(&permissions, &self.actions, |it, action| {
            it.actions.push(action.clone());
        });
        permissions = each(&permissions, &self.resources, |it, resource| {
            it.resources.push(resource.clone());
        });
        for condition in &self.conditions {
            permissions = each(&permissions, &condition.values, |it, value| {
                it.conditions.push(Condition {
                    values: vec![value.clone()],
                    ..condition.clone()
                });
            });
        }
        permissions.into_iter().map(Permission).collect()
    }
}

impl Permission {
    fn allows(&self, access: &Access) -> bool {
        self.0.allows(access)
    }

    /// Whether a access needs it, be it beside others: every kind of item of a transaction needs its own.
    pub(crate) fn is_used_by(&self, access: &Access) -> bool {
        let keys = access.context.get(LEADING_KEYS).into_iter().flatten();
        let mut parts = keys.map(|key| access.clone().with(LEADING_KEYS, [key.as_str()]));
        self.allows(access) || parts.any(|part| self.allows(&part))
    }

    /// The one action.
    pub(crate) fn action(&self) -> &str {
        self.0.actions.first().unwrap()
    }

    /// The one resource.
    pub(crate) fn resource(&self) -> &str {
        self.0.resources.first().unwrap()
    }

    /// The values that a condition key is compared with.
    pub(crate) fn values_of(&self, key: &str) -> impl Iterator<Item = &String> {
        let of_key = self
            .0
            .conditions
            .iter()
            .filter(move |it| it.key == key && it.operator != Operator::Null);
        of_key.flat_map(|it| &it.values)
    }
}

impl Operator {
    fn read(name: &str) -> Self {
        match name {
            "ForAllValues:StringLike" => Self::ForAllValuesStringLike,
            "StringEquals" => Self::StringEquals,
            "Null" => Self::Null,
            other => panic!("the condition operator {other} is not understood"),
        }
    }
}

impl Condition {
    fn holds(&self, access: &Access) -> bool {
        let given = access.context.get(&self.key);
        match self.operator {
            Operator::ForAllValuesStringLike => {
                let mut given = given.into_iter().flatten();
                given.all(|value| self.values.iter().any(|it| like(it, value)))
            }
            Operator::StringEquals => match given.map(Vec::as_slice) {
                Some([value]) => self.values.contains(value),
                _ => false,
            },
            Operator::Null => self.values.contains(&given.is_none().to_string()),
        }
    }
}

impl Display for Access {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)?;
        for (key, values) in &self.context {
            write!(f, ", {key} {}", values.join(" "))?;
        }
        Ok(())
    }
}

impl Display for Permission {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action(), self.resource())?;
        for condition in &self.0.conditions {
            if condition.operator != Operator::Null {
                write!(f, ", {} {}", condition.key, condition.values.join(" "))?;
            }
        }
        Ok(())
    }
}

/// Every permission with every value.
fn each(
    permissions: &[Statement],
    values: &[String],
    add: impl Fn(&mut Statement, &String),
) -> Vec<Statement> {
    let all = permissions.iter().flat_map(|permission| {
        values.iter().map(|value| {
            let mut permission = permission.clone();
            add(&mut permission, value);
            permission
        })
    });
    all.collect()
}

/// One text or a list of them, as policies have it.
pub(crate) fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::String(text) => vec![text.clone()],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        other => panic!("{other} is no text"),
    }
}

/// IAM's patterns: `*` for any run of characters, `?` for any one.
fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    let mut left = text.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            like(rest.as_str(), text) || left.next().is_some() && like(pattern, left.as_str())
        }
        Some(wanted) => {
            left.next().is_some_and(|it| wanted == '?' || wanted == it)
                && like(rest.as_str(), left.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-1:1:table/t";

    fn reading(keys: &[&str]) -> Access {
        Access::new("dynamodb:GetItem", TABLE).with(LEADING_KEYS, keys.iter().copied())
    }

    fn users(absent: Option<&str>) -> Statement {
        let mut condition =
            json!({"ForAllValues:StringLike": {LEADING_KEYS: ["USER#*", "MAIL#*"]}});
        if let Some(absent) = absent {
            condition["Null"] = json!({LEADING_KEYS: absent});
        }
        Statement::read(&json!({
            "Effect": "Allow",
            "Action": "dynamodb:GetItem",
            "Resource": TABLE,
            "Condition": condition,
        }))
    }

    #[test]
    fn every_leading_key_has_to_be_of_an_allowed_kind() {
        for (keys, allowed) in [
            (&["USER#1"][..], true),
            (&["USER#1", "MAIL#2"], true),
            (&["USER#1", "EMAIL#2"], false),
            (&["EMAIL#2"], false),
            (&["XUSER#1"], false),
        ] {
            assert_eq!(
                users(Some("false")).allows(&reading(keys)),
                allowed,
                "{keys:?}"
            );
        }
    }

    #[test]
    fn only_the_null_condition_refuses_a_call_without_a_leading_key() {
        let nameless = Access::new("dynamodb:GetItem", TABLE);
        assert!(users(None).allows(&nameless));
        assert!(!users(Some("false")).allows(&nameless));
    }

    #[test]
    fn action_and_resource_have_to_match() {
        for (action, resource) in [
            ("dynamodb:PutItem", TABLE),
            ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:1:table/t2"),
        ] {
            let access = Access::new(action, resource).with(LEADING_KEYS, ["USER#1"]);
            assert!(!users(Some("false")).allows(&access), "{access}");
        }
    }

    #[test]
    fn a_condition_on_a_value_refuses_a_call_without_it() {
        let sending = Statement::read(&json!({
            "Effect": "Allow",
            "Action": "ses:SendEmail",
            "Resource": "*",
            "Condition": {"StringEquals": {FROM_ADDRESS: "us@example.com"}},
        }));
        let access = Access::new("ses:SendEmail", "identity/example.com");
        assert!(!sending.allows(&access));
        for (from, allowed) in [("us@example.com", true), ("them@example.com", false)] {
            let access = access.clone().with(FROM_ADDRESS, [from]);
            assert_eq!(sending.allows(&access), allowed, "{from}");
        }
    }

    #[test]
    fn a_pattern_matches_as_a_whole() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("USER#*", "USER#", true),
            ("USER#*", "USER", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("abc", "abc", true),
            ("abc", "ab", false),
        ] {
            assert_eq!(like(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn a_statement_is_made_of_one_permission_for_each_combination() {
        let statement = Statement::read(&json!({
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
            "Resource": TABLE,
            "Condition": {
                "ForAllValues:StringLike": {LEADING_KEYS: ["USER#*", "MAIL#*"]},
                "Null": {LEADING_KEYS: "false"},
            },
        }));
        let permissions = statement.permissions();
        let told: Vec<_> = permissions.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                format!("dynamodb:GetItem on {TABLE}, {LEADING_KEYS} USER#*"),
                format!("dynamodb:GetItem on {TABLE}, {LEADING_KEYS} MAIL#*"),
                format!("dynamodb:PutItem on {TABLE}, {LEADING_KEYS} USER#*"),
                format!("dynamodb:PutItem on {TABLE}, {LEADING_KEYS} MAIL#*"),
            ]
        );
    }
}
