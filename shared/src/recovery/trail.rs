//! What the audit trail is told of a call: noted as the call goes on, and recorded when it is answered.

use super::{Recovery, Refusal};
use crate::address::Address;
use crate::audit::{About, Budget, Caller, Event, Guess, Means, Whom};
use crate::ids::SessionRef;
use crate::session::{Facts, Protocol};
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

/// What is known of a call that is under way.
pub(super) struct Trail<'a> {
    pub(super) caller: &'a Caller,
    protocol: Protocol,
    at: Timestamp,
    address: Option<Address>,
    session: Option<SessionRef>,
    guess: Option<Judged>,
    /// By what a user is known who turns out to be blocked.
    means: Means,
    happened: Vec<Event>,
}

impl<'a> Trail<'a> {
    pub(super) fn new(caller: &'a Caller, protocol: Protocol, at: Timestamp) -> Self {
        Self {
            caller,
            protocol,
            at,
            address: None,
            session: None,
            guess: None,
            means: Means::Code,
            happened: Vec::new(),
        }
    }

    /// The address that a code is asked for, before there is a session.
    pub(super) fn address(&mut self, address: &Address) {
        self.address = Some(address.clone());
    }

    /// The session that the call is about.
    pub(super) fn session(&mut self, facts: &Facts) {
        self.address(&facts.address);
        self.session = Some(facts.reference);
    }

    /// A guess was charged, and this is what it is.
    pub(super) fn judged(&mut self, judged: Judged) {
        self.guess = Some(judged);
    }

    /// The session was proven before, and this is what its caller has of it.
    pub(super) fn proven_by(&mut self, means: Means) {
        self.means = means;
    }

    pub(super) fn happened(&mut self, event: Event) {
        self.happened.push(event);
    }

    /// Whether a guess has been paid for and come to nothing yet.
    fn is_open(&self) -> bool {
        self.guess.is_some() && self.happened.is_empty()
    }

    /// The event that a refusal is, if it is one.
    fn refused(&self, refusal: &Refusal) -> Option<Event> {
        match (refusal, self.guess) {
            (Refusal::Blocked, _) => Some(Event::Blocked(self.means)),
            (_, Some(Judged::Wrong)) => Some(Event::WrongGuess(Guess::Wrong)),
            (_, Some(Judged::ForNobody)) => Some(Event::WrongGuess(Guess::Nobody)),
            (Refusal::Unavailable(_) | Refusal::Broken(_), Some(Judged::Right)) => self
                .is_open()
                .then_some(Event::WrongGuess(Guess::Unanswered)),
            (_, Some(Judged::Right)) => self
                .is_open()
                .then_some(Event::WrongGuess(Guess::Overtaken)),
            (Refusal::Throttled { whom, .. }, None) => Some(Event::Throttled(refused(*whom))),
            (Refusal::GuessesSpent { until }, None) => Some(Event::Exhausted(match until {
                None => Budget::Session,
                Some(_) => Budget::Day,
            })),
            (
                Refusal::NoSession
                | Refusal::SessionOver
                | Refusal::OtherUser
                | Refusal::CodeExpired
                | Refusal::CodeWrong
                | Refusal::TokenUnknown
                | Refusal::PasswordRefused(_)
                | Refusal::Unavailable(_)
                | Refusal::Broken(_),
                None,
            ) => None,
        }
    }
}

fn refused(whom: Throttled) -> Whom {
    match (whom.address, whom.caller) {
        (Some(_), Some(_)) => Whom::Both,
        (None, Some(_)) => Whom::Caller,
        (_, None) => Whom::Address,
    }
}

impl Recovery {
    /// Records what a call came to.
    pub(super) async fn record<T>(&self, trail: Trail<'_>, result: &Result<T, Refusal>) {
        let refused = result.as_ref().err().and_then(|it| trail.refused(it));
        let mut events = trail.happened.iter().copied().chain(refused).peekable();
        if events.peek().is_none() {
            return;
        }
        // At hand: nothing that is an event happens without it.
        let Ok(keys) = self.secrets.index().await else {
            return;
        };
        let (address, session) = (trail.address.as_ref(), trail.session);
        let about = About::call(trail.protocol, address, session, trail.caller, &keys);
        for event in events {
            self.audit.record(event, &about, trail.at);
        }
    }
}
