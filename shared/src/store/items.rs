//! The items: how the table holds sessions, address states and mail requests.

use std::ops::Not;
use std::time::Duration;

use regain_password::Address;
use serde::{Deserialize, Serialize};

use super::{Item, StoreError, keys, read, write};
use crate::api::Protocol;
use crate::audit::Means;
use crate::code::Nonce;
use crate::ids::{SessionRef, TokenDigest, UserId};
use crate::keys::LatestKey;
use crate::locale::Locale;
use crate::session::{
    AddressState, AnsweredId, Awaiting, Generation, Proof, Session, SessionInfo, Used, Validated,
};
use crate::template::Template;
use crate::timestamp::Timestamp;
use crate::users::CredentialsVersion;

/// What a caller says about itself. It is stored on the session for those who look into a case. It is never
/// mailed, and the engine does not use it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SessionOrigin {
    /// The calling app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The calling device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum State {
    Awaiting,
    Validated,
    Used,
}

pub(super) const AWAITING: &str = "awaiting";
pub(super) const VALIDATED: &str = "validated";
pub(super) const USED: &str = "used";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionItem {
    pk: String,
    protocol: Protocol,
    purpose: String,
    template: Template,
    #[serde(flatten)]
    origin: SessionOrigin,
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_id: Option<UserId>,
    /// Whether `answered_id` is the address's alias.
    #[serde(default, skip_serializing_if = "Not::not")]
    answered_alias: bool,
    session_state: State,
    generation: u64,
    nonce: Nonce,
    /// When the code was asked for. A session of the version before this one has none: all its codes count as
    /// asked for when it began, so that a password set since then voids them.
    #[serde(default)]
    asked_at: Option<Timestamp>,
    /// Set by the proof, and kept when another code is requested.
    #[serde(default, skip_serializing_if = "Not::not")]
    proven: bool,
    started_at: Timestamp,
    code_expires_at: Timestamp,
    session_expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_version: Option<CredentialsVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_digest: Option<TokenDigest>,
    expires_at: i64,
}

/// The item of a session that begins.
pub(super) fn new_session(session: &Awaiting, origin: &SessionOrigin) -> Result<Item, StoreError> {
    let info = &session.info;
    write(&SessionItem {
        pk: keys::session(&info.reference),
        protocol: info.protocol,
        purpose: "forgot-password".to_owned(),
        template: info.template,
        origin: origin.clone(),
        address: info.address.clone(),
        answered_id: info.answered_id.as_ref().map(AnsweredId::id).cloned(),
        answered_alias: matches!(info.answered_id, Some(AnsweredId::Alias(_))),
        session_state: State::Awaiting,
        generation: session.generation.number,
        nonce: session.generation.nonce,
        asked_at: Some(session.generation.asked_at),
        proven: session.was_proven,
        started_at: info.started_at,
        code_expires_at: session.generation.expires_at,
        session_expires_at: info.expires_at,
        subject: None,
        credentials_version: None,
        proof_expires_at: None,
        token_digest: None,
        expires_at: info.expires_at.ttl_seconds(),
    })
}

