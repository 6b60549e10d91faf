//! Functions, their routes and their event sources.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;

use super::document::{Resource, Template};
use super::intrinsics::scalar;
use super::{Filter, LogPattern, TemplateError};
use crate::gateway::GREEDY;

/// Lambda's own defaults.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);
const DEFAULT_MEMORY_MB: i64 = 128;
const DEFAULT_BATCH_SIZE: usize = 100;

/// The methods an HTTP API route can have.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A function of the stack.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// The name of its binary. Its output is marked with it.
    pub name: String,
    /// The name it is deployed under.
    pub function_name: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its memory. Only its environment says so here.
    pub memory_mb: i64,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The log group that its output goes to.
    pub log_group: String,
}

/// A route of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method, in capitals.
    pub method: String,
    /// The path, exactly, or with [`GREEDY`] in place of its end.
    pub path: String,
    /// The logical id of the function behind it.
    pub function: String,
}

/// A rule of the event bus with a function behind it.
#[derive(Clone, Debug)]
pub struct EventRule {
    /// The logical id of the function.
    pub function: String,
    /// The events that it gets.
    pub pattern: Filter,
}

/// A function's subscription to lines of another function's log.
#[derive(Clone, Debug)]
pub struct LogSubscription {
    /// The logical id of the subscriber.
    pub function: String,
    /// The log group.
    pub log_group: String,
    /// The lines that it gets.
    pub pattern: LogPattern,
}

/// What calls the functions of a template.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) routes: Vec<Route>,
    pub(super) sources: Vec<EventSource>,
    pub(super) rules: Vec<EventRule>,
    pub(super) logs: Vec<LogSubscription>,
}

/// The mapping from the table's stream to a function.
#[derive(Clone, Debug)]
pub struct EventSource {
    /// Its name in the template.
    pub name: String,
    /// The logical id of the function.
    pub function: String,
    /// The stream it reads.
    pub stream: String,
    /// Whether it reads it.
    pub is_enabled: bool,
    /// The most records of one invocation.
    pub batch_size: usize,
    /// How many lanes work at the same time.
    pub parallelization: usize,
    /// Attempts after the first, or `None` if only the age ends them.
    pub maximum_retry_attempts: Option<u64>,
    /// The age at which a record is given up, or `None` for no limit.
    pub maximum_record_age: Option<Duration>,
    /// Whether a batch that failed as a whole is tried again in two halves.
    pub bisect: bool,
    /// Whether the function reports which records failed.
    pub reports_failures: bool,
    /// A record passes if it matches one of them. Without any, all records pass.
    pub filters: Vec<Filter>,
}

#[cfg(test)]
impl EventSource {
    /// A mapping without filters, for tests.
    pub(crate) fn example() -> Self {
        Self {
            name: "Mapping".into(),
            function: "F".into(),
            stream: String::new(),
            is_enabled: true,
            batch_size: 10,
            parallelization: 10,
            maximum_retry_attempts: None,
            maximum_record_age: None,
            bisect: true,
            reports_failures: true,
            filters: Vec::new(),
        }
    }
}

pub(super) fn read(
    template: &Template,
    resource: &Resource<'_>,
) -> Result<Function, TemplateError> {
    if resource
        .text("PackageType")?
        .is_some_and(|kind| kind != "Zip")
    {
        return Err(resource.error("PackageType", "an image is not supported on one machine"));
    }
    let function_name = template.name_of(resource)?;
    let logging = resource.property("LoggingConfig")?;
    let log_group = logging.and_then(|logging| scalar(logging.get("LogGroup")?));
    Ok(Function {
        id: resource.id.to_owned(),
        name: binary(resource)?,
        log_group: log_group.unwrap_or_else(|| format!("/aws/lambda/{function_name}")),
        function_name,
        timeout: resource.seconds("Timeout")?.unwrap_or(DEFAULT_TIMEOUT),
        memory_mb: resource.number("MemorySize")?.unwrap_or(DEFAULT_MEMORY_MB),
        environment: resource.merged(&["Environment", "Variables"])?,
    })
}

/// The binary that cargo-lambda packages: the code folder's package has one, and both have the folder's
/// name.
fn binary(resource: &Resource<'_>) -> Result<String, TemplateError> {
    let folder = resource.text("CodeUri")?.unwrap_or_default();
    match folder.trim_end_matches('/').rsplit('/').next() {
        Some(name) if !name.is_empty() && name != "." => Ok(name.to_owned()),
        _ => Err(resource.error("CodeUri", "names no function folder")),
    }
}

pub(super) fn read_events(
    resource: &Resource<'_>,
    events: &mut Events,
) -> Result<(), TemplateError> {
    let declared = resource.property("Events")?.unwrap_or_default();
    for (name, event) in declared.as_object().into_iter().flatten() {
        let place = format!("Events.{name}");
        let properties = event.get("Properties").cloned().unwrap_or_default();
        match event.get("Type").and_then(Json::as_str).unwrap_or_default() {
            "HttpApi" => events.routes.push(route(resource, &place, &properties)?),
            "DynamoDB" => {
                let stream = properties.get("Stream").and_then(scalar);
                let source = event_source(resource, &place, &properties)?;
                events.sources.push(EventSource {
                    name: name.clone(),
                    function: resource.id.to_owned(),
                    stream: stream.unwrap_or_default(),
                    ..source
                });
            }
            "EventBridgeRule" => {
                let pattern = properties.get("Pattern").cloned().unwrap_or_default();
                let pattern =
                    Filter::compile(&pattern).map_err(|problem| resource.error(&place, problem))?;
                events.rules.push(EventRule {
                    function: resource.id.to_owned(),
                    pattern,
                });
            }
            "CloudWatchLogs" => events
                .logs
                .push(subscription(resource, &place, &properties)?),
            other => {
                let problem = format!("an event of type {other} is not supported on one machine");
                return Err(resource.error(&place, problem));
            }
        }
    }
    Ok(())
}

