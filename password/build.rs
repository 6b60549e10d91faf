//! Makes a filter of each list of known passwords, for the feature `policy`.

#[path = "src/lists/encode.rs"]
mod encode;
#[path = "src/lists/filter.rs"]
mod filter;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const LISTS: &str = "data";

fn main() -> Result<(), Box<dyn Error>> {
    for path in ["build.rs", LISTS, "src/lists"] {
        println!("cargo::rerun-if-changed={path}");
    }
    if env::var_os("CARGO_FEATURE_POLICY").is_none() {
        return Ok(());
    }
    let folder = env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?;
    for name in ["common", "breached"] {
        let list = fs::read_to_string(format!("{LISTS}/{name}.txt"))?;
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
