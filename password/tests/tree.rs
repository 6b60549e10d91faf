//! What the crate is built of: no SDK, no async runtime, and nothing of Lambda.

use std::process::Command;

#[test]
fn the_crate_is_built_without_an_sdk_a_runtime_or_lambda() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--edges", "normal,build", "--package", "regain-password"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("\nargon2 v"), "{tree}");
    for name in tree.lines().filter_map(|line| line.split(' ').next()) {
        let barred = [
            "aws-", "aws_", "lambda_", "tokio", "hyper", "rustls", "regain",
        ];
        let is_barred = barred.iter().any(|barred| name.starts_with(barred));
        assert!(!is_barred || name == "regain-password", "{name}\n{tree}");
    }
}
