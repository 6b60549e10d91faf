//! The service as a program on one machine: how it starts, how it ends, and what it keeps.

use std::path::Path;

use rand::RngExt as _;
use serde_json::json;

use testkit::binaries::binaries;
use testkit::client::{Api, Mobile, Web};
use testkit::eventually;
use testkit::mailbox::Mailbox;
use testkit::outage::{Fault, Outage, wrap_all};
use testkit::people::{Person, new_address};
use testkit::stack::{Ended, Setup, children, is_running, send};
use testkit::table::{Table, text};

const PASSWORD: &str = "brass kettle on the moon";

/// How a service ended that could not start.
fn refused(setup: Setup) -> String {
    let Err(Ended { status, said }) = setup.try_start() else {
        panic!("it starts")
    };
    assert_eq!(status.code(), Some(1), "{said}");
    said.strip_prefix("error: ")
        .expect("an error")
        .trim_end()
        .to_owned()
}

fn kept_in(folder: &Path) -> Setup {
    Setup::default().unthrottled().option("--data", folder)
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let stack = kept_in(&data).start();
    let unknown = new_address();
    let decoy = Web::of(&stack).begin(&unknown).await.id;
    let early = Person::of(&stack).await;
    let old_session = Mobile::of(&stack).begin(&early.email).await;
    let old_mail = Mailbox::of(&stack, &early).next().await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(Person::of(&stack).await);
    }
    stack.end("TERM");

    // Mail is not sent for now: it is surely still to be sent when the end comes.
    let deaf = tempfile::tempdir().unwrap();
    let unreachable =
        "case $0 in */deliver-mail) export AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1;; esac";
    wrap_all(deaf.path(), unreachable);
    let stack = kept_in(&data).functions(deaf.path()).start();
    let mut sessions = Vec::new();
    for person in &waiting {
        sessions.push(Web::of(&stack).begin(&person.email).await);
    }
    let functions = children(stack.pid());
    assert_eq!(stack.end("KILL").status.code(), None, "killed");
    eventually("the functions end with what they work for", async || {
        functions
            .iter()
            .all(|(pid, _)| !is_running(*pid))
            .then_some(())
    })
    .await;

    let stack = kept_in(&data).start();
    let (web, mobile) = (Web::of(&stack), Mobile::of(&stack));
    for (person, begun) in waiting.iter().zip(&sessions) {
        let mut mailbox = Mailbox::of(&stack, person);
        let code = mailbox.next_code().await;
        web.set_both(begun, &code, PASSWORD).await.data();
        assert!(person.has_password(&stack, PASSWORD).await);
    }
    assert_eq!(
        Mailbox::of(&stack, &early).all().await,
        std::slice::from_ref(&old_mail),
        "old mail is kept"
    );
    let token = mobile.verify(&old_session, &old_mail.code()).await.word();
    assert_eq!(mobile.set_password(&token, PASSWORD).await.word(), early.id);
    assert_eq!(
        web.begin(&unknown).await.id,
        decoy,
        "the secrets are the same"
    );
}

#[tokio::test]
async fn a_service_without_a_data_directory_leaves_nothing_behind() {
    let address = new_address();
    let mut decoys = Vec::new();
    for _ in 0..2 {
        let stack = Setup::default().unthrottled().start();
        decoys.push(Web::of(&stack).begin(&address).await.id);
        assert_eq!(
            Table::of(&stack).all().await.len(),
            6 + 3,
            "three demo users, one request"
        );
    }
    assert_ne!(decoys[0], decoys[1], "new secrets");
}

#[tokio::test]
async fn a_second_instance_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stack = kept_in(folder.path()).start();
    let sentence = refused(kept_in(folder.path()));
    let expected = format!(
        "{} is in use by another running instance",
        folder.path().display()
    );
    assert_eq!(sentence, expected);
    Mobile::of(&stack).begin(&new_address()).await;
}

