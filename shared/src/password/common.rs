//! The list of passwords that everybody tries first.
//!
//! Tens of thousands of lines in `common.txt` beside this file; `common.md` tells where they come
//! from. The text is searched as it lies in the binary: a start pays nothing for it, and a
//! look-up touches a dozen of its pages.

use std::cmp::Ordering;

/// One password a line, 8 code points or longer, folded and in NFC, sorted by octets, each once.
static LIST: &str = include_str!("common.txt");

/// Whether a password, folded and in NFC, is on the list.
pub(super) fn is_common(folded: &str) -> bool {
    is_line_of(LIST.as_bytes(), folded.as_bytes())
}

/// Binary search by position in the text instead of by line number: take the line in the middle,
/// go on with what stands before or after it.
fn is_line_of(sorted: &[u8], wanted: &[u8]) -> bool {
    let mut rest = sorted;
    while !rest.is_empty() {
        let middle = rest.len() / 2;
        let (before, after) = rest.split_at(middle);
        let start = before
            .iter()
            .rposition(|octet| *octet == b'\n')
            .map_or(0, |end| end + 1);
        let end = after
            .iter()
            .position(|octet| *octet == b'\n')
            .map_or(rest.len(), |end| middle + end);
        let line = rest.get(start..end).unwrap_or_default();
        rest = match wanted.cmp(line) {
            Ordering::Equal => return true,
            Ordering::Less => rest.get(..start),
            Ordering::Greater => rest.get(end + 1..),
        }
        .unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_as_the_search_needs_it() {
        assert!(LIST.ends_with('\n') && !LIST.contains('\r'));
        let lines: Vec<&str> = LIST.lines().collect();
        assert!(lines.len() >= 10_000, "only {} passwords", lines.len());
        assert!(
            lines.is_sorted_by(|a, b| a < b),
            "not sorted, or not unique"
        );
        for line in lines {
            assert!(line.chars().count() >= 8, "{line:?} is short");
            let folded: String = crate::address::fold_case(line).collect();
            assert_eq!(line, folded, "not folded");
        }
    }

    #[test]
    fn every_line_is_found() {
        for line in LIST.lines() {
            assert!(is_common(line), "{line:?} is not found");
        }
    }

    #[test]
    fn parts_and_neighbours_of_lines_are_not_found() {
        let list = b"bbbb\ndddd\nffff\n";
        for absent in [
            "",
            "\n",
            "a",
            "bbb",
            "bbbbb",
            "bbbb\n",
            "bbbb\ndddd",
            "cccc",
            "eeee",
            "g",
        ] {
            assert!(!is_line_of(list, absent.as_bytes()), "{absent:?} is found");
        }
        assert!(!is_line_of(b"", b"bbbb"));
    }

    #[test]
    fn the_best_known_passwords_are_on_it() {
        for password in [
            "password",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "password1",
            "trustno1",
            "11111111",
            "passw0rd",
            "1q2w3e4r",
            "sayangku",
            "indonesia",
        ] {
            assert!(is_common(password), "{password:?} is not found");
        }
    }
}
