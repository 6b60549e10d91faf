//! scrypt (RFC 7914): PHC strings, and the forms of Django and Spring.

use data_encoding::BASE64;
#[cfg(feature = "scrypt")]
use zeroize::Zeroizing;

#[cfg(feature = "scrypt")]
use super::phc::MAX_OUTPUT_LENGTH;
use super::phc::{Salted, number, parameters};
use super::{Foreign, Parsed};
use crate::InvalidPasswordHash;

/// The most memory, `128·N·r`: 1 GiB.
const MAX_MEMORY: u64 = 1 << 30;
/// The highest `r` and `p`, so that the other buffers, of `128·r·p` octets, stay below 1 MiB. Libraries use 8
/// and at most 5.
const MAX_FACTOR: u32 = 64;
/// The most work, `128·N·r·p` octets that are written and read: twice as much.
const MAX_WORK: u64 = 2 << 30;

/// The cost of a hash.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "scrypt"),
    expect(dead_code, reason = "only its form is checked")
)]
pub(super) struct Params {
    log_n: u8,
    r: u32,
    p: u32,
}

#[cfg_attr(
    not(feature = "scrypt"),
    expect(dead_code, reason = "only its form is checked")
)]
struct Hash {
    params: Params,
    salted: Salted,
}

pub(super) fn parse(text: &str) -> Parsed {
    let read = if let Some(rest) = text.strip_prefix("$scrypt$") {
        phc(rest)
    } else if let Some(rest) = text.strip_prefix("scrypt$") {
        django(rest)
    } else {
        let spring = ["{scrypt}$", "{scrypt@SpringSecurity_v5_8}$"];
        spring_security(spring.iter().find_map(|it| text.strip_prefix(it))?)
    };
    Some(read.map(|hash| Box::new(hash) as Box<dyn Foreign>))
}

/// `ln=14,r=8,p=1$SALT$HASH`, in Base64 without padding.
fn phc(text: &str) -> Result<Hash, InvalidPasswordHash> {
    let [cost, salt, output] = parts(text)?;
    let [ln, r, p] = parameters(cost, ["ln", "r", "p"])?;
    Ok(Hash {
        params: params(ln, r, p)?,
        salted: Salted::read(salt, output)?,
    })
}

/// `16384$SALT$8$1$HASH`: the salt is used as it is written, and the hash is in Base64.
fn django(text: &str) -> Result<Hash, InvalidPasswordHash> {
    let [n, salt, r, p, output] = parts(text)?;
    let n = number(n)?;
    if !n.is_power_of_two() {
        return Err(InvalidPasswordHash::Form);
    }
    Ok(Hash {
        params: params(n.ilog2(), number(r)?, number(p)?)?,
        salted: Salted::new(salt.as_bytes().to_vec(), base64(output)?)?,
    })
}

/// `e0801$SALT$HASH`: log2(N), r and p in hexadecimal, the latter two as two digits, and both others in Base64.
fn spring_security(text: &str) -> Result<Hash, InvalidPasswordHash> {
    let [cost, salt, output] = parts(text)?;
    let is_hex = cost.len() <= 6 && cost.bytes().all(|it| it.is_ascii_hexdigit());
    let cost = u32::from_str_radix(cost, 16).map_err(|_| InvalidPasswordHash::Form)?;
    if !is_hex {
        return Err(InvalidPasswordHash::Form);
    }
    Ok(Hash {
        params: params(cost >> 16, cost >> 8 & 0xff, cost & 0xff)?,
        salted: Salted::new(base64(salt)?, base64(output)?)?,
    })
}

fn parts<const N: usize>(text: &str) -> Result<[&str; N], InvalidPasswordHash> {
    let parts: Vec<_> = text.split('$').collect();
    parts.try_into().map_err(|_| InvalidPasswordHash::Form)
}

fn base64(text: &str) -> Result<Vec<u8>, InvalidPasswordHash> {
    BASE64
        .decode(text.as_bytes())
        .map_err(|_| InvalidPasswordHash::Form)
}

/// The parameters, if time and memory are within bounds.
pub(super) fn params(log_n: u32, r: u32, p: u32) -> Result<Params, InvalidPasswordHash> {
    if log_n == 0 || r == 0 || p == 0 {
        return Err(InvalidPasswordHash::Form);
    }
    let memory = 1_u64
        .checked_shl(log_n)
        .and_then(|n| n.checked_mul(128 * u64::from(r)));
    let work = memory.and_then(|memory| memory.checked_mul(p.into()));
    let is_bounded = r <= MAX_FACTOR
        && p <= MAX_FACTOR
        && memory.is_some_and(|it| it <= MAX_MEMORY)
        && work.is_some_and(|it| it <= MAX_WORK);
    if !is_bounded {
        return Err(InvalidPasswordHash::Cost);
    }
    // RFC 7914, 2: N is less than 2^(128·r/8).
    if log_n >= 16 * r {
        return Err(InvalidPasswordHash::Form);
    }
    let log_n = u8::try_from(log_n).map_err(|_| InvalidPasswordHash::Cost)?;
    Ok(Params { log_n, r, p })
}

#[cfg(feature = "scrypt")]
impl Params {
    /// Hashes a password. Returns whether it could.
    pub(super) fn derive(self, password: &[u8], salt: &[u8], output: &mut [u8]) -> bool {
        let params = scrypt::Params::new(self.log_n, self.r, self.p);
        params.is_ok_and(|params| scrypt::scrypt(password, salt, &params, output).is_ok())
    }
}

impl Foreign for Hash {
    #[cfg(feature = "scrypt")]
    fn matches(&self, password: &[u8]) -> bool {
        let mut output = Zeroizing::new([0; MAX_OUTPUT_LENGTH]);
        let Some(output) = output.get_mut(..self.salted.output.len()) else {
            return false;
        };
        self.params.derive(password, &self.salted.salt, output) && self.salted.is(output)
    }

    #[cfg(not(feature = "scrypt"))]
    fn matches(&self, _: &[u8]) -> bool {
        false
    }
}
