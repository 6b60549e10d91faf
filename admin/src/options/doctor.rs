//! The command line of `doctor`.

use clap::Args;

use super::place::{Parts, Place};

pub(super) const DOCTOR: &str = "\
✓ means that a check passed. ✗ means that it failed, and the line below says what to do. – means that it \
could not be made. The exit code is 1 if a check failed. No user and no setting is changed, and no secret \
is printed.

Each endpoint is called once, for two addresses under .invalid, which nobody can have. No mail goes out, \
and what is left in the table expires within two days. The calls count in the metrics and against \
IP_REQUESTS_PER_HOUR. users, announce, mail-events and audit-trail are not called, because the \
API does not lead to them: scripts/smoke calls them.

Counting the users who cannot recover reads the first 10 MB of the table, with sessions and mail \
requests, for about 1,300 read units. --all-users reads the whole table, for about 130 read units a MB. Both \
need the permission dynamodb:Scan.

Examples:
  regain doctor --stack my-regain
  regain doctor --local
  regain doctor --table my-table --mail-from no-reply@example.com \\
      --template-prefix my-regain \\
      --index-key-secret IndexKey-x1 --code-key-secret CodeKey-x2";

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

    /// How many seconds deliver-mail may take to handle the mail request of the check. Mails that wait before it
    /// take longer
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) mail_timeout: u64,
}
