//! Setting the password: with a validated session, with a reset token, or with the code itself.

use std::time::Duration;

use regain_password::{Candidate, PasswordHash, Reason};
use thiserror::Error;

use super::call::CallContext;
use super::guess::Guessed;
use super::link::{Linked, PasswordToken};
use super::{ATTEMPTS, CodeGuess, Found, Recovery, RecoveryError, SessionLookup, UnderWay};
use crate::audit::{Event, Means, Unanswered};
use crate::function::{DEADLINE_ELSEWHERE, TIMEOUT_ELSEWHERE};
use crate::hashing;
use crate::ids::{ResetToken, SessionRef, UserId, draw};
use crate::keys::NetworkKey;
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::session::{Session, Validated};
use crate::settings::PasswordForm;
use crate::store::{
    Claimant, Claimed, ClaimedWith, FromState, Moved, PasswordChange, StoreError, chance,
};
use crate::telemetry;
use crate::timestamp::Timestamp;
use crate::user_store::{ForStore, SET, SetAnswer, UserFunction, UserStore, UserStoreError};
use crate::users::{CredentialsVersion, User};

/// A password to be set.
#[derive(Debug)]
pub struct NewPassword {
    /// The password.
    pub password: Candidate,
    /// The language of the notice, if the user has set none.
    pub locale: Locale,
}

/// What a caller shows to set a password.
pub(super) enum Proof<'a> {
    /// The id of a validated session, as the Directory API's clients send it.
    Session(&'a SessionLookup),
    /// The reset token of a validated session.
    Token(&'a ResetToken),
    /// The right code, which is still charged.
    Code(&'a Guessed),
    /// The link of a mail.
    Link(&'a Linked),
}

impl Proof<'_> {
    fn claimed_with(&self) -> ClaimedWith<'_> {
        match self {
            Self::Session(lookup) => ClaimedWith::Id(lookup.protocol, lookup.user.as_ref()),
            Self::Token(token) => ClaimedWith::Token(token.digest()),
            Self::Code(guessed) => ClaimedWith::RightGuess {
                generation: guessed.session.generation.number,
                charged: None,
            },
            Self::Link(linked) => ClaimedWith::Link {
                generation: linked.generation,
            },
        }
    }

    const fn means(&self) -> Means {
        match self {
            Self::Session(_) => Means::Session,
            Self::Token(_) => Means::Token,
            Self::Code(_) => Means::Code,
            Self::Link(_) => Means::Link,
        }
    }

    /// The change of a password that this proof has made, from that version of credentials on.
    fn change(&self, user: &UserId, version: &CredentialsVersion) -> PasswordChange {
        PasswordChange {
            user: user.clone(),
            credentials_version: version.clone(),
            means: self.means(),
        }
    }

    /// The caller's network, if this call proves that it has the mailbox.
    const fn network(&self) -> Option<&NetworkKey> {
        match self {
            Self::Session(_) | Self::Token(_) => None,
            Self::Code(guessed) => Some(&guessed.network),
            Self::Link(linked) => Some(&linked.network),
        }
    }
}

/// How long a call that finds the session claimed waits before it looks again: at first about as long as
/// a hash takes, then up to twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// How long claims last, and how long calls wait for them.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// How long a claim lasts. A process that dies holds its session up for this long.
    claim: Duration,
    /// How long a call waits in all that finds its session claimed.
    wait: Duration,
    /// Until when after the call came a password may begin to be set.
    begin: Duration,
}

/// The wait of a call that finds its session claimed by another.
pub(super) struct ClaimWait {
    /// How long it waits in all.
    patience: Duration,
    waited: Duration,
    pause: Duration,
}

impl ClaimWait {
    /// How long it has waited.
    pub(super) const fn waited(&self) -> Duration {
        self.waited
    }

