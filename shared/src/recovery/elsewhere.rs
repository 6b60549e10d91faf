//! Setting the password of a user who lives elsewhere: the user store sets it, then the table records it.

use regain_password::PasswordHash;
use thiserror::Error;

use super::call::CallContext;
use super::password::{NewPassword, note_set};
use super::proof::Proof;
use super::{Recovery, RecoveryError};
use crate::audit::Unanswered;
use crate::session::{Session, Validated};
use crate::settings::PasswordForm;
use crate::store::{Claimant, FromState, Moved};
use crate::telemetry;
use crate::user_store::{ForStore, SetAnswer, UserFunction, UserStoreError};
use crate::users::User;

/// A password to be set by a user store elsewhere.
pub(super) struct SetElsewhere<'a> {
    pub(super) function: &'a UserFunction,
    pub(super) proof: &'a Proof<'a>,
    pub(super) session: &'a Session,
    /// Holds the session.
    pub(super) claimant: &'a Claimant,
    /// The user as found.
    pub(super) user: User,
}

/// A password that was not asked to be set, because the answer could come too late.
#[derive(Debug, Error)]
#[error("too late to set a password")]
struct TooLate;

impl Recovery {
    /// Asks a user store elsewhere to set the password, and records that it has: the session is used up only
    /// then. `None` if the user is no longer as found.
    pub(super) async fn set_elsewhere(
        &self,
        call: &mut CallContext,
        asked: SetElsewhere<'_>,
        hash: &mut Option<PasswordHash>,
        new: &NewPassword,
    ) -> Result<Option<User>, RecoveryError> {
        let SetElsewhere {
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
}
