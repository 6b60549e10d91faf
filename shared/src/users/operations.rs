//! What the account's own services ask the function `users`: create, change, delete and find a user.
//!
//! A request is one JSON object, and so is the answer. `docs/integrate.md` documents both. A mistake of the caller gets
//! an answer, too: the function fails only if the table does.

use rand::rngs::StdRng;
use regain_password::{Address, InvalidCost};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use thiserror::Error;

use super::edit::{Edit, EditError, Edited};
use super::{Change, ImportRules, ShownUser, Status, User};
use crate::hashing::HashingError;
use crate::ids::{UserId, UserIdFormat};
use crate::payload::Unreadable;
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// The version of requests and answers.
const VERSION: u64 = 1;

/// A request. It may hold a password, so it is never printed.
#[derive(Deserialize)]
pub struct Request {
    version: u64,
    operation: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    user: Option<Box<RawValue>>,
    #[serde(default)]
    status: Option<String>,
}

/// An answer, as JSON.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Answer(Value);

impl Answer {
    /// The answer to a request that cannot be read.
    #[must_use]
    pub fn unreadable(why: &Unreadable) -> Self {
        Self::refusal("request_invalid", &why.to_string())
    }

    fn refusal(error: &'static str, message: &str) -> Self {
        Self(json!({ "error": error, "message": message }))
    }
}

