//! The command line.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help, which a terminal shows as it is"
)]

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use regain::ids::UserIdFormat;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The operator's command of a Regain stack: imports, shows and blocks users, shows and clears throttles,
/// prints the names that the audit trail has for somebody, rotates the code key, and checks a stack.
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

/// Where the stack is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Connect {
    /// The stack of `cargo run` on this machine. PORT is that of its API, 3000 if left out; the
    /// stand-ins are on the ports after it, unless --endpoint or AWS_ENDPOINT_URL_… say otherwise
    #[arg(long, global = true, value_name = "PORT", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "3000", value_parser = clap::value_parser!(u16).range(1..=65_532))]
    pub(crate) local: Option<u16>,

    /// Another address for one service: dynamodb, ses, secrets or cloudformation. May be repeated;
    /// overrides AWS_ENDPOINT_URL_DYNAMODB and its like
    #[arg(long, global = true, value_name = "SERVICE=URL", value_parser = endpoint)]
    pub(crate) endpoint: Vec<Endpoint>,

    /// The region, if not that of the environment or the profile
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// A profile of ~/.aws/config
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// A service, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) service: Service,
    pub(crate) url: String,
}

/// A service that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Dynamodb,
    Ses,
    Secrets,
    Cloudformation,
}

impl Service {
    /// The variable that the SDKs read an address of it from.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Dynamodb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Ses => "AWS_ENDPOINT_URL_SESV2",
            Self::Secrets => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            Self::Cloudformation => "AWS_ENDPOINT_URL_CLOUDFORMATION",
        }
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let (service, url) = text.split_once('=').ok_or("it has the form SERVICE=URL")?;
    let service = Service::from_str(service, true)
        .map_err(|_| "the service is one of dynamodb, ses, secrets, cloudformation")?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err("the URL begins with http:// or https://".to_owned());
    }
    Ok(Endpoint {
        service,
        url: url.to_owned(),
    })
}

/// Which stack.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The stack's name, which tells the table, the secrets and the settings (it takes the permission
    /// cloudformation:DescribeStacks)
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,

    /// The table, if not the stack's: its output TableName
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,

    #[clap(skip)]
    pub(crate) parts: Parts,
}

