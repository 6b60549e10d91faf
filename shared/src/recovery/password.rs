//! Setting the password: with a validated session, with a reset token, or with the code itself.

use std::time::Duration;

use regain_password::{Candidate, Reason};

use super::call::CallContext;
use super::guess::Guessed;
use super::{ATTEMPTS, CodeGuess, Recovery, RecoveryError, SessionLookup};
use crate::audit::{Event, Means, Unanswered};
use crate::hashing;
use crate::ids::{ResetToken, SessionRef, draw};
use crate::keys::AddressKey;
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::session::{Session, SessionInfo, Validated};
use crate::store::{CLAIM, Claimant, ClaimedWith, Moved, Observed, StoreError, chance};
use crate::telemetry;
use crate::timestamp::Timestamp;
use crate::users::User;

/// A password to be set.
#[derive(Debug)]
pub struct NewPassword {
    /// The password.
    pub password: Candidate,
    /// The language of the notice, if the user has set none.
    pub locale: Locale,
}

/// What a caller shows to set the password of a validated session.
enum Proof<'a> {
    /// The session's id, as the Directory API's clients send it.
    Session(&'a SessionLookup),
    /// The session's reset token.
    Token(&'a ResetToken),
}

impl Proof<'_> {
    fn claimed_with(&self) -> ClaimedWith<'_> {
        match self {
            Self::Session(lookup) => ClaimedWith::Id(lookup.protocol, lookup.user.as_ref()),
            Self::Token(token) => ClaimedWith::Token(token.digest()),
        }
    }

    const fn means(&self) -> Means {
        match self {
            Self::Session(_) => Means::Session,
            Self::Token(_) => Means::Token,
        }
    }
}

/// A session that this call may use up.
enum Opened {
    /// Opened by a right guess.
    Guessed(Guessed),
    /// Validated by an earlier call, and claimed by this one.
    Claimed(Claimed),
}

/// A validated session that this call has claimed.
struct Claimed {
    session: Validated,
    address: AddressKey,
    means: Means,
}

impl Opened {
    fn session(&self) -> Session {
        match self {
            Self::Guessed(guessed) => Session::Awaiting(guessed.session.clone()),
            Self::Claimed(claimed) => Session::Validated(claimed.session.clone()),
        }
    }

    const fn info(&self) -> &SessionInfo {
        match self {
            Self::Guessed(guessed) => &guessed.session.info,
            Self::Claimed(claimed) => &claimed.session.info,
        }
    }

    const fn address(&self) -> &AddressKey {
        match self {
            Self::Guessed(guessed) => &guessed.address,
            Self::Claimed(claimed) => &claimed.address,
        }
    }
}

/// How long a call that finds the session claimed waits before it looks again: at first about as long as
/// a hash takes, then up to twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// How long such a call waits in all: longer than the claim of a process that died, and short enough to
/// set the password itself before the function's deadline.
const PATIENCE: Duration = CLAIM.saturating_add(Duration::from_millis(500));

impl Recovery {
    /// Sets the password of a validated session.
    ///
    /// # Errors
    /// [`RecoveryError::PasswordRefused`], [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`],
    /// [`RecoveryError::OtherUser`], [`RecoveryError::CodeWrong`] if no code was proven,
    /// [`RecoveryError::Blocked`], or a failure.
    pub async fn set_password(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        new: NewPassword,
    ) -> Result<User, RecoveryError> {
        permitted(self.policy.check(&new.password))?;
        let id = lookup.session.as_ref().ok_or(RecoveryError::NoSession)?;
        let proof = Proof::Session(lookup);
        let set = self
            .claim_and_set(call, &id.reference(), &proof, &new)
            .await;
        call.settle(set)
    }

    /// Sets the password of the session that a reset token was issued for.
    ///
    /// # Errors
    /// [`RecoveryError::PasswordRefused`], [`RecoveryError::TokenUnknown`],
    /// [`RecoveryError::SessionOver`], [`RecoveryError::Blocked`], or a failure.
    pub async fn set_password_by_token(
        &self,
        call: &mut CallContext,
        token: Option<ResetToken>,
        new: NewPassword,
    ) -> Result<User, RecoveryError> {
        permitted(self.policy.check(&new.password))?;
        let token = token.ok_or(RecoveryError::TokenUnknown)?;
        let (reference, proof) = (token.session().reference(), Proof::Token(&token));
        let set = self.claim_and_set(call, &reference, &proof, &new).await;
        call.settle(set)
    }

