//! The command line of `users`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use regain::ids::UserIdFormat;

use super::place::{IndexKey, Place};

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

If an address changes, it has to be proven again, unless the line says isEmailValidate. A password that a \
recovery or another program has changed is kept. Ctrl-C stops the import after the batches under way; \
nothing is written if it comes while the lines are checked. A second Ctrl-C stops it at once. To finish an \
import that was stopped, run it again: unchanged users are skipped.

The import needs the permissions dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:UpdateItem and \
dynamodb:DeleteItem on the table.

Examples, the first of which writes nothing:
  regain users import people.jsonl --stack my-regain --dry-run
  regain users import people.jsonl --stack my-regain
  regain users import people.jsonl --table my-table --id-format uuid
  regain users import people.jsonl --local";

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

const EXPORT: &str = "\
Users who are imported from the output have the same ids, addresses and fields. Without --password-hashes, \
an import into another table makes users without passwords.

The command reads the whole table, for about 130 read units a MB, and needs the permission dynamodb:Scan.";

/// `users export`.
#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Print the password hashes, too
    #[arg(long)]
    pub(crate) password_hashes: bool,
}

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

const UPDATE: &str = "\
The changes are given as in a line of a users file, see `users import --help`. - reads standard input. What \
they do not mention stays as it is. An address that changes has to be proven again, unless they \
say isEmailValidate. A password that changes voids all proofs under way, and no notice is mailed.

The command needs the permissions dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:UpdateItem and \
dynamodb:DeleteItem on the table.

Examples:
  regain users update ann@example.com '{\"email\": \"ann@example.org\"}' --stack my-regain
  regain users update ann@example.com '{\"status\": \"pending\"}' --stack my-regain";

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

The journal lists who was mailed. To resume a run that was stopped, run the command again with the same journal. \
Nobody is mailed twice, except the person being mailed in a crash, if you resume more than ten minutes later. The \
journal also has the audit records of the run; the mails themselves are in the audit trail.

The command needs the permissions dynamodb:GetItem, dynamodb:PutItem and dynamodb:UpdateItem on the table, with \
--must-reset also dynamodb:BatchGetItem, secretsmanager:GetSecretValue on the index key, and ses:GetAccount to keep \
to SES's rate.

Examples:
  regain users recover ann@example.com bob@example.com --stack my-regain --journal breach.jsonl
  regain users list --stack my-regain | cut -f 1 > everybody
  regain users recover everybody --must-reset --stack my-regain --journal breach.jsonl";

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

    #[command(flatten)]
    pub(crate) index_key: IndexKey,
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

/// The other commands for users.
#[derive(Debug, Args)]
pub(crate) struct UserOptions {
    /// The user's e-mail address or id
    #[arg(value_name = "ADDRESS or ID")]
    pub(crate) user: String,

    #[command(flatten)]
    pub(crate) place: Place,
}

const DELETE: &str = "\
The user and the lookup of the address are deleted in one transaction. Recovery sessions and mail requests \
of the user become useless, and expire within about 14 days. Digests of the \
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
