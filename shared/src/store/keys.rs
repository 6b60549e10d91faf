//! The keys of the items: one prefix for each kind.

use regain_password::Address;

use crate::ids::{SessionRef, UserId};
use crate::keys::{AddressKey, CallerKey, LatestKey, NetworkKey};
use crate::timestamp::Timestamp;

/// The table's only key attribute.
pub(super) const PK: &str = "pk";

/// The prefix of mail requests. The stream's filter in the template has it as well.
const MAIL: &str = "MAIL#";
/// The prefix of retries, which the stream passes to a mapping of their own. The template has it as well.
const RETRY: &str = "RETRY#";
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

/// The key of no session, among those of sessions.
pub(super) fn no_session() -> String {
    format!("{SESSION}none")
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

pub(super) fn suppressed(key: &AddressKey) -> String {
    format!("SUPPRESSED#{}", key.hex())
}

pub(super) fn network(key: &NetworkKey) -> String {
    format!("NETWORK#{}", key.hex())
}

pub(super) fn latest(key: &LatestKey) -> String {
    format!("LATEST#{}", key.hex())
}

pub(super) fn code_mail(session: &SessionRef, generation: u64) -> String {
    format!("{MAIL}{}#{generation}", session.hex())
}

pub(super) fn changed_mail(session: &SessionRef, generation: u64) -> String {
    format!("{}#{CHANGED}", code_mail(session, generation))
}

/// The key of a mail request as a message tag of SES, which may hold only letters, digits and dashes.
pub(crate) fn mail_tag(key: &str) -> String {
    key.trim_start_matches(MAIL).replace('#', "-")
}

/// The key of the mail request that a message tag names.
pub(crate) fn tagged_mail(tag: &str) -> Option<String> {
    let key = format!("{MAIL}{}", tag.replace('-', "#"));
    parse_mail(&key).map(|_| key)
}

/// The key of one retry of a mail request. Each retry has a name of its own, because the stream passes on
/// only items that are new.
pub(super) fn retry(name: &str, mail: &str) -> String {
    format!("{RETRY}{name}#{mail}")
}

/// The key of the mail request that a retry is for.
pub(crate) fn retried_mail(key: &str) -> Option<&str> {
    key.strip_prefix(RETRY)?
        .split_once('#')
        .map(|(_, mail)| mail)
}

/// Whether a key is that of a mail request.
pub(crate) fn is_mail(key: &str) -> bool {
    parse_mail(key).is_some()
}

/// Whether a key is that of the mail request for a notice.
pub(crate) fn is_notice(key: &str) -> bool {
    parse_mail(key).is_some_and(|(.., changed)| changed)
}

/// The session that a mail request belongs to.
pub(crate) fn mail_session(key: &str) -> Option<SessionRef> {
    parse_mail(key).map(|(session, ..)| session)
}

/// The session and generation of a mail request, and whether it is for the notice.
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
    fn a_mail_requests_key_comes_back_from_its_retry() {
        let reference = SessionRef::from_hex(&"0f".repeat(32)).unwrap();
        let mail = changed_mail(&reference, 7);
        assert_eq!(retried_mail(&retry("0a1b", &mail)), Some(mail.as_str()));
        for other in [
            mail.as_str(),
            "RETRY#",
            "RETRY#0a1b",
            "retry#0a1b#MAIL#",
            "",
        ] {
            assert_eq!(retried_mail(other), None, "{other}");
        }
    }

    #[test]
    fn only_keys_of_mail_requests_are_taken_for_them() {
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
            let is_changed = is_one && key.ends_with("#changed");
            assert_eq!(is_notice(&key), is_changed, "{key}");
        }
    }

    #[test]
    fn a_foreign_tag_names_no_mail_request() {
        for tag in ["", "0f-1", "campaign-7", &"0f".repeat(32)] {
            assert_eq!(tagged_mail(tag), None, "{tag}");
        }
    }
}
