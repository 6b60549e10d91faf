//! What crates are built of: this one without an SDK, an async runtime or Lambda, and functions without the
//! algorithms of other systems.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The crates that packages are built of, one a line.
#[cfg(test)]
fn tree<'a>(packages: impl IntoIterator<Item = &'a str>) -> String {
    let packages = packages.into_iter().flat_map(|it| ["--package", it]);
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--edges", "normal,build"])
        .args(packages)
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
    let tree = tree(["regain-password"]);
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
    let command = tree(["admin"]);
    for algorithm in ALGORITHMS {
        assert!(names(&command).any(|name| name == algorithm), "{algorithm}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let functions = fs::read_dir(folder).unwrap().map(|function| {
        let name = function.unwrap().file_name();
        name.into_string().unwrap()
    });
    let functions: Vec<_> = functions.collect();
    assert!(functions.len() >= 10, "{functions:?}");
    let tree = tree(functions.iter().map(String::as_str));
    for function in &functions {
        assert!(names(&tree).any(|name| name == function), "{function}");
    }
    for name in names(&tree) {
        assert!(!ALGORITHMS.contains(&name), "{name}\n{tree}");
    }
}
