//! What moves a session on: a proven code, a password, a user who turned out to be blocked.
//!
//! Each is conditional on the state and the generation that were read, so that exactly one of several calls
//! moves a session. The conditions repeat the rules of [`crate::session`].

use aws_sdk_dynamodb::types::AttributeValue;
use regain_password::PasswordHash;

use super::claims::{Claimant, UNCLAIMED};
use super::guesses::name;
use super::items::{self, AWAITING, PasswordChange, USED, VALIDATED};
use super::users::{as_read, proven_mailbox};
use super::{Store, StoreError, Transacted, Updated, keys, n, s, updated, version};
use crate::audit::Means;
use crate::ids::GuessName;
use crate::keys::NetworkKey;
use crate::locale::Locale;
use crate::session::{Session, Validated};
use crate::timestamp::Timestamp;
use crate::users::{BLOCKED, Status, User};

/// The result of moving a session on.
#[derive(Debug)]
pub enum Moved {
    /// It was written.
    Done,
    /// The session has changed since it was read, and nothing was written. Has it as it stands, if it is
    /// still there.
    SessionChanged(Option<Box<Session>>),
    /// The user has changed since it was read. Nothing was written.
    UserChanged,
}

/// The states from which a password may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromState {
    /// That of a session whose code is being proven.
    Awaiting,
    /// That of a session whose code was proven.
    Validated,
    /// Both. A link is good in either.
    Either,
}

impl FromState {
    /// The states from which a password may be set by some means.
    #[must_use]
    pub const fn of(means: Means) -> Self {
        match means {
            Means::Session | Means::Token => Self::Validated,
            Means::Code => Self::Awaiting,
            Means::Link => Self::Either,
        }
    }

    /// The state as a condition.
    const fn condition(self) -> &'static str {
        match self {
            Self::Awaiting | Self::Validated => "sessionState = :state",
            Self::Either => "(sessionState = :state OR sessionState = :validated)",
        }
    }

    const fn state(self) -> &'static str {
        match self {
            Self::Awaiting | Self::Either => AWAITING,
            Self::Validated => VALIDATED,
        }
    }
}

