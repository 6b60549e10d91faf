//! The stack: the whole template, as this machine needs it.

use std::path::Path;

use super::document::Template;
use super::{
    ConfigurationSets, Cors, Environment, EventRule, EventSource, Function, LogSubscription,
    MailTemplate, Route, Secret, Table, TemplateError, function, resources,
};

/// The stack to run, read from the template with every expression evaluated.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The functions.
    pub functions: Vec<Function>,
    /// The routes of the API.
    pub routes: Vec<Route>,
    /// The API's CORS configuration.
    pub cors: Option<Cors>,
    /// The one table.
    pub table: Table,
    /// The mappings from the table's stream to functions.
    pub event_sources: Vec<EventSource>,
    /// The rules of the event bus.
    pub event_rules: Vec<EventRule>,
    /// The subscriptions to the functions' logs.
    pub log_subscriptions: Vec<LogSubscription>,
    /// The mail templates.
    pub mail_templates: Vec<MailTemplate>,
    /// The SES configuration sets.
    pub configuration_sets: ConfigurationSets,
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// The parameters that are texts, by the names of their environment variables.
    pub parameters: Environment,
}

impl Stack {
    /// Reads the file of a template; `environment` overrides its parameters.
    ///
    /// # Errors
    /// A sentence that names the part that is missing or not supported.
    pub fn open(path: &Path, environment: Environment) -> Result<Self, TemplateError> {
        let template = Template::open(path, environment)?;
        let mut functions = Vec::new();
        let mut events = function::Events::default();
        for resource in template.resources_of("AWS::Serverless::Function")? {
            function::read_events(&resource, &mut events)?;
            functions.push(function::read(&template, &resource)?);
        }
        let mappings = function::event_source_mappings(&template, &functions)?;
        events.sources.extend(mappings);
        let function::Events {
            routes,
            sources: event_sources,
            rules: event_rules,
            logs: log_subscriptions,
        } = events;
        let stack = Self {
            functions,
            routes,
            cors: resources::cors(&template)?,
            table: resources::table(&template)?,
            event_sources,
            event_rules,
            log_subscriptions,
            mail_templates: resources::mail_templates(&template)?,
            configuration_sets: resources::configuration_sets(&template)?,
            secrets: resources::secrets(&template)?,
            parameters: template.parameters()?,
        };
        stack.check()?;
        Ok(stack)
    }

    /// The function with that logical id.
    #[must_use]
    pub fn function(&self, id: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.id == id)
    }

    fn check(&self) -> Result<(), TemplateError> {
        if self.routes.is_empty() {
            return Err(TemplateError::at("Resources", "no function has a route"));
        }
        for source in &self.event_sources {
            if self.function(&source.function).is_none() {
                let problem = format!("there is no function called {}", source.function);
                return Err(TemplateError::at("Resources", problem));
            }
            if source.stream != self.table.stream_arn {
                let place = format!("Resources.{}", source.function);
                return Err(TemplateError::at(
                    place,
                    "is fed by something else than the table",
                ));
            }
        }
        Ok(())
    }
}
