//! Verifying a code: charge the guess, compare it, and look the user up only if it is right.

use regain_password::Candidate;

use super::call::{CallContext, Judged};
use super::{
    ATTEMPTS, AddressOwner, Recovery, RecoveryError, SessionLookup, SessionName, UnderWay,
    permitted,
};
use crate::audit::{Event, Means, Unanswered};
use crate::code::{Code, CodeInput, CodeKeys};
use crate::ids::{GuessName, ResetToken, SessionRef};
use crate::keys::{AddressKey, NetworkKey};
use crate::metrics::{self, Metric};
use crate::session::{AnsweredId, Awaiting, Decision, Session, TransitionError, Validated};
use crate::settings::Share;
use crate::store::{AddressCharge, Claimant, FromState, Moved, SessionCharge, StoreError};
use crate::telemetry;
use crate::timestamp::Timestamp;
use crate::user_store::{ProvenAnswer, UserStore};
use crate::users::User;

/// A code as a caller sent it.
#[derive(Debug)]
pub enum CodeGuess {
    /// Has the form of a code.
    Code(Code),
    /// Cannot be a code. It spends no guess.
    Malformed,
}

/// What a guess turned out to be.
pub(super) enum Guess {
    /// The code. It is still charged.
    Right(Box<Guessed>),
    /// Not the code.
    Wrong,
    /// It was not compared, because the guesses of the address are spent until the given time.
    Spent(Timestamp),
}

impl Guess {
    /// The right guess, or the answer to any other.
    pub(super) fn right(self) -> Result<Guessed, RecoveryError> {
        match self {
            Self::Right(guessed) => Ok(*guessed),
            Self::Wrong => Err(RecoveryError::CodeWrong),
            Self::Spent(until) => Err(TransitionError::Spent(Some(until)).into()),
        }
    }
}

/// A session with a right guess. Only this call knows that it is right.
pub(super) struct Guessed {
    pub(super) session: Awaiting,
    pub(super) address: AddressKey,
    pub(super) network: NetworkKey,
    pub(super) name: GuessName,
    /// Since when the codes of the address are void, if a user store elsewhere has set its password lately.
    pub(super) void_since: Option<Timestamp>,
    /// Whether the caller has the session's id, with which it could go on without the code.
    pub(super) can_go_on: bool,
}

