//! The command line of `audit`.

use std::net::IpAddr;

use clap::Subcommand;

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

pub(super) const AUDIT: &str = "\
The audit trail names people, networks and devices by keyed digests, which cannot be computed without the \
index key. Search for the printed digest in the stack's log group AuditLogGroup. `cargo run` prints at its \
start which file has the audit trail. docs/audit.md has the queries.

Examples:
  regain audit subject ann@example.com --stack my-regain
  regain audit caller 192.0.2.7 --stack my-regain
  regain audit subject demo@example.com --local";