    /// Verifies a code and sets the password, both or neither. If only the user's profile speaks against
    /// the password, the session becomes validated, so that the person can go on without the code.
    ///
    /// # Errors
    /// Those of [`Recovery::verify`] and [`RecoveryError::PasswordRefused`].
    pub async fn set_password_with_code(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
        new: NewPassword,
    ) -> Result<User, RecoveryError> {
        permitted(self.policy.check(&new.password))?;
        let set = self.guess_and_set(call, lookup, guess, &new).await;
        call.settle(set)
    }

    async fn guess_and_set(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
        new: &NewPassword,
    ) -> Result<User, RecoveryError> {
        let session = self.find_session(call, lookup).await?.live(call.at)?;
        self.check(&session, lookup, &new.password, call.at).await?;
        let guessed = self.guess(call, session, guess).await?;
        self.use_up(call, &Opened::Guessed(guessed), new).await
    }

    /// Claims a validated session and sets its password. A call that finds the session claimed waits for
    /// the outcome, longer than a claim lasts.
    async fn claim_and_set(
        &self,
        call: &mut CallContext,
        reference: &SessionRef,
        proof: &Proof<'_>,
        new: &NewPassword,
    ) -> Result<User, RecoveryError> {
        call.note_proof(proof.means());
        let claimant = Claimant::draw(&mut call.rng);
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        let session = loop {
            let now = call.at.plus(waited);
            let claimed = self
                .store
                .claim(reference, proof.claimed_with(), &claimant, now)
                .await?;
            let is_ours = claimed.as_ref().is_some_and(|claimed| claimed.held);
            let session = claimed.map(|claimed| claimed.session);
            if let Some(session) = &session {
                call.note_session(session.info());
            }
            match self.permit(session, proof, &new.password, now).await {
                Ok(session) if is_ours => break session,
                Ok(_) if waited >= PATIENCE => return Err(StoreError::Contended.into()),
                // Another call has claimed it.
                Ok(_) => {}
                Err(error) => {
                    if is_ours {
                        self.give_up_claim(reference, &claimant).await;
                    }
                    return Err(error);
                }
            }
            let next = pause.mul_f64(0.5 + chance()? / 2.0);
            tokio::time::sleep(next).await;
            waited += next;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        let set = self.use_claimed(call, session, proof.means(), new).await;
        // The session is used up by a new password, and by a user who may not recover. After any other
        // outcome it can be used again.
        if !matches!(set, Ok(_) | Err(RecoveryError::Blocked)) {
            self.give_up_claim(reference, &claimant).await;
        }
        set
    }

    async fn use_claimed(
        &self,
        call: &mut CallContext,
        session: Validated,
        means: Means,
        new: &NewPassword,
    ) -> Result<User, RecoveryError> {
        let keys = self.index_keys(call).await?;
        let claimed = Claimed {
            address: keys.address(&session.info.address),
            session,
            means,
        };
        self.use_up(call, &Opened::Claimed(claimed), new).await
    }

    /// Gives a claim up. If that fails, the claim ends by itself.
    async fn give_up_claim(&self, reference: &SessionRef, claimant: &Claimant) {
        if let Err(error) = self.store.give_up_claim(reference, claimant).await {
            tracing::warn!(
                error = %telemetry::causes(&error),
                "giving up a claim failed, it will expire"
            );
        }
    }

    /// Sets the password and uses the session up, in one transaction.
    async fn use_up(
        &self,
        call: &mut CallContext,
        opened: &Opened,
        new: &NewPassword,
    ) -> Result<User, RecoveryError> {
        let (session, at) = (opened.session(), call.at);
        let mut hash = None;
        for _ in 0..ATTEMPTS {
            let user = match opened {
                Opened::Guessed(guessed) => self.guessed_user(call, guessed).await?,
                Opened::Claimed(claimed) => self.proven_user(claimed, at).await?,
            };
            let reasons = self.policy.check_profile(
                &new.password,
                &opened.info().address,
                user.profile_texts(),
            );
            if !reasons.is_empty() {
                if let Opened::Guessed(guessed) = opened
                    && self.prove(call, guessed, user, None).await?.is_none()
                {
                    continue;
                }
                return Err(RecoveryError::PasswordRefused(reasons));
            }
            let hash = match &hash {
                Some(hash) => hash,
                None => hash
                    .insert(hashing::hash(&self.hasher, &new.password, draw(&mut call.rng)).await?),
            };
            let set =
                self.store
                    .set_password(&session, opened.address(), &user, hash, new.locale, at);
            match call.attempt(Unanswered::Password, set).await? {
                Moved::Done => {
                    metrics::count(Metric::PasswordsSet);
                    let means = match opened {
                        Opened::Guessed(_) => {
                            call.note(Event::Proven(Means::Code));
                            Means::Code
                        }
                        Opened::Claimed(claimed) => claimed.means,
                    };
                    call.note(Event::PasswordSet(means));
                    return Ok(user.with_proven_mailbox().with_password(hash.clone(), at));
                }
                // Read the user again: what changed decides.
                Moved::UserChanged => {}
                Moved::SessionChanged(observed) => {
                    return Err(self.came_too_late(opened, &observed, at));
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The user whose mailbox was proven, who must still have the same address and credentials. If the
    /// user's status may not recover, the session is used up.
    async fn proven_user(&self, claimed: &Claimed, at: Timestamp) -> Result<User, RecoveryError> {
        let Validated { info, proof, .. } = &claimed.session;
        let user = self.store.user(&proof.subject).await?;
        let user = user
            .filter(|user| user.has_address(&info.address))
            .filter(|user| user.credentials_version == proof.credentials_version)
            .ok_or(RecoveryError::SessionOver)?;
        if self.may_recover(&user) {
            return Ok(user);
        }
        let session = Session::Validated(claimed.session.clone());
        match self.store.close(&session, &claimed.address, at).await? {
            Moved::SessionChanged(_) => Err(RecoveryError::SessionOver),
            Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
        }
    }

    /// Why the session could not be used up: another call used it, or requested another code for it.
    fn came_too_late(&self, opened: &Opened, observed: &Observed, at: Timestamp) -> RecoveryError {
        match opened {
            Opened::Guessed(guessed) => self.overtaken(guessed, observed, at),
            Opened::Claimed(_) => RecoveryError::SessionOver,
        }
    }

    /// The session, if it and the proof permit the password to be set. Claims do not matter here.
    async fn permit(
        &self,
        session: Option<Session>,
        proof: &Proof<'_>,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<Validated, RecoveryError> {
        match proof {
            Proof::Session(lookup) => self.permit_by_id(session, lookup, password, at).await,
            Proof::Token(token) => self.permit_by_token(session, token, password, at),
        }
    }

    async fn permit_by_id(
        &self,
        session: Option<Session>,
        lookup: &SessionLookup,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<Validated, RecoveryError> {
        let session = session
            .filter(|session| session.info().protocol == lookup.protocol)
            .ok_or(RecoveryError::NoSession)?
            .live(at)?;
        if let Session::Validated(session) = &session {
            session.permit_use(at)?;
        }
        self.check(&session, lookup, password, at).await?;
        match session {
            Session::Validated(session) => Ok(session),
            session => Err(self
                .unless_superseded(&session, RecoveryError::CodeWrong, at)
                .await?),
        }
    }

    fn permit_by_token(
        &self,
        session: Option<Session>,
        token: &ResetToken,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<Validated, RecoveryError> {
        let session = session.ok_or(RecoveryError::TokenUnknown)?;
        let kept = match &session {
            Session::Awaiting(_) => None,
            Session::Validated(session) => session.proof.token,
            Session::Used(session) => session.token,
        };
        if kept != Some(token.digest()) {
            return Err(RecoveryError::TokenUnknown);
        }
        match session.live(at)? {
            Session::Validated(session) => {
                session.permit_use(at)?;
                permitted(self.policy.check_address(password, &session.info.address))?;
                Ok(session)
            }
            Session::Awaiting(_) => Err(RecoveryError::TokenUnknown),
            Session::Used(_) => Err(RecoveryError::SessionOver),
        }
    }

    /// Checks the password against the address that was typed, and the user id that was sent.
    async fn check(
        &self,
        session: &Session,
        lookup: &SessionLookup,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<(), RecoveryError> {
        let info = session.info();
        let checked = permitted(self.policy.check_address(password, &info.address))
            .and_then(|()| lookup.check_user(info));
        match checked {
            Ok(()) => Ok(()),
            Err(error) => Err(self.unless_superseded(session, error, at).await?),
        }
    }
}

fn permitted(reasons: Vec<Reason>) -> Result<(), RecoveryError> {
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(RecoveryError::PasswordRefused(reasons))
    }
}
