//! Checks the parts of a mail: what SES would not deliver, and what people or programs would not find.

use std::collections::BTreeSet;

use html5gum::{Token, Tokenizer};
use regain::template::Template;

/// The parts of a template.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The variables that `deliver-mail` fills in for every mail, for a mail with a code, and for a notice. SES accepts a
/// mail whose template has another variable, and never delivers it.
const EVERYWHERE: [&str; 2] = ["serviceName", "serviceNameHtml"];
const WITH_A_CODE: [&str; 3] = ["code", "validFor", "link"];
const IN_A_NOTICE: [&str; 1] = ["notMeLink"];

/// The largest HTML part in bytes: Gmail cuts a mail off behind 102 KB.
const LARGEST: usize = 100_000;
/// Digits in a row that could be taken for a code.
const DIGITS_OF_A_CODE: usize = 4;

impl Parts {
    /// Everything that is wrong with the template.
    pub(crate) fn flaws(&self, template: Template) -> Vec<String> {
        let mut known: BTreeSet<&str> = EVERYWHERE.into();
        if template.carries_code() {
            known.extend(WITH_A_CODE);
        } else {
            known.extend(IN_A_NOTICE);
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
            let needed: &[&str] = match name {
                "subject" => &[],
                _ if template.carries_code() => &["code", "link"],
                _ => &["notMeLink"],
            };
            let shown = shown(part);
            let missing = needed.iter().filter(|variable| !shown.contains(*variable));
            flaws.extend(missing.map(|it| format!("its {name} part does not show {{{{{it}}}}}")));
        }
        let mut code = self
            .text
            .lines()
            .filter(|line| shown(line).contains("code"));
        if code.any(|line| line != "{{code}}") {
            flaws.push("its text part does not have {{code}} alone on a line".to_owned());
        }
        for (name, part) in [("subject", &self.subject), ("text", &self.text)] {
            if has_digits(part) {
                flaws.push(format!(
                    "its {name} part has {DIGITS_OF_A_CODE} digits in a row, which could be taken for a code"
                ));
            }
        }
        if variables(&self.html).contains("serviceName") {
            flaws.push("its HTML part uses {{serviceName}}, which is not escaped".to_owned());
        }
        if self.html.len() > LARGEST {
            flaws.push(format!("its HTML part has more than {LARGEST} bytes"));
        }
        if is_tracked(&self.html) {
            flaws.push("its HTML part has a link without ses:no-track".to_owned());
        }
        flaws.extend(loaded(&self.html));
        flaws
    }
}

/// The names between double or triple braces, those that a condition asks for included.
fn variables(part: &str) -> BTreeSet<&str> {
    let names = tags(part).map(|tag| tag.strip_prefix("#if ").unwrap_or(tag).trim());
    names.collect()
}

/// The names of the variables whose values are shown.
fn shown(part: &str) -> BTreeSet<&str> {
    tags(part).filter(|tag| !tag.starts_with('#')).collect()
}

/// The tags in double or triple braces: variables, and the beginnings of conditions.
fn tags(part: &str) -> impl Iterator<Item = &str> {
    let opened = part.split("{{").skip(1);
    opened
        .map(|rest| rest.split_once("}}").map_or(rest, |(inside, _)| inside))
        .map(|inside| inside.trim_matches(['{', '}', ' ']))
        .filter(|inside| !inside.is_empty() && !inside.starts_with(['!', '/']) && *inside != "else")
}

/// Whether SES would lead a link over a server of its own, if click tracking is on.
fn is_tracked(html: &str) -> bool {
    Tokenizer::new(html).any(|Ok(token)| match token {
        Token::StartTag(tag) if *tag.name == b"a" => {
            !tag.attributes.contains_key(&b"ses:no-track"[..])
        }
        _ => false,
    })
}

/// Whether a text has digits of its own that could be taken for a code.
fn has_digits(part: &str) -> bool {
    let mut run = 0;
    part.chars().any(|c| {
        run = if c.is_numeric() { run + 1 } else { 0 };
        run >= DIGITS_OF_A_CODE
    })
}

