//! `regain users show`, `block`, `unblock` and `unsuppress`.

use std::process::ExitCode;

use regain::ambient;
use regain::ids::{UserId, UserIdFormat};
use regain::mail::recipient;
use regain::store::{Mailbox, Stopped, Store, StoreError, Suppressed};
use regain::timestamp::Timestamp;
use regain::users::{CredentialsVersion, ShownUser, Status, User};
use regain_password::Address;
use serde::Serialize;

use crate::connection::Connection;
use crate::failure::{Cause, Failure, Trouble};
use crate::say;
use crate::stack::Stack;
use crate::throttle;

/// A user as printed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrintedUser<'a> {
    #[serde(flatten)]
    user: ShownUser<'a>,
    credentials_version: &'a CredentialsVersion,
    mail_suppressed: Option<ShownSuppression>,
}

/// How the user's address is suppressed.
#[derive(Serialize)]
struct ShownSuppression {
    /// The mails that it stops now.
    stops: &'static str,
    since: String,
    because: &'static str,
    count: u32,
    /// When it ends; `null` if it never does.
    until: Option<String>,
}

impl ShownSuppression {
    fn of(suppressed: Suppressed, at: Timestamp) -> Self {
        Self {
            stops: match suppressed.stopped(at) {
                Stopped::All => "all",
                Stopped::Codes => "codes",
                Stopped::None => "none",
            },
            since: suppressed.at.rfc3339(),
            because: suppressed.why.name(),
            count: suppressed.count,
            until: suppressed.until.map(Timestamp::rfc3339),
        }
    }
}

/// Prints a user.
pub(crate) async fn show(
    connection: &Connection,
    stack: &Stack,
    named: &str,
) -> Result<ExitCode, Failure> {
    let store = connection.store(&stack.table);
    let user = find(&store, stack, named).await?;
    let suppressed = match Address::parse(&user.email) {
        Ok(address) => store.suppressed(&address).await,
        // Text that is no address gets no mail that could be suppressed.
        Err(_) => Ok(None),
    };
    let suppressed = suppressed.map_err(|error| trouble(stack, &error))?;
    let printed = PrintedUser {
        user: ShownUser::of(&user, &stack.settings.recoverable_statuses),
        credentials_version: &user.credentials_version,
        mail_suppressed: suppressed.map(|it| ShownSuppression::of(it, ambient::now())),
    };
    say::line(serde_json::to_string_pretty(&printed)?);
    Ok(ExitCode::SUCCESS)
}

/// Blocks a user.
pub(crate) async fn block(
    connection: &Connection,
    stack: &Stack,
    named: &str,
) -> Result<ExitCode, Failure> {
    let store = connection.store(&stack.table);
    let user = find(&store, stack, named).await?;
    let who = who(&user);
    let before = user.status.described();
    let still = if stack.settings.recoverable_statuses.include_blocked() {
        ", but may recover, because RecoverableStatuses has \"blocked\""
    } else {
        ""
    };
    if user.status.is_blocked() {
        say::line(format!("{who} is blocked already and has {before}{still}"));
        return Ok(ExitCode::SUCCESS);
    }
    let written = store.block(&user).await;
    if !written.map_err(|error| trouble(stack, &error))? {
        return Err(Failure::Changed);
    }
    say::line(format!("{who} is blocked now and had {before}{still}"));
    Ok(ExitCode::SUCCESS)
}

/// Restores the status that a blocked user had before.
pub(crate) async fn unblock(
    connection: &Connection,
    stack: &Stack,
    named: &str,
) -> Result<ExitCode, Failure> {
    let store = connection.store(&stack.table);
    let user = find(&store, stack, named).await?;
    let who = who(&user);
    let recoverable = &stack.settings.recoverable_statuses;
    if !user.status.is_blocked() {
        let now = user.status.described();
        say::line(format!("{who} is not blocked and has {now}"));
        return Ok(ExitCode::SUCCESS);
    }
    let written = store.unblock(&user, recoverable.first()).await;
    if !written.map_err(|error| trouble(stack, &error))? {
        return Err(Failure::Changed);
    }
    let after = user
        .status_before_block
        .unwrap_or_else(|| Status::from(recoverable.first()));
    let still = if recoverable.include(&after) {
        ""
    } else {
        ", which may not recover"
    };
    let after = after.described();
    say::line(format!("{who} is no longer blocked and has {after}{still}"));
    Ok(ExitCode::SUCCESS)
}

