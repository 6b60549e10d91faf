//! The command line: wrong arguments, and `--help`.

use crate::kit::Kit;

const SHOW: [&str; 3] = ["users", "show", "ann@example.com"];

#[tokio::test]
async fn wrong_arguments_exit_with_2_and_say_what_is_expected() {
    let kit = Kit::new().await;
    for (arguments, says) in [
        (
            &SHOW[..],
            "which stack? give --stack NAME, or --local for that of `cargo run`, or --table NAME",
        ),
        (
            &["code-key", "rotate"],
            "which stack? give --stack NAME, or --local",
        ),
        (
            &[
                "code-key",
                "rotate",
                "--local",
                "--code-key-secret",
                "IndexKey",
            ],
            "unexpected argument '--code-key-secret'",
        ),
        (
            &["throttle", "show", "ann@example.com", "--table", "regain"],
            "give --index-key-secret ID, or --stack NAME",
        ),
        (
            &["throttle", "show", "ann", "--local"],
            "\"ann\" is not an e-mail address",
        ),
        (
            &["audit", "subject", "ann", "--local"],
            "\"ann\" is not an e-mail address",
        ),
        (
            &["audit", "caller", "ann", "--local"],
            "invalid IP address syntax",
        ),
        (&["audit"], "Usage: regain audit"),
        (&["users", "import", "--local"], "<FILE>"),
        (&["doctor", "--local", "--endpoint", "ses"], "SERVICE=URL"),
        (
            &["doctor", "--local", "--stack", "regain"],
            "--stack NAME or --local, not both",
        ),
        (&["users"], "Usage: regain users"),
    ] {
        let ran = kit.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
}

#[tokio::test]
async fn every_command_has_help_and_the_long_ones_have_examples() {
    let kit = Kit::new().await;
    for (arguments, shows) in [
        (&["--help"][..], "regain doctor --stack my-regain"),
        (
            &["users", "import", "--help"],
            "regain users import people.jsonl --stack my-regain",
        ),
        (&["users", "block", "--help"], "<ADDRESS or ID>"),
        (
            &["throttle", "clear", "--help"],
            "sessions stay as they are",
        ),
        (
            &["code-key", "rotate", "--help"],
            "The index key must never change",
        ),
        (&["doctor", "--help"], "regain doctor --local"),
    ] {
        let ran = kit.run(arguments).await;
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains(shows), "{}", ran.out);
        assert!(!ran.out.contains('\u{1b}'), "no colours in a pipe");
    }
}