/// Reads a session.
pub(super) fn session(item: Item) -> Result<Session, StoreError> {
    let guesses = names(&item, TRIES)?;
    let item: SessionItem = read(item)?;
    let malformed = || StoreError::malformed("a session lacks what its state needs");
    let info = SessionInfo {
        reference: keys::parse_session(&item.pk).ok_or_else(malformed)?,
        protocol: item.protocol,
        template: item.template,
        address: item.address,
        answered_id: item.answered_id.map(if item.answered_alias {
            AnsweredId::Alias
        } else {
            AnsweredId::User
        }),
        started_at: item.started_at,
        expires_at: item.session_expires_at,
    };
    let generation = Generation {
        number: item.generation,
        nonce: item.nonce,
        asked_at: item.asked_at.unwrap_or(item.started_at),
        expires_at: item.code_expires_at,
    };
    let token = item.token_digest;
    Ok(match item.session_state {
        State::Awaiting => Session::Awaiting(Awaiting {
            info,
            generation,
            guesses,
            was_proven: item.proven,
        }),
        State::Validated => Session::Validated(Validated {
            info,
            generation,
            guesses,
            proof: Proof {
                subject: item.subject.ok_or_else(malformed)?,
                credentials_version: item.credentials_version.ok_or_else(malformed)?,
                expires_at: item.proof_expires_at.ok_or_else(malformed)?,
                token,
            },
        }),
        State::Used => Session::Used(Used {
            info,
            generation,
            token,
        }),
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LatestItem {
    pk: String,
    session: SessionRef,
    expires_at: i64,
}

/// The item that leads to the newest session that was answered with a user id.
pub(super) fn latest(key: &LatestKey, session: &SessionInfo) -> Result<Item, StoreError> {
    write(&LatestItem {
        pk: keys::latest(key),
        session: session.reference,
        expires_at: session.expires_at.ttl_seconds(),
    })
}

/// Reads which session is the newest.
pub(super) fn latest_session(item: Item) -> Result<SessionRef, StoreError> {
    read(item).map(|LatestItem { session, .. }| session)
}

/// The attribute that counts an address's codes of one UTC clock hour.
pub(super) fn codes_in_hour(hour: i64) -> String {
    format!("codesHour{hour}")
}

/// The attribute that counts an address's codes of one UTC day.
pub(super) fn codes_in_day(day: i64) -> String {
    format!("codesDay{day}")
}

/// The attribute with the names of a session's guesses.
const TRIES: &str = "tries";

/// The attribute with the names of an address's guesses of one UTC day.
pub(super) fn tries_in_day(day: i64) -> String {
    format!("triesDay{day}")
}

/// How many names an attribute holds.
fn names(item: &Item, attribute: &str) -> Result<u32, StoreError> {
    let malformed = || StoreError::malformed("the names of guesses are something else");
    let Some(set) = item.get(attribute) else {
        return Ok(0);
    };
    let names = set.as_bs().map_err(|_| malformed())?;
    u32::try_from(names.len()).map_err(|_| malformed())
}

/// Reads an address's state, with the counts of the hour and day of `at`.
pub(super) fn address_state(
    item: Option<&Item>,
    at: Timestamp,
) -> Result<AddressState, StoreError> {
    let Some(item) = item else {
        return Ok(AddressState::default());
    };
    let malformed = || StoreError::malformed("an address state holds something else");
    let number = |name: &str| match item.get(name) {
        None => Ok(None),
        Some(value) => {
            let text = value.as_n().map_err(|_| malformed())?;
            text.parse::<i64>().map(Some).map_err(|_| malformed())
        }
    };
    let count = |name: String| {
        let count = number(&name)?.unwrap_or_default();
        u32::try_from(count).map_err(|_| malformed())
    };
    Ok(AddressState {
        last_code_at: number("lastCodeAt")?.map(Timestamp::from_millis),
        codes_this_hour: count(codes_in_hour(at.hour()))?,
        codes_today: count(codes_in_day(at.day()))?,
        guesses_today: names(item, &tries_in_day(at.day()))?,
    })
}

/// Reads since when the codes and links of an address are void.
pub(super) fn void_since(item: Option<&Item>) -> Result<Option<Timestamp>, StoreError> {
    let malformed = || StoreError::malformed("an address state holds something else");
    let Some(since) = item.and_then(|item| item.get("voidSince")) else {
        return Ok(None);
    };
    let since = since.as_n().map_err(|_| malformed())?.parse();
    Ok(Some(Timestamp::from_millis(
        since.map_err(|_| malformed())?,
    )))
}

/// How a password was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordChange {
    /// Whose password.
    pub user: UserId,
    /// The user's credentials version from the change on.
    pub credentials_version: CredentialsVersion,
    /// What proved the mailbox.
    pub means: Means,
}

/// What is to be mailed.
#[derive(Clone, Debug)]
pub enum MailContent {
    /// A code.
    Code {
        /// The number of the code's generation.
        generation: u64,
        /// The nonce that it is derived with.
        nonce: Nonce,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// The notice that the password was changed, and how. The version before this one did not store how.
    Changed(Option<PasswordChange>),
}

/// A request for a mail.
#[derive(Clone, Debug)]
pub struct MailRequest {
    /// The session that it comes from.
    pub session: SessionRef,
    /// The session's protocol.
    pub protocol: Protocol,
    /// The address as typed, in canonical form. It leads to the user. Mail goes to the user's own address.
    pub address: Address,
    /// What is to be mailed.
    pub content: MailContent,
    /// The template.
    pub template: Template,
    /// The language, if the user has set none.
    pub locale: Locale,
    /// When it was requested.
    pub requested_at: Timestamp,
}

/// The outcome of a mail request. Once it is recorded, nothing is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// SES accepted the mail, under this message id.
    Sent(String),
    /// Nobody has the address.
    Nobody,
    /// The address is suppressed.
    Suppressed,
    /// The code had expired before it could be mailed.
    Expired,
    /// SES refused it for good.
    Refused,
    /// An item that the mail needs cannot be read.
    Broken,
}

impl Outcome {
    /// The word that is stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::Nobody => "nobody",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Broken => "broken",
        }
    }
}

