//! Setting the password: with a proven session, with a reset token, or with the code itself.

use rand::rngs::StdRng;

use super::guess::Guessed;
use super::{ATTEMPTS, CodeGuess, Named, Recovery, Refusal};
use crate::ids::{ResetToken, draw};
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::password::{Candidate, PasswordHash, Policy, Reason};
use crate::session::{Session, Validated};
use crate::store::{Moved, StoreError};
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

impl Recovery {
    /// Sets the password of a session whose code was proven before.
    ///
    /// # Errors
    /// [`Refusal::PasswordRefused`], [`Refusal::NoSession`], [`Refusal::SessionOver`],
    /// [`Refusal::OtherUser`], [`Refusal::CodeWrong`] if no code was proven, [`Refusal::Blocked`], or a
    /// failure.
    pub async fn set_password(
        &self,
        named: &Named,
        new: NewPassword,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, Refusal> {
        permitted(self.policy.check(&new.password))?;
        let session = self.open(named).await?.live(at)?;
        if let Session::Validated(session) = &session {
            session.permit_use(at)?;
        }
        self.check(&session, named, &new.password, at).await?;
        match session {
            Session::Validated(session) => self.use_proof(session, new, at, rng).await,
            session => Err(self
                .unless_superseded(&session, Refusal::CodeWrong, at)
                .await?),
        }
    }

    /// Sets the password of the session that a reset token was handed out for.
    ///
    /// # Errors
    /// [`Refusal::PasswordRefused`], [`Refusal::TokenUnknown`], [`Refusal::SessionOver`],
    /// [`Refusal::Blocked`], or a failure.
    pub async fn set_password_by_token(
        &self,
        token: Option<ResetToken>,
        new: NewPassword,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, Refusal> {
        permitted(self.policy.check(&new.password))?;
        let token = token.ok_or(Refusal::TokenUnknown)?;
        let session = self
            .store
            .session(&token.session())
            .await?
            .ok_or(Refusal::TokenUnknown)?;
        let kept = match &session {
            Session::Awaiting(_) => None,
            Session::Validated(session) => session.proof.token,
            Session::Used(session) => session.token,
        };
        if kept != Some(token.digest()) {
            return Err(Refusal::TokenUnknown);
        }
        match session.live(at)? {
            Session::Validated(session) => {
                session.permit_use(at)?;
                permitted(Policy::check_address(&new.password, &session.facts.address))?;
                self.use_proof(session, new, at, rng).await
            }
            Session::Awaiting(_) => Err(Refusal::TokenUnknown),
            Session::Used(_) => Err(Refusal::SessionOver),
        }
    }

    /// Checks a code and sets the password, both or neither. A password that only the user's profile
    /// speaks against leaves the session validated, so that the person can go on without the code.
    ///
    /// # Errors
    /// Those of [`Recovery::verify`] and [`Refusal::PasswordRefused`].
    pub async fn set_password_with_code(
        &self,
        named: &Named,
        guess: &CodeGuess,
        new: NewPassword,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, Refusal> {
        permitted(self.policy.check(&new.password))?;
        let session = self.open(named).await?.live(at)?;
        self.check(&session, named, &new.password, at).await?;
        let guessed = self.guess(session, guess, at).await?;
        let mut hash = None;
        for _ in 0..ATTEMPTS {
            let user = self.subject(&guessed, at).await?;
            let reasons = Policy::check_profile(&new.password, user.profile_words());
            if !reasons.is_empty() {
                if self.prove(&guessed, user, None, at).await?.is_some() {
                    return Err(Refusal::PasswordRefused(reasons));
                }
                continue;
            }
            let hash = match &hash {
                Some(hash) => hash,
                None => hash.insert(self.hasher.hash(new.password.clone(), draw(rng)).await?),
            };
            if let Some(user) = self.use_guess(&guessed, user, hash, new.locale, at).await? {
                return Ok(user);
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Checks the password against the address that was typed, and the user id that was sent.
    async fn check(
        &self,
        session: &Session,
        named: &Named,
        password: &Candidate,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let facts = session.facts();
        let checked = permitted(Policy::check_address(password, &facts.address))
            .and_then(|()| named.check_user(facts));
        match checked {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.unless_superseded(session, refusal, at).await?),
        }
    }

    /// Uses a proven session up, whose proof still lasts. The user must still be who was proven, with
    /// the same credentials.
    async fn use_proof(
        &self,
        session: Validated,
        new: NewPassword,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<User, Refusal> {
        let (facts, proof) = (session.facts.clone(), session.proof.clone());
        let address = self.secrets.index().await?.address(&facts.address);
        let session = Session::Validated(session);
        let mut hash = None;
        for _ in 0..ATTEMPTS {
            let user = self
                .store
                .user(&proof.subject)
                .await?
                .filter(|user| user.has_address(&facts.address))
                .filter(|user| user.credentials_version == proof.credentials_version)
                .ok_or(Refusal::SessionOver)?;
            if user.is_blocked() {
                return match self.store.close(&session, &address, at).await? {
                    Moved::SessionChanged(_) => Err(Refusal::SessionOver),
                    Moved::Done | Moved::UserChanged => Err(Refusal::Blocked),
                };
            }
            permitted(Policy::check_profile(&new.password, user.profile_words()))?;
            let hash = match &hash {
                Some(hash) => hash,
                None => hash.insert(self.hasher.hash(new.password.clone(), draw(rng)).await?),
            };
            let moved = self
                .store
                .set_password(&session, &address, &user, hash, new.locale, at)
                .await?;
            match moved {
                Moved::Done => {
                    metrics::count(Metric::PasswordsSet);
                    return Ok(user.with_proven_mailbox().with_password(hash.clone(), at));
                }
                // Another use won, or the code was renewed.
                Moved::SessionChanged(_) => return Err(Refusal::SessionOver),
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
        at: Timestamp,
    ) -> Result<Option<User>, Refusal> {
        let session = Session::Awaiting(guessed.session.clone());
        let moved = self
            .store
            .set_password(&session, &guessed.address, &user, hash, locale, at)
            .await?;
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

fn permitted(reasons: Vec<Reason>) -> Result<(), Refusal> {
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(Refusal::PasswordRefused(reasons))
    }
}
