//! Claims: if several calls use one proof at once, one of them hashes and the others wait.
//! A proof is a validated session, its reset token, the right code, or the link of a mail.
//!
//! A claim does not decide which call wins: the transaction that uses the session up does. A claim only
//! spares the losers the costly hash. It ends by itself. With users elsewhere it decides, because their store may have
//! set the password before the table can record it.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use data_encoding::HEXLOWER;
use rand::rngs::StdRng;

use super::guesses::set_of;
use super::items::{self, AWAITING, VALIDATED};
use super::{Store, StoreError, Updated, keys, n, s};
use crate::api::Protocol;
use crate::ids::{GuessName, SessionRef, TokenDigest, UserId, draw};
use crate::session::Session;
use crate::timestamp::Timestamp;

/// The condition that no other claimant holds the session at the time `:now`.
pub(super) const UNCLAIMED: &str = "(attribute_not_exists(claimedUntil) OR claimedUntil <= :now OR \
                                    claimedBy = :claimant)";

/// The name of one invocation that claims or closes a session. If the answer to its write is lost, the retry
/// recognises the write as its own.
#[derive(Clone, Debug)]
pub struct Claimant(String);

impl Claimant {
    /// A new claimant.
    #[must_use]
    pub fn draw(rng: &mut StdRng) -> Self {
        Self(HEXLOWER.encode(&draw::<16>(rng)))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }
}

/// What a call has to show to claim a session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClaimedWith<'a> {
    /// The reset token with that digest.
    Token(TokenDigest),
    /// The session's id in that protocol, and the user id that it was answered with.
    Id(Protocol, Option<&'a UserId>),
    /// A right guess of that generation's code. If the guess is still charged, the claim gives it back.
    RightGuess {
        generation: u64,
        charged: Option<&'a GuessName>,
    },
    /// The link of that generation's mail, which is proven already.
    Link { generation: u64 },
}

/// A session that was to be claimed, as it stands now.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) session: Session,
    /// Whether the claimant holds it now.
    pub(crate) held: bool,
}

impl Store {
    /// Claims a session for that long for what the caller shows, unless another claimant holds it. This is also
    /// the read of the session: it is returned whether or not it was claimed. `None` if there is none of that
    /// key.
    pub(crate) async fn claim(
        &self,
        reference: &SessionRef,
        with: ClaimedWith<'_>,
        claimant: &Claimant,
        at: Timestamp,
        length: Duration,
    ) -> Result<Option<Claimed>, StoreError> {
        const CLAIM_IT: &str = "SET claimedBy = :claimant, claimedUntil = :end";
        let mut condition = UNCLAIMED.to_owned();
        let update = self
            .claim_update(reference, claimant)
            .update_expression(CLAIM_IT)
            .expression_attribute_values(":end", n(at.plus(length).millis()))
            .expression_attribute_values(":now", n(at.millis()))
            .return_values(ReturnValue::AllNew);
        let validated = " AND sessionState = :validated AND sessionExpiresAt > :now AND \
                         proofExpiresAt > :now";
        let update = match with {
            ClaimedWith::Token(digest) => {
                condition.push_str(validated);
                condition.push_str(" AND tokenDigest = :token");
                update
                    .expression_attribute_values(":validated", s(VALIDATED))
                    .expression_attribute_values(":token", s(digest.hex()))
            }
            ClaimedWith::Id(protocol, user) => {
                condition.push_str(validated);
                condition.push_str(" AND protocol = :protocol");
                let update = update
                    .expression_attribute_values(":validated", s(VALIDATED))
                    .expression_attribute_values(":protocol", s(protocol.name()));
                match user {
                    None => update,
                    Some(user) => {
                        condition.push_str(" AND answeredId = :user");
                        update.expression_attribute_values(":user", s(user.as_str()))
                    }
                }
            }
            ClaimedWith::Link { generation } => {
                condition.push_str(
                    " AND (sessionState = :awaiting OR sessionState = :validated) AND \
                     generation = :generation AND codeExpiresAt > :now AND \
                     sessionExpiresAt > :now",
                );
                update
                    .expression_attribute_values(":awaiting", s(AWAITING))
                    .expression_attribute_values(":validated", s(VALIDATED))
                    .expression_attribute_values(":generation", n(generation))
            }
            ClaimedWith::RightGuess {
                generation,
                charged,
            } => {
                condition.push_str(" AND sessionState = :awaiting AND generation = :generation");
                let update = update
                    .expression_attribute_values(":awaiting", s(AWAITING))
                    .expression_attribute_values(":generation", n(generation));
                match charged {
                    None => update,
                    Some(guess) => update
                        .update_expression(format!("{CLAIM_IT} DELETE tries :guesses"))
                        .expression_attribute_values(":guesses", set_of(*guess)),
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

    /// Gives a claim up, so that the next call need not wait for its end. Does nothing if the claim has ended
    /// and another claimant holds the session.
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
