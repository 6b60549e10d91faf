//! Hashes the same password as `hash-in-functions` at the same cost, by argon2 alone, and wipes the memory as that does.

use std::error::Error;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize as _;

fn main() -> Result<(), Box<dyn Error>> {
    let times: u32 = std::env::args().nth(1).ok_or("how often?")?.parse()?;
    let params = Params::new(19_456, 2, 1, Some(32))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut memory = vec![Block::new(); argon2.params().block_count()];
    let mut hash = [0; 32];
    for _ in 0..times {
        let password = b"brass kettle on the moon";
        argon2.hash_password_into_with_memory(password, &[7; 16], &mut hash, &mut memory)?;
        memory.iter_mut().zeroize();
    }
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(Salt::new(&[7; 16])?),
        hash: Some(Output::new(&hash)?),
    };
    println!("{hash}");
    Ok(())
}
