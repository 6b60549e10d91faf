//! Users, and the lookup items that keep their addresses unique.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use regain_password::Address;
use serde::Deserialize;

use super::{
    Item, MailContent, Store, StoreError, Suppressed, Transacted, keys, limits, read, s, updated,
    version, write,
};
use crate::ids::UserId;
use crate::timestamp::Timestamp;
use crate::users::{CredentialsVersion, Status, User};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lookup {
    pub(super) user_id: UserId,
    pub(super) suppressed: Option<Suppressed>,
}

/// The recipient of a mail.
#[derive(Debug)]
pub enum Recipient {
    /// The user who has the address.
    User(Box<User>),
    /// Nobody has it.
    Nobody,
    /// Somebody has it, but its suppression stops this mail.
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

    /// The ids of the users who have these addresses, 100 at most.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub(crate) async fn user_ids_of<'a>(
        &self,
        addresses: impl Iterator<Item = &'a Address>,
    ) -> Result<HashMap<Address, UserId>, StoreError> {
        let keys: BTreeMap<_, _> = addresses.map(|it| (keys::email(it), it)).collect();
        let lookups = self.get_items(keys.keys().cloned().collect()).await?;
        let owned = lookups.into_iter().filter_map(|(key, lookup)| {
            let address = Address::clone(keys.get(&key)?);
            Some(read(lookup).map(|lookup: Lookup| (address, lookup.user_id)))
        });
        owned.collect()
    }

    /// The users of these ids, 100 at most. With each comes the size in octets of the attributes that other
    /// programs have written to the user's item.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub(crate) async fn users_and_sizes_besides<'a>(
        &self,
        ids: impl Iterator<Item = &'a UserId>,
    ) -> Result<HashMap<UserId, (User, usize)>, StoreError> {
        let keys: BTreeMap<_, _> = ids.map(|id| (keys::user(id), id)).collect();
        let items = self.get_items(keys.keys().cloned().collect()).await?;
        let items = items
            .into_iter()
            .filter_map(|(key, item)| Some((UserId::clone(keys.get(&key)?), item)));
        let users = items.map(|(id, item)| {
            let user: User = read(item.clone())?;
            let known = write(&user)?;
            let besides = item
                .iter()
                .filter(|(name, _)| *name != keys::PK && !known.contains_key(*name));
            let size = besides.map(|(name, value)| limits::size(name, value)).sum();
            Ok((id, (user, size)))
        });
        users.collect()
    }

    /// Why a user cannot be stored as an item, if so. `besides` is the size in octets of the other attributes
    /// of the item.
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
        Ok(limits::check_size(size(&item) + besides)
            .err()
            .map(|error| error.to_string()))
    }

    /// The user who has an address.
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

    /// The recipient of a mail that was requested for an address.
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

    /// Whether two users are stored as the same item. Their JSON may write numbers in different ways.
    ///
    /// # Errors
    /// When one of them cannot be an item.
    pub(crate) fn is_same(one: &User, other: &User) -> Result<bool, StoreError> {
        Ok(write(one)? == write(other)?)
    }

    /// Writes a user and the lookup of the user's address, and deletes the lookup of the address that the
    /// user had. `before` is the user as read, or `None` for a new user. Only the fields that differ from it
    /// are written, so that other changes since the read are kept.
    ///
    /// Returns whether it was written. It is not if the user's status, address or credentials have changed
    /// since the read, or if another user has the address.
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
        let items = self.user_writes(user, address, before, address_before)?;
        Ok(matches!(self.transact(items).await?, Transacted::Applied))
    }

    /// Writes several users in one transaction, each as [`Store::put_user`] does: all of them or none.
    ///
    /// Returns whether they were written. They are not if one of them could not be written by itself, or if
    /// together they are more than a transaction takes.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub(crate) async fn put_users(&self, writes: &[UserWrite<'_>]) -> Result<bool, StoreError> {
        let (mut items, mut keys, mut octets) = (Vec::new(), HashSet::new(), 0);
        for write in writes {
            let UserWrite {
                user,
                address,
                before,
                address_before,
                besides,
            } = *write;
            items.extend(self.user_writes(user, address, before, address_before)?);
            let addresses = [Some(address), address_before.filter(|it| *it != address)];
            for address in addresses.into_iter().flatten() {
                // A transaction names each item once.
                if !keys.insert(address) {
                    return Ok(false);
                }
            }
            octets += besides;
            for user in [Some(user), before].into_iter().flatten() {
                octets += size(&Self::user_item(user)?);
            }
        }
        if items.len() > MAX_TRANSACTION_ITEMS || octets > MAX_TRANSACTION_OCTETS {
            return Ok(false);
        }
        Ok(matches!(self.transact(items).await?, Transacted::Applied))
    }

    /// Deletes a user, and the lookup of that address if there is one.
    ///
    /// Returns whether it was deleted. It is not if the user has another address than when it was read, or if
    /// the lookup is not the user's.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn delete_user(
        &self,
        user: &User,
        address: Option<&Address>,
    ) -> Result<bool, StoreError> {
        let delete_user = Delete::builder()
            .table_name(&self.table)
            .key(keys::PK, s(keys::user(&user.id)))
            .condition_expression("email = :email")
            .expression_attribute_values(":email", s(&user.email));
        let delete_lookup = address.map(|address| {
            Delete::builder()
                .table_name(&self.table)
                .key(keys::PK, s(keys::email(address)))
                .condition_expression("userId = :id")
                .expression_attribute_values(":id", s(user.id.as_str()))
        });
        let items = [Some(delete_user), delete_lookup].into_iter().flatten();
        let items = items.map(|delete| {
            let delete = delete.build();
            let delete = delete.map_err(|error| StoreError::Malformed(error.into()))?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        });
        let items = items.collect::<Result<_, StoreError>>()?;
        Ok(matches!(self.transact(items).await?, Transacted::Applied))
    }

    /// The items of a transaction that writes a user, see [`Store::put_user`].
    fn user_writes(
        &self,
        user: &User,
        address: &Address,
        before: Option<&User>,
        address_before: Option<&Address>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let write_user = match before {
            None => self.put_new(Self::user_item(user)?)?,
            Some(before) => {
                updated(self.changes(before, user, address_before != Some(address))?)?
            }
        };
        // An update, so that the suppression of the address is kept.
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
        Ok(transaction)
    }

    /// The item of a user.
    fn user_item(user: &User) -> Result<Item, StoreError> {
        let mut item = write(user)?;
        item.insert(keys::PK.to_owned(), s(keys::user(&user.id)));
        Ok(item)
    }

    /// The update that changes `before` into `user`. For a user who moved to another address, `user` says
    /// whether the new address is proven, because the old one may have been proven since the read.
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
        // The address is always written, because an update must set something.
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

