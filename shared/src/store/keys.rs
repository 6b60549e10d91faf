//! The keys: one prefix for each kind of item.

use regain_password::Address;

use crate::ids::{SessionRef, UserId};
use crate::keys::{AddressKey, CallerKey};
use crate::timestamp::Timestamp;

/// The table's one key attribute.
pub(super) const PK: &str = "pk";

/// What the key of a mail request begins with; the stream's filter in the template names it too.
const MAIL: &str = "MAIL#";
const SESSION: &str = "SESSION#";
const CHANGED: &str = "changed";

pub(super) fn user(id: &UserId) -> String {
    format!("USER#{}", id.as_str())
}

pub(super) fn email(address: &Address) -> String {
    format!("EMAIL#{}", address.as_str())
}

pub(super) fn session(reference: &SessionRef) -> String {
    format!("{SESSION}{}", reference.hex())
}

pub(super) fn parse_session(key: &str) -> Option<SessionRef> {
    SessionRef::from_hex(key.strip_prefix(SESSION)?)
}

pub(super) fn address(key: &AddressKey) -> String {
    format!("ADDRESS#{}", key.hex())
}

pub(super) fn caller(key: &CallerKey, at: Timestamp) -> String {
    format!("CALLER#{}#{}", key.hex(), at.hour())
}

pub(super) fn code_mail(session: &SessionRef, generation: u64) -> String {
    format!("{MAIL}{}#{generation}", session.hex())
}

pub(super) fn changed_mail(session: &SessionRef, generation: u64) -> String {
    format!("{}#{CHANGED}", code_mail(session, generation))
}

/// A mail request's key as SES carries it in a message's tag, which takes letters, digits and dashes
/// only.
pub(crate) fn mail_tag(key: &str) -> String {
    key.trim_start_matches(MAIL).replace('#', "-")
}

/// The key of the mail request that a message's tag names.
pub(crate) fn tagged_mail(tag: &str) -> Option<String> {
    let key = format!("{MAIL}{}", tag.replace('-', "#"));
    parse_mail(&key).map(|_| key)
}

/// Whether a key is a mail request's.
pub(crate) fn is_mail(key: &str) -> bool {
    parse_mail(key).is_some()
}

/// The session that a mail request comes from.
pub(crate) fn mail_session(key: &str) -> Option<SessionRef> {
    parse_mail(key).map(|(session, ..)| session)
}

/// The session of a mail request, the generation, and whether it is the notice of a change.
pub(super) fn parse_mail(key: &str) -> Option<(SessionRef, u64, bool)> {
    let (reference, rest) = key.strip_prefix(MAIL)?.split_once('#')?;
    let (generation, changed) = match rest.split_once('#') {
        None => (rest, false),
        Some((generation, CHANGED)) => (generation, true),
        Some(_) => return None,
    };
    Some((
        SessionRef::from_hex(reference)?,
        generation.parse().ok()?,
        changed,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_requests_key_comes_back_from_its_tag() {
        let reference = SessionRef::from_hex(&"0f".repeat(32)).unwrap();
        for key in [
            code_mail(&reference, 1_767_225_600_000),
            changed_mail(&reference, 1_767_225_600_000),
        ] {
            let tag = mail_tag(&key);
            assert!(
                tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{tag}"
            );
            assert_eq!(tagged_mail(&tag), Some(key));
        }
    }

    #[test]
    fn only_the_key_of_a_mail_request_is_one() {
        let reference = "0f".repeat(32);
        for (key, is_one) in [
            (format!("MAIL#{reference}#7"), true),
            (format!("MAIL#{reference}#7#changed"), true),
            (format!("MAIL#{reference}"), false),
            (format!("MAIL#{reference}#"), false),
            (format!("MAIL#{reference}#7#other"), false),
            (format!("MAIL#{reference}#7#changed#"), false),
            (format!("MAIL#{}#7", "0f".repeat(31)), false),
            (format!("mail#{reference}#7"), false),
            (format!("SESSION#{reference}"), false),
            (format!("SESSION#{reference}#7"), false),
            ("MAIL#".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_mail(&key), is_one, "{key}");
        }
    }

    #[test]
    fn a_tag_that_is_not_ours_names_nothing() {
        for tag in ["", "0f-1", "campaign-7", &"0f".repeat(32)] {
            assert_eq!(tagged_mail(tag), None, "{tag}");
        }
    }
}
