//! The hashes of Firebase Authentication, which cannot be verified without the parameters of their project.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD};
use zeroize::Zeroizing;

use crate::{InvalidPasswordHash, PasswordHash};

/// How the hashes begin that [`FirebaseScrypt::hash`] makes.
pub(crate) const PREFIX: &str = "$firebase-scrypt$";

/// The password hash parameters of a Firebase project.
///
/// The Firebase console shows them in the menu of the list of users. An export of the users
/// (`firebase auth:export`) has a hash and a salt for each of them.
///
/// Firebase encrypts the project's signer key with a key stream that it derives from the password. This type
/// takes the signer key out again. What is left is a hash that can be verified by itself, so the signer key
/// is stored nowhere:
///
/// `$firebase-scrypt$ln=MEM_COST,r=ROUNDS$SALT$STREAM`
///
/// The salt is the user's salt and the salt separator behind it. The key stream is AES-256 in counter mode from
/// zero on, under the first 32 octets of scrypt with `N = 2^MEM_COST`, `r = ROUNDS` and `p = 1`. Both are in
/// Base64 without padding.
#[derive(Clone)]
pub struct FirebaseScrypt {
    signer_key: Zeroizing<Vec<u8>>,
    salt_separator: Vec<u8>,
    rounds: u32,
    mem_cost: u32,
}

/// The parameters cannot be read. The error does not repeat them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFirebaseScrypt {
    /// A parameter is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A parameter has the wrong form.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The algorithm is not Firebase's own.
    #[error("algorithm is not SCRYPT")]
    Algorithm,
}

impl FirebaseScrypt {
    /// Reads the parameters as the Firebase console shows them:
    ///
    /// ```text
    /// hash_config {
    ///   algorithm: SCRYPT,
    ///   base64_signer_key: …,
    ///   base64_salt_separator: Bw==,
    ///   rounds: 8,
    ///   mem_cost: 14,
    /// }
    /// ```
    ///
    /// # Errors
    /// If a parameter is missing or malformed.
    pub fn parse(text: &str) -> Result<Self, InvalidFirebaseScrypt> {
        let value = |name: &'static str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            let (_, value) = lines
                .find(|(found, _)| found.trim() == name)
                .ok_or(InvalidFirebaseScrypt::Missing(name))?;
            Ok(value.trim().trim_end_matches(','))
        };
        let octets = |name| {
            let decoded = BASE64.decode(value(name)?.as_bytes());
            decoded.map_err(|_| InvalidFirebaseScrypt::Malformed(name))
        };
        let number = |name| {
            let number = value(name)?.parse();
            number.map_err(|_| InvalidFirebaseScrypt::Malformed(name))
        };
        if value("algorithm")? != "SCRYPT" {
            return Err(InvalidFirebaseScrypt::Algorithm);
        }
        Ok(Self {
            signer_key: octets("base64_signer_key")?.into(),
            salt_separator: octets("base64_salt_separator")?,
            rounds: number("rounds")?,
            mem_cost: number("mem_cost")?,
        })
    }

    /// The hash of a user, from the hash and the salt of an export, both in Base64 of either alphabet.
    ///
    /// # Errors
    /// If one of them is malformed, if the hash is not as long as the signer key, if the cost is too high (see
    /// [`PasswordHash::parse`]), or if the program was built without the feature `firebase-scrypt`.
    pub fn hash(&self, hash: &str, salt: &str) -> Result<PasswordHash, InvalidPasswordHash> {
        let mut stream = Zeroizing::new(base64(hash)?);
        if stream.len() != self.signer_key.len() {
            return Err(InvalidPasswordHash::Form);
        }
        for (octet, key) in stream.iter_mut().zip(self.signer_key.iter()) {
            *octet ^= key;
        }
        let mut salt = base64(salt)?;
        salt.extend_from_slice(&self.salt_separator);
        let (ln, r) = (self.mem_cost, self.rounds);
        PasswordHash::parse(&format!(
            "{PREFIX}ln={ln},r={r}${}${}",
            BASE64_NOPAD.encode(&salt),
            BASE64_NOPAD.encode(&stream)
        ))
    }
}

/// Decodes Base64 of either alphabet, with or without padding: the command line exports the one, the Admin SDK
/// the other.
fn base64(text: &str) -> Result<Vec<u8>, InvalidPasswordHash> {
    let standard = text
        .trim_end_matches('=')
        .replace('-', "+")
        .replace('_', "/");
    BASE64_NOPAD
        .decode(standard.as_bytes())
        .map_err(|_| InvalidPasswordHash::Form)
}

impl fmt::Debug for FirebaseScrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FirebaseScrypt(..)")
    }
}
