//! The data directory. One instance uses it at a time, and only its owner can read it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the directory cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    /// Another instance uses it.
    #[error("{0} is in use by another running instance")]
    InUse(String),
    /// It cannot be created or opened.
    #[error("{folder} cannot be used: {problem}")]
    Unusable {
        /// The directory.
        folder: String,
        /// What the operating system said.
        problem: std::io::Error,
    },
}

/// The directory, locked until this is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    folder: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Creates the directory if it is missing, and locks it.
    ///
    /// # Errors
    /// When another instance has it, or it cannot be used.
    pub fn take(folder: &Path) -> Result<Self, DataError> {
        let name = || folder.display().to_string();
        let unusable = |problem| DataError::Unusable {
            folder: name(),
            problem,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(unusable)?;
        let lock = File::create(folder.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder: folder.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse(name())),
            Err(TryLockError::Error(problem)) => Err(unusable(problem)),
        }
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Writes a file that only its owner may read. It is written under another name first, so that no
/// reader finds half of it.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&beside)?.write_all(content)?;
    fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.json");
        write_whole(&path, b"a long content").unwrap();
        write_whole(&path, b"short").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"short");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_second_instance_is_refused_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = DataDirectory::take(&path).unwrap();
        let refused = DataDirectory::take(&path).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("{} is in use by another running instance", path.display())
        );
        drop(first);
        assert!(DataDirectory::take(&path).is_ok());
    }
}
