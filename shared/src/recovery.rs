//! The use cases: request a code, resend it, verify it, set the password.
//!
//! Every guess is *charged, compared, moved on*. One transaction, the same for a right and a wrong guess,
//! charges the session and its address. Only then is the code derived and compared. A right guess is
//! refunded by the transaction that moves the session on. Until a code is proven, nothing here asks
//! whether anybody has the address.

mod call;
mod guess;
mod password;
mod throttle_cache;

use std::error::Error;
use std::sync::Arc;

use regain_password::{Address, Hasher, Policy, Reason};
use thiserror::Error;

use crate::api::Protocol;
use crate::audit::{Asked, Event, Unanswered};
use crate::code::Nonce;
use crate::hashing::HashingError;
use crate::ids::{IdempotencyKey, SessionId, UserId};
use crate::keys::IndexKeys;
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::secrets::{SecretError, Secrets};
use crate::session::{Awaiting, Repeat, Session, SessionInfo, TransitionError};
use crate::settings::Settings;
use crate::store::{Begun, CodeRequest, Renewed, SessionOrigin, Store, StoreError, Throttled};
use crate::template::Template;
use crate::timestamp::Timestamp;
use crate::users::User;

pub use call::CallContext;
pub use guess::CodeGuess;
pub use password::NewPassword;

use throttle_cache::ThrottleCache;

/// How often an operation is tried when other calls change what it has read.
const ATTEMPTS: usize = 4;

/// Why a use case refused a call. Each protocol decides how much of it the caller is told.
#[derive(Debug, Error)]
pub enum RecoveryError {
    /// Too many codes were requested for the address, or by the caller.
    #[error("throttled")]
    Throttled {
        /// When the last of the limits that were reached ends.
        until: Timestamp,
        /// Whose limits were reached.
        whom: Throttled,
    },
    /// This protocol has no session of that id.
    #[error("no such session")]
    NoSession,
    /// The session is expired, superseded or used.
    #[error("the session is over")]
    SessionOver,
    /// The user id is not the one that the session was answered with.
    #[error("not the session's user")]
    OtherUser,
    /// The guesses of the session are spent, or those of the address until the given time.
    #[error("the guesses are spent")]
    GuessesSpent {
        /// When there are guesses again, if waiting helps.
        until: Option<Timestamp>,
    },
    /// The session is live, but its code has expired.
    #[error("the code has expired")]
    CodeExpired,
    /// The code is wrong or already used, or no code was proven where one had to be.
    #[error("not the code")]
    CodeWrong,
    /// No session has that reset token.
    #[error("no such reset token")]
    TokenUnknown,
    /// The user's status may not recover. Returned only after the code was proven.
    #[error("the user is blocked")]
    Blocked,
    /// The password policy refuses the password.
    #[error("the password is refused")]
    PasswordRefused(Vec<Reason>),
    /// The store, a secret or the hashing failed. Nothing was done.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A stored item is not as it must be: a bug.
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
    throttle_cache: ThrottleCache,
}

/// A request for a code, to recover the account of an address.
#[derive(Clone, Debug)]
pub struct Request {
    /// The protocol that the session will belong to.
    pub protocol: Protocol,
    /// The address.
    pub address: Address,
    /// The template of the mail with the code.
    pub template: Template,
    /// What the caller says about itself.
    pub origin: SessionOrigin,
    /// The language of the mail, if the user has set none.
    pub locale: Locale,
    /// The caller's `Idempotency-Key`.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// A session that began.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its id.
    pub session: SessionId,
    /// The user id, real or decoy, in the protocol that answers with one.
    pub user: Option<UserId>,
    /// When it began.
    pub at: Timestamp,
}

/// How a caller names a session.
#[derive(Clone, Debug)]
pub struct SessionLookup {
    /// The protocol of the call. Sessions of the other protocol do not exist for it.
    pub protocol: Protocol,
    /// The session's id. `None` if what was sent cannot be one.
    pub session: Option<SessionId>,
    /// The user id, in the protocol whose clients send it along.
    pub user: Option<UserId>,
}

