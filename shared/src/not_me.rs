//! The token of a notice's link, by which a person says: it was not me who changed the password.
//!
//! It is letters only, like that of a code's link (see [`crate::link`]), and stored nowhere: it names the user and
//! the change, and 128 bits that only the index key makes. That key never rotates, so every link is good for its
//! seven days. The code key would accept its previous version for 75 minutes.

use std::fmt;
use std::time::Duration;

use data_encoding::HEXLOWER;
use regain_password::Address;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ids::{UserId, UserIdFormat};
use crate::keys::Key;
use crate::link::{letters, octets};
use crate::timestamp::Timestamp;

/// How long a notice's link is good, from the change on.
pub const NOT_ME_TTL: Duration = Duration::from_hours(7 * 24);

const MAC: usize = 16;
const BODY: usize = 1 + 16 + 8 + 8 + MAC;

/// A notice's token: 130 letters from a to p. It is wiped when dropped, and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct NotMeToken {
    /// The form of the user's id, the id, the version of the credentials that the change made, the time of the
    /// change, and a keyed digest of the address.
    body: [u8; BODY],
    mac: [u8; MAC],
}

/// The change of a password that a proven token is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DisownedChange {
    pub(crate) user: UserId,
    /// The version of the user's credentials that the change made.
    pub(crate) credentials_version: u64,
    pub(crate) changed_at: Timestamp,
}

impl NotMeToken {
    /// How many letters a token has.
    pub const LETTERS: usize = 2 * (BODY + MAC);

    /// The token about a change, for the mailbox that the notice goes to. `None` if the id has none of the
    /// directory's forms.
    pub(crate) fn new(key: &Key, change: &DisownedChange, address: &Address) -> Option<Self> {
        let (form, id) = bytes_of(&change.user)?;
        let mut body = Vec::with_capacity(BODY);
        body.push(form);
        body.extend(id);
        body.extend(change.credentials_version.to_be_bytes());
        body.extend(change.changed_at.millis().to_be_bytes());
        body.extend(digest(key, address));
        let body: [u8; BODY] = body.try_into().ok()?;
        Some(Self {
            mac: first(key.mac(&[b"change", &body])),
            body,
        })
    }

    /// Reads a token as a client sends it. `None` if it is not 130 letters from a to p.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octets: Zeroizing<[u8; BODY + MAC]> = Zeroizing::new(octets(text)?);
        let (body, mac) = octets.split_first_chunk::<BODY>()?;
        Some(Self {
            body: *body,
            mac: mac.try_into().ok()?,
        })
    }

    /// The token as the mail carries it, for the mail only.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        letters(self.body.iter().chain(&self.mac))
    }

    /// The change that the token is about, if the key made the token.
    pub(crate) fn proven(&self, key: &Key) -> Option<DisownedChange> {
        let mac: [u8; MAC] = first(key.mac(&[b"change", &self.body]));
        if !bool::from(mac.ct_eq(&self.mac)) {
            return None;
        }
        let (form, rest) = self.body.split_first()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (changed_at, _) = rest.split_first_chunk()?;
        Some(DisownedChange {
            user: id_of(*form, *id)?,
            credentials_version: u64::from_be_bytes(*version),
            changed_at: Timestamp::from_millis(i64::from_be_bytes(*changed_at)),
        })
    }

    /// Whether the notice went to that address.
    pub(crate) fn is_for(&self, key: &Key, address: &Address) -> bool {
        self.body.ends_with(&digest(key, address))
    }
}

impl fmt::Debug for NotMeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotMeToken(..)")
    }
}

fn digest(key: &Key, address: &Address) -> [u8; MAC] {
    first(key.mac(&[b"address", address.as_str().as_bytes()]))
}

fn first(mac: [u8; 32]) -> [u8; MAC] {
    *mac.first_chunk().unwrap_or(&[0; MAC])
}

/// The form of an id and its octets, with zeros behind those of an `ObjectId`.
fn bytes_of(id: &UserId) -> Option<(u8, [u8; 16])> {
    if UserIdFormat::Uuid.fits(id.as_str()) {
        return Some((1, Uuid::try_parse(id.as_str()).ok()?.into_bytes()));
    }
    let mut octets = HEXLOWER.decode(id.as_str().as_bytes()).ok()?;
    if octets.len() != 12 {
        return None;
    }
    octets.resize(16, 0);
    Some((0, octets.try_into().ok()?))
}

fn id_of(form: u8, octets: [u8; 16]) -> Option<UserId> {
    match form {
        0 => Some(UserId::sent(&HEXLOWER.encode(octets.get(..12)?))),
        1 => Some(UserId::sent(&Uuid::from_bytes(octets).to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT_ID: &str = "60115a65c0c6974f894f9ea6";
    const UUID: &str = "0b8c2c3e-3f5d-4c1e-9f3a-2b6d5e4c3a21";

    fn key() -> Key {
        Key::derive(b"secret", "label")
    }

    fn address() -> Address {
        Address::parse("ann@example.com").unwrap()
    }

    fn change(id: &str) -> DisownedChange {
        DisownedChange {
            user: UserId::sent(id),
            credentials_version: 7,
            changed_at: Timestamp::from_millis(1_773_144_000_123),
        }
    }

    fn token(id: &str) -> NotMeToken {
        NotMeToken::new(&key(), &change(id), &address()).unwrap()
    }

    #[test]
    fn a_token_is_130_letters_that_tell_the_change_to_who_has_the_key() {
        for id in [OBJECT_ID, UUID] {
            let text = token(id).reveal();
            assert_eq!((text.len(), NotMeToken::LETTERS), (130, 130));
            assert!(text.bytes().all(|it| matches!(it, b'a'..=b'p')));
            let parsed = NotMeToken::parse(&text).unwrap();
            assert_eq!(parsed.proven(&key()), Some(change(id)));
            assert!(parsed.is_for(&key(), &address()));
            let other = Address::parse("bob@example.com").unwrap();
            assert!(!parsed.is_for(&key(), &other));
            assert_eq!(parsed.proven(&Key::derive(b"secret", "other")), None);
        }
    }

    #[test]
    fn a_token_with_any_letter_changed_proves_nothing() {
        let text = token(OBJECT_ID).reveal().to_string();
        for index in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[index] = if other[index] == b'a' { b'b' } else { b'a' };
            let other = NotMeToken::parse(&String::from_utf8(other).unwrap()).unwrap();
            assert_eq!(other.proven(&key()), None, "letter {index}");
        }
    }

    #[test]
    fn an_id_of_no_form_has_no_token() {
        for id in [
            "",
            "ann",
            "60115a65c0c6974f894f9e",
            "60115A65C0C6974F894F9EAG",
        ] {
            assert!(
                NotMeToken::new(&key(), &change(id), &address()).is_none(),
                "{id}"
            );
        }
    }

    #[test]
    fn a_token_does_not_print() {
        assert_eq!(format!("{:?}", token(UUID)), "NotMeToken(..)");
    }
}
