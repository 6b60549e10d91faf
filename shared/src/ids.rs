//! Identifiers of users and sessions, and the digests that sessions are stored under.

use std::fmt;
use std::ops::Range;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rand::Rng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::fmt::Hyphenated;
use uuid::{Uuid, Variant};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::hex::Hex;

/// The form of a directory's user ids. Decoys have the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserIdFormat {
    /// 24 lower-case hexadecimal digits, of which the first eight are a date, as in MongoDB.
    ObjectId,
    /// A UUID in lower case with hyphens.
    Uuid,
}

impl UserIdFormat {
    /// An id of this form, made from 16 uniformly distributed bytes. New users and decoys get theirs in the
    /// same way, so that an id does not show which it is.
    #[must_use]
    pub fn id_from(self, entropy: [u8; 16]) -> UserId {
        match self {
            Self::Uuid => UserId(uuid_from(entropy).to_string()),
            Self::ObjectId => {
                let [a, b, c, d, rest @ ..] = entropy;
                let date = FIRST_DATE + u32::from_be_bytes([a, b, c, d]) % DATE_SPAN;
                let mut id = HEXLOWER.encode(&date.to_be_bytes());
                id.push_str(&HEXLOWER.encode(rest.get(..8).unwrap_or_default()));
                UserId(id)
            }
        }
    }

    /// The dates that the ids made here have, in seconds of Unix time.
    #[must_use]
    pub(crate) const fn dates() -> Range<u64> {
        FIRST_DATE as u64..(FIRST_DATE + DATE_SPAN) as u64
    }

    /// Whether `id` has this form.
    #[must_use]
    pub fn fits(self, id: &str) -> bool {
        match self {
            Self::ObjectId => {
                id.len() == 24 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            }
            Self::Uuid => Uuid::try_parse(id).is_ok_and(|parsed| parsed.to_string() == id),
        }
    }
}

/// The dates in the ids that are made here: from 2018-01-01 to 2024-01-01, whenever they are made.
const FIRST_DATE: u32 = 1_514_764_800;
const DATE_SPAN: u32 = 1_704_067_200 - FIRST_DATE;

/// A user's id, in the form of its directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// Reads an id of the given form.
    #[must_use]
    pub fn parse(id: &str, format: UserIdFormat) -> Option<Self> {
        format.fits(id).then(|| Self(id.to_owned()))
    }

    /// An id as a caller sent it, to compare with a directory's. Another spelling of the same value is the
    /// same id. A text that is not an id of any form equals none.
    #[must_use]
    pub fn sent(id: &str) -> Self {
        let lower_case = id.to_ascii_lowercase();
        Self(match Uuid::try_parse(id) {
            Ok(uuid) => uuid.to_string(),
            Err(_) if UserIdFormat::ObjectId.fits(&lower_case) => lower_case,
            Err(_) => id.to_owned(),
        })
    }

    /// The id of a user who lives elsewhere, in whatever form.
    #[must_use]
    pub fn elsewhere(id: String) -> Self {
        Self(id)
    }

    /// A new id for a new user.
    #[must_use]
    pub fn draw(format: UserIdFormat, rng: &mut StdRng) -> Self {
        format.id_from(draw(rng))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A session's id: 122 random bits, which are the caller's bearer secret. Only its digest is stored.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SessionId {
    bytes: [u8; 16],
    text: String,
}

impl From<Uuid> for SessionId {
    fn from(uuid: Uuid) -> Self {
        Self {
            bytes: uuid.into_bytes(),
            text: uuid.to_string(),
        }
    }
}

impl SessionId {
    /// A new id.
    #[must_use]
    pub fn draw(rng: &mut StdRng) -> Self {
        Self::from_entropy(draw(rng))
    }

    /// The id made from 16 uniformly distributed bytes.
    #[must_use]
    pub fn from_entropy(entropy: [u8; 16]) -> Self {
        uuid_from(entropy).into()
    }

    /// Reads a UUID as a client sends it. Anything else names no session.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self::from)
    }

    /// The reference that the session is stored under.
    #[must_use]
    pub fn reference(&self) -> SessionRef {
        SessionRef::new(Sha256::digest(self.text.as_bytes()).into())
    }

    /// The id as the caller gets it, for a reply only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// The value of an `Idempotency-Key`: a UUID of version 4 or 7, so that nobody can guess it. It is as
/// secret as the session id that it leads to.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct IdempotencyKey([u8; 16]);

impl IdempotencyKey {
    /// Reads the header's value: a UUID in its standard form (RFC 9562, 4), in either case, with or without
    /// the quotes of a structured field.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let text = match value.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => value,
        };
        let uuid = Uuid::try_parse(text).ok()?;
        // All other forms have another length.
        let is_standard_form = text.len() == Hyphenated::LENGTH;
        let is_unguessable =
            uuid.get_variant() == Variant::RFC4122 && matches!(uuid.get_version_num(), 4 | 7);
        (is_standard_form && is_unguessable).then(|| Self(uuid.into_bytes()))
    }

    /// The UUID's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// The kind of [`GuessName`].
