//! What SES tells of a mail after it took it: the events of its mailbox simulator, and the mails that it
//! could not render.

use serde_json::{Value as Json, json};

use crate::random::Random;
use crate::template::{ACCOUNT, REGION};

/// The domain of SES's mailbox simulator, whose addresses bounce and complain when asked to.
const SIMULATOR: &str = "simulator.amazonses.com";

/// What becomes of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives, and that is all.
    Delivered,
    /// The recipient's server refuses it.
    Bounced(&'static str),
    /// It arrives, and the recipient calls it spam.
    Complained,
    /// It is never sent: its template cannot be filled.
    NotRendered,
}

impl Fate {
    /// What becomes of a mail to an address on the account's suppression list.
    pub(super) const SUPPRESSED: Self = Self::Bounced("OnAccountSuppressionList");

    /// What the mailbox simulator does with an address, and anybody else's mailbox never.
    pub(super) fn of(recipient: &str) -> Self {
        let Some((local, domain)) = recipient.rsplit_once('@') else {
            return Self::Delivered;
        };
        if !domain.eq_ignore_ascii_case(SIMULATOR) {
            return Self::Delivered;
        }
        // A label after a plus sign tells senders apart.
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

    /// The event type, in the words of a configuration set and of the event.
    const fn kind(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Delivered => None,
            Self::Bounced(_) => Some(("bounce", "Email Bounced")),
            Self::Complained => Some(("complaint", "Email Complaint Received")),
            Self::NotRendered => Some(("renderingFailure", "Email Rendering Failed")),
        }
    }
}

/// A mail that SES took, as its events name it.
pub(super) struct Taken<'a> {
    pub(super) configuration_set: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) message_id: &'a str,
    pub(super) template: &'a str,
    /// The sender's own tags.
    pub(super) tags: &'a [(String, String)],
    pub(super) at: &'a str,
}

impl Taken<'_> {
    /// The event that tells of the mail's fate, if it is of a type that is asked for.
    pub(super) fn event(
        &self,
        fate: &Fate,
        is_wanted: impl Fn(&str) -> bool,
        random: &Random,
    ) -> Option<Json> {
        let (_, detail_type) = fate.kind().filter(|(kind, _)| is_wanted(kind))?;
        let recipient = json!([{"emailAddress": self.to}]);
        let feedback_id = format!("{}-000000", random.uuid());
        let mut detail = match fate {
            Fate::Delivered => return None,
            Fate::Bounced(sub_type) => json!({"eventType": "Bounce", "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": sub_type,
                "bouncedRecipients": recipient,
                "timestamp": self.at,
                "feedbackId": feedback_id,
            }}),
            Fate::Complained => json!({"eventType": "Complaint", "complaint": {
                "complainedRecipients": recipient,
                "complaintFeedbackType": "abuse",
                "timestamp": self.at,
                "feedbackId": feedback_id,
            }}),
            Fate::NotRendered => json!({"eventType": "Rendering Failure", "failure": {
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
        for (recipient, fate) in [
            ("ann@example.com", Fate::Delivered),
            ("bounce@example.com", Fate::Delivered),
            ("success@simulator.amazonses.com", Fate::Delivered),
            ("bounce@simulator.amazonses.com", Fate::Bounced("General")),
            ("bounce+7@Simulator.AmazonSES.com", Fate::Bounced("General")),
            ("complaint@simulator.amazonses.com", Fate::Complained),
            (
                "suppressionlist@simulator.amazonses.com",
                Fate::Bounced("OnAccountSuppressionList"),
            ),
        ] {
            assert_eq!(Fate::of(recipient), fate, "{recipient}");
        }
    }
}
