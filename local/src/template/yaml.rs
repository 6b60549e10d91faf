//! YAML with the short tags of templates, turned into JSON with the long forms.

use serde_json::{Map, Value as Json};
use serde_yaml_ng::Value as Yaml;

use super::TemplateError;

/// Reads `text`; `!Ref X` becomes `{"Ref": "X"}`, `!Sub X` becomes `{"Fn::Sub": "X"}`, and so on.
/// Aliases and merges (`<<`) are replaced by what they stand for.
pub(super) fn read(text: &str) -> Result<Json, TemplateError> {
    let mut yaml: Yaml = serde_yaml_ng::from_str(text)?;
    yaml.apply_merge()?;
    to_json(yaml)
}

fn to_json(value: Yaml) -> Result<Json, TemplateError> {
    Ok(match value {
        Yaml::Null => Json::Null,
        Yaml::Bool(value) => Json::Bool(value),
        Yaml::Number(value) => number(&value),
        Yaml::String(value) => Json::String(value),
        Yaml::Sequence(items) => {
            Json::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        Yaml::Mapping(entries) => Json::Object(
            entries
                .into_iter()
                .map(|(key, value)| Ok((key_text(key)?, to_json(value)?)))
                .collect::<Result<_, TemplateError>>()?,
        ),
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let name = name.trim_start_matches('!');
            let long = match name {
                "Ref" => name.to_owned(),
                _ => format!("Fn::{name}"),
            };
            Json::Object(Map::from_iter([(long, to_json(tagged.value)?)]))
        }
    })
}

fn number(value: &serde_yaml_ng::Number) -> Json {
    value
        .as_i64()
        .map(Json::from)
        .or_else(|| value.as_u64().map(Json::from))
        .or_else(|| value.as_f64().map(Json::from))
        .unwrap_or(Json::Null)
}

fn key_text(key: Yaml) -> Result<String, TemplateError> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(value) => Ok(value.to_string()),
        other => Err(TemplateError::at(format!("{other:?}"), "is no key")),
    }
}
