//! What the table keeps of a password that a user store elsewhere has set, or may have set.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::items::{self, PasswordChange, USED};
use super::{ADDRESS_TTL, Store, StoreError, Transacted, keys, n, s, updated};
use crate::keys::AddressKey;
use crate::locale::Locale;
use crate::session::Session;
use crate::timestamp::Timestamp;

impl Store {
    /// Records that the password was set with a session: uses the session up, voids all codes and links that
    /// were asked for at the address until now, and requests the notice.
    ///
    /// The user store has decided that this call sets the password. So nothing here depends on what other calls
    /// have made of the session in the meantime, and a repetition changes nothing.
    ///
    /// # Errors
    /// When the table cannot be asked. Nothing was written then.
    pub async fn record_password(
        &self,
        session: &Session,
        address: &AddressKey,
        change: PasswordChange,
        locale: Locale,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let use_up = self
            .update(keys::session(&session.info().reference))
            .update_expression("SET sessionState = :used")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":used", s(USED));
        let void = self
            .update(keys::address(address))
            .update_expression("SET voidSince = :now, expiresAt = :expiresAt")
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":expiresAt", n(now.plus(ADDRESS_TTL).ttl_seconds()));
        let notice = self.notice(session, change, locale, now)?;
        let items = vec![updated(use_up)?, updated(void)?, notice];
        let Transacted::Refused(refused) = self.transact(items.clone()).await? else {
            return Ok(());
        };
        // The session has expired and is gone, or the notice is requested already.
        let left = items.into_iter().enumerate();
        let left = left.filter(|(index, _)| !refused.failed(*index));
        match self.transact(left.map(|(_, item)| item).collect()).await? {
            Transacted::Applied => Ok(()),
            Transacted::Refused(_) => Err(StoreError::Contended),
        }
    }

    /// Requests the notice that the password was changed, because it may have been. `change` has the version of
    /// credentials as it was found before. Does nothing if the notice is requested already.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub(crate) async fn request_notice(
        &self,
        session: &Session,
        change: PasswordChange,
        locale: Locale,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.transact(vec![self.notice(session, change, locale, now)?])
            .await?;
        Ok(())
    }

    /// Since when the codes and links of an address are void, if a user store elsewhere has set its password
    /// lately.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub(crate) async fn void_since(
        &self,
        address: &AddressKey,
    ) -> Result<Option<Timestamp>, StoreError> {
        items::void_since(self.get_item(keys::address(address)).await?.as_ref())
    }

    /// The request for the notice.
    fn notice(
        &self,
        session: &Session,
        change: PasswordChange,
        locale: Locale,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let generation = session.generation().number;
        self.put_new(items::changed_mail(
            session.info(),
            generation,
            change,
            locale,
            now,
        )?)
    }
}
