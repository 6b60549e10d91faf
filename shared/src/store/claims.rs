//! Claims: of those who use one proof at once, one goes on to hash and the others wait for it.
//!
//! A claim decides nothing about who wins: only the transaction that uses the session up does. It
//! keeps the losers from doing the costly part, and ends by itself.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use data_encoding::HEXLOWER;
use rand::rngs::StdRng;

use super::items::{self, VALIDATED};
use super::{Store, StoreError, Updated, keys, n, s};
use crate::api::Protocol;
use crate::ids::{SessionRef, TokenDigest, UserId, draw};
use crate::session::Session;
use crate::timestamp::Timestamp;

/// How long a claim lasts: what a process that died while hashing holds its session up for.
pub(crate) const CLAIM: Duration = Duration::from_secs(3);

/// Who claims: drawn by each invocation, so that a claim whose answer was lost is its own still.
#[derive(Clone, Debug)]
pub struct Claimant(String);

impl Claimant {
    /// A claimant like no other.
    #[must_use]
    pub fn draw(rng: &mut StdRng) -> Self {
        Self(HEXLOWER.encode(&draw::<16>(rng)))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }
}

/// What somebody has to know who claims a session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClaimedWith<'a> {
    /// The reset token of that digest.
    Token(TokenDigest),
    /// The session's id, of that protocol, and the user id that it was answered with.
    Id(Protocol, Option<&'a UserId>),
}

/// The session that was to be claimed, as it stands.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) session: Session,
    /// Whether it is now the claimant's.
    pub(crate) held: bool,
}

impl Store {
    /// Claims a validated session that nobody else has a claim to. This is its read as well: one call
    /// tells what the session is, claimed or not. `None` if there is none of that key.
    pub(crate) async fn claim(
        &self,
        reference: &SessionRef,
        with: ClaimedWith<'_>,
        claimant: &Claimant,
        at: Timestamp,
    ) -> Result<Option<Claimed>, StoreError> {
        let update = self
            .claim_update(reference, claimant)
            .update_expression("SET claimedBy = :claimant, claimedUntil = :end")
            .expression_attribute_values(":end", n(at.plus(CLAIM).millis()))
            .expression_attribute_values(":validated", s(VALIDATED))
            .expression_attribute_values(":now", n(at.millis()))
            .return_values(ReturnValue::AllNew);
        let mut condition = "sessionState = :validated AND sessionExpiresAt > :now \
                             AND proofExpiresAt > :now AND (attribute_not_exists(claimedUntil) \
                             OR claimedUntil <= :now OR claimedBy = :claimant) AND "
            .to_owned();
        let update = match with {
            ClaimedWith::Token(digest) => {
                condition.push_str("tokenDigest = :token");
                update.expression_attribute_values(":token", s(digest.hex()))
            }
            ClaimedWith::Id(protocol, user) => {
                condition.push_str("protocol = :protocol");
                let update = update.expression_attribute_values(":protocol", s(protocol.name()));
                match user {
                    None => update,
                    Some(user) => {
                        condition.push_str(" AND answeredId = :user");
                        update.expression_attribute_values(":user", s(user.as_str()))
                    }
                }
            }
        };
        let update = update.condition_expression(condition);
        let (item, held) = match self.update_one(update).await? {
            Updated::Done(item) => (item, true),
            Updated::Refused(item) => (item, false),
        };
        let session = item.map(items::session).transpose()?;
        Ok(session.map(|session| Claimed { session, held }))
    }

    /// Gives a claim up, so that the next one need not wait for its end; unless it has ended and
    /// somebody else has the session by now.
    pub(crate) async fn give_up_claim(
        &self,
        reference: &SessionRef,
        claimant: &Claimant,
    ) -> Result<(), StoreError> {
        let update = self
            .claim_update(reference, claimant)
            .update_expression("REMOVE claimedBy, claimedUntil")
            .condition_expression("claimedBy = :claimant");
        self.update_one(update).await?;
        Ok(())
    }

    fn claim_update(&self, reference: &SessionRef, claimant: &Claimant) -> UpdateItemFluentBuilder {
        self.update_item(keys::session(reference))
            .expression_attribute_values(":claimant", s(claimant.name()))
    }
}
