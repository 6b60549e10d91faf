//! Codes: derived from the code key whenever one is needed, and never stored.
//!
//! `code = truncate(HMAC-SHA-256(code key, label ‖ protocol ‖ session reference ‖ generation ‖ address
//! key ‖ nonce))`. The nonce is drawn for each generation, and only the session and its mail request hold
//! it. So neither the table nor the key alone gives a code. The address key is that of the mailbox which
//! the mail goes to, so a forged mail request yields a code that opens nothing.

use std::fmt;
use std::iter::repeat_n;

use rand::rngs::StdRng;
use regain_password::unicode::{self, is_dash, is_invisible};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::api::Protocol;
use crate::hex::Hex;
use crate::ids::{SessionRef, draw};
use crate::keys::{AddressKey, Key};
use crate::link::LinkToken;

/// How many decimal digits a code has: 4 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeLength(u8);

impl CodeLength {
    /// Takes a length from 4 to 10.
    #[must_use]
    pub const fn new(digits: u8) -> Option<Self> {
        if digits >= 4 && digits <= 10 {
            Some(Self(digits))
        } else {
            None
        }
    }

    /// The number of digits.
    #[must_use]
    pub const fn digits(self) -> usize {
        self.0 as usize
    }

    /// The number of different codes.
    #[must_use]
    pub const fn codes(self) -> u64 {
        10_u64.pow(self.0 as u32)
    }
}

/// A code: decimal digits with leading zeros. It is compared in constant time, wiped when dropped, and
/// never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code(String);

impl Code {
    /// Reads a code as a person typed it. White space, dashes and invisible characters are dropped
    /// anywhere, and digits of all scripts count. `None` if that does not leave `length` digits.
    #[must_use]
    pub fn parse(typed: &str, length: CodeLength) -> Option<Self> {
        // With its full capacity: a string that grows leaves a copy of the secret behind.
        let mut code = Self(String::with_capacity(length.digits()));
        for character in typed.chars().filter(|it| !is_separator(*it)) {
            if code.0.len() == length.digits() {
                return None;
            }
            let digit = unicode::digit(character)?;
            code.0.push(char::from(b'0' + digit));
        }
        (code.0.len() == length.digits()).then_some(code)
    }

    /// Reads a code that a client sent as a JSON number, and so without its leading zeros. `number` is the
    /// number as JSON writes it. `None` if it is an integer that cannot be a code.
    ///
    /// # Errors
    /// If the number is not an integer. `123456.0` and `1.23456e5` are integers.
    pub fn from_number(number: &str, length: CodeLength) -> Result<Option<Self>, NotAnInteger> {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let magnitude = whole.trim_start_matches('-');
        // The number is its digits times ten to the power of its scale.
        let digits = Zeroizing::new([magnitude, fraction].concat());
        let digits = digits.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::padded("", 0, length));
        }
        // An exponent that does not fit in an i32 exceeds the digits that any body has room for.
        let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') {
            i32::MIN
        } else {
            i32::MAX
        });
        let trailing = digits.len() - significant.len();
        let scale = i128::from(exponent) + trailing as i128 - fraction.len() as i128;
        let zeros = usize::try_from(scale).map_err(|_| NotAnInteger)?;
        if whole.starts_with('-') {
            return Ok(None);
        }
        Ok(Self::padded(significant, zeros, length))
    }

    /// The code of these digits, followed by `zeros` zeros, with leading zeros to its length.
    fn padded(digits: &str, zeros: usize, length: CodeLength) -> Option<Self> {
        let missing = length
            .digits()
            .checked_sub(digits.len())?
            .checked_sub(zeros)?;
        let mut code = Self(String::with_capacity(length.digits()));
        code.0.extend(repeat_n('0', missing));
        code.0.push_str(digits);
        code.0.extend(repeat_n('0', zeros));
        Some(code)
    }

    /// The code in clear, for the mail only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether a character is one that people put between a code's digits, or paste along with them.
fn is_separator(character: char) -> bool {
    character.is_whitespace() || is_dash(character) || is_invisible(character)
}

/// A JSON number that is not an integer. The message does not repeat the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an integer")]
pub struct NotAnInteger;

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// The kind of [`Nonce`].
#[derive(Debug)]
pub enum OfNonce {}

/// The 128 random bits that make the code of one generation unlike any other.
pub type Nonce = Hex<OfNonce, 16>;

impl Nonce {
    /// A new nonce.
    #[must_use]
    pub fn draw(rng: &mut StdRng) -> Self {
        Self::new(draw(rng))
    }
}

/// The input from which a code and the link beside it are derived with the key.
#[derive(Clone, Copy, Debug)]
pub struct CodeInput<'a> {
    /// The protocol of the session.
    pub protocol: Protocol,
    /// The session.
    pub session: &'a SessionRef,
    /// The number of the generation.
    pub generation: u64,
    /// The mailbox that it is sent to.
    pub address: &'a AddressKey,
    /// The generation's nonce.
    pub nonce: &'a Nonce,
}

/// The code key: the version in use, and the one before it, for codes that were mailed and not yet used.
#[derive(Clone, Debug)]
pub struct CodeKeys {
    mail: Version,
    versions: Vec<Version>,
}

