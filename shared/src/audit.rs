//! The audit trail: one record for each event that matters when somebody asks what happened to an
//! account.
//!
//! A record is a line on stdout, like a metric, and costs no call. The stack hands the lines on to a log
//! group of their own, see [`forward`]. A record names people by keyed digests alone, so that it tells
//! nobody's address, and says nothing of a caller's choosing in the caller's own words.
//! `docs/audit.md` has the schema.

pub mod forward;

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use regain_password::Address;
use serde::Serialize;

use crate::ids::SessionRef;
use crate::keys::{AuditKey, IndexKeys};
use crate::session::Protocol;
use crate::timestamp::Timestamp;

/// The version of the schema, and the mark by which a line is known to be a record.
const SCHEMA: u8 = 1;

/// Who made a call, as far as it can be told.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The network address.
    pub network: IpAddr,
    /// What the caller says its device is.
    pub device: Option<String>,
    /// The call's id, which its answer has as `X-Request-Id`.
    pub request: String,
}

/// What happened, and what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", content = "outcome", rename_all = "kebab-case")]
pub enum Event {
    /// A code was asked for, and is to be mailed if anybody has the address.
    Requested(Asked),
    /// A code was asked for and refused by a throttle.
    Throttled(Whom),
    /// SES took a mail.
    Mailed(Mail),
    /// A mail was given up.
    NotMailed(Why),
    /// A mail went nowhere because its address is mailed no more, or the address came to that.
    Suppressed(Suppressed),
    /// A guess was charged and opened nothing.
    WrongGuess(Guess),
    /// A guess or another code was refused because the guesses are spent.
    Exhausted(Budget),
    /// The mailbox was proven by its code.
    Proven(Means),
    /// The status of the user who was proven is not among `RECOVERABLE_STATUSES`.
    Blocked(Means),
    /// The password was set.
    PasswordSet(Means),
    /// No answer came in time: it may have happened or not.
    Unanswered(Unanswered),
}

/// What a request for a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// A session began.
    NewSession,
    /// A session got another code.
    AnotherCode,
    /// The same `Idempotency-Key` as before: nothing new began.
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

/// Which mail it was.
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
    /// An item that it needs cannot be read.
    Broken,
}

/// How an address is known to be mailed no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suppressed {
    /// It was before: this mail was not sent.
    NotMailed,
    /// A mail bounced for good just now.
    Bounced,
    /// Its owner called a mail spam just now.
    Complained,
}

/// How a guess that was charged came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guess {
    /// It was not the code.
    Wrong,
    /// It was the code of an address that nobody has, by luck.
    Nobody,
    /// It was the code, but another call had moved the session on.
    Overtaken,
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

/// By what the user is known to have the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// A session that is validated, as the Directory API has it.
    Session,
    /// A reset token.
    Token,
    /// The code itself: together with the password, or before the block was noticed.
    Code,
}

/// What may have happened or not: the caller was told to try again, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unanswered {
    /// A code was asked for.
    Request,
    /// A guess was charged; if it is known to be right, it has opened nothing yet.
    Guess,
    /// The mailbox was proven.
    Proof,
    /// The password was set.
    Password,
    /// A mail was handed to SES; it is tried again.
    Mail,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The protocol of the session.
    pub protocol: Option<Protocol>,
    /// The keyed digest of the address.
    pub subject: Option<AuditKey>,
    /// The session.
    pub session: Option<SessionRef>,
    /// Who called, and the keys to digest that with; nobody calls for a mail.
    pub caller: Option<(&'a Caller, &'a IndexKeys)>,
}

impl<'a> About<'a> {
    /// What is known of a call.
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

/// A record, in the order in which it is read.
#[derive(Serialize)]
struct Record<'a> {
    audit: u8,
    /// Two fields that every line of a log has.
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
    /// A trail of lines: in a function they go to stdout.
    #[must_use]
    pub fn new(lines: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(lines))))
    }

    /// Records an event. A record that cannot be written is lost; what it tells of has happened.
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
            // In one piece, so that the lines of others cannot come between.
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
