use std::collections::BTreeSet;

use proptest::{prop_assert_eq, proptest};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::encode::encode;
use super::*;

/// What the build made the filters from, which is in no binary.
const COMMON_LIST: &str = include_str!("common.txt");
const BREACHED_LIST: &str = include_str!("breached.txt");

/// The false-positive rate of each, as one in so many.
const ONE_IN: u32 = 4_096;

#[test]
fn the_lists_are_folded_and_say_nothing_twice() {
    let common: BTreeSet<&str> = COMMON_LIST.lines().collect();
    for (list, at_least) in [(COMMON_LIST, 40_000), (BREACHED_LIST, 80_000)] {
        let lines: Vec<&str> = list.lines().collect();
        assert!(lines.len() >= at_least, "only {} passwords", lines.len());
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
    for line in BREACHED_LIST.lines() {
        assert!(!common.contains(line), "{line:?} is common already");
    }
}

#[test]
fn every_line_is_found() {
    for line in COMMON_LIST.lines() {
        assert!(is_common(line), "{line:?} is not found");
    }
    for line in BREACHED_LIST.lines() {
        assert!(is_breached(line), "{line:?} is not found");
    }
}

#[test]
fn the_best_known_passwords_are_common() {
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

#[test]
fn a_good_password_is_seldom_taken_for_a_listed_one() {
    let alphabet: Vec<char> = ('!'..='~').chain('α'..='ω').chain('あ'..='ん').collect();
    let mut rng = StdRng::seed_from_u64(4_096);
    let asked: u32 = 250_000;
    let (mut common, mut breached) = (0, 0);
    for _ in 0..asked {
        let length = rng.random_range(8..=20);
        let mut any = || alphabet[rng.random_range(0..alphabet.len())];
        let password: String = (0..length).map(|_| any()).collect();
        common += u32::from(is_common(&password));
        breached += u32::from(is_breached(&password));
    }
    // Five standard deviations of the binomial distribution, to either side.
    let expected = f64::from(asked / ONE_IN);
    let bounds = expected - 5.0 * expected.sqrt()..=expected + 5.0 * expected.sqrt();
    for taken in [common, breached] {
        assert!(bounds.contains(&f64::from(taken)), "{taken} of {asked}");
    }
}

#[test]
fn the_filters_are_small_enough_to_carry_along() {
    let octets = COMMON.len() + BREACHED.len();
    assert!(octets <= 245_000, "{octets} octets");
}

#[test]
fn a_filter_cut_short_says_what_it_still_knows_and_does_not_panic() {
    let octets = encode(&["one", "two", "three"]).unwrap();
    let whole = Filter::new(&octets).unwrap();
    for length in 0..octets.len() {
        let cut = Filter::new(&octets[..length]);
        for text in ["one", "two", "three", "four"] {
            let said = cut.as_ref().and_then(|cut| cut.contains(text));
            assert!(
                said.is_none() || said == whole.contains(text),
                "{text} in {length} octets: {said:?}"
            );
        }
    }
}

#[test]
fn an_empty_filter_has_nothing() {
    let empty = encode(&[]).unwrap();
    let filter = Filter::new(&empty).unwrap();
    assert_eq!(filter.contains(""), Some(false));
    assert_eq!(filter.contains("password"), Some(false));
}

proptest! {
    #[test]
    fn whatever_the_keys_each_is_found(keys in proptest::collection::btree_set(".{0,12}", 1..600)) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let octets = encode(&keys).unwrap();
        let filter = Filter::new(&octets).unwrap();
        for key in keys {
            prop_assert_eq!(filter.contains(key), Some(true), "{:?}", key);
        }
    }
}
