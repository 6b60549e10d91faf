//! A template and its resources, whose properties are read with their expressions evaluated.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::intrinsics::{Scope, scalar, screaming_snake};
use super::{Environment, TemplateError, yaml};

/// A template.
pub struct Template {
    scope: Scope,
}

/// One resource of the template.
pub struct Resource<'a> {
    /// Its logical id.
    pub id: &'a str,
    scope: &'a Scope,
    body: &'a Json,
    globals: Option<&'a Map<String, Json>>,
}

impl Template {
    /// Reads the file of a template and the files that it includes; `environment` overrides its parameters.
    ///
    /// # Errors
    /// When a file cannot be read or is not YAML.
    pub fn open(path: &Path, environment: Environment) -> Result<Self, TemplateError> {
        let scope = Scope::new(yaml::open(path)?, environment);
        Ok(Self { scope })
    }

    /// The values of the parameters that are texts, by the names of their environment variables.
    ///
    /// # Errors
    /// When one has no value.
    pub fn parameters(&self) -> Result<Environment, TemplateError> {
        let mut values = Environment::new();
        for name in self
            .scope
            .section("Parameters")
            .into_iter()
            .flatten()
            .map(|it| it.0)
        {
            let reference = serde_json::json!({ "Ref": name });
            let value = self.scope.resolve(&reference, "Parameters")?;
            if let Some(value) = value.as_ref().and_then(scalar) {
                values.insert(screaming_snake(name), value);
            }
        }
        Ok(values)
    }

    /// The resources of one type whose condition holds.
    ///
    /// # Errors
    /// When a condition cannot be evaluated.
    pub fn resources_of(&self, kind: &str) -> Result<Vec<Resource<'_>>, TemplateError> {
        let globals = match kind {
            "AWS::Serverless::Function" => Some("Function"),
            "AWS::Serverless::HttpApi" => Some("HttpApi"),
            _ => None,
        };
        let globals = globals
            .and_then(|name| self.scope.section("Globals")?.get(name))
            .and_then(Json::as_object);
        let mut found = Vec::new();
        for (id, body) in self.scope.section("Resources").into_iter().flatten() {
            if body.get("Type").and_then(Json::as_str) != Some(kind) {
                continue;
            }
            let resource = Resource {
                id,
                scope: &self.scope,
                body,
                globals,
            };
            let condition = body.get("Condition").and_then(Json::as_str);
            match condition {
                Some(name) if !self.scope.holds(name, &resource.place("Condition"))? => {}
                _ => found.push(resource),
            }
        }
        Ok(found)
    }

    /// The name that a resource has on this machine.
    ///
    /// # Errors
    /// When it cannot be evaluated.
    pub fn name_of(&self, resource: &Resource<'_>) -> Result<String, TemplateError> {
        let reference = serde_json::json!({"Ref": resource.id});
        let name = self.scope.resolve(&reference, resource.id)?;
        Ok(name.as_ref().and_then(scalar).unwrap_or_default())
    }

    /// What `!GetAtt` gives for a resource.
    ///
    /// # Errors
    /// When it cannot be evaluated.
    pub fn attribute_of(
        &self,
        resource: &Resource<'_>,
        attribute: &str,
    ) -> Result<String, TemplateError> {
        let reference = serde_json::json!({"Fn::GetAtt": [resource.id, attribute]});
        let value = self.scope.resolve(&reference, resource.id)?;
        Ok(value.as_ref().and_then(scalar).unwrap_or_default())
    }
}

impl Resource<'_> {
    /// The place of a key in this resource, for errors.
    pub(super) fn place(&self, key: &str) -> String {
        format!("Resources.{}.{key}", self.id)
    }

    /// An error at one of this resource's keys.
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> TemplateError {
        TemplateError::at(self.place(key), problem)
    }

    /// A property with its expressions evaluated: the resource's own, or else the one of `Globals`.
    ///
    /// # Errors
    /// When it cannot be evaluated.
    pub fn property(&self, key: &str) -> Result<Option<Json>, TemplateError> {
        let own = self.body.get("Properties").and_then(|all| all.get(key));
        let global = self.globals.and_then(|all| all.get(key));
        own.or(global).map_or(Ok(None), |value| {
            self.scope.resolve(value, &self.place(key))
        })
    }

    /// All of its own properties, with their expressions evaluated.
    pub(super) fn properties(&self) -> Result<Json, TemplateError> {
        let own = self.body.get("Properties").unwrap_or(&Json::Null);
        let properties = self.scope.resolve(own, &self.place("Properties"))?;
        Ok(properties.unwrap_or_default())
    }

    /// A property that maps names to values: those of `Globals`, overridden by the resource's own.
    pub(super) fn merged(&self, path: &[&str]) -> Result<BTreeMap<String, String>, TemplateError> {
        let mut merged = BTreeMap::new();
        let own = self.body.get("Properties").and_then(Json::as_object);
        for level in [self.globals, own].into_iter().flatten() {
            let mut found = level.get(path.first().copied().unwrap_or_default());
            for key in path.iter().skip(1) {
                found = found.and_then(|value| value.get(key));
            }
            for (name, value) in found.and_then(Json::as_object).into_iter().flatten() {
                let place = self.place(&format!("{}.{name}", path.join(".")));
                let Some(value) = self.scope.resolve(value, &place)? else {
                    continue;
                };
                let text = match &value {
                    // CloudFormation joins a list parameter like this.
                    Json::Array(items) => items
                        .iter()
                        .map(scalar)
                        .collect::<Option<Vec<_>>>()
                        .map(|all| all.join(",")),
                    other => scalar(other),
                };
                let text = text.ok_or_else(|| TemplateError::at(&place, "is not a text"))?;
                merged.insert(name.clone(), text);
            }
        }
        Ok(merged)
    }

    /// A property as a Rust type.
    pub(super) fn typed<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, TemplateError> {
        self.property(key)?
            .map(|value| serde_json::from_value(value))
            .transpose()
            .map_err(|error| self.error(key, error.to_string()))
    }

    /// A property that is a text or a number.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, TemplateError> {
        Ok(self.property(key)?.as_ref().and_then(scalar))
    }

    /// A property that is a whole number of at least -1.
    pub(super) fn number(&self, key: &str) -> Result<Option<i64>, TemplateError> {
        self.text(key)?
            .map(|text| {
                text.parse()
                    .map_err(|_| self.error(key, format!("{text} is no number")))
            })
            .transpose()
    }

    /// A property that is a number of seconds.
    pub(super) fn seconds(&self, key: &str) -> Result<Option<Duration>, TemplateError> {
        Ok(self
            .number(key)?
            .map(|seconds| Duration::from_secs(seconds.unsigned_abs())))
    }
}
