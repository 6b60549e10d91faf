use std::collections::BTreeSet;

use proptest::{prop_assert_eq, proptest};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::encode::encode;
use super::filter::{REMAINDER_BITS, position};
use super::*;

/// The lists from which the build made the filters. No binary has them.
const COMMON_LIST: &str = include_str!("../../data/common.txt");
const BREACHED_LIST: &str = include_str!("../../data/breached.txt");

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
            let folded: String = crate::fold::fold(line).collect();
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

/// By the contract, fewer than one in a million passwords that are on no list is taken for a listed one.
const ONE_IN: f64 = 1e6;

#[test]
fn both_lists_together_take_fewer_than_one_in_a_million_others_for_listed() {
    // A password that is on no list is taken for a listed one if its position is that of a listed one.
    let rate = |list: &str| {
        let keys = u32::try_from(list.lines().count()).unwrap();
        let positions: BTreeSet<u64> = list.lines().map(|line| position(line, keys)).collect();
        let possible = f64::from(keys) * f64::from(1 << REMAINDER_BITS);
        f64::from(u32::try_from(positions.len()).unwrap()) / possible
    };
    let rate = rate(COMMON_LIST) + rate(BREACHED_LIST);
    assert!(rate < 1.0 / ONE_IN, "1 in {}", 1.0 / rate);
}

#[test]
fn a_good_password_is_seldom_taken_for_a_listed_one() {
    let alphabet: Vec<char> = ('!'..='~').chain('α'..='ω').chain('あ'..='ん').collect();
    let mut rng = StdRng::seed_from_u64(4_096);
    let asked: u32 = 500_000;
    let mut password = String::new();
    let mut taken = Vec::new();
    for _ in 0..asked {
        password.clear();
        for _ in 0..rng.random_range(10..=16) {
            password.push(alphabet[rng.random_range(0..alphabet.len())]);
        }
        if is_common(&password) || is_breached(&password) {
            taken.push(password.clone());
        }
    }
    // One is to be expected at most. Six or more come up in one of 90,000 such samples.
    assert!(taken.len() < 6, "{taken:?} of {asked}");
}

#[test]
fn a_series_of_passwords_that_nobody_listed_is_accepted_to_the_last() {
    for number in 0..=9_999 {
        let password = format!("brand-new-pass-{number:04}");
        assert!(!is_common(&password), "{password}");
        assert!(!is_breached(&password), "{password}");
    }
}

#[test]
fn the_filters_are_small_enough_to_carry_along() {
    let octets = COMMON.len() + BREACHED.len();
    assert!(octets <= 395_000, "{octets} octets");
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
    fn a_filter_finds_every_key_of_any_set(keys in proptest::collection::btree_set(".{0,12}", 1..600)) {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let octets = encode(&keys).unwrap();
        let filter = Filter::new(&octets).unwrap();
        for key in keys {
            prop_assert_eq!(filter.contains(key), Some(true), "{:?}", key);
        }
    }
}
