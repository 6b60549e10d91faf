//! Makes the JSON that the function serves of openapi.yaml.

use std::error::Error;
use std::path::Path;

const SOURCE: &str = "../../openapi.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let text = std::fs::read_to_string(SOURCE)?;
    let document: serde_json::Value = serde_yaml_ng::from_str(&text)?;
    let folder = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    std::fs::write(
        Path::new(&folder).join("openapi.json"),
        document.to_string(),
    )?;
    Ok(())
}
