//! Conditions.

use serde_json::Value as Json;

use super::TemplateError;
use super::intrinsics::{DEEPEST, Scope, intrinsic, list};

impl Scope {
    /// Whether the condition of that name holds.
    pub(super) fn holds(&self, condition: &str, place: &str) -> Result<bool, TemplateError> {
        self.condition(condition, place, 0)
    }

    pub(super) fn condition(
        &self,
        name: &str,
        place: &str,
        depth: usize,
    ) -> Result<bool, TemplateError> {
        let expression = self
            .section("Conditions")
            .and_then(|all| all.get(name))
            .ok_or_else(|| TemplateError::at(place, format!("there is no condition {name}")))?;
        self.truth(expression, &format!("Conditions.{name}"), depth + 1)
    }

    pub(super) fn truth(
        &self,
        value: &Json,
        place: &str,
        depth: usize,
    ) -> Result<bool, TemplateError> {
        if depth > DEEPEST {
            return Err(TemplateError::at(place, "refers to itself"));
        }
        let bad = |problem: &str| TemplateError::at(place, problem);
        let object = value.as_object().ok_or_else(|| bad("is not a condition"))?;
        let (name, argument) = intrinsic(object).ok_or_else(|| bad("is not a condition"))?;
        let each = || {
            list(argument)
                .iter()
                .map(|item| self.truth(item, place, depth + 1))
        };
        match name {
            "Condition" => self.condition(argument.as_str().unwrap_or_default(), place, depth + 1),
            "Fn::Equals" => {
                match list(argument) {
                    [left, right] => Ok(self.string(left, place, depth + 1)?
                        == self.string(right, place, depth + 1)?),
                    _ => Err(bad("Fn::Equals needs two values")),
                }
            }
            "Fn::And" => Ok(each()
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .all(|holds| holds)),
            "Fn::Or" => Ok(each()
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .any(|holds| holds)),
            "Fn::Not" => Ok(!each()
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .all(|holds| holds)),
            other => Err(bad(&format!("{other} is not supported in a condition"))),
        }
    }
}
