//! The two secrets, and the keys that are derived from them.
//!
//! The *index key* never rotates. It digests addresses and callers into the keys of their items and into
//! their names in the audit trail, and makes decoys and idempotent session ids. A rotation would reset
//! budgets, change decoys and break the audit trail in two.
//! The *code key* rotates. Codes are derived from it (see [`crate::code`]). Each purpose has a key of its
//! own, derived by HKDF-SHA256 (RFC 5869) with a label.

use std::fmt;
use std::net::IpAddr;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use regain_password::{Address, Candidate};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::hex::Hex;
use crate::ids::{IdempotencyKey, SessionId, SessionRef, UserId, UserIdFormat};

type HmacSha256 = Hmac<Sha256>;

/// A key of 256 bits. It is wiped when dropped, and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// Derives the key for one purpose from a secret (HKDF-SHA256, RFC 5869).
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "HKDF gives up to 255 hashes; this asks for one"
    )]
    pub fn derive(secret: &[u8], label: &str) -> Self {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, secret)
            .expand(label.as_bytes(), &mut key)
            .expect("32 bytes are within HKDF's limit");
        Self(key)
    }

    /// HMAC-SHA256 (RFC 2104) over the parts. Each is preceded by its length, so that different lists of
    /// parts are different inputs.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "HMAC takes keys of any length"
    )]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = <HmacSha256 as KeyInit>::new_from_slice(&self.0)
            .expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The kind of [`AddressKey`].
#[derive(Debug)]
pub enum OfAddress {}

/// The keyed digest of a canonical address: names its items, and binds a code to its mailbox.
pub type AddressKey = Hex<OfAddress, 32>;

/// The kind of [`CallerKey`].
#[derive(Debug)]
pub enum OfCaller {}

/// The keyed digest of a caller: an IPv4 address, or the /64 network of an IPv6 address, since that
/// is what one subscriber gets (RFC 6177).
pub type CallerKey = Hex<OfCaller, 32>;

/// The kind of [`NetworkKey`].
#[derive(Debug)]
pub enum OfNetwork {}

/// The keyed digest of an address and a network that has proven it. Neither can be told from it.
pub type NetworkKey = Hex<OfNetwork, 32>;

/// The kind of [`LatestKey`].
#[derive(Debug)]
pub enum OfAnsweredId {}

/// The keyed digest of the user id that a session was answered with. It leads to the newest such session.
pub type LatestKey = Hex<OfAnsweredId, 32>;

/// The kind of [`AuditKey`].
#[derive(Debug)]
pub enum OfAudit {}

/// The keyed digest by which the audit trail names an address, a caller or a device. It differs from the
/// digest in the table, so that neither leads to the other.
pub type AuditKey = Hex<OfAudit, 16>;

/// The kind of [`UseKey`].
#[derive(Debug)]
pub enum OfUse {}

/// The keyed digest of one use of a proof: the same for each repetition of it, and another for another password.
pub type UseKey = Hex<OfUse, 32>;

/// The keys derived from the index key, one for each purpose.
#[derive(Clone, Debug)]
pub struct IndexKeys {
    address: Key,
    audit: Key,
    caller: Key,
    decoy: Key,
    idempotency: Key,
    latest: Key,
    network: Key,
    not_me: Key,
    uses: Key,
}

impl IndexKeys {
    /// Derives the keys from the index secret.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self {
            address: Key::derive(secret, "regain/address/v1"),
            audit: Key::derive(secret, "regain/audit/v1"),
            caller: Key::derive(secret, "regain/caller/v1"),
            decoy: Key::derive(secret, "regain/decoy/v1"),
            idempotency: Key::derive(secret, "regain/idempotency/v1"),
            latest: Key::derive(secret, "regain/latest/v1"),
            network: Key::derive(secret, "regain/network/v1"),
            not_me: Key::derive(secret, "regain/not-me/v1"),
            uses: Key::derive(secret, "regain/user-store/v1"),
        }
    }

    /// The key of an address's items.
    #[must_use]
    pub fn address(&self, address: &Address) -> AddressKey {
        AddressKey::new(self.address.mac(&[address.as_str().as_bytes()]))
    }

    /// The key of a caller's items.
    #[must_use]
    pub fn caller(&self, caller: IpAddr) -> CallerKey {
        CallerKey::new(self.caller.mac(&[&network(caller)]))
    }

    /// The key under which a caller's network is remembered once it has proven an address.
    #[must_use]
    pub fn known_network(&self, address: &Address, caller: IpAddr) -> NetworkKey {
        let parts: [&[u8]; 2] = [address.as_str().as_bytes(), &network(caller)];
        NetworkKey::new(self.network.mac(&parts))
    }

    /// The key that leads to the newest session that was answered with a user id.
    #[must_use]
    pub fn latest(&self, answered: &UserId) -> LatestKey {
        LatestKey::new(self.latest.mac(&[answered.as_str().as_bytes()]))
    }

    /// The key that proves the token of a notice's link.
    pub(crate) const fn not_me(&self) -> &Key {
        &self.not_me
    }

    /// The name of an address in the audit trail.
    #[must_use]
    pub fn subject(&self, address: &Address) -> AuditKey {
        self.audited("subject", address.as_str().as_bytes())
    }

    /// The name of a caller in the audit trail. As in [`CallerKey`], it names the caller's network.
    #[must_use]
    pub fn audited_caller(&self, caller: IpAddr) -> AuditKey {
        self.audited("caller", &network(caller))
    }

    /// The name in the audit trail of a device, as the caller describes it.
    #[must_use]
    pub fn audited_device(&self, device: &str) -> AuditKey {
        self.audited("device", device.as_bytes())
    }

    fn audited(&self, what: &str, of: &[u8]) -> AuditKey {
        AuditKey::new(half(self.audit.mac(&[what.as_bytes(), of])))
    }

    /// The user id that a request is answered with if nobody has the address, or as the alias of any address. It is
    /// always the same one.
    #[must_use]
    pub fn decoy(&self, address: &Address, format: UserIdFormat) -> UserId {
        format.id_from(half(self.decoy.mac(&[address.as_str().as_bytes()])))
    }

    /// The key by which a user store recognises that a password was set with one proof before: that of a
    /// session's generation.
    #[must_use]
    pub fn password_use(
        &self,
        session: &SessionRef,
        generation: u64,
        password: &Candidate,
    ) -> UseKey {
        self.use_key("set-password", session, generation, password.reveal())
    }

    /// The key by which a user store recognises that it was told of one proof of a mailbox before.
    #[must_use]
    pub fn proof_use(&self, session: &SessionRef, generation: u64) -> UseKey {
        self.use_key("email-proven", session, generation, "")
    }

    fn use_key(&self, what: &str, session: &SessionRef, generation: u64, of: &str) -> UseKey {
        UseKey::new(self.uses.mac(&[
            what.as_bytes(),
            session.as_bytes(),
            &generation.to_be_bytes(),
            of.as_bytes(),
        ]))
    }

    /// The session id that an `Idempotency-Key` leads to, for one endpoint, address and caller.
    #[must_use]
    pub fn idempotent_session(
        &self,
        endpoint: &str,
        address: &Address,
        caller: IpAddr,
        key: &IdempotencyKey,
    ) -> SessionId {
        SessionId::from_entropy(half(self.idempotency.mac(&[
            endpoint.as_bytes(),
            address.as_str().as_bytes(),
            &network(caller),
            key.as_bytes(),
        ])))
    }
}

