//! The command line.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help, which a terminal shows as it is"
)]

mod audit;
mod code_key;
mod doctor;
mod mails;
mod place;
mod throttle;
mod users;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use audit::AUDIT;
use doctor::DOCTOR;
use place::IndexKey;

pub(crate) use audit::AuditCommand;
pub(crate) use code_key::CodeKeyCommand;
pub(crate) use doctor::DoctorOptions;
pub(crate) use mails::MailsCommand;
pub(crate) use place::{Connect, Endpoint, Parts, Place, Service};
pub(crate) use throttle::ThrottleCommand;
pub(crate) use users::{
    AddOptions, ImportOptions, RecoverOptions, Rules, UpdateOptions, UsersCommand,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The operator's command of a Regain stack: imports, exports, changes, shows and blocks users, shows and clears throttles,
/// prints the digests that the audit trail uses, rotates the code key, and checks a stack.
#[derive(Debug, Parser)]
#[command(name = "regain", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) connect: Connect,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples, for a stack that was deployed under the name my-regain:
  regain doctor --stack my-regain
  regain users import people.jsonl --stack my-regain --dry-run
  regain users import people.jsonl --stack my-regain
  regain users show ann@example.com --stack my-regain
  regain throttle clear ann@example.com --stack my-regain
  regain audit subject ann@example.com --stack my-regain
  regain code-key rotate --stack my-regain

For the stack of `cargo run` on this machine, and for that of `cargo run -- --port 4000`:
  regain users show demo@example.com --local
  regain users show demo@example.com --local=4000

Credentials and region come from where the AWS CLI has them: the environment, or the profile in \
AWS_PROFILE. If you sign in with `aws sso login`, hand them over first:
  eval \"$(aws configure export-credentials --format env)\"

The exit code is 0 when all is well, 1 when something is not, and 2 when the command line is wrong.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Stack(Box<StackCommand>),
    /// Make the stack's mail templates from the files of the mails, check the files, and show the mails
    #[command(arg_required_else_help = true)]
    Mails {
        #[command(subcommand)]
        command: MailsCommand,
    },
}

/// A command for a stack.
#[derive(Debug, Subcommand)]
pub(crate) enum StackCommand {
    /// Import, export, change, show and block users, and lift mail suppressions
    #[command(arg_required_else_help = true)]
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Show or clear what throttles an address
    #[command(arg_required_else_help = true)]
    Throttle {
        #[command(subcommand)]
        command: ThrottleCommand,
    },
    /// Print the digest by which the audit trail names a person, a network or a device
    #[command(arg_required_else_help = true, after_help = AUDIT)]
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Rotate the key that codes are derived from
    #[command(arg_required_else_help = true)]
    CodeKey {
        #[command(subcommand)]
        command: CodeKeyCommand,
    },
    /// Check what a stack needs to work, and say how to repair what is wrong
    #[command(after_help = DOCTOR)]
    Doctor(DoctorOptions),
}

impl StackCommand {
    pub(crate) fn place(&self) -> Place {
        let with_index_key = |place: &Place, index_key: &IndexKey| Place {
            parts: Parts {
                index_key: index_key.clone(),
                ..Parts::default()
            },
            ..place.clone()
        };
        match self {
            Self::Users { command } => match command {
                UsersCommand::Import(options) => options.place.clone(),
                UsersCommand::Export(options) => options.place.clone(),
                UsersCommand::List(place) => place.clone(),
                UsersCommand::Add(options) => options.place.clone(),
                UsersCommand::Update(options) => options.place.clone(),
                UsersCommand::Recover(options) => {
                    with_index_key(&options.place, &options.index_key)
                }
                UsersCommand::Show(options)
                | UsersCommand::Delete(options)
                | UsersCommand::Block(options)
                | UsersCommand::Unblock(options)
                | UsersCommand::Unsuppress(options) => options.place.clone(),
            },
            Self::Throttle { command } => match command {
                ThrottleCommand::Show(options) | ThrottleCommand::Clear(options) => {
                    with_index_key(&options.place, &options.index_key)
                }
            },
            Self::Audit { command } => Place {
                stack: match command {
                    AuditCommand::Subject { stack, .. }
                    | AuditCommand::Caller { stack, .. }
                    | AuditCommand::Device { stack, .. } => stack.clone(),
                },
                ..Place::default()
            },
            Self::CodeKey {
                command: CodeKeyCommand::Rotate(options),
            } => Place {
                stack: options.stack.clone(),
                ..Place::default()
            },
            Self::Doctor(options) => Place {
                parts: options.parts.clone(),
                ..options.place.clone()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Options::command().debug_assert();
    }

    /// The help of a command and of all below it, as a terminal of that width shows it.
    fn help(command: &mut clap::Command, width: usize, into: &mut Vec<String>) {
        let mut shown = command.clone().term_width(width);
        for line in shown.render_long_help().to_string().lines() {
            into.push(line.to_owned());
        }
        into.push(String::new());
        for below in command
            .get_subcommands_mut()
            .filter(|it| it.get_name() != "help")
        {
            help(below, width, into);
        }
    }

    #[test]
    fn help_is_broken_where_the_terminal_ends_and_nowhere_else() {
        for width in [80, 100] {
            let mut lines = Vec::new();
            let mut command = Options::command();
            command.build();
            help(&mut command, width, &mut lines);
            assert!(lines.len() > 200, "{}", lines.len());
            for pair in lines.windows(2) {
                let (line, next) = (&pair[0], &pair[1]);
                let columns = line.chars().count();
                let is_usage = line.starts_with("Usage:");
                assert!(columns <= width || is_usage, "{width}: {line}");
                let indent = |line: &str| line.len() - line.trim_start().len();
                let goes_on = !line.trim().is_empty()
                    && !next.trim().is_empty()
                    && !line.ends_with(['.', ':', ']', '\\'])
                    && indent(line) == indent(next)
                    && indent(line) != 2
                    && !next.trim_start().starts_with("- ");
                let word = next.split_whitespace().next().unwrap_or_default();
                assert!(
                    !goes_on || columns + 1 + word.chars().count() > width,
                    "{width}: broken too early:\n{line}\n{next}"
                );
            }
        }
    }
}
