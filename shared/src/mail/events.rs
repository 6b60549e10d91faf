//! SES's events about mails that it accepted: recorded on the mail request, counted, and acted upon.
//!
//! An address that bounced for good or complained is suppressed. Callers cannot notice it: only the
//! delivery of mail reads it, and no caller waits for that.

use regain_password::Address;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::audit::{About, AuditTrail, Event, Suppressed};
use crate::ids::SessionRef;
use crate::keys::AuditKey;
use crate::metrics::{self, Metric};
use crate::secrets::{SecretError, Secrets};
use crate::store::{Mailbox, Report, Store, StoreError, Suppression, mail_session, tagged_mail};
use crate::timestamp::Timestamp;

/// An event of SES, as the event bus delivers it. SES leaves out what it does not know, or sends null. So
/// every field may be missing, and a missing field does not make an event unreadable.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MailEvent {
    #[serde(deserialize_with = "or_default")]
    detail: Detail,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    #[serde(deserialize_with = "or_default")]
    event_type: String,
    #[serde(deserialize_with = "or_default")]
    mail: Mail,
    #[serde(deserialize_with = "or_default")]
    bounce: Bounce,
    #[serde(deserialize_with = "or_default")]
    complaint: Complaint,
    #[serde(deserialize_with = "or_default")]
    delivery_delay: Delay,
    #[serde(deserialize_with = "or_default")]
    failure: Failure,
    #[serde(deserialize_with = "or_default")]
    reject: Rejection,
}

/// The mail, as it was sent to SES.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mail {
    #[serde(deserialize_with = "texts")]
    destination: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    tags: Tags,
    /// When SES accepted it.
    #[serde(deserialize_with = "or_default")]
    timestamp: String,
}

/// The tags that deliver-mail gives each mail.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Tags {
    #[serde(deserialize_with = "texts")]
    mail_request: Vec<String>,
    #[serde(deserialize_with = "texts")]
    subject: Vec<String>,
}

impl Tags {
    fn subject(&self) -> Option<AuditKey> {
        AuditKey::from_hex(self.subject.first()?)
    }

