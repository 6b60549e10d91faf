//! What a line says about the password.

use regain_password::{Candidate, FirebaseScrypt, InvalidPasswordHash};
use zeroize::Zeroizing;

use super::fields::Fields;
use crate::users::StoredHash;

/// What a line says about the password.
#[derive(Debug)]
pub(in crate::users::import) enum Password {
    /// Nothing.
    Unsaid,
    /// It is to be hashed.
    Typed(Candidate),
    /// It is hashed.
    Hashed(StoredHash),
}

impl Password {
    /// Takes the password out of the fields of a line.
    pub(super) fn read(
        fields: &mut Fields<'_>,
        firebase: Option<&FirebaseScrypt>,
    ) -> Result<Self, String> {
        let typed = fields.text("password")?.map(Zeroizing::new);
        let hash = fields.text("passwordHash")?;
        let salt = fields.text("passwordSalt")?;
        let read = match (typed, hash, salt) {
            (None, None, None) => return Ok(Self::Unsaid),
            (Some(_), Some(_), _) => {
                return Err("\"password\" and \"passwordHash\" are both given".to_owned());
            }
            (_, None, Some(_)) => return Err("\"passwordSalt\" has no \"passwordHash\"".to_owned()),
            (Some(typed), None, None) if typed.is_empty() => {
                return Err("\"password\" is empty".to_owned());
            }
            (Some(typed), None, None) => return Ok(Self::Typed(Candidate::new(typed))),
            (None, Some(hash), None) => StoredHash::parse(&hash).map_err(|error| (hash, error)),
            (None, Some(hash), Some(salt)) => {
                let firebase = firebase.ok_or(
                    "\"passwordSalt\" needs the hash parameters of the Firebase project that the hash \
                     is from",
                )?;
                let read = firebase.hash(&hash, &salt).map(StoredHash::from);
                read.map_err(|error| (hash, error))
            }
        };
        read.map(Self::Hashed).map_err(|(hash, error)| {
            let what = match (error, other_kind(&hash)) {
                (InvalidPasswordHash::Form, Some(kind)) => format!("made with {kind}"),
                (error, _) => error.to_string(),
            };
            format!(
                "\"passwordHash\" is {what}, which cannot be taken over: leave it out, and the person sets \
                 a new password by a recovery"
            )
        })
    }
}

/// The kind of a hash that cannot be verified, by how such hashes begin.
fn other_kind(hash: &str) -> Option<&'static str> {
    const BEGINNINGS: [(&str, &str); 12] = [
        ("$1$", "MD5 crypt"),
        ("$2$", "an obsolete bcrypt"),
        ("$2x$", "a faulty bcrypt"),
        ("$5$", "SHA-256 crypt"),
        ("$6$", "SHA-512 crypt"),
        ("$7$", "scrypt crypt"),
        ("$y$", "yescrypt"),
        ("md5$", "MD5"),
        ("{noop}", "no hash function"),
        ("{ldap}", "an LDAP hash"),
        ("{md5}", "MD5"),
        ("{sha", "SHA"),
    ];
    let hash = hash.trim_start().to_ascii_lowercase();
    let known = BEGINNINGS
        .iter()
        .find(|(beginning, _)| hash.starts_with(beginning));
    known.map(|(_, kind)| *kind)
}