impl SessionLookup {
    /// Whether the user id that was sent is the one that the session was answered with.
    fn check_user(&self, info: &SessionInfo) -> Result<(), RecoveryError> {
        match (&self.user, &info.answered_id) {
            (Some(sent), Some(answered)) if sent == answered => Ok(()),
            (None, None) => Ok(()),
            _ => Err(RecoveryError::OtherUser),
        }
    }
}

impl Recovery {
    /// The engine over a store and the secrets.
    #[must_use]
    pub fn new(store: Store, secrets: Secrets, settings: Settings, hasher: Hasher) -> Self {
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
            throttle_cache: ThrottleCache::default(),
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Fetches the secrets ahead of the first request. A failure is logged, and shows when a request
    /// needs them.
    pub async fn warm(&self, at: Timestamp) {
        if let Err(error) = self.secrets.index().await {
            tracing::warn!(error = %crate::telemetry::causes(&error), "fetching the index key failed");
        }
        match self.secrets.code(at).await {
            Ok(_) | Err(SecretError::NotGiven) => {}
            Err(error) => {
                tracing::warn!(error = %crate::telemetry::causes(&error), "fetching the code key failed");
            }
        }
    }

    /// Begins a session and has its code mailed, whether or not anybody has the address.
    ///
    /// An `Idempotency-Key` that was sent within ten minutes leads to the same session again, unless
    /// that session was proven since. A caller or an address that a throttle has refused is refused
    /// again from memory.
    ///
    /// # Errors
    /// [`RecoveryError::Throttled`], or a failure. Nothing was written then.
    pub async fn request(
        &self,
        call: &mut CallContext,
        request: Request,
    ) -> Result<Started, RecoveryError> {
        // The device that the body names goes before that of the header.
        if let Some(device) = &request.origin.device {
            call.caller.device = Some(device.clone());
        }
        call.note_address(request.protocol, &request.address);
        let started = self.begin(call, &request).await;
        call.settle(started)
    }

    async fn begin(
        &self,
        call: &mut CallContext,
        request: &Request,
    ) -> Result<Started, RecoveryError> {
        let keys = self.index_keys(call).await?;
        let (caller, at) = (call.caller.network, call.at);
        let address_key = keys.address(&request.address);
        let caller_key = keys.caller(caller);
        let mut id = match &request.idempotency_key {
            None => SessionId::draw(&mut call.rng),
            Some(key) => {
                let endpoint = request.protocol.name();
                let id = keys.idempotent_session(endpoint, &request.address, caller, key);
                match self.store.session(&id.reference()).await? {
                    None => id,
                    Some(first) => match first.repeat(at) {
                        Repeat::Same => return Ok(repeated(call, id, &first)),
                        Repeat::Anew => id,
                        Repeat::Absent => SessionId::draw(&mut call.rng),
                    },
                }
            }
        };
        if let Some(whom) = self.throttle_cache.find(address_key, caller_key, at)
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
            let info = SessionInfo {
                reference: id.reference(),
                protocol: request.protocol,
                template: request.template,
                address: request.address.clone(),
                answered_id: user.clone(),
                started_at: at,
                expires_at: at.plus(limits.session_ttl),
            };
            let session = Awaiting::begin(info, Nonce::draw(&mut call.rng), limits);
            let begun = self.store.begin(&session, &request.origin, &code_request);
            match call.attempt(Unanswered::Request, begun).await? {
                Begun::Started => {
                    metrics::count(Metric::CodesRequested);
                    call.note_session(&session.info);
                    call.note(Event::Requested(Asked::NewSession));
                    return Ok(Started {
                        session: id,
                        user,
                        at,
                    });
                }
                // Another request with the same key began a session in between.
                Begun::Taken(first) => match first.repeat(at) {
                    Repeat::Same => return Ok(repeated(call, id, &first)),
                    Repeat::Anew => {}
                    Repeat::Absent => id = SessionId::draw(&mut call.rng),
                },
                Begun::Throttled { until, whom } => {
                    self.throttle_cache
                        .insert(whom, address_key, caller_key, at);
                    return Err(RecoveryError::Throttled { until, whom });
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The user id that a request is answered with, real or decoy, in the protocol that answers with one.
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

    /// Has another code mailed for a session. The code before it is void, and so is a reset token.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`], [`RecoveryError::GuessesSpent`],
    /// [`RecoveryError::Throttled`], or a failure. Nothing was written then.
    pub async fn resend(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        locale: Locale,
    ) -> Result<SessionId, RecoveryError> {
        let id = lookup.session.as_ref();
        let renewed = self.renew(call, lookup, locale).await;
        call.settle(renewed)?;
        id.cloned().ok_or(RecoveryError::NoSession)
    }

    async fn renew(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        locale: Locale,
    ) -> Result<(), RecoveryError> {
        let keys = self.index_keys(call).await?;
        let (at, limits) = (call.at, &self.settings.limits);
        let request = CodeRequest {
            keys: &keys,
            caller: call.caller.network,
            locale,
            limits,
        };
        let mut session = self.find_session(call, lookup).await?.live(at)?;
        for _ in 0..ATTEMPTS {
            let nonce = Nonce::draw(&mut call.rng);
            let renewed = match session.clone().renewed(limits, nonce, at) {
                Ok(renewed) => renewed,
                Err(error) => {
                    return Err(self.unless_superseded(&session, error.into(), at).await?);
                }
            };
            let write = self.store.renew(&session, &renewed, &request, at);
            match call.attempt(Unanswered::Request, write).await? {
                Renewed::Done => {
                    metrics::count(Metric::CodesRequested);
                    call.note(Event::Requested(Asked::AnotherCode));
                    return Ok(());
                }
                Renewed::Throttled { until, whom } => {
                    return Err(RecoveryError::Throttled { until, whom });
                }
                Renewed::Changed(observed) => {
                    let address = observed.address(&session.info().reference);
                    session = observed.session(session);
                    let nonce = Nonce::draw(&mut call.rng);
                    session.clone().renew(&address, limits, nonce, at)?;
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The index keys. The call's record needs them as well.
    async fn index_keys(&self, call: &mut CallContext) -> Result<Arc<IndexKeys>, RecoveryError> {
        let keys = self.secrets.index().await?;
        call.note_keys(&keys);
        Ok(keys)
    }

    /// The session that a caller names, in any state.
    async fn find_session(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
    ) -> Result<Session, RecoveryError> {
        let id = lookup.session.as_ref().ok_or(RecoveryError::NoSession)?;
        let session = self
            .store
            .session(&id.reference())
            .await?
            .filter(|session| session.info().protocol == lookup.protocol)
            .ok_or(RecoveryError::NoSession)?;
        call.note_session(session.info());
        Ok(session)
    }

    /// The given error, unless a newer session has superseded this one: that comes before everything else
    /// that is wrong, and only the address's state tells it.
    async fn unless_superseded(
        &self,
        session: &Session,
        error: RecoveryError,
        at: Timestamp,
    ) -> Result<RecoveryError, RecoveryError> {
        let Session::Awaiting(Awaiting { info, .. }) = session else {
            return Ok(error);
        };
        let key = self.secrets.index().await?.address(&info.address);
        let state = self.store.address_state(&key, at).await?;
        Ok(if state.current == Some(info.reference) {
            error
        } else {
            RecoveryError::SessionOver
        })
    }

    /// Whether the user's status may recover.
    fn may_recover(&self, user: &User) -> bool {
        self.settings.recoverable_statuses.include(&user.status)
    }
}

/// Answers a repeated request with the session that its `Idempotency-Key` began.
fn repeated(call: &mut CallContext, id: SessionId, first: &Session) -> Started {
    let info = first.info();
    call.note_session(info);
    call.note(Event::Requested(Asked::Repeated));
    Started {
        session: id,
        user: info.answered_id.clone(),
        at: info.started_at,
    }
}