/// Resources, other than pictures, that an HTML part loads from elsewhere. Mail programs block them, or the load tells their server who reads.
fn loaded(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for Ok(token) in Tokenizer::new(html) {
        if let Token::StartTag(tag) = token {
            let name = String::from_utf8_lossy(&tag.name).into_owned();
            if matches!(
                &*name,
                "script" | "link" | "iframe" | "object" | "embed" | "video" | "audio"
            ) {
                found.push(format!("its HTML part has <{name}>, which loads something"));
            }
            let pictures = [&b"src"[..], b"srcset", b"background"];
            let is_loading = pictures.iter().any(|it| tag.attributes.contains_key(*it));
            if is_loading && name != "img" {
                found.push(format!("its HTML part has a <{name}> that loads something"));
            }
        }
    }
    if html.contains("url(") || html.contains("@import") {
        found.push("its HTML part has a style that loads something".to_owned());
    }
    if html.matches("<img").count() > 1 {
        found.push("its HTML part has more pictures than the logo".to_owned());
    }
    found
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
            "{{code}}\n\ngood for {{ validFor }} {{! a comment }}{{#if link}}\n{{link}}{{else}}.{{/if}}",
            "<b>{{code}}</b> {{link}} {{serviceNameHtml}} <img src=\"https://example.com/logo.png\">",
        );
        assert_eq!(code.flaws(Template::AuthV1ForgotPassword), [""; 0]);
        let notice = parts(
            "{{serviceName}}",
            "{{notMeLink}}",
            "<a ses:no-track href=\"{{notMeLink}}\">",
        );
        assert_eq!(notice.flaws(Template::PasswordChanged), [""; 0]);
    }

    #[test]
    fn every_flaw_of_a_template_is_told() {
        let code = parts("{{name}}", "no code", " ");
        assert_eq!(
            code.flaws(Template::DirectorySessionForgot),
            [
                "its subject part uses {{name}}, which no mail has",
                "its text part does not show {{code}}",
                "its text part does not show {{link}}",
                "it has no HTML part",
            ]
        );
        let notice = parts(
            "changed",
            "{{code}}{{#if link}}{{notMeLink}}{{/if}}",
            "{{{serviceName}}}{{notMeLink}}",
        );
        assert_eq!(
            notice.flaws(Template::PasswordChanged),
            [
                "its text part uses {{code}}, which no mail has",
                "its text part uses {{link}}, which no mail has",
                "its text part does not have {{code}} alone on a line",
                "its HTML part uses {{serviceName}}, which is not escaped",
            ]
        );
        let notice = parts(
            "changed",
            "{{#if notMeLink}}Block it{{/if}}",
            "<a href=\"{{#if notMeLink}}x{{/if}}\">",
        );
        assert_eq!(
            notice.flaws(Template::PasswordChanged),
            [
                "its text part does not show {{notMeLink}}",
                "its HTML part does not show {{notMeLink}}",
                "its HTML part has a link without ses:no-track",
            ]
        );
        for line in ["Code: {{ code }}", "{{{code}}}.", "{{code}} "] {
            let text = format!("{line}\n{{{{link}}}}");
            let code = parts("code", &text, "{{code}}{{link}}");
            assert_eq!(
                code.flaws(Template::AuthV1ForgotPassword),
                ["its text part does not have {{code}} alone on a line"],
                "{line}"
            );
        }
        let code = parts(
            "Code of 2024",
            "{{code}}.\n{{link}} 20245",
            &format!(
                "{{{{code}}}}{{{{link}}}}<link href=x><td background=x><p style='background: url(x)'><img src=x><img src=x>{}",
                "x".repeat(LARGEST)
            ),
        );
        assert_eq!(
            code.flaws(Template::AuthV1ForgotPassword),
            [
                "its text part does not have {{code}} alone on a line",
                "its subject part has 4 digits in a row, which could be taken for a code",
                "its text part has 4 digits in a row, which could be taken for a code",
                "its HTML part has more than 100000 bytes",
                "its HTML part has <link>, which loads something",
                "its HTML part has a <td> that loads something",
                "its HTML part has a style that loads something",
                "its HTML part has more pictures than the logo",
            ]
        );
    }
}
