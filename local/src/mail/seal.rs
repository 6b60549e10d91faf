//! Encrypts the mail that a data directory keeps, so that no file holds a code in clear.
//!
//! The cipher is AES-256-GCM, and the key is in a file that only its owner may read. Codes cannot just be
//! left out of the file, because a code that was delivered before a restart must still be in the mailbox
//! after it.

use std::fs::File;
use std::io::{Error, Read as _, Result};
use std::path::Path;

use data_encoding::BASE64;
use rand::Rng as _;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::data::write_whole;

/// Encrypts and decrypts lines of text.
#[derive(Debug)]
pub struct Seal(LessSafeKey);

impl Seal {
    /// The seal with the key in this file, which is created if it is missing.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds no key.
    pub fn open(path: &Path) -> Result<Self> {
        let mut key = [0; 32];
        if path.exists() {
            File::open(path)?.read_exact(&mut key)?;
        } else {
            draw(&mut key)?;
            write_whole(path, &key)?;
        }
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| Error::other("no key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts bytes to one line of text, without a line end.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn seal(&self, mut bytes: Vec<u8>) -> Result<String> {
        let mut nonce = [0; NONCE_LEN];
        draw(&mut nonce)?;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut bytes,
            )
            .map_err(|_| Error::other("a mail cannot be sealed"))?;
        Ok(BASE64.encode(&[nonce.as_slice(), &bytes].concat()))
    }

    /// Decrypts a line. Returns `None` if it was not encrypted by this seal.
    #[must_use]
    pub fn unseal(&self, line: &str) -> Option<Vec<u8>> {
        let mut sealed = BASE64.decode(line.trim_end().as_bytes()).ok()?;
        let (nonce, bytes) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        self.0
            .open_in_place(nonce, Aad::empty(), bytes)
            .ok()
            .map(|bytes| bytes.to_vec())
    }
}

fn draw(bytes: &mut [u8]) -> Result<()> {
    regain::ambient::rng()
        .map_err(Error::other)?
        .fill_bytes(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_opens_after_a_restart_and_under_no_other_key() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = Seal::open(&folder.path().join("key"))
            .unwrap()
            .seal(b"391097".to_vec())
            .unwrap();
        assert!(!sealed.contains("391097"));
        let again = Seal::open(&folder.path().join("key")).unwrap();
        assert_eq!(again.unseal(&sealed).unwrap(), b"391097");
        let other = Seal::open(&folder.path().join("other")).unwrap();
        assert_eq!(other.unseal(&sealed), None);
        assert_eq!(again.unseal("no sealed line"), None);
    }
}
