//! Recoveries of users who live elsewhere.

mod answers;
mod changes;
mod claims;
mod events;
mod faults;
mod mail;
mod questions;
mod records;
mod table;

use regain::api::Protocol;
use regain::link::LinkToken;
use regain::recovery::{CallContext, PasswordToken, RecoveryError, Started};
use regain::users::User;

use crate::kit::{
    ANN, ElsewhereUser, Kit, NOON, Outcome, PASSWORD, StoreFault, Verified, in_directory, later,
    new_password, outcome_of, typed,
};

const BOTH: [Protocol; 2] = [Protocol::AuthV1, Protocol::Directory];

/// With Ann elsewhere, and nobody in the table.
async fn with_ann() -> Kit {
    let kit = Kit::elsewhere(&[]).await;
    kit.users.put(ElsewhereUser::of(ANN));
    kit
}

/// How a password is set, once a code was mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Token,
    Session,
    Code,
    Link,
}

const WAYS: [Way; 4] = [Way::Token, Way::Session, Way::Code, Way::Link];

impl Way {
    fn protocol(self) -> Protocol {
        match self {
            Self::Token => Protocol::AuthV1,
            Self::Session | Self::Code | Self::Link => Protocol::Directory,
        }
    }
}

/// A recovery of Ann that has come as far as the setting of the password.
struct Ready {
    way: Way,
    started: Started,
    code: String,
    link: LinkToken,
    proof: Option<Verified>,
}

impl Ready {
    async fn new(kit: &Kit, way: Way) -> Self {
        let started = kit.start(way.protocol(), ANN, NOON).await;
        let link = kit.link(NOON).await;
        Self::of(kit, way, started, link).await
    }

    /// With a session that has begun, and the link of its mail.
    async fn of(kit: &Kit, way: Way, started: Started, link: LinkToken) -> Self {
        let code = kit.derived(&started.session).await;
        let proof = match way {
            Way::Token | Way::Session => Some(kit.verify(&started, &code, NOON).await.unwrap()),
            Way::Code | Way::Link => None,
        };
        kit.users.reset();
        kit.log.reset();
        Self {
            way,
            started,
            code,
            link,
            proof,
        }
    }

    async fn set(&self, kit: &Kit, password: &str, seconds: u64) -> Result<User, RecoveryError> {
        self.set_in(kit, kit.call(later(seconds)), password).await
    }

    /// Sets the password in that call.
    async fn set_in(
        &self,
        kit: &Kit,
        mut call: CallContext,
        password: &str,
    ) -> Result<User, RecoveryError> {
        let (recovery, lookup) = (&kit.recovery, in_directory(&self.started));
        let new = new_password(password);
        let token = match (self.way, &self.proof) {
            (Way::Code, _) => {
                let guess = typed(&self.code);
                let set = recovery.set_password_with_code(&mut call, &lookup, &guess, new);
                return set.await;
            }
            (Way::Session, _) => return recovery.set_password(&mut call, &lookup, new).await,
            (_, Some(Verified::Token(token))) => PasswordToken::Reset(token.clone()),
            (_, _) => PasswordToken::Link(self.link.clone()),
        };
        recovery
            .set_password_by_token(&mut call, Some(token), new)
            .await
    }

    async fn outcome(&self, kit: &Kit, seconds: u64) -> Outcome {
        outcome_of(&self.set(kit, PASSWORD, seconds).await)
    }
}

/// The notices that are asked for and not mailed yet.
async fn notices(kit: &Kit) -> usize {
    let mails = kit.keys("MAIL#").await;
    mails.iter().filter(|key| key.ends_with("#changed")).count()
}

/// Faults before the user store has done anything.
const BEFORE: [StoreFault; 9] = [
    StoreFault::FunctionError,
    StoreFault::Status(403),
    StoreFault::Status(404),
    StoreFault::Status(429),
    StoreFault::Status(500),
    StoreFault::LostBefore,
    StoreFault::Nonsense(""),
    StoreFault::Nonsense(r#"{"user": {"id": "7"}, "outcome": "perhaps"}"#),
    StoreFault::Nonsense(r#"["done"]"#),
];
