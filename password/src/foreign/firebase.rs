//! The modified scrypt of Firebase Authentication, in the form that [`crate::FirebaseScrypt`] gives it.
//!
//! Firebase derives an AES-256 key from the password by scrypt, and encrypts the project's signer key with it
//! in counter mode. Without the signer key, what is left is the key stream.

#[cfg(feature = "firebase-scrypt")]
use aes::Aes256;
#[cfg(feature = "firebase-scrypt")]
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
#[cfg(feature = "firebase-scrypt")]
use zeroize::Zeroizing;

#[cfg(feature = "firebase-scrypt")]
use super::phc::MAX_OUTPUT_LENGTH;
use super::phc::{Salted, parameters};
use super::scrypt::Params;
use super::{Foreign, Parsed};
use crate::InvalidPasswordHash;
use crate::firebase::PREFIX;

#[cfg(feature = "firebase-scrypt")]
const BLOCK: usize = 16;

#[cfg_attr(
    not(feature = "firebase-scrypt"),
    expect(dead_code, reason = "only its form is checked")
)]
struct Hash {
    params: Params,
    salted: Salted,
}

pub(super) fn parse(text: &str) -> Parsed {
    let read = read(text.strip_prefix(PREFIX)?);
    Some(read.map(|hash| Box::new(hash) as Box<dyn Foreign>))
}

fn read(text: &str) -> Result<Hash, InvalidPasswordHash> {
    let parts: Vec<_> = text.split('$').collect();
    let [cost, salt, stream] = parts.try_into().map_err(|_| InvalidPasswordHash::Form)?;
    let [ln, r] = parameters(cost, ["ln", "r"])?;
    Ok(Hash {
        params: super::scrypt::params(ln, r, 1)?,
        salted: Salted::read(salt, stream)?,
    })
}

impl Foreign for Hash {
    #[cfg(feature = "firebase-scrypt")]
    fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new([0; 32]);
        if !self
            .params
            .derive(password, &self.salted.salt, key.as_mut())
        {
            return false;
        }
        let cipher = Aes256::new(&(*key).into());
        let mut stream = Zeroizing::new([0; MAX_OUTPUT_LENGTH]);
        for (counter, block) in (0_u128..).zip(stream.chunks_exact_mut(BLOCK)) {
            let mut octets = counter.to_be_bytes().into();
            cipher.encrypt_block(&mut octets);
            block.copy_from_slice(&octets);
        }
        let stream = stream.get(..self.salted.output.len());
        stream.is_some_and(|stream| self.salted.is(stream))
    }

    #[cfg(not(feature = "firebase-scrypt"))]
    fn matches(&self, _: &[u8]) -> bool {
        false
    }
}
