//! The settings of mails: their sender, their links and their look.

use std::time::Duration;

use super::SettingsError;
use super::forms::{
    LONGEST_IN_MAIL, LONGEST_PAGE_URL, LONGEST_REPLY_TO, LONGEST_SENDER, LONGEST_SENDER_NAME,
    is_contact, is_page_url, is_picture, is_reply_to, is_sender, is_sender_name, is_url_in_mail,
};
use super::source::{Source, env};

/// The settings that only `deliver-mail` needs.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// `MAIL_FROM`: the sender's address.
    pub from: String,
    /// `MAIL_FROM_NAME`: the sender's name, which mail programs show in place of the address; none if not set.
    pub from_name: Option<String>,
    /// `MAIL_REPLY_TO`: where answers go; to the sender if not set.
    pub reply_to: Option<String>,
    /// `MAIL_TEMPLATE_PREFIX`: the prefix of the names of the stack's SES templates.
    pub template_prefix: String,
    /// `MAIL_CONFIGURATION_SET`: the SES configuration set, if any.
    pub configuration_set: Option<String>,
    /// `RECOVERY_PAGE_URL`: the page that mails with a code link to. If it is not set, that is the stack's own
    /// (`STACK_PAGE_URL`, which the template sets). None if it is `none`.
    pub recovery_page: Option<String>,
    /// `MAIL_BATCH_MILLISECONDS`: how long a mail request takes, whether or not anybody has its address. It has
    /// to be longer than SES takes to accept a mail. Zero is as long as it takes.
    pub batch: Duration,
}

impl MailSettings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first name that is missing, or a sender that is not a plain address.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name through `get`. An empty setting counts as not set.
    ///
    /// # Errors
    /// As [`MailSettings::from_env`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let source = Source(get);
        let from = source.required("MAIL_FROM")?;
        if !is_sender(&from) {
            return Err(SettingsError::NoSender {
                value: from,
                max: LONGEST_SENDER,
            });
        }
        let recovery_page = match source.text("RECOVERY_PAGE_URL") {
            // The stack knows where its own page is, however long that address is.
            None => source.text("STACK_PAGE_URL"),
            Some(url) if url == "none" => None,
            Some(value) if !is_page_url(&value) => {
                return Err(SettingsError::NoPageUrl {
                    value,
                    max: LONGEST_PAGE_URL,
                });
            }
            other => other,
        };
        let from_name = source.text("MAIL_FROM_NAME");
        if let Some(value) = from_name.clone().filter(|it| !is_sender_name(it)) {
            return Err(SettingsError::NoSenderName {
                value,
                max: LONGEST_SENDER_NAME,
            });
        }
        Ok(Self {
            from,
            from_name,
            reply_to: reply_to(&source)?,
            template_prefix: source.required("MAIL_TEMPLATE_PREFIX")?,
            configuration_set: source.text("MAIL_CONFIGURATION_SET"),
            recovery_page,
            batch: Duration::from_millis(source.number(
                "MAIL_BATCH_MILLISECONDS",
                400,
                0,
                10_000,
            )?),
        })
    }
}

/// `MAIL_REPLY_TO`.
fn reply_to(source: &Source<'_>) -> Result<Option<String>, SettingsError> {
    match source.text("MAIL_REPLY_TO") {
        Some(value) if !is_reply_to(&value) => Err(SettingsError::NoReplyTo {
            value,
            max: LONGEST_REPLY_TO,
        }),
        value => Ok(value),
    }
}

/// How the mails look. The stack writes these settings into its SES templates, so no function knows them: `cargo run` and
/// the operator's command read them here.
#[derive(Clone, Debug)]
pub struct Branding {
    /// `SERVICE_KIND`: what the texts call the service.
    pub kind: ServiceKind,
    /// `BRAND_COLOR`: the color of borders, as `#rrggbb`.
    pub color: String,
    /// `LOGO_URL`: the picture in place of the service's name.
    pub logo_url: Option<String>,
    /// `PRODUCT_URL`: where the service's name links to.
    pub product_url: Option<String>,
    /// `SUPPORT_CONTACT`: where people find help, an address or the address of a page.
    pub support_contact: Option<String>,
    /// Whether `MAIL_REPLY_TO` is set: then somebody reads what people answer.
    pub reads_replies: bool,
}

/// The kind of the service, by which the texts name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// An app.
    App,
    /// A website.
    Website,
}

impl Branding {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that is not what its name says.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name through `get`. An empty setting counts as not set.
    ///
    /// # Errors
    /// As [`Branding::from_env`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let source = Source(get);
        let kind = match source.text("SERVICE_KIND").as_deref() {
            None | Some("app") => ServiceKind::App,
            Some("website") => ServiceKind::Website,
            Some(other) => {
                return Err(SettingsError::NoChoice {
                    name: "SERVICE_KIND",
                    value: other.to_owned(),
                    allowed: "app, website",
                });
            }
        };
        let logo_url = source.text("LOGO_URL");
        if let Some(value) = logo_url.clone().filter(|it| !is_picture(it)) {
            let max = LONGEST_IN_MAIL;
            return Err(SettingsError::NoPicture { value, max });
        }
        let in_mail = |name, form, is_valid: fn(&str) -> bool| match source.text(name) {
            Some(value) if !is_valid(&value) => Err(SettingsError::NotForMails {
                name,
                value,
                form,
                max: LONGEST_IN_MAIL,
            }),
            value => Ok(value),
        };
        Ok(Self {
            kind,
            color: source.color()?,
            logo_url,
            product_url: in_mail(
                "PRODUCT_URL",
                "an address such as https://example.com",
                is_url_in_mail,
            )?,
            support_contact: in_mail(
                "SUPPORT_CONTACT",
                "an address such as help@example.com or https://example.com/help",
                is_contact,
            )?,
            reads_replies: reply_to(&source)?.is_some(),
        })
    }
}