/// The keys for codes and for links, of one version of the code key.
#[derive(Clone, Debug)]
struct Version {
    code: Key,
    link: Key,
}

impl CodeKeys {
    /// Takes the version that codes are mailed with, and all versions that are accepted (including it).
    #[must_use]
    pub fn new(mail: &[u8], accepted: &[&[u8]]) -> Self {
        let split = |secret: &[u8]| Version {
            code: Key::derive(secret, "regain/code/v1"),
            link: Key::derive(secret, "regain/link/v1"),
        };
        Self {
            mail: split(mail),
            versions: accepted.iter().map(|secret| split(secret)).collect(),
        }
    }

    /// The code to mail.
    #[must_use]
    pub fn derive(&self, input: &CodeInput<'_>, length: CodeLength) -> Code {
        derive(&self.mail.code, input, length)
    }

    /// The token of the link to mail beside the code.
    #[must_use]
    pub fn derive_link(&self, input: &CodeInput<'_>) -> LinkToken {
        LinkToken::new(*input.session, mac(&self.mail.link, input))
    }

    /// Whether a token is that of the link by any accepted version. Takes the same time for right and wrong
    /// ones.
    #[must_use]
    pub fn matches_link(&self, token: &LinkToken, input: &CodeInput<'_>) -> bool {
        let mut found = Choice::from(0);
        for version in &self.versions {
            found |= LinkToken::new(*input.session, mac(&version.link, input)).ct_eq(token);
        }
        found.into()
    }

    /// Whether `guess` is the code by any accepted version. Takes the same time for right and wrong ones.
    #[must_use]
    pub fn matches(&self, guess: &Code, input: &CodeInput<'_>, length: CodeLength) -> bool {
        let mut found = Choice::from(0);
        for version in &self.versions {
            found |= derive(&version.code, input, length)
                .0
                .as_bytes()
                .ct_eq(guess.0.as_bytes());
        }
        found.into()
    }
}

fn mac(key: &Key, input: &CodeInput<'_>) -> [u8; 32] {
    key.mac(&[
        input.protocol.name().as_bytes(),
        input.session.as_bytes(),
        &input.generation.to_be_bytes(),
        input.address.as_bytes(),
        input.nonce.as_bytes(),
    ])
}

