//! `regain users add`, `update` and `delete`.

use std::path::Path;
use std::process::ExitCode;

use regain::ambient;
use regain::users::{Change, Edit, EditError, User};
use zeroize::Zeroizing;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::import;
use crate::options::{AddOptions, Rules, UpdateOptions};
use crate::say;
use crate::stack::Stack;
use crate::users::{find, trouble};

/// Creates a user.
pub(crate) async fn add(
    connection: &Connection,
    stack: &Stack,
    options: &AddOptions,
) -> Result<ExitCode, Failure> {
    let json = json(&options.json)?;
    let edit = edit(connection, stack, &options.rules)?;
    let mut rng = ambient::rng().map_err(|_| Failure::NoRandomness)?;
    let edited = edit.create(&json, &mut rng).await;
    let edited = edited.map_err(|error| failure(stack, error))?;
    let store = connection.store(&stack.table);
    let who = who(&find(&store, stack, edited.id.as_str()).await?);
    say::line(match edited.change {
        Change::Created | Change::Updated => format!("{who} is added"),
        Change::Unchanged => format!("{who} is there already, as given"),
    });
    Ok(ExitCode::SUCCESS)
}

/// Changes what is given of a user.
pub(crate) async fn update(
    connection: &Connection,
    stack: &Stack,
    options: &UpdateOptions,
) -> Result<ExitCode, Failure> {
    let json = json(&options.json)?;
    let store = connection.store(&stack.table);
    let user = find(&store, stack, &options.user).await?;
    let edit = edit(connection, stack, &options.rules)?;
    let mut rng = ambient::rng().map_err(|_| Failure::NoRandomness)?;
    let edited = edit.update(&user.id, &json, &mut rng).await;
    let edited = edited.map_err(|error| failure(stack, error))?;
    let who = who(&find(&store, stack, edited.id.as_str()).await?);
    say::line(match edited.change {
        Change::Created | Change::Updated => format!("{who} is updated"),
        Change::Unchanged => format!("{who} is so already"),
    });
    Ok(ExitCode::SUCCESS)
}

/// Deletes a user. Succeeds if there is no such user.
pub(crate) async fn delete(
    connection: &Connection,
    stack: &Stack,
    named: &str,
) -> Result<ExitCode, Failure> {
    let store = connection.store(&stack.table);
    let nobody =
        |kind: &str| say::line(format!("nobody has the {kind} {named}: nothing to delete"));
    let user = match find(&store, stack, named).await {
        Ok(user) => user,
        Err(Failure::Nobody { kind, .. }) => {
            nobody(kind);
            return Ok(ExitCode::SUCCESS);
        }
        Err(failure) => return Err(failure),
    };
    let deleted = Edit::delete(&store, &user.id).await;
    if deleted.map_err(|error| failure(stack, error))? {
        say::line(format!("{} is deleted", who(&user)));
    } else {
        nobody("id");
    }
    Ok(ExitCode::SUCCESS)
}

fn edit(connection: &Connection, stack: &Stack, rules: &Rules) -> Result<Edit, Failure> {
    let store = connection.store(&stack.table);
    Ok(Edit::new(
        &store,
        import::rules(stack, rules),
        ambient::now(),
    )?)
}

/// The JSON of an argument, or of standard input. It may hold a password.
fn json(argument: &str) -> Result<Zeroizing<String>, Failure> {
    if argument == "-" {
        return Ok(import::read(Path::new("-"))?.into());
    }
    Ok(argument.to_owned().into())
}

fn who(user: &User) -> String {
    format!("{} ({})", user.email, user.id.as_str())
}

fn failure(stack: &Stack, error: EditError) -> Failure {
    match error {
        EditError::Store(error) => trouble(stack, &error).into(),
        other => Failure::Edit(other),
    }
}
