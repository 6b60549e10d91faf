//! Makes the filters of common and of breached passwords from the lists of them.

#[path = "src/password/lists/encode.rs"]
mod encode;
#[path = "src/password/lists/filter.rs"]
mod filter;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

const FOLDER: &str = "src/password/lists";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FOLDER}");
    let folder = std::env::var_os("OUT_DIR").ok_or("cargo tells no OUT_DIR")?;
    for name in ["common", "breached"] {
        let list = fs::read_to_string(format!("{FOLDER}/{name}.txt"))?;
        let passwords: Vec<&str> = list.lines().collect();
        let octets = encode::encode(&passwords)?;
        let filter = filter::Filter::new(&octets).ok_or("the filter cannot be read")?;
        for password in passwords {
            if filter.contains(password) != Some(true) {
                return Err(format!("the filter misses {password:?}").into());
            }
        }
        let file = PathBuf::from(&folder).join(name).with_extension("filter");
        fs::write(file, octets)?;
    }
    Ok(())
}
