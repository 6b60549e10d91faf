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
use testkit::table::Table;

const PASSWORD: &str = "brass kettle on the moon";

/// How a service ended that could not start.
pub(crate) fn refused(setup: Setup) -> String {
    let Err(Ended { status, said }) = setup.try_start() else {
        panic!("it starts")
    };
    assert_eq!(status.code(), Some(1), "{said}");
    said.strip_prefix("error: ")
        .expect("an error")
        .trim_end()
        .to_owned()
}

/// A service that keeps its data in a folder.
pub(crate) fn kept_in(folder: &Path) -> Setup {
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
        let port = rng.random_range(10_000..16_000);
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
