//! The whole template as this machine needs it.

use super::document::Template;
use super::{
    ConfigurationSets, Cors, Environment, EventRule, EventSource, Function, LogSubscription,
    MailTemplate, Route, Secret, Table, TemplateError, function, resources,
};

/// What runs: read from the template, with every expression evaluated.
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
    /// What the table's stream feeds.
    pub event_sources: Vec<EventSource>,
    /// What the event bus gives to whom.
    pub event_rules: Vec<EventRule>,
    /// Who wants which lines of the functions' logs.
    pub log_subscriptions: Vec<LogSubscription>,
    /// The mail templates.
    pub mail_templates: Vec<MailTemplate>,
    /// The SES configuration sets.
    pub configuration_sets: ConfigurationSets,
    /// The secrets.
    pub secrets: Vec<Secret>,
}

impl Stack {
    /// Reads the text of a template; `environment` overrides its parameters.
    ///
    /// # Errors
    /// A sentence that names what is missing or not supported.
    pub fn read(text: &str, environment: Environment) -> Result<Self, TemplateError> {
        let template = Template::read(text, environment)?;
        let mut functions = Vec::new();
        let mut events = function::Events::default();
        for resource in template.resources_of("AWS::Serverless::Function")? {
            function::read_events(&resource, &mut events)?;
            functions.push(function::read(&template, &resource)?);
        }
        let function::Events {
            routes,
            sources: mut event_sources,
            rules: event_rules,
            logs: log_subscriptions,
        } = events;
        for resource in template.resources_of("AWS::Lambda::EventSourceMapping")? {
            event_sources.push(function::read_event_source_mapping(&template, &resource)?);
        }
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
