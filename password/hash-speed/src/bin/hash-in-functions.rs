//! Hashes a password as functions do, at their default cost, as often as the argument says, and prints the last hash.

use std::error::Error;

use regain_password::{Candidate, Hasher};
use zeroize::Zeroizing;

fn main() -> Result<(), Box<dyn Error>> {
    let times: u32 = std::env::args().nth(1).ok_or("how often?")?.parse()?;
    let hasher = Hasher::new(19_456, 2, 1)?;
    let candidate = Candidate::new(Zeroizing::new("brass kettle on the moon".to_owned()));
    for _ in 1..times {
        hasher.hash(&candidate, [7; 16])?;
    }
    println!("{}", hasher.hash(&candidate, [7; 16])?.as_str());
    Ok(())
}
