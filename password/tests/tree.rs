//! What crates are built of: this one without an SDK, an async runtime or Lambda, and functions without the
//! algorithms of other systems.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The crates that a package is built of, one a line.
#[cfg(test)]
fn tree(package: &str) -> String {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--edges", "normal,build", "--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("\nargon2 v"), "{tree}");
    tree
}

fn names(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines().filter_map(|line| line.split(' ').next())
}

#[test]
fn the_crate_is_built_without_an_sdk_a_runtime_or_lambda() {
    let tree = tree("regain-password");
    for name in names(&tree) {
        let barred = [
            "aws-", "aws_", "lambda_", "tokio", "hyper", "rustls", "regain",
        ];
        let is_barred = barred.iter().any(|barred| name.starts_with(barred));
        assert!(!is_barred || name == "regain-password", "{name}\n{tree}");
    }
}

#[test]
fn no_function_is_built_with_the_algorithms_of_other_systems() {
    const ALGORITHMS: [&str; 7] = [
        "aes", "bcrypt", "blowfish", "pbkdf2", "salsa20", "scrypt", "sha1",
    ];
    let command = tree("admin");
    for algorithm in ALGORITHMS {
        assert!(names(&command).any(|name| name == algorithm), "{algorithm}");
    }
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let mut count = 0;
    for function in fs::read_dir(functions).unwrap() {
        let name = function.unwrap().file_name();
        let name = name.to_str().unwrap();
        let tree = tree(name);
        for crate_name in names(&tree) {
            assert!(!ALGORITHMS.contains(&crate_name), "{name}: {crate_name}");
        }
        count += 1;
    }
    assert!(count >= 10, "{count}");
}
