//! PBKDF2 (RFC 8018) with HMAC: PHC strings, and the forms of passlib, Django and Spring.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
#[cfg(feature = "pbkdf2")]
use pbkdf2::pbkdf2_hmac;
#[cfg(feature = "pbkdf2")]
use sha1::Sha1;
#[cfg(feature = "pbkdf2")]
use sha2::{Sha256, Sha512};
#[cfg(feature = "pbkdf2")]
use zeroize::Zeroizing;

#[cfg(feature = "pbkdf2")]
use super::phc::MAX_OUTPUT_LENGTH;
use super::phc::{Salted, number, parameters};
use super::{Foreign, Parsed};
use crate::InvalidPasswordHash;

/// The most iterations for all blocks of a result together. Libraries make up to 1.5 million.
const MAX_ITERATIONS: u64 = 10_000_000;

#[derive(Clone, Copy)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    /// The length of a block in octets.
    fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// PHC strings and those of passlib, which has no name for SHA-1.
const PHC: [(&str, Digest); 4] = [
    ("$pbkdf2$", Digest::Sha1),
    ("$pbkdf2-sha1$", Digest::Sha1),
    ("$pbkdf2-sha256$", Digest::Sha256),
    ("$pbkdf2-sha512$", Digest::Sha512),
];
const DJANGO: [(&str, Digest); 2] = [
    ("pbkdf2_sha1$", Digest::Sha1),
    ("pbkdf2_sha256$", Digest::Sha256),
];

/// An encoder of Spring Security with its default settings. The text names no costs.
struct Spring {
    prefix: &'static str,
    digest: Digest,
    iterations: u32,
    salt_length: usize,
}

/// The length of Spring's results in octets.
const SPRING_OUTPUT_LENGTH: usize = 32;
const SPRING: [Spring; 2] = [
    Spring {
        prefix: "{pbkdf2}",
        digest: Digest::Sha1,
        iterations: 185_000,
        salt_length: 8,
    },
    Spring {
        prefix: "{pbkdf2@SpringSecurity_v5_8}",
        digest: Digest::Sha256,
        iterations: 310_000,
        salt_length: 16,
    },
];

struct Hash {
    digest: Digest,
    iterations: u32,
    salted: Salted,
}

pub(super) fn parse(text: &str) -> Parsed {
    let of = |known: &[(&str, Digest)]| {
        let mut known = known.iter();
        known.find_map(|(prefix, digest)| Some((*digest, text.strip_prefix(prefix)?)))
    };
    let read = if let Some((digest, rest)) = of(&PHC) {
        phc(digest, rest)
    } else if let Some((digest, rest)) = of(&DJANGO) {
        django(digest, rest)
    } else {
        let mut encoders = SPRING.iter();
        let (encoder, rest) =
            encoders.find_map(|encoder| Some((encoder, text.strip_prefix(encoder.prefix)?)))?;
        spring(encoder, rest)
    };
    let checked = read.and_then(Hash::checked);
    Some(checked.map(|hash| Box::new(hash) as Box<dyn Foreign>))
}

/// `i=600000,l=32$SALT$HASH` in Base64 without padding, or passlib's `29000$SALT$HASH`, whose Base64 has `.`
/// for `+`. The length may be left out.
fn phc(digest: Digest, text: &str) -> Result<Hash, InvalidPasswordHash> {
    let [cost, salt, output] = parts(text)?;
    if !cost.contains('=') {
        let standard = |text: &str| text.replace('.', "+");
        return Ok(Hash {
            digest,
            iterations: number(cost)?,
            salted: Salted::read(&standard(salt), &standard(output))?,
        });
    }
    let salted = Salted::read(salt, output)?;
    let (iterations, length) = if cost.contains("l=") {
        let [iterations, length] = parameters(cost, ["i", "l"])?;
        (iterations, Some(length as usize))
    } else {
        let [iterations] = parameters(cost, ["i"])?;
        (iterations, None)
    };
    if length.is_some_and(|length| length != salted.output.len()) {
        return Err(InvalidPasswordHash::Form);
    }
    Ok(Hash {
        digest,
        iterations,
        salted,
    })
}

/// `870000$SALT$HASH`: the salt is used as it is written, and the hash is in Base64.
fn django(digest: Digest, text: &str) -> Result<Hash, InvalidPasswordHash> {
    let [iterations, salt, output] = parts(text)?;
    let output = BASE64.decode(output.as_bytes());
    let output = output.map_err(|_| InvalidPasswordHash::Form)?;
    Ok(Hash {
        digest,
        iterations: number(iterations)?,
        salted: Salted::new(salt.as_bytes().to_vec(), output)?,
    })
}

/// The salt and the hash in one hexadecimal text.
fn spring(encoder: &Spring, text: &str) -> Result<Hash, InvalidPasswordHash> {
    let decoded = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
    let decoded = decoded.map_err(|_| InvalidPasswordHash::Form)?;
    let (salt, output) = decoded
        .split_at_checked(encoder.salt_length)
        .filter(|(_, output)| output.len() == SPRING_OUTPUT_LENGTH)
        .ok_or(InvalidPasswordHash::Form)?;
    Ok(Hash {
        digest: encoder.digest,
        iterations: encoder.iterations,
        salted: Salted::new(salt.to_vec(), output.to_vec())?,
    })
}

fn parts(text: &str) -> Result<[&str; 3], InvalidPasswordHash> {
    let parts: Vec<_> = text.split('$').collect();
    parts.try_into().map_err(|_| InvalidPasswordHash::Form)
}

impl Hash {
    /// The hash, if its time is within bounds.
    fn checked(self) -> Result<Self, InvalidPasswordHash> {
        let blocks = self.salted.output.len().div_ceil(self.digest.length());
        if u64::from(self.iterations) * blocks as u64 > MAX_ITERATIONS {
            return Err(InvalidPasswordHash::Cost);
        }
        Ok(self)
    }
}

impl Foreign for Hash {
    #[cfg(feature = "pbkdf2")]
    fn matches(&self, password: &[u8]) -> bool {
        let mut output = Zeroizing::new([0; MAX_OUTPUT_LENGTH]);
        let Some(output) = output.get_mut(..self.salted.output.len()) else {
            return false;
        };
        let derive = match self.digest {
            Digest::Sha1 => pbkdf2_hmac::<Sha1>,
            Digest::Sha256 => pbkdf2_hmac::<Sha256>,
            Digest::Sha512 => pbkdf2_hmac::<Sha512>,
        };
        derive(password, &self.salted.salt, self.iterations, output);
        self.salted.is(output)
    }

    #[cfg(not(feature = "pbkdf2"))]
    fn matches(&self, _: &[u8]) -> bool {
        false
    }
}
