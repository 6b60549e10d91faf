//! `regain`: the operator's command. It imports, exports, changes, shows and blocks users, shows and clears throttles, prints
//! the digests that the audit trail uses, rotates the code key, makes the mail templates, and checks whether a
//! stack can work.

mod audit;
mod code_key;
mod connection;
mod doctor;
mod edit;
mod export;
mod failure;
mod import;
mod mails;
mod options;
mod recover;
mod say;
mod stack;
mod throttle;
mod users;

use std::process::ExitCode;

use clap::Parser as _;

use self::connection::Connection;
use self::failure::Failure;
use self::options::{
    CodeKeyCommand, Command, MailsCommand, Options, StackCommand, ThrottleCommand, UsersCommand,
};

#[tokio::main]
async fn main() -> ExitCode {
    let Options { connect, command } = Options::parse();
    let command = match command {
        Command::Stack(command) => *command,
        Command::Mails { command } => {
            let done = match command {
                MailsCommand::Build { folder } => mails::build(&folder),
                MailsCommand::Check { folder } => mails::check(&folder),
                MailsCommand::Preview { folder, out } => mails::preview(&folder, &out),
            };
            return done.unwrap_or_else(|failure| {
                say::error(&failure);
                failure.exit_code()
            });
        }
    };
    let connection = Connection::new(&connect).await;
    match run(&connection, connect.local.is_some(), command).await {
        Ok(code) => code,
        Err(failure) => {
            say::error(format!("{failure}{}", connection.hint(&failure)));
            failure.exit_code()
        }
    }
}

async fn run(
    connection: &Connection,
    local: bool,
    command: StackCommand,
) -> Result<ExitCode, Failure> {
    let stack = stack::find(connection, &command.place(), local).await?;
    match command {
        StackCommand::Users { command } if stack.settings.user_store.is_some() => match command {
            UsersCommand::Unsuppress(options) => {
                users::unsuppress_elsewhere(connection, &stack, &options.user).await
            }
            UsersCommand::Recover(options) => recover::run(connection, &stack, &options).await,
            _ => Err(Failure::Usage(
                "the users of this stack live elsewhere (UserStoreFunctionArn), and not in its table: look after \
                 them where they are; only `users unsuppress ADDRESS` and `users recover` work here",
            )),
        },
        StackCommand::Users { command } => match command {
            UsersCommand::Import(options) => import::run(connection, &stack, &options).await,
            UsersCommand::Export(options) => {
                export::users(connection, &stack, options.password_hashes).await
            }
            UsersCommand::List(_) => export::list(connection, &stack).await,
            UsersCommand::Add(options) => edit::add(connection, &stack, &options).await,
            UsersCommand::Update(options) => edit::update(connection, &stack, &options).await,
            UsersCommand::Recover(options) => recover::run(connection, &stack, &options).await,
            UsersCommand::Delete(options) => edit::delete(connection, &stack, &options.user).await,
            UsersCommand::Show(options) => users::show(connection, &stack, &options.user).await,
            UsersCommand::Block(options) => users::block(connection, &stack, &options.user).await,
            UsersCommand::Unblock(options) => {
                users::unblock(connection, &stack, &options.user).await
            }
            UsersCommand::Unsuppress(options) => {
                users::unsuppress(connection, &stack, &options.user).await
            }
        },
        StackCommand::Throttle { command } => match command {
            ThrottleCommand::Show(options) => {
                throttle::show(connection, &stack, &options.address).await
            }
            ThrottleCommand::Clear(options) => {
                throttle::clear(connection, &stack, &options.address).await
            }
        },
        StackCommand::Audit { command } => audit::name(connection, &stack, &command).await,
        StackCommand::CodeKey {
            command: CodeKeyCommand::Rotate(options),
        } => code_key::rotate(connection, &stack, options.dry_run).await,
        StackCommand::Doctor(options) => Ok(doctor::run(connection, &stack, &options).await),
    }
}