/// The other parts of a stack, where they are given one by one.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Parts {
    /// The index key's secret, if not the stack's: its output IndexKeyArn
    #[arg(long, value_name = "ID")]
    pub(crate) index_key_secret: Option<String>,

    /// The code key's secret, if not the stack's: its output CodeKeyArn
    #[arg(long, value_name = "ID")]
    pub(crate) code_key_secret: Option<String>,

    /// The sender, if not the stack's: its parameter MailFrom
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// What the names of the mail templates begin with, if not the stack's name
    #[arg(long, value_name = "PREFIX")]
    pub(crate) template_prefix: Option<String>,

    /// Where the API answers, if not at the stack's output ApiUrl
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Stack(Box<StackCommand>),
    /// Make the stack's mail templates from the files of the mails
    #[command(arg_required_else_help = true)]
    Mails {
        #[command(subcommand)]
        command: MailsCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailsCommand {
    /// Write the files in mails/templates, which template.yaml includes, from the files in mails
    Build {
        /// The folder of the mails
        #[arg(default_value = "mails", value_name = "FOLDER")]
        folder: PathBuf,
    },
}

/// A command for a stack.
#[derive(Debug, Subcommand)]
pub(crate) enum StackCommand {
    /// Bring users in, show them, block them, mail them again
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
    /// Print the name that the audit trail has for a person, a network or a device
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
        let with_index_key = |place: &Place, id: &Option<String>| Place {
            parts: Parts {
                index_key_secret: id.clone(),
                ..Parts::default()
            },
            ..place.clone()
        };
        match self {
            Self::Users { command } => match command {
                UsersCommand::Import(options) => options.place.clone(),
                UsersCommand::Show(options)
                | UsersCommand::Block(options)
                | UsersCommand::Unblock(options)
                | UsersCommand::Unsuppress(options) => options.place.clone(),
            },
            Self::Throttle { command } => match command {
                ThrottleCommand::Show(options) | ThrottleCommand::Clear(options) => {
                    with_index_key(&options.place, &options.index_key_secret)
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

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Bring in a file of users, one JSON object a line
    #[command(after_help = IMPORT)]
    Import(ImportOptions),
    /// Print a user as JSON, without the password's hash
    Show(UserOptions),
    /// Keep a user from setting passwords, from now on
    #[command(after_help = BLOCK)]
    Block(UserOptions),
    /// Give a blocked user the earlier status back
    #[command(after_help = UNBLOCK)]
    Unblock(UserOptions),
    /// Mail a user's address again, which bounced or complained before
    #[command(after_help = UNSUPPRESS)]
    Unsuppress(UserOptions),
}

const IMPORT: &str = "\
A line is one user. Only \"email\" is required. A line matches an existing user by \"id\", or else by \
\"email\"; what the line does not mention stays as it is:

  {\"email\": \"ann@example.com\", \"password\": \"…\", \"locale\": \"en\"}
  {\"email\": \"bob@example.com\", \"passwordHash\": \"$argon2id$v=19$…\"}

The other fields are phone, status, profile, meta, identities, address, roles, isEmailValidate, \
isProfileComplete and isTemporary. \"passwordHash\" is an Argon2id PHC string. Hashes of another kind, \
such as bcrypt or scrypt, cannot be taken over: leave them out, and those people set a new password by \
a recovery.

All lines are checked before the first is written: as JSON, as an item of the table, the address by \
what SES mails to, and a \"password\" by the password policy. If one is bad, all bad ones are listed and \
nothing is brought in. Statuses that may not recover, locales without mails and unknown fields are noted.

An address that changes is unproven again. A password that was changed otherwise than by an import, as \
by a recovery, is kept. Ctrl-C ends the import after the lines under way, and before the first is \
written if they are still being checked. A second Ctrl-C ends it at once. To finish an import that was \
cut short, run it again: \
unchanged users are skipped.

Examples, the first of which writes nothing:
  regain users import people.jsonl --stack my-regain --dry-run
  regain users import people.jsonl --stack my-regain
  regain users import people.jsonl --table my-table --id-format uuid
  regain users import people.jsonl --local";

const BLOCK: &str = "\
A recovery that is under way fails. Only somebody who has proven the mailbox is told that the user is \
blocked. This command does not end sessions of other services.";

const UNBLOCK: &str = "\
The user gets back the status that `users block` replaced. A user who was blocked by other means gets \
the first of the stack's RecoverableStatuses.";

const UNSUPPRESS: &str = "\
An address whose server refused a mail for good gets no mail for 24 hours. If it happens again, it gets \
none for 7 days, then for 30 days, then for good. An address whose owner reported a mail as spam gets no \
codes. `users show` prints this as mailSuppressed. Lift it when the mailbox works again, or when the owner \
asks for it. The next bounce then counts as the first.

SES has a suppression list of its own for the whole account. The command removes the address from that \
list, too, which needs the permission ses:DeleteSuppressedDestination.";

const DOCTOR: &str = "\
✓ is as it should be. ✗ is not, and the line below says what to do. – could not be checked. The exit \
code is 1 if there is a ✗. No user and no setting is changed, and no secret is printed.

Each endpoint is called once, for two addresses under .invalid, which nobody can have. No mail goes out, \
and what is left in the table expires within two days. The calls count in the metrics and against \
IP_REQUESTS_PER_HOUR. mail-events and audit-trail are not called: only AWS calls them.

Counting the users who cannot recover reads the first 10 MB of the table, sessions and mail requests \
included, for about 1,300 read units. --all-users reads all of it, for about 130 read units a MB. Both take \
the permission dynamodb:Scan.

Examples:
  regain doctor --stack my-regain
  regain doctor --local
  regain doctor --table my-table --mail-from no-reply@example.com \\
      --template-prefix my-regain \\
      --index-key-secret IndexKey-x1 --code-key-secret CodeKey-x2";

/// `users import`.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// The file; - reads standard input
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) place: Place,

    /// Say what it would do, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Bring in the other lines when some are bad
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Replace passwords, too, that were changed otherwise than by an import, as by a recovery
    #[arg(long)]
    pub(crate) overwrite_passwords: bool,

    /// Form of the ids: that of the stack's UserIdFormat, else objectid
    #[arg(long, value_name = "FORM")]
    pub(crate) id_format: Option<IdFormat>,

    /// Memory of a password hash in KiB: the stack's Argon2MemoryKib, else 19456, which is the least
    #[arg(long, value_name = "KIB")]
    pub(crate) argon2_memory_kib: Option<u32>,

    /// Passes of a password hash: the stack's Argon2Iterations, else 2, which is the least
    #[arg(long, value_name = "PASSES")]
    pub(crate) argon2_iterations: Option<u32>,

    /// Lanes of a password hash: the stack's Argon2Parallelism, else 1
    #[arg(long, value_name = "LANES")]
    pub(crate) argon2_parallelism: Option<u32>,
}

/// [`UserIdFormat`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum IdFormat {
    /// 24 lower-case hexadecimal digits
    Objectid,
    /// Lower case, with hyphens
    Uuid,
}

impl From<IdFormat> for UserIdFormat {
    fn from(format: IdFormat) -> Self {
        match format {
            IdFormat::Objectid => Self::ObjectId,
            IdFormat::Uuid => Self::Uuid,
        }
    }
}

/// The other commands for users.
#[derive(Debug, Args)]
pub(crate) struct UserOptions {
    /// The user's e-mail address or id
    #[arg(value_name = "ADDRESS or ID")]
    pub(crate) user: String,

    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ThrottleCommand {
    /// Show the cooldown, the codes of this hour and day, and the wrong guesses of today
    #[command(after_help = THROTTLE_SHOW)]
    Show(ThrottleOptions),
    /// Clear them all, so that the person can go on at once
    #[command(after_help = THROTTLE_CLEAR)]
    Clear(ThrottleOptions),
}

const THROTTLE_SHOW: &str = "\
Throttles are kept by address, whether or not a user has it. The limit of requests from one network \
address is not shown: it ends with the hour.";

const THROTTLE_CLEAR: &str = "\
Recovery sessions stay as they are: a session whose own guesses are spent stays spent, and the person \
asks for a new code. The limit of requests from one network address is not cleared: it ends with the \
hour.";

/// The commands for throttles.
#[derive(Debug, Args)]
pub(crate) struct ThrottleOptions {
    /// The e-mail address, as the person types it
    pub(crate) address: String,

    #[command(flatten)]
    pub(crate) place: Place,

    /// The index key's secret, if not the stack's: its output IndexKeyArn
    #[arg(long, value_name = "ID")]
    pub(crate) index_key_secret: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// The subject that an address is, whether or not a user has it
    Subject {
        /// The e-mail address
        address: String,
        /// The stack's name
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
    },
    /// The caller that a network address is
    Caller {
        /// The IPv4 or IPv6 address
        network: IpAddr,
        /// The stack's name
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
    },
    /// The device that a text is, as a client sends it
    Device {
        /// The text, to the letter, as far as it is kept: the first 256 bytes of an X-Agent
        device: String,
        /// The stack's name
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
    },
}

const AUDIT: &str = "\
The audit trail names people, networks and devices by keyed digests, which only the index key can \
make. Look for what is printed here in the stack's log group AuditLogGroup, or with `cargo run` in the \
file that its start names. docs/audit.md has the queries.

Examples:
  regain audit subject ann@example.com --stack my-regain
  regain audit caller 192.0.2.7 --stack my-regain
  regain audit subject demo@example.com --local";

#[derive(Debug, Subcommand)]
pub(crate) enum CodeKeyCommand {
    /// Put a new code key in force, if the one before it is no longer needed
    #[command(after_help = CODE_KEY_ROTATE)]
    Rotate(CodeKeyOptions),
}

const CODE_KEY_ROTATE: &str = "\
Codes that were mailed before stay good, and nobody's budget or throttle changes. The new key is put \
into the stack's secret CodeKey and never printed. Mail is written with it ten minutes later, when \
every running function knows it.

Verification knows the key and the one before it, but no third. So a rotation is refused while a \
session may live that began under the key before: SessionTtlSeconds and ten minutes after the last \
rotation. For the stack of `cargo run`, whose settings are not known here, a session is taken to live \
for a day.

The index key must never change, because throttles and made-up user ids depend on it. This command \
rotates the code key only.

It needs the permissions secretsmanager:ListSecretVersionIds and secretsmanager:PutSecretValue.

Examples, the first of which changes nothing:
  regain code-key rotate --stack my-regain --dry-run
  regain code-key rotate --stack my-regain
  regain code-key rotate --local";

/// `code-key rotate`.
#[derive(Debug, Args)]
pub(crate) struct CodeKeyOptions {
    /// The stack's name, which tells the secret and how long a session lives (it takes the permission
    /// cloudformation:DescribeStacks)
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,

    /// Say whether it may be done now, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) parts: Parts,

    /// Count the users who cannot recover in the whole table, and not only in its first 10 MB
    #[arg(long)]
    pub(crate) all_users: bool,
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
                let goes_on = !line.is_empty()
                    && !next.is_empty()
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
