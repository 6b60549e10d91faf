//! `regain users list` and `export`: print all users of the table.

use std::process::ExitCode;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::users::{User, exported};

use crate::connection::Connection;
use crate::failure::{Failure, Trouble};
use crate::say;
use crate::stack::Stack;
use crate::users::trouble;

/// Prints all users as lines that an import reads.
pub(crate) async fn users(
    connection: &Connection,
    stack: &Stack,
    with_password_hashes: bool,
) -> Result<ExitCode, Failure> {
    each(connection, stack, |user| {
        say::line(exported(user, with_password_hashes)?);
        Ok(())
    })
    .await
}

/// Prints the id, the address and the status of all users.
pub(crate) async fn list(connection: &Connection, stack: &Stack) -> Result<ExitCode, Failure> {
    each(connection, stack, |user| {
        let status = user.status.text().unwrap_or("-");
        say::line(format!("{}\t{}\t{status}", user.id.as_str(), user.email));
        Ok(())
    })
    .await
}

/// Calls `print` for every user. Users that cannot be read are pointed out by their keys.
async fn each(
    connection: &Connection,
    stack: &Stack,
    print: impl Fn(&User) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    let mut pages = connection
        .dynamodb()
        .scan()
        .table_name(&stack.table)
        .consistent_read(true)
        .filter_expression("begins_with(pk, :user)")
        .expression_attribute_values(":user", AttributeValue::S("USER#".to_owned()))
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Trouble::of(stack.the_table(), &error))?;
        for item in page.items.into_iter().flatten() {
            let key = item.get("pk").and_then(|key| key.as_s().ok()).cloned();
            match User::read(item) {
                Ok(user) => print(&user)?,
                Err(error) => {
                    let key = key.unwrap_or_default();
                    say::note(format!("{key} is left out: {}", trouble(stack, &error)));
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(code)
}
