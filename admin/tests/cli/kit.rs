//! The start of every test: a fresh table, a stand-in for AWS in front of it, and the binary.

mod aws;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::ambient;
use regain::keys::IndexKeys;
use regain::store::Store;
use regain::users::User;
use regain_password::Address;
use serde_json::Value;
use testkit::fake_secrets::FakeSecrets;
use testkit::table::{Item, Table};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

pub(crate) use aws::Aws;
pub(crate) use testkit::fake_secrets::{CODE_KEY, INDEX_KEY, INDEX_SECRET, Version};

pub(crate) const TABLE: &str = "regain";

/// A stack of its own for one test.
pub(crate) struct Kit {
    pub(crate) aws: Aws,
    pub(crate) secrets: FakeSecrets,
    table: Table,
    folder: tempfile::TempDir,
}

/// A run of the binary that has been interrupted once.
pub(crate) struct Interrupted {
    process: Child,
    err: BufReader<ChildStderr>,
}

impl Interrupted {
    /// Interrupts it as Ctrl-C does.
    pub(crate) async fn interrupt(&self) {
        let process = self.process.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-INT", &process]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Waits for its end, and returns the result with the rest of stderr.
    pub(crate) async fn ended(mut self) -> Ran {
        let mut err = String::new();
        let (ran, read) = tokio::join!(
            self.process.wait_with_output(),
            self.err.read_to_string(&mut err)
        );
        read.unwrap();
        Ran {
            err,
            ..Ran::of(ran.unwrap())
        }
    }
}

/// The result of a run of the binary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(ran: Output) -> Self {
        Self {
            code: ran.status.code(),
            out: String::from_utf8(ran.stdout).unwrap(),
            err: String::from_utf8(ran.stderr).unwrap(),
        }
    }

    /// The lines it said, if it went well.
    pub(crate) fn well(&self) -> Vec<&str> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.lines().collect()
    }

    /// The one sentence it failed with.
    pub(crate) fn sentence(&self) -> &str {
        assert_eq!(self.code, Some(1), "{self:?}");
        let sentence = self.err.strip_prefix("error: ").unwrap();
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        sentence.trim_end()
    }
}

impl Kit {
    pub(crate) async fn new() -> Self {
        let table = Table::create_with_stream(TABLE).await;
        let secrets = FakeSecrets::serve(ambient::now()).await;
        Self {
            aws: Aws::serve(&table.endpoint, secrets.endpoint()).await,
            secrets,
            table,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs `regain` on the stack of this kit, as that of `cargo run`.
    pub(crate) async fn local(&self, arguments: &[&str]) -> Ran {
        self.run(&[arguments, &["--local"]].concat()).await
    }

    /// Runs `regain` with the arguments as they are, and credentials of an AWS account.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let environment = [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "eu-central-1"),
        ];
        self.run_in(&environment, arguments).await
    }