    fn session(&self) -> Option<SessionRef> {
        mail_session(&tagged_mail(self.mail_request.first()?)?)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Bounce {
    #[serde(deserialize_with = "or_default")]
    bounce_type: String,
    #[serde(deserialize_with = "or_default")]
    bounce_sub_type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Complaint {
    #[serde(deserialize_with = "or_default")]
    complaint_feedback_type: String,
    #[serde(deserialize_with = "or_default")]
    complaint_sub_type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Delay {
    #[serde(deserialize_with = "or_default")]
    delay_type: String,
}

/// Without SES's message, which may quote the mail.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failure {
    #[serde(deserialize_with = "or_default")]
    template_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rejection {
    #[serde(deserialize_with = "or_default")]
    reason: String,
}

/// A value that may be null.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    value: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// Texts. Any of them may be null, and so may the list.
fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    let texts: Option<Vec<Option<String>>> = Option::deserialize(value)?;
    Ok(texts.into_iter().flatten().flatten().collect())
}

/// The subtypes of bounces and complaints about mails that SES dropped, because the recipient is on the suppression
/// list of the account or of SES itself.
const SUPPRESSION_LISTS: [&str; 2] = ["OnAccountSuppressionList", "Suppressed"];

/// What an event means for the service.
struct Verdict {
    report: Report,
    /// The reason, in SES's word.
    why: String,
    /// Whether its recipient is to be suppressed.
    suppression: Option<Suppression>,
    metric: Option<Metric>,
}

impl Detail {
    fn verdict(&self) -> Option<Verdict> {
        let verdict = |report, why: &str, suppression, metric| {
            Some(Verdict {
                report,
                why: word(why),
                suppression,
                metric,
            })
        };
        match self.event_type.as_str() {
            "Bounce" => {
                let Bounce {
                    bounce_type,
                    bounce_sub_type,
                } = &self.bounce;
                let why = format!("{bounce_type}-{bounce_sub_type}");
                // A full mailbox may be emptied. A mailbox that does not exist will not appear.
                if bounce_type == "Permanent" {
                    // SES dropped the mail because of its own list, and no mailbox has refused it.
                    let was_dropped = SUPPRESSION_LISTS.contains(&bounce_sub_type.as_str());
                    let bounced = (!was_dropped).then_some(Suppression::Bounced);
                    verdict(Report::Bounced, &why, bounced, Some(Metric::Bounces))
                } else {
                    verdict(Report::Bounced, &why, None, None)
                }
            }
            "Complaint" => {
                let Complaint {
                    complaint_feedback_type,
                    complaint_sub_type,
                } = &self.complaint;
                // This complaint withdraws an earlier one (RFC 5965, 3.1; RFC 6430).
                if complaint_feedback_type == "not-spam" {
                    return None;
                }
                let metric = Some(Metric::Complaints);
                // SES dropped the mail because of its own list, and nobody has complained about it.
                if SUPPRESSION_LISTS.contains(&complaint_sub_type.as_str()) {
                    return verdict(Report::Complained, complaint_sub_type, None, metric);
                }
                let complained = Some(Suppression::Complained);
                verdict(
                    Report::Complained,
                    complaint_feedback_type,
                    complained,
                    metric,
                )
            }
            "DeliveryDelay" => {
                let metric = Some(Metric::DeliveryDelays);
                verdict(
                    Report::Delayed,
                    &self.delivery_delay.delay_type,
                    None,
                    metric,
                )
            }
            "Rendering Failure" => {
                let metric = Some(Metric::RenderingFailures);
                verdict(
                    Report::NotRendered,
                    &self.failure.template_name,
                    None,
                    metric,
                )
            }
            "Reject" => {
                let metric = Some(Metric::MailsFailed);
                verdict(Report::Rejected, &self.reject.reason, None, metric)
            }
            _ => None,
        }
    }
}

/// Handles SES's events.
#[derive(Debug)]
pub struct MailEvents {
    store: Store,
    audit: AuditTrail,
    /// With these, suppressions are stored by the keyed digests of addresses, because users live elsewhere.
    elsewhere: Option<Secrets>,
}

/// Why an event was not handled.
#[derive(Debug, Error)]
pub enum Unhandled {
    /// The table could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index key could not be fetched.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl MailEvents {
    /// Handles events about the mail requests of a store.
    #[must_use]
    pub fn new(store: Store, audit: AuditTrail) -> Self {
        Self {
            store,
            audit,
            elsewhere: None,
        }
    }

    /// The same for users who live elsewhere.
    #[must_use]
    pub fn with_users_elsewhere(self, secrets: Secrets) -> Self {
        let elsewhere = Some(secrets);
        Self { elsewhere, ..self }
    }

    /// Handles one event. Events may come more than once, in any order, and after their mail request is gone.
    ///
    /// # Errors
    /// When the table or the secret cannot be asked. The event is to be delivered again.
    pub async fn handle(&self, event: MailEvent, at: Timestamp) -> Result<(), Unhandled> {
        let Some(verdict) = event.detail.verdict() else {
            return Ok(());
        };
        let mail = event.detail.mail;
        let sent_at = Timestamp::parse_rfc3339(&mail.timestamp).unwrap_or(at);
        let mut is_suppressed = false;
        if let Some(suppression) = verdict.suppression {
            // The mail has one recipient. The report itself may name others, such as somebody whom the mail was
            // forwarded to, or everybody of a domain.
            for recipient in &mail.destination {
                if let Ok(address) = Address::parse(recipient) {
                    self.suppress(&address, suppression, sent_at, at).await?;
                    is_suppressed = true;
                }
            }
        }
        let report = verdict.report.name();
        let why = verdict.why.as_str();
        let is_new = match mail.tags.mail_request.first() {
            Some(tag) => self.store.report(tag, verdict.report, why, at).await?,
            None => true,
        };
        if is_new && let Some(metric) = verdict.metric {
            metrics::count(metric);
        }
        if is_new
            && is_suppressed
            && let Some(suppression) = verdict.suppression
        {
            let about = About {
                subject: mail.tags.subject(),
                session: mail.tags.session(),
                ..About::default()
            };
            let suppressed = match suppression {
                Suppression::Bounced => Suppressed::Bounced,
                Suppression::Complained => Suppressed::Complained,
            };
            self.audit.record(Event::Suppressed(suppressed), &about, at);
        }
        if verdict.report == Report::NotRendered {
            tracing::error!(template = why, "SES could not fill a template");
        } else {
            tracing::info!(report, why, "SES reported a delivery event");
        }
        Ok(())
    }
}

impl MailEvents {
    async fn suppress(
        &self,
        address: &Address,
        why: Suppression,
        sent_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), Unhandled> {
        let digest = match &self.elsewhere {
            None => None,
            Some(secrets) => Some(secrets.index().await?.address(address)),
        };
        let mailbox = match &digest {
            None => Mailbox::InTable(address),
            Some(key) => Mailbox::Elsewhere(key),
        };
        Ok(self.store.suppress(mailbox, why, sent_at, at).await?)
    }
}

/// The letters, digits, dashes and spaces of a text of SES.
fn word(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' '))
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_on(detail: &str) -> Option<Verdict> {
        serde_json::from_str::<Detail>(detail).unwrap().verdict()
    }

    #[test]
    fn only_a_hard_bounce_and_a_complaint_suppress() {
        for (detail, suppression) in [
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "General"}}"#,
                Some(Suppression::Bounced),
            ),
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}}"#,
                None,
            ),
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "Suppressed"}}"#,
                None,
            ),
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull"}}"#,
                None,
            ),
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": "Undetermined", "bounceSubType": "Undetermined"}}"#,
                None,
            ),
            (
                r#"{"eventType": "Complaint", "complaint": {"complaintFeedbackType": "abuse"}}"#,
                Some(Suppression::Complained),
            ),
            (
                r#"{"eventType": "Complaint", "complaint": {"complaintFeedbackType": null}}"#,
                Some(Suppression::Complained),
            ),
            (
                r#"{"eventType": "Complaint", "complaint": {"complaintSubType": "OnAccountSuppressionList"}}"#,
                None,
            ),
            (
                r#"{"eventType": "Complaint", "complaint": {"complaintSubType": "OnAccountSuppressionList", "complaintFeedbackType": "abuse"}}"#,
                None,
            ),
            (
                r#"{"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "SpamDetected"}}"#,
                None,
            ),
            (
                r#"{"eventType": "Rendering Failure", "failure": {"templateName": "t", "errorMessage": "m"}}"#,
                None,
            ),
            (
                r#"{"eventType": "Reject", "reject": {"reason": "Bad content"}}"#,
                None,
            ),
        ] {
            let verdict = verdict_on(detail).unwrap();
            assert_eq!(verdict.suppression, suppression, "{detail}");
        }
    }

    #[test]
    fn a_field_that_is_null_or_missing_is_no_error() {
        for (detail, why) in [
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": null}}"#,
                "Permanent-",
            ),
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": null}}"#,
                "-",
            ),
            (
                r#"{"eventType": "Bounce", "bounce": {"bounceType": "Tomorrow", "bounceSubType": "X"}}"#,
                "Tomorrow-X",
            ),
            (r#"{"eventType": "Bounce", "bounce": null}"#, "-"),
            (r#"{"eventType": "Bounce", "mail": null}"#, "-"),
            (
                r#"{"eventType": "Bounce", "mail": {"destination": null, "tags": null}}"#,
                "-",
            ),
            (
                r#"{"eventType": "Bounce", "mail": {"destination": [null], "tags": {"mail-request": null, "subject": [null]}}}"#,
                "-",
            ),
            (r#"{"eventType": "Complaint", "complaint": null}"#, ""),
            (r#"{"eventType": "DeliveryDelay"}"#, ""),
            (
                r#"{"eventType": "Rendering Failure", "failure": {"templateName": null}}"#,
                "",
            ),
            (r#"{"eventType": "Reject", "reject": {}}"#, ""),
        ] {
            let verdict = verdict_on(detail).unwrap();
            assert_eq!(verdict.why, why, "{detail}");
        }
        for event in [
            "{}",
            r#"{"detail": null}"#,
            r#"{"detail": {"eventType": null}}"#,
        ] {
            let event: MailEvent = serde_json::from_str(event).unwrap();
            assert!(event.detail.verdict().is_none());
        }
    }

    #[test]
    fn a_withdrawn_complaint_and_an_unknown_event_are_ignored() {
        for detail in [
            r#"{"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}}"#,
            r#"{"eventType": "Delivery", "delivery": {}}"#,
            r#"{"eventType": "Tomorrow"}"#,
        ] {
            assert!(verdict_on(detail).is_none(), "{detail}");
        }
    }

    #[test]
    fn a_reason_of_ses_is_stored_without_an_address() {
        assert_eq!(word("Permanent-General"), "Permanent-General");
        assert_eq!(word("550 <ann@example.com>\n"), "550 annexamplecom");
        assert_eq!(word(&"x".repeat(200)).len(), 100);
    }
}