/// What SES reports about a mail that it had accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The recipient's server refused it.
    Bounced,
    /// The recipient called it spam.
    Complained,
    /// It is delayed.
    Delayed,
    /// SES could not fill its template, and did not send it.
    NotRendered,
    /// SES found malware in it, and did not send it.
    Rejected,
}

impl Report {
    /// The attribute that stores it. Each has its own, so that neither order nor repetition matters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Delayed => "delayed",
            Self::NotRendered => "notRendered",
            Self::Rejected => "rejected",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MailItem {
    pk: String,
    template: Template,
    protocol: Protocol,
    address: Address,
    locale: Locale,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<Nonce>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_version: Option<CredentialsVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    means: Option<Means>,
    requested_at: Timestamp,
    expires_at: i64,
}

/// How long mail requests are kept. That of a code is of no use after a day. That of a notice is evidence.
const CODE_MAIL_TTL: Duration = Duration::from_hours(24);
const NOTICE_TTL: Duration = Duration::from_hours(14 * 24);

/// The mail request for a session's code.
pub(super) fn code_mail(
    session: &Awaiting,
    locale: Locale,
    at: Timestamp,
) -> Result<Item, StoreError> {
    let Generation {
        number,
        nonce,
        expires_at,
        ..
    } = session.generation;
    write(&MailItem {
        pk: keys::code_mail(&session.info.reference, number),
        template: session.info.template,
        protocol: session.info.protocol,
        address: session.info.address.clone(),
        locale,
        nonce: Some(nonce),
        code_expires_at: Some(expires_at),
        user: None,
        credentials_version: None,
        means: None,
        requested_at: at,
        expires_at: at.plus(CODE_MAIL_TTL).ttl_seconds(),
    })
}

/// The mail request for the notice that the password was changed. It also says how, for the event.
pub(super) fn changed_mail(
    info: &SessionInfo,
    generation: u64,
    change: PasswordChange,
    locale: Locale,
    at: Timestamp,
) -> Result<Item, StoreError> {
    write(&MailItem {
        pk: keys::changed_mail(&info.reference, generation),
        template: Template::PasswordChanged,
        protocol: info.protocol,
        address: info.address.clone(),
        locale,
        nonce: None,
        code_expires_at: None,
        user: Some(change.user),
        credentials_version: Some(change.credentials_version),
        means: Some(change.means),
        requested_at: at,
        expires_at: at.plus(NOTICE_TTL).ttl_seconds(),
    })
}

/// Reads a mail request.
pub(super) fn mail_request(item: Item) -> Result<MailRequest, StoreError> {
    let item: MailItem = read(item)?;
    let malformed = || StoreError::malformed("a mail request lacks what its kind needs");
    let (session, generation, changed) = keys::parse_mail(&item.pk).ok_or_else(malformed)?;
    let content = if changed {
        let change = match (item.user, item.credentials_version, item.means) {
            (Some(user), Some(credentials_version), Some(means)) => Some(PasswordChange {
                user,
                credentials_version,
                means,
            }),
            (None, None, None) => None,
            _ => return Err(malformed()),
        };
        MailContent::Changed(change)
    } else {
        MailContent::Code {
            generation,
            nonce: item.nonce.ok_or_else(malformed)?,
            expires_at: item.code_expires_at.ok_or_else(malformed)?,
        }
    };
    Ok(MailRequest {
        session,
        protocol: item.protocol,
        address: item.address,
        content,
        template: item.template,
        locale: item.locale,
        requested_at: item.requested_at,
    })
}