/// Why a request has no answer. It may have been carried out, and can be repeated.
#[derive(Debug, Error)]
pub enum OperationError {
    /// The table could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashingError),
    /// The cost of a hash is out of range.
    #[error(transparent)]
    Cost(#[from] InvalidCost),
    /// The answer cannot be JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Why a request ended without its result.
enum Ended {
    Refused(&'static str, String),
    Failed(OperationError),
}

impl<E: Into<OperationError>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Ended {
    fn invalid(why: &str) -> Self {
        Self::Refused("request_invalid", why.to_owned())
    }

    fn of(error: EditError) -> Self {
        let slug = match error {
            EditError::Store(error) => return error.into(),
            EditError::Hash(error) => return error.into(),
            EditError::Bad(_) => "user_invalid",
            EditError::Taken => "address_taken",
            EditError::Exists => "user_exists",
            EditError::Nobody => "user_not_found",
            EditError::Changed => "user_changed",
        };
        Self::Refused(slug, error.to_string())
    }
}

/// A user as answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnsweredUser<'a> {
    #[serde(flatten)]
    user: ShownUser<'a>,
    credentials_version: String,
}

/// Answers requests about the users of a table.
pub struct UserOperations {
    store: Store,
    rules: ImportRules,
    users_live_elsewhere: bool,
}

impl UserOperations {
    /// Operations on the users of a store, by the rules of an import.
    #[must_use]
    pub fn new(store: Store, rules: ImportRules) -> Self {
        Self {
            store,
            rules,
            users_live_elsewhere: false,
        }
    }

    /// Refuses every operation: nobody would ask the table for what it changed.
    #[must_use]
    pub fn with_users_elsewhere(self) -> Self {
        Self {
            users_live_elsewhere: true,
            ..self
        }
    }

    /// Answers a request. Every request can be repeated, and changes nothing the second time.
    ///
    /// # Errors
    /// When the table fails. What was asked for may have been done.
    pub async fn answer(
        &self,
        request: &Request,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<Answer, OperationError> {
        let answered = match request.version {
            VERSION if self.users_live_elsewhere => Err(Ended::Refused(
                "users_elsewhere",
                "users live elsewhere (UserStoreFunctionArn): create, change, delete and find them there"
                    .to_owned(),
            )),
            VERSION => self.carry_out(request, at, rng).await,
            _ => Err(Ended::invalid("\"version\" must be 1")),
        };
        match answered {
            Ok(answer) => Ok(Answer(answer)),
            Err(Ended::Refused(error, message)) => Ok(Answer::refusal(error, &message)),
            Err(Ended::Failed(error)) => Err(error),
        }
    }

    async fn carry_out(
        &self,
        request: &Request,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<Value, Ended> {
        let given = || {
            let user = request.user.as_deref().map(RawValue::get);
            user.ok_or_else(|| Ended::invalid("\"user\" is missing"))
        };
        match request.operation.as_str() {
            "find" => {
                let user = self.find(request).await?;
                let shown = user.map(|user| self.shown(&user)).transpose()?;
                Ok(json!({ "user": shown }))
            }
            "create" => {
                let edited = self.edit(at)?.create(given()?, rng).await;
                self.edited(edited).await
            }
            "update" => {
                let (given, user) = (given()?, self.existing(request).await?);
                let edited = self.edit(at)?.update(&user.id, given, rng).await;
                self.edited(edited).await
            }
            "set-status" => {
                let status = request.status.as_deref();
                let status = status.ok_or_else(|| Ended::invalid("\"status\" is missing"))?;
                let user = self.existing(request).await?;
                let edited = self.set_status(&user, status, at, rng).await;
                self.edited(edited).await
            }
            "delete" => {
                let deleted = match self.find(request).await? {
                    Some(user) => Edit::delete(&self.store, &user.id).await,
                    None => Ok(false),
                };
                let deleted = deleted.map_err(Ended::of)?;
                let outcome = if deleted { "deleted" } else { "unchanged" };
                Ok(json!({ "outcome": outcome }))
            }
            _ => Err(Ended::invalid(
                "\"operation\" must be create, update, set-status, delete or find",
            )),
        }
    }

    fn edit(&self, at: Timestamp) -> Result<Edit, InvalidCost> {
        Edit::new(&self.store, self.rules.clone(), at)
    }

    /// Blocking keeps the status before it, as `regain users block` does.
    async fn set_status(
        &self,
        user: &User,
        status: &str,
        at: Timestamp,
        rng: &mut StdRng,
    ) -> Result<Edited, EditError> {
        let is_block = Status::from(status).is_blocked();
        if is_block && user.status.is_blocked() {
            let (id, change) = (user.id.clone(), Change::Unchanged);
            return Ok(Edited { id, change });
        }
        if is_block {
            if !self.store.block(user).await? {
                return Err(EditError::Changed);
            }
            let (id, change) = (user.id.clone(), Change::Updated);
            return Ok(Edited { id, change });
        }
        let edit = self
            .edit(at)
            .map_err(|error| EditError::Bad(error.to_string()))?;
        let changes = json!({ "status": status }).to_string();
        edit.update(&user.id, &changes, rng).await
    }

    /// The user whom a request names by id or by address.
    async fn find(&self, request: &Request) -> Result<Option<User>, Ended> {
        match (&request.id, &request.address) {
            (Some(id), None) => {
                let formats = [UserIdFormat::ObjectId, UserIdFormat::Uuid];
                let mut ids = formats
                    .into_iter()
                    .filter_map(|form| UserId::parse(id, form));
                let id = ids.next();
                let id = id.ok_or_else(|| Ended::invalid("\"id\" is not a user's id"))?;
                Ok(self.store.user(&id).await?)
            }
            (None, Some(address)) => {
                let address = Address::parse(address);
                let address =
                    address.map_err(|_| Ended::invalid("\"address\" is not an e-mail address"))?;
                Ok(self.store.user_of(&address).await?)
            }
            (None, None) => Err(Ended::invalid("\"id\" or \"address\" is missing")),
            (Some(_), Some(_)) => Err(Ended::invalid("\"id\" and \"address\" are both given")),
        }
    }

    async fn existing(&self, request: &Request) -> Result<User, Ended> {
        let user = self.find(request).await?;
        user.ok_or_else(|| Ended::of(EditError::Nobody))
    }

    /// The answer to a request that leaves a user.
    async fn edited(&self, edited: Result<Edited, EditError>) -> Result<Value, Ended> {
        let Edited { id, change } = edited.map_err(Ended::of)?;
        let outcome = match change {
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        };
        let user = self.store.user(&id).await?;
        let user = user.ok_or_else(|| Ended::of(EditError::Changed))?;
        Ok(json!({ "outcome": outcome, "user": self.shown(&user)? }))
    }

    fn shown(&self, user: &User) -> Result<Value, OperationError> {
        Ok(serde_json::to_value(AnsweredUser {
            user: ShownUser::of(user, &self.rules.statuses),
            credentials_version: user.credentials_version.to_string(),
        })?)
    }
}