#[tokio::test]
async fn a_port_in_use_is_reported() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(
        refused(Setup::default().port(port)),
        format!(
            "port {port} on 127.0.0.1 is in use: stop what listens there, or choose another with --port"
        ),
    );
}

#[test]
fn the_operators_command_finds_a_service_by_its_port_alone() {
    let is_free = |port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut rng = regain::ambient::rng().unwrap();
    let port = loop {
        // Lower than the ports that the system gives to whoever asks for any, so that it stays free.
        let port = rng.random_range(10_000..32_000);
        // The ports after it are those of the stand-ins.
        if (port..port + 5).all(is_free) {
            break port;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let stack = kept_in(folder.path()).port(port).start();
    let line = format!("Operate    cargo run --bin regain -- doctor --local={port}\n");
    assert!(stack.said().contains(&line), "{}", stack.said());
    for arguments in [
        &["users", "show", "demo@example.com"][..],
        &["throttle", "show", "demo@example.com"],
        &["doctor"],
    ] {
        let ran = std::process::Command::new(binaries().join("regain"))
            .args(arguments)
            .arg(format!("--local={port}"))
            .env_clear()
            .output()
            .unwrap();
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test]
async fn signals_end_the_service_and_all_it_started() {
    for signal in ["TERM", "INT", "HUP"] {
        let stack = Setup::default().unthrottled().start();
        let mobile = Mobile::of(&stack);
        // Some functions have more than one process by then.
        let mut requests: tokio::task::JoinSet<_> = (0..8)
            .map(|_| {
                let mobile = mobile.clone();
                async move { mobile.begin(&new_address()).await }
            })
            .collect();
        while requests.join_next().await.is_some() {}
        let functions = children(stack.pid());
        assert!(functions.len() >= 7, "{functions:?}");
        let Ended { status, said } = stack.end(signal);
        assert_eq!(status.code(), Some(0), "{signal}: {said}");
        for (pid, name) in functions {
            assert!(!is_running(pid), "{name} is left after {signal}");
        }
    }
}

#[tokio::test]
async fn a_request_in_progress_is_answered_before_the_service_ends() {
    let outage = Outage::start();
    let stack = &outage.stack;
    let person = Person::of(stack).await;
    let web = Web::of(stack);
    let begun = web.begin(&person.email).await;
    let code = Mailbox::of(stack, &person).next_code().await;
    // Then no function has anything left to do, and only the request meets the silence.
    Table::of(stack).mail_outcomes(&begun.session).await;
    let pid = stack.pid();
    let functions = children(pid);
    let address = stack.url.trim_start_matches("http://").to_owned();
    outage.set(Fault::Silence);
    let ending = async {
        eventually("the function asks the table", async || {
            outage.has_met_silence().then_some(())
        })
        .await;
        send("TERM", pid);
        eventually("nobody else is let in", async || {
            tokio::net::TcpStream::connect(&address).await.err()
        })
        .await;
        outage.set(Fault::None);
    };
    let (answer, ()) = tokio::join!(web.set_both(&begun, &code, PASSWORD), ending);
    answer.data();
    let ended = outage.stack.end("CONT");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
    assert!(functions.iter().all(|(pid, _)| !is_running(*pid)));
}

#[tokio::test]
async fn the_table_may_be_at_another_dynamodb_and_outlives_the_service_there() {
    let host = Setup::default().start();
    let name = format!("{}-guest", host.table);
    let guest = || {
        let setup = Setup::default().unthrottled();
        setup.table_at(host.endpoint("DynamoDB"), &name).start()
    };
    let stack = guest();
    assert_eq!(stack.endpoint("DynamoDB"), host.endpoint("DynamoDB"));
    let person = Person::of(&stack).await;
    let web = Web::of(&stack);
    let begun = web.begin(&person.email).await;
    let code = Mailbox::of(&stack, &person).next_code().await;
    web.set_both(&begun, &code, PASSWORD).await.data();
    drop(stack);

    let stack = guest();
    assert!(person.has_password(&stack, PASSWORD).await);
    assert!(!stack.said().contains("demo@example.com"));
    let own = Table::of(&host).get(&format!("USER#{}", person.id)).await;
    assert_eq!(own, None, "the host's own table is another");
}

#[tokio::test]
async fn a_missing_dynamodb_is_reported() {
    for (url, problem) in [
        ("http://127.0.0.1:1", "Connection refused"),
        ("127.0.0.1", "relative URL without a base"),
    ] {
        let sentence = refused(Setup::default().table_at(url, "any"));
        let expected = format!("the table cannot be reached at {url}: {problem}");
        assert!(sentence.starts_with(&expected), "{sentence}");
    }
}

#[tokio::test]
async fn demo_users_are_loaded_into_an_empty_store_only_and_printed() {
    let folder = tempfile::tempdir().unwrap();
    let stack = kept_in(folder.path()).start();
    assert!(
        stack.said().contains("demo@example.com"),
        "{}",
        stack.said()
    );
    let begun = Web::of(&stack).begin("demo@example.com").await;
    assert_eq!(begun.id, "60115a65c0c6974f894f9ea6");
    assert!(
        Mailbox::at(&stack, "demo@example.com")
            .next_code()
            .await
            .len()
            == 6
    );
    drop(stack);
    let stack = kept_in(folder.path()).start();
    assert!(
        !stack.said().contains("demo@example.com"),
        "{}",
        stack.said()
    );
}

#[tokio::test]
async fn users_are_loaded_and_updated_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (data, users) = (
        folder.path().join("data"),
        folder.path().join("users.jsonl"),
    );
    let (first, second) = (new_address(), new_address());
    let id = "5f3a9c0be1d2a3b4c5d6e7f8";
    let lines = [
        json!({"id": id, "email": first, "password": "the old password", "phone": "1"}),
        json!({"email": second, "status": "blocked", "locale": "id"}),
    ];
    let write = |lines: &[serde_json::Value]| {
        let text: Vec<_> = lines.iter().map(ToString::to_string).collect();
        std::fs::write(&users, format!("\n{}\r\n\n", text.join("\n\n"))).unwrap();
    };
    write(&lines);
    let stack = kept_in(&data).option("--users", &users).start();
    assert!(!stack.said().contains("demo@example.com"));
    assert_eq!(Web::of(&stack).begin(&first).await.id, id);
    let person = Person {
        id: id.to_owned(),
        email: first.clone(),
    };
    assert!(person.has_password(&stack, "the old password").await);
    let other = Web::of(&stack).begin(&second.to_uppercase()).await.id;
    drop(stack);

    // By its id, the first moves to another address and keeps its password; by its address, the
    // second is found without an id.
    let moved = new_address();
    write(&[
        json!({"id": id, "email": moved, "locale": "en"}),
        json!({"email": second, "status": "active"}),
    ]);
    let stack = kept_in(&data).option("--users", &users).start();
    let web = Web::of(&stack);
    assert_eq!(web.begin(&moved).await.id, id);
    assert_ne!(web.begin(&first).await.id, id, "nobody's now");
    assert_eq!(web.begin(&second).await.id, other);
    assert!(person.has_password(&stack, "the old password").await);
    let user = Table::of(&stack).user(id).await;
    assert_eq!(text(&user, "email"), moved);
}

#[tokio::test]
async fn a_bad_line_stops_the_load_with_its_number_and_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, users) = (
        folder.path().join("data"),
        folder.path().join("users.jsonl"),
    );
    let good = json!({"email": "good@example.com"});
    for (bad, word) in [
        ("{", "not a user"),
        ("[]", "not a user"),
        ("null", "not a user"),
        ("{}", "email"),
        (r#"{"email": 7}"#, ""),
        (r#"{"email": "nobody"}"#, "email"),
        (r#"{"email": "a@example.com", "id": "no object id"}"#, "id"),
        (
            r#"{"email": "a@example.com", "id": "60115A65C0C6974F894F9EA6"}"#,
            "id",
        ),
        (
            r#"{"email": "a@example.com", "id": "0b8c2c3e-0000-4000-8000-000000000000"}"#,
            "id",
        ),
        (r#"{"email": "GOOD@example.com"}"#, "line 1"),
        (
            r#"{"email": "a@example.com", "passwordHash": "$2b$10$too.short"}"#,
            "passwordHash",
        ),
        (r#"{"email": "a@example.com", "password": 7}"#, ""),
        (r#"{"email": "a@example.com", "roles": {}}"#, ""),
        (r#"{"email": "a@example.com", "profile": []}"#, ""),
        (r#"{"email": "a@example.com", "meta": {"": 1}}"#, "meta"),
        (
            r#"{"email": "a@example.com", "meta": {"n": 1e300}}"#,
            "meta",
        ),
        (
            r#"{"email": "a@example.com", "password": "short"}"#,
            "too_short",
        ),
        (r#"{"email": "ren\u00e9@example.com"}"#, "email"),
    ] {
        std::fs::write(&users, format!("{good}\n\n{bad}\n{good}\n")).unwrap();
        let sentence = refused(kept_in(&data).option("--users", &users));
        assert!(sentence.contains("\n  line 3: "), "{bad}: {sentence}");
        assert!(
            sentence.contains("\n  line 4: "),
            "all are told: {sentence}"
        );
        assert!(sentence.contains(word), "{bad}: {sentence}");
        assert!(!sentence.contains("$2b$"), "{sentence}");
    }
    std::fs::write(&users, "").unwrap();
    let stack = kept_in(&data).option("--users", &users).start();
    assert_eq!(Table::of(&stack).all().await, []);
    let nowhere = folder.path().join("nowhere.jsonl");
    let sentence = refused(Setup::default().option("--users", &nowhere));
    assert!(sentence.contains("nowhere.jsonl"), "{sentence}");
}

#[tokio::test]
async fn a_file_that_is_loaded_again_does_not_undo_a_recovery_unless_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (data, users) = (
        folder.path().join("data"),
        folder.path().join("users.jsonl"),
    );
    let (id, email) = ("5f3a9c0be1d2a3b4c5d6e7f8", new_address());
    let line = json!({"id": id, "email": email, "password": "the old password"});
    std::fs::write(&users, line.to_string()).unwrap();
    let person = Person {
        id: id.to_owned(),
        email,
    };
    let setup = || kept_in(&data).option("--users", &users);
    let stack = setup().start();
    let (web, mut mailbox) = (Web::of(&stack), Mailbox::of(&stack, &person));
    let session = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    web.set_both(&session, &code, PASSWORD).await.data();
    drop(stack);
    let stack = setup().start();
    assert!(person.has_password(&stack, PASSWORD).await);
    let kept = "passwords kept, because their last change was not an import: 1 \
        (--overwrite-passwords replaces them)";
    assert!(stack.said().contains(kept), "{}", stack.said());
    drop(stack);
    let stack = setup().flag("--overwrite-passwords").start();
    assert!(person.has_password(&stack, "the old password").await);
}

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

#[tokio::test]
async fn only_its_owner_can_read_a_data_directory() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let stack = kept_in(&data).start();
    Api::of(&stack)
        .post(testkit::client::FORGOT, json!({"email": new_address()}))
        .await
        .word();
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let secrets = data.join("secrets.json").metadata().unwrap();
    assert_eq!(secrets.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn an_unusable_data_directory_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let sentence = refused(Setup::default().option("--data", &file));
    assert!(sentence.contains("file cannot be used"), "{sentence}");
    let missing = folder.path().join("functions");
    let sentence = refused(Setup::default().functions(&missing));
    assert!(sentence.contains("there is no program"), "{sentence}");
}
