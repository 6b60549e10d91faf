//! Guessing a code: charge, compare, and only for a right one look the user up.

use rand::rngs::StdRng;

use super::trail::{Judged, Trail};
use super::{ATTEMPTS, Recovery, RecoveryError, SessionLookup};
use crate::audit::{Caller, Event, Means, Unanswered};
use crate::code::{Code, CodeInput};
use crate::ids::ResetToken;
use crate::keys::AddressKey;
use crate::metrics::{self, Metric};
use crate::session::{Awaiting, Session};
use crate::store::{Charge, Moved, Observed, StoreError};
use crate::timestamp::Timestamp;
use crate::users::User;

/// A code as a caller sent it.
#[derive(Debug)]
pub enum CodeGuess {
    /// What may be the code.
    Code(Code),
    /// What cannot be one: it spends no guess.
    Malformed,
}

/// A session whose guess was charged and is right; nobody but this invocation knows yet.
pub(super) struct Guessed {
    pub(super) session: Awaiting,
    pub(super) address: AddressKey,
}

impl Recovery {
    /// Checks a code and, if it is right, makes its session validated.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`], [`RecoveryError::OtherUser`],
    /// [`RecoveryError::GuessesSpent`], [`RecoveryError::CodeExpired`], [`RecoveryError::CodeWrong`],
    /// [`RecoveryError::Blocked`], or a failure.
    pub async fn verify(
        &self,
        caller: &Caller,
        named: &SessionLookup,
        guess: &CodeGuess,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        let mut trail = Trail::new(&self.audit, caller, named.protocol, at);
        let verified = async {
            let guessed = self.guess_named(named, guess, &mut trail, at).await?;
            self.prove_subject(&guessed, None, &mut trail, at).await
        };
        let verified = verified.await;
        trail.answered(verified)
    }

