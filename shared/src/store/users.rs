//! Users and the lookup that keeps their addresses unique.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::{Item, Store, StoreError, Transacted, keys, n, put, s, write};
use crate::address::Address;
use crate::ids::UserId;
use crate::users::{BLOCKED, User};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lookup {
    pk: String,
    user_id: UserId,
}

impl Store {
    /// The id of the user who has an address.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn user_id_of(&self, address: &Address) -> Result<Option<UserId>, StoreError> {
        let lookup: Option<Lookup> = self.get(keys::email(address)).await?;
        Ok(lookup.map(|lookup| lookup.user_id))
    }

    /// The user of an id.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.get(keys::user(id)).await
    }

    /// The user who has an address, if that is still the user's own.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn user_of(&self, address: &Address) -> Result<Option<User>, StoreError> {
        let Some(id) = self.user_id_of(address).await? else {
            return Ok(None);
        };
        let user = self.user(&id).await?;
        Ok(user.filter(|user| user.has_address(address)))
    }

    /// Whether two users are the same item, whatever way their numbers were written in JSON.
    ///
    /// # Errors
    /// When one of them cannot be an item.
    pub(crate) fn is_same(one: &User, other: &User) -> Result<bool, StoreError> {
        Ok(write(one)? == write(other)?)
    }

    /// Writes a user and the lookup of the user's address, and takes the lookup of the address the
    /// user had away. `before` is the user as read, or nothing for a new one.
    ///
    /// Returns whether it was written: not if the user was blocked, moved or re-credentialed since,
    /// or the address is another user's.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn put_user(
        &self,
        user: &User,
        address: &Address,
        before: Option<&User>,
        address_before: Option<&Address>,
    ) -> Result<bool, StoreError> {
        let mut item = write(user)?;
        item.insert(keys::PK.to_owned(), s(keys::user(&user.id)));
        let put_user = Put::builder().table_name(&self.table).set_item(Some(item));
        let put_user = match before {
            None => put_user.condition_expression("attribute_not_exists(pk)"),
            Some(before) => put_user
                .condition_expression(format!(
                    "email = :emailBefore AND \
                     (attribute_not_exists(#status) OR #status = :statusBefore) AND {}",
                    version_condition(before.credentials_version)
                ))
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":emailBefore", s(&before.email))
                .expression_attribute_values(":statusBefore", s(&before.status))
                .expression_attribute_values(":version", n(before.credentials_version)),
        };
        let lookup: Item = write(&Lookup {
            pk: keys::email(address),
            user_id: user.id.clone(),
        })?;
        let put_lookup = Put::builder()
            .table_name(&self.table)
            .set_item(Some(lookup))
            .condition_expression("attribute_not_exists(pk) OR userId = :id")
            .expression_attribute_values(":id", s(user.id.as_str()));
        let mut transaction = vec![put(put_user)?, put(put_lookup)?];
        if let Some(old) = address_before.filter(|old| *old != address) {
            let delete = Delete::builder()
                .table_name(&self.table)
                .key(keys::PK, s(keys::email(old)))
                .condition_expression("attribute_not_exists(pk) OR userId = :id")
                .expression_attribute_values(":id", s(user.id.as_str()))
                .build()
                .map_err(|error| StoreError::Malformed(error.into()))?;
            transaction.push(TransactWriteItem::builder().delete(delete).build());
        }
        Ok(matches!(
            self.transact(transaction).await?,
            Transacted::Applied
        ))
    }
}

/// An update of a user under the condition that nothing that matters to a recovery has changed since
/// the user was read: not blocked, same address, same credentials.
pub(super) fn as_read(update: UpdateBuilder, user: &User) -> UpdateBuilder {
    update
        .condition_expression(format!(
            "email = :email AND (attribute_not_exists(#status) OR #status <> :blocked) AND {}",
            version_condition(user.credentials_version)
        ))
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":email", s(&user.email))
        .expression_attribute_values(":blocked", s(BLOCKED))
        .expression_attribute_values(":version", n(user.credentials_version))
}

/// The condition on the credentials version; a user without one, written by somebody else, has 0.
pub(super) fn version_condition(version: u64) -> &'static str {
    if version == 0 {
        "(attribute_not_exists(credentialsVersion) OR credentialsVersion = :version)"
    } else {
        "credentialsVersion = :version"
    }
}