    /// Waits before the next look at the session.
    ///
    /// # Errors
    /// [`StoreError::Contended`] if it has waited long enough.
    pub(super) async fn pause(&mut self) -> Result<(), StoreError> {
        if self.waited >= self.patience {
            return Err(StoreError::Contended);
        }
        let next = self.pause.mul_f64(0.5 + chance()? / 2.0);
        tokio::time::sleep(next).await;
        self.waited += next;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// With users in the table, a call waits longer than the claim of a process that died, and short enough to set
/// the password itself before the function's deadline.
const IN_TABLE: Patience = Patience {
    claim: Duration::from_secs(3),
    wait: Duration::from_millis(3500),
    begin: Duration::MAX,
};

/// With users elsewhere, a claim lasts as long as its function lives, so that no two calls set a password with
/// one proof at once. What has begun can be asked for twice and recorded before the function's deadline.
const ELSEWHERE: Patience = Patience {
    claim: TIMEOUT_ELSEWHERE,
    wait: Duration::from_secs(15),
    begin: DEADLINE_ELSEWHERE
        .saturating_sub(SET)
        .saturating_sub(SET)
        .saturating_sub(RECORD),
};

/// How long it takes to record that a password was set elsewhere.
const RECORD: Duration = Duration::from_secs(3);

/// A password that was not asked to be set, because the answer could come too late.
#[derive(Debug, Error)]
#[error("too late to set a password")]
struct TooLate;

impl Recovery {
    /// Sets the password of a validated session.
    ///
    /// # Errors
    /// [`RecoveryError::PasswordRefused`], [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`],
    /// [`RecoveryError::OtherUser`], [`RecoveryError::CodeWrong`] if no code was proven,
    /// [`RecoveryError::Blocked`], or a failure.
    pub fn set_password<'a>(
        &'a self,
        call: &'a mut CallContext,
        lookup: &'a SessionLookup,
        new: NewPassword,
    ) -> UnderWay<'a, User> {
        Box::pin(async move {
            permitted(self.policy.check(&new.password))?;
            let reference = lookup.session.id()?.reference();
            let proof = Proof::Session(lookup);
            call.note_proof(proof.means());
            let set = self.claim_and_set(call, &reference, &proof, &new).await;
            call.settle(set)
        })
    }

