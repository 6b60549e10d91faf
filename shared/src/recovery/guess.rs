//! Verifying a code: charge the guess, compare it, and look the user up only if it is right.

use super::call::{CallContext, Judged};
use super::{ATTEMPTS, Recovery, RecoveryError, SessionLookup};
use crate::audit::{Event, Means, Unanswered};
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
    /// Has the form of a code.
    Code(Code),
    /// Cannot be a code. It spends no guess.
    Malformed,
}

/// A session with a right guess, which is charged and not yet refunded. Only this call knows that it
/// is right.
pub(super) struct Guessed {
    pub(super) session: Awaiting,
    pub(super) address: AddressKey,
}

impl Recovery {
    /// Verifies a code and makes its session validated.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`], [`RecoveryError::OtherUser`],
    /// [`RecoveryError::GuessesSpent`], [`RecoveryError::CodeExpired`], [`RecoveryError::CodeWrong`],
    /// [`RecoveryError::Blocked`], or a failure.
    pub async fn verify(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
    ) -> Result<User, RecoveryError> {
        let verified = self.guess_and_prove(call, lookup, guess, None).await;
        call.settle(verified)
    }

    /// [`Recovery::verify`], which also issues a reset token for the session.
    ///
    /// # Errors
    /// As [`Recovery::verify`].
    pub async fn verify_for_token(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
    ) -> Result<ResetToken, RecoveryError> {
        let session = lookup.session.as_ref().ok_or(RecoveryError::NoSession)?;
        let token = ResetToken::draw(session, &mut call.rng);
        let verified = self
            .guess_and_prove(call, lookup, guess, Some(&token))
            .await;
        call.settle(verified)?;
        Ok(token)
    }

    async fn guess_and_prove(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
        token: Option<&ResetToken>,
    ) -> Result<User, RecoveryError> {
        let session = self.find_session(call, lookup).await?.live(call.at)?;
        if let Err(error) = lookup.check_user(session.info()) {
            return Err(self.unless_superseded(&session, error, call.at).await?);
        }
        let guessed = self.guess(call, session, guess).await?;
        for _ in 0..ATTEMPTS {
            let user = self.guessed_user(call, &guessed).await?;
            if let Some(user) = self.prove(call, &guessed, user, token).await? {
                return Ok(user);
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Charges a guess to the session and compares it. A right guess is returned, still charged.
    pub(super) async fn guess(
        &self,
        call: &mut CallContext,
        session: Session,
        guess: &CodeGuess,
    ) -> Result<Guessed, RecoveryError> {
        let (at, limits) = (call.at, &self.settings.limits);
        let keys = self.index_keys(call).await?;
        let address = keys.address(&session.info().address);
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
            let charge = self.store.charge(&session, &address, limits, at);
            match call.attempt(Unanswered::Guess, charge).await? {
                Charge::Landed => {
                    let input = CodeInput {
                        protocol: session.info.protocol,
                        session: &session.info.reference,
                        generation: session.generation.number,
                        address: &address,
                        nonce: &session.generation.nonce,
                    };
                    if !codes.matches(code, &input, self.settings.code_length) {
                        metrics::count(Metric::GuessesWrong);
                        call.note_guess(Judged::Wrong);
                        return Err(RecoveryError::CodeWrong);
                    }
                    metrics::count(Metric::GuessesRight);
                    call.note_guess(Judged::Right);
                    return Ok(Guessed {
                        session: session.charged(),
                        address,
                    });
                }
                Charge::Refused(observed) => {
                    let state = observed.address(&session.info.reference);
                    session = observed
                        .session(Session::Awaiting(session))
                        .permit_guess(&state, limits, at)?;
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// The user whose mailbox a right guess proves. If nobody has the address, the guess was luck and is
    /// answered as a wrong one. If the user's status may not recover, the session is used up, and the
    /// caller is told.
    pub(super) async fn guessed_user(
        &self,
        call: &mut CallContext,
        guessed: &Guessed,
    ) -> Result<User, RecoveryError> {
        let info = &guessed.session.info;
        let answered = |user: &User| info.answered_id.as_ref().is_none_or(|id| *id == user.id);
        let user = self.store.user_of(&info.address).await?.filter(answered);
        let Some(user) = user else {
            call.note_guess(Judged::ForNobody);
            return Err(RecoveryError::CodeWrong);
        };
        if self.may_recover(&user) {
            return Ok(user);
        }
        let session = Session::Awaiting(guessed.session.clone());
        let closed = self.store.close(&session, &guessed.address, call.at);
        match closed.await? {
            Moved::SessionChanged(observed) => Err(self.overtaken(guessed, &observed, call.at)),
            Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
        }
    }

    /// Makes the session of a right guess validated. `None` if the user changed since it was read.
    pub(super) async fn prove(
        &self,
        call: &mut CallContext,
        guessed: &Guessed,
        user: User,
        token: Option<&ResetToken>,
    ) -> Result<Option<User>, RecoveryError> {
        let at = call.at;
        let proven = guessed.session.clone().prove(
            user.id.clone(),
            user.credentials_version,
            token.map(ResetToken::digest),
            at,
        );
        let proof = self.store.prove(&proven, &guessed.address, &user, at);
        match call.attempt(Unanswered::Proof, proof).await? {
            Moved::Done => {
                let means = token.map_or(Means::Session, |_| Means::Token);
                call.note(Event::Proven(means));
                Ok(Some(user.with_proven_mailbox()))
            }
            Moved::UserChanged => Ok(None),
            Moved::SessionChanged(observed) => Err(self.overtaken(guessed, &observed, at)),
        }
    }

    /// Why a right guess came too late: another call has changed the session.
    pub(super) fn overtaken(
        &self,
        guessed: &Guessed,
        observed: &Observed,
        at: Timestamp,
    ) -> RecoveryError {
        let session = observed.session(Session::Awaiting(guessed.session.clone()));
        let address = observed.address(&guessed.session.info.reference);
        match session.permit_guess(&address, &self.settings.limits, at) {
            Err(error) => error.into(),
            // Another code was requested, and replaced this one.
            Ok(_) => RecoveryError::CodeWrong,
        }
    }
}
