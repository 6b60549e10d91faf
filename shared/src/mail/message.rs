//! The parts of a mail: the code and the links, the variables of its template, its headers and tags, and its
//! recipient.

use aws_sdk_sesv2::types::{MessageHeader, MessageTag};
use regain_password::Address;
use serde_json::json;

use super::{Delivery, Undelivered};
use crate::code::{Code, CodeInput};
use crate::keys::IndexKeys;
use crate::link::LinkToken;
use crate::locale::Locale;
use crate::not_me::{DisownedChange, NotMeToken};
use crate::store::{MailContent, MailRequest, StoreError};
use crate::timestamp::Timestamp;

impl Delivery {
    /// The code and the link beside it, if the mail carries them. They are derived for the mailbox that the mail
    /// goes to: the user was found by this address and still has it.
    pub(super) async fn secret(
        &self,
        request: &MailRequest,
        keys: Option<&IndexKeys>,
        at: Timestamp,
    ) -> Result<Option<(Code, LinkToken)>, Undelivered> {
        let MailContent::Code {
            generation, nonce, ..
        } = &request.content
        else {
            return Ok(None);
        };
        let input = CodeInput {
            protocol: request.protocol,
            session: &request.session,
            generation: *generation,
            address: &keys
                .ok_or(Undelivered::NoIndexKey)?
                .address(&request.address),
            nonce,
        };
        let codes = self.secrets.code(at).await?;
        let code = codes.derive(&input, self.settings.code_length);
        Ok(Some((code, codes.derive_link(&input))))
    }

    /// The link to the recovery page, empty if there is none. Its fragment never reaches a server or a log.
    fn link(&self, token: &LinkToken) -> String {
        let page = self.mail.recovery_page.as_deref();
        page.map_or_else(String::new, |page| format!("{page}#t={}", *token.reveal()))
    }

    /// The link of a notice, by which the person says that it was not them. Empty if there is no recovery page, if
    /// the change is not known, or without the index key: the notice itself is then worth more than its link.
    fn not_me_link(&self, request: &MailRequest, keys: Option<&IndexKeys>) -> String {
        let token = || {
            let MailContent::Changed(Some(change)) = &request.content else {
                return None;
            };
            let change = DisownedChange {
                user: change.user.clone(),
                // A user who lives elsewhere has no number, and is not blocked here.
                credentials_version: change.credentials_version.number()?,
                changed_at: request.requested_at,
            };
            let token = NotMeToken::new(keys?.not_me(), &change, &request.address)?;
            let page = self.mail.recovery_page.as_deref()?;
            Some(format!("{page}#n={}", *token.reveal()))
        };
        token().unwrap_or_default()
    }

    /// The template's variables. SES does not escape what it inserts into HTML, so they are escaped here.
    pub(super) fn template_data(
        &self,
        request: &MailRequest,
        secret: Option<&(Code, LinkToken)>,
        keys: Option<&IndexKeys>,
        locale: Locale,
        at: Timestamp,
    ) -> String {
        let name = &self.settings.service_name;
        let name_html = html_escape::encode_safe(name);
        let longest = self.settings.limits.code_ttl;
        let data = match (secret, &request.content) {
            (Some((code, token)), MailContent::Code { expires_at, .. }) => json!({
                "code": code.reveal(),
                "link": self.link(token),
                // Never more than the setting, so that it cannot be a number as long as a code.
                "validFor": locale.lifetime(expires_at.since(at).min(longest)),
                "serviceName": name,
                "serviceNameHtml": name_html,
            }),
            _ => json!({
                "notMeLink": self.not_me_link(request, keys),
                "serviceName": name,
                "serviceNameHtml": name_html,
            }),
        };
        data.to_string()
    }
}

/// Tells other programs not to answer (RFC 3834): no notice of an absence comes back.
pub(super) fn automatic() -> Result<MessageHeader, StoreError> {
    let header = MessageHeader::builder()
        .name("Auto-Submitted")
        .value("auto-generated")
        .build();
    header.map_err(|error| StoreError::Malformed(error.into()))
}

pub(super) fn tag(name: &str, value: String) -> Result<MessageTag, StoreError> {
    let tag = MessageTag::builder().name(name).value(value).build();
    tag.map_err(|error| StoreError::Malformed(error.into()))
}

/// The address for SES: as the user has it, but with an international domain in its ASCII form (RFC 5890).
#[must_use]
pub fn recipient(stored: &str, canonical: &Address) -> String {
    let domain = canonical
        .as_str()
        .rsplit_once('@')
        .map(|(_, domain)| domain);
    let stored = Address::trim(stored);
    match (stored.rsplit_once('@'), domain) {
        (Some((local, typed)), Some(domain)) if !typed.is_ascii() => format!("{local}@{domain}"),
        _ => stored.to_owned(),
    }
}
