//! YAML with the short tags of templates, turned into JSON with the long forms.

use std::path::Path;

use serde_json::{Map, Value as Json};
use serde_yaml_ng::Value as Yaml;

use super::TemplateError;

/// Reads the file of a template, and the files that it includes.
pub(super) fn open(path: &Path) -> Result<Json, TemplateError> {
    let mut template = read(&text_of(path)?)?;
    include(&mut template, &path.with_file_name(""))?;
    Ok(template)
}

/// Puts what `AWS::Include` names into its place, beside the keys that are there already.
fn include(value: &mut Json, folder: &Path) -> Result<(), TemplateError> {
    match value {
        Json::Array(items) => items.iter_mut().try_for_each(|it| include(it, folder)),
        Json::Object(object) => {
            if let Some(transform) = object.remove("Fn::Transform") {
                object.extend(included(&transform, folder)?);
            }
            object.values_mut().try_for_each(|it| include(it, folder))
        }
        _ => Ok(()),
    }
}

fn included(transform: &Json, folder: &Path) -> Result<Map<String, Json>, TemplateError> {
    let is_include = transform.get("Name").is_some_and(|it| it == "AWS::Include");
    let location = transform.pointer("/Parameters/Location");
    let location = location.and_then(Json::as_str).filter(|_| is_include);
    let location = location.ok_or_else(|| {
        let problem = "only AWS::Include of a file is supported on one machine";
        TemplateError::at("Fn::Transform", problem)
    })?;
    match read(&text_of(&folder.join(location))?)? {
        Json::Object(included) => Ok(included),
        _ => Err(TemplateError::at(location, "is no mapping")),
    }
}

fn text_of(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path).map_err(|problem| TemplateError::File {
        path: path.to_owned(),
        problem,
    })
}

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
