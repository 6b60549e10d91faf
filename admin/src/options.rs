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

/// Where the stack is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Connect {
    /// The stack of `cargo run` on this machine. PORT is the port of its API, 3000 if left out. The
    /// stand-ins are on the next four ports, unless --endpoint or AWS_ENDPOINT_URL_… name others
    #[arg(long, global = true, value_name = "PORT", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "3000", value_parser = clap::value_parser!(u16).range(1..=65_531))]
    pub(crate) local: Option<u16>,

    /// The endpoint of one service: dynamodb, ses, secrets, lambda or cloudformation. May be repeated.
    /// Overrides AWS_ENDPOINT_URL_DYNAMODB and the other variables
    #[arg(long, global = true, value_name = "SERVICE=URL", value_parser = endpoint)]
    pub(crate) endpoint: Vec<Endpoint>,

    /// The region, if it is not the one of the environment or the profile
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// A profile of ~/.aws/config
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// The endpoint of a service.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) service: Service,
    pub(crate) url: String,
}

/// An AWS service that the command calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Dynamodb,
    Ses,
    Secrets,
    /// Where a user store function is invoked
    Lambda,
    Cloudformation,
}

impl Service {
    /// The environment variable from which the SDKs read the service's endpoint.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Dynamodb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Ses => "AWS_ENDPOINT_URL_SESV2",
            Self::Secrets => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            Self::Lambda => "AWS_ENDPOINT_URL_LAMBDA",
            Self::Cloudformation => "AWS_ENDPOINT_URL_CLOUDFORMATION",
        }
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let (service, url) = text.split_once('=').ok_or("it has the form SERVICE=URL")?;
    let service = Service::from_str(service, true)
        .map_err(|_| "the service is one of dynamodb, ses, secrets, lambda, cloudformation")?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err("the URL begins with http:// or https://".to_owned());
    }
    Ok(Endpoint {
        service,
        url: url.to_owned(),
    })
}

/// The stack that a command works on.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The name of the stack, from which the command learns the table, the secrets and the settings
    /// (needs the permission cloudformation:DescribeStacks)
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,

    /// The table. Default: the stack's output TableName
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,

    #[clap(skip)]
    pub(crate) parts: Parts,
}

/// The other parts of a stack, for when no --stack names them.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Parts {
    /// The secret of the index key. Default: the stack's output IndexKeyArn
    #[arg(long, value_name = "ID")]
    pub(crate) index_key_secret: Option<String>,

    /// The secret of the code key. Default: the stack's output CodeKeyArn
    #[arg(long, value_name = "ID")]
    pub(crate) code_key_secret: Option<String>,

    /// The sender of mails. Default: the stack's parameter MailFrom
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// The prefix of the names of the mail templates. Default: the stack's name
    #[arg(long, value_name = "PREFIX")]
    pub(crate) template_prefix: Option<String>,

    /// The URL of the API. Default: the stack's output ApiUrl
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
}

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

