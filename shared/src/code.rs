//! Codes: derived from the code key whenever they are needed, stored nowhere.
//!
//! `code = truncate(HMAC-SHA-256(code key, label ‖ protocol ‖ session reference ‖ generation ‖ address
//! key ‖ nonce))`. The nonce is drawn for each generation and lives on the session and its mail request
//! only, so that neither the table nor the key alone tells a code. The address key is that of the
//! mailbox really written to: a forged mail request yields a code that opens nothing.

use std::fmt;

use data_encoding::HEXLOWER;
use rand::rngs::StdRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ids::{SessionRef, draw};
use crate::keys::{AddressKey, Key};
use crate::session::Protocol;

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

/// A code: decimal digits, leading zeros kept. Compared in constant time, wiped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code(String);

impl Code {
    /// Takes a code as a person typed it, trimmed; anything but `length` ASCII digits is none.
    #[must_use]
    pub fn parse(typed: &str, length: CodeLength) -> Option<Self> {
        let code = typed.trim();
        let fits = code.len() == length.digits() && code.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(code.to_owned()))
    }

    /// Takes a code that a client sent as a JSON number, and so without its leading zeros.
    #[must_use]
    pub fn from_number(number: u64, length: CodeLength) -> Option<Self> {
        Self::parse(
            &format!("{number:0width$}", width = length.digits()),
            length,
        )
    }

    /// The code in clear: for the mail only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// What makes one generation's code unlike any other: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// A new nonce.
    #[must_use]
    pub fn draw(rng: &mut StdRng) -> Self {
        Self(draw(rng))
    }

    /// The nonce as 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Reads [`Nonce::hex`] back.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// What a code is derived from, the key apart.
#[derive(Clone, Copy, Debug)]
pub struct CodeInput<'a> {
    /// The protocol of the session.
    pub protocol: Protocol,
    /// The session.
    pub session: &'a SessionRef,
    /// Which of the session's codes.
    pub generation: u64,
    /// The mailbox it is sent to.
    pub address: &'a AddressKey,
    /// The generation's nonce.
    pub nonce: &'a Nonce,
}

/// The code key: the version in use, and the one before it for codes still in flight.
#[derive(Clone, Debug)]
pub struct CodeKeys {
    mail: Key,
    versions: Vec<Key>,
}

impl CodeKeys {
    /// Takes the key that mail is written with, and all that are accepted (it among them).
    #[must_use]
    pub fn new(mail: &[u8], accepted: &[&[u8]]) -> Self {
        let split = |secret: &[u8]| Key::derive(secret, "regain/code/v1");
        Self {
            mail: split(mail),
            versions: accepted.iter().map(|secret| split(secret)).collect(),
        }
    }

    /// The code to be mailed.
    #[must_use]
    pub fn derive(&self, input: &CodeInput<'_>, length: CodeLength) -> Code {
        derive(&self.mail, input, length)
    }

    /// Whether `guess` is the code, under any accepted version. Takes the same time either way.
    #[must_use]
    pub fn matches(&self, guess: &Code, input: &CodeInput<'_>, length: CodeLength) -> bool {
        let mut found = Choice::from(0);
        for key in &self.versions {
            found |= derive(key, input, length)
                .0
                .as_bytes()
                .ct_eq(guess.0.as_bytes());
        }
        found.into()
    }
}

fn derive(key: &Key, input: &CodeInput<'_>, length: CodeLength) -> Code {
    let mac = key.mac(&[
        input.protocol.name().as_bytes(),
        input.session.as_bytes(),
        &input.generation.to_be_bytes(),
        input.address.as_bytes(),
        &input.nonce.0,
    ]);
    // 64 bits before the modulus: the bias of the likeliest code is below 10^10 / 2^64.
    let number = u64::from_be_bytes(*mac.first_chunk().unwrap_or(&[0; 8])) % length.codes();
    Code(format!("{number:0width$}", width = length.digits()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;
    use crate::address::Address;
    use crate::ids::SessionId;
    use crate::keys::IndexKeys;

    const SIX: CodeLength = CodeLength(6);

    #[test]
    fn a_typed_code_is_trimmed_and_nothing_else() {
        for (typed, code) in [
            ("012345", Some("012345")),
            (" 012345\n", Some("012345")),
            ("12345", None),
            ("0123456", None),
            ("01234a", None),
            ("012 345", None),
            ("", None),
            ("\u{ff10}12345", None),
            ("+12345", None),
        ] {
            assert_eq!(
                Code::parse(typed, SIX).as_ref().map(Code::reveal),
                code,
                "{typed:?}"
            );
        }
    }

    #[test]
    fn a_numeric_code_gets_its_leading_zeros_back() {
        assert_eq!(Code::from_number(42, SIX).unwrap().reveal(), "000042");
        assert!(Code::from_number(1_000_000, SIX).is_none());
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
    fn a_code_depends_on_everything_it_is_derived_from() {
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
        }
        assert!(keys.matches(&code, &input, ten));
        let before_rotation = CodeKeys::new(b"old", &[b"old"]).derive(&input, ten);
        assert!(keys.matches(&before_rotation, &input, ten), "previous key");
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