fn derive(key: &Key, input: &CodeInput<'_>, length: CodeLength) -> Code {
    let mac = mac(key, input);
    // 64 bits before the modulus: the bias of the likeliest code is below 10^10 / 2^64.
    let number = u64::from_be_bytes(*mac.first_chunk().unwrap_or(&[0; 8])) % length.codes();
    Code(format!("{number:0width$}", width = length.digits()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use regain_password::Address;

    use super::*;
    use crate::ids::SessionId;
    use crate::keys::IndexKeys;

    const SIX: CodeLength = CodeLength(6);

    #[test]
    fn a_code_is_read_as_the_person_means_it() {
        for (typed, code) in [
            ("012345", Some("012345")),
            (" 012345\n", Some("012345")),
            ("012 345", Some("012345")),
            ("0 1 2 3 4 5", Some("012345")),
            ("012-345", Some("012345")),
            ("-012345-", Some("012345")),
            ("012\u{2010}345", Some("012345")),
            ("012 \u{2013} 345", Some("012345")),
            ("012\u{2212}345", Some("012345")),
            ("012\u{301c}345", Some("012345")),
            ("012\u{a0}345", Some("012345")),
            ("012\u{2003}345\u{2029}", Some("012345")),
            ("\u{200b}012345\u{feff}", Some("012345")),
            ("\u{202d}012\u{ad}345\u{202c}", Some("012345")),
            ("０１２３４５", Some("012345")),
            ("٠١٢٣٤٥", Some("012345")),
            ("۰۱۲۳۴۵", Some("012345")),
            ("०१२३४५", Some("012345")),
            ("𝟘𝟙𝟚𝟛𝟜𝟝", Some("012345")),
            ("9٨७６ ५-4", Some("987654")),
            ("12345", None),
            ("0123456", None),
            ("012 345 6", None),
            ("01234a", None),
            ("01234l", None),
            ("", None),
            (" \u{200b}-", None),
            ("+12345", None),
            ("+012345", None),
            ("012.345", None),
            ("012_345", None),
            ("012,345", None),
            ("12345½", None),
            ("12345²", None),
            ("12345①", None),
            ("12345Ⅵ", None),
            ("一二三四五六", None),
        ] {
            assert_eq!(
                Code::parse(typed, SIX).as_ref().map(Code::reveal),
                code,
                "{typed:?}"
            );
        }
    }

    #[test]
    fn a_number_that_is_an_integer_gets_its_leading_zeros_back() {
        let beyond = format!("1{}e-400", "0".repeat(405));
        for (number, code) in [
            ("123456", Ok(Some("123456"))),
            ("42", Ok(Some("000042"))),
            ("0", Ok(Some("000000"))),
            ("-0", Ok(Some("000000"))),
            ("0.000", Ok(Some("000000"))),
            ("0e-99999999999999999999", Ok(Some("000000"))),
            ("123456.0", Ok(Some("123456"))),
            ("123456.000000000000000000000", Ok(Some("123456"))),
            ("1.23456e5", Ok(Some("123456"))),
            ("1.23456E+5", Ok(Some("123456"))),
            ("0.00123456e8", Ok(Some("123456"))),
            ("12345600e-2", Ok(Some("123456"))),
            ("1e5", Ok(Some("100000"))),
            ("120e0", Ok(Some("000120"))),
            (&beyond, Ok(Some("100000"))),
            ("1000000", Ok(None)),
            ("1e6", Ok(None)),
            ("1e400", Ok(None)),
            ("1e99999999999999999999", Ok(None)),
            ("18446744073709551616", Ok(None)),
            ("-1", Ok(None)),
            ("-123456", Ok(None)),
            ("1.5", Err(NotAnInteger)),
            ("-1.5", Err(NotAnInteger)),
            ("123456.00000000000000000001", Err(NotAnInteger)),
            ("1.23456e4", Err(NotAnInteger)),
            ("123456e-1", Err(NotAnInteger)),
            ("1e-400", Err(NotAnInteger)),
            ("1e-99999999999999999999", Err(NotAnInteger)),
        ] {
            let read = Code::from_number(number, SIX);
            let read = read.as_ref().map(|code| code.as_ref().map(Code::reveal));
            assert_eq!(read, code.as_ref().copied(), "{number}");
        }
    }

    #[test]
    fn a_nonce_comes_back_from_its_text_and_from_nothing_else() {
        let nonce = Nonce::draw(&mut StdRng::seed_from_u64(7));
        assert_eq!(Nonce::from_hex(&nonce.hex()), Some(nonce));
        for other in ["", "00", &"0".repeat(34), &"g".repeat(32)] {
            assert_eq!(Nonce::from_hex(other), None, "{other}");
        }
    }

    #[test]
    fn a_code_and_its_link_depend_on_everything_they_are_derived_from() {
        let mut rng = StdRng::seed_from_u64(7);
        let index = IndexKeys::new(b"index");
        let keys = CodeKeys::new(b"new", &[b"new", b"old"]);
        let ten = CodeLength(10);
        let session = SessionId::draw(&mut rng).reference();
        let address = index.address(&Address::parse("a@example.com").unwrap());
        let nonce = Nonce::draw(&mut rng);
        let input = CodeInput {
            protocol: Protocol::Directory,
            session: &session,
            generation: 1,
            address: &address,
            nonce: &nonce,
        };
        let code = keys.derive(&input, ten);
        let link = keys.derive_link(&input);
        let other_session = SessionId::draw(&mut rng).reference();
        let other_address = index.address(&Address::parse("b@example.com").unwrap());
        let other_nonce = Nonce::draw(&mut rng);
        for (other, what) in [
            (
                CodeInput {
                    protocol: Protocol::AuthV1,
                    ..input
                },
                "protocol",
            ),
            (
                CodeInput {
                    session: &other_session,
                    ..input
                },
                "session",
            ),
            (
                CodeInput {
                    generation: 2,
                    ..input
                },
                "generation",
            ),
            (
                CodeInput {
                    address: &other_address,
                    ..input
                },
                "address",
            ),
            (
                CodeInput {
                    nonce: &other_nonce,
                    ..input
                },
                "nonce",
            ),
        ] {
            assert!(!keys.matches(&code, &other, ten), "{what}");
            assert!(!keys.matches_link(&link, &other), "{what}");
        }
        assert!(keys.matches(&code, &input, ten));
        assert!(keys.matches_link(&link, &input));
        let before_rotation = CodeKeys::new(b"old", &[b"old"]).derive(&input, ten);
        assert!(keys.matches(&before_rotation, &input, ten), "previous key");
        let link_before = CodeKeys::new(b"old", &[b"old"]).derive_link(&input);
        assert!(keys.matches_link(&link_before, &input), "previous key");
        let unknown = CodeKeys::new(b"older", &[b"older"]).derive_link(&input);
        assert!(!keys.matches_link(&unknown, &input), "older key");
        let unknown = CodeKeys::new(b"older", &[b"older"]).derive(&input, ten);
        assert!(
            !keys.matches(&unknown, &input, ten),
            "key before the previous one"
        );
    }

    proptest! {
        #[test]
        fn every_code_is_as_long_as_set(seed: u64, digits in 4_u8..=10) {
            let mut rng = StdRng::seed_from_u64(seed);
            let length = CodeLength::new(digits).unwrap();
            let index = IndexKeys::new(b"index");
            let session = SessionId::draw(&mut rng).reference();
            let input = CodeInput {
                protocol: Protocol::AuthV1,
                session: &session,
                generation: seed,
                address: &index.address(&Address::parse("a@example.com").unwrap()),
                nonce: &Nonce::draw(&mut rng),
            };
            let code = CodeKeys::new(b"k", &[b"k"]).derive(&input, length);
            prop_assert!(Code::parse(code.reveal(), length).is_some());
        }
    }
}
