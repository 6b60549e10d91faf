//! The use cases: ask for a code, prove it, ask for another one, set the password.
//!
//! Every guess is *charged, then compared, then moved on*: one transaction, the same for right and
//! wrong, takes a guess from the session and from its address; only then is the code derived and
//! compared; only a right one is refunded, by the transaction that moves the session on. Until a code
//! is proven nothing here asks whether anybody has the address.

mod guess;
mod password;
mod throttle_cache;
mod trail;

use std::error::Error;

use rand::rngs::StdRng;
use regain_password::{Address, Hasher, Policy, Reason};
use thiserror::Error;

use crate::audit::{Asked, AuditTrail, Caller, Event, Unanswered};
use crate::code::Nonce;
use crate::hashing::HashingError;
use crate::ids::{IdempotencyKey, SessionId, UserId};
use crate::keys::IndexKeys;
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::secrets::{SecretError, Secrets};
use crate::session::{Awaiting, Protocol, Repeat, Session, SessionInfo, TransitionError};
use crate::settings::Settings;
use crate::store::{Begun, CodeRequest, Renewed, SessionOrigin, Store, StoreError, Throttled};
use crate::template::Template;
use crate::timestamp::Timestamp;
use crate::users::User;

pub use guess::CodeGuess;
pub use password::NewPassword;

use throttle_cache::ThrottleCache;
use trail::Trail;

/// How often an operation starts over because what it read had changed by the time it wrote.
const ATTEMPTS: usize = 4;

/// Why a use case was refused. Which of these a caller is told, and how, is the protocols' matter.
#[derive(Debug, Error)]
pub enum RecoveryError {
    /// Too many codes for the address or the caller.
    #[error("throttled")]
    Throttled {
        /// When the last of the limits that refused it ends.
        until: Timestamp,
        /// Whom they refused.
        whom: Throttled,
    },
    /// No session of that id, in this protocol.
    #[error("no such session")]
    NoSession,
    /// The session is expired, superseded or used.
    #[error("the session is over")]
    SessionOver,
    /// The user id is not the one that the session was answered with.
    #[error("not the session's user")]
    OtherUser,
    /// The session's guesses are spent, or the address's until the given time.
    #[error("the guesses are spent")]
    GuessesSpent {
        /// When there are guesses again, if waiting helps.
        until: Option<Timestamp>,
    },
    /// The code has expired in a live session.
    #[error("the code has expired")]
    CodeExpired,
    /// Not the code; or it was used, or never proven where it had to be.
    #[error("not the code")]
    CodeWrong,
    /// No such reset token.
    #[error("no such reset token")]
    TokenUnknown,
    /// The user's status is none that may recover; told only once the code was proven.
    #[error("the user is blocked")]
    Blocked,
    /// The password policy refuses the password.
    #[error("the password is refused")]
    PasswordRefused(Vec<Reason>),
    /// The store, a secret or a hash failed: nothing was done.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// What is stored makes no sense: a bug.
    #[error("broken")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl From<StoreError> for RecoveryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreachable(_) | StoreError::Contended => Self::Unavailable(error.into()),
            StoreError::Malformed(_) => Self::Broken(error.into()),
        }
    }
}

