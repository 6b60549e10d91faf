//! Guesses and proofs: charge a guess, prove a code, close a session, set the password.
//!
//! Each operation is one transaction over a session and its address, so that all of it is decided at one
//! moment. The conditions repeat the rules of [`crate::session`].

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use regain_password::PasswordHash;

use super::items::{self, AWAITING, USED, VALIDATED};
use super::sessions::Observed;
use super::users::as_read;
use super::{KEPT_DAYS, Store, StoreError, Transacted, keys, n, s, stale, updated};
use crate::keys::AddressKey;
use crate::locale::Locale;
use crate::session::{Awaiting, Session, SessionInfo, Validated};
use crate::settings::Limits;
use crate::timestamp::Timestamp;
use crate::users::User;

/// The result of charging a guess.
#[derive(Debug)]
pub enum Charge {
    /// The guess is charged and may be compared.
    Landed,
    /// The guess is refused. Nothing was written.
    Refused(Observed),
}

/// The result of moving a session on.
#[derive(Debug)]
pub enum Moved {
    /// It was written.
    Done,
    /// The session or its address has changed since it was read. Nothing was written.
    SessionChanged(Observed),
    /// The user has changed since it was read. Nothing was written.
    UserChanged,
}

impl Store {
    /// Charges one guess to a session and its address, before anything is compared. Right and wrong guesses
    /// are charged in the same way.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn charge(
        &self,
        session: &Awaiting,
        address: &AddressKey,
        limits: &Limits,
        at: Timestamp,
    ) -> Result<Charge, StoreError> {
        let info = &session.info;
        let charge_session = self
            .update(keys::session(&info.reference))
            .update_expression("ADD guesses :one")
            .condition_expression(
                "sessionState = :awaiting AND protocol = :protocol AND generation = :generation \
                 AND codeExpiresAt > :now AND sessionExpiresAt > :now AND guesses < :limit",
            )
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":awaiting", s(AWAITING))
            .expression_attribute_values(":protocol", s(info.protocol.name()))
            .expression_attribute_values(":generation", n(session.generation.number))
            .expression_attribute_values(":now", n(at.millis()))
            .expression_attribute_values(":limit", n(limits.session_guesses));
        let today = items::guesses_in_day(at.day());
        let charge_address = self
            .address_update(address, at)
            .update_expression(format!(
                "SET expiresAt = :expiresAt ADD {today} :one REMOVE {}",
                stale(at.day(), KEPT_DAYS, items::guesses_in_day)
            ))
            .condition_expression(format!(
                "currentSession = :session AND (attribute_not_exists({today}) OR {today} < :limit)"
            ))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":session", s(info.reference.hex()))
            .expression_attribute_values(":limit", n(limits.daily_guesses));
        match self
            .transact(vec![updated(charge_session)?, updated(charge_address)?])
            .await?
        {
            Transacted::Applied => Ok(Charge::Landed),
            Transacted::Refused(refused) => Ok(Charge::Refused(Observed::read(&refused, at)?)),
        }
    }

    /// Makes the session of a right guess validated, refunds the guess, and marks the user's mailbox as
    /// proven.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn prove(
        &self,
        proven: &Validated,
        address: &AddressKey,
        user: &User,
        at: Timestamp,
    ) -> Result<Moved, StoreError> {
        let proof = &proven.proof;
        let mut session = self
            .awaiting(&proven.info, proven.generation.number)
            .expression_attribute_values(":validated", s(VALIDATED))
            .expression_attribute_values(":proven", AttributeValue::Bool(true))
            .expression_attribute_values(":subject", s(proof.subject.as_str()))
            .expression_attribute_values(":credentialsVersion", n(proof.credentials_version))
            .expression_attribute_values(":proofExpiresAt", n(proof.expires_at.millis()))
            .expression_attribute_values(":refund", n(-1));
        let mut set = "SET sessionState = :validated, proven = :proven, subject = :subject, \
                       credentialsVersion = :credentialsVersion, \
                       proofExpiresAt = :proofExpiresAt"
            .to_owned();
        if let Some(token) = proof.token {
            set.push_str(", tokenDigest = :token");
            session = session.expression_attribute_values(":token", s(token.hex()));
        }
        let user = as_read(self.update(keys::user(&user.id)), user)
            .update_expression("SET isEmailValidate = :true")
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        let transaction = vec![
            updated(session.update_expression(format!("{set} ADD guesses :refund")))?,
            updated(self.refund(&proven.info, address, at, ""))?,
            updated(user)?,
        ];
        self.move_on(transaction, at).await
    }

    /// Uses up a session whose code is proven and whose user turned out to be blocked. A charged guess is
    /// refunded. Nothing about the user changes.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn close(
        &self,
        session: &Session,
        address: &AddressKey,
        at: Timestamp,
    ) -> Result<Moved, StoreError> {
        let transaction = match session {
            Session::Awaiting(Awaiting {
                info, generation, ..
            }) => vec![
                updated(use_charged(self.awaiting(info, generation.number)))?,
                updated(self.refund(info, address, at, ""))?,
            ],
            Session::Validated(session) => vec![updated(use_proven(self.validated(session)))?],
            Session::Used(_) => return Ok(Moved::SessionChanged(Observed::default())),
        };
        self.move_on(transaction, at).await
    }

    /// Sets the password. Also uses the session up, ends all other recoveries of the address, raises the
    /// user's credentials version, and requests the notice. A charged guess is refunded.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn set_password(
        &self,
        session: &Session,
        address: &AddressKey,
        user: &User,
        hash: &PasswordHash,
        locale: Locale,
        at: Timestamp,
    ) -> Result<Moved, StoreError> {
        let end_others = "REMOVE currentSession";
        let (session_update, address_update, info, generation) = match session {
            Session::Awaiting(Awaiting {
                info, generation, ..
            }) => (
                use_charged(self.awaiting(info, generation.number)),
                self.refund(info, address, at, end_others),
                info,
                generation,
            ),
            Session::Validated(session) => (
                use_proven(self.validated(session)),
                self.address_update(address, at)
                    .update_expression(format!("SET expiresAt = :expiresAt {end_others}")),
                &session.info,
                &session.generation,
            ),
            Session::Used(_) => return Ok(Moved::SessionChanged(Observed::default())),
        };
        let user_update = as_read(self.update(keys::user(&user.id)), user)
            .update_expression(
                "SET passwordHash = :hash, passwordChangedAt = :now, \
                 credentialsVersion = :nextVersion, isEmailValidate = :true",
            )
            .expression_attribute_values(":hash", s(hash.as_str()))
            .expression_attribute_values(":now", n(at.millis()))
            .expression_attribute_values(":nextVersion", n(user.credentials_version + 1))
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        let transaction = vec![
            updated(session_update)?,
            updated(address_update)?,
            updated(user_update)?,
            self.put_new(items::changed_mail(info, generation.number, locale, at)?)?,
        ];
        self.move_on(transaction, at).await
    }

    /// Writes a transaction with the session at index 0, its address at 1, and the user at 2.
    async fn move_on(
        &self,
        transaction: Vec<TransactWriteItem>,
        at: Timestamp,
    ) -> Result<Moved, StoreError> {
        match self.transact(transaction).await? {
            Transacted::Applied => Ok(Moved::Done),
            Transacted::Refused(refused) if refused.failed(0) || refused.failed(1) => {
                Ok(Moved::SessionChanged(Observed::read(&refused, at)?))
            }
            Transacted::Refused(refused) if refused.failed(2) => Ok(Moved::UserChanged),
            Transacted::Refused(_) => Err(StoreError::malformed("the notice exists already")),
        }
    }

    /// An update of a session that awaits the code of that generation.
    fn awaiting(&self, info: &SessionInfo, generation: u64) -> UpdateBuilder {
        self.update(keys::session(&info.reference))
            .condition_expression("sessionState = :awaiting AND generation = :generation")
            .expression_attribute_values(":awaiting", s(AWAITING))
            .expression_attribute_values(":generation", n(generation))
    }

    /// An update of a session that was validated by the code of that generation.
    fn validated(&self, session: &Validated) -> UpdateBuilder {
        self.update(keys::session(&session.info.reference))
            .condition_expression("sessionState = :validated AND generation = :generation")
            .expression_attribute_values(":validated", s(VALIDATED))
            .expression_attribute_values(":generation", n(session.generation.number))
    }

    /// Refunds the guess that this call charged to an address, if the session is still its current one.
    fn refund(
        &self,
        info: &SessionInfo,
        address: &AddressKey,
        at: Timestamp,
        also: &str,
    ) -> UpdateBuilder {
        let today = items::guesses_in_day(at.day());
        self.address_update(address, at)
            .update_expression(format!(
                "SET expiresAt = :expiresAt ADD {today} :refund {also}"
            ))
            .condition_expression("currentSession = :session")
            .expression_attribute_values(":refund", n(-1))
            .expression_attribute_values(":session", s(info.reference.hex()))
    }
}

/// Uses up a session by a right guess, and refunds the guess.
fn use_charged(session: UpdateBuilder) -> UpdateBuilder {
    session
        .update_expression("SET sessionState = :used ADD guesses :refund")
        .expression_attribute_values(":used", s(USED))
        .expression_attribute_values(":refund", n(-1))
}

/// Uses up a validated session.
fn use_proven(session: UpdateBuilder) -> UpdateBuilder {
    session
        .update_expression("SET sessionState = :used REMOVE claimedBy, claimedUntil")
        .expression_attribute_values(":used", s(USED))
}
