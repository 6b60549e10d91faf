//! Secrets stay secret: they are in no log, at any level, and in nothing that is stored.

use std::path::Path;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::json;

use testkit::client::{Api, Mobile, RESEND, SET_PASSWORD, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::outage::wrap_all;
use testkit::people::Person;
use testkit::stack::Setup;
use testkit::table::Table;

const PASSWORD: &str = "MARKER of a password";
const REFUSED: &str = "password1";

/// Secrets that may be found nowhere, each with its name.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn keep(&mut self, what: &'static str, secret: &str) {
        self.0.push((what, secret.to_owned()));
        for encoded in [
            BASE64.encode(secret.as_bytes()),
            BASE64URL_NOPAD.encode(secret.as_bytes()),
            HEXLOWER.encode(secret.as_bytes()),
            HEXUPPER.encode(secret.as_bytes()),
        ] {
            self.0
                .push((what, encoded.trim_end_matches('=').to_owned()));
        }
    }

    fn assert_none_in(&self, place: &str, bytes: &[u8], may_hold: &[&str]) {
        let text = String::from_utf8_lossy(bytes);
        for (what, secret) in self.0.iter().filter(|(what, _)| !may_hold.contains(what)) {
            let found = text.find(secret.as_str());
            let around = found.map(|at| {
                let context = at.saturating_sub(200)..(at + 200).min(text.len());
                text.get(context).unwrap_or_default()
            });
            assert_eq!(around, None, "a {what} ({secret}) is in {place}");
        }
    }

    /// Only the audit trail holds no address either.
    fn assert_none_stored(&self, folder: &Path) {
        let mut found = Vec::new();
        files(folder, &mut found);
        assert!(found.len() >= 3, "{found:?}");
        let mut records = 0;
        for file in found {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).unwrap();
            if name == "audit-trail.jsonl" {
                records = String::from_utf8_lossy(&bytes).lines().count();
                self.assert_none_in(&name, &bytes, &[]);
            } else {
                self.assert_none_in(&name, &bytes, &["address"]);
            }
        }
        assert!(records > 10, "{records} records");
    }
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[tokio::test]
async fn no_secret_is_logged_or_stored_in_clear() {
    let (data, functions) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let users = functions.path().join("users.jsonl");
    std::fs::write(&users, json!({"email": "somebody@example.com"}).to_string()).unwrap();
    wrap_all(
        functions.path(),
        "export RUST_LOG=trace AWS_LAMBDA_LOG_LEVEL=TRACE RUST_BACKTRACE=1 RUST_LIB_BACKTRACE=1",
    );
    // Ten digits: a code of six would be found in some timestamp or other.
    let stack = Setup::default()
        .unthrottled()
        .functions(functions.path())
        .option("--data", data.path())
        .option("--users", &users)
        .set("CODE_LENGTH", 10)
        .set("LOG_LEVEL", "trace")
        .set("RUST_LOG", "trace")
        .start();
    let mut secrets = Secrets::default();
    for secret in [PASSWORD, "MARKER", REFUSED, "another MARKER"] {
        secrets.keep("password", secret);
    }
    let person = Person::of(&stack).await;
    secrets.keep("address", &person.email);
    let mut mailbox = Mailbox::of(&stack, &person);
    let key = "6b8d1f0a-2c4e-4a6b-9d8f-7e5c3a1b9d80";
    secrets.keep("idempotency key", key);

    let api = Api::of(&stack)
        .with("authorization", "Bearer MARKER")
        .with("idempotency-key", key);
    let (web, mobile) = (
        Web(api.clone()),
        Mobile(api.clone().with("x-agent", "device")),
    );
    let first = web.begin(&person.email).await;
    secrets.keep("session id", &first.session);
    let code = mailbox.next_code().await;
    secrets.keep("code", &code);
    web.verify(&first, &wrong(&code))
        .await
        .refused("DI_UVO_OINV");
    web.set_both(&first, &code, REFUSED)
        .await
        .refused("DI_USP_PINV");
    web.verify(&first, &code).await.data();
    web.set_password(&first, PASSWORD).await.data();
    web.set_password(&first, PASSWORD)
        .await
        .refused("DI_USC_SE");
    mailbox.next_notice().await;

    let session = mobile.begin(&person.email).await;
    secrets.keep("session id", &session);
    let code = mailbox.next_code().await;
    secrets.keep("code", &code);
    mobile.resend(&session).await.word();
    mobile.verify(&session, &code).await.refused("otp_invalid");
    let code = mailbox.next_code().await;
    secrets.keep("code", &code);
    let token = mobile.verify(&session, &code).await.word();
    secrets.keep("token", &token);
    mobile.set_password(&token, "another MARKER").await.word();
    mobile
        .set_password(&token, "another MARKER")
        .await
        .refused("session_expired");
    mailbox.next_notice().await;
    // A secret in the wrong place is a secret still.
    for body in [
        json!({"email": PASSWORD, "id": PASSWORD, "otp": PASSWORD, "session_id": PASSWORD}),
        json!({"email": [PASSWORD], "session": {"id": [PASSWORD]}, "password": [PASSWORD]}),
    ] {
        for path in testkit::client::PATHS {
            api.post(path, body.clone()).await.error();
        }
    }
    api.post_bytes(SET_PASSWORD, format!("{{\"password\": \"{PASSWORD}\""))
        .await
        .error();
    api.post_bytes(RESEND, format!("MARKER{}", person.email))
        .await
        .error();
    let path = format!("{RESEND}?password=MARKER");
    api.post(&path, json!({"email": person.email, "password": "MARKER"}))
        .await
        .data();
    Table::of(&stack).mail_outcomes(&session).await;

    let ended = stack.end("TERM");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
    assert!(
        ended.said.contains("refused"),
        "the log is talkative: {}",
        ended.said
    );
    secrets.assert_none_in("the log", ended.said.as_bytes(), &[]);

    secrets.assert_none_stored(data.path());
}
