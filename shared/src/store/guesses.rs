//! Guesses: charge one to a session and to its address, and give it back.
//!
//! A guess is a name in a set, not a number in a counter. To add a name twice is to add it once, and to take
//! it out twice is to take it out once, so that a retry whose first answer was lost counts once. No
//! transaction is needed: each set is one item's.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::items::{self, AWAITING};
use super::{ADDRESS_TTL, Item, KEPT_DAYS, Store, StoreError, Updated, keys, n, s, stale};
use crate::api::Protocol;
use crate::ids::{GuessName, SessionRef, UserId};
use crate::keys::AddressKey;
use crate::session::{AddressState, Awaiting, Session};
use crate::settings::{Limits, Share};
use crate::timestamp::Timestamp;

/// The result of charging a guess to its session.
#[derive(Debug)]
pub enum SessionCharge {
    /// It is charged. Has the session as it is now.
    Landed(Box<Awaiting>),
    /// It is refused, and nothing was written. Has the session as it stands, if there is one.
    Refused(Option<Box<Session>>),
}

/// The result of charging a guess to its address.
#[derive(Debug)]
pub enum AddressCharge {
    /// It is charged. Has the time since when the codes of the address are void, if a user store elsewhere has
    /// set its password lately.
    Landed(Option<Timestamp>),
    /// It is refused, and nothing was written. Has the address as it stands.
    Refused(AddressState),
}

impl Store {
    /// Charges a guess to a session. This is also the read of the session. `user` is the user id that the
    /// caller sent, in the protocol that sends one.
    ///
    /// # Errors
    /// When the table cannot be asked. The guess may be charged then.
    pub async fn charge_session(
        &self,
        reference: &SessionRef,
        protocol: Protocol,
        user: Option<&UserId>,
        guess: &GuessName,
        limits: &Limits,
        at: Timestamp,
    ) -> Result<SessionCharge, StoreError> {
        let mut condition = "(attribute_not_exists(tries) OR size(tries) < :limit OR \
                             contains(tries, :guess)) AND sessionState = :awaiting AND \
                             protocol = :protocol AND codeExpiresAt > :now AND \
                             sessionExpiresAt > :now AND "
            .to_owned();
        let mut update = self
            .update_item(keys::session(reference))
            .update_expression("ADD tries :guesses")
            .expression_attribute_values(":guesses", set_of(*guess))
            .expression_attribute_values(":guess", name(*guess))
            .expression_attribute_values(":limit", n(limits.session_guesses))
            .expression_attribute_values(":awaiting", s(AWAITING))
            .expression_attribute_values(":protocol", s(protocol.name()))
            .expression_attribute_values(":now", n(at.millis()))
            .return_values(ReturnValue::AllNew);
        match user {
            None => condition.push_str("attribute_not_exists(answeredId)"),
            Some(user) => {
                condition.push_str("answeredId = :user");
                update = update.expression_attribute_values(":user", s(user.as_str()));
            }
        }
        match self
            .update_one(update.condition_expression(condition))
            .await?
        {
            Updated::Done(item) => match item.map(items::session).transpose()? {
                Some(Session::Awaiting(session)) => Ok(SessionCharge::Landed(Box::new(session))),
                _ => Err(StoreError::malformed("a charge returned no session")),
            },
            Updated::Refused(item) => {
                // An earlier try may have landed without an answer, before another call moved the session on.
                if item.as_ref().is_some_and(|item| holds(item, *guess)) {
                    self.give_back_to_session(reference, guess).await?;
                }
                let session = item.map(items::session).transpose()?;
                Ok(SessionCharge::Refused(session.map(Box::new)))
            }
        }
    }

    /// Charges a guess to an address, if that share of the day's guesses is not spent.
    ///
    /// # Errors
    /// When the table cannot be asked. The guess may be charged then.
    pub async fn charge_address(
        &self,
        key: &AddressKey,
        guess: &GuessName,
        limits: &Limits,
        share: Share,
        at: Timestamp,
    ) -> Result<AddressCharge, StoreError> {
        let today = items::tries_in_day(at.day());
        let update = self
            .update_item(keys::address(key))
            .update_expression(format!(
                "ADD {today} :guesses SET expiresAt = :expiresAt REMOVE {}",
                stale(at.day(), KEPT_DAYS, items::tries_in_day)
            ))
            .condition_expression(format!(
                "attribute_not_exists({today}) OR size({today}) < :limit OR \
                 contains({today}, :guess)"
            ))
            .expression_attribute_values(":guesses", set_of(*guess))
            .expression_attribute_values(":guess", name(*guess))
            .expression_attribute_values(":limit", n(limits.guesses_a_day(share)))
            .expression_attribute_values(":expiresAt", n(at.plus(ADDRESS_TTL).ttl_seconds()))
            .return_values(ReturnValue::AllNew);
        match self.update_one(update).await? {
            Updated::Done(item) => Ok(AddressCharge::Landed(items::void_since(item.as_ref())?)),
            Updated::Refused(item) => Ok(AddressCharge::Refused(items::address_state(
                item.as_ref(),
                at,
            )?)),
        }
    }

    /// Gives a guess back to its session. Does nothing if the session does not have it.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn give_back_to_session(
        &self,
        reference: &SessionRef,
        guess: &GuessName,
    ) -> Result<(), StoreError> {
        let update = self.update_item(keys::session(reference));
        self.update_one(without(update, "tries", *guess)).await?;
        Ok(())
    }

    /// Gives a guess back to its address, for the day that it was charged on. Does nothing if the address does
    /// not have it.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn give_back_to_address(
        &self,
        key: &AddressKey,
        guess: &GuessName,
        charged_at: Timestamp,
    ) -> Result<(), StoreError> {
        let day = items::tries_in_day(charged_at.day());
        let update = self.update_item(keys::address(key));
        self.update_one(without(update, &day, *guess)).await?;
        Ok(())
    }
}

/// A guess's name as the table has it.
pub(super) fn name(guess: GuessName) -> AttributeValue {
    AttributeValue::B(Blob::new(guess.as_bytes().as_slice()))
}

/// The set of that name alone.
pub(super) fn set_of(guess: GuessName) -> AttributeValue {
    AttributeValue::Bs(vec![Blob::new(guess.as_bytes().as_slice())])
}

/// Whether a guess is charged to a session.
fn holds(session: &Item, guess: GuessName) -> bool {
    let tries = session.get("tries").and_then(|tries| tries.as_bs().ok());
    tries.is_some_and(|tries| tries.iter().any(|it| it.as_ref() == guess.as_bytes()))
}

fn without(
    update: UpdateItemFluentBuilder,
    tries: &str,
    guess: GuessName,
) -> UpdateItemFluentBuilder {
    update
        .update_expression(format!("DELETE {tries} :guesses"))
        .condition_expression(format!("contains({tries}, :guess)"))
        .expression_attribute_values(":guesses", set_of(guess))
        .expression_attribute_values(":guess", name(guess))
}
