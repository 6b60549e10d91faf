//! Operators' commands on the table: block and unblock a user, and clear the throttle of an address.

use aws_sdk_dynamodb::types::AttributeValue;

use super::items::{codes_in_day, codes_in_hour, tries_in_day};
use super::users::as_read;
use super::{Store, StoreError, Transacted, keys, s, updated};
use crate::keys::AddressKey;
use crate::users::{BLOCKED, Status, User};

impl Store {
    /// Blocks a user and keeps the status before it. Nothing else about the user changes.
    ///
    /// Returns whether it was written. It is not if the user has changed since it was read.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn block(&self, user: &User) -> Result<bool, StoreError> {
        let update = as_read(self.update(keys::user(&user.id)), user)
            .expression_attribute_values(":blocked", s(BLOCKED));
        let update = match user.status {
            Status::Missing => update
                .update_expression("SET statusBeforeBlock = :none, #status = :blocked")
                .expression_attribute_values(":none", AttributeValue::Null(true)),
            Status::Text(_) | Status::Other => {
                update.update_expression("SET statusBeforeBlock = #status, #status = :blocked")
            }
        };
        let written = self.transact(vec![updated(update)?]).await?;
        Ok(matches!(written, Transacted::Applied))
    }

    /// Restores the status that a user had before [`Store::block`], or sets `otherwise` if none was kept.
    /// Nothing else about the user changes.
    ///
    /// Returns whether it was written. It is not if the user has changed since it was read.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn unblock(&self, user: &User, otherwise: &str) -> Result<bool, StoreError> {
        let update = as_read(self.update(keys::user(&user.id)), user);
        let update = match user.status_before_block {
            None => update
                .update_expression("SET #status = :otherwise")
                .expression_attribute_values(":otherwise", s(otherwise)),
            Some(Status::Missing) => update.update_expression("REMOVE #status, statusBeforeBlock"),
            Some(Status::Text(_) | Status::Other) => {
                update.update_expression("SET #status = statusBeforeBlock REMOVE statusBeforeBlock")
            }
        };
        let written = self.transact(vec![updated(update)?]).await?;
        Ok(matches!(written, Transacted::Applied))
    }

    /// Clears the throttle of an address: the cooldown, and all counts of codes and guesses.
    ///
    /// Returns whether there was anything to clear.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn clear_throttle(&self, key: &AddressKey) -> Result<bool, StoreError> {
        let Some(item) = self.get_item(keys::address(key)).await? else {
            return Ok(false);
        };
        let counts: Vec<&str> = item
            .keys()
            .map(String::as_str)
            .filter(|name| throttles(name))
            .collect();
        if counts.is_empty() {
            return Ok(false);
        }
        let update = self
            .update(keys::address(key))
            .update_expression(format!("REMOVE {}", counts.join(", ")))
            .condition_expression("attribute_exists(pk)");
        let written = self.transact(vec![updated(update)?]).await?;
        Ok(matches!(written, Transacted::Applied))
    }
}

/// Whether an attribute of an address's state is the cooldown or a count.
fn throttles(name: &str) -> bool {
    let counts = |attribute: fn(i64) -> String| {
        let period = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        period.parse().is_ok_and(|period| attribute(period) == name)
    };
    name == "lastCodeAt" || counts(codes_in_hour) || counts(codes_in_day) || counts(tries_in_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cooldown_and_the_counts_throttle() {
        for (name, throttled) in [
            ("lastCodeAt", true),
            ("codesHour492540", true),
            ("codesDay20522", true),
            ("triesDay20522", true),
            ("pk", false),
            ("expiresAt", false),
            ("codesDay", false),
            ("triesDay1x", false),
            ("otherDay20522", false),
        ] {
            assert_eq!(throttles(name), throttled, "{name}");
        }
    }
}
