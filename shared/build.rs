//! Makes the filter of breached passwords from the list of them.

#[path = "src/password/breached/encode.rs"]
mod encode;
#[path = "src/password/breached/filter.rs"]
mod filter;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

const FOLDER: &str = "src/password";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FOLDER}/breached");
    println!("cargo::rerun-if-changed={FOLDER}/breached.txt");
    let list = fs::read_to_string(format!("{FOLDER}/breached.txt"))?;
    let passwords: Vec<&str> = list.lines().collect();
    let octets = encode::encode(&passwords)?;
    let filter = filter::Filter::new(&octets).ok_or("the filter cannot be read")?;
    for password in passwords {
        if filter.contains(password) != Some(true) {
            return Err(format!("the filter misses {password:?}").into());
        }
    }
    let folder = std::env::var_os("OUT_DIR").ok_or("cargo tells no OUT_DIR")?;
    fs::write(PathBuf::from(folder).join("breached.filter"), octets)?;
    Ok(())
}