impl Store {
    /// Makes the session of a right guess validated. This ends a claim; with `unless_claimed`, only the claim of
    /// that claimant or one that has ended at that time: any other refuses the move. The session notes which guess
    /// proved it, so that a retry whose first answer was lost recognises its own move.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn prove(
        &self,
        proven: &Validated,
        guess: &GuessName,
        unless_claimed: Option<(&Claimant, Timestamp)>,
    ) -> Result<Moved, StoreError> {
        let proof = &proven.proof;
        let mut condition = "sessionState = :awaiting AND generation = :generation".to_owned();
        let mut session = self
            .update_item(keys::session(&proven.info.reference))
            .expression_attribute_values(":awaiting", s(AWAITING))
            .expression_attribute_values(":generation", n(proven.generation.number))
            .expression_attribute_values(":validated", s(VALIDATED))
            .expression_attribute_values(":proven", AttributeValue::Bool(true))
            .expression_attribute_values(":guess", name(*guess))
            .expression_attribute_values(":subject", s(proof.subject.as_str()))
            .expression_attribute_values(":credentialsVersion", version(&proof.credentials_version))
            .expression_attribute_values(":proofExpiresAt", n(proof.expires_at.millis()));
        let mut set = "SET sessionState = :validated, proven = :proven, provenBy = :guess, \
                       subject = :subject, credentialsVersion = :credentialsVersion, \
                       proofExpiresAt = :proofExpiresAt"
            .to_owned();
        if let Some(token) = proof.token {
            set.push_str(", tokenDigest = :token");
            session = session.expression_attribute_values(":token", s(token.hex()));
        }
        if let Some((claimant, now)) = unless_claimed {
            condition.push_str(" AND ");
            condition.push_str(UNCLAIMED);
            session = session
                .expression_attribute_values(":claimant", s(claimant.name()))
                .expression_attribute_values(":now", n(now.millis()));
        }
        let session = session
            .update_expression(format!("{set} REMOVE claimedBy, claimedUntil"))
            .condition_expression(condition);
        match self.update_one(session).await? {
            Updated::Done(_) => Ok(Moved::Done),
            Updated::Refused(Some(item)) if item.get("provenBy") == Some(&name(*guess)) => {
                Ok(Moved::Done)
            }
            Updated::Refused(item) => Ok(Moved::SessionChanged(
                item.map(items::session).transpose()?.map(Box::new),
            )),
        }
    }

    /// Marks the mailbox of a user as proven. Returns whether it was written: not if the user has another
    /// address by now.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn mark_mailbox(&self, user: &User) -> Result<bool, StoreError> {
        let update = proven_mailbox(self.update_item(keys::user(&user.id)), user);
        Ok(matches!(self.update_one(update).await?, Updated::Done(_)))
    }

    /// Remembers a network that has proven an address, until the given time.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn remember_network(
        &self,
        key: &NetworkKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let update = self
            .update_item(keys::network(key))
            .update_expression("SET expiresAt = :expiresAt")
            .expression_attribute_values(":expiresAt", n(until.ttl_seconds()));
        self.update_one(update).await?;
        Ok(())
    }

    /// Whether a network has proven an address lately.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn is_known_network(
        &self,
        key: &NetworkKey,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let item = self.get_item(keys::network(key)).await?;
        let until = item.as_ref().and_then(|item| item.get("expiresAt"));
        let until = until.and_then(|until| until.as_n().ok()?.parse::<i64>().ok());
        Ok(until.is_some_and(|until| at.millis() < until.saturating_mul(1000)))
    }

    /// Uses up a session whose mailbox is proven and whose user turned out to be blocked. Nothing about the
    /// user changes. The session notes which call closed it, so that a retry whose first answer was lost
    /// recognises its own write.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn close(
        &self,
        session: &Session,
        from: FromState,
        by: &Claimant,
    ) -> Result<Moved, StoreError> {
        let mut update = self
            .update_item(keys::session(&session.info().reference))
            .update_expression(
                "SET sessionState = :used, closedBy = :by REMOVE claimedBy, claimedUntil",
            )
            .expression_attribute_values(":by", s(by.name()))
            .condition_expression(format!("{} AND generation = :generation", from.condition()))
            .expression_attribute_values(":used", s(USED))
            .expression_attribute_values(":state", s(from.state()))
            .expression_attribute_values(":generation", n(session.generation().number));
        if from == FromState::Either {
            update = update.expression_attribute_values(":validated", s(VALIDATED));
        }
        match self.update_one(update).await? {
            Updated::Done(_) => Ok(Moved::Done),
            Updated::Refused(Some(item)) if item.get("closedBy") == Some(&s(by.name())) => {
                Ok(Moved::Done)
            }
            Updated::Refused(item) => Ok(Moved::SessionChanged(
                item.map(items::session).transpose()?.map(Box::new),
            )),
        }
    }

    /// Blocks a user who disowns a change of the password, and raises the credentials version, which voids every
    /// proof. The disowned password has to be reset before anybody signs in with it, even if an operator unblocks the
    /// user. A user who is blocked already keeps the status before the block.
    ///
    /// Returns whether it was written. It is not if the user has changed since it was read.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn disown(&self, user: &User) -> Result<bool, StoreError> {
        const MARK: &str = "SET credentialsVersion = :nextVersion, \
                            disownedVersion = :nextVersion, mustReset = :true";
        let update = as_read(self.update(keys::user(&user.id)), user)
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":nextVersion", version(&user.credentials_version.next()));
        let update = if user.status.is_blocked() {
            update.update_expression(MARK)
        } else {
            let update = update.expression_attribute_values(":blocked", s(BLOCKED));
            match user.status {
                Status::Missing => update
                    .update_expression(format!(
                        "{MARK}, statusBeforeBlock = :none, #status = :blocked"
                    ))
                    .expression_attribute_values(":none", AttributeValue::Null(true)),
                Status::Text(_) | Status::Other => update.update_expression(format!(
                    "{MARK}, statusBeforeBlock = #status, #status = :blocked"
                )),
            }
        };
        let written = self.transact(vec![updated(update)?]).await?;
        Ok(matches!(written, Transacted::Applied))
    }

    /// Sets the password. Also uses the session up, ends that the user has to reset it, raises the user's credentials version and notes when the
    /// password was changed, which ends all other recoveries of the user, and requests the notice. The request
    /// for the notice says how the password was changed, so that it can be announced as well.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn set_password(
        &self,
        session: &Session,
        means: Means,
        user: &User,
        hash: &PasswordHash,
        locale: Locale,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let (info, generation) = (session.info(), session.generation().number);
        let from = FromState::of(means);
        let change = PasswordChange {
            user: user.id.clone(),
            credentials_version: user.credentials_version.next(),
            means,
        };
        let mut session_update = self
            .update(keys::session(&info.reference))
            .update_expression("SET sessionState = :used REMOVE claimedBy, claimedUntil")
            .condition_expression(format!("{} AND generation = :generation", from.condition()))
            .expression_attribute_values(":used", s(USED))
            .expression_attribute_values(":state", s(from.state()))
            .expression_attribute_values(":generation", n(generation));
        if from == FromState::Either {
            session_update = session_update.expression_attribute_values(":validated", s(VALIDATED));
        }
        let user_update = as_read(self.update(keys::user(&user.id)), user)
            .update_expression(
                "SET passwordHash = :hash, passwordChangedAt = :now, \
                 credentialsVersion = :nextVersion, isEmailValidate = :true REMOVE mustReset",
            )
            .expression_attribute_values(":hash", s(hash.as_str()))
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":nextVersion", version(&change.credentials_version))
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        let transaction = vec![
            updated(session_update)?,
            updated(user_update)?,
            self.put_new(items::changed_mail(info, generation, change, locale, now)?)?,
        ];
        match self.transact(transaction).await? {
            Transacted::Applied => Ok(Moved::Done),
            Transacted::Refused(refused) if refused.failed(0) => {
                let found = refused.found(0).cloned().map(items::session);
                Ok(Moved::SessionChanged(found.transpose()?.map(Box::new)))
            }
            Transacted::Refused(refused) if refused.failed(1) => Ok(Moved::UserChanged),
            Transacted::Refused(_) => Err(StoreError::malformed("the notice exists already")),
        }
    }
}
