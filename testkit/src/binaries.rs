//! The binaries under test, built once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::WORKSPACE;

/// The directory with the functions, the local service and the operator's command, as this workspace's
/// sources are now.
///
/// All binaries are built at once, as `cargo run` does it: some packages alone would unify features
/// differently. Cargo's own lock orders test processes that do this at the same time.
pub fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build)
}

fn build() -> PathBuf {
    // A test's program is in `deps`, one folder below the binaries.
    let this = std::env::current_exe().unwrap();
    let folder = this.ancestors().nth(2).unwrap().to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .args(["build", "--bins", "--target-dir"])
        .arg(folder.parent().unwrap())
        .current_dir(WORKSPACE);
    let profile = folder.file_name().unwrap();
    if profile != "debug" {
        command.arg("--profile").arg(profile);
    }
    // Without the variables that Cargo sets for this test, or build scripts would run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let of_package = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if of_package.iter().any(|prefix| name.starts_with(prefix))
            || ["CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&&*name)
        {
            command.env_remove(&*name);
        }
    }
    let built = command
        .stdin(Stdio::null())
        .output()
        .expect("cargo can be started");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "the binaries do not build:\n{said}");
    folder
}
