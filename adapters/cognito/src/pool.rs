//! The calls to Cognito.

use std::error::Error;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::Config;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::types::AttributeType;
use thiserror::Error;

use crate::profile::Profile;

/// How many pages of users are read for one address. If more users than that have it, nobody is found.
const MOST_PAGES: usize = 5;

/// A call to Cognito that failed, after the SDK's own retries.
///
/// Its message is Cognito's code alone: Cognito's own text may quote what was sent.
#[derive(Debug, Error)]
#[error("{call} failed: {code}")]
pub(crate) struct PoolError {
    call: &'static str,
    code: String,
    refused: bool,
}

impl PoolError {
    fn new<E, R>(call: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let code = match error {
            SdkError::ServiceError(refused) => refused.err().code().unwrap_or("no code"),
            SdkError::TimeoutError(_) => "timeout",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ResponseError(_) => "no answer that can be read",
            _ => "not sent",
        };
        Self {
            call,
            code: code.to_owned(),
            refused: matches!(
                error,
                SdkError::ServiceError(_) | SdkError::ConstructionFailure(_)
            ),
        }
    }

    /// Whether Cognito answered, so that nothing was changed.
    pub(crate) fn is_refusal(&self) -> bool {
        self.refused
    }
}

impl From<BuildError> for PoolError {
    fn from(_: BuildError) -> Self {
        Self {
            call: "request",
            code: "not built".to_owned(),
            refused: true,
        }
    }
}

/// Cognito's answer to a password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is set.
    Set,
    /// It does not conform to the pool's policy.
    NotConforming,
    /// It is one of the last that the user had.
    Reused,
    /// There is no such user any more.
    NoUser,
}

/// A user pool.
#[derive(Debug)]
pub(crate) struct Pool {
    client: Client,
    id: String,
}

impl Pool {
    pub(crate) fn new(config: &aws_types::SdkConfig, id: String) -> Self {
        Self {
            client: Client::new(config),
            id,
        }
    }

    /// All users whose `email` is this text.
    pub(crate) async fn with_email(&self, address: &str) -> Result<Vec<Profile>, PoolError> {
        self.list(&filter("email", address)).await
    }

    /// The user with this `sub`.
    pub(crate) async fn with_id(&self, id: &str) -> Result<Option<Profile>, PoolError> {
        Ok(self.list(&filter("sub", id)).await?.pop())
    }

    async fn list(&self, filter: &str) -> Result<Vec<Profile>, PoolError> {
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request = self.client.list_users().user_pool_id(&self.id);
            let request = request.filter(filter);
            let page = request.set_pagination_token(next).send().await;
            let page = page.map_err(|error| PoolError::new("ListUsers", &error))?;
            next = page.pagination_token;
            found.extend(
                page.users
                    .unwrap_or_default()
                    .into_iter()
                    .map(Profile::from),
            );
            if next.is_none() {
                return Ok(found);
            }
        }
        Ok(found)
    }

    /// The user of that name, alias or `sub`.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Profile>, PoolError> {
        let request = self.client.admin_get_user().user_pool_id(&self.id);
        match request.username(name).send().await {
            Ok(user) => Ok(Some(Profile::from(user))),
            Err(SdkError::ServiceError(refused)) if refused.err().is_user_not_found_exception() => {
                Ok(None)
            }
            Err(error) => Err(PoolError::new("AdminGetUser", &error)),
        }
    }

    /// Notes the address as verified.
    pub(crate) async fn verify_email(&self, profile: &Profile) -> Result<(), PoolError> {
        let verified = AttributeType::builder()
            .name("email_verified")
            .value("true");
        let request = self.client.admin_update_user_attributes();
        let request = request.user_pool_id(&self.id).username(&profile.username);
        let updated = request.user_attributes(verified.build()?).send().await;
        let failed = |error| PoolError::new("AdminUpdateUserAttributes", &error);
        updated.map(drop).map_err(failed)
    }

    /// Sets a password for good.
    pub(crate) async fn set_password(
        &self,
        profile: &Profile,
        password: &str,
    ) -> Result<Verdict, PoolError> {
        let request = self.client.admin_set_user_password();
        let request = request.user_pool_id(&self.id).username(&profile.username);
        let request = request.password(password).permanent(true).customize();
        // Not twice: a pool that remembers passwords would call the one that was just set reused.
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let set = request.config_override(once).send().await;
        let Err(error) = set else {
            return Ok(Verdict::Set);
        };
        if let SdkError::ServiceError(refused) = &error {
            let refused = refused.err();
            if refused.is_password_history_policy_violation_exception() {
                return Ok(Verdict::Reused);
            }
            if refused.is_invalid_password_exception() {
                return Ok(Verdict::NotConforming);
            }
            if refused.is_user_not_found_exception() {
                return Ok(Verdict::NoUser);
            }
        }
        Err(PoolError::new("AdminSetUserPassword", &error))
    }

    /// Ends all of the user's sessions.
    pub(crate) async fn sign_out(&self, profile: &Profile) -> Result<(), PoolError> {
        let request = self.client.admin_user_global_sign_out();
        let request = request.user_pool_id(&self.id).username(&profile.username);
        let failed = |error| PoolError::new("AdminUserGlobalSignOut", &error);
        request.send().await.map(drop).map_err(failed)
    }
}

/// A filter for users by one attribute. A quotation mark in the value would end it.
fn filter(attribute: &str, value: &str) -> String {
    let quoted = value.replace('\\', r"\\").replace('"', "\\\"");
    format!("{attribute} = \"{quoted}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_leave_its_quotation_marks() {
        for (address, expected) in [
            ("ana@example.com", r#"email = "ana@example.com""#),
            (r#""a"@example.com"#, r#"email = "\"a\"@example.com""#),
            (r"a\@example.com", r#"email = "a\\@example.com""#),
            (r#"a\"@example.com"#, r#"email = "a\\\"@example.com""#),
        ] {
            assert_eq!(filter("email", address), expected);
        }
    }
}
