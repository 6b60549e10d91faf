//! The keys: one prefix for each kind of item.

use crate::address::Address;
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
