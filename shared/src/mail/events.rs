//! What SES tells of a mail after it took it: recorded on the mail request, counted, and heeded.
//!
//! An address that bounced for good or complained is suppressed. A caller cannot tell: only the
//! delivery of mail asks for it, and nobody waits for that.

use regain_password::Address;
use serde::{Deserialize, Deserializer};

use crate::audit::{About, AuditTrail, Event, Suppressed};
use crate::ids::SessionRef;
use crate::keys::AuditKey;
use crate::metrics::{self, Metric};
use crate::store::{Report, Store, StoreError, Suppression, mail_session, tagged_mail};
use crate::timestamp::Timestamp;

/// An event of SES, as the event bus hands it on, as far as it matters here. SES leaves out what it does
/// not know, or says null; nothing that is needed for no decision makes an event unreadable.
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

/// The mail as it was handed to SES.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mail {
    #[serde(deserialize_with = "texts")]
    destination: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    tags: Tags,
    /// When SES took it.
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
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Delay {
    #[serde(deserialize_with = "or_default")]
    delay_type: String,
}

/// What SES says in words is left out: it may quote the mail.
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

/// Texts, of which any may be null, and all of them.
fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    let texts: Option<Vec<Option<String>>> = Option::deserialize(value)?;
    Ok(texts.into_iter().flatten().flatten().collect())
}

/// The subtypes of the bounces of mails that SES drops, because the recipient is on the suppression list
/// of the account or of SES itself.
const SUPPRESSION_LISTS: [&str; 2] = ["OnAccountSuppressionList", "Suppressed"];

/// What an event comes to.
struct Verdict {
    report: Report,
    /// In SES's word for it.
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
                // A full mailbox may be emptied; one that does not exist will not appear.
                if bounce_type == "Permanent" {
                    // On a list of SES's the mail was dropped, and no mailbox was asked.
                    let was_dropped = SUPPRESSION_LISTS.contains(&bounce_sub_type.as_str());
                    let bounced = (!was_dropped).then_some(Suppression::Bounced);
                    verdict(Report::Bounced, &why, bounced, Some(Metric::Bounces))
                } else {
                    verdict(Report::Bounced, &why, None, None)
                }
            }
            "Complaint" => {
                let why = &self.complaint.complaint_feedback_type;
                // The one complaint that takes a complaint back (RFC 5965, 3.1; RFC 6430).
                if why == "not-spam" {
                    return None;
                }
                let (complained, metric) = (Suppression::Complained, Metric::Complaints);
                verdict(Report::Complained, why, Some(complained), Some(metric))
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

/// Hears what became of mails.
#[derive(Debug)]
pub struct MailEvents {
    store: Store,
    audit: AuditTrail,
}

impl MailEvents {
    /// Hears for the mail requests of a store.
    #[must_use]
    pub fn new(store: Store, audit: AuditTrail) -> Self {
        Self { store, audit }
    }

    /// Hears one event. It may come more than once, in any order, and after its mail request is gone.
    ///
    /// # Errors
    /// When the table cannot be asked: the event is to be given again.
    pub async fn hear(&self, event: MailEvent, at: Timestamp) -> Result<(), StoreError> {
        let Some(verdict) = event.detail.verdict() else {
            return Ok(());
        };
        let mail = event.detail.mail;
        let sent_at = Timestamp::parse_rfc3339(&mail.timestamp).unwrap_or(at);
        let mut is_suppressed = false;
        if let Some(suppression) = verdict.suppression {
            // A mail has one recipient. The reports that SES passes on may name others: whoever the mail
            // was forwarded to, or everybody of a domain.
            for recipient in &mail.destination {
                if let Ok(address) = Address::parse(recipient) {
                    self.store
                        .suppress(&address, suppression, sent_at, at)
                        .await?;
                    is_suppressed = true;
                }
            }
        }
        let told = verdict.report.name();
        let why = verdict.why.as_str();
        let is_news = match mail.tags.mail_request.first() {
            Some(tag) => self.store.report(tag, verdict.report, why, at).await?,
            None => true,
        };
        if is_news && let Some(metric) = verdict.metric {
            metrics::count(metric);
        }
        if is_news
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
            tracing::info!(told, why, "SES reported a delivery event");
        }
        Ok(())
    }
}

/// A word of SES's, as far as it is one.
fn word(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' '))
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(detail: &str) -> Option<Verdict> {
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
            let verdict = told(detail).unwrap();
            assert_eq!(verdict.suppression, suppression, "{detail}");
        }
    }

    #[test]
    fn what_is_null_or_missing_is_not_known_and_no_error() {
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
            let verdict = told(detail).unwrap();
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
    fn a_complaint_taken_back_and_an_event_nobody_asked_for_come_to_nothing() {
        for detail in [
            r#"{"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}}"#,
            r#"{"eventType": "Delivery", "delivery": {}}"#,
            r#"{"eventType": "Tomorrow"}"#,
        ] {
            assert!(told(detail).is_none(), "{detail}");
        }
    }

    #[test]
    fn what_is_kept_of_ses_is_words_and_never_an_address() {
        assert_eq!(word("Permanent-General"), "Permanent-General");
        assert_eq!(word("550 <ann@example.com>\n"), "550 annexamplecom");
        assert_eq!(word(&"x".repeat(200)).len(), 100);
    }
}
