//! `cargo run`: the whole service on one machine.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use local::console::{self, say};
use local::options::Options;
use local::service;
use local::shutdown::Signals;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let workspace = here
        .parent()
        .map_or_else(|| here.clone(), Path::to_path_buf);
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            say(format!("error: no handler for signals can be set: {error}"));
            console::flush();
            return ExitCode::FAILURE;
        }
    };
    let ended = service::run(options, workspace, environment, &mut signals).await;
    if let Err(error) = &ended {
        say(format!("error: {error}"));
    }
    console::flush();
    if ended.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
