//! The sender of a mail as the header `From` has it.

use data_encoding::BASE64;

/// The most octets of a name that fit into one encoded word, which has at most 75 characters (RFC 2047, 2).
const LONGEST_WORD: usize = 45;

/// An address with its name (RFC 5322, 3.4), or the address alone.
pub(super) fn mailbox(name: Option<&str>, address: &str) -> String {
    match name {
        None => address.to_owned(),
        Some(name) if name.is_ascii() => {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{quoted}\" <{address}>")
        }
        Some(name) => format!("{} <{address}>", encoded(name)),
    }
}

/// A name beyond ASCII as encoded words. SES takes it in no other form.
fn encoded(name: &str) -> String {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= LONGEST_WORD => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    let words = words.iter().map(|word| {
        let word = BASE64.encode(word.as_bytes());
        format!("=?UTF-8?B?{word}?=")
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_before_the_address_as_the_header_needs_it() {
        for (name, expected) in [
            (None, "a@b.example"),
            (Some("Your Shop"), "\"Your Shop\" <a@b.example>"),
            (
                Some("R & B, <\"the\" \\ shop>"),
                "\"R & B, <\\\"the\\\" \\\\ shop>\" <a@b.example>",
            ),
            (Some("Caf\u{e9}"), "=?UTF-8?B?Q2Fmw6k=?= <a@b.example>"),
            (
                Some(
                    "\u{738b}\u{5c0f}\u{660e}\u{738b}\u{5c0f}\u{660e}\u{738b}\u{5c0f}\u{660e}\u{738b}\u{5c0f}\u{660e}\u{738b}\u{5c0f}\u{660e}\u{738b}",
                ),
                "=?UTF-8?B?546L5bCP5piO546L5bCP5piO546L5bCP5piO546L5bCP5piO546L5bCP5piO?= =?UTF-8?B?546L?= <a@b.example>",
            ),
        ] {
            assert_eq!(mailbox(name, "a@b.example"), expected);
        }
    }
}
