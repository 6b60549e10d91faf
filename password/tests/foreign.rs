//! Hashes of other systems: `foreign/vectors.jsonl` has hashes that their libraries made.

use std::thread;

use proptest::prelude::*;
use regain_password::{
    Candidate, Cost, FirebaseScrypt, InvalidFirebaseScrypt, InvalidPasswordHash, PasswordHash,
    Verified, verify,
};
use serde::Deserialize;

const VECTORS: &str = include_str!("foreign/vectors.jsonl");
const FIREBASE: &str = include_str!("foreign/firebase.jsonl");
const HASH_CONFIG: &str = include_str!("foreign/hash_config.txt");

#[derive(Deserialize)]
struct Vector {
    library: String,
    password: String,
    hash: String,
    #[serde(default)]
    salt: String,
}

#[cfg(test)]
fn vectors(lines: &str) -> impl Iterator<Item = Vector> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
}

#[cfg(test)]
fn verified(typed: &str, hash: &PasswordHash) -> Verified {
    let floor = Cost::new(Cost::MIN_MEMORY_KIB, Cost::MIN_ITERATIONS, 1).unwrap();
    verify(&Candidate::new(typed.to_owned().into()), hash, &floor)
}

#[track_caller]
fn assert_verifies(password: &str, hash: &PasswordHash, what: &str) {
    assert_eq!(verified(password, hash), Verified::YesButRehash, "{what}");
    let (first, rest) = password.split_at(1);
    let other = format!("{}{rest}", first.to_uppercase());
    assert_eq!(verified(&other, hash), Verified::No, "{what}");
}

#[test]
fn hashes_of_other_libraries_verify_and_are_due_again() {
    let vectors: Vec<_> = vectors(VECTORS).collect();
    assert_eq!(vectors.len(), 32);
    // They take a while, so each core does a part.
    thread::scope(|scope| {
        for vector in &vectors {
            scope.spawn(|| {
                let Vector {
                    library,
                    password,
                    hash,
                    ..
                } = vector;
                let what = format!("{library}: {hash}");
                let parsed = PasswordHash::parse(hash).expect(&what);
                assert_eq!(parsed.as_str(), hash, "kept as it is");
                assert_verifies(password, &parsed, &what);
            });
        }
    });
}

#[test]
fn a_hash_of_firebase_verifies_without_the_signer_key() {
    let firebase = FirebaseScrypt::parse(HASH_CONFIG).unwrap();
    for Vector {
        password,
        hash,
        salt,
        ..
    } in vectors(FIREBASE)
    {
        let url_safe = |text: &str| text.replace('+', "-").replace('/', "_");
        for (hash, salt) in [
            (hash.clone(), salt.clone()),
            (url_safe(&hash), url_safe(&salt)),
        ] {
            let parsed = firebase.hash(&hash, &salt).unwrap();
            assert!(parsed.as_str().starts_with("$firebase-scrypt$ln=14,r=8$"));
            assert_eq!(PasswordHash::parse(parsed.as_str()), Ok(parsed.clone()));
            assert_verifies(&password, &parsed, &hash);
        }
    }
}

#[test]
fn a_hash_that_does_not_belong_to_the_firebase_project_is_refused() {
    let firebase = FirebaseScrypt::parse(HASH_CONFIG).unwrap();
    for (hash, salt, why) in [
        ("c2hvcnQ=", "c2FsdA==", "shorter than the signer key"),
        ("not Base64", "c2FsdA==", "not Base64"),
    ] {
        let refused = firebase.hash(hash, salt).unwrap_err();
        assert_eq!(refused, InvalidPasswordHash::Form, "{why}");
    }
    let dear = HASH_CONFIG.replace("mem_cost: 14", "mem_cost: 21");
    let dear = FirebaseScrypt::parse(&dear).unwrap();
    let vector = vectors(FIREBASE).next().unwrap();
    let refused = dear.hash(&vector.hash, &vector.salt).unwrap_err();
    assert_eq!(refused, InvalidPasswordHash::Cost);
}

#[test]
fn incomplete_parameters_of_firebase_are_refused_by_name() {
    use InvalidFirebaseScrypt::{Algorithm, Malformed, Missing};
    for (from, to, error) in [
        ("SCRYPT", "STANDARD_SCRYPT", Algorithm),
        ("algorithm", "algo", Missing("algorithm")),
        ("base64_signer_key", "key", Missing("base64_signer_key")),
        ("Bw==", "B", Malformed("base64_salt_separator")),
        ("rounds: 8", "rounds: eight", Malformed("rounds")),
        ("mem_cost: 14", "", Missing("mem_cost")),
    ] {
        let config = HASH_CONFIG.replace(from, to);
        assert_ne!(config, HASH_CONFIG);
        assert_eq!(FirebaseScrypt::parse(&config).unwrap_err(), error, "{to}");
    }
    let firebase = FirebaseScrypt::parse(HASH_CONFIG).unwrap();
    assert_eq!(format!("{firebase:?}"), "FirebaseScrypt(..)");
}

