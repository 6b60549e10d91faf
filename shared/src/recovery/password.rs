//! Setting the password: with a proven session, with a reset token, or with the code itself.

use std::time::Duration;

use rand::rngs::StdRng;
use regain_password::{Candidate, PasswordHash, Reason};

use super::guess::Guessed;
use super::trail::Trail;
use super::{ATTEMPTS, CodeGuess, Recovery, RecoveryError, SessionLookup};
use crate::audit::{Caller, Event, Means, Unanswered};
use crate::hashing;
use crate::ids::{ResetToken, SessionRef, draw};
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::session::{Protocol, Session, Validated};
use crate::store::{CLAIM, Claimant, ClaimedWith, Moved, StoreError, chance};
use crate::telemetry;
use crate::timestamp::Timestamp;
use crate::users::User;

/// A password to be set.
#[derive(Debug)]
pub struct NewPassword {
    /// The password.
    pub password: Candidate,
    /// The language of the notice if the user has none set.
    pub locale: Locale,
}

/// What a password is set with.
enum Proof<'a> {
    /// A session whose code was proven, as the Directory API's clients name it.
    Session(&'a SessionLookup),
    /// The reset token of such a session.
    Token(&'a ResetToken),
}

impl Proof<'_> {
    fn claims_with(&self) -> ClaimedWith<'_> {
        match self {
            Self::Session(named) => ClaimedWith::Id(named.protocol, named.user.as_ref()),
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

/// How long whoever finds a session claimed waits before looking again: at first about as long as a
/// hash takes, and then up to twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// When it gives up: late enough to outlast the claim of a process that died, and early enough to set
/// the password itself within a function's deadline.
const PATIENCE: Duration = CLAIM.saturating_add(Duration::from_millis(500));

impl Recovery {
    /// Sets the password of a session whose code was proven before.
    ///
    /// # Errors
    /// [`RecoveryError::PasswordRefused`], [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`],
    /// [`RecoveryError::OtherUser`], [`RecoveryError::CodeWrong`] if no code was proven, [`RecoveryError::Blocked`], or a
    /// failure.
    pub async fn set_password(
        &self,
        caller: &Caller,
        named: &SessionLookup,
        new: NewPassword,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, RecoveryError> {
        permitted(self.policy.check(&new.password))?;
        let id = named.session.as_ref().ok_or(RecoveryError::NoSession)?;
        let (reference, proof) = (id.reference(), Proof::Session(named));
        let mut trail = Trail::new(&self.audit, caller, named.protocol, at);
        let set = self
            .use_proof(&reference, &proof, &new, &mut trail, at, rng)
            .await;
        trail.answered(set)
    }

    /// Sets the password of the session that a reset token was handed out for.
    ///
    /// # Errors
    /// [`RecoveryError::PasswordRefused`], [`RecoveryError::TokenUnknown`], [`RecoveryError::SessionOver`],
    /// [`RecoveryError::Blocked`], or a failure.
    pub async fn set_password_by_token(
        &self,
        caller: &Caller,
        token: Option<ResetToken>,
        new: NewPassword,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, RecoveryError> {
        permitted(self.policy.check(&new.password))?;
        let token = token.ok_or(RecoveryError::TokenUnknown)?;
        let (reference, proof) = (token.session().reference(), Proof::Token(&token));
        let mut trail = Trail::new(&self.audit, caller, Protocol::AuthV1, at);
        let set = self
            .use_proof(&reference, &proof, &new, &mut trail, at, rng)
            .await;
        trail.answered(set)
    }

    /// Checks a code and sets the password, both or neither. A password that only the user's profile
    /// speaks against leaves the session validated, so that the person can go on without the code.
    ///
    /// # Errors
    /// Those of [`Recovery::verify`] and [`RecoveryError::PasswordRefused`].
    pub async fn set_password_with_code(
        &self,
        caller: &Caller,
        named: &SessionLookup,
        guess: &CodeGuess,
        new: NewPassword,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, RecoveryError> {
        permitted(self.policy.check(&new.password))?;
        let mut trail = Trail::new(&self.audit, caller, named.protocol, at);
        let set = self
            .guess_and_set(named, guess, &new, &mut trail, at, rng)
            .await;
        trail.answered(set)
    }

    async fn guess_and_set(
        &self,
        named: &SessionLookup,
        guess: &CodeGuess,
        new: &NewPassword,
        trail: &mut Trail<'_>,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, RecoveryError> {
        let session = self.open(named, trail).await?.live(at)?;
        self.check(&session, named, &new.password, at).await?;
        let guessed = self.guess(session, guess, trail, at).await?;
        let mut hash = None;
        for _ in 0..ATTEMPTS {
            let user = self.subject(&guessed, trail, at).await?;
            let address = &guessed.session.facts.address;
            let reasons = self
                .policy
                .check_profile(&new.password, address, user.profile_texts());
            if !reasons.is_empty() {
                let proven = self.prove(&guessed, user, None, trail, at).await?;
                if proven.is_some() {
                    return Err(RecoveryError::PasswordRefused(reasons));
                }
                continue;
            }
            let hash = match &hash {
                Some(hash) => hash,
                None => hash.insert(hashing::hash(&self.hasher, &new.password, draw(rng)).await?),
            };
            let set = self.use_guess(&guessed, user, hash, new.locale, trail, at);
            if let Some(user) = set.await? {
                trail.happened(Event::Proven(Means::Code));
                trail.happened(Event::PasswordSet(Means::Code));
                return Ok(user);
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Checks the password against the address that was typed, and the user id that was sent.
    async fn check(
        &self,
        session: &Session,
        named: &SessionLookup,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<(), RecoveryError> {
        let facts = session.facts();
        let checked = permitted(self.policy.check_address(password, &facts.address))
            .and_then(|()| named.check_user(facts));
        match checked {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.unless_superseded(session, refusal, at).await?),
        }
    }

    /// Claims a proven session and uses it up. Who finds it claimed waits for what becomes of it, for
    /// longer than a claim lasts.
    async fn use_proof(
        &self,
        reference: &SessionRef,
        proof: &Proof<'_>,
        new: &NewPassword,
        trail: &mut Trail<'_>,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, RecoveryError> {
        trail.proven_by(proof.means());
        let claimant = Claimant::draw(rng);
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        let session = loop {
            let now = at.plus(waited);
            let claimed = self
                .store
                .claim(reference, proof.claims_with(), &claimant, now)
                .await?;
            let held = claimed.as_ref().is_some_and(|claimed| claimed.held);
            let session = claimed.map(|claimed| claimed.session);
            if let Some(session) = &session {
                trail.session(session.facts());
            }
            match self.permit(session, proof, &new.password, now).await {
                Ok(session) if held => break session,
                // Somebody else has it.
                Ok(_) if waited >= PATIENCE => return Err(StoreError::Contended.into()),
                Ok(_) => {}
                Err(refusal) => {
                    if held {
                        self.give_up(reference, &claimant).await;
                    }
                    return Err(refusal);
                }
            }
            let next = pause.mul_f64(0.5 + chance()? / 2.0);
            tokio::time::sleep(next).await;
            waited += next;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        let used = self.use_claimed(session, new, trail, at, rng).await;
        if used.is_ok() {
            trail.happened(Event::PasswordSet(proof.means()));
        }
        // A user who may not recover has the session used up; anything else leaves it to be used.
        if !matches!(used, Ok(_) | Err(RecoveryError::Blocked)) {
            self.give_up(reference, &claimant).await;
        }
        used
    }

    /// Gives a claim up. If that fails, it ends by itself.
    async fn give_up(&self, reference: &SessionRef, claimant: &Claimant) {
        if let Err(error) = self.store.give_up_claim(reference, claimant).await {
            tracing::warn!(error = %telemetry::causes(&error), "a claim is left to end by itself");
        }
    }

    /// The session as far as it and its proof let the password be set, claims apart.
    async fn permit(
        &self,
        session: Option<Session>,
        proof: &Proof<'_>,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<Validated, RecoveryError> {
        match proof {
            Proof::Session(named) => {
                let session = session
                    .filter(|session| session.facts().protocol == named.protocol)
                    .ok_or(RecoveryError::NoSession)?
                    .live(at)?;
                if let Session::Validated(session) = &session {
                    session.permit_use(at)?;
                }
                self.check(&session, named, password, at).await?;
                match session {
                    Session::Validated(session) => Ok(session),
                    session => Err(self
                        .unless_superseded(&session, RecoveryError::CodeWrong, at)
                        .await?),
                }
            }
            Proof::Token(token) => {
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
                        permitted(self.policy.check_address(password, &session.facts.address))?;
                        Ok(session)
                    }
                    Session::Awaiting(_) => Err(RecoveryError::TokenUnknown),
                    Session::Used(_) => Err(RecoveryError::SessionOver),
                }
            }
        }
    }

    /// Uses up a session that is claimed, whose proof still lasts. The user must still be who was
    /// proven, with the same credentials.
    async fn use_claimed(
        &self,
        session: Validated,
        new: &NewPassword,
        trail: &mut Trail<'_>,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, RecoveryError> {
        let (facts, proof) = (session.facts.clone(), session.proof.clone());
        let keys = self.secrets.index().await?;
        trail.keys(&keys);
        let address = keys.address(&facts.address);
        let session = Session::Validated(session);
        let mut hash = None;
        for _ in 0..ATTEMPTS {
            let user = self
                .store
                .user(&proof.subject)
                .await?
                .filter(|user| user.has_address(&facts.address))
                .filter(|user| user.credentials_version == proof.credentials_version)
                .ok_or(RecoveryError::SessionOver)?;
            if !self.may_recover(&user) {
                return match self.store.close(&session, &address, at).await? {
                    Moved::SessionChanged(_) => Err(RecoveryError::SessionOver),
                    Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
                };
            }
            let texts = user.profile_texts();
            permitted(
                self.policy
                    .check_profile(&new.password, &facts.address, texts),
            )?;
            let hash = match &hash {
                Some(hash) => hash,
                None => hash.insert(hashing::hash(&self.hasher, &new.password, draw(rng)).await?),
            };
            trail.asks_for(Unanswered::Password);
            let moved = self
                .store
                .set_password(&session, &address, &user, hash, new.locale, at)
                .await?;
            trail.not_done();
            match moved {
                Moved::Done => {
                    metrics::count(Metric::PasswordsSet);
                    return Ok(user.with_proven_mailbox().with_password(hash.clone(), at));
                }
                // Another use won, or the code was renewed.
                Moved::SessionChanged(_) => return Err(RecoveryError::SessionOver),
                // What changed decides: read again.
                Moved::UserChanged => {}
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Uses the session of a right guess up at once. `None` if the user changed since being read.
    async fn use_guess(
        &self,
        guessed: &Guessed,
        user: User,
        hash: &PasswordHash,
        locale: Locale,
        trail: &mut Trail<'_>,
        at: Timestamp,
    ) -> Result<Option<User>, RecoveryError> {
        let session = Session::Awaiting(guessed.session.clone());
        trail.asks_for(Unanswered::Password);
        let moved = self
            .store
            .set_password(&session, &guessed.address, &user, hash, locale, at)
            .await?;
        trail.not_done();
        match moved {
            Moved::Done => {
                metrics::count(Metric::PasswordsSet);
                Ok(Some(
                    user.with_proven_mailbox().with_password(hash.clone(), at),
                ))
            }
            Moved::UserChanged => Ok(None),
            Moved::SessionChanged(found) => Err(self.lost(guessed, &found, at)),
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
