//! The proof that a caller shows to set a password, and whether a session permits it.

use regain_password::Candidate;

use super::guess::Guessed;
use super::link::Linked;
use super::{Recovery, RecoveryError, SessionLookup, permitted};
use crate::audit::Means;
use crate::ids::{ResetToken, UserId};
use crate::keys::NetworkKey;
use crate::session::Session;
use crate::store::{ClaimedWith, PasswordChange};
use crate::timestamp::Timestamp;
use crate::users::CredentialsVersion;

/// The proof that a caller shows to set a password.
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
    pub(super) fn claimed_with(&self) -> ClaimedWith<'_> {
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

    pub(super) const fn means(&self) -> Means {
        match self {
            Self::Session(_) => Means::Session,
            Self::Token(_) => Means::Token,
            Self::Code(_) => Means::Code,
            Self::Link(_) => Means::Link,
        }
    }

    /// The change of a password that this proof has made, from that version of credentials on.
    pub(super) fn change(&self, user: &UserId, version: &CredentialsVersion) -> PasswordChange {
        PasswordChange {
            user: user.clone(),
            credentials_version: version.clone(),
            means: self.means(),
        }
    }

    /// The caller's network, if this call proves that it has the mailbox.
    pub(super) const fn network(&self) -> Option<&NetworkKey> {
        match self {
            Self::Session(_) | Self::Token(_) => None,
            Self::Code(guessed) => Some(&guessed.network),
            Self::Link(linked) => Some(&linked.network),
        }
    }
}

impl Recovery {
    /// The session, if what the caller shows permits the password to be set. Claims do not matter here. The
    /// call came at `at`, and has waited until `now`.
    pub(super) fn permit(
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

    /// Why a proof comes too late: another call has changed the session. The call came at `at`, and it is `now`.
    pub(super) fn too_late(
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
}
