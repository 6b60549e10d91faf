//! The command line of `code-key`.

use clap::{Args, Subcommand};

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
