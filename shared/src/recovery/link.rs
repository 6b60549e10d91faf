//! Setting the password by a mail's link.
//!
//! The token cannot be guessed, so no budget of guesses is spent and none can keep its owner out. It is proven
//! before anything is claimed or hashed: garbage costs one read, and never holds up the owner's link.

use regain_password::Address;

use super::call::CallContext;
use super::password::NewPassword;
use super::proof::Proof;
use super::{AddressOwner, Recovery, RecoveryError};
use crate::audit::Means;
use crate::code::CodeInput;
use crate::ids::ResetToken;
use crate::keys::{AddressKey, NetworkKey};
use crate::link::LinkToken;
use crate::session::Session;
use crate::store::{Claimant, FromState, Moved};
use crate::timestamp::Timestamp;
use crate::users::User;

/// A token that sets a password.
#[derive(Clone, Debug)]
pub enum PasswordToken {
    /// That which verify-otp hands out.
    Reset(ResetToken),
    /// That of a mail's link.
    Link(LinkToken),
}

impl PasswordToken {
    /// Reads a token as a client sends it. One of letters from a to p alone is a link's or none, so that a part of
    /// a link's token is not taken for a reset token. No reset token looks so: the chance is 1 in 2^128.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| matches!(byte, b'a'..=b'p')) {
            LinkToken::parse(text).map(Self::Link)
        } else {
            ResetToken::parse(text).map(Self::Reset)
        }
    }
}

/// A session whose link is proven.
pub(super) struct Linked {
    pub(super) generation: u64,
    pub(super) address: Address,
    pub(super) address_key: AddressKey,
    pub(super) network: NetworkKey,
}

impl Recovery {
    pub(super) async fn set_by_link(
        &self,
        call: &mut CallContext,
        token: &LinkToken,
        new: &NewPassword,
    ) -> Result<User, RecoveryError> {
        let keys = self.index_keys(call).await?;
        let codes = self.secrets.code(call.at).await?;
        let session = self.store.session(token.session()).await?;
        let session = session.ok_or(RecoveryError::TokenUnknown)?;
        let (info, generation) = (session.info(), session.generation());
        let input = CodeInput {
            protocol: info.protocol,
            session: &info.reference,
            generation: generation.number,
            address: &keys.address(&info.address),
            nonce: &generation.nonce,
        };
        if !codes.matches_link(token, &input) {
            return Err(RecoveryError::TokenUnknown);
        }
        call.note_session(info);
        call.note_proof(Means::Link);
        let linked = Linked {
            generation: generation.number,
            address: info.address.clone(),
            address_key: keys.address(&info.address),
            network: keys.known_network(&info.address, call.caller.network),
        };
        let reference = info.reference;
        linked.permit(Some(session), call.at)?;
        self.claim_and_set(call, &reference, &Proof::Link(&linked), new)
            .await
    }

    /// The user whose mailbox a link proves: the one of that id, whom the address leads to. If the password was
    /// set since the link was asked for, it is void. If the user's status may not recover, the session is used
    /// up.
    pub(super) async fn linked_user(
        &self,
        call: &mut CallContext,
        linked: &Linked,
        session: &Session,
        found: AddressOwner,
    ) -> Result<User, RecoveryError> {
        let void_since = found.void_since;
        let is_void = |user: &User| {
            let since = user.password_changed_at.max(void_since);
            session.generation().is_void(since)
        };
        let user = self.user_of(found, session.info()).await?;
        let user = user
            .filter(|user| !is_void(user))
            .ok_or(RecoveryError::SessionOver)?;
        if self.may_recover(&user) {
            return Ok(user);
        }
        let by = Claimant::draw(&mut call.rng);
        match self.store.close(session, FromState::Either, &by).await? {
            Moved::SessionChanged(found) => Err(linked.overtaken(found, call.now())),
            Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
        }
    }
}

impl Linked {
    /// The session, if its link is still good.
    pub(super) fn permit(
        &self,
        session: Option<Session>,
        at: Timestamp,
    ) -> Result<Session, RecoveryError> {
        let session = session
            .filter(|session| session.generation().number == self.generation)
            .ok_or(RecoveryError::TokenUnknown)?;
        Ok(session.permit_link(at)?)
    }

    /// Why the link comes too late: another call has changed the session.
    pub(super) fn overtaken(&self, found: Option<Box<Session>>, at: Timestamp) -> RecoveryError {
        let permitted = self.permit(found.map(|session| *session), at);
        permitted.err().unwrap_or(RecoveryError::SessionOver)
    }
}
