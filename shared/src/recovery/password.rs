//! Setting the password: with a validated session, with a reset token, or with the code itself.

use regain_password::{Candidate, PasswordHash};

use super::call::CallContext;
use super::elsewhere::SetElsewhere;
use super::guess::Guessed;
use super::link::PasswordToken;
use super::proof::Proof;
use super::{
    ATTEMPTS, AddressOwner, CodeGuess, Recovery, RecoveryError, SessionLookup, UnderWay, permitted,
};
use crate::audit::{Event, Unanswered};
use crate::hashing;
use crate::ids::{SessionRef, draw};
use crate::locale::Locale;
use crate::metrics::{self, Metric};
use crate::session::{Session, Validated};
use crate::store::{Claimant, Claimed, ClaimedWith, FromState, Moved, StoreError};
use crate::telemetry;
use crate::timestamp::Timestamp;
use crate::user_store::UserStore;
use crate::users::User;

/// A password to be set.
#[derive(Debug)]
pub struct NewPassword {
    /// The password.
    pub password: Candidate,
    /// The language of the notice, if the user has set none.
    pub locale: Locale,
}

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
        Result<Option<AddressOwner>, RecoveryError>,
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
            (Ok(()), Ok(owner)) => Ok(Some(AddressOwner {
                owner,
                void_since: *void_since,
            })),
        };
        (claimed, found)
    }

    /// Sets the password and uses the session up. In the table, that is one transaction.
    async fn use_up(
        &self,
        call: &mut CallContext,
        proof: &Proof<'_>,
        session: &Session,
        mut found: Option<AddressOwner>,
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
                let asked = SetElsewhere {
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
    pub(super) async fn hashed<'a>(
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
}

/// Notes that the password was set.
pub(super) fn note_set(call: &mut CallContext, proof: &Proof<'_>) {
    metrics::count(Metric::PasswordsSet);
    if proof.network().is_some() {
        call.note(Event::Proven(proof.means()));
    }
    call.note(Event::PasswordSet(proof.means()));
}