    /// Runs `regain` in an environment that says where the services are, and what is given.
    pub(crate) async fn run_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let ran = self.command(environment, arguments).output().await;
        Ran::of(ran.unwrap())
    }

    fn command(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
        let url = self.aws.url();
        let services = [
            "DYNAMODB",
            "SESV2",
            "SECRETS_MANAGER",
            "LAMBDA",
            "CLOUDFORMATION",
        ];
        let endpoints = services.map(|service| (format!("AWS_ENDPOINT_URL_{service}"), url));
        let mut command = Command::new(env!("CARGO_BIN_EXE_regain"));
        command
            .args(arguments)
            .env_clear()
            // Nobody's own configuration, and no role of a machine in the cloud.
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(endpoints)
            .envs(environment.iter().copied());
        command
    }

    /// Starts `regain`, and interrupts it as Ctrl-C does once `begun` says so. Returns when it has said
    /// that it stops.
    pub(crate) async fn interrupted(
        &self,
        arguments: &[&str],
        begun: impl Fn() -> bool,
    ) -> Interrupted {
        let mut process = self
            .command(&[("AWS_REGION", "eu-central-1")], arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        while !begun() {
            tokio::task::yield_now().await;
        }
        let err = BufReader::new(process.stderr.take().unwrap());
        let mut interrupted = Interrupted { process, err };
        interrupted.interrupt().await;
        let mut said = String::new();
        interrupted.err.read_line(&mut said).await.unwrap();
        assert_eq!(
            said,
            "note: stopping after the batches under way; Ctrl-C again exits at once\n"
        );
        interrupted
    }

    /// Writes what a recovery does of a user's password, except for the password itself.
    pub(crate) async fn has_recovered(&self, id: &str, user: &User) {
        let number = |number: i64| AttributeValue::N(number.to_string());
        let version = i64::try_from(user.credentials_version.number().unwrap()).unwrap();
        let later = user.password_changed_at.unwrap().millis() + 1;
        self.table
            .client
            .update_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(format!("USER#{id}")))
            .update_expression("SET passwordChangedAt = :later, credentialsVersion = :next")
            .expression_attribute_values(":later", number(later))
            .expression_attribute_values(":next", number(version + 1))
            .send()
            .await
            .unwrap();
    }

    /// Writes an item, as another program would.
    pub(crate) async fn put(&self, key: &str, attributes: &[(&str, AttributeValue)]) {
        self.table.put(key, attributes).await;
    }

    /// Deletes every item of the table.
    pub(crate) async fn forget_users(&self) {
        for key in self.keys().await {
            self.table.delete(&key).await;
        }
    }

    /// Keeps a code key whose current version is `minutes` old. If it was `rotated`, the previous version is a day
    /// older.
    pub(crate) fn keep_code_key(&self, minutes: u64, rotated: bool) {
        let created_at = ambient::now().minus(Duration::from_mins(minutes));
        let mut versions = vec![Version::current("the current key", created_at)];
        let before = created_at.minus(Duration::from_hours(24));
        versions.extend(rotated.then(|| Version::previous("the previous key", before)));
        self.secrets.set(CODE_KEY, versions);
    }

    /// A file of users, one line each.
    pub(crate) fn file(&self, lines: &[Value]) -> PathBuf {
        let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
        self.text_file(&lines.join("\n"))
    }

    pub(crate) fn text_file(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("people.jsonl");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Brings users in, which goes well.
    pub(crate) async fn import_users(&self, lines: &[Value]) {
        let file = self.file(lines);
        self.local(&["users", "import", text(&file)]).await.well();
    }

    pub(crate) fn store(&self) -> Store {
        self.table.store()
    }

    pub(crate) async fn user(&self, email: &str) -> Option<User> {
        self.store().user_of(&address(email)).await.unwrap()
    }

    /// Every key in the table.
    pub(crate) async fn keys(&self) -> Vec<String> {
        self.table.keys().await
    }

    /// The item of a key.
    pub(crate) async fn item(&self, key: &str) -> Item {
        self.table.get(key).await.unwrap()
    }

    /// Puts the API's session and its mail request into the table, as `deliver-mail` leaves it.
    pub(crate) async fn deliver_mail(&self) {
        const NUMBER: &str = "1773144000000";
        let session = regain::ids::SessionId::parse(aws::SESSION).unwrap();
        let reference = session.reference().hex();
        let number = AttributeValue::N(NUMBER.to_owned());
        let nobody = AttributeValue::S("nobody".to_owned());
        for (key, name, value) in [
            (format!("SESSION#{reference}"), "generation", number),
            (format!("MAIL#{reference}#{NUMBER}"), "outcome", nobody),
        ] {
            self.table.put(&key, &[(name, value)]).await;
        }
    }

    /// Puts an address's state into the table.
    pub(crate) async fn put_address_state(&self, email: &str, state: &[(&str, AttributeValue)]) {
        self.put(&address_state_key(email), state).await;
    }

    /// The names of what an address's state holds.
    pub(crate) async fn address_state(&self, email: &str) -> Vec<String> {
        let item = self.table.get(&address_state_key(email)).await.unwrap();
        item.into_keys().collect()
    }
}

fn address_state_key(email: &str) -> String {
    let key = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(email));
    format!("ADDRESS#{}", key.hex())
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
