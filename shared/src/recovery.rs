//! The use cases: request a code, resend it, verify it, set the password.
//!
//! Every guess is *charged, compared, given back if it is right, and only then moved on*. Two writes, the same
//! for a right and a wrong guess, charge the session and its address. Only then is the code derived and
//! compared. A right guess is given back before anything else can fail. Until a code is proven, nothing here
//! asks whether anybody has the address.

mod call;
mod claim_wait;
mod elsewhere;
mod error;
mod guess;
mod link;
mod not_me;
mod password;
mod proof;
mod throttle_cache;

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use regain_password::{Address, Hasher, Policy, Reason};

use crate::api::Protocol;
use crate::audit::{Asked, Event, Unanswered};
use crate::code::Nonce;
use crate::ids::{IdempotencyKey, SessionId, SessionRef, UserId};
use crate::keys::{AddressKey, IndexKeys};
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::secrets::{SecretError, Secrets};
use crate::session::{AnsweredId, Awaiting, Repeat, Session, SessionInfo};
use crate::settings::{DirectorySession, DirectoryUserId, Settings, Share};
use crate::store::{
    Begun, CodeRequest, LimitsReached, Renewed, SessionOrigin, Store, StoreError, Throttled,
};
use crate::telemetry;
use crate::template::Template;
use crate::timestamp::Timestamp;
use crate::user_store::{Owner, UserStore};
use crate::users::User;

pub use call::CallContext;
pub use error::RecoveryError;
pub use guess::CodeGuess;
pub use link::PasswordToken;
pub use password::NewPassword;

use throttle_cache::ThrottleCache;

/// How often an operation is tried when other calls change what it has read.
const ATTEMPTS: usize = 4;

/// A use case under way. It is on the heap and has no type of its own. So it is compiled with this crate, for size, and
/// not with a function that runs it.
pub type UnderWay<'a, T> = BoxFuture<'a, Result<T, RecoveryError>>;

/// The engine behind both protocols.
#[derive(Debug)]
pub struct Recovery {
    store: Store,
    users: UserStore,
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
    /// The user id, in the protocol that answers with one: the user's or a decoy, or the address's alias.
    pub user: Option<UserId>,
    /// When it began.
    pub at: Timestamp,
}

/// Which session a caller means.
#[derive(Clone, Debug)]
pub enum SessionName {
    /// The one of that id.
    Id(SessionId),
    /// The newest that was answered with the user id that is sent along.
    Latest,
    /// None: what was sent cannot be an id.
    Malformed,
}

impl SessionName {
    /// The session that a text names.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        SessionId::parse(text).map_or(Self::Malformed, Self::Id)
    }

    /// The session's id, if the caller has it.
    pub(super) fn id(&self) -> Result<&SessionId, RecoveryError> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Latest | Self::Malformed => Err(RecoveryError::NoSession),
        }
    }
}

/// How a caller names a session.
#[derive(Clone, Debug)]
pub struct SessionLookup {
    /// The protocol of the call. Sessions of the other protocol do not exist for it.
    pub protocol: Protocol,
    /// The session.
    pub session: SessionName,
    /// The user id, in the protocol whose clients send it along.
    pub user: Option<UserId>,
}

impl SessionLookup {
    /// Whether the user id that was sent is the one that the session was answered with.
    fn check_user(&self, info: &SessionInfo) -> Result<(), RecoveryError> {
        match (&self.user, &info.answered_id) {
            (Some(sent), Some(answered)) if sent == answered.id() => Ok(()),
            (None, None) => Ok(()),
            _ => Err(RecoveryError::OtherUser),
        }
    }
}

