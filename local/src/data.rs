//! The data directory: one instance at a time, readable by its owner only.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the directory cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    /// Another instance has it.
    #[error("{0} is in use by another running instance")]
    InUse(String),
    /// It cannot be made or opened.
    #[error("{folder} cannot be used: {problem}")]
    Unusable {
        /// The directory.
        folder: String,
        /// What the operating system said.
        problem: std::io::Error,
    },
}

/// The directory, held until this is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    folder: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if it is missing, and takes it.
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

#[cfg(test)]
mod tests {
    use super::*;

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