    /// [`Recovery::verify`] that hands out a reset token for the session.
    ///
    /// # Errors
    /// As [`Recovery::verify`].
    pub async fn verify_for_token(
        &self,
        caller: &Caller,
        named: &SessionLookup,
        guess: &CodeGuess,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<ResetToken, RecoveryError> {
        let mut trail = Trail::new(&self.audit, caller, named.protocol, at);
        let verified = async {
            let session = named.session.as_ref().ok_or(RecoveryError::NoSession)?;
            let guessed = self.guess_named(named, guess, &mut trail, at).await?;
            let token = ResetToken::draw(session, rng);
            self.prove_subject(&guessed, Some(&token), &mut trail, at)
                .await?;
            Ok(token)
        };
        let verified = verified.await;
        trail.answered(verified)
    }

    async fn guess_named(
        &self,
        named: &SessionLookup,
        guess: &CodeGuess,
        trail: &mut Trail<'_>,
        at: Timestamp,
    ) -> Result<Guessed, RecoveryError> {
        let session = self.open(named, trail).await?.live(at)?;
        if let Err(refusal) = named.check_user(session.facts()) {
            return Err(self.unless_superseded(&session, refusal, at).await?);
        }
        self.guess(session, guess, trail, at).await
    }

    async fn prove_subject(
        &self,
        guessed: &Guessed,
        token: Option<&ResetToken>,
        trail: &mut Trail<'_>,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        for _ in 0..ATTEMPTS {
            let user = self.subject(guessed, trail, at).await?;
            if let Some(user) = self.prove(guessed, user, token, trail, at).await? {
                return Ok(user);
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Charges a guess to a session and compares it. A right one is charged still.
    pub(super) async fn guess(
        &self,
        session: Session,
        guess: &CodeGuess,
        trail: &mut Trail<'_>,
        at: Timestamp,
    ) -> Result<Guessed, RecoveryError> {
        let limits = &self.settings.limits;
        let keys = self.secrets.index().await?;
        trail.keys(&keys);
        let address = keys.address(&session.facts().address);
        let codes = self.secrets.code(at).await?;
        let mut session = match session {
            Session::Awaiting(session) => session,
            Session::Validated(_) => return Err(RecoveryError::CodeWrong),
            Session::Used(_) => return Err(RecoveryError::SessionOver),
        };
        let CodeGuess::Code(code) = guess else {
            let state = self.store.address_state(&address, at).await?;
            Session::Awaiting(session).permit_malformed_guess(&state, limits, at)?;
            return Err(RecoveryError::CodeWrong);
        };
        for _ in 0..ATTEMPTS {
            trail.asks_for(Unanswered::Guess);
            match self.store.charge(&session, &address, limits, at).await? {
                Charge::Landed => {
                    let input = CodeInput {
                        protocol: session.facts.protocol,
                        session: &session.facts.reference,
                        generation: session.generation.number,
                        address: &address,
                        nonce: &session.generation.nonce,
                    };
                    let right = codes.matches(code, &input, self.settings.code_length);
                    metrics::count(if right {
                        Metric::GuessesRight
                    } else {
                        Metric::GuessesWrong
                    });
                    trail.judged(if right { Judged::Right } else { Judged::Wrong });
                    return if right {
                        Ok(Guessed {
                            session: session.charged(),
                            address,
                        })
                    } else {
                        Err(RecoveryError::CodeWrong)
                    };
                }
                Charge::Refused(found) => {
                    trail.not_done();
                    let state = found.address(&session.facts.reference);
                    session = found
                        .session(Session::Awaiting(session))
                        .permit_guess(&state, limits, at)?;
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The user whose mailbox a right guess proves. Nobody has the address: the guess was luck, and is
    /// answered as a wrong one. A status that may not recover: the session is used up, and now the
    /// caller may know.
    pub(super) async fn subject(
        &self,
        guessed: &Guessed,
        trail: &mut Trail<'_>,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        let facts = &guessed.session.facts;
        let answered = |user: &User| facts.answered_id.as_ref().is_none_or(|id| *id == user.id);
        let user = self.store.user_of(&facts.address).await?.filter(answered);
        let user = user.ok_or_else(|| {
            trail.judged(Judged::ForNobody);
            RecoveryError::CodeWrong
        })?;
        if self.may_recover(&user) {
            return Ok(user);
        }
        let session = Session::Awaiting(guessed.session.clone());
        match self.store.close(&session, &guessed.address, at).await? {
            Moved::SessionChanged(found) => Err(self.lost(guessed, &found, at)),
            Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
        }
    }

    /// Makes the session of a right guess validated. `None` if the user changed since being read.
    pub(super) async fn prove(
        &self,
        guessed: &Guessed,
        user: User,
        token: Option<&ResetToken>,
        trail: &mut Trail<'_>,
        at: Timestamp,
    ) -> Result<Option<User>, RecoveryError> {
        let proven = guessed.session.clone().prove(
            user.id.clone(),
            user.credentials_version,
            token.map(ResetToken::digest),
            at,
        );
        trail.asks_for(Unanswered::Proof);
        let moved = self
            .store
            .prove(&proven, &guessed.address, &user, at)
            .await?;
        trail.not_done();
        match moved {
            Moved::Done => {
                let means = token.map_or(Means::Session, |_| Means::Token);
                trail.happened(Event::Proven(means));
                Ok(Some(user.with_proven_mailbox()))
            }
            Moved::UserChanged => Ok(None),
            Moved::SessionChanged(found) => Err(self.lost(guessed, &found, at)),
        }
    }

    /// Why a right guess came too late: another caller moved the session on in the meantime.
    pub(super) fn lost(&self, guessed: &Guessed, found: &Observed, at: Timestamp) -> RecoveryError {
        let session = found.session(Session::Awaiting(guessed.session.clone()));
        let address = found.address(&guessed.session.facts.reference);
        match session.permit_guess(&address, &self.settings.limits, at) {
            Err(refused) => refused.into(),
            // Another code was asked for: this one is none any more.
            Ok(_) => RecoveryError::CodeWrong,
        }
    }
}
