//! Argon2i, Argon2d and Argon2id (RFC 9106) as PHC strings, also with the prefixes of Django and Spring.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Argon2, Params, PasswordVerifier as _};

use super::{Foreign, Parsed};
use crate::stored;

/// `argon2` of Django; `{argon2}` of Spring Security, and its later name for other default costs.
const PREFIXES: [&str; 3] = ["argon2", "{argon2}", "{argon2@SpringSecurity_v5_8}"];

struct Hash {
    phc: Phc,
    params: Params,
}

pub(super) fn parse(text: &str) -> Parsed {
    let phc = PREFIXES
        .into_iter()
        .filter_map(|prefix| text.strip_prefix(prefix))
        .find(|rest| rest.starts_with('$'))
        .unwrap_or(text);
    if !phc.starts_with("$argon2") {
        return None;
    }
    let read = stored::argon2(phc).map(|(phc, params)| Hash { phc, params });
    Some(read.map(|hash| Box::new(hash) as Box<dyn Foreign>))
}

impl Foreign for Hash {
    fn matches(&self, password: &[u8]) -> bool {
        Argon2::from(&self.params)
            .verify_password(password, &self.phc)
            .is_ok()
    }
}