impl From<SecretError> for RecoveryError {
    fn from(error: SecretError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<HashingError> for RecoveryError {
    fn from(error: HashingError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<TransitionError> for RecoveryError {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::Over => Self::SessionOver,
            TransitionError::Spent(until) => Self::GuessesSpent { until },
            TransitionError::CodeUsed => Self::CodeWrong,
            TransitionError::CodeExpired => Self::CodeExpired,
        }
    }
}

/// The engine behind both protocols.
#[derive(Debug)]
pub struct Recovery {
    store: Store,
    secrets: Secrets,
    settings: Settings,
    policy: Policy,
    hasher: Hasher,
    refusals: ThrottleCache,
    audit: AuditTrail,
}

/// Somebody wants to recover the account of an address.
#[derive(Clone, Debug)]
pub struct Request {
    /// The protocol that the session will belong to.
    pub protocol: Protocol,
    /// The address.
    pub address: Address,
    /// What the code is mailed with.
    pub template: Template,
    /// What the caller says about itself.
    pub origin: SessionOrigin,
    /// The language to write in if the user has none set.
    pub locale: Locale,
    /// Who asks.
    pub caller: Caller,
    /// The caller's `Idempotency-Key`.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// A session that began.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its id.
    pub session: SessionId,
    /// The user id, real or decoy, where the protocol tells one.
    pub user: Option<UserId>,
    /// When it began.
    pub at: Timestamp,
}

/// How a caller names a session, and what else has to fit.
#[derive(Clone, Debug)]
pub struct SessionLookup {
    /// The protocol asked: a session of the other one does not exist here.
    pub protocol: Protocol,
    /// The id, if what was sent can be one.
    pub session: Option<SessionId>,
    /// The user id, where the protocol sends it along.
    pub user: Option<UserId>,
}

impl Recovery {
    /// The engine over a store and the secrets, which leaves an audit trail.
    #[must_use]
    pub fn new(
        store: Store,
        secrets: Secrets,
        settings: Settings,
        hasher: Hasher,
        audit: AuditTrail,
    ) -> Self {
        let policy = Policy {
            min_length: settings.password_min_length,
            service_name: settings.service_name.clone(),
        };
        Self {
            store,
            secrets,
            settings,
            policy,
            hasher,
            refusals: ThrottleCache::default(),
            audit,
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the user's status is one that may recover.
    fn may_recover(&self, user: &User) -> bool {
        self.settings.recoverable_statuses.include(&user.status)
    }

    /// Fetches the secrets ahead of the first request. A failure shows when a request needs them.
    pub async fn warm(&self, at: Timestamp) {
        if let Err(error) = self.secrets.index().await {
            tracing::warn!(error = %crate::telemetry::causes(&error), "index key not at hand yet");
        }
        match self.secrets.code(at).await {
            Ok(_) | Err(SecretError::NotGiven) => {}
            Err(error) => {
                tracing::warn!(error = %crate::telemetry::causes(&error), "code key not at hand yet");
            }
        }
    }

    /// Begins a session and has its code mailed, whoever has the address. An `Idempotency-Key` that was
    /// sent within ten minutes leads to the same session again, unless that was proven since. What a
    /// throttle has refused is refused again without asking the store for more than a key's session.
    ///
    /// # Errors
    /// [`RecoveryError::Throttled`], or a failure; nothing was written then.
    pub async fn request(
        &self,
        request: Request,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<Started, RecoveryError> {
        let mut trail = Trail::new(&self.audit, &request.caller, request.protocol, at);
        trail.address(&request.address);
        let started = self.begin(&mut trail, &request, at, rng).await;
        trail.answered(started)
    }

    async fn begin(
        &self,
        trail: &mut Trail<'_>,
        request: &Request,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<Started, RecoveryError> {
        let keys = self.secrets.index().await?;
        trail.keys(&keys);
        let caller = request.caller.network;
        let address_key = keys.address(&request.address);
        let caller_key = keys.caller(caller);
        let mut id = match &request.idempotency_key {
            None => SessionId::draw(rng),
            Some(key) => {
                let endpoint = request.protocol.name();
                let id = keys.idempotent_session(endpoint, &request.address, caller, key);
                match self.store.session(&id.reference()).await? {
                    None => id,
                    Some(first) => match first.repeat(at) {
                        Repeat::Same => return Ok(repeated(trail, id, &first)),
                        Repeat::Anew => id,
                        Repeat::Absent => SessionId::draw(rng),
                    },
                }
            }
        };
        if let Some(whom) = self.refusals.found(address_key, caller_key, at)
            && let Some(until) = whom.until()
        {
            return Err(RecoveryError::Throttled { until, whom });
        }
        let user = self.answered_id(request, &keys).await?;
        let limits = &self.settings.limits;
        let code_request = CodeRequest {
            keys: &keys,
            caller,
            locale: request.locale,
            limits,
        };
        for _ in 0..ATTEMPTS {
            let facts = SessionInfo {
                reference: id.reference(),
                protocol: request.protocol,
                template: request.template,
                address: request.address.clone(),
                answered_id: user.clone(),
                started_at: at,
                expires_at: at.plus(limits.session_ttl),
            };
            let session = Awaiting::begin(facts, Nonce::draw(rng), limits);
            trail.asks_for(Unanswered::Request);
            let begun = self.store.begin(&session, &request.origin, &code_request);
            match begun.await? {
                Begun::Started => {
                    metrics::count(Metric::CodesRequested);
                    trail.session(&session.facts);
                    trail.happened(Event::Requested(Asked::NewSession));
                    return Ok(Started {
                        session: id,
                        user,
                        at,
                    });
                }
                // A request with the same key came in between.
                Begun::Taken(first) => {
                    trail.not_done();
                    match first.repeat(at) {
                        Repeat::Same => return Ok(repeated(trail, id, &first)),
                        Repeat::Anew => {}
                        Repeat::Absent => id = SessionId::draw(rng),
                    }
                }
                Begun::Throttled { until, whom } => {
                    self.refusals.remember(whom, address_key, caller_key, at);
                    return Err(RecoveryError::Throttled { until, whom });
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The user id that a request is answered with, real or decoy, where its protocol tells one.
    async fn answered_id(
        &self,
        request: &Request,
        keys: &IndexKeys,
    ) -> Result<Option<UserId>, RecoveryError> {
        match request.protocol {
            Protocol::AuthV1 => Ok(None),
            Protocol::Directory => {
                let decoy = keys.decoy(&request.address, self.settings.user_id_format);
                let known = self.store.user_id_of(&request.address).await?;
                Ok(Some(known.unwrap_or(decoy)))
            }
        }
    }

    /// Has another code mailed for a session; the one before dies, and so does a reset token.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`], [`RecoveryError::GuessesSpent`],
    /// [`RecoveryError::Throttled`], or a failure; nothing was written then.
    pub async fn resend(
        &self,
        caller: &Caller,
        named: &SessionLookup,
        locale: Locale,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<SessionId, RecoveryError> {
        let mut trail = Trail::new(&self.audit, caller, named.protocol, at);
        let resent = self.renew(&mut trail, named, locale, at, rng).await;
        trail.answered(resent)
    }

    async fn renew(
        &self,
        trail: &mut Trail<'_>,
        named: &SessionLookup,
        locale: Locale,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<SessionId, RecoveryError> {
        let keys = self.secrets.index().await?;
        trail.keys(&keys);
        let limits = &self.settings.limits;
        let request = CodeRequest {
            keys: &keys,
            caller: trail.caller.network,
            locale,
            limits,
        };
        let mut session = self.open(named, trail).await?.live(at)?;
        for _ in 0..ATTEMPTS {
            let renewed = match session.clone().renewed(limits, Nonce::draw(rng), at) {
                Ok(renewed) => renewed,
                Err(refused) => {
                    return Err(self.unless_superseded(&session, refused.into(), at).await?);
                }
            };
            trail.asks_for(Unanswered::Request);
            match self.store.renew(&session, &renewed, &request, at).await? {
                Renewed::Done => {
                    metrics::count(Metric::CodesRequested);
                    trail.happened(Event::Requested(Asked::AnotherCode));
                    return named.session.clone().ok_or(RecoveryError::NoSession);
                }
                Renewed::Throttled { until, whom } => {
                    return Err(RecoveryError::Throttled { until, whom });
                }
                Renewed::Changed(found) => {
                    trail.not_done();
                    let address = found.address(&session.facts().reference);
                    session = found.session(session);
                    session
                        .clone()
                        .renew(&address, limits, Nonce::draw(rng), at)?;
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The session that a caller names, whatever its state.
    async fn open(
        &self,
        named: &SessionLookup,
        trail: &mut Trail<'_>,
    ) -> Result<Session, RecoveryError> {
        let id = named.session.as_ref().ok_or(RecoveryError::NoSession)?;
        let session = self
            .store
            .session(&id.reference())
            .await?
            .filter(|session| session.facts().protocol == named.protocol)
            .ok_or(RecoveryError::NoSession)?;
        trail.session(session.facts());
        Ok(session)
    }

    /// Why a session is refused: that it was superseded, which only its address knows, comes before
    /// anything else that is wrong.
    async fn unless_superseded(
        &self,
        session: &Session,
        refusal: RecoveryError,
        at: Timestamp,
    ) -> Result<RecoveryError, RecoveryError> {
        let Session::Awaiting(Awaiting { facts, .. }) = session else {
            return Ok(refusal);
        };
        let key = self.secrets.index().await?.address(&facts.address);
        let state = self.store.address_state(&key, at).await?;
        Ok(if state.current == Some(facts.reference) {
            refusal
        } else {
            RecoveryError::SessionOver
        })
    }
}

/// The answer to a request whose `Idempotency-Key` led to a session before: that session.
fn repeated(trail: &mut Trail<'_>, id: SessionId, first: &Session) -> Started {
    let facts = first.facts();
    trail.session(facts);
    trail.happened(Event::Requested(Asked::Repeated));
    Started {
        session: id,
        user: facts.answered_id.clone(),
        at: facts.started_at,
    }
}

impl SessionLookup {
    /// Whether the user id that was sent is the one the session was answered with.
    fn check_user(&self, facts: &SessionInfo) -> Result<(), RecoveryError> {
        match (&self.user, &facts.answered_id) {
            (Some(sent), Some(answered)) if sent == answered => Ok(()),
            (None, None) => Ok(()),
            _ => Err(RecoveryError::OtherUser),
        }
    }
}
