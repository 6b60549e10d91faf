//! The function binaries: built beside this program, or taken from a directory.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use thiserror::Error;
use tokio::process::Command;

/// The variables in which `cargo run` describes this program's own package. The build must not see them:
/// build scripts that read them would run again, and everything that depends on them would be built again.
const CARGO_RUNS_OWN: [&str; 20] = [
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

/// Why there are no binaries.
#[derive(Debug, Error)]
pub enum BinariesError {
    /// Cargo cannot be started.
    #[error(
        "cargo cannot be started to build the functions ({0}); --functions takes them ready-made"
    )]
    NoCargo(std::io::Error),
    /// Cargo has printed why.
    #[error("the functions cannot be built")]
    Build,
    /// The path of this program is not known.
    #[error("the path of this program is not known: {0}")]
    NoPlace(std::io::Error),
    /// The binary of a function is missing.
    #[error(
        "there is no program {name} in {folder}, but template.yaml has a function of that name"
    )]
    Missing {
        /// The function's binary.
        name: String,
        /// Where it was looked for.
        folder: String,
    },
}

/// The directory with the binaries called `names`. They are built unless a directory is given.
///
/// # Errors
/// When they cannot be built, or one is missing.
pub async fn folder(
    given: Option<&Path>,
    workspace: &Path,
    cargo: Option<OsString>,
    names: BTreeSet<&str>,
) -> Result<PathBuf, BinariesError> {
    let folder = match given {
        Some(folder) => std::path::absolute(folder).map_err(BinariesError::NoPlace)?,
        None => build(workspace, cargo, &names).await?,
    };
    for name in names {
        if !folder.join(name).is_file() {
            let folder = folder.display().to_string();
            return Err(BinariesError::Missing {
                name: name.to_owned(),
                folder,
            });
        }
    }
    Ok(folder)
}

/// Builds the binaries by name. Building them by package would unify features differently, and compile
/// every dependency again.
async fn build(
    workspace: &Path,
    cargo: Option<OsString>,
    names: &BTreeSet<&str>,
) -> Result<PathBuf, BinariesError> {
    let this = std::env::current_exe().map_err(BinariesError::NoPlace)?;
    let folder = this.parent().unwrap_or(workspace).to_owned();
    let mut command = Command::new(cargo.unwrap_or_else(|| OsString::from("cargo")));
    command.arg("build").current_dir(workspace);
    for name in names {
        command.args(["--bin", name]);
    }
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => {
            command.args(["--profile", profile]);
        }
    }
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    for name in CARGO_RUNS_OWN {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let status = command.status().await.map_err(BinariesError::NoCargo)?;
    if status.success() {
        Ok(folder)
    } else {
        Err(BinariesError::Build)
    }
}
