//! Checks that a template uses only the variables that Regain fills in. If a template has another variable,
//! SES accepts the mail and never delivers it.

use std::collections::BTreeSet;

use regain::template::Template;

/// The parts of a template.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The variables that `deliver-mail` fills in for every mail, and those for a mail with a code.
const EVERYWHERE: [&str; 2] = ["serviceName", "serviceNameHtml"];
const WITH_A_CODE: [&str; 2] = ["code", "validFor"];

impl Parts {
    /// Everything that is wrong with the template.
    pub(crate) fn flaws(&self, template: Template) -> Vec<String> {
        let mut known: BTreeSet<&str> = EVERYWHERE.into();
        if template.carries_code() {
            known.extend(WITH_A_CODE);
        }
        let mut flaws = Vec::new();
        for (name, part) in [
            ("subject", &self.subject),
            ("text", &self.text),
            ("HTML", &self.html),
        ] {
            if part.trim().is_empty() {
                flaws.push(format!("it has no {name} part"));
                continue;
            }
            let used = variables(part);
            let unknown = used.iter().filter(|variable| !known.contains(*variable));
            flaws.extend(
                unknown.map(|it| format!("its {name} part uses {{{{{it}}}}}, which no mail has")),
            );
            if template.carries_code() && name != "subject" && !used.contains("code") {
                flaws.push(format!("its {name} part does not show {{{{code}}}}"));
            }
        }
        if variables(&self.html).contains("serviceName") {
            flaws.push("its HTML part uses {{serviceName}}, which is not escaped".to_owned());
        }
        flaws
    }
}

/// The names between double or triple braces.
fn variables(part: &str) -> BTreeSet<&str> {
    let opened = part.split("{{").skip(1);
    opened
        .map(|rest| rest.split_once("}}").map_or(rest, |(inside, _)| inside))
        .map(|inside| inside.trim_matches(['{', '}', ' ']))
        .filter(|inside| !inside.is_empty() && !inside.starts_with('!'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(subject: &str, text: &str, html: &str) -> Parts {
        Parts {
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: html.to_owned(),
        }
    }

    #[test]
    fn a_template_with_what_mail_is_written_with_has_no_flaw() {
        let code = parts(
            "Your {{serviceName}} code",
            "{{ code }}, good for {{validFor}} {{! a comment }}",
            "<b>{{code}}</b> {{serviceNameHtml}}",
        );
        assert!(code.flaws(Template::AuthV1ForgotPassword).is_empty());
        let notice = parts("{{serviceName}}", "changed", "changed");
        assert!(notice.flaws(Template::PasswordChanged).is_empty());
    }

    #[test]
    fn every_flaw_of_a_template_is_told() {
        let code = parts("{{name}}", "no code", " ");
        assert_eq!(
            code.flaws(Template::DirectorySessionForgot),
            [
                "its subject part uses {{name}}, which no mail has",
                "its text part does not show {{code}}",
                "it has no HTML part",
            ]
        );
        let notice = parts("changed", "{{code}}", "{{{serviceName}}}");
        assert_eq!(
            notice.flaws(Template::PasswordChanged),
            [
                "its text part uses {{code}}, which no mail has",
                "its HTML part uses {{serviceName}}, which is not escaped",
            ]
        );
    }
}