#[derive(Debug, Subcommand)]
pub(crate) enum MailsCommand {
    /// Write the files in mails/templates, which template.yaml includes, from the files in mails
    Build {
        /// The folder of the mails
        #[arg(default_value = "mails", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Say what is wrong with the mails: variables, the code, digits, size, contrast, what they load
    Check {
        /// The folder of the mails
        #[arg(default_value = "mails", value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Write all mails with sample data to a folder, with a page that lists them
    ///
    /// The settings are read from the environment, as `cargo run` reads them: SERVICE_NAME='Your Shop' BRAND_COLOR=#aa3366
    /// regain mails preview
    Preview {
        /// The folder of the mails
        #[arg(default_value = "mails", value_name = "FOLDER")]
        folder: PathBuf,
        /// The folder that the mails are written to
        #[arg(long, default_value = "target/mails", value_name = "FOLDER")]
        out: PathBuf,
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
                UsersCommand::Export(options) => options.place.clone(),
                UsersCommand::List(place) => place.clone(),
                UsersCommand::Add(options) => options.place.clone(),
                UsersCommand::Update(options) => options.place.clone(),
                UsersCommand::Recover(options) => {
                    with_index_key(&options.place, &options.index_key_secret)
                }
                UsersCommand::Show(options)
                | UsersCommand::Delete(options)
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
    /// Import a file of users, one JSON object a line
    #[command(after_help = IMPORT)]
    Import(ImportOptions),
    /// Print all users, one JSON object a line, as `users import` reads them
    #[command(after_help = EXPORT)]
    Export(ExportOptions),
    /// Print the id, the address and the status of all users, one user a line
    #[command(after_help = SCAN)]
    List(Place),
    /// Create a user
    #[command(after_help = ADD)]
    Add(AddOptions),
    /// Change what is given of a user
    #[command(after_help = UPDATE)]
    Update(UpdateOptions),
    /// Begin a recovery for people who did not ask for one, and mail it to them, for example after a breach
    #[command(after_help = RECOVER)]
    Recover(RecoverOptions),
    /// Delete a user
    #[command(after_help = DELETE)]
    Delete(UserOptions),
    /// Print a user as JSON, without the password hash
    Show(UserOptions),
    /// Block a user, so that no recovery can set the password
    #[command(after_help = BLOCK)]
    Block(UserOptions),
    /// Unblock a user, and restore the earlier status
    #[command(after_help = UNBLOCK)]
    Unblock(UserOptions),
    /// Lift the suppression of an address that bounced or complained
    #[command(after_help = UNSUPPRESS)]
    Unsuppress(UserOptions),
}

const IMPORT: &str = "\
A line is one user. Only \"email\" is required. A line matches an existing user by \"id\", or else by \
\"email\"; what the line does not mention stays as it is:

  {\"email\": \"ann@example.com\", \"password\": \"…\", \"locale\": \"en\"}
  {\"email\": \"bob@example.com\", \"passwordHash\": \"$argon2id$v=19$…\"}

The other fields are phone, status, profile, meta, identities, address, roles, isEmailValidate, \
isProfileComplete, isTemporary and mustReset (true: your sign-in service has the person set a new password first; a \
recovery clears it).

\"passwordHash\" is a hash by Argon2, bcrypt, scrypt or PBKDF2: a PHC string, bcrypt's own form ($2b$…), or \
as passlib, Django or Spring Security writes it. It is kept as it is. Your sign-in service has to be able to \
verify it, and replaces it when the person signs in. A hash of Firebase comes with its \"passwordSalt\", and \
needs --firebase-scrypt. Leave out hashes of other kinds: those people set a new password by a recovery.

All lines are checked before the first is written. Each has to be valid JSON and to fit an item of the \
table, SES has to be able to mail to the address, and a \"password\" has to meet the password policy. If a \
line is bad, all bad lines are listed and nothing is imported. Notes point out statuses that may not \
recover, locales without mails, ids that tell who has an account, and unknown fields.

If an address changes, it has to be proven again. A password that a recovery or another program has \
changed is kept. Ctrl-C stops the import after the batches under way; nothing is written if it comes while \
the lines are checked. A second Ctrl-C stops it at once. To finish an import that was stopped, run it \
again: unchanged users are skipped.

The import needs the permissions dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:UpdateItem and \
dynamodb:DeleteItem on the table.

Examples, the first of which writes nothing:
  regain users import people.jsonl --stack my-regain --dry-run
  regain users import people.jsonl --stack my-regain
  regain users import people.jsonl --table my-table --id-format uuid
  regain users import people.jsonl --local";

const EXPORT: &str = "\
Users who are imported from the output have the same ids, addresses and fields. Without --password-hashes, \
an import into another table makes users without passwords.

The command reads the whole table, for about 130 read units a MB, and needs the permission dynamodb:Scan.";

const SCAN: &str = "\
The command reads the whole table, for about 130 read units a MB, and needs the permission dynamodb:Scan.";

const ADD: &str = "\
The user is given as in a line of a users file, see `users import --help`. - reads standard input, so that \
a password does not end up in the shell's history. If there is such a user already, nothing is changed.

The command needs the permissions dynamodb:BatchGetItem, dynamodb:PutItem and dynamodb:UpdateItem on the \
table.

Examples:
  regain users add '{\"email\": \"ann@example.com\", \"locale\": \"en\"}' --stack my-regain
  regain users add - --stack my-regain < ann.json";

const UPDATE: &str = "\
The changes are given as in a line of a users file, see `users import --help`. - reads standard input. What \
they do not mention stays as it is. An address that changes has to be proven again. A password that changes \
voids all proofs under way, and no notice is mailed.

The command needs the permissions dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:UpdateItem and \
dynamodb:DeleteItem on the table.

Examples:
  regain users update ann@example.com '{\"email\": \"ann@example.org\"}' --stack my-regain
  regain users update ann@example.com '{\"status\": \"pending\"}' --stack my-regain";

const RECOVER: &str = "\
Each person gets the mail of a recovery. Its link leads to the recovery page, for a new password at once; it is \
valid as long as a code (CodeTtlSeconds). Whoever opens it later is offered another mail there. The throttles of the \
address refuse none of these mails, but count them.

With --must-reset, sign-in services have each of these people set a new password first; a recovery ends that.

FILE has an address or an id a line, or a user as `users export` prints it. - reads standard input. People who are \
unknown or may not recover are named and skipped.

If users live elsewhere (UserStoreFunctionArn), give addresses. Each is asked for as anybody may ask for it, and \
whoever the user store does not know, or who may not recover, gets no mail. The journal then holds the addresses. \
--must-reset needs users in the table.

The journal says who was mailed. Run the command again with the same journal to go on after it was stopped: nobody \
is mailed twice, but for the person at whom a crash stopped it, if that was more than ten minutes ago. The journal \
also has the audit records of the run; the mails themselves are in the audit trail.

The command needs the permissions dynamodb:GetItem, dynamodb:PutItem and dynamodb:UpdateItem on the table, with \
--must-reset also dynamodb:BatchGetItem, secretsmanager:GetSecretValue on the index key, and ses:GetAccount to keep \
to SES's rate.

Examples:
  regain users recover ann@example.com bob@example.com --stack my-regain --journal breach.jsonl
  regain users list --stack my-regain | cut -f 1 > everybody
  regain users recover everybody --must-reset --stack my-regain --journal breach.jsonl";

const DELETE: &str = "\
The user and the lookup of the address are deleted in one transaction. Recovery sessions and mail requests \
of the user open nothing any more, and are deleted by themselves within about 14 days. Digests of the \
networks that proved the address are deleted after KnownNetworkDays. The audit trail names the user by a \
digest, until its retention ends.

The command needs the permissions dynamodb:GetItem and dynamodb:DeleteItem on the table.";

const BLOCK: &str = "\
A recovery that is under way fails. Only somebody who has proven the mailbox learns that the user is \
blocked. This command does not end the sessions of other services.";

const UNBLOCK: &str = "\
The user gets back the status that `users block` replaced. A user who was blocked by other means gets \
the first of the stack's RecoverableStatuses.";

const UNSUPPRESS: &str = "\
After a permanent bounce, an address gets no mail for 24 hours. After the next bounce it gets none for 7 \
days, then for 30 days, and after that none at all. After a spam complaint, an address gets no codes. \
`users show` prints this as mailSuppressed. Lift it when the mailbox works again, or when the owner \
asks for it. The next bounce then counts as the first.

If users live elsewhere (UserStoreFunctionArn), give the address.

SES has a suppression list of its own for the whole account. The command removes the address from that \
list, too, which needs the permission ses:DeleteSuppressedDestination.";

const DOCTOR: &str = "\
✓ means that a check passed. ✗ means that it failed, and the line below says what to do. – means that it \
could not be made. The exit code is 1 if a check failed. No user and no setting is changed, and no secret \
is printed.

Each endpoint is called once, for two addresses under .invalid, which nobody can have. No mail goes out, \
and what is left in the table expires within two days. The calls count in the metrics and against \
IP_REQUESTS_PER_HOUR. mail-events and audit-trail are not called: only AWS calls them.

Counting the users who cannot recover reads the first 10 MB of the table, with sessions and mail \
requests, for about 1,300 read units. --all-users reads the whole table, for about 130 read units a MB. Both \
need the permission dynamodb:Scan.

Examples:
  regain doctor --stack my-regain
  regain doctor --local
  regain doctor --table my-table --mail-from no-reply@example.com \\
      --template-prefix my-regain \\
      --index-key-secret IndexKey-x1 --code-key-secret CodeKey-x2";

/// `users import`.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// The file, or - for standard input
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) place: Place,

    /// Print what the import would do, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Import the other lines if some are bad
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Also replace passwords that a recovery or another program has changed
    #[arg(long)]
    pub(crate) overwrite_passwords: bool,

    /// The password hash parameters of a Firebase project, as its console shows them, for lines that have a
    /// "passwordSalt"
    #[arg(long, value_name = "FILE")]
    pub(crate) firebase_scrypt: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: Rules,
}

/// `users export`.
#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Print the password hashes, too
    #[arg(long)]
    pub(crate) password_hashes: bool,
}

/// `users add`.
#[derive(Debug, Args)]
pub(crate) struct AddOptions {
    /// The user as a JSON object, or - for standard input
    pub(crate) json: String,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) rules: Rules,
}

/// `users update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateOptions {
    /// The user's e-mail address or id
    #[arg(value_name = "ADDRESS or ID")]
    pub(crate) user: String,

