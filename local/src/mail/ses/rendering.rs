//! Templates, parsed and rendered as SES does it.

use handlebars::{Handlebars, no_escape};
use regain::locale::Locale;
use regain::template::Template;
use serde_json::Value;

use crate::mail::store::Mail;
use crate::template::{MailTemplate, STACK_NAME};

/// Handlebars helpers that SES does not have.
const NOT_IN_SES: [&str; 11] = [
    "raw", "len", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not",
];

/// A template, parsed once.
pub(super) struct Compiled {
    pub(super) template: MailTemplate,
    engine: Handlebars<'static>,
}

const SUBJECT: &str = "subject";
const TEXT: &str = "text";
const HTML: &str = "html";

impl Compiled {
    pub(super) fn new(template: MailTemplate) -> Result<Self, String> {
        if template.name.is_empty() {
            return Err("TemplateName is missing".to_owned());
        }
        let mut engine = engine();
        let parts = [
            (SUBJECT, &template.subject),
            (TEXT, &template.text),
            (HTML, &template.html),
        ];
        for (name, part) in parts {
            engine
                .register_template_string(name, part)
                .map_err(|error| format!("{name}: {}", error.reason()))?;
        }
        Ok(Self { template, engine })
    }

    /// Renders the mail's parts. An error names the variable, never a value.
    pub(super) fn render(&self, data: &Value) -> Result<Content, String> {
        let render = |part: &str| {
            let rendered = self.engine.render(part, data);
            rendered.map_err(|error| format!("{}, {part}: {}", self.template.name, error.reason()))
        };
        Ok(Content {
            subject: render(SUBJECT)?,
            text: render(TEXT)?,
            html: render(HTML)?,
            template: code(&self.template.name),
        })
    }
}

/// The parts of a mail, ready to be sent.
pub(super) struct Content {
    subject: String,
    text: String,
    html: String,
    template: String,
}

impl Content {
    pub(super) fn addressed(&self, to: &str, from: &str, sent_at: &str) -> Mail {
        Mail {
            to: to.to_owned(),
            from: from.to_owned(),
            subject: self.subject.clone(),
            template: self.template.clone(),
            text: self.text.clone(),
            html: self.html.clone(),
            sent_at: sent_at.to_owned(),
        }
    }
}

/// Handlebars as SES has it: without HTML escaping and without helpers of this crate's own. A missing
/// variable is an error.
fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    for helper in NOT_IN_SES {
        engine.unregister_helper(helper);
    }
    engine
}

/// The template's code in the API, or its SES name if it is not one of the stack's.
fn code(ses_name: &str) -> String {
    let of_stack = |template: &&Template| {
        Locale::ALL
            .iter()
            .any(|locale| template.ses_name(STACK_NAME, *locale) == ses_name)
    };
    let known = Template::ALL;
    known
        .iter()
        .find(of_stack)
        .map_or(ses_name, |template| template.code())
        .to_owned()
}