/// The owner of an address, as it was found.
#[derive(Debug)]
struct AddressOwner {
    owner: Owner,
    /// Since when the codes and links of the address are void, if a user store elsewhere has set its password
    /// lately. The table's users know it themselves.
    void_since: Option<Timestamp>,
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
            users: UserStore::Table(store.clone()),
            store,
            secrets,
            settings,
            policy,
            hasher,
            throttle_cache: ThrottleCache::default(),
        }
    }

    /// The same engine with users who live elsewhere.
    #[must_use]
    pub fn with_users(self, users: UserStore) -> Self {
        Self { users, ..self }
    }

    /// The rules in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Fetches the secrets and connects to the table, all at the same time, ahead of the first request. A failure is
    /// logged, and shows when a request needs what is missing.
    pub async fn warm(&self, at: Timestamp) {
        let (index, code, connected) = tokio::join!(
            self.secrets.index(),
            self.secrets.code(at),
            self.store.connect(),
        );
        if let Err(error) = index {
            tracing::warn!(error = %telemetry::causes(&error), "fetching the index key failed");
        }
        if let Err(error) = code
            && !matches!(error, SecretError::NotGiven)
        {
            tracing::warn!(error = %telemetry::causes(&error), "fetching the code key failed");
        }
        if let Err(error) = connected {
            tracing::warn!(error = %telemetry::causes(&error), "connecting to the table failed");
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
    pub fn request<'a>(
        &'a self,
        call: &'a mut CallContext,
        request: Request,
    ) -> UnderWay<'a, Started> {
        Box::pin(async move {
            // The device that the body names goes before that of the header.
            if let Some(device) = &request.origin.device {
                call.caller.device = Some(device.clone());
            }
            call.note_address(request.protocol, &request.address);
            let started = self.begin(call, &request).await;
            call.settle(started)
        })
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
        if let Some(whom) = self.throttle_cache.find(address_key, caller_key, at) {
            return Err(throttled(whom, at));
        }
        let answered = self.answered_id(request, &keys).await?;
        let user = answered.as_ref().map(AnsweredId::id).cloned();
        let latest = match self.settings.directory_session {
            DirectorySession::Required => None,
            DirectorySession::Latest => user.as_ref().map(|id| keys.latest(id)),
        };
        let limits = &self.settings.limits;
        let mut code_request = CodeRequest {
            keys: &keys,
            caller,
            locale: request.locale,
            limits,
            share: Share::Strangers,
        };
        for _ in 0..ATTEMPTS {
            let info = SessionInfo {
                reference: id.reference(),
                protocol: request.protocol,
                template: request.template,
                address: request.address.clone(),
                answered_id: answered.clone(),
                started_at: at,
                expires_at: at.plus(limits.session_ttl),
            };
            let session = Awaiting::begin(info, Nonce::draw(&mut call.rng), limits);
            let begun = self
                .store
                .begin(&session, &request.origin, &code_request, latest.as_ref());
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
                Begun::Throttled(reached) => {
                    match self
                        .share(&code_request, &request.address, reached, at)
                        .await?
                    {
                        Ok(share) => code_request.share = share,
                        Err(whom) => {
                            self.throttle_cache
                                .insert(whom, address_key, caller_key, at);
                            return Err(throttled(whom, at));
                        }
                    }
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Which share of its address's limits a request may use that was refused: the whole if that would help it,
    /// and the caller's network has proven the address. If neither, whom the limits refuse.
    async fn share(
        &self,
        request: &CodeRequest<'_>,
        address: &Address,
        reached: LimitsReached,
        at: Timestamp,
    ) -> Result<Result<Share, Throttled>, RecoveryError> {
        if reached.limits == reached.whole
            || !self
                .is_known(request.keys, address, request.caller, at)
                .await?
        {
            return Ok(Err(reached.limits));
        }
        Ok(match reached.whole.until() {
            None => Ok(Share::Whole),
            Some(_) => Err(reached.whole),
        })
    }

    /// Whether a caller's network has proven an address lately.
    async fn is_known(
        &self,
        keys: &IndexKeys,
        address: &Address,
        caller: IpAddr,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = keys.known_network(address, caller);
        self.store.is_known_network(&key, at).await
    }

    /// The user id that a request is answered with, in the protocol that answers with one. Where that is an alias,
    /// nothing is read.
    async fn answered_id(
        &self,
        request: &Request,
        keys: &IndexKeys,
    ) -> Result<Option<AnsweredId>, RecoveryError> {
        if request.protocol == Protocol::AuthV1 {
            return Ok(None);
        }
        let made = keys.decoy(&request.address, self.settings.user_id_format);
        Ok(Some(match (&self.users, self.settings.directory_user_id) {
            // Users elsewhere are not looked up while a caller waits.
            (UserStore::Function(_), _) | (_, DirectoryUserId::Alias) => AnsweredId::Alias(made),
            (UserStore::Table(store), DirectoryUserId::User) => {
                let known = store.user_id_of(&request.address).await?;
                AnsweredId::User(known.unwrap_or(made))
            }
        }))
    }

    /// Has another code mailed for a session. The code before it is void, and so is a reset token.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`], [`RecoveryError::GuessesSpent`],
    /// [`RecoveryError::Throttled`], or a failure. Nothing was written then.
    pub fn resend<'a>(
        &'a self,
        call: &'a mut CallContext,
        lookup: &'a SessionLookup,
        locale: Locale,
    ) -> UnderWay<'a, SessionId> {
        Box::pin(async move {
            let renewed = self.renew(call, lookup, locale).await;
            call.settle(renewed)?;
            lookup.session.id().cloned()
        })
    }

    async fn renew(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        locale: Locale,
    ) -> Result<(), RecoveryError> {
        let keys = self.index_keys(call).await?;
        let (at, limits) = (call.at, &self.settings.limits);
        let mut request = CodeRequest {
            keys: &keys,
            caller: call.caller.network,
            locale,
            limits,
            share: Share::Strangers,
        };
        let mut session = self.find_session(call, lookup).await?;
        for _ in 0..ATTEMPTS {
            let nonce = Nonce::draw(&mut call.rng);
            let renewed = session.clone().renew(limits, nonce, at)?;
            // A password that a user store elsewhere is setting now may be set already. Until its call has ended,
            // nothing else may be done with the session.
            let ends_claim = !self.users.is_elsewhere();
            let write = self
                .store
                .renew(&session, &renewed, &request, ends_claim, at);
            match call.attempt(Unanswered::Request, write).await? {
                Renewed::Done => {
                    metrics::count(Metric::CodesRequested);
                    call.note(Event::Requested(Asked::AnotherCode));
                    return Ok(());
                }
                Renewed::Throttled(reached) => {
                    let address = &session.info().address;
                    match self.share(&request, address, reached, at).await? {
                        Ok(share) => request.share = share,
                        Err(whom) => return Err(throttled(whom, at)),
                    }
                }
                Renewed::Changed(found) => {
                    session = *found.ok_or(RecoveryError::NoSession)?;
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

    /// The key of the session that a caller names.
    async fn reference(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
    ) -> Result<SessionRef, RecoveryError> {
        let (SessionName::Latest, Some(user)) = (&lookup.session, &lookup.user) else {
            return Ok(lookup.session.id()?.reference());
        };
        let key = self.index_keys(call).await?.latest(user);
        let latest = self.store.latest_session(&key).await?;
        latest.ok_or(RecoveryError::NoSession)
    }

    /// The session that a caller names, in any state.
    async fn find_session(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
    ) -> Result<Session, RecoveryError> {
        let id = lookup.session.id()?;
        let session = self
            .store
            .session(&id.reference())
            .await?
            .filter(|session| session.info().protocol == lookup.protocol)
            .ok_or(RecoveryError::NoSession)?;
        call.note_session(session.info());
        Ok(session)
    }

    /// Who has an address, and since when codes are void there.
    async fn find(
        &self,
        address: &Address,
        key: &AddressKey,
    ) -> Result<AddressOwner, RecoveryError> {
        let (owner, void_since) = tokio::join!(self.users.owner(address), self.void_since(key));
        Ok(AddressOwner {
            owner: owner?,
            void_since: void_since?,
        })
    }

    /// Since when what was asked for at an address is void, if a user store elsewhere has set its password lately.
    async fn void_since(&self, key: &AddressKey) -> Result<Option<Timestamp>, StoreError> {
        match self.users {
            UserStore::Table(_) => Ok(None),
            UserStore::Function(_) => self.store.void_since(key).await,
        }
    }

    /// The user who was found for a session, if it was answered with that user's id and the user still has its
    /// address.
    async fn user_of(
        &self,
        found: AddressOwner,
        info: &SessionInfo,
    ) -> Result<Option<User>, RecoveryError> {
        let owner = match &found.owner {
            Owner::Id(id) if !info.may_be_of(id) => Owner::Nobody,
            // The id of a user who lives elsewhere is answered to nobody before the proof.
            _ => found.owner,
        };
        let user = self.users.user_of(owner).await?;
        Ok(user.filter(|user| user.has_address(&info.address)))
    }

    /// Whether the user's status may recover.
    fn may_recover(&self, user: &User) -> bool {
        self.settings.recoverable_statuses.include(&user.status)
    }
}

/// The error for a request that limits refuse.
fn throttled(whom: Throttled, at: Timestamp) -> RecoveryError {
    RecoveryError::Throttled {
        until: whom.until().unwrap_or(at),
        whom,
    }
}

/// Answers a repeated request with the session that its `Idempotency-Key` began.
fn repeated(call: &mut CallContext, id: SessionId, first: &Session) -> Started {
    let info = first.info();
    call.note_session(info);
    call.note(Event::Requested(Asked::Repeated));
    Started {
        session: id,
        user: info.answered_id.as_ref().map(AnsweredId::id).cloned(),
        at: info.started_at,
    }
}

/// The error for a password that the policy has reasons against, if it has any.
fn permitted(reasons: Vec<Reason>) -> Result<(), RecoveryError> {
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(RecoveryError::PasswordRefused(reasons))
    }
}