    /// The changes as a JSON object, or - for standard input
    pub(crate) json: String,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) rules: Rules,
}

/// `users recover`.
#[derive(Debug, Args)]
pub(crate) struct RecoverOptions {
    /// The people: e-mail addresses, or files with a person a line
    #[arg(value_name = "ADDRESS or FILE", required = true)]
    pub(crate) people: Vec<String>,

    #[command(flatten)]
    pub(crate) place: Place,

    /// The file that notes who was mailed, so that the run can be resumed; it is created if needed
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: PathBuf,

    /// Have each of them set a new password before signing in
    #[arg(long)]
    pub(crate) must_reset: bool,

    /// Mails a second, and never more than SES accepts. Default: half of what SES accepts, or 1 if it does not tell
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    pub(crate) rate: Option<f64>,

    /// Name or ARN of the index key's secret. Default: the stack's
    #[arg(long, value_name = "ID")]
    pub(crate) index_key_secret: Option<String>,
}

/// A number of mails a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=1000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("must be from 0.01 to 1000".to_owned())
    }
}

/// The rules for users that are written, if they are not the stack's.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// Format of the ids. Default: the stack's UserIdFormat, or objectid
    #[arg(long, value_name = "FORM")]
    pub(crate) id_format: Option<IdFormat>,

    /// Memory of a password hash in KiB, at least 19456. Default: the stack's Argon2MemoryKib, or 19456
    #[arg(long, value_name = "KIB")]
    pub(crate) argon2_memory_kib: Option<u32>,

    /// Passes of a password hash, at least 2. Default: the stack's Argon2Iterations, or 2
    #[arg(long, value_name = "PASSES")]
    pub(crate) argon2_iterations: Option<u32>,

    /// Lanes of a password hash. Default: the stack's Argon2Parallelism, or 1
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
    /// Clear all of these, so that the person can try again at once
    #[command(after_help = THROTTLE_CLEAR)]
    Clear(ThrottleOptions),
}

