//! The events that SES publishes after it has accepted a mail: bounces and complaints of its mailbox
//! simulator's addresses, and rendering failures.

use serde_json::{Value as Json, json};

use crate::random::Random;
use crate::template::{ACCOUNT, REGION};

/// The domain of SES's mailbox simulator. Its addresses bounce or complain on purpose.
const SIMULATOR: &str = "simulator.amazonses.com";

/// What happens to a mail after SES has accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is delivered.
    Delivered,
    /// The recipient's server rejects it.
    Bounced(&'static str),
    /// It is delivered, and the recipient reports it as spam.
    Complained,
    /// It is not sent, because its template cannot be rendered.
    NotRendered,
}

impl Outcome {
    /// The outcome for an address on the account's suppression list.
    pub(super) const SUPPRESSED: Self = Self::Bounced("OnAccountSuppressionList");

    /// The outcome for an address: the mailbox simulator's choose theirs, all others are delivered to.
    pub(super) fn of(recipient: &str) -> Self {
        let Some((local, domain)) = recipient.rsplit_once('@') else {
            return Self::Delivered;
        };
        if !domain.eq_ignore_ascii_case(SIMULATOR) {
            return Self::Delivered;
        }
        // A label may follow after a plus sign.
        match local.split('+').next().unwrap_or_default() {
            "bounce" => Self::Bounced("General"),
            "suppressionlist" => Self::SUPPRESSED,
            "complaint" => Self::Complained,
            _ => Self::Delivered,
        }
    }

    pub(super) const fn arrives(&self) -> bool {
        matches!(self, Self::Delivered | Self::Complained)
    }

    /// The event type, as a configuration set and as the event names it.
    const fn kind(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Delivered => None,
            Self::Bounced(_) => Some(("bounce", "Email Bounced")),
            Self::Complained => Some(("complaint", "Email Complaint Received")),
            Self::NotRendered => Some(("renderingFailure", "Email Rendering Failed")),
        }
    }
}

/// A mail that SES has accepted, as its events describe it.
pub(super) struct Accepted<'a> {
    pub(super) configuration_set: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) message_id: &'a str,
    pub(super) template: &'a str,
    /// The sender's own tags.
    pub(super) tags: &'a [(String, String)],
    pub(super) at: &'a str,
}

impl Accepted<'_> {
    /// The event that reports the mail's outcome, if its type is wanted.
    pub(super) fn event(
        &self,
        outcome: &Outcome,
        is_wanted: impl Fn(&str) -> bool,
        random: &Random,
    ) -> Option<Json> {
        let (_, detail_type) = outcome.kind().filter(|(kind, _)| is_wanted(kind))?;
        let recipient = json!([{"emailAddress": self.to}]);
        let feedback_id = format!("{}-000000", random.uuid());
        let mut detail = match outcome {
            Outcome::Delivered => return None,
            Outcome::Bounced(sub_type) => json!({"eventType": "Bounce", "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": sub_type,
                "bouncedRecipients": recipient,
                "timestamp": self.at,
                "feedbackId": feedback_id,
            }}),
            Outcome::Complained => json!({"eventType": "Complaint", "complaint": {
                "complainedRecipients": recipient,
                "complaintFeedbackType": "abuse",
                "timestamp": self.at,
                "feedbackId": feedback_id,
            }}),
            Outcome::NotRendered => json!({"eventType": "Rendering Failure", "failure": {
                "errorMessage": "a variable of the template is missing",
                "templateName": self.template,
            }}),
        };
        let mut tags: serde_json::Map<String, Json> = self
            .tags
            .iter()
            .map(|(name, value)| (name.clone(), json!([value])))
            .collect();
        let set = self.configuration_set;
        tags.insert("ses:configuration-set".to_owned(), json!([set]));
        if let Some(detail) = detail.as_object_mut() {
            let mail = json!({
                "timestamp": self.at,
                "source": self.from,
                "sendingAccountId": ACCOUNT,
                "messageId": self.message_id,
                "destination": [self.to],
                "tags": tags,
            });
            detail.insert("mail".to_owned(), mail);
        }
        Some(json!({
            "version": "0",
            "id": random.uuid().to_string(),
            "detail-type": detail_type,
            "source": "aws.ses",
            "account": ACCOUNT,
            "time": self.at,
            "region": REGION,
            "resources": [format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{set}")],
            "detail": detail,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mailbox_simulator_bounces_and_complains() {
        for (recipient, outcome) in [
            ("ann@example.com", Outcome::Delivered),
            ("bounce@example.com", Outcome::Delivered),
            ("success@simulator.amazonses.com", Outcome::Delivered),
            (
                "bounce@simulator.amazonses.com",
                Outcome::Bounced("General"),
            ),
            (
                "bounce+7@Simulator.AmazonSES.com",
                Outcome::Bounced("General"),
            ),
            ("complaint@simulator.amazonses.com", Outcome::Complained),
            (
                "suppressionlist@simulator.amazonses.com",
                Outcome::Bounced("OnAccountSuppressionList"),
            ),
        ] {
            assert_eq!(Outcome::of(recipient), outcome, "{recipient}");
        }
    }
}
