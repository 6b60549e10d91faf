use proptest::{prop_assert_eq, proptest};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::encode::encode;
use super::*;
use crate::password::common;

/// What the build made the filter from, which is in no binary.
const LIST: &str = include_str!("../breached.txt");

/// The false-positive rate, as one in so many.
const ONE_IN: u32 = 4_096;

#[test]
fn the_list_is_folded_and_says_nothing_twice() {
    let lines: Vec<&str> = LIST.lines().collect();
    assert!(lines.len() >= 100_000, "only {} passwords", lines.len());
    assert!(
        lines.is_sorted_by(|a, b| a < b),
        "not sorted, or not unique"
    );
    for line in lines {
        assert!(line.chars().count() >= 8, "{line:?} is short");
        let folded: String = crate::address::fold_case(line).collect();
        assert_eq!(line, folded, "not folded");
        assert!(!common::is_common(line), "{line:?} is common already");
    }
}

#[test]
fn every_line_is_found() {
    for line in LIST.lines() {
        assert!(is_breached(line), "{line:?} is not found");
    }
}

#[test]
fn a_good_password_is_seldom_taken_for_a_breached_one() {
    let alphabet: Vec<char> = ('!'..='~').chain('α'..='ω').chain('あ'..='ん').collect();
    let mut rng = StdRng::seed_from_u64(4_096);
    let asked: u32 = 250_000;
    let taken = (0..asked).filter(|_| {
        let length = rng.random_range(8..=20);
        let mut any = || alphabet[rng.random_range(0..alphabet.len())];
        let password: String = (0..length).map(|_| any()).collect();
        is_breached(&password)
    });
    let (taken, expected) = (taken.count(), f64::from(asked / ONE_IN));
    // Five standard deviations of the binomial distribution, to either side.
    let (least, most) = (
        expected - 5.0 * expected.sqrt(),
        expected + 5.0 * expected.sqrt(),
    );
    let taken = f64::from(u32::try_from(taken).unwrap());
    assert!(
        (least..=most).contains(&taken),
        "{taken} of {asked}, which is not between {least} and {most}"
    );
}

#[test]
fn the_filter_is_small_enough_to_carry_along() {
    assert!(FILTER.len() <= 205_000, "{} octets", FILTER.len());
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
