//! What an operator does to the table by hand: blocks a user, and clears what throttles an address.

use super::items::{codes_in_day, codes_in_hour, guesses_in_day};
use super::users::version_condition;
use super::{Store, StoreError, Transacted, keys, n, s, updated};
use crate::address::Address;
use crate::keys::AddressKey;
use crate::users::{BLOCKED, User};

/// The status of a user who may use the service.
const ACTIVE: &str = "active";

impl Store {
    /// Blocks a user, or makes a blocked one active again. Nothing else about the user changes.
    ///
    /// Returns whether it was written: not if the user was changed since it was read.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn set_blocked(&self, user: &User, blocked: bool) -> Result<bool, StoreError> {
        let update = self
            .update(keys::user(&user.id))
            .update_expression("SET #status = :status")
            .condition_expression(format!(
                "attribute_exists(pk) AND (attribute_not_exists(#status) OR #status = :before) \
                 AND {}",
                version_condition(user.credentials_version)
            ))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", s(if blocked { BLOCKED } else { ACTIVE }))
            .expression_attribute_values(":before", s(&user.status))
            .expression_attribute_values(":version", n(user.credentials_version));
        let written = self.transact(vec![updated(update)?]).await?;
        Ok(matches!(written, Transacted::Applied))
    }

    /// Has an address mailed again that was mailed no more.
    ///
    /// Returns whether there was anything to clear.
    ///
    /// # Errors
    /// When the table cannot be asked.
    pub async fn clear_suppression(&self, address: &Address) -> Result<bool, StoreError> {
        let update = self
            .update(keys::email(address))
            .update_expression("REMOVE suppressed")
            .condition_expression("attribute_exists(suppressed)");
        let written = self.transact(vec![updated(update)?]).await?;
        Ok(matches!(written, Transacted::Applied))
    }

    /// Clears what throttles an address: the cooldown, and every count of codes and guesses. The
    /// session that is its current one stays that.
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

/// Whether an attribute of an address's state holds the cooldown or a count.
fn throttles(name: &str) -> bool {
    let counts = |attribute: fn(i64) -> String| {
        let period = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        period.parse().is_ok_and(|period| attribute(period) == name)
    };
    name == "lastCodeAt" || counts(codes_in_hour) || counts(codes_in_day) || counts(guesses_in_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cooldown_and_the_counts_throttle_and_nothing_else_does() {
        for (name, throttled) in [
            ("lastCodeAt", true),
            ("codesHour492540", true),
            ("codesDay20522", true),
            ("guessesDay20522", true),
            ("pk", false),
            ("currentSession", false),
            ("expiresAt", false),
            ("codesDay", false),
            ("guessesDay1x", false),
            ("otherDay20522", false),
        ] {
            assert_eq!(throttles(name), throttled, "{name}");
        }
    }
}
