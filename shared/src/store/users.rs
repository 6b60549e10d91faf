//! Users and the lookup that keeps their addresses unique.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use regain_password::Address;
use serde::Deserialize;

use super::{
    Item, MailContent, Store, StoreError, Suppressed, Transacted, keys, limits, n, read, s,
    updated, write,
};
use crate::ids::UserId;
use crate::timestamp::Timestamp;
use crate::users::{Status, User};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lookup {
    pub(super) user_id: UserId,
    pub(super) suppressed: Option<Suppressed>,
}

/// Who is to have a mail.
#[derive(Debug)]
pub enum Recipient {
    /// The user who has the address.
    User(Box<User>),
    /// Nobody has it.
    Nobody,
    /// Somebody has it, and is not to be mailed this.
    Suppressed,
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

    /// The user of an id, and the size in octets of what else is stored of the user: attributes that
    /// other programs write.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub(crate) async fn user_and_size_besides(
        &self,
        id: &UserId,
    ) -> Result<Option<(User, usize)>, StoreError> {
        let Some(item) = self.get_item(keys::user(id)).await? else {
            return Ok(None);
        };
        let user: User = read(item.clone())?;
        let known = write(&user)?;
        let besides = item
            .iter()
            .filter(|(name, _)| *name != keys::PK && !known.contains_key(*name));
        let size = besides.map(|(name, value)| limits::size(name, value)).sum();
        Ok(Some((user, size)))
    }

    /// Why a user cannot be an item of the table, if so; `besides` is the size in octets of what else
    /// is stored of the user.
    ///
    /// # Errors
    /// When the user cannot be written as an item at all.
    pub(crate) fn unstorable(user: &User, besides: usize) -> Result<Option<String>, StoreError> {
        let item = Self::user_item(user)?;
        for (name, value) in &item {
            if let Err(error) = limits::check(value) {
                return Ok(Some(format!("{name:?} {error}")));
            }
        }
        let size: usize = item
            .iter()
            .map(|(name, value)| limits::size(name, value))
            .sum();
        Ok(limits::check_size(size + besides)
            .err()
            .map(|error| error.to_string()))
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

    /// Who is to have a mail that was asked for with an address.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn recipient(
        &self,
        address: &Address,
        content: &MailContent,
        at: Timestamp,
    ) -> Result<Recipient, StoreError> {
        let lookup: Option<Lookup> = self.get(keys::email(address)).await?;
        let id = match lookup {
            None => return Ok(Recipient::Nobody),
            Some(Lookup {
                suppressed: Some(suppressed),
                ..
            }) if suppressed.stops(content, at) => return Ok(Recipient::Suppressed),
            Some(Lookup { user_id, .. }) => user_id,
        };
        let user = self.user(&id).await?;
        let user = user.filter(|user| user.has_address(address));
        Ok(user.map_or(Recipient::Nobody, |user| Recipient::User(user.into())))
    }

    /// Whether two users are the same item, whatever way their numbers were written in JSON.
    ///
    /// # Errors
    /// When one of them cannot be an item.
    pub(crate) fn is_same(one: &User, other: &User) -> Result<bool, StoreError> {
        Ok(write(one)? == write(other)?)
    }

    /// Writes a user and the lookup of the user's address, and takes the lookup of the address the
    /// user had away. `before` is the user as read, or nothing for a new one. Of a user who was read,
    /// only what is different is written: what somebody else wrote meanwhile stays.
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
        let write_user = match before {
            None => self.put_new(Self::user_item(user)?)?,
            Some(before) => {
                updated(self.changes(before, user, address_before != Some(address))?)?
            }
        };
        // An update, so that an address that is mailed no more stays that.
        let lookup = self
            .update(keys::email(address))
            .update_expression("SET userId = :id")
            .condition_expression("attribute_not_exists(pk) OR userId = :id")
            .expression_attribute_values(":id", s(user.id.as_str()));
        let mut transaction = vec![write_user, updated(lookup)?];
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

    /// The item of a user.
    fn user_item(user: &User) -> Result<Item, StoreError> {
        let mut item = write(user)?;
        item.insert(keys::PK.to_owned(), s(keys::user(&user.id)));
        Ok(item)
    }

    /// The update that makes `before` into `user`, if `before` is still what is stored. A user who
    /// moved has the new address unproven, or proven, as `user` says: the old one may be proven at
    /// this moment.
    fn changes(
        &self,
        before: &User,
        user: &User,
        moved: bool,
    ) -> Result<UpdateBuilder, StoreError> {
        let (mut old, new) = (write(before)?, write(user)?);
        if moved {
            old.remove(IS_EMAIL_VALIDATE);
        }
        // The address is always written, so that there is something to write.
        let mut update = as_read(self.update(keys::user(&before.id)), before)
            .expression_attribute_values(":newEmail", s(&user.email));
        let mut set = vec!["email = :newEmail".to_owned()];
        let changed = new
            .iter()
            .filter(|(name, value)| *name != EMAIL && old.get(*name) != Some(*value));
        for (number, (name, value)) in changed.enumerate() {
            let (field, is) = (format!("#field{number}"), format!(":field{number}"));
            set.push(format!("{field} = {is}"));
            update = update
                .expression_attribute_names(field, name)
                .expression_attribute_values(is, value.clone());
        }
        let removed: Vec<&str> = old
            .keys()
            .map(String::as_str)
            .filter(|name| !new.contains_key(*name))
            .collect();
        let mut expression = format!("SET {}", set.join(", "));
        if !removed.is_empty() {
            expression = format!("{expression} REMOVE {}", removed.join(", "));
        }
        Ok(update.update_expression(expression))
    }
}

const EMAIL: &str = "email";
const IS_EMAIL_VALIDATE: &str = "isEmailValidate";

/// An update of a user under the condition that nothing that matters to a recovery has changed since
/// the user was read: same address, same status, same credentials.
pub(super) fn as_read(update: UpdateBuilder, user: &User) -> UpdateBuilder {
    let (status, value) = match &user.status {
        Status::Text(text) => ("#status = :status", Some((":status", s(text)))),
        Status::Missing => ("attribute_not_exists(#status)", None),
        Status::Other => (
            "attribute_exists(#status) AND NOT attribute_type(#status, :text)",
            Some((":text", s("S"))),
        ),
    };
    let update = update
        .condition_expression(format!(
            "email = :email AND {status} AND {}",
            version_condition(user.credentials_version)
        ))
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":email", s(&user.email))
        .expression_attribute_values(":version", n(user.credentials_version));
    match value {
        Some((name, value)) => update.expression_attribute_values(name, value),
        None => update,
    }
}

/// The condition on the credentials version; a user without one, written by somebody else, has 0.
pub(super) fn version_condition(version: u64) -> &'static str {
    if version == 0 {
        "(attribute_not_exists(credentialsVersion) OR credentialsVersion = :version)"
    } else {
        "credentialsVersion = :version"
    }
}
