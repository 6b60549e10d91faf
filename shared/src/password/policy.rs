//! What speaks against a password.
//!
//! Length and a list of what is guessed first, as NIST SP 800-63B (3.1.1.2) and ASVS 5.0 (6.2)
//! ask: no rules of composition, nothing cut off. Words about the service and the person are
//! compared with the whole password; a long one that merely contains a name is fine.

use zeroize::Zeroizing;

use super::{Candidate, NFC_EXPANSION, common};
use crate::address::{Address, fold_case};

/// The longest password, in code points: long enough for any manager or passphrase, short enough
/// to hash.
pub const MAX_LENGTH: usize = 256;

/// Why a password is refused, in the order in which reasons are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Fewer code points than the policy's minimum.
    TooShort,
    /// More code points than [`MAX_LENGTH`].
    TooLong,
    /// On the list of the most common passwords.
    TooCommon,
    /// The person's own address, or what stands before its `@`.
    ContainsAddress,
    /// The name of the service.
    ContainsServiceName,
    /// Something that the person's profile says, such as their name.
    ContainsProfile,
}

impl Reason {
    /// The stable word for this reason that callers see.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::TooCommon => "too_common",
            Self::ContainsAddress => "contains_address",
            Self::ContainsServiceName => "contains_service_name",
            Self::ContainsProfile => "contains_profile",
        }
    }
}

/// What this stack asks of a password.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The shortest password, in code points after NFC; 8 or more, below which the list of
    /// common passwords has nothing.
    pub min_length: usize,
    /// The name that people know the service by.
    pub service_name: String,
}

impl Policy {
    /// Every reason that needs nothing but the password.
    #[must_use]
    pub fn check(&self, password: &Candidate) -> Vec<Reason> {
        let length = password.as_str().chars().count();
        let mut reasons = Vec::new();
        if length < self.min_length {
            reasons.push(Reason::TooShort);
        }
        if length > MAX_LENGTH {
            reasons.push(Reason::TooLong);
        }
        if common::is_common(&folded(password.as_str())) {
            reasons.push(Reason::TooCommon);
        }
        if is_same_word(password, &self.service_name) {
            reasons.push(Reason::ContainsServiceName);
        }
        reasons
    }

    /// Whether the password is the address, however typed, or its local part.
    #[must_use]
    pub fn check_address(password: &Candidate, address: &Address) -> Vec<Reason> {
        let is_address = Address::parse(password.as_str()).is_ok_and(|typed| typed == *address);
        if is_address || *folded(password.as_str()) == address.local_part() {
            vec![Reason::ContainsAddress]
        } else {
            Vec::new()
        }
    }

    /// Whether the password is one of the words that the person's profile is made of.
    #[must_use]
    pub fn check_profile<'a>(
        password: &Candidate,
        mut words: impl Iterator<Item = &'a str>,
    ) -> Vec<Reason> {
        if words.any(|word| is_same_word(password, word)) {
            vec![Reason::ContainsProfile]
        } else {
            Vec::new()
        }
    }
}

/// Whether a password is a word, whatever the case and the white space of either.
fn is_same_word(password: &Candidate, word: &str) -> bool {
    let mut word = without_white_space(word).peekable();
    word.peek().is_some() && word.eq(without_white_space(password.as_str()))
}

fn without_white_space(text: &str) -> impl Iterator<Item = char> {
    fold_case(text).filter(|character| !character.is_whitespace())
}

/// Folding never makes a text more than three times longer, and the NFC after it is shorter.
fn folded(password: &str) -> Zeroizing<String> {
    // Room for all of it at once: growing would leave copies behind that nothing wipes.
    let mut folded = Zeroizing::new(String::with_capacity(password.len() * NFC_EXPANSION));
    folded.extend(fold_case(password));
    folded
}