#[derive(Debug)]
pub enum OfGuess {}

/// The name of one guess, drawn by the invocation that makes it. A guess that is charged is a name in a set.
pub type GuessName = Hex<OfGuess, 8>;

impl GuessName {
    /// A new name.
    #[must_use]
    pub fn draw(rng: &mut StdRng) -> Self {
        Self::new(draw(rng))
    }
}

/// The kind of [`SessionRef`].
#[derive(Debug)]
pub enum OfSession {}

/// The SHA-256 of a session's id: its key in the table, and no secret.
pub type SessionRef = Hex<OfSession, 32>;

/// A reset token: the id of the session that it belongs to, and 256 random bits that prove it.
///
/// The id leads from the token to its session in one read, so that the token needs no item of its own. It
/// also names the session if a client sends the token in place of the session id. Only the digest of the
/// whole token is stored.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ResetToken([u8; 48]);

impl ResetToken {
    /// A new token for a session.
    #[must_use]
    pub fn draw(session: &SessionId, rng: &mut StdRng) -> Self {
        let mut token = [0; 48];
        let (id, secret) = token.split_at_mut(16);
        id.copy_from_slice(&session.bytes);
        rng.fill_bytes(secret);
        Self(token)
    }

    /// Reads a token as a client sends it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The session that it says it belongs to.
    #[must_use]
    pub fn session(&self) -> SessionId {
        Uuid::from_bytes(*self.0.first_chunk().unwrap_or(&[0; 16])).into()
    }

    /// The digest of the token, which is stored.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::new(Sha256::digest(self.0).into())
    }

    /// The token as the caller gets it (64 characters of base64url), for a reply only.
    #[must_use]
    pub fn reveal(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }
}

impl fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetToken(..)")
    }
}

/// The kind of [`TokenDigest`].
#[derive(Debug)]
pub enum OfToken {}

/// The SHA-256 of a reset token.
pub type TokenDigest = Hex<OfToken, 32>;

