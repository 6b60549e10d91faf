//! Which addresses SES mails to.
//!
//! SES does not support SMTPUTF8 (RFC 6531): of an address, "the local part … can contain only 7-bit
//! ASCII characters" (API reference, `Destination`), and it parses addresses as RFC 5322 does. A
//! domain of other letters is sent in its ASCII form, see [`crate::mail`].

use regain_password::Address;

/// Why SES does not mail to an address that can be parsed, if that is so.
#[must_use]
pub fn unmailable(email: &str) -> Option<&'static str> {
    let (local, _) = Address::trim(email).rsplit_once('@')?;
    if !local.is_ascii() {
        return Some(
            "has other characters than ASCII before the @, and SES mails to no such address",
        );
    }
    // RFC 5322, 3.2.3: a dot-atom.
    let atom = |atom: &str| {
        let of_an_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        !atom.is_empty() && atom.chars().all(of_an_atom)
    };
    if !local.split('.').all(atom) {
        return Some(
            "has a dot or another character before the @ where RFC 5322 allows none, and SES mails to \
             no such address",
        );
    }
    // An IP address, for example. No top-level domain is a number (RFC 3696, 2).
    let address = Address::parse(email).ok()?;
    let (_, top) = address.as_str().rsplit_once('.')?;
    if top.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("has a number where the domain ends, and no mail arrives at such an address");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_part_is_ascii_and_a_dot_atom_and_the_domain_no_number() {
        for (email, mailable) in [
            ("ann@192.0.2.1", false),
            ("ann@example.123", false),
            ("ann@192.0.2.\u{ff11}", false),
            ("ann@1.example", true),
            ("ann@example.1a", true),
            ("ann@123.com", true),
            ("ann@example.com", true),
            ("Ann.B-c_d+tag@example.com", true),
            ("o'neil@example.com", true),
            ("!#$%&'*+-/=?^_`{|}~@example.com", true),
            ("\u{200b} ann@example.com \u{feff}", true),
            ("ann@bücher.example", true),
            ("ann@xn--bcher-kva.example", true),
            ("rené@example.com", false),
            ("ann✖@example.com", false),
            (".ann@example.com", false),
            ("ann.@example.com", false),
            ("a..b@example.com", false),
            ("a,b@example.com", false),
            ("a;b@example.com", false),
            ("a:b@example.com", false),
            ("<ann@example.com", false),
            ("a(b)@example.com", false),
            ("a[b]@example.com", false),
            ("a\\b@example.com", false),
            ("\"ann\"@example.com", false),
        ] {
            assert_eq!(unmailable(email).is_none(), mailable, "{email}");
        }
    }
}