#[test]
fn bcrypt_takes_the_first_72_octets_as_other_libraries_do() {
    let long = vectors(VECTORS).find(|it| it.password.len() == 72).unwrap();
    let hash = PasswordHash::parse(&long.hash).unwrap();
    let longer = format!("{} and whatever", long.password);
    assert_eq!(verified(&longer, &hash), Verified::YesButRehash);
}

#[test]
fn a_decomposed_password_verifies_as_its_composed_twin() {
    let hash = vectors(VECTORS).find(|it| it.password.starts_with("pä"));
    let hash = PasswordHash::parse(&hash.unwrap().hash).unwrap();
    let typed = "pa\u{308}sswo\u{308}rd ☕";
    assert_eq!(verified(typed, &hash), Verified::YesButRehash);
}

const BCRYPT: &str = "$2b$10$E.qPLBcKJ3j6KlfWaw3lvuZU1QgnaG0RhAMEr2/UnBMiciJfgG1yy";
const SCRYPT: &str =
    "$scrypt$ln=10,r=8,p=1$Sa1uEn7Zr7Yfs5a4MIdl8A$Z8R8Zh+Pj0MueN6TNcxuVoEl9kIq5uCBilmjTBnyez0";
const PBKDF2: &str = "$pbkdf2-sha256$i=12345,l=32$0oAJ8Yu6d2HeJ1sRQbJhNA$xBTU2H+YD0OTTXwVKUzQIzZFHD0O/AYvCPFxVKgVEzk";
const DJANGO: &str =
    "pbkdf2_sha256$1000000$l1wAh41NG01m2O2xZRxGl1$lf//qsQ+qvJtbfOjkLk1+0PibrsYD+1fajbtbqN22nc=";
const DJANGO_SCRYPT: &str = "scrypt$16384$salt$8$5$lf//qsQ+qvJtbfOjkLk1+0PibrsYD+1fajbtbqN22nc=";
const SPRING_SCRYPT: &str =
    "{scrypt}$e0801$c2FsdHNhbHQ=$OAOec05+bXxvuu/1qZ6NUR+xQYvYv7BeL1QxwRpY5Pc=";
const SPRING: &str =
    "{pbkdf2}5d923b44a6d129f3ddf3e3c8d29412723dcbde72445e8ef6bf3b508fbf17fa4ed4d6b99ca763d8dc";
const ARGON2I: &str = "$argon2i$v=19$m=1024,t=2,p=2$4QT5ubgkm9cESnK1PNlZ2g$lvACaVXeXT2u6MUTLzmAZ9QfkjYM9PneZVb81WdGj+M";
const FIREBASE_HASH: &str =
    "$firebase-scrypt$ln=14,r=8$Sa1uEn7Zr7Yfs5a4MIdl8A$Z8R8Zh+Pj0MueN6TNcxuVoEl9kIq5uCBilmjTBnyez0";

#[test]
fn a_hash_is_read_whole_or_refused() {
    for (hash, from, to, why) in [
        (
            BCRYPT,
            "$2b$",
            "$2x$",
            "made by an implementation with a mistake",
        ),
        (BCRYPT, "$2b$", "$2$", "a version that nobody makes"),
        (BCRYPT, "$2b$", "{bcrypt}{bcrypt}$2b$", "two prefixes"),
        (BCRYPT, "$10$", "$03$", "fewer rounds than bcrypt takes"),
        (BCRYPT, "G1yy", "G1y", "too short"),
        (BCRYPT, "G1yy", "G1yyy", "too long"),
        (BCRYPT, "G1yy", "G1y=", "another alphabet"),
        (SCRYPT, "ln=10,", "", "no N"),
        (SCRYPT, ",p=1", "", "no p"),
        (SCRYPT, "p=1", "p=1,p=1", "a parameter twice"),
        (SCRYPT, "p=1", "p=1,x=1", "an unknown parameter"),
        (SCRYPT, "ln=10", "ln=0", "N of 1"),
        (SCRYPT, "ln=10", "ln=+10", "a sign"),
        (SCRYPT, "r=8", "r=08", "a leading zero"),
        (SCRYPT, "nyez0", "nyez0=", "padding"),
        (SCRYPT, "nyez0", "nyez0$", "something after it"),
        (SCRYPT, "oEl9kIq5uCBilmjTBnyez0", "o", "a hash of 14 octets"),
        (SCRYPT, "Sa1uEn7Zr7Yfs5a4MIdl8A", "", "no salt"),
        (DJANGO_SCRYPT, "16384", "16383", "N that is no power of two"),
        (DJANGO_SCRYPT, "$5$", "$", "no p"),
        (DJANGO_SCRYPT, "22nc=", "22nc", "no padding"),
        (SPRING_SCRYPT, "$e0801$", "$+0801$", "a sign"),
        (SPRING_SCRYPT, "$e0801$", "$e0800$", "no lanes"),
        (PBKDF2, "sha256", "md5", "another digest"),
        (PBKDF2, "i=12345,", "", "no iterations"),
        (PBKDF2, "i=12345", "i=0", "no iterations"),
        (PBKDF2, "l=32", "l=31", "another length"),
        (PBKDF2, "xBTU", "*BTU", "not Base64"),
        (DJANGO, "$1000000$", "$1e6$", "no number"),
        (DJANGO, "22nc=", "22nc", "no padding"),
        (SPRING, "8dc", "8d", "half an octet"),
        (SPRING, "63d8dc", "63d8", "a shorter hash"),
        (ARGON2I, "v=19", "v=16", "an old version"),
        (ARGON2I, "argon2i", "argon2x", "no variant"),
        (FIREBASE_HASH, "r=8", "r=8,p=1", "an unknown parameter"),
    ] {
        assert!(PasswordHash::parse(hash).is_ok(), "{hash}");
        let changed = hash.replace(from, to);
        assert_ne!(changed, hash);
        let error = Err(InvalidPasswordHash::Form);
        assert_eq!(PasswordHash::parse(&changed), error, "{why}: {changed}");
    }
    let long = DJANGO.replace("l1wAh41NG01m2O2xZRxGl1", &"s".repeat(129));
    assert_eq!(PasswordHash::parse(&long), Err(InvalidPasswordHash::Form));
    let long = DJANGO.replace("l1wAh41NG01m2O2xZRxGl1", &"s".repeat(128));
    assert!(PasswordHash::parse(&long).is_ok());
}

