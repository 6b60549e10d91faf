//! The modified scrypt of Firebase Authentication, in the form that [`crate::FirebaseScrypt`] gives it.
//!
//! Firebase derives an AES-256 key from the password by scrypt, and encrypts the project's signer key with it
//! in counter mode. Without the signer key, what is left is the key stream.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use scrypt::Params;
use zeroize::Zeroizing;

use super::phc::{MAX_OUTPUT_LENGTH, Salted, parameters};
use super::{Foreign, Parsed};
use crate::InvalidPasswordHash;
use crate::firebase::PREFIX;

const BLOCK: usize = 16;

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
    fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new([0; 32]);
        if scrypt::scrypt(password, &self.salted.salt, &self.params, key.as_mut()).is_err() {
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
}