impl Recovery {
    /// Verifies a code and makes its session validated.
    ///
    /// # Errors
    /// [`RecoveryError::NoSession`], [`RecoveryError::SessionOver`], [`RecoveryError::OtherUser`],
    /// [`RecoveryError::GuessesSpent`], [`RecoveryError::CodeExpired`], [`RecoveryError::CodeWrong`],
    /// [`RecoveryError::Blocked`], or a failure.
    pub fn verify<'a>(
        &'a self,
        call: &'a mut CallContext,
        lookup: &'a SessionLookup,
        guess: &'a CodeGuess,
    ) -> UnderWay<'a, User> {
        Box::pin(async move {
            let verified = self.guess_and_prove(call, lookup, guess, None).await;
            call.settle(verified)
        })
    }

    /// [`Recovery::verify`], which also issues a reset token for the session.
    ///
    /// # Errors
    /// As [`Recovery::verify`].
    pub fn verify_for_token<'a>(
        &'a self,
        call: &'a mut CallContext,
        lookup: &'a SessionLookup,
        guess: &'a CodeGuess,
    ) -> UnderWay<'a, ResetToken> {
        Box::pin(async move {
            let token = ResetToken::draw(lookup.session.id()?, &mut call.rng);
            let verified = self
                .guess_and_prove(call, lookup, guess, Some(&token))
                .await;
            call.settle(verified)?;
            Ok(token)
        })
    }

    async fn guess_and_prove(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
        token: Option<&ResetToken>,
    ) -> Result<User, RecoveryError> {
        let guessed = self.guess(call, lookup, guess, None).await?.right()?;
        let Guessed {
            session,
            address,
            name,
            ..
        } = &guessed;
        let info = &session.info;
        let (of_session, of_address, owner) = tokio::join!(
            self.store.give_back_to_session(&info.reference, name),
            self.store.give_back_to_address(address, name, call.at),
            self.users.owner(&info.address),
        );
        if let Err(error) = of_session.and(of_address) {
            self.give_back(&info.reference, Some(address), name, call.at)
                .await;
            return Err(error.into());
        }
        let found = AddressOwner {
            owner: owner?,
            void_since: guessed.void_since,
        };
        let user = self.guessed_user(call, &guessed, found).await?;
        let by = Claimant::draw(&mut call.rng);
        self.prove(call, &guessed, user, token, &by).await
    }

    /// Charges a guess to its session and its address, and compares it. Whatever refuses it after a charge gives
    /// that charge back. `password` is what the caller sent along.
    pub(super) async fn guess(
        &self,
        call: &mut CallContext,
        lookup: &SessionLookup,
        guess: &CodeGuess,
        password: Option<&Candidate>,
    ) -> Result<Guess, RecoveryError> {
        let (at, limits) = (call.at, &self.settings.limits);
        let reference = self.reference(call, lookup).await?;
        let keys = self.index_keys(call).await?;
        let codes = self.secrets.code(at).await?;
        let CodeGuess::Code(code) = guess else {
            let session = self.store.session(&reference).await?;
            self.permit_guess(call, session, lookup, password)?
                .permit_malformed_guess(limits, at)?;
            return Ok(Guess::Wrong);
        };
        let name = GuessName::draw(&mut call.rng);
        call.note_lookup(lookup.protocol, reference);
        let charge = self.store.charge_session(
            &reference,
            lookup.protocol,
            lookup.user.as_ref(),
            &name,
            limits,
            at,
        );
        let session = match call.attempt(Unanswered::Guess, charge).await {
            Ok(SessionCharge::Landed(session)) => *session,
            Ok(SessionCharge::Refused(session)) => {
                let session = session.map(|session| *session);
                self.permit_guess(call, session, lookup, password)?
                    .permit_guess(limits, at)?;
                let why = "a session refused a guess without a reason";
                return Err(StoreError::malformed(why).into());
            }
            Err(error) => {
                self.give_back(&reference, None, &name, at).await;
                return Err(error.into());
            }
        };
        call.note_session(&session.info);
        if let Some(password) = password {
            let reasons = self.policy.check_address(password, &session.info.address);
            if let Err(error) = permitted(reasons) {
                self.give_back(&reference, None, &name, at).await;
                return Err(error);
            }
        }
        let address = keys.address(&session.info.address);
        let network = keys.known_network(&session.info.address, call.caller.network);
        let mut share = Share::Strangers;
        let void_since = loop {
            let charge = self
                .store
                .charge_address(&address, &name, limits, share, at);
            match call.attempt(Unanswered::Guess, charge).await {
                Ok(AddressCharge::Landed(since)) => break since,
                Ok(AddressCharge::Refused(state)) => {
                    let has_more = limits.guesses_a_day(share) < limits.guesses_a_day(Share::Whole);
                    let known = if has_more {
                        self.store.is_known_network(&network, at).await
                    } else {
                        Ok(false)
                    };
                    if let Ok(true) = known {
                        share = Share::Whole;
                        continue;
                    }
                    self.give_back(&reference, None, &name, at).await;
                    known?;
                    return match state.permit_guess(limits, share, at) {
                        Decision::Throttled { until } => Ok(Guess::Spent(until)),
                        Decision::Permitted => {
                            let why = "an address refused a guess without a reason";
                            Err(StoreError::malformed(why).into())
                        }
                    };
                }
                Err(error) => {
                    self.give_back(&reference, Some(&address), &name, at).await;
                    return Err(error.into());
                }
            }
        };
        let guessed = Guessed {
            session,
            address,
            network,
            name,
            void_since,
            can_go_on: matches!(lookup.session, SessionName::Id(_)),
        };
        if self.is_right(&codes, code, &guessed) {
            metrics::count(Metric::GuessesRight);
            call.note_guess(Judged::Right);
            Ok(Guess::Right(Box::new(guessed)))
        } else {
            metrics::count(Metric::GuessesWrong);
            call.note_guess(Judged::Wrong);
            Ok(Guess::Wrong)
        }
    }

    /// Compares a guess that is charged with the code that the charge found.
    fn is_right(&self, codes: &CodeKeys, code: &Code, guessed: &Guessed) -> bool {
        let Awaiting {
            info, generation, ..
        } = &guessed.session;
        let input = CodeInput {
            protocol: info.protocol,
            session: &info.reference,
            generation: generation.number,
            address: &guessed.address,
            nonce: &generation.nonce,
        };
        codes.matches(code, &input, self.settings.code_length)
    }

    /// The session of a guess, if it is live and named as it was answered. What else may refuse a guess comes
    /// after that.
    fn permit_guess(
        &self,
        call: &mut CallContext,
        session: Option<Session>,
        lookup: &SessionLookup,
        password: Option<&Candidate>,
    ) -> Result<Session, RecoveryError> {
        let session = session
            .filter(|session| session.info().protocol == lookup.protocol)
            .ok_or(RecoveryError::NoSession)?;
        call.note_session(session.info());
        let session = session.live(call.at)?;
        if let Some(password) = password {
            permitted(self.policy.check_address(password, &session.info().address))?;
        }
        lookup.check_user(session.info())?;
        Ok(session)
    }

    /// Gives a guess back that opens nothing because of a refusal or a failure. If the table does not answer, the
    /// guess stays charged.
    pub(super) async fn give_back(
        &self,
        session: &SessionRef,
        address: Option<&AddressKey>,
        guess: &GuessName,
        at: Timestamp,
    ) {
        let of_address = async {
            match address {
                Some(key) => self.store.give_back_to_address(key, guess, at).await,
                None => Ok(()),
            }
        };
        let (of_session, of_address) =
            tokio::join!(self.store.give_back_to_session(session, guess), of_address);
        for error in [of_session, of_address].into_iter().filter_map(Result::err) {
            tracing::warn!(
                error = %telemetry::causes(&error),
                "giving a guess back failed, it stays charged"
            );
        }
    }

    /// The user whose mailbox a right guess proves: the one of that id, whom the address leads to. If nobody has
    /// the address, the guess was luck and is answered as a wrong one. If the password was set since the code
    /// was asked for, the code is void. If the user's status may not recover, the session is used up, and the
    /// caller is told.
    pub(super) async fn guessed_user(
        &self,
        call: &mut CallContext,
        guessed: &Guessed,
        found: AddressOwner,
    ) -> Result<User, RecoveryError> {
        let Awaiting {
            info, generation, ..
        } = &guessed.session;
        let void_since = found.void_since;
        let Some(user) = self.user_of(found, info).await? else {
            call.note_guess(Judged::ForNobody);
            self.charge_again(call, guessed).await?;
            return Err(RecoveryError::CodeWrong);
        };
        if generation.is_void(user.password_changed_at.max(void_since)) {
            return Err(RecoveryError::CodeExpired);
        }
        if self.may_recover(&user) {
            return Ok(user);
        }
        let session = Session::Awaiting(guessed.session.clone());
        let by = Claimant::draw(&mut call.rng);
        match self.store.close(&session, FromState::Awaiting, &by).await? {
            Moved::SessionChanged(found) => Err(self.overtaken(found, call.at)),
            Moved::Done | Moved::UserChanged => Err(RecoveryError::Blocked),
        }
    }

    /// Charges a guess again that was right by luck, because it is to count as any wrong one.
    async fn charge_again(&self, call: &CallContext, guessed: &Guessed) -> Result<(), StoreError> {
        let (limits, info, name) = (&self.settings.limits, &guessed.session.info, &guessed.name);
        let answered = info.answered_id.as_ref().map(AnsweredId::id);
        let (of_session, of_address) = tokio::join!(
            self.store.charge_session(
                &info.reference,
                info.protocol,
                answered,
                name,
                limits,
                call.at
            ),
            self.store
                .charge_address(&guessed.address, name, limits, Share::Whole, call.at),
        );
        of_session?;
        of_address?;
        Ok(())
    }

    /// Makes the session of a right guess validated, and returns its user. A user store elsewhere is told first,
    /// because the proof is bound to the version of credentials that it answers. `by` may hold the session.
    pub(super) async fn prove(
        &self,
        call: &mut CallContext,
        guessed: &Guessed,
        user: User,
        token: Option<&ResetToken>,
        by: &Claimant,
    ) -> Result<User, RecoveryError> {
        let user = Box::pin(self.tell_of_mailbox(call, guessed, user)).await?;
        let call_at = call.at;
        let proven = guessed.session.clone().prove(
            user.id.clone(),
            user.credentials_version.clone(),
            token.map(ResetToken::digest),
            call_at,
        );
        let write = async {
            let (moved, (), is_marked) = tokio::join!(
                self.move_on(&proven, &guessed.name, by, call_at),
                self.remember(&guessed.network, call_at),
                self.mark_mailbox(&user),
            );
            Ok::<_, StoreError>((moved?, is_marked))
        };
        let (moved, is_marked) = call.attempt(Unanswered::Proof, write).await?;
        match moved {
            Moved::Done => {
                let means = token.map_or(Means::Session, |_| Means::Token);
                call.note(Event::Proven(means));
                Ok(if is_marked {
                    user.with_proven_mailbox()
                } else {
                    user
                })
            }
            Moved::SessionChanged(found) => Err(self.overtaken(found, call.at)),
            Moved::UserChanged => Err(RecoveryError::SessionOver),
        }
    }

    /// Makes a session validated. With users elsewhere, another call may be setting the password with it, and then
    /// this call waits for the outcome: one code opens its session once.
    async fn move_on(
        &self,
        proven: &Validated,
        guess: &GuessName,
        by: &Claimant,
        at: Timestamp,
    ) -> Result<Moved, StoreError> {
        let mut wait = self.claim_wait();
        loop {
            let unless_claimed = self
                .users
                .is_elsewhere()
                .then(|| (by, at.plus(wait.waited())));
            let moved = self.store.prove(proven, guess, unless_claimed).await?;
            let is_claimed = unless_claimed.is_some()
                && matches!(&moved, Moved::SessionChanged(Some(session))
                    if matches!(&**session, Session::Awaiting(session)
                        if session.generation.number == proven.generation.number));
            if !is_claimed {
                return Ok(moved);
            }
            wait.pause().await?;
        }
    }

    /// Remembers that a network has proven an address. If that fails, the network stays a stranger's.
    pub(super) async fn remember(&self, network: &NetworkKey, at: Timestamp) {
        let limits = &self.settings.limits;
        if !limits.keeps_reserve() {
            return;
        }
        let until = at.plus(limits.known_network);
        if let Err(error) = self.store.remember_network(network, until).await {
            tracing::warn!(error = %telemetry::causes(&error), "remembering a network failed");
        }
    }

    /// Tells a user store elsewhere that the mailbox of a user is proven, if it keeps that and does not know.
    async fn tell_of_mailbox(
        &self,
        call: &mut CallContext,
        guessed: &Guessed,
        mut user: User,
    ) -> Result<User, RecoveryError> {
        let UserStore::Function(function) = &self.users else {
            return Ok(user);
        };
        let Awaiting {
            info, generation, ..
        } = &guessed.session;
        let keys = self.index_keys(call).await?;
        let key = keys.proof_use(&info.reference, generation.number);
        for _ in 0..ATTEMPTS {
            if user.is_email_validate {
                return Ok(user);
            }
            match function.email_proven(&user, &info.address, &key).await? {
                ProvenAnswer::Done(version) => {
                    user.credentials_version = version;
                    return Ok(user.with_proven_mailbox());
                }
                ProvenAnswer::Changed => {
                    let found = self.find(&info.address, &guessed.address).await?;
                    user = self.guessed_user(call, guessed, found).await?;
                }
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Marks the mailbox of a user as proven, and returns whether it is. If that fails, it is marked when the
    /// password is set.
    async fn mark_mailbox(&self, user: &User) -> bool {
        if user.is_email_validate {
            return true;
        }
        self.store.mark_mailbox(user).await.unwrap_or_else(|error| {
            tracing::warn!(
                error = %telemetry::causes(&error),
                "marking a mailbox as proven failed"
            );
            false
        })
    }

    /// Why a right guess came too late: another call has changed the session.
    pub(super) fn overtaken(&self, found: Option<Box<Session>>, at: Timestamp) -> RecoveryError {
        let Some(session) = found else {
            return RecoveryError::SessionOver;
        };
        match session.permit_guess(&self.settings.limits, at) {
            Err(error) => error.into(),
            // Another code was requested, and replaced this one.
            Ok(_) => RecoveryError::CodeWrong,
        }
    }
}