#[test]
fn no_stored_hash_makes_a_verification_take_more_than_the_limits() {
    let ok = Ok(());
    let dear = Err(InvalidPasswordHash::Cost);
    for (hash, from, to, expected) in [
        (BCRYPT, "$10$", "$16$", ok),
        (BCRYPT, "$10$", "$17$", dear),
        (BCRYPT, "$10$", "$31$", dear),
        (SCRYPT, "ln=10", "ln=20", ok),
        (SCRYPT, "ln=10", "ln=21", dear),
        (SCRYPT, "ln=10", "ln=63", dear),
        (SCRYPT, "ln=10", "ln=64", dear),
        (SCRYPT, "ln=10", "ln=4294967296", dear),
        (SCRYPT, "r=8", "r=64", ok),
        (SCRYPT, "r=8", "r=65", dear),
        (SCRYPT, "p=1", "p=64", ok),
        (SCRYPT, "p=1", "p=65", dear),
        (SCRYPT, "ln=10,r=8", "ln=17,r=64", ok),
        (SCRYPT, "ln=10,r=8", "ln=18,r=64", dear),
        (SCRYPT, "ln=10,r=8,p=1", "ln=20,r=8,p=2", ok),
        (SCRYPT, "ln=10,r=8,p=1", "ln=20,r=8,p=3", dear),
        (SCRYPT, "p=1", "p=4294967295", dear),
        (DJANGO_SCRYPT, "16384", "2147483648", dear),
        (SPRING_SCRYPT, "$e0801$", "$140801$", ok),
        (SPRING_SCRYPT, "$e0801$", "$150801$", dear),
        (PBKDF2, "i=12345", "i=10000000", ok),
        (PBKDF2, "i=12345", "i=10000001", dear),
        (PBKDF2, "sha256$i=12345", "sha1$i=5000000", ok),
        (PBKDF2, "sha256$i=12345", "sha1$i=5000001", dear),
        (DJANGO, "1000000", "99999999999", dear),
        (ARGON2I, "m=1024", "m=5242880", ok),
        (ARGON2I, "m=1024", "m=5242881", dear),
        (ARGON2I, "t=2", "t=101", dear),
        (FIREBASE_HASH, "ln=14", "ln=21", dear),
    ] {
        let changed = hash.replace(from, to);
        assert_ne!(changed, hash);
        let parsed = PasswordHash::parse(&changed).map(drop);
        assert_eq!(parsed, expected, "{changed}");
    }
}

proptest! {
    /// A text with some characters left out, doubled or replaced is refused, or is read as it is written.
    #[test]
    fn no_text_makes_the_parser_panic(
        vector in 0..32_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<char>()), 0..4),
    ) {
        let vector = vectors(VECTORS).nth(vector).unwrap();
        let mut text: Vec<char> = vector.hash.chars().collect();
        for (index, change, character) in &changes {
            let index = index.index(text.len());
            match change {
                0 => drop(text.remove(index)),
                1 => text.insert(index, text[index]),
                _ => text[index] = *character,
            }
        }
        let text: String = text.into_iter().collect();
        let parsed = PasswordHash::parse(&text);
        prop_assert!(!changes.is_empty() || parsed.is_ok());
        if let Ok(parsed) = parsed {
            prop_assert_eq!(parsed.as_str(), text);
        }
    }
}
