//! The bodies of requests to SES, as JSON.

use serde::{Deserialize, Serialize};

use crate::template::MailTemplate;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmail {
    pub(super) from_email_address: Option<String>,
    #[serde(default)]
    pub(super) destination: Destination,
    pub(super) configuration_set_name: Option<String>,
    #[serde(default)]
    pub(super) email_tags: Vec<MessageTag>,
    pub(super) content: EmailContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MessageTag {
    pub(super) name: String,
    pub(super) value: String,
}

impl MessageTag {
    pub(super) fn is_valid(&self) -> bool {
        [&self.name, &self.value].into_iter().all(|text| {
            (1..=256).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Destination {
    #[serde(default)]
    pub(super) to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EmailContent {
    pub(super) template: TemplateContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TemplateContent {
    pub(super) template_name: String,
    pub(super) template_data: Option<String>,
}

/// An address for the suppression list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireSuppressed {
    pub(super) email_address: String,
    pub(super) reason: String,
}

/// A template on the wire.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireTemplate {
    #[serde(default)]
    pub(super) template_name: String,
    pub(super) template_content: WireContent,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireContent {
    #[serde(default)]
    pub(super) subject: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) html: String,
}

impl From<WireTemplate> for MailTemplate {
    fn from(wire: WireTemplate) -> Self {
        let WireContent {
            subject,
            text,
            html,
        } = wire.template_content;
        Self {
            name: wire.template_name,
            subject,
            text,
            html,
        }
    }
}

impl From<&MailTemplate> for WireTemplate {
    fn from(template: &MailTemplate) -> Self {
        let MailTemplate {
            name,
            subject,
            text,
            html,
        } = template.clone();
        Self {
            template_name: name,
            template_content: WireContent {
                subject,
                text,
                html,
            },
        }
    }
}
