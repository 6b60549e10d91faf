//! The table, the mail templates, the secrets and the API's CORS configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;

use super::TemplateError;
use super::document::{Resource, Template};
use super::intrinsics::scalar;

/// The table, in the words of `CreateTable`, `UpdateTimeToLive` and `UpdateTable`.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What `!GetAtt` gives for its stream.
    pub stream_arn: String,
    /// `KeySchema`, as written.
    pub key_schema: Json,
    /// `AttributeDefinitions`, as written.
    pub attribute_definitions: Json,
    /// `GlobalSecondaryIndexes`, as written.
    pub global_secondary_indexes: Option<Json>,
    /// The attribute that expiry is read from.
    pub ttl_attribute: Option<String>,
    /// What a stream record holds.
    pub stream_view_type: Option<String>,
}

/// An SES template.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MailTemplate {
    /// Its name.
    #[serde(rename = "TemplateName")]
    pub name: String,
    /// The subject.
    #[serde(rename = "SubjectPart", default)]
    pub subject: String,
    /// The plain text part.
    #[serde(rename = "TextPart", default)]
    pub text: String,
    /// The HTML part.
    #[serde(rename = "HtmlPart", default)]
    pub html: String,
}

/// The SES configuration sets, each with the types of its events that go to the event bus.
pub type ConfigurationSets = BTreeMap<String, BTreeSet<String>>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventDestination {
    #[serde(default)]
    enabled: bool,
    matching_event_types: Vec<String>,
    event_bridge_destination: Option<Json>,
}

/// A generated secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its logical id.
    pub id: String,
    /// Its name on this machine.
    pub name: String,
    /// How many letters and digits it has.
    pub length: usize,
}

/// What the API answers to browsers of other origins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cors {
    /// The allowed origins; `*`, `https://*` and `http://*` are patterns.
    pub origins: Vec<String>,
    /// The allowed methods.
    pub methods: Vec<String>,
    /// The allowed request headers.
    pub headers: Vec<String>,
    /// The response headers a script may read.
    pub exposed: Vec<String>,
    /// For how many seconds a preflight answer may be kept.
    pub max_age: Option<i64>,
    /// Whether credentials may be sent.
    pub credentials: bool,
}

pub(super) fn cors(template: &Template) -> Result<Option<Cors>, TemplateError> {
    let apis = template.resources_of("AWS::Serverless::HttpApi")?;
    let api = match apis.as_slice() {
        [] => return Ok(None),
        [api] => api,
        [_, second, ..] => {
            return Err(second.error("Type", "one machine serves one HttpApi only"));
        }
    };
    match api.text("StageName")?.as_deref() {
        None | Some("$default") => {}
        Some(other) => {
            let problem = format!("the stage {other} is not supported on one machine");
            return Err(api.error("StageName", problem));
        }
    }
    let key = "CorsConfiguration";
    let Some(configuration) = api.property(key)? else {
        return Ok(None);
    };
    if !configuration.is_object() {
        return Err(api.error(key, "needs an object"));
    }
    let texts = |name: &str| -> Vec<String> {
        match configuration.get(name) {
            Some(Json::Array(items)) => items.iter().filter_map(scalar).collect(),
            Some(other) => scalar(other).into_iter().collect(),
            None => Vec::new(),
        }
    };
    let flag = configuration.get("AllowCredentials").and_then(scalar);
    Ok(Some(Cors {
        origins: texts("AllowOrigins"),
        methods: texts("AllowMethods"),
        headers: texts("AllowHeaders"),
        exposed: texts("ExposeHeaders"),
        max_age: configuration
            .get("MaxAge")
            .and_then(scalar)
            .map(|text| {
                text.parse()
                    .map_err(|_| api.error(key, "MaxAge is no number"))
            })
            .transpose()?,
        credentials: flag.as_deref() == Some("true"),
    }))
}

pub(super) fn table(template: &Template) -> Result<Table, TemplateError> {
    let tables = template.resources_of("AWS::DynamoDB::Table")?;
    let [table] = tables.as_slice() else {
        return Err(TemplateError::at(
            "Resources",
            "one machine needs exactly one DynamoDB table",
        ));
    };
    let required = |key: &str| {
        table
            .property(key)?
            .ok_or_else(|| table.error(key, "is missing"))
    };
    let inner = |key: &str, name: &str| -> Result<Option<String>, TemplateError> {
        Ok(table
            .property(key)?
            .as_ref()
            .and_then(|value| value.get(name))
            .and_then(scalar))
    };
    let ttl_enabled = inner("TimeToLiveSpecification", "Enabled")?.as_deref() == Some("true");
    let ttl_attribute = inner("TimeToLiveSpecification", "AttributeName")?;
    Ok(Table {
        name: template.name_of(table)?,
        stream_arn: template.attribute_of(table, "StreamArn")?,
        key_schema: required("KeySchema")?,
        attribute_definitions: required("AttributeDefinitions")?,
        global_secondary_indexes: table.property("GlobalSecondaryIndexes")?,
        ttl_attribute: ttl_attribute.filter(|_| ttl_enabled),
        stream_view_type: inner("StreamSpecification", "StreamViewType")?,
    })
}

pub(super) fn mail_templates(template: &Template) -> Result<Vec<MailTemplate>, TemplateError> {
    template
        .resources_of("AWS::SES::Template")?
        .iter()
        .map(|resource| {
            resource
                .typed("Template")?
                .ok_or_else(|| resource.error("Template", "is missing"))
        })
        .collect()
}

pub(super) fn configuration_sets(template: &Template) -> Result<ConfigurationSets, TemplateError> {
    let mut sets = ConfigurationSets::new();
    for resource in template.resources_of("AWS::SES::ConfigurationSet")? {
        sets.insert(template.name_of(&resource)?, BTreeSet::new());
    }
    for resource in template.resources_of("AWS::SES::ConfigurationSetEventDestination")? {
        let name = resource.text("ConfigurationSetName")?.unwrap_or_default();
        let Some(types) = sets.get_mut(&name) else {
            let problem = format!("there is no configuration set {name}");
            return Err(resource.error("ConfigurationSetName", problem));
        };
        let destination: EventDestination = resource
            .typed("EventDestination")?
            .ok_or_else(|| resource.error("EventDestination", "is missing"))?;
        if destination.enabled && destination.event_bridge_destination.is_some() {
            types.extend(destination.matching_event_types);
        }
    }
    Ok(sets)
}

pub(super) fn secrets(template: &Template) -> Result<Vec<Secret>, TemplateError> {
    template
        .resources_of("AWS::SecretsManager::Secret")?
        .iter()
        .map(|resource| secret(template, resource))
        .collect()
}

fn secret(template: &Template, resource: &Resource<'_>) -> Result<Secret, TemplateError> {
    let key = "GenerateSecretString";
    let generate = resource.property(key)?.ok_or_else(|| {
        resource.error(key, "is missing: a secret is generated here, never copied")
    })?;
    if generate.get("SecretStringTemplate").is_some() {
        return Err(resource.error(key, "SecretStringTemplate is not supported on one machine"));
    }
    let length = generate
        .get("PasswordLength")
        .and_then(scalar)
        .unwrap_or_else(|| "32".to_owned());
    Ok(Secret {
        id: resource.id.to_owned(),
        name: template.name_of(resource)?,
        length: length
            .parse()
            .map_err(|_| resource.error(key, format!("PasswordLength {length} is no number")))?,
    })
}
