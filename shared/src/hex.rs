//! Octets that are stored and sent as lower-case hexadecimal digits.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use data_encoding::HEXLOWER;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;

/// `N` octets, written as `2 * N` lower-case hexadecimal digits.
///
/// `Kind` says of what they are, so that a digest of one kind is not taken for one of another. They are
/// compared in constant time and never printed.
pub struct Hex<Kind, const N: usize> {
    octets: [u8; N],
    kind: PhantomData<fn() -> Kind>,
}

impl<Kind, const N: usize> Hex<Kind, N> {
    pub(crate) const fn new(octets: [u8; N]) -> Self {
        Self {
            octets,
            kind: PhantomData,
        }
    }

    /// The octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.octets
    }

    /// The octets as lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.octets)
    }

    /// Reads [`Hex::hex`] back. `None` if the text has another length or other characters, such as
    /// upper-case digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let octets = HEXLOWER.decode(text.as_bytes()).ok()?;
        Some(Self::new(octets.try_into().ok()?))
    }
}

impl<Kind, const N: usize> Clone for Hex<Kind, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Kind, const N: usize> Copy for Hex<Kind, N> {}

impl<Kind, const N: usize> PartialEq for Hex<Kind, N> {
    fn eq(&self, other: &Self) -> bool {
        self.octets.ct_eq(&other.octets).into()
    }
}

impl<Kind, const N: usize> Eq for Hex<Kind, N> {}

impl<Kind, const N: usize> Hash for Hex<Kind, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.octets.hash(state);
    }
}

impl<Kind, const N: usize> fmt::Debug for Hex<Kind, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hex(..)")
    }
}

impl<Kind, const N: usize> Serialize for Hex<Kind, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de, Kind, const N: usize> Deserialize<'de> for Hex<Kind, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| D::Error::custom("not the hexadecimal digits expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind of the octets here.
    enum Test {}

    #[test]
    fn octets_come_back_from_their_text_and_from_no_other() {
        let octets = Hex::<Test, 2>::new([0x0f, 0xa0]);
        assert_eq!(octets.hex(), "0fa0");
        assert_eq!(Hex::from_hex("0fa0"), Some(octets));
        for text in ["", "0f", "0fa", "0fa000", "0FA0", "0fag", "0f a0"] {
            assert_eq!(Hex::<Test, 2>::from_hex(text), None, "{text:?}");
        }
    }

    #[test]
    fn octets_are_stored_as_their_text() {
        let octets = Hex::<Test, 2>::new([0x0f, 0xa0]);
        let stored = serde_json::to_value(octets).unwrap();
        assert_eq!(stored, "0fa0");
        let read: Hex<Test, 2> = serde_json::from_value(stored).unwrap();
        assert_eq!(read, octets);
        assert!(serde_json::from_value::<Hex<Test, 2>>("0f".into()).is_err());
    }

    #[test]
    fn octets_do_not_print() {
        assert_eq!(format!("{:?}", Hex::<Test, 1>::new([7])), "Hex(..)");
    }
}