/// The bytes that stand for a caller: the whole IPv4 address, or the first 64 bits of an IPv6 address.
fn network(caller: IpAddr) -> Vec<u8> {
    match caller.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().into_iter().take(8).collect(),
    }
}

fn half(digest: [u8; 32]) -> [u8; 16] {
    *digest.first_chunk().unwrap_or(&[0; 16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> IndexKeys {
        IndexKeys::new(b"a secret of sixty-four letters and digits")
    }

    fn caller(text: &str) -> CallerKey {
        keys().caller(text.parse().unwrap())
    }

    #[test]
    fn an_ipv6_caller_is_its_64_bit_network() {
        assert_eq!(caller("2001:db8:1:2::1"), caller("2001:db8:1:2:ffff::9"));
        assert_ne!(caller("2001:db8:1:2::1"), caller("2001:db8:1:3::1"));
    }

    #[test]
    fn an_ipv4_caller_is_its_whole_address_in_either_notation() {
        assert_eq!(caller("192.0.2.1"), caller("::ffff:192.0.2.1"));
        assert_ne!(caller("192.0.2.1"), caller("192.0.2.2"));
    }

    #[test]
    fn an_idempotency_key_is_scoped_to_endpoint_address_and_caller() {
        let keys = keys();
        let address = |text| Address::parse(text).unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let of = |endpoint, a, c, number| {
            let key = format!("4f9a3f0e-7c1d-4b57-9f2c-00000000000{number}");
            let key = IdempotencyKey::parse(&key).unwrap();
            keys.idempotent_session(endpoint, &address(a), ip(c), &key)
                .reveal()
                .to_owned()
        };
        let one = of("resend", "a@example.com", "192.0.2.1", 1);
        assert_eq!(one, of("resend", "A@example.com", "192.0.2.1", 1));
        for other in [
            of("forgot", "a@example.com", "192.0.2.1", 1),
            of("resend", "b@example.com", "192.0.2.1", 1),
            of("resend", "a@example.com", "192.0.2.2", 1),
            of("resend", "a@example.com", "192.0.2.1", 2),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn the_key_of_a_use_is_that_of_session_generation_and_password() {
        let keys = keys();
        let session = |digit: &str| SessionRef::from_hex(&digit.repeat(64)).unwrap();
        let password = |text: &str| Candidate::new(text.to_owned().into());
        let of = |digit, generation, text| {
            keys.password_use(&session(digit), generation, &password(text))
        };
        let one = of("a", 7, "copper lantern");
        assert_eq!(one, of("a", 7, "copper lantern"));
        assert_eq!(one.hex().len(), 64);
        for other in [
            of("b", 7, "copper lantern"),
            of("a", 8, "copper lantern"),
            of("a", 7, "copper Lantern"),
            keys.proof_use(&session("a"), 7),
            IndexKeys::new(b"another secret").password_use(
                &session("a"),
                7,
                &password("copper lantern"),
            ),
        ] {
            assert_ne!(one, other);
        }
        assert_ne!(of("a", 7, ""), keys.proof_use(&session("a"), 7));
    }

    #[test]
    fn keys_of_different_labels_differ() {
        let address = Address::parse("a@example.com").unwrap();
        let keys = keys();
        assert_ne!(
            keys.address.mac(&[address.as_str().as_bytes()]),
            keys.decoy.mac(&[address.as_str().as_bytes()])
        );
    }
}
