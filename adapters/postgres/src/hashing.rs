//! The form of the hashes in the table.

use thiserror::Error;
use tokio::task::spawn_blocking;
use user_store::SetPassword;
use zeroize::Zeroizing;

/// bcrypt looks at no more octets than these.
const LONGEST: usize = 72;

/// The form of the hashes in the table.
#[derive(Debug)]
pub(crate) enum Hashing {
    /// As Regain makes them.
    Argon2id,
    /// bcrypt, which is made here of the password in clear.
    Bcrypt(Bcrypt),
}

/// How bcrypt hashes are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bcrypt {
    /// The binary logarithm of the number of rounds.
    pub(crate) cost: u32,
    /// The prefix of hashes.
    pub(crate) prefix: Prefix,
}

/// The prefixes of hashes. They are otherwise the same.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prefix {
    /// `$2a$`, which the oldest readers take.
    A,
    /// `$2b$`.
    B,
    /// `$2y$`, which PHP writes.
    Y,
}

impl From<Prefix> for bcrypt::Version {
    fn from(prefix: Prefix) -> Self {
        match prefix {
            Prefix::A => Self::TwoA,
            Prefix::B => Self::TwoB,
            Prefix::Y => Self::TwoY,
        }
    }
}

/// Why there is no hash.
#[derive(Debug, Error)]
pub(crate) enum HashingError {
    /// Regain's setting does not fit this one.
    #[error("PASSWORD_HASH is argon2id, so Regain's stack has to have UserStorePassword=hash")]
    NoHash,
    /// Regain's setting does not fit this one.
    #[error("PASSWORD_HASH is bcrypt, so Regain's stack has to have UserStorePassword=plain")]
    NoPassword,
    /// The system has no randomness, or no thread.
    #[error("bcrypt failed")]
    Bcrypt,
}

/// The hash to store, or why the password is refused.
pub(crate) type Hashed = Result<Zeroizing<String>, &'static str>;

impl Hashing {
    /// The hash of the password that is to be set.
    pub(crate) async fn hash(&self, set: &mut SetPassword) -> Result<Hashed, HashingError> {
        let Bcrypt { cost, prefix } = match self {
            Self::Argon2id => return set.password_hash.take().map(Ok).ok_or(HashingError::NoHash),
            Self::Bcrypt(bcrypt) => *bcrypt,
        };
        let password = set.password.take().ok_or(HashingError::NoPassword)?;
        // bcrypt would ignore the rest of a longer password, and some readers of it end at a NUL.
        if password.len() > LONGEST {
            return Ok(Err("too_long"));
        }
        if password.contains('\0') {
            return Ok(Err("not_supported"));
        }
        let hashed =
            spawn_blocking(move || bcrypt::hash_with_result(password.as_bytes(), cost)).await;
        let parts = hashed
            .map_err(|_| HashingError::Bcrypt)?
            .map_err(|_| HashingError::Bcrypt)?;
        Ok(Ok(Zeroizing::new(parts.format_for_version(prefix.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(password: &str) -> SetPassword {
        SetPassword {
            id: "7".into(),
            address: "ana@example.com".into(),
            credentials_version: "1".into(),
            key: "k".into(),
            password_hash: None,
            password: Some(Zeroizing::new(password.to_owned())),
        }
    }

    #[tokio::test]
    async fn what_bcrypt_would_cut_is_refused() {
        let prefix = Prefix::B;
        let hashing = Hashing::Bcrypt(Bcrypt { cost: 4, prefix });
        for (password, refused) in [
            ("x".repeat(72), None),
            ("x".repeat(73), Some("too_long")),
            ("ä".repeat(37), Some("too_long")),
            ("a\0b".to_owned(), Some("not_supported")),
        ] {
            let hashed = hashing.hash(&mut asked(&password)).await.unwrap();
            assert_eq!(
                hashed.as_ref().err().copied(),
                refused,
                "{}",
                password.len()
            );
            if let Ok(hash) = hashed {
                assert!(hash.starts_with("$2b$04$"), "{}", *hash);
                assert!(bcrypt::verify(&password, &hash).unwrap());
            }
        }
    }

    #[tokio::test]
    async fn a_stack_with_the_other_setting_is_told_so() {
        let error = Hashing::Argon2id.hash(&mut asked("x")).await.unwrap_err();
        assert!(error.to_string().contains("UserStorePassword=hash"));
    }
}
