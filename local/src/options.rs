//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use axum::http::Uri;
use clap::{Parser, ValueEnum};

/// Runs all of Regain on this machine: the API, its functions, the table, the secrets and the mail.
/// It needs no AWS account, no Docker and no network.
#[derive(Clone, Debug, Parser)]
#[command(name = "local", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Options {
    /// Port of the API on 127.0.0.1; 0 chooses any free port
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    pub port: u16,

    /// Keep all data in this directory, which is created if needed; without this option the data is in
    /// memory and lost when the service ends
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Load the users in this file at the start, one JSON object per line; existing users are updated
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,

    /// With --users: also replace passwords whose last change was not an import, but for example a
    /// recovery
    #[arg(long, requires = "users")]
    pub overwrite_passwords: bool,

    /// Users live elsewhere: each question to the user store is posted to this URL on this machine as JSON, and
    /// the body of a 200 is the answer. No users are loaded
    #[arg(long, value_name = "URL", conflicts_with_all = ["users", "seed"], value_parser = loopback)]
    pub user_store: Option<String>,

    /// Load the items and secrets that the fixtures in events/ need
    #[arg(long, value_name = "SET")]
    pub seed: Option<Seed>,

    /// Use the DynamoDB at this URL, such as another emulator's, and not the embedded one. The table is
    /// created there if needed. Its name is regain, or `TABLE_NAME` of the environment. Expired items
    /// are not deleted
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "dynamodb_port"])]
    pub dynamodb_url: Option<String>,

    /// Port of the DynamoDB stand-in [default: the API's port + 1, or any free port if that is taken]
    #[arg(long, value_name = "PORT")]
    pub dynamodb_port: Option<u16>,

    /// Port of the SES stand-in [default: the API's port + 2, or any free port if that is taken]
    #[arg(long, value_name = "PORT")]
    pub ses_port: Option<u16>,

    /// Port of the Secrets Manager stand-in [default: the API's port + 3, or any free port if that is
    /// taken]
    #[arg(long, value_name = "PORT")]
    pub secrets_port: Option<u16>,

    /// Port of Lambda's Invoke API [default: the API's port + 4, or any free port if that is taken]
    #[arg(long, value_name = "PORT")]
    pub lambda_port: Option<u16>,

    /// Second address that the stand-ins listen on, such as that of a container bridge
    #[arg(long, value_name = "ADDRESS")]
    pub also_listen: Option<IpAddr>,

    /// Do not print a line for each API call
    #[arg(long)]
    pub quiet: bool,

    /// Run the function binaries of this directory instead of building them
    #[arg(long, value_name = "DIR")]
    pub functions: Option<PathBuf>,
}

/// Reads a URL of plain HTTP on this machine. Questions hold passwords, which are to stay here.
fn loopback(url: &str) -> Result<String, String> {
    let is_here = |uri: &Uri| {
        let host = uri.host().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    let uri = url.parse::<Uri>().ok();
    let uri = uri.filter(|uri| uri.scheme_str() == Some("http") && is_here(uri));
    match uri {
        Some(_) => Ok(url.to_owned()),
        None => Err(
            "not the URL of plain HTTP on this machine, such as http://127.0.0.1:8080".to_owned(),
        ),
    }
}

/// What `--seed` can load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Seed {
    /// `events/seed.jsonl` and `events/secret.json`
    Events,
}

const AFTER_HELP: &str = "\
Environment variables override the parameters of template.yaml: CODE_TTL_SECONDS sets CodeTtlSeconds, \
CORS_ORIGINS (comma separated) sets CorsOrigins.

  cargo run                                   demo users, all in memory
  cargo run -- --data ./data                  kept between runs
  cargo run -- --users people.jsonl           users of your own
  CODE_TTL_SECONDS=30 cargo run -- --port 0   short-lived codes on any free port
  cargo run -- --user-store http://127.0.0.1:8080   users who live elsewhere

No mail leaves this machine: http://127.0.0.1:PORT/_mail shows it. No event does, either: \
http://127.0.0.1:PORT/_events.json lists those that were published, newest first. Stderr has a line for each API call, \
with method, path, status and duration, and the functions' logs.";
