//! The context of one call: who asks, when, the source of randomness, and the audit record.

use std::fmt;
use std::sync::Arc;

use rand::rngs::StdRng;

use super::RecoveryError;
use crate::api::Protocol;
use crate::audit::{
    About, AuditTrail, Budget, Caller, Event, FailedGuess, Means, Unanswered, Whom,
};
use crate::ids::SessionRef;
use crate::keys::IndexKeys;
use crate::session::SessionInfo;
use crate::store::Throttled;
use crate::timestamp::Timestamp;
use regain_password::Address;

/// The context of one call.
///
/// It guards the call's audit record. A use case notes what happens and settles the record with its
/// result. A context that is dropped before that (a call cut off at its deadline) writes what it has
/// noted, and `unanswered` if a write was under way or a right guess has opened nothing yet.
#[derive(Debug)]
pub struct CallContext {
    /// Who calls.
    pub caller: Caller,
    /// When the call came. The whole call is judged by this time.
    pub at: Timestamp,
    clock: Clock,
    /// The call's random source.
    pub rng: StdRng,
    trail: AuditTrail,
    record: Record,
}

/// Tells the time as the call goes on.
#[derive(Clone)]
struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(..)")
    }
}

/// What the audit record of a call says so far.
#[derive(Debug, Default)]
struct Record {
    /// Digests the address and the caller. No event happens before a use case has them.
    keys: Option<Arc<IndexKeys>>,
    protocol: Option<Protocol>,
    address: Option<Address>,
    session: Option<SessionRef>,
    /// What proves the mailbox in this call, if it is not the code.
    means: Option<Means>,
    guess: Option<Judged>,
    /// The write that was not answered.
    in_doubt: Option<Unanswered>,
    events: Vec<Event>,
}

/// What a charged guess turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    Wrong,
    /// The right code of an address that nobody has.
    ForNobody,
    Right,
}

impl CallContext {
    /// The context of a call that comes from `caller` at the time `at`. Its clock stands still.
    #[must_use]
    pub fn new(caller: Caller, at: Timestamp, rng: StdRng, trail: AuditTrail) -> Self {
        Self {
            caller,
            at,
            clock: Clock(Arc::new(move || at)),
            rng,
            trail,
            record: Record::default(),
        }
    }

    /// The same call, with a clock that goes.
    #[must_use]
    pub fn timed_by(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Clock(Arc::new(clock));
        self
    }

    /// The time now. A password that is set counts from the time of its write, and not from when the call
    /// came: a code that was asked for in between was asked for before. A code that is asked for while the write
    /// waits for other transactions stays good.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock.0)().max(self.at)
    }

    /// Notes the keys that digest the address and the caller.
    pub(super) fn note_keys(&mut self, keys: &Arc<IndexKeys>) {
        self.record.keys = Some(keys.clone());
    }

    /// Notes the address that a code is requested for.
    pub(super) fn note_address(&mut self, protocol: Protocol, address: &Address) {
        self.record.protocol = Some(protocol);
        self.record.address = Some(address.clone());
    }

    /// Notes which session the call names, before anything is known of it.
    pub(super) fn note_lookup(&mut self, protocol: Protocol, session: SessionRef) {
        self.record.protocol = Some(protocol);
        self.record.session = Some(session);
    }

    /// Notes the session that the call is about.
    pub(super) fn note_session(&mut self, info: &SessionInfo) {
        self.note_address(info.protocol, &info.address);
        self.record.session = Some(info.reference);
    }

    /// Notes that an earlier call proved the mailbox, and what this caller shows for it.
    pub(super) fn note_proof(&mut self, means: Means) {
        self.record.means = Some(means);
    }

    /// Notes what a charged guess turned out to be.
    pub(super) fn note_guess(&mut self, judged: Judged) {
        self.record.guess = Some(judged);
    }

    /// Notes an event. It is written when the record is settled.
    pub(super) fn note(&mut self, event: Event) {
        self.record.events.push(event);
    }

    /// Waits for the answer of the table or the user store to a write. Until the answer comes, the write is in
    /// doubt.
    pub(super) async fn attempt<T, E>(
        &mut self,
        write: Unanswered,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.record.in_doubt = Some(write);
        // On the heap: calls of the SDK are large futures.
        let answer = Box::pin(answer).await?;
        self.record.in_doubt = None;
        Ok(answer)
    }

    /// Settles the record: writes it with the result of the call, and returns that result.
    pub(super) fn settle<T>(
        &mut self,
        result: Result<T, RecoveryError>,
    ) -> Result<T, RecoveryError> {
        let mut record = std::mem::take(&mut self.record);
        if let Err(error) = &result {
            record.events.extend(record.event(error));
        }
        self.write(&record);
        result
    }

    fn write(&self, record: &Record) {
        let (Some(keys), Some(protocol)) = (&record.keys, record.protocol) else {
            return;
        };
        let address = record.address.as_ref();
        let about = About::call(protocol, address, record.session, &self.caller, keys);
        for event in &record.events {
            self.trail.record(*event, &about, self.at);
        }
    }
}

impl Drop for CallContext {
    fn drop(&mut self) {
        let mut record = std::mem::take(&mut self.record);
        let unanswered = record.unanswered().map(Event::Unanswered);
        record.events.extend(unanswered);
        self.write(&record);
    }
}

impl Record {
    /// What may have happened without the caller being told: a write in doubt, or a right guess that
    /// has opened nothing yet.
    fn unanswered(&self) -> Option<Unanswered> {
        let is_unused = self.guess == Some(Judged::Right) && self.events.is_empty();
        self.in_doubt.or(is_unused.then_some(Unanswered::Guess))
    }

    /// The event that an error stands for, if any.
    fn event(&self, error: &RecoveryError) -> Option<Event> {
        match (error, self.guess) {
            (RecoveryError::Blocked, _) => Some(Event::Blocked(self.means.unwrap_or(Means::Code))),
            (RecoveryError::Unavailable(_) | RecoveryError::Broken(_), _) => {
                self.unanswered().map(Event::Unanswered)
            }
            (_, Some(Judged::Wrong)) => Some(Event::WrongGuess(FailedGuess::Wrong)),
            (_, Some(Judged::ForNobody)) => Some(Event::WrongGuess(FailedGuess::Nobody)),
            (RecoveryError::CodeExpired, Some(Judged::Right)) => {
                Some(Event::WrongGuess(FailedGuess::Void))
            }
            // With an event, the code was proven and only the password was refused. A caller without the session's
            // id has proven nothing then.
            (_, Some(Judged::Right)) => {
                let is_over = !matches!(
                    error,
                    RecoveryError::PasswordRefused(_) | RecoveryError::PasswordRefusedElsewhere(_)
                );
                let overtaken = Event::WrongGuess(FailedGuess::Overtaken);
                (is_over && self.events.is_empty()).then_some(overtaken)
            }
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
                | RecoveryError::PasswordRefused(_)
                | RecoveryError::PasswordRefusedElsewhere(_),
                None,
            ) => None,
        }
    }
}

/// Whom a throttle refused, in the audit trail's words.
fn meant(throttled: Throttled) -> Whom {
    match (throttled.address, throttled.caller) {
        (Some(_), Some(_)) => Whom::Both,
        (None, Some(_)) => Whom::Caller,
        (_, None) => Whom::Address,
    }
}
