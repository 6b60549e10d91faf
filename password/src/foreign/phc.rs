//! The parts of PHC strings that scrypt and PBKDF2 share.
//! <https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md>

use std::ops::RangeInclusive;

use data_encoding::BASE64_NOPAD;
#[cfg(any(feature = "pbkdf2", feature = "scrypt"))]
use subtle::ConstantTimeEq as _;

use crate::InvalidPasswordHash;
use crate::stored::MIN_OUTPUT_LENGTH;

/// The longest result, in octets.
pub(super) const MAX_OUTPUT_LENGTH: usize = 64;
const OUTPUT_LENGTHS: RangeInclusive<usize> = MIN_OUTPUT_LENGTH..=MAX_OUTPUT_LENGTH;
const SALT_LENGTHS: RangeInclusive<usize> = 1..=128;

/// A salt and the result for it.
#[cfg_attr(
    not(any(feature = "pbkdf2", feature = "scrypt")),
    expect(dead_code, reason = "only their form is checked")
)]
pub(super) struct Salted {
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl Salted {
    /// Checks the lengths of both.
    pub(super) fn new(salt: Vec<u8>, output: Vec<u8>) -> Result<Self, InvalidPasswordHash> {
        let fits = SALT_LENGTHS.contains(&salt.len()) && OUTPUT_LENGTHS.contains(&output.len());
        fits.then_some(Self { salt, output })
            .ok_or(InvalidPasswordHash::Form)
    }

    /// Reads both in Base64 without padding.
    pub(super) fn read(salt: &str, output: &str) -> Result<Self, InvalidPasswordHash> {
        let decoded = |text: &str| {
            BASE64_NOPAD
                .decode(text.as_bytes())
                .map_err(|_| InvalidPasswordHash::Form)
        };
        Self::new(decoded(salt)?, decoded(output)?)
    }

    /// Whether a result is the stored one, compared in constant time.
    #[cfg(any(feature = "pbkdf2", feature = "scrypt"))]
    pub(super) fn is(&self, output: &[u8]) -> bool {
        self.output.ct_eq(output).into()
    }
}

/// The values of named parameters such as `ln=14,r=8,p=1`, in the order of `names`: each of them once, and no
/// other.
pub(super) fn parameters<const N: usize>(
    text: &str,
    names: [&str; N],
) -> Result<[u32; N], InvalidPasswordHash> {
    let mut values = [None; N];
    for parameter in text.split(',') {
        let (name, value) = parameter.split_once('=').ok_or(InvalidPasswordHash::Form)?;
        let index = names.iter().position(|known| *known == name);
        let slot = index.and_then(|index| values.get_mut(index));
        let slot = slot.ok_or(InvalidPasswordHash::Form)?;
        if slot.replace(number(value)?).is_some() {
            return Err(InvalidPasswordHash::Form);
        }
    }
    let mut read = [0; N];
    for (read, value) in read.iter_mut().zip(values) {
        *read = value.ok_or(InvalidPasswordHash::Form)?;
    }
    Ok(read)
}

/// A decimal number without a sign or leading zeros. One of more than 32 bits is too high a cost.
pub(super) fn number(text: &str) -> Result<u32, InvalidPasswordHash> {
    let is_decimal = text.bytes().all(|octet| octet.is_ascii_digit());
    if text.is_empty() || !is_decimal || text.starts_with('0') {
        return Err(InvalidPasswordHash::Form);
    }
    text.parse().map_err(|_| InvalidPasswordHash::Cost)
}
