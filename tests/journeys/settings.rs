//! The settings: wrong ones stop the start, of the service and of each function.

use std::path::Path;

use crate::process::refused;
use testkit::binaries::binaries;
use testkit::client::Mobile;
use testkit::people::new_address;
use testkit::stack::Setup;

#[tokio::test]
async fn every_wrong_setting_stops_the_start_and_is_named() {
    for (name, values) in [
        ("CODE_LENGTH", &["3", "11", "six", "-6", "6.0", "0x6"][..]),
        ("CODE_TTL_SECONDS", &["0", "3601", "10m"]),
        ("SESSION_TTL_SECONDS", &["0", "86401", "1e3"]),
        ("CODE_MAX_ATTEMPTS", &["0", "21"]),
        ("ACCOUNT_GUESSES_PER_DAY", &["0", "1001"]),
        ("RESEND_COOLDOWN_SECONDS", &["-1", "3601", "never"]),
        (
            "EMAIL_REQUESTS_PER_HOUR",
            &["-1", "1000001", "99999999999999999999"],
        ),
        ("EMAIL_REQUESTS_PER_DAY", &["1000001"]),
        ("IP_REQUESTS_PER_HOUR", &["1000001", "\u{661}"]),
        ("KNOWN_NETWORK_DAYS", &["366", "-1", "forever"]),
        ("PASSWORD_MIN_LENGTH", &["7", "65"]),
        ("USER_ID_FORMAT", &["int", "UUID", "objectId"]),
        ("DIRECTORY_USER_ID", &["Alias", "decoy", "user "]),
        ("DIRECTORY_SESSION", &["Latest", "newest", "true"]),
        ("DIRECTORY_LANGUAGE", &["xx", "EN", "en-GB"]),
        ("AUTH_V1_LANGUAGE", &["in", "id,en", "*"]),
        ("ARGON2_MEMORY_KIB", &["19455", "1048577"]),
        ("ARGON2_ITERATIONS", &["1", "65"]),
        ("ARGON2_PARALLELISM", &["0", "17"]),
        (
            "SERVICE_NAME",
            &[
                " ",
                "Shop ",
                "a\tb",
                "a\u{85}b",
                "\u{ff11}\u{ff12}\u{ff13}\u{ff14}",
            ],
        ),
        (
            "RECOVERY_PAGE_URL",
            &[
                "None",
                "recover",
                "https://a.example/#t",
                "https://a.example/?a&b",
            ],
        ),
        ("MAIL_FROM_NAME", &[" ", "Shop 2024"]),
        ("MAIL_REPLY_TO", &["foo", "Help <a@b.example>"]),
        ("SERVICE_KIND", &["shop", "App"]),
        ("LOGO_URL", &["logo.png", "https://example.com/\"x"]),
        ("PRODUCT_URL", &["example.com", "https://example.com/2024"]),
        ("SUPPORT_CONTACT", &["help", "https://example.com/<b>"]),
        ("MAIL_FROM", &["foo", "Shop <a@b.example>", "a@b.example "]),
        (
            "CORS_ORIGINS",
            &[
                "acme.test",
                "https://app.example.com/",
                "*,",
                "https://a.example:443",
            ],
        ),
        ("LOG_LEVEL", &["loud", "INFO"]),
    ] {
        for value in values {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            let setup = Setup::default().option("--data", &data).set(name, value);
            let sentence = refused(setup);
            assert!(sentence.starts_with(name), "{name}={value}: {sentence}");
            assert_eq!(sentence.lines().count(), 1, "{sentence}");
            assert!(!data.exists(), "{name}={value}: settings come first");
        }
    }
    let guessable = Setup::default()
        .set("CODE_LENGTH", 4)
        .set("ACCOUNT_GUESSES_PER_DAY", 11);
    let sentence = refused(guessable);
    assert!(sentence.contains("ACCOUNT_GUESSES_PER_DAY") && sentence.contains("CODE_LENGTH"));
    let sentence = refused(Setup::default().set("CODE_LENGTH", 4));
    let ways_out = "set ACCOUNT_GUESSES_PER_DAY to at most 10, or CODE_LENGTH to at least 5";
    assert!(sentence.ends_with(ways_out), "{sentence}");
}

#[test]
fn a_function_refuses_its_own_settings_before_it_asks_for_a_call() {
    let runtime_api = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    runtime_api.set_nonblocking(true).unwrap();
    let address = runtime_api.local_addr().unwrap().to_string();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    for function in sources.read_dir().unwrap() {
        let name = function.unwrap().file_name().into_string().unwrap();
        let path = binaries().join(&name);
        let mut wrong = vec![("LOG_LEVEL", "loud")];
        if !["announce", "audit-trail", "mail-events"].contains(&name.as_str()) {
            wrong.push(("CODE_LENGTH", "6.0"));
        }
        if name == "deliver-mail" {
            wrong.push(("MAIL_FROM", "foo"));
        }
        if name == "announce" {
            wrong.push(("EVENT_BUS", "a b"));
        }
        if name == "recovery-page" {
            wrong.extend([
                ("SIGN_IN_URL", "javascript:alert(1)"),
                ("BRAND_COLOR", "red"),
                ("FRAME_ANCESTORS", "*"),
            ]);
        }
        for (variable, value) in wrong {
            let ended = std::process::Command::new(&path)
                .env_clear()
                .env("AWS_LAMBDA_RUNTIME_API", &address)
                .envs([
                    ("TABLE_NAME", "regain"),
                    ("INDEX_KEY_SECRET", "IndexKey"),
                    ("CODE_KEY_SECRET", "CodeKey"),
                    ("MAIL_FROM", "no-reply@example.com"),
                    ("MAIL_TEMPLATE_PREFIX", "regain"),
                ])
                .env(variable, value)
                .output()
                .unwrap();
            let said = String::from_utf8(ended.stdout).unwrap();
            assert_eq!(ended.status.code(), Some(1), "{name}: {said}");
            assert!(
                said.contains(&format!("{variable} must be")),
                "{name}: {said}"
            );
            let asked = runtime_api.accept().unwrap_err().kind();
            assert_eq!(asked, std::io::ErrorKind::WouldBlock, "{name}");
        }
    }
}

#[tokio::test]
async fn settings_at_the_ends_of_their_ranges_are_accepted_and_empty_ones_count_as_unset() {
    for settings in [
        &[
            ("CODE_LENGTH", "4"),
            ("ACCOUNT_GUESSES_PER_DAY", "10"),
            ("PASSWORD_MIN_LENGTH", "64"),
        ][..],
        &[
            ("CODE_LENGTH", "10"),
            ("ACCOUNT_GUESSES_PER_DAY", "1000"),
            ("CODE_MAX_ATTEMPTS", "20"),
        ],
        &[
            ("CODE_LENGTH", ""),
            ("RESEND_COOLDOWN_SECONDS", "3600"),
            ("EMAIL_REQUESTS_PER_HOUR", "1000000"),
        ],
    ] {
        let setup = settings
            .iter()
            .fold(Setup::default(), |setup, (name, value)| {
                setup.set(name, value)
            });
        let stack = setup.start();
        Mobile::of(&stack).begin(&new_address()).await;
    }
}
