//! Hashes a password as often as the argument says, at the cost that functions have by default.
//! `scripts/check-hash-speed` counts its instructions.

use std::error::Error;

use regain_password::{Candidate, Hasher};
use zeroize::Zeroizing;

fn main() -> Result<(), Box<dyn Error>> {
    let times: u32 = std::env::args().nth(1).ok_or("how often?")?.parse()?;
    let hasher = Hasher::new(19_456, 2, 1)?;
    let candidate = Candidate::new(Zeroizing::new("brass kettle on the moon".to_owned()));
    for _ in 0..times {
        println!("{}", hasher.hash(&candidate, [7; 16])?.as_str());
    }
    Ok(())
}