fn subscription(
    resource: &Resource<'_>,
    place: &str,
    properties: &Json,
) -> Result<LogSubscription, TemplateError> {
    let text = |key: &str| {
        let value = properties.get(key).and_then(scalar);
        value.ok_or_else(|| resource.error(place, format!("{key} is missing")))
    };
    Ok(LogSubscription {
        function: resource.id.to_owned(),
        log_group: text("LogGroupName")?,
        pattern: LogPattern::compile(&text("FilterPattern")?)
            .map_err(|problem| resource.error(place, problem))?,
    })
}

fn route(resource: &Resource<'_>, place: &str, properties: &Json) -> Result<Route, TemplateError> {
    let text = |key: &str| {
        let value = properties.get(key).and_then(scalar);
        value.ok_or_else(|| resource.error(place, format!("{key} is missing")))
    };
    let path = text("Path")?;
    let method = text("Method")?.to_ascii_uppercase();
    if !METHODS.contains(&method.as_str()) {
        let problem = format!("the method {method} is not supported on one machine");
        return Err(resource.error(place, problem));
    }
    let fixed = path.strip_suffix(GREEDY).unwrap_or(&path);
    if fixed.contains('{') || !path.starts_with('/') || fixed != path && !fixed.ends_with('/') {
        let problem = format!("the path {path} is not supported on one machine");
        return Err(resource.error(place, problem));
    }
    if properties
        .get("PayloadFormatVersion")
        .and_then(scalar)
        .is_some_and(|it| it != "2.0")
    {
        return Err(resource.error(place, "only payload format 2.0 is supported on one machine"));
    }
    Ok(Route {
        method,
        path,
        function: resource.id.to_owned(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterCriteria {
    filters: Vec<FilterPattern>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterPattern {
    pattern: String,
}

/// The mappings that are resources of their own. Each names its function, and may name an alias of it.
pub(super) fn event_source_mappings(
    template: &Template,
    functions: &[Function],
) -> Result<Vec<EventSource>, TemplateError> {
    let mut mappings = Vec::new();
    for resource in template.resources_of("AWS::Lambda::EventSourceMapping")? {
        let named = resource.text("FunctionName")?.unwrap_or_default();
        let name = named.split(':').next().unwrap_or_default();
        let function = functions.iter().find(|it| it.function_name == name);
        let Some(function) = function else {
            let problem = format!("there is no function called {name}");
            return Err(resource.error("FunctionName", problem));
        };
        let properties = resource.properties()?;
        let source = event_source(&resource, "Properties", &properties)?;
        mappings.push(EventSource {
            name: resource.id.to_owned(),
            function: function.id.clone(),
            stream: resource.text("EventSourceArn")?.unwrap_or_default(),
            ..source
        });
    }
    Ok(mappings)
}

/// The settings of an event source mapping's batches. The caller adds its name, function and stream.
fn event_source(
    resource: &Resource<'_>,
    place: &str,
    properties: &Json,
) -> Result<EventSource, TemplateError> {
    let number = |key: &str| -> Result<Option<i64>, TemplateError> {
        let text = properties.get(key).and_then(scalar);
        text.map(|text| {
            text.parse()
                .map_err(|_| resource.error(place, format!("{key} {text} is no number")))
        })
        .transpose()
    };
    let filters = match properties.get("FilterCriteria") {
        None => Vec::new(),
        Some(criteria) => {
            serde_json::from_value::<FilterCriteria>(criteria.clone())
                .map_err(|error| resource.error(place, format!("FilterCriteria: {error}")))?
                .filters
        }
    };
    let filters = filters.iter().map(|filter| {
        serde_json::from_str(&filter.pattern)
            .map_err(|error| format!("the filter pattern is no JSON: {error}"))
            .and_then(|pattern| Filter::compile(&pattern))
            .map_err(|problem| resource.error(place, problem))
    });
    let response_types = properties
        .get("FunctionResponseTypes")
        .and_then(Json::as_array);
    let enabled = properties.get("Enabled").and_then(scalar);
    let bisect = properties
        .get("BisectBatchOnFunctionError")
        .and_then(scalar);
    Ok(EventSource {
        name: String::new(),
        function: String::new(),
        stream: String::new(),
        is_enabled: enabled.as_deref() != Some("false"),
        batch_size: number("BatchSize")?
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(DEFAULT_BATCH_SIZE)
            .max(1),
        parallelization: number("ParallelizationFactor")?
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(1)
            .max(1),
        // -1 means no limit.
        maximum_retry_attempts: number("MaximumRetryAttempts")?.and_then(|it| it.try_into().ok()),
        maximum_record_age: number("MaximumRecordAgeInSeconds")?
            .and_then(|seconds| seconds.try_into().ok())
            .map(Duration::from_secs),
        bisect: bisect.as_deref() == Some("true"),
        reports_failures: response_types.is_some_and(|types| {
            types
                .iter()
                .any(|kind| kind.as_str() == Some("ReportBatchItemFailures"))
        }),
        filters: filters.collect::<Result<_, _>>()?,
    })
}
