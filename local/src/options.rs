//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Runs the whole of Regain on this machine: the API, the functions behind it, the table, the
/// secrets and the mail. It needs no account, no Docker and no network.
#[derive(Clone, Debug, Parser)]
#[command(name = "local", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Options {
    /// Port of the API on 127.0.0.1; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    pub port: u16,

    /// Keep everything in this directory, which is made if it is missing; without it all is in
    /// memory and gone at the end
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Load these users at the start, one JSON object a line; users that exist are updated
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,

    /// With --users: replace passwords, too, that were changed otherwise than by an import, as by a
    /// recovery
    #[arg(long, requires = "users")]
    pub overwrite_passwords: bool,

    /// Load the items and secrets that the fixtures in events/ were made for
    #[arg(long, value_name = "SET")]
    pub seed: Option<Seed>,

    /// Another DynamoDB than the embedded one, such as another emulator's. The table is made there if
    /// it is missing; it is called regain, or as `TABLE_NAME` in the environment says. Nothing deletes
    /// expired items
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "dynamodb_port"])]
    pub dynamodb_url: Option<String>,

    /// Port of the DynamoDB stand-in; without it the API's port + 1, or any free one if that is taken
    #[arg(long, value_name = "PORT")]
    pub dynamodb_port: Option<u16>,

    /// Port of the SES stand-in; without it the API's port + 2, or any free one if that is taken
    #[arg(long, value_name = "PORT")]
    pub ses_port: Option<u16>,

    /// Port of the Secrets Manager stand-in; without it the API's port + 3, or any free one if that is taken
    #[arg(long, value_name = "PORT")]
    pub secrets_port: Option<u16>,

    /// A second address for the three stand-ins, such as a container bridge's own
    #[arg(long, value_name = "ADDRESS")]
    pub also_listen: Option<IpAddr>,

    /// Do not print a line for each call of the API
    #[arg(long)]
    pub quiet: bool,

    /// Run the function binaries in this directory instead of building them
    #[arg(long, value_name = "DIR")]
    pub functions: Option<PathBuf>,
}

/// What `--seed` can load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Seed {
    /// `events/seed.jsonl` and `events/secret.json`
    Events,
}

const AFTER_HELP: &str = "\
Every parameter of template.yaml is also a setting: CodeTtlSeconds is CODE_TTL_SECONDS in the \
environment, CorsOrigins is CORS_ORIGINS (comma separated).

  cargo run                                   demo users, all in memory
  cargo run -- --data ./data                  kept between runs
  cargo run -- --users people.jsonl           your own users
  CODE_TTL_SECONDS=30 cargo run -- --port 0   short-lived codes on any free port

Mail that would have been sent is shown at http://127.0.0.1:PORT/_mail. Each call of the API is a line \
on stderr, with method, path, status and time; what the functions log is there, too.";
