//! Parameters, conditions and intrinsic functions.

use serde_json::{Map, Value as Json};

use super::{ACCOUNT, Environment, REGION, STACK_NAME, TemplateError};

/// Evaluation stops at this depth. No template nests as deep unless a definition refers to itself.
const DEEPEST: usize = 64;

/// A template, and the environment that its expressions are evaluated in.
pub(super) struct Scope {
    template: Json,
    environment: Environment,
}

impl Scope {
    pub(super) fn new(template: Json, environment: Environment) -> Self {
        Self {
            template,
            environment,
        }
    }

    /// A top-level section, such as `Resources`.
    pub(super) fn section(&self, name: &str) -> Option<&Map<String, Json>> {
        self.template.get(name).and_then(Json::as_object)
    }

    /// Evaluates `value`; `None` is `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &Json, place: &str) -> Result<Option<Json>, TemplateError> {
        self.evaluate(value, place, 0)
    }

    fn evaluate(
        &self,
        value: &Json,
        place: &str,
        depth: usize,
    ) -> Result<Option<Json>, TemplateError> {
        if depth > DEEPEST {
            return Err(TemplateError::at(place, "refers to itself"));
        }
        match value {
            Json::Array(items) => {
                let items = items
                    .iter()
                    .map(|item| self.evaluate(item, place, depth + 1));
                let items: Vec<_> = items.collect::<Result<_, _>>()?;
                Ok(Some(Json::Array(items.into_iter().flatten().collect())))
            }
            Json::Object(object) => {
                if let Some((name, argument)) = intrinsic(object) {
                    return self.call(name, argument, place, depth + 1);
                }
                let mut resolved = Map::new();
                for (key, value) in object {
                    let place = format!("{place}.{key}");
                    if let Some(value) = self.evaluate(value, &place, depth + 1)? {
                        resolved.insert(key.clone(), value);
                    }
                }
                Ok(Some(Json::Object(resolved)))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    fn call(
        &self,
        name: &str,
        argument: &Json,
        place: &str,
        depth: usize,
    ) -> Result<Option<Json>, TemplateError> {
        let bad = |problem: &str| TemplateError::at(place, format!("{name} {problem}"));
        match name {
            "Ref" => {
                let target = argument.as_str().ok_or_else(|| bad("needs a name"))?;
                self.reference(target, place, depth)
            }
            "Fn::If" => match list(argument) {
                [Json::String(condition), yes, no] => {
                    let chosen = if self.condition(condition, place, depth)? {
                        yes
                    } else {
                        no
                    };
                    self.evaluate(chosen, place, depth)
                }
                _ => Err(bad("needs a condition and two values")),
            },
            "Fn::Join" => match list(argument) {
                [Json::String(between), Json::Array(items)] => {
                    let texts = items.iter().map(|it| self.string(it, place, depth));
                    let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
                    Ok(Some(Json::String(texts.join(between))))
                }
                _ => Err(bad("needs a separator and a list")),
            },
            "Fn::Select" => match list(argument) {
                [index, from] => {
                    let from = self.evaluate(from, place, depth)?;
                    let index = scalar(index).and_then(|it| it.parse::<usize>().ok());
                    let items = from.as_ref().map(list).unwrap_or_default();
                    let item = index.and_then(|index| items.get(index));
                    let item = item.ok_or_else(|| bad("finds nothing at that index"))?;
                    Ok(Some(item.clone()))
                }
                _ => Err(bad("needs an index and a list")),
            },
            "Fn::Split" => match list(argument) {
                [Json::String(separator), text] => {
                    let text = self.string(text, place, depth)?;
                    Ok(Some(
                        text.split(separator.as_str()).map(Json::from).collect(),
                    ))
                }
                _ => Err(bad("needs a separator and a text")),
            },
            "Fn::Sub" => self.substitute(argument, place, depth).map(Some),
            "Fn::GetAtt" => self.attribute(argument, place, depth).map(Some),
            _ => Err(TemplateError::at(
                place,
                format!("{name} is not supported on one machine"),
            )),
        }
    }

    fn reference(
        &self,
        target: &str,
        place: &str,
        depth: usize,
    ) -> Result<Option<Json>, TemplateError> {
        let pseudo = match target {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => Some(STACK_NAME.to_owned()),
            "AWS::Region" => Some(REGION.to_owned()),
            "AWS::AccountId" => Some(ACCOUNT.to_owned()),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::URLSuffix" => Some("amazonaws.com".to_owned()),
            _ => None,
        };
        if let Some(value) = pseudo {
            return Ok(Some(Json::String(value)));
        }
        if let Some(parameter) = self.section("Parameters").and_then(|all| all.get(target)) {
            return self.parameter(target, parameter, place).map(Some);
        }
        self.name_of(target, place, depth)
            .map(|name| Some(Json::String(name)))
    }

    fn parameter(&self, name: &str, parameter: &Json, place: &str) -> Result<Json, TemplateError> {
        let variable = screaming_snake(name);
        let given = self
            .environment
            .get(&variable)
            .filter(|text| !text.is_empty())
            .map(|text| Json::String(text.clone()));
        let value = given
            .or_else(|| parameter.get("Default").cloned())
            .ok_or_else(|| {
                TemplateError::at(
                    place,
                    format!(
                        "the parameter {name} has no default; set {variable} in the environment"
                    ),
                )
            })?;
        let kind = parameter
            .get("Type")
            .and_then(Json::as_str)
            .unwrap_or("String");
        if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            let text = scalar(&value).unwrap_or_default();
            return Ok(Json::Array(
                text.split(',')
                    .map(|item| Json::from(item.trim_matches(' ')))
                    .collect(),
            ));
        }
        Ok(value)
    }

    /// The name that a resource has on this machine: the one that the template gives it. A table without
    /// one is called as `TABLE_NAME` says or else like the stack; anything else has its logical id.
    fn name_of(&self, id: &str, place: &str, depth: usize) -> Result<String, TemplateError> {
        let resource = self
            .section("Resources")
            .and_then(|all| all.get(id))
            .ok_or_else(|| TemplateError::at(place, format!("there is nothing called {id}")))?;
        let properties = resource.get("Properties");
        let given = [
            "TableName",
            "FunctionName",
            "LogGroupName",
            "QueueName",
            "Name",
        ]
        .iter()
        .find_map(|key| properties.and_then(|all| all.get(key)));
        if let Some(name) = given {
            return self.string(name, place, depth + 1);
        }
        let kind = resource
            .get("Type")
            .and_then(Json::as_str)
            .unwrap_or_default();
        Ok(if kind == "AWS::DynamoDB::Table" {
            let given = self.environment.get("TABLE_NAME").map(String::as_str);
            given.unwrap_or(STACK_NAME).to_owned()
        } else {
            id.to_owned()
        })
    }

    fn attribute(&self, argument: &Json, place: &str, depth: usize) -> Result<Json, TemplateError> {
        let text = match argument {
            Json::Array(parts) => parts
                .iter()
                .filter_map(Json::as_str)
                .collect::<Vec<_>>()
                .join("."),
            Json::String(text) => text.clone(),
            _ => String::new(),
        };
        let (id, attribute) = text.split_once('.').ok_or_else(|| {
            TemplateError::at(place, "Fn::GetAtt needs a resource and an attribute")
        })?;
        let name = self.name_of(id, place, depth)?;
        Ok(Json::String(match attribute {
            "Arn" => arn("local", &name),
            other => arn("local", &format!("{name}/{other}")),
        }))
    }

    /// Replaces each `${Name}` by what `Name` refers to, and each `${Name.Attribute}` by the attribute.
    fn substitute(
        &self,
        argument: &Json,
        place: &str,
        depth: usize,
    ) -> Result<Json, TemplateError> {
        let bad = |problem: &str| TemplateError::at(place, format!("Fn::Sub {problem}"));
        let text = argument.as_str().ok_or_else(|| bad("needs a text"))?;
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after
                .split_once('}')
                .ok_or_else(|| bad("has an unclosed ${"))?;
            result.push_str(before);
            rest = behind;
            let value = if name.contains('.') {
                Some(self.attribute(&Json::from(name), place, depth)?)
            } else {
                self.reference(name, place, depth)?
            };
            let value = value.as_ref().and_then(scalar);
            let value = value.ok_or_else(|| bad(&format!("finds no text for ${{{name}}}")))?;
            result.push_str(&value);
        }
        result.push_str(rest);
        Ok(Json::String(result))
    }

    fn string(&self, value: &Json, place: &str, depth: usize) -> Result<String, TemplateError> {
        let value = self.evaluate(value, place, depth)?;
        value
            .as_ref()
            .and_then(scalar)
            .ok_or_else(|| TemplateError::at(place, "needs a text here"))
    }

    /// Whether the condition of that name holds.
    pub(super) fn holds(&self, condition: &str, place: &str) -> Result<bool, TemplateError> {
        self.condition(condition, place, 0)
    }

    fn condition(&self, name: &str, place: &str, depth: usize) -> Result<bool, TemplateError> {
        let expression = self
            .section("Conditions")
            .and_then(|all| all.get(name))
            .ok_or_else(|| TemplateError::at(place, format!("there is no condition {name}")))?;
        self.truth(expression, &format!("Conditions.{name}"), depth + 1)
    }

    fn truth(&self, value: &Json, place: &str, depth: usize) -> Result<bool, TemplateError> {
        let bad = |problem: &str| TemplateError::at(place, problem);
        let object = value.as_object().ok_or_else(|| bad("is not a condition"))?;
        let (name, argument) = intrinsic(object).ok_or_else(|| bad("is not a condition"))?;
        match (name, list(argument)) {
            ("Fn::Equals", [left, right]) => {
                let left = self.string(left, place, depth + 1)?;
                Ok(left == self.string(right, place, depth + 1)?)
            }
            ("Fn::Equals", _) => Err(bad("Fn::Equals needs two values")),
            ("Fn::Not", [item]) => Ok(!self.truth(item, place, depth + 1)?),
            ("Fn::Not", _) => Err(bad("Fn::Not needs one condition")),
            ("Fn::And", items) => {
                let items = items.iter().map(|item| self.truth(item, place, depth + 1));
                let items: Vec<_> = items.collect::<Result<_, _>>()?;
                Ok(items.into_iter().all(|holds| holds))
            }
            (other, _) => Err(bad(&format!("{other} is not supported in a condition"))),
        }
    }
}

/// The name and the argument of the intrinsic function that `object` calls, if it is a call.
fn intrinsic(object: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (name, argument) = object.iter().next()?;
    let is_call = name == "Ref" || name.starts_with("Fn::");
    (object.len() == 1 && is_call).then_some((name, argument))
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text, number or truth value as a template would write it.
pub(crate) fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// `CodeTtlSeconds` as `CODE_TTL_SECONDS`.
pub(super) fn screaming_snake(name: &str) -> String {
    let mut result = String::new();
    let mut previous: Option<char> = None;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && previous.is_some_and(|it| !it.is_ascii_uppercase()) {
            result.push('_');
        }
        result.push(letter.to_ascii_uppercase());
        previous = Some(letter);
    }
    result
}

#[cfg(test)]
mod tests;