/// Lifts the suppression of a user's address, in the table and on SES's list for the account.
pub(crate) async fn unsuppress(
    connection: &Connection,
    stack: &Stack,
    named: &str,
) -> Result<ExitCode, Failure> {
    let store = connection.store(&stack.table);
    let user = find(&store, stack, named).await?;
    let address = parse_address(&user.email)?;
    let cleared = store.clear_suppression(&address).await;
    say_cleared(
        &who(&user),
        cleared.map_err(|error| trouble(stack, &error))?,
    );
    remove_from_list(connection, &recipient(&user.email, &address)).await
}

/// Lifts the suppression of an address whose user lives elsewhere.
pub(crate) async fn unsuppress_elsewhere(
    connection: &Connection,
    stack: &Stack,
    given: &str,
) -> Result<ExitCode, Failure> {
    let address = parse_address(given)?;
    let key = throttle::key(connection, stack, given).await?;
    let store = connection.store(&stack.table);
    let cleared = store.clear_suppression(Mailbox::Elsewhere(&key)).await;
    say_cleared(given, cleared.map_err(|error| trouble(stack, &error))?);
    remove_from_list(connection, &recipient(given, &address)).await
}

/// Prints whether a suppression was lifted.
fn say_cleared(who: &str, cleared: bool) {
    say::line(if cleared {
        format!("{who} is mailed again")
    } else {
        format!("{who} is not suppressed")
    });
}

/// Removes an address from SES's list for the account.
async fn remove_from_list(connection: &Connection, address: &str) -> Result<ExitCode, Failure> {
    let removed = connection
        .ses()
        .delete_suppressed_destination()
        .email_address(address)
        .send()
        .await;
    match removed {
        Ok(_) => say::line("the address was on SES's own suppression list, and is off it now"),
        Err(error) => {
            let trouble = Trouble::of("SES's own suppression list", &error);
            if trouble.cause != Cause::Absent {
                return Err(trouble.into());
            }
            say::line("the address is not on SES's own suppression list");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A user's name in output: the address and the id.
fn who(user: &User) -> String {
    format!("{} ({})", user.email, user.id.as_str())
}

/// Finds a user by address or id.
pub(crate) async fn find(store: &Store, stack: &Stack, named: &str) -> Result<User, Failure> {
    let (kind, found) = if named.contains('@') {
        ("address", store.user_of(&parse_address(named)?).await)
    } else {
        let formats = [UserIdFormat::ObjectId, UserIdFormat::Uuid];
        let id = formats
            .into_iter()
            .find_map(|format| UserId::parse(named, format));
        let id = id.ok_or_else(|| Failure::Argument {
            given: named.to_owned(),
            problem: "neither an e-mail address nor a user's id",
        })?;
        ("id", store.user(&id).await)
    };
    let user = found.map_err(|error| trouble(stack, &error))?;
    user.ok_or_else(|| Failure::Nobody {
        kind,
        given: named.to_owned(),
    })
}

/// The canonical form of an address on the command line.
pub(crate) fn parse_address(given: &str) -> Result<Address, Failure> {
    Address::parse(given).map_err(|_| Failure::Argument {
        given: given.to_owned(),
        problem: "not an e-mail address",
    })
}

/// Turns an error of the table into a sentence.
pub(crate) fn trouble(stack: &Stack, error: &StoreError) -> Trouble {
    Trouble::because(stack.the_table(), error)
}