const THROTTLE_SHOW: &str = "\
Throttles count by address, whether or not a user has it. The hourly limit of requests from one network \
address is not shown.";

const THROTTLE_CLEAR: &str = "\
Recovery sessions stay as they are: if the guesses of a session are spent, the person has to ask for a new \
code. The hourly limit of requests from one network address is not cleared.";

/// The commands for throttles.
#[derive(Debug, Args)]
pub(crate) struct ThrottleOptions {
    /// The e-mail address, as the person types it
    pub(crate) address: String,

    #[command(flatten)]
    pub(crate) place: Place,

    /// The secret of the index key. Default: the stack's output IndexKeyArn
    #[arg(long, value_name = "ID")]
    pub(crate) index_key_secret: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Print the audit trail's subject for an e-mail address, whether or not a user has it
    Subject {
        /// The e-mail address
        address: String,
        /// The stack's name
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
    },
    /// Print the audit trail's caller for a network address
    Caller {
        /// The IPv4 or IPv6 address
        network: IpAddr,
        /// The stack's name
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
    },
    /// Print the audit trail's device for the text that a client sends
    Device {
        /// The exact text, as far as it is kept: the first 256 bytes of an X-Agent
        device: String,
        /// The stack's name
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
    },
}

const AUDIT: &str = "\
The audit trail names people, networks and devices by keyed digests, which cannot be computed without the \
index key. Search for the printed digest in the stack's log group AuditLogGroup. `cargo run` prints at its \
start which file has the audit trail. docs/audit.md has the queries.

Examples:
  regain audit subject ann@example.com --stack my-regain
  regain audit caller 192.0.2.7 --stack my-regain
  regain audit subject demo@example.com --local";

#[derive(Debug, Subcommand)]
pub(crate) enum CodeKeyCommand {
    /// Put a new code key into use, if the previous key is no longer needed
    #[command(after_help = CODE_KEY_ROTATE)]
    Rotate(CodeKeyOptions),
}

const CODE_KEY_ROTATE: &str = "\
Codes that were already mailed stay valid, and no limit changes. The new key is stored in the stack's \
secret CodeKey and never printed. Mails use it ten minutes later, when every running function has read it.

Codes are verified with the current key and the previous one. So a rotation is refused while a session may \
be alive that began under the previous key: until SessionTtlSeconds and ten minutes after the last \
rotation. The settings of the stack of `cargo run` are not known to this command, which assumes that a \
session lives for a day there.

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
    /// The name of the stack, from which the command learns the secret and how long a session lives
    /// (needs the permission cloudformation:DescribeStacks)
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,

    /// Print whether a rotation is allowed now, and change nothing
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

    /// Count the users who cannot recover in the whole table, instead of its first 10 MB
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