impl User {
    /// The user in an item of the table.
    ///
    /// # Errors
    /// If the item is not as this version writes it.
    pub fn read(item: Item) -> Result<Self, StoreError> {
        read(item)
    }
}

/// A user to be written, see [`Store::put_user`].
#[derive(Clone, Copy)]
pub(crate) struct UserWrite<'a> {
    pub(crate) user: &'a User,
    pub(crate) address: &'a Address,
    /// The user as read, or nothing for a new one.
    pub(crate) before: Option<&'a User>,
    pub(crate) address_before: Option<&'a Address>,
    /// The size in octets of the attributes that other programs have written to the user's item.
    pub(crate) besides: usize,
}

/// DynamoDB takes 100 items in a transaction, and 4 MB. Some of these are left for the lookups.
const MAX_TRANSACTION_ITEMS: usize = 100;
const MAX_TRANSACTION_OCTETS: usize = 3 * 1024 * 1024;

/// The size of an item in octets.
fn size(item: &Item) -> usize {
    let attributes = item.iter();
    attributes
        .map(|(name, value)| limits::size(name, value))
        .sum()
}

const EMAIL: &str = "email";
const IS_EMAIL_VALIDATE: &str = "isEmailValidate";

/// An update of a user, on the condition that address, status and credentials have not changed since the
/// user was read.
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
            version_condition(&user.credentials_version)
        ))
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":email", s(&user.email))
        .expression_attribute_values(":version", version(&user.credentials_version));
    match value {
        Some((name, value)) => update.expression_attribute_values(name, value),
        None => update,
    }
}

/// An update that marks the mailbox of a user as proven, if the user still has the address.
pub(super) fn proven_mailbox(
    update: UpdateItemFluentBuilder,
    user: &User,
) -> UpdateItemFluentBuilder {
    update
        .update_expression("SET isEmailValidate = :true")
        .condition_expression("email = :email")
        .expression_attribute_values(":true", AttributeValue::Bool(true))
        .expression_attribute_values(":email", s(&user.email))
}

/// The condition on the credentials version. A user without one, written by another program, has 0.
pub(super) fn version_condition(version: &CredentialsVersion) -> &'static str {
    if *version == 0 {
        "(attribute_not_exists(credentialsVersion) OR credentialsVersion = :version)"
    } else {
        "credentialsVersion = :version"
    }
}
