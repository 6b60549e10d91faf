//! The token of a mail's link: the session that it opens, and 128 bits that only the code key makes.
//!
//! It is letters only, so that it adds no run of digits to a mail in which people look for a code. It is derived
//! like a code (see [`crate::code`]), and stored nowhere.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ids::SessionRef;

/// Octets of the session's reference, and of the MAC that proves the token.
const REFERENCE: usize = 32;
const MAC: usize = 16;

/// A link's token: 96 letters from a to p, which are 32 octets of session reference and 16 of MAC. It is compared
/// in constant time, wiped when dropped, and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct LinkToken {
    #[zeroize(skip)]
    session: SessionRef,
    mac: [u8; MAC],
}

impl LinkToken {
    /// The token of a session, from the MAC over what its code is derived from.
    pub(crate) fn new(session: SessionRef, mac: [u8; 32]) -> Self {
        Self {
            session,
            mac: *mac.first_chunk().unwrap_or(&[0; MAC]),
        }
    }

    /// Reads a token as a client sends it. `None` if it is not 96 letters from a to p.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octets: Zeroizing<[u8; REFERENCE + MAC]> = Zeroizing::new(octets(text)?);
        let (reference, mac) = octets.split_first_chunk::<REFERENCE>()?;
        Some(Self {
            session: SessionRef::new(*reference),
            mac: mac.try_into().ok()?,
        })
    }

    /// The session that it says it opens.
    #[must_use]
    pub const fn session(&self) -> &SessionRef {
        &self.session
    }

    /// The token as the mail carries it, for the mail only.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        letters(self.session.as_bytes().iter().chain(&self.mac))
    }
}

impl ConstantTimeEq for LinkToken {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.session.as_bytes().ct_eq(other.session.as_bytes()) & self.mac.ct_eq(&other.mac)
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(..)")
    }
}

/// The letters that stand for octets, two for each.
pub(crate) fn letters<'a>(octets: impl Iterator<Item = &'a u8>) -> Zeroizing<String> {
    // Long enough for every token, so that no part of one stays where the text was before it grew.
    let mut text = Zeroizing::new(String::with_capacity(256));
    for octet in octets {
        text.push(letter(octet >> 4));
        text.push(letter(octet & 15));
    }
    text
}

/// A number below 16 as a letter from a to p.
const fn letter(nibble: u8) -> char {
    (b'a' + nibble) as char
}

/// The octets that pairs of letters from a to p stand for. `None` for any other text, and for another length.
pub(crate) fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut octets = [0; N];
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        let nibble = |letter: &u8| letter.checked_sub(b'a').filter(|it| *it < 16);
        *octet = nibble(high)? << 4 | nibble(low)?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> LinkToken {
        LinkToken::new(SessionRef::new([0x0f; 32]), [0xa5; 32])
    }

    #[test]
    fn a_token_is_96_letters_and_comes_back_from_them() {
        let text = token().reveal();
        assert_eq!(*text, format!("{}{}", "ap".repeat(32), "kf".repeat(16)));
        let parsed = LinkToken::parse(&text).unwrap();
        assert_eq!(parsed.session(), token().session());
        assert!(bool::from(parsed.ct_eq(&token())));
    }

    #[test]
    fn a_token_differs_in_its_session_and_in_its_mac() {
        for other in [
            LinkToken::new(SessionRef::new([0x0e; 32]), [0xa5; 32]),
            LinkToken::new(SessionRef::new([0x0f; 32]), [0xa4; 32]),
        ] {
            assert!(!bool::from(other.ct_eq(&token())));
        }
    }

    #[test]
    fn nothing_else_is_a_token() {
        let text = token().reveal().to_string();
        for (other, why) in [
            (String::new(), "empty"),
            (text[1..].to_owned(), "a letter less"),
            (text[2..].to_owned(), "an octet less"),
            (format!("{text}a"), "a letter more"),
            (format!("{text}aa"), "an octet more"),
            (text.to_uppercase(), "upper case"),
            (text.replacen('a', "q", 1), "a letter beyond p"),
            (text.replacen('a', "`", 1), "the character before a"),
            (text.replacen('a', "0", 1), "a digit"),
            (text.replacen("ap", "é", 1), "another script"),
            (format!(" {}", &text[1..]), "a blank"),
        ] {
            assert!(LinkToken::parse(&other).is_none(), "{why}");
        }
    }

    #[test]
    fn a_token_does_not_print() {
        assert_eq!(format!("{:?}", token()), "LinkToken(..)");
    }
}
