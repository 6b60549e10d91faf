//! The part of template.yaml that follows from the languages: an SES template for each mail in each language, and the
//! languages that an operator may set.

use std::fmt::Write as _;
use std::path::Path;

use regain::locale::Locale;
use regain::template::Template;

use super::source::name;
use super::{RESULTS, flaw};
use crate::failure::Failure;

/// Where template.yaml is, from the folder of the mails.
pub(super) const TEMPLATE: &str = "../template.yaml";

/// The last lines before the resources, and the first behind them.
const BEGIN: &str = "CloudFormation would make all at once.\n\n";
const END: &str = "  # --- Logs ---";
/// The text before and after the list of languages.
const LIST: (&str, &str) = ("AllowedValues: &languages [", "]");
/// The resource that the first template depends on.
const FIRST: &str = "MailEventDestination";

/// template.yaml with the resources and the list of the languages that there are now.
///
/// # Errors
/// If it cannot be read, or has no place for them.
pub(super) fn template(folder: &Path) -> Result<String, Failure> {
    let problem = |problem: String| flaw(folder, TEMPLATE, problem);
    let text = std::fs::read_to_string(folder.join(TEMPLATE))
        .map_err(|error| problem(format!("cannot be read: {error}")))?;
    let text = between(&text, BEGIN, &resources(), END);
    let text = text.and_then(|text| between(&text, LIST.0, Locale::TAGS, LIST.1));
    text.ok_or_else(|| problem("has no place for the mails or for the languages".to_owned()))
}

/// A text with other content between two marks.
fn between(text: &str, begin: &str, content: &str, end: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}{content}{end}{after}"))
}

/// The SES templates, each of which waits for the one before it. Those in English come last, so that the last one always
/// has the same name.
fn resources() -> String {
    let mut locales = Locale::ALL;
    locales.sort_by_key(|it| *it == Locale::En);
    let mut text = String::new();
    let mut before = FIRST.to_owned();
    for locale in locales {
        for template in Template::ALL {
            let id = id(template, locale);
            let (name, tag) = (name(template), locale.tag());
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "  {id}: {{Type: AWS::SES::Template, DependsOn: {before}, Properties: {{Template: \
                 {{Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: mails/{RESULTS}/{name}.{tag}.yaml}}}}}}}}}}"
            );
            before = id;
        }
    }
    text.push('\n');
    text
}

/// The logical id of a template. It never changes: `CloudFormation` would make a second template of the same name.
fn id(template: Template, locale: Locale) -> String {
    let mail = match template {
        Template::DirectorySessionForgot => "MailDirectorySessionForgot",
        Template::AuthV1ForgotPassword => "MailForgotPassword",
        Template::PasswordChanged => "MailPasswordChanged",
    };
    format!("{mail}{locale:?}")
}
