//! What the audit trail is told of a call: noted as the call goes on, and recorded when it is answered, or
//! when nobody waits for the answer any more.

use std::sync::Arc;

use regain_password::Address;

use super::RecoveryError;
use crate::audit::{About, AuditTrail, Budget, Caller, Event, Guess, Means, Unanswered, Whom};
use crate::ids::SessionRef;
use crate::keys::IndexKeys;
use crate::session::{Protocol, SessionInfo};
use crate::store::Throttled;
use crate::timestamp::Timestamp;

/// What a guess that was charged is known to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    Wrong,
    /// The code, but of an address that nobody has.
    ForNobody,
    Right,
}

/// What is known of a call that is under way. Whoever drops it unanswered has it recorded all the same: a
/// call is given up at its deadline, wherever it is.
pub(super) struct Trail<'a> {
    audit: &'a AuditTrail,
    pub(super) caller: &'a Caller,
    protocol: Protocol,
    at: Timestamp,
    keys: Option<Arc<IndexKeys>>,
    address: Option<Address>,
    session: Option<SessionRef>,
    guess: Option<Judged>,
    /// By what a user is known who turns out to be blocked.
    means: Means,
    /// What the table may have done, or has half done, and nobody was told yet.
    pending: Option<Unanswered>,
    happened: Vec<Event>,
}

impl<'a> Trail<'a> {
    pub(super) fn new(
        audit: &'a AuditTrail,
        caller: &'a Caller,
        protocol: Protocol,
        at: Timestamp,
    ) -> Self {
        Self {
            audit,
            caller,
            protocol,
            at,
            keys: None,
            address: None,
            session: None,
            guess: None,
            means: Means::Code,
            pending: None,
            happened: Vec::new(),
        }
    }

    /// What names are made with: nothing that is an event happens without it.
    pub(super) fn keys(&mut self, keys: &Arc<IndexKeys>) {
        self.keys = Some(keys.clone());
    }

    /// The address that a code is asked for, before there is a session.
    pub(super) fn address(&mut self, address: &Address) {
        self.address = Some(address.clone());
    }

    /// The session that the call is about.
    pub(super) fn session(&mut self, facts: &SessionInfo) {
        self.address(&facts.address);
        self.session = Some(facts.reference);
    }

    /// The session was proven before, and this is what its caller has of it.
    pub(super) fn proven_by(&mut self, means: Means) {
        self.means = means;
    }

    /// The table is about to be asked for this, and may do it without being able to say so.
    pub(super) fn asks_for(&mut self, what: Unanswered) {
        self.pending = Some(what);
    }

    /// The table said that it did not do it.
    pub(super) fn not_done(&mut self) {
        self.pending = (self.guess == Some(Judged::Right)).then_some(Unanswered::Guess);
    }

    /// A guess was charged, and this is what it is. A right one is pending until it has opened something.
    pub(super) fn judged(&mut self, judged: Judged) {
        self.guess = Some(judged);
        self.not_done();
    }

    pub(super) fn happened(&mut self, event: Event) {
        self.pending = None;
        self.happened.push(event);
    }

    /// Records what the call came to, which is handed through.
    pub(super) fn answered<T>(
        mut self,
        result: Result<T, RecoveryError>,
    ) -> Result<T, RecoveryError> {
        if let Err(refusal) = &result {
            let event = self.refusal(refusal);
            self.happened.extend(event);
        }
        self.pending = None;
        result
    }

    /// The event that a refusal is, if it is one.
    fn refusal(&self, refusal: &RecoveryError) -> Option<Event> {
        match (refusal, self.guess) {
            (RecoveryError::Blocked, _) => Some(Event::Blocked(self.means)),
            (RecoveryError::Unavailable(_) | RecoveryError::Broken(_), _) => {
                self.pending.map(Event::Unanswered)
            }
            (_, Some(Judged::Wrong)) => Some(Event::WrongGuess(Guess::Wrong)),
            (_, Some(Judged::ForNobody)) => Some(Event::WrongGuess(Guess::Nobody)),
            // A proof whose password was refused is one.
            (_, Some(Judged::Right)) => self
                .happened
                .is_empty()
                .then_some(Event::WrongGuess(Guess::Overtaken)),
            (RecoveryError::Throttled { whom, .. }, None) => Some(Event::Throttled(meant(*whom))),
            (RecoveryError::GuessesSpent { until }, None) => Some(Event::Exhausted(match until {
                None => Budget::Session,
                Some(_) => Budget::Day,
            })),
            (
                RecoveryError::NoSession
                | RecoveryError::SessionOver
                | RecoveryError::OtherUser
                | RecoveryError::CodeExpired
                | RecoveryError::CodeWrong
                | RecoveryError::TokenUnknown
                | RecoveryError::PasswordRefused(_),
                None,
            ) => None,
        }
    }
}

impl Drop for Trail<'_> {
    fn drop(&mut self) {
        let Some(keys) = &self.keys else { return };
        let (address, session) = (self.address.as_ref(), self.session);
        let about = About::call(self.protocol, address, session, self.caller, keys);
        let pending = self.pending.map(Event::Unanswered);
        for event in self.happened.iter().copied().chain(pending) {
            self.audit.record(event, &about, self.at);
        }
    }
}

/// Whom a throttle meant.
fn meant(throttled: Throttled) -> Whom {
    match (throttled.address, throttled.caller) {
        (Some(_), Some(_)) => Whom::Both,
        (None, Some(_)) => Whom::Caller,
        (_, None) => Whom::Address,
    }
}
