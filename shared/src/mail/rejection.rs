//! Why SES rejected a mail: only a rejection of the recipient is final.

use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;

use regain_password::Address;

/// Whether trying again cannot help, because SES rejects the recipient. A fault of the account, the
/// sender, the template or the configuration set can be repaired meanwhile, and then the mail is sent.
pub(super) fn is_final(error: &SdkError<SendEmailError>, recipient: &str, sender: &str) -> bool {
    let rejection = match error.as_service_error() {
        Some(SendEmailError::BadRequestException(refused)) => refused.message(),
        Some(SendEmailError::MessageRejected(refused)) => refused.message(),
        _ => None,
    };
    rejection.is_some_and(|rejection| is_of_recipient(rejection, recipient, sender))
}

/// SES's words for what is wrong with an address. SES does not say which address it is.
const ADDRESS_FAULTS: [&str; 10] = [
    "address blacklisted",
    "domain contains",
    "domain ends with",
    "domain starts with",
    "illegal address",
    "invalid email address",
    "local address",
    "missing domain",
    "missing final",
    "missing local name",
];

/// Whether SES rejects the recipient's address, and not the sender's.
fn is_of_recipient(rejection: &str, recipient: &str, sender: &str) -> bool {
    let sender = match sender.rsplit_once('<') {
        Some((_, address)) => address.trim_end_matches(['>', ' ']),
        None => sender.trim(),
    };
    // In the sandbox, recipients must be verified as well. If the list is too long for SES, it ends in "…".
    if rejection.contains("not verified") {
        let listed = rejection.split_once("in region ");
        let listed = listed.and_then(|(_, rest)| rest.split_once(": "));
        return listed.is_some_and(|(_, identities)| {
            let is_recipient = |identity: &str| identity.trim().eq_ignore_ascii_case(recipient);
            identities.split(',').all(is_recipient) && !recipient.eq_ignore_ascii_case(sender)
        });
    }
    let rejection = rejection.to_ascii_lowercase();
    let is_sender_valid = Address::parse(sender).is_ok() && sender.is_ascii();
    is_sender_valid
        && !rejection.contains(&sender.to_ascii_lowercase())
        && ADDRESS_FAULTS.iter().any(|fault| rejection.contains(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rejection_of_the_recipient_is_final() {
        let not_verified = |identities: &str| {
            format!(
                "Email address is not verified. The following identities failed the check in region \
                 EU-CENTRAL-1: {identities}"
            )
        };
        for (rejection, is_final) in [
            (not_verified("ann@example.net"), true),
            (not_verified("Ann@Example.net"), true),
            (not_verified("no-reply@example.com"), false),
            (not_verified("example.com"), false),
            (not_verified("Shop <no-reply@example.com>"), false),
            (not_verified("no-reply@example.com, ann@example.net"), false),
            (not_verified("ann@example.net, no-reply@example.com"), false),
            (not_verified("ann@example.net, ..."), false),
            (not_verified(""), false),
            ("Email address is not verified.".to_owned(), false),
            ("Address blacklisted.".to_owned(), true),
            (
                "Local address contains control or whitespace".to_owned(),
                true,
            ),
            ("Local address ends with dot".to_owned(), true),
            ("Domain contains illegal character".to_owned(), true),
            ("Missing final '@domain'".to_owned(), true),
            ("Illegal address".to_owned(), true),
            ("Invalid email address <ann@example.net>.".to_owned(), true),
            (
                "Invalid email address: no-reply@example.com".to_owned(),
                false,
            ),
            ("Template stack-changed-en does not exist".to_owned(), false),
            (
                "Configuration set stack-mail does not exist".to_owned(),
                false,
            ),
            ("Sending suspended for this account.".to_owned(), false),
            ("Email sending has been paused.".to_owned(), false),
            ("Invalid template data".to_owned(), false),
            ("refused".to_owned(), false),
            (String::new(), false),
        ] {
            for sender in ["no-reply@example.com", "Shop, Inc. <no-reply@example.com>"] {
                let is_of_recipient = is_of_recipient(&rejection, "ann@example.net", sender);
                assert_eq!(is_of_recipient, is_final, "{rejection:?} from {sender}");
            }
        }
    }

    #[test]
    fn a_rejection_of_the_sender_is_not_taken_for_one_of_the_recipient() {
        let rejection = "Domain contains illegal character";
        for sender in [
            "no-reply",
            "no-reply@exa mple.com",
            "b\u{fc}ro@example.com",
            "",
        ] {
            assert!(
                !is_of_recipient(rejection, "ann@example.net", sender),
                "{sender}"
            );
        }
        let to_oneself = "Email address is not verified. The following identities failed the check in \
                          region US-EAST-1: me@example.com";
        assert!(!is_of_recipient(
            to_oneself,
            "me@example.com",
            "Me <me@example.com>"
        ));
    }
}
