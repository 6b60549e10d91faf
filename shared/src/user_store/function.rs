//! Asks a user store function: finds users, tells of proven mailboxes, sets passwords.
//!
//! A question that changes something has a key, which is the same for every repetition. If its answer is lost, it
//! is asked once more. The function remembers what it has done, and answers so again.

use std::time::Duration;

use aws_config::SdkConfig;
use regain_password::{Address, Candidate, PasswordHash};
use serde::Serialize;
use zeroize::Zeroizing;

use super::UserStoreError;
use super::answer::{self, Malformed, ProvenAnswer, SetAnswer};
use super::invoke::Invoker;
use crate::aws::operation::Payload;
use crate::ids::UserId;
use crate::keys::UseKey;
use crate::settings::{PasswordForm, UserStoreSettings};
use crate::telemetry;
use crate::users::{CredentialsVersion, User};

/// How long an answer to `find` may take.
pub(crate) const FIND: Duration = Duration::from_secs(3);
/// How long an answer to a question that changes something may take.
pub(crate) const SET: Duration = Duration::from_secs(5);

/// The version of questions and answers.
const VERSION: u8 = 1;

/// A user store function.
#[derive(Clone, Debug)]
pub struct UserFunction {
    find: Invoker,
    set: Invoker,
    password: PasswordForm,
}

/// A question, of which each operation has its own fields.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    version: u8,
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_version: Option<&'a CredentialsVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_proven: Option<bool>,
}

/// A password for a user store function.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ForStore<'a> {
    /// Its hash.
    Hash(&'a PasswordHash),
    /// In clear, because the operator chose so.
    Plain(&'a Candidate),
}

impl UserFunction {
    /// The function that the settings name.
    #[must_use]
    pub fn new(config: &SdkConfig, settings: &UserStoreSettings) -> Self {
        let invoker = |limit| Invoker::new(config, &settings.function, limit);
        Self {
            find: invoker(FIND),
            set: invoker(SET),
            password: settings.password,
        }
    }

    /// The form in which it takes passwords.
    pub(crate) const fn password_form(&self) -> PasswordForm {
        self.password
    }

    /// The user who has an address. One with another address counts as not found.
    ///
    /// # Errors
    /// When there is no answer of the right form.
    pub async fn find_by_address(&self, address: &Address) -> Result<Option<User>, UserStoreError> {
        let question = Question {
            address: Some(address.as_str()),
            ..Question::default()
        };
        let user = self.find(question).await?;
        Ok(user.filter(|user| user.has_address(address)))
    }

    /// The user of an id.
    ///
    /// # Errors
    /// When there is no answer of the right form.
    pub(crate) async fn find_by_id(&self, id: &UserId) -> Result<Option<User>, UserStoreError> {
        let question = Question {
            id: Some(id.as_str()),
            ..Question::default()
        };
        match self.find(question).await? {
            Some(user) if user.id != *id => {
                Err(UserStoreError::Malformed("the user of another id"))
            }
            user => Ok(user),
        }
    }

    async fn find(&self, question: Question<'_>) -> Result<Option<User>, UserStoreError> {
        let answer = self.find.invoke(payload("find", question)?).await?;
        answer::found(&answer).map_err(UserStoreError::Malformed)
    }

    /// Tells that the mailbox of a user is proven.
    ///
    /// # Errors
    /// When there is no answer of the right form.
    pub(crate) async fn email_proven(
        &self,
        user: &User,
        address: &Address,
        key: &UseKey,
    ) -> Result<ProvenAnswer, UserStoreError> {
        let key = key.hex();
        let ask = || {
            let question = Question {
                id: Some(user.id.as_str()),
                address: Some(address.as_str()),
                key: Some(&key),
                ..Question::default()
            };
            payload("email-proven", question)
        };
        self.ask_until_answered(ask, answer::proven).await
    }

    /// Sets the password of a user, if the user still has that version of credentials.
    ///
    /// # Errors
    /// When there is no answer of the right form. [`UserStoreError::Lost`] if the password may be set.
    pub(crate) async fn set_password(
        &self,
        id: &UserId,
        address: &Address,
        version: &CredentialsVersion,
        key: &UseKey,
        password: ForStore<'_>,
    ) -> Result<SetAnswer, UserStoreError> {
        let key = key.hex();
        let ask = || {
            let (hash, plain) = match password {
                ForStore::Hash(hash) => (Some(hash.as_str()), None),
                ForStore::Plain(password) => (None, Some(password.reveal())),
            };
            let question = Question {
                id: Some(id.as_str()),
                address: Some(address.as_str()),
                credentials_version: Some(version),
                key: Some(&key),
                password_hash: hash,
                password: plain,
                email_proven: Some(true),
                ..Question::default()
            };
            payload("set-password", question)
        };
        let read = |answer: &[u8]| answer::set(answer, id, address);
        self.ask_until_answered(ask, read).await
    }

    /// Asks a question that has a key. If its answer is lost, it is asked once more. Whatever fails then, the first
    /// call may have been carried out, so the answer is lost all the same.
    async fn ask_until_answered<A>(
        &self,
        ask: impl Fn() -> Result<Payload, UserStoreError>,
        read: impl Fn(&[u8]) -> Result<A, Malformed>,
    ) -> Result<A, UserStoreError> {
        let once = async || {
            let answer = self.set.invoke(ask()?).await?;
            read(&answer).map_err(UserStoreError::Malformed)
        };
        let lost = match once().await {
            Err(lost @ UserStoreError::Lost(_)) => lost,
            answered => return answered,
        };
        tracing::warn!(error = %telemetry::causes(&lost), "the user store is asked once more");
        once().await.map_err(|error| {
            tracing::warn!(error = %telemetry::causes(&error), "the user store failed once more");
            lost
        })
    }
}

/// More than the longest id, address, version and password take together as JSON.
const LONGEST: usize = 8 * 1024;

/// A question as JSON. The whole capacity is reserved at once: growing would leave copies in memory that are not
/// wiped.
fn payload(operation: &'static str, question: Question<'_>) -> Result<Payload, UserStoreError> {
    let mut json = Zeroizing::new(Vec::with_capacity(LONGEST));
    let question = Question {
        version: VERSION,
        operation,
        ..question
    };
    serde_json::to_writer(&mut *json, &question)
        .map_err(|_| UserStoreError::NotInvoked("the question could not be written".to_owned()))?;
    Ok(Payload(json))
}