    /// Sets the password of the session that a reset token was issued for, or that a mail's link opens.
    ///
    /// # Errors
    /// [`RecoveryError::PasswordRefused`], [`RecoveryError::TokenUnknown`],
    /// [`RecoveryError::SessionOver`], [`RecoveryError::Blocked`], or a failure.
    pub fn set_password_by_token<'a>(
        &'a self,
        call: &'a mut CallContext,
        token: Option<PasswordToken>,
        new: NewPassword,
    ) -> UnderWay<'a, User> {
        Box::pin(async move {
            permitted(self.policy.check(&new.password))?;
            let set = match token.ok_or(RecoveryError::TokenUnknown)? {
                PasswordToken::Link(token) => self.set_by_link(call, &token, &new).await,
                PasswordToken::Reset(token) => {
                    let (reference, proof) = (token.session().reference(), Proof::Token(&token));
                    call.note_proof(proof.means());
                    self.claim_and_set(call, &reference, &proof, &new).await
                }
            };
            call.settle(set)
        })
    }

    /// Verifies a code and sets the password, both or neither. If only the user's profile speaks against
    /// the password, the session becomes validated, so that the person can go on without the code. A caller
    /// without the session's id could not go on so: then session and code stay as they are.
    ///
    /// # Errors
    /// Those of [`Recovery::verify`] and [`RecoveryError::PasswordRefused`].
    pub fn set_password_with_code<'a>(
        &'a self,
        call: &'a mut CallContext,
        lookup: &'a SessionLookup,
        guess: &'a CodeGuess,
        new: NewPassword,
    ) -> UnderWay<'a, User> {
        Box::pin(async move {
            permitted(self.policy.check(&new.password))?;
            let set = self.guess_and_set(call, lookup, guess, &new).await;
            call.settle(set)
        })
    }

    async fn guess_and_set(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
        new: &NewPassword,
    ) -> Result<User, RecoveryError> {
        let guess = self.guess(call, lookup, guess, Some(&new.password));
        let guessed = guess.await?.right()?;
        let reference = guessed.session.info.reference;
        self.claim_and_set(call, &reference, &Proof::Code(&guessed), new)
            .await
    }

    /// Claims a session and sets its password.
    pub(super) async fn claim_and_set(
        &self,
        call: &mut CallContext,
        reference: &SessionRef,
        proof: &Proof<'_>,
        new: &NewPassword,
    ) -> Result<User, RecoveryError> {
        self.index_keys(call).await?;
        let claimant = Claimant::draw(&mut call.rng);
        let mut held = false;
        let set = self
            .wait_and_set(call, reference, proof, new, &claimant, &mut held)
            .await;
        // The session is used up by a new password, and by a user who may not recover. After any other
        // outcome it can be used again.
        if held
            && !matches!(set, Ok(_) | Err(RecoveryError::Blocked))
            && let Err(error) = self.store.give_up_claim(reference, &claimant).await
        {
            tracing::warn!(
                error = %telemetry::causes(&error),
                "giving up a claim failed, it will expire"
            );
        }
        set
    }

    /// Waits for the claim, and sets the password once this call holds it. A call that finds the session claimed
    /// waits for the outcome, longer than a claim lasts.
    async fn wait_and_set(
        &self,
        call: &mut CallContext,
        reference: &SessionRef,
        proof: &Proof<'_>,
        new: &NewPassword,
        claimant: &Claimant,
        held: &mut bool,
    ) -> Result<User, RecoveryError> {
        let length = self.patience().claim;
        let mut owner = None;
        let mut wait = self.claim_wait();
        let session = loop {
            let is_first = wait.waited().is_zero();
            let now = call.at.plus(wait.waited());
            let claim = |with| self.store.claim(reference, with, claimant, now, length);
            let (claimed, found) = match proof {
                Proof::Code(guessed) if is_first => {
                    let claim = claim(ClaimedWith::RightGuess {
                        generation: guessed.session.generation.number,
                        charged: Some(&guessed.name),
                    });
                    self.give_back_and_claim(guessed, claim, call.at).await
                }
                Proof::Link(linked) if is_first => {
                    let (claimed, found) = tokio::join!(
                        claim(proof.claimed_with()),
                        self.find(&linked.address, &linked.address_key)
                    );
                    (claimed, found.map(Some))
                }
                _ => (claim(proof.claimed_with()).await, Ok(None)),
            };
            let claimed = claimed?;
            *held = claimed.as_ref().is_some_and(|claimed| claimed.held);
            if is_first {
                owner = found?;
            }
            let session = claimed.map(|claimed| claimed.session);
            if let Some(session) = &session {
                call.note_session(session.info());
            }
            let session = self.permit(session, proof, &new.password, call.at, now)?;
            if *held {
                break session;
            }
            // Another call has claimed it.
            wait.pause().await?;
        };
        self.use_up(call, proof, &session, owner, new, claimant)
            .await
    }

    /// Gives a right guess back, claims its session, and asks who owns its address.
    async fn give_back_and_claim(
        &self,
        guessed: &Guessed,
        claim: impl Future<Output = Result<Option<Claimed>, StoreError>>,
        charged_at: Timestamp,
    ) -> (
        Result<Option<Claimed>, StoreError>,
        Result<Option<Found>, RecoveryError>,
    ) {
        let Guessed {
            session,
            address,
            name,
            void_since,
            ..
        } = guessed;
        let reference = &session.info.reference;
        let claim = async {
            let claimed = claim.await?;
            if !claimed.as_ref().is_some_and(|claimed| claimed.held) {
                self.store.give_back_to_session(reference, name).await?;
            }
            Ok(claimed)
        };
        let (claimed, given_back, owner) = tokio::join!(
            claim,
            self.store.give_back_to_address(address, name, charged_at),
            self.users.owner(&session.info.address),
        );
        if claimed.is_err() || given_back.is_err() {
            self.give_back(reference, Some(address), name, charged_at)
                .await;
        }
        let found = match (given_back, owner) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Err(error)) => Err(error.into()),
            (Ok(()), Ok(owner)) => Ok(Some(Found {
                owner,
                void_since: *void_since,
            })),
        };
        (claimed, found)
    }

    /// The wait for claims of other calls.
    pub(super) const fn claim_wait(&self) -> ClaimWait {
        ClaimWait {
            patience: self.patience().wait,
            waited: Duration::ZERO,
            pause: FIRST_PAUSE,
        }
    }

    /// How long claims last and are waited for.
    const fn patience(&self) -> Patience {
        match self.users {
            UserStore::Table(_) => IN_TABLE,
            UserStore::Function(_) => ELSEWHERE,
        }
    }

    /// Sets the password and uses the session up. In the table, that is one transaction.
    async fn use_up(
        &self,
        call: &mut CallContext,
        proof: &Proof<'_>,
        session: &Session,
        mut found: Option<Found>,
        new: &NewPassword,
        claimant: &Claimant,
    ) -> Result<User, RecoveryError> {
        let address = &session.info().address;
        let mut hash = None;
        for attempt in 0..ATTEMPTS {
            let user = match proof {
                Proof::Session(_) | Proof::Token(_) => {
                    self.proven_user(call, session, attempt == 0).await?
                }
                Proof::Code(guessed) => {
                    let found = match found.take() {
                        Some(found) => found,
                        None => self.find(address, &guessed.address).await?,
                    };
                    self.guessed_user(call, guessed, found).await?
                }
                Proof::Link(linked) => {
                    let found = match found.take() {
                        Some(found) => found,
                        None => self.find(address, &linked.address_key).await?,
                    };
                    self.linked_user(call, linked, session, found).await?
                }
            };
            let reasons = self
                .policy
                .check_profile(&new.password, address, user.profile_texts());
            if !reasons.is_empty() {
                if let Proof::Code(guessed) = proof
                    && guessed.can_go_on
                {
                    self.prove(call, guessed, user, None, claimant).await?;
                }
                return Err(RecoveryError::PasswordRefused(reasons));
            }
            if let UserStore::Function(function) = &self.users {
                let asked = Asked {
                    function,
                    proof,
                    session,
                    claimant,
                    user,
                };
                // On the heap: few calls need this large future.
                match Box::pin(self.set_elsewhere(call, asked, &mut hash, new)).await? {
                    Some(user) => return Ok(user),
                    // Find the user again: what changed decides.
                    None => continue,
                }
            }
            let hash = self.hashed(call, &mut hash, new).await?;
            let (at, now) = (call.at, call.now());
            let write = async {
                let set =
                    self.store
                        .set_password(session, proof.means(), &user, hash, new.locale, now);
                match proof.network() {
                    None => set.await,
                    Some(network) => tokio::join!(set, self.remember(network, at)).0,
                }
            };
            match call.attempt(Unanswered::Password, write).await? {
                Moved::Done => {
                    note_set(call, proof);
                    return Ok(user.with_proven_mailbox().with_password(hash.clone(), now));
                }
                // Read the user again: what changed decides.
                Moved::UserChanged => {}
                Moved::SessionChanged(found) => return Err(self.too_late(proof, found, at, now)),
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The hash of the password, which is made once.
    async fn hashed<'a>(
        &self,
        call: &mut CallContext,
        hash: &'a mut Option<PasswordHash>,
        new: &NewPassword,
    ) -> Result<&'a PasswordHash, RecoveryError> {
        Ok(match hash {
            Some(hash) => hash,
            None => {
                hash.insert(hashing::hash(&self.hasher, &new.password, draw(&mut call.rng)).await?)
            }
        })
    }

    /// Asks a user store elsewhere to set the password, and records that it has: the session is used up only
    /// then. `None` if the user is no longer as found.
    async fn set_elsewhere(
        &self,
        call: &mut CallContext,
        asked: Asked<'_>,
        hash: &mut Option<PasswordHash>,
        new: &NewPassword,
    ) -> Result<Option<User>, RecoveryError> {
        let Asked {
            function,
            proof,
            session,
            claimant,
            user,
        } = asked;
        let (address, generation) = (&session.info().address, session.generation().number);
        let keys = self.index_keys(call).await?;
        let key = keys.password_use(&session.info().reference, generation, &new.password);
        // A proof is good for the credentials that it was given for. If they are others by now, this may be the
        // repetition of a use whose record failed. The user store can tell.
        let version = match session {
            Session::Validated(Validated { proof: given, .. })
                if matches!(proof, Proof::Session(_) | Proof::Token(_)) =>
            {
                &given.credentials_version
            }
            _ => &user.credentials_version,
        };
        let password = match function.password_form() {
            PasswordForm::Hash => ForStore::Hash(self.hashed(call, hash, new).await?),
            PasswordForm::Plain => ForStore::Plain(&new.password),
        };
        if call.now().since(call.at) > self.patience().begin {
            return Err(RecoveryError::Unavailable(TooLate.into()));
        }
        let set = async {
            let set = function.set_password(&user.id, address, version, &key, password);
            match set.await {
                Err(lost @ UserStoreError::Lost(_)) => Err(lost),
                answered => Ok(answered),
            }
        };
        let answer = match call.attempt(Unanswered::Password, set).await {
            Ok(answer) => answer?,
            Err(lost) => {
                // The password may be set, so its owner is told.
                let change = proof.change(&user.id, version);
                let notice = self
                    .store
                    .request_notice(session, change, new.locale, call.now());
                if let Err(error) = notice.await {
                    tracing::error!(
                        error = %telemetry::causes(&error),
                        "requesting the notice failed"
                    );
                }
                return Err(lost.into());
            }
        };
        match answer {
            SetAnswer::Done(user) => {
                let now = call.now();
                let address = &keys.address(address);
                let change = proof.change(&user.id, &user.credentials_version);
                let record = self
                    .store
                    .record_password(session, address, change, new.locale, now);
                let at = call.at;
                let record = async {
                    match proof.network() {
                        None => record.await,
                        Some(network) => tokio::join!(record, self.remember(network, at)).0,
                    }
                };
                call.attempt(Unanswered::Password, record).await?;
                note_set(call, proof);
                Ok(Some(user.with_proven_mailbox()))
            }
            SetAnswer::Changed => Ok(None),
            SetAnswer::Refused(reasons) => {
                if let Proof::Code(guessed) = proof
                    && guessed.can_go_on
                {
                    self.prove(call, guessed, user, None, claimant).await?;
                }
                Err(RecoveryError::PasswordRefusedElsewhere(reasons))
            }
            SetAnswer::Blocked => {
                let by = Claimant::draw(&mut call.rng);
                let closed = self.store.close(session, FromState::of(proof.means()), &by);
                match closed.await? {
                    Moved::SessionChanged(found) => {
                        Err(self.too_late(proof, found, call.at, call.now()))
                    }
                    Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
                }
            }
        }
    }

    /// Why a proof comes too late: another call has changed the session. The call came at `at`, and it is `now`.
    fn too_late(
        &self,
        proof: &Proof<'_>,
        found: Option<Box<Session>>,
        at: Timestamp,
        now: Timestamp,
    ) -> RecoveryError {
        match proof {
            Proof::Code(_) => self.overtaken(found, at),
            Proof::Session(_) | Proof::Token(_) => RecoveryError::SessionOver,
            Proof::Link(linked) => linked.overtaken(found, now),
        }
    }

    /// The user whose mailbox was proven, who must still have the same address and credentials. If the
    /// user's status may not recover, the session is used up. Other credentials are no obstacle at the `first`
    /// look if the users live elsewhere: see [`Recovery::set_elsewhere`]. A proof is void if the password was set
    /// with another one since, so that this is no repetition of a use, whatever the user store remembers.
    async fn proven_user(
        &self,
        call: &mut CallContext,
        session: &Session,
        first: bool,
    ) -> Result<User, RecoveryError> {
        let Session::Validated(Validated {
            info,
            generation,
            proof,
            ..
        }) = session
        else {
            return Err(RecoveryError::SessionOver);
        };
        let asks = first && self.users.is_elsewhere();
        let address = self.index_keys(call).await?.address(&info.address);
        let (user, void_since) =
            tokio::join!(self.users.user(&proof.subject), self.void_since(&address));
        let (user, void_since) = (user?, void_since?);
        let user = user
            .filter(|user| user.has_address(&info.address))
            .filter(|user| asks || user.credentials_version == proof.credentials_version)
            .filter(|user| !generation.is_void(user.password_changed_at.max(void_since)))
            .ok_or(RecoveryError::SessionOver)?;
        if self.may_recover(&user) {
            return Ok(user);
        }
        let by = Claimant::draw(&mut call.rng);
        let closed = self.store.close(session, FromState::Validated, &by);
        match closed.await? {
            Moved::SessionChanged(_) => Err(RecoveryError::SessionOver),
            Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
        }
    }

    /// The session, if what the caller shows permits the password to be set. Claims do not matter here. The
    /// call came at `at`, and has waited until `now`.
    fn permit(
        &self,
        session: Option<Session>,
        proof: &Proof<'_>,
        password: &Candidate,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Session, RecoveryError> {
        match proof {
            Proof::Session(lookup) => self.permit_by_id(session, lookup, password, now),
            Proof::Token(token) => self.permit_by_token(session, token, password, now),
            Proof::Link(linked) => {
                let session = linked.permit(session, now)?;
                let address = &session.info().address;
                permitted(self.policy.check_address(password, address))?;
                Ok(session)
            }
            Proof::Code(guessed) => match session {
                Some(Session::Awaiting(session))
                    if session.generation.number == guessed.session.generation.number =>
                {
                    Ok(Session::Awaiting(session))
                }
                session => Err(self.overtaken(session.map(Box::new), at)),
            },
        }
    }

    fn permit_by_id(
        &self,
        session: Option<Session>,
        lookup: &SessionLookup,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<Session, RecoveryError> {
        let session = session
            .filter(|session| session.info().protocol == lookup.protocol)
            .ok_or(RecoveryError::NoSession)?
            .live(at)?;
        if let Session::Validated(session) = &session {
            session.permit_use(at)?;
        }
        let info = session.info();
        permitted(self.policy.check_address(password, &info.address))?;
        lookup.check_user(info)?;
        match session {
            Session::Validated(_) => Ok(session),
            Session::Awaiting(_) | Session::Used(_) => Err(RecoveryError::CodeWrong),
        }
    }

    fn permit_by_token(
        &self,
        session: Option<Session>,
        token: &ResetToken,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<Session, RecoveryError> {
        let session = session.ok_or(RecoveryError::TokenUnknown)?;
        let kept = match &session {
            Session::Awaiting(_) => None,
            Session::Validated(session) => session.proof.token,
            Session::Used(session) => session.token,
        };
        if kept != Some(token.digest()) {
            return Err(RecoveryError::TokenUnknown);
        }
        let session = session.live(at)?;
        if let Session::Validated(session) = &session {
            session.permit_use(at)?;
        }
        permitted(self.policy.check_address(password, &session.info().address))?;
        Ok(session)
    }
}

/// What a user store elsewhere is asked to do.
struct Asked<'a> {
    function: &'a UserFunction,
    proof: &'a Proof<'a>,
    session: &'a Session,
    /// Holds the session.
    claimant: &'a Claimant,
    /// The user as found.
    user: User,
}

/// Notes that the password was set.
fn note_set(call: &mut CallContext, proof: &Proof<'_>) {
    metrics::count(Metric::PasswordsSet);
    if proof.network().is_some() {
        call.note(Event::Proven(proof.means()));
    }
    call.note(Event::PasswordSet(proof.means()));
}

pub(super) fn permitted(reasons: Vec<Reason>) -> Result<(), RecoveryError> {
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(RecoveryError::PasswordRefused(reasons))
    }
}