/// `N` bytes from the generator.
pub(crate) fn draw<const N: usize>(rng: &mut StdRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn uuid_from(entropy: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(entropy).into_uuid()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    proptest! {
        #[test]
        fn an_id_made_here_has_its_directorys_form(entropy: [u8; 16]) {
            for format in [UserIdFormat::ObjectId, UserIdFormat::Uuid] {
                prop_assert!(format.fits(format.id_from(entropy).as_str()));
            }
        }

        #[test]
        fn an_object_id_begins_with_a_plausible_date(entropy: [u8; 16]) {
            let id = UserIdFormat::ObjectId.id_from(entropy);
            let date = u32::from_str_radix(&id.as_str()[..8], 16).unwrap();
            prop_assert!((FIRST_DATE..FIRST_DATE + DATE_SPAN).contains(&date));
        }

        #[test]
        fn text_that_is_no_token_is_refused(text in ".{0,100}") {
            if let Some(token) = ResetToken::parse(&text) {
                prop_assert_eq!(token.reveal(), text);
            }
        }
    }

    #[test]
    fn an_id_that_was_sent_is_compared_as_a_value() {
        let (object_id, uuid) = (
            "60115a65c0c6974f894f9ea6",
            "0b8c2c3e-7f1d-4b57-9f2c-1d2e3f40516a",
        );
        for (sent, same) in [
            (object_id, object_id),
            ("60115A65C0C6974F894F9EA6", object_id),
            (uuid, uuid),
            ("0B8C2C3E-7F1D-4B57-9F2C-1D2E3F40516A", uuid),
            ("0b8c2c3e-7F1D-4b57-9f2c-1d2e3f40516A", uuid),
        ] {
            assert_eq!(UserId::sent(sent).as_str(), same);
        }
        for other in [
            "",
            " ",
            "60115a65c0c6974f894f9ea",
            "60115a65c0c6974f894f9ea7",
        ] {
            assert_ne!(UserId::sent(other).as_str(), object_id, "{other:?}");
        }
    }

    #[test]
    fn a_token_leads_to_its_session_and_back() {
        let mut rng = StdRng::seed_from_u64(1);
        let session = SessionId::draw(&mut rng);
        let token = ResetToken::draw(&session, &mut rng);
        assert_eq!(token.session(), session);
        assert_eq!(token.reveal().len(), 64);
        assert_eq!(
            ResetToken::parse(&token.reveal()).unwrap().digest(),
            token.digest()
        );
    }

    #[test]
    fn an_idempotency_key_is_a_uuid_of_version_4_or_7_quoted_or_not() {
        let (four, seven) = (
            "4f9a3f0e-7c1d-4b57-9f2c-1d2e3f40516a",
            "019b2c3d-4e5f-7a6b-8c7d-9e8f0a1b2c3d",
        );
        let parsed = |text: &str| IdempotencyKey::parse(text);
        assert_ne!(parsed(four), parsed(seven));
        for key in [four, seven] {
            let value = parsed(key);
            assert!(value.is_some(), "{key}");
            assert_eq!(parsed(&key.to_uppercase()), value);
            assert_eq!(parsed(&format!("\"{key}\"")), value);
            assert_eq!(parsed(&format!("\"{}\"", key.to_uppercase())), value);
            for other in [
                format!("\"{key}"),
                format!("{key}\""),
                format!("\"\"{key}\"\""),
                format!("'{key}'"),
                format!("\" {key}\""),
                format!("\"{key}\";a=b"),
                format!("{{{key}}}"),
                format!("urn:uuid:{key}"),
                format!("{key},{key}"),
                format!("{key}0"),
                key.replace('-', ""),
                key[1..].to_owned(),
            ] {
                assert_eq!(parsed(&other), None, "{other}");
            }
        }
        for (other, why) in [
            ("", "empty"),
            ("\"", "half of the quotes"),
            ("\"\"", "quotes only"),
            ("0123456789abcdef", "another kind of key"),
            ("01JGFJJZ00K3V9X2M7QD5T8RNB", "a ULID"),
            ("00000000-0000-0000-0000-000000000000", "nil"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "max"),
            ("c232ab00-9414-11ec-b3c8-9f6bdeced846", "version 1"),
            ("5df41881-3aed-3515-88a7-2f4a814cf09e", "version 3"),
            ("2ed6657d-e927-568b-95e1-2665a8aea6a2", "version 5"),
            ("1ec9414c-232a-6b00-b3c8-9f6bdeced846", "version 6"),
            ("2489e9ad-2ee2-8e00-8ec9-32d5f69181c0", "version 8"),
            ("4f9a3f0e-7c1d-4b57-1f2c-1d2e3f40516a", "the variant of NCS"),
            ("4f9a3f0e-7c1d-4b57-cf2c-1d2e3f40516a", "the variant of COM"),
        ] {
            assert_eq!(parsed(other), None, "{why}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let mut rng = StdRng::seed_from_u64(1);
        let id = SessionId::draw(&mut rng);
        let token = ResetToken::draw(&id, &mut rng);
        assert_eq!(format!("{id:?} {token:?}"), "SessionId(..) ResetToken(..)");
        let key = IdempotencyKey::parse("4f9a3f0e-7c1d-4b57-9f2c-1d2e3f40516a").unwrap();
        assert_eq!(format!("{key:?}"), "IdempotencyKey(..)");
    }
}
