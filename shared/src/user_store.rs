//! Where the users are: in the stack's own table, or behind a Lambda function that somebody else wrote.
//!
//! Only users are asked for here. Sessions, codes, budgets and mail requests are in the table in either case. A
//! user store function is asked after a code was proven, and by the delivery of mail. It is never asked while
//! it is secret whether anybody has an address and a caller waits for the answer.

mod answer;
mod function;
mod invoke;

use regain_password::Address;
use thiserror::Error;

use crate::ids::UserId;
use crate::store::{Store, StoreError};
use crate::users::User;

pub use answer::OwnReason;
pub(crate) use answer::{ProvenAnswer, SetAnswer};
pub use function::UserFunction;
pub(crate) use function::{ForStore, SET};

/// Where the users are.
#[derive(Clone, Debug)]
pub enum UserStore {
    /// In the table.
    Table(Store),
    /// Behind a function.
    Function(UserFunction),
}

/// Who has an address, as far as the first question tells.
#[derive(Debug)]
pub(crate) enum Owner {
    Nobody,
    /// The user of that id, who is still to be read.
    Id(UserId),
    /// That user.
    User(Box<User>),
}

/// Why a question about users was not answered.
#[derive(Debug, Error)]
pub enum UserStoreError {
    /// The table could not be asked.
    #[error(transparent)]
    Table(#[from] StoreError),
    /// The function may have been invoked, and its answer was lost.
    #[error("the answer of the user store function was lost: {0}")]
    Lost(&'static str),
    /// The function was not invoked.
    #[error("the user store function was not invoked: {0}")]
    NotInvoked(String),
    /// The function failed.
    #[error("the user store function failed")]
    Failed,
    /// The function's answer is not of the form that it has to have. Names the field, and nothing of the answer.
    #[error("the answer of the user store function is malformed: {0}")]
    Malformed(&'static str),
}

impl UserStore {
    /// Who has an address: one read of the table, or one question to the function.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn owner(&self, address: &Address) -> Result<Owner, UserStoreError> {
        Ok(match self {
            Self::Table(store) => match store.user_id_of(address).await? {
                None => Owner::Nobody,
                Some(id) => Owner::Id(id),
            },
            Self::Function(function) => match function.find_by_address(address).await? {
                None => Owner::Nobody,
                Some(user) => Owner::User(user.into()),
            },
        })
    }

    /// The user whom an address leads to. The table is read once more for it.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn user_of(&self, owner: Owner) -> Result<Option<User>, UserStoreError> {
        match owner {
            Owner::Nobody => Ok(None),
            Owner::Id(id) => self.user(&id).await,
            Owner::User(user) => Ok(Some(*user)),
        }
    }

    /// The user of an id.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn user(&self, id: &UserId) -> Result<Option<User>, UserStoreError> {
        match self {
            Self::Table(store) => Ok(store.user(id).await?),
            Self::Function(function) => function.find_by_id(id).await,
        }
    }

    /// Whether the users live elsewhere.
    #[must_use]
    pub const fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Function(_))
    }
}
