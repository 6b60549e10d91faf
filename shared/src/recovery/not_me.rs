//! A person says that it was not them who changed the password: the account is blocked.

use regain_password::Address;

use super::call::CallContext;
use super::{ATTEMPTS, Recovery, RecoveryError, UnderWay};
use crate::api::Protocol;
use crate::audit::{Event, NotMe, Unanswered};
use crate::not_me::{NOT_ME_TTL, NotMeToken};
use crate::store::StoreError;
use crate::users::User;

impl Recovery {
    /// Blocks the account that a notice's token is about, and voids every proof of it. A token that has blocked the
    /// account before changes nothing.
    ///
    /// Whoever changed the password may have changed it once more since. So a token also blocks the account after
    /// later changes, for as long as the user has the address that the notice went to.
    ///
    /// # Errors
    /// [`RecoveryError::TokenUnknown`], [`RecoveryError::SessionOver`] if the token is older than seven days or the
    /// user has moved to another address, or a failure.
    pub fn not_me<'a>(
        &'a self,
        call: &'a mut CallContext,
        token: Option<NotMeToken>,
    ) -> UnderWay<'a, ()> {
        Box::pin(async move {
            let blocked = self.disown(call, token).await;
            call.settle(blocked)
        })
    }

    async fn disown(
        &self,
        call: &mut CallContext,
        token: Option<NotMeToken>,
    ) -> Result<(), RecoveryError> {
        let token = token.ok_or(RecoveryError::TokenUnknown)?;
        let keys = self.index_keys(call).await?;
        let key = keys.not_me();
        let change = token.proven(key).ok_or(RecoveryError::TokenUnknown)?;
        if call.at >= change.changed_at.plus(NOT_ME_TTL) {
            return Err(RecoveryError::SessionOver);
        }
        let has_its_address = |user: &User| {
            let address = Address::parse(&user.email).ok();
            address.filter(|address| token.is_for(key, address))
        };
        for _ in 0..ATTEMPTS {
            let user = self.store.user(&change.user).await?;
            // A user with an older version is another one, who got the id of one who was deleted.
            let is_as_new = |user: &User| {
                let version = user.credentials_version.number();
                version >= Some(change.credentials_version)
            };
            let user = user.filter(is_as_new);
            let user = user.ok_or(RecoveryError::SessionOver)?;
            let address = has_its_address(&user).ok_or(RecoveryError::SessionOver)?;
            call.note_address(Protocol::AuthV1, &address);
            if user.disowned_version > Some(change.credentials_version) {
                call.note(Event::NotMe(NotMe::Repeated));
                return Ok(());
            }
            let write = self.store.disown(&user);
            if call.attempt(Unanswered::Block, write).await? {
                call.note(Event::NotMe(NotMe::Blocked));
                return Ok(());
            }
        }
        Err(StoreError::Contended.into())
    }
}
