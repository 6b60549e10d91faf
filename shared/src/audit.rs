//! The audit trail: one record for each event that matters when somebody asks what happened to an
//! account.
//!
//! A record is a line on stdout, like a metric, and costs no call. The stack copies the lines to a log
//! group of their own, see [`forward`]. A record names people by keyed digests only, so that it holds no
//! address, and it holds no text that a caller chose. `docs/audit.md` has the schema.

pub mod forward;

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use regain_password::Address;
use serde::{Deserialize, Serialize};

use crate::api::Protocol;
use crate::ids::SessionRef;
use crate::keys::{AuditKey, IndexKeys};
use crate::timestamp::Timestamp;

/// The version of the schema. It also marks a line as a record.
const SCHEMA: u8 = 1;

/// Who made a call, as far as is known.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The network address.
    pub network: IpAddr,
    /// What the caller says its device is.
    pub device: Option<String>,
    /// The call's id. Its answer has it as `X-Request-Id`.
    pub request: String,
}

/// An event with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", content = "outcome", rename_all = "kebab-case")]
pub enum Event {
    /// A code was requested, and will be mailed if anybody has the address.
    Requested(Asked),
    /// A throttle refused a request for a code.
    Throttled(Whom),
    /// SES accepted a mail.
    Mailed(Mail),
    /// A mail was given up.
    NotMailed(Why),
    /// A mail was not sent because its address is suppressed, or the address was suppressed.
    Suppressed(Suppressed),
    /// A charged guess opened nothing.
    WrongGuess(FailedGuess),
    /// A guess or a new code was refused because the guesses are spent.
    Exhausted(Budget),
    /// The code proved the mailbox.
    Proven(Means),
    /// The mailbox was proven, but the user's status is not among `RECOVERABLE_STATUSES`.
    Blocked(Means),
    /// The password was set.
    PasswordSet(Means),
    /// A person disowned a change of the password, by the link of its notice.
    NotMe(NotMe),
    /// No answer came in time, so it may have happened or not.
    Unanswered(Unanswered),
}

/// The result of disowning a change of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotMe {
    /// It was blocked.
    Blocked,
    /// This link, or that of a later notice, had blocked it before. Nothing changed.
    Repeated,
}

/// The outcome of a request for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// A session began.
    NewSession,
    /// A session got a new code.
    AnotherCode,
    /// It had the `Idempotency-Key` of an earlier request, and nothing new began.
    Repeated,
}

/// Whom a throttle refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// The address.
    Address,
    /// The caller's network.
    Caller,
    /// Both.
    Both,
}

/// The kind of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mail {
    /// A code.
    Code,
    /// The notice that the password was changed.
    Notice,
}

/// Why a mail was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody has the address.
    Nobody,
    /// The code had expired before it could be mailed.
    Expired,
    /// SES refused it for good.
    Refused,
    /// An item that the mail needs cannot be read.
    Broken,
}

/// Why an address is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suppressed {
    /// It was suppressed before. This mail was not sent.
    NotMailed,
    /// A mail has just bounced for good.
    Bounced,
    /// Its owner has just reported a mail as spam.
    Complained,
}

/// Why a charged guess opened nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedGuess {
    /// It was not the code.
    Wrong,
    /// It was the right code by luck, and nobody has the address.
    Nobody,
    /// It was the right code, but another call had changed the session.
    Overtaken,
    /// It was the right code, but it was asked for before the password was last set.
    Void,
}

/// Whose guesses are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// The session's.
    Session,
    /// The address's, until the end of the UTC day.
    Day,
}

/// The means by which a caller proves the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// A validated session, in the Directory API.
    Session,
    /// A reset token.
    Token,
    /// The link of a mail.
    Link,
    /// The code itself: sent together with the password, or by a user who turned out to be blocked.
    Code,
}

/// A step that may have happened or not. The caller got a 503, or no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unanswered {
    /// A code was requested.
    Request,
    /// A guess was charged. If it was right, it has opened nothing.
    Guess,
    /// The mailbox was proven.
    Proof,
    /// The password was set.
    Password,
    /// A mail was handed to SES. It is tried again.
    Mail,
    /// An account was to be blocked, because its owner disowned a change of the password.
    Block,
}

/// The subject of an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The protocol of the session.
    pub protocol: Option<Protocol>,
    /// The keyed digest of the address.
    pub subject: Option<AuditKey>,
    /// The session.
    pub session: Option<SessionRef>,
    /// Who called, and the keys that digest it. A mail has no caller.
    pub caller: Option<(&'a Caller, &'a IndexKeys)>,
}

impl<'a> About<'a> {
    /// What a call is about.
    #[must_use]
    pub fn call(
        protocol: Protocol,
        address: Option<&Address>,
        session: Option<SessionRef>,
        caller: &'a Caller,
        keys: &'a IndexKeys,
    ) -> Self {
        Self {
            protocol: Some(protocol),
            subject: address.map(|address| keys.subject(address)),
            session,
            caller: Some((caller, keys)),
        }
    }
}

/// A record, with its fields in the order of the line.
#[derive(Serialize)]
struct Record<'a> {
    audit: u8,
    /// Every line of a log has these two fields.
    level: &'static str,
    timestamp: String,
    #[serde(flatten)]
    event: Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a str>,
}

/// Where records are written. All clones write to the same place.
#[derive(Clone)]
pub struct AuditTrail(Arc<Mutex<Box<dyn Write + Send>>>);

impl AuditTrail {
    /// A trail that writes its lines there. In a function, that is stdout.
    #[must_use]
    pub fn new(lines: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(lines))))
    }

    /// Records an event. If the record cannot be written, it is lost.
    pub fn record(&self, event: Event, about: &About<'_>, at: Timestamp) {
        let device = |(caller, keys): (&Caller, &IndexKeys)| {
            let device = caller.device.as_deref()?;
            Some(keys.audited_device(device).hex())
        };
        let record = Record {
            audit: SCHEMA,
            level: "INFO",
            timestamp: at.rfc3339(),
            event,
            protocol: about.protocol.map(Protocol::name),
            subject: about.subject.map(|subject| subject.hex()),
            session: about.session.map(|session| session.hex()),
            caller: about
                .caller
                .map(|(caller, keys)| keys.audited_caller(caller.network).hex()),
            device: about.caller.and_then(device),
            request: about.caller.map(|(caller, _)| caller.request.as_str()),
        };
        if let Ok(mut line) = serde_json::to_vec(&record) {
            line.push(b'\n');
            // In one piece, so that no other line comes in between.
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = lines.write_all(&line).and_then(|()| lines.flush());
        }
    }
}

impl fmt::Debug for AuditTrail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditTrail(..)")
    }
}

#[cfg(test)]
mod tests;
