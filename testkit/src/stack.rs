//! A running service: the `local` binary as a child process.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};

use regain::ids::SessionId;

use crate::binaries::binaries;
use crate::table::{Item, Table, text};
use crate::{DEADLINE, eventually};

/// The options and settings that a service is started with.
#[derive(Debug, Default)]
#[must_use]
pub struct Setup {
    settings: Vec<(String, String)>,
    arguments: Vec<String>,
    functions: Option<PathBuf>,
    port: u16,
    /// The table's name, where it is not the embedded engine's only one.
    table: Option<String>,
}

/// A running service. It ends with this value, and at the latest with the test process.
#[derive(Debug)]
pub struct Stack {
    /// Where the API answers.
    pub url: String,
    /// The name of its table.
    pub table: String,
    /// Where the stand-ins do, by the names that they are printed with.
    endpoints: HashMap<String, String>,
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    /// Closed by whatever ends the test process; the guard at its other end then ends the service.
    _guard: Option<ChildStdin>,
}

/// The end of a service that did not start, or that was stopped.
#[derive(Debug)]
pub struct Ended {
    /// The exit status.
    pub status: ExitStatus,
    /// All it said, on stdout and stderr.
    pub said: String,
}

impl Setup {
    /// A setting, as an environment variable.
    pub fn set(mut self, name: &str, value: impl Display) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// Throttles off: for tests that are about something else.
    pub fn unthrottled(self) -> Self {
        [
            "RESEND_COOLDOWN_SECONDS",
            "EMAIL_REQUESTS_PER_HOUR",
            "EMAIL_REQUESTS_PER_DAY",
            "IP_REQUESTS_PER_HOUR",
        ]
        .into_iter()
        .fold(self, |setup, name| setup.set(name, 0))
    }

    /// An option with its value.
    pub fn option(mut self, name: &str, value: &Path) -> Self {
        self.arguments.push(name.to_owned());
        self.arguments.push(value.to_str().unwrap().to_owned());
        self
    }

    /// An option of the command line without a value.
    pub fn flag(mut self, name: &str) -> Self {
        self.arguments.push(name.to_owned());
        self
    }

    /// A port that is not free to choose.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Functions from another directory than the built ones.
    pub fn functions(mut self, folder: &Path) -> Self {
        self.functions = Some(folder.to_owned());
        self
    }

    /// Starts the service, which is expected to come up.
    pub fn start(self) -> Stack {
        self.try_start()
            .unwrap_or_else(|ended| panic!("the service does not start: {ended:?}"))
    }

    /// With a table of that name at another DynamoDB than the embedded one.
    pub fn table_at(mut self, url: &str, name: &str) -> Self {
        self.arguments.push("--dynamodb-url".to_owned());
        self.arguments.push(url.to_owned());
        self.table = Some(name.to_owned());
        self.set("TABLE_NAME", name)
    }

    /// With a table of its own at the DynamoDB that `REGAIN_DYNAMODB` names. What `--data` keeps is the
    /// embedded engine's file, whatever else is tested.
    fn at_the_tested_engine(self) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let is_embedded = self.arguments.iter().any(|argument| argument == "--data");
        match std::env::var_os("REGAIN_DYNAMODB") {
            Some(url) if !is_embedded && self.table.is_none() => {
                let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
                self.table_at(url.to_str().unwrap(), &format!("journeys-{process}-{next}"))
            }
            _ => self,
        }
    }

    /// Starts the service.
    ///
    /// # Errors
    /// How the service ended, if it does not come up.
    pub fn try_start(self) -> Result<Stack, Ended> {
        let setup = self.at_the_tested_engine();
        let folder = setup.functions.unwrap_or_else(|| binaries().to_owned());
        let mut child = Command::new(binaries().join("local"))
            .arg("--port")
            .arg(setup.port.to_string())
            .arg("--functions")
            .arg(folder)
            .args(setup.arguments)
            // Nothing of the tester's own environment is a setting of the service.
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            // Mail leaves as fast as it can, unless a test is about its pace.
            .env("MAIL_BATCH_MILLISECONDS", "0")
            .envs(setup.settings)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let guard = guard(child.id());
        let output = Arc::new(Mutex::new(Vec::new()));
        let lines = follow(child.stdout.take().unwrap(), &output);
        let rest = follow(child.stderr.take().unwrap(), &output);
        let mut stack = Stack {
            url: String::new(),
            table: setup.table.unwrap_or_else(|| "regain".to_owned()),
            endpoints: HashMap::new(),
            child,
            output,
            _guard: guard,
        };
        loop {
            match lines.recv_timeout(DEADLINE) {
                Ok(line) => {
                    if let Some(url) = line.strip_prefix("ready on ") {
                        url.clone_into(&mut stack.url);
                        return Ok(stack);
                    }
                    if let Some((name, url)) = line.split_once(' ') {
                        stack
                            .endpoints
                            .insert(name.to_owned(), url.trim().to_owned());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    // Both ends of what it says are read before it is judged.
                    while rest.recv_timeout(DEADLINE).is_ok() {}
                    return Err(stack.ended());
                }
                Err(RecvTimeoutError::Timeout) => panic!("not up in time: {}", stack.said()),
            }
        }
    }
}

impl Stack {
    /// The service's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where a stand-in answers: `DynamoDB`, `SES`, `Secrets`, `Lambda` or `Events`.
    pub fn endpoint(&self, name: &str) -> &str {
        &self.endpoints[name]
    }

    /// All the service and its functions have said so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    /// Ends the service by a signal, and waits for it.
    pub fn end(mut self, signal: &str) -> Ended {
        send(signal, self.pid());
        self.ended()
    }

    fn ended(&mut self) -> Ended {
        let status = self.child.wait().unwrap();
        Ended {
            status,
            said: self.said(),
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // One that ended already is only reaped.
        if let Ok(None) = self.child.try_wait() {
            send("TERM", self.pid());
            let _ = self.child.wait();
        }
    }
}

/// The processes that a process has started, with the names of their programs.
pub fn children(pid: u32) -> Vec<(u32, String)> {
    let mut children = Vec::new();
    for entry in Path::new("/proc").read_dir().unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // The name in brackets may hold anything, so the fields are those behind the last bracket.
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1));
        if parent == Some(&*pid.to_string())
            && let Ok(program) = std::fs::read_link(entry.path().join("exe"))
        {
            let child = entry.file_name().to_string_lossy().parse().unwrap();
            children.push((
                child,
                program.file_name().unwrap().to_string_lossy().into_owned(),
            ));
        }
    }
    children
}

/// Whether a process is there.
pub fn is_running(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

/// Sends a signal to one process.
pub fn send(signal: &str, pid: u32) {
    let script = format!("kill -{signal} {pid}");
    let status = Command::new("sh").args(["-c", &script]).status().unwrap();
    assert!(status.success(), "{script}");
}

/// Stacks shared by tests live in statics, which nothing drops: a shell that sees its input end ends
/// the service, however this process ends.
fn guard(pid: u32) -> Option<ChildStdin> {
    let script = format!("cat; kill -TERM {pid}");
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let input = shell.stdin.take();
    std::thread::spawn(move || shell.wait());
    input
}

/// Keeps what is said, and passes it on line by line.
fn follow(from: impl Read + Send + 'static, output: &Arc<Mutex<Vec<u8>>>) -> Receiver<String> {
    let output = Arc::clone(output);
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from
            .read_until(b'\n', &mut line)
            .is_ok_and(|length| length > 0)
        {
            output.lock().unwrap().extend_from_slice(&line);
            let _ = sender.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    });
    lines
}

/// The table behind a stack, as its own API shows it.
impl Table {
    /// The table of a stack.
    pub fn of(stack: &Stack) -> Self {
        Self::at(stack.endpoint("DynamoDB"), &stack.table)
    }

    /// A user's item.
    pub async fn user(&self, id: &str) -> Item {
        let item = self.get(&format!("USER#{id}")).await;
        item.expect("the user is stored")
    }

    /// Waits until the code of a session is expired.
    pub async fn code_expires(&self, session: &str) {
        let reference = SessionId::parse(session).expect("a session id").reference();
        let item = self.get(&format!("SESSION#{}", reference.hex())).await;
        let item = item.expect("the session is stored");
        let ends: i64 = item["codeExpiresAt"].as_n().unwrap().parse().unwrap();
        eventually("the code expires", async || {
            (regain::ambient::now().millis() >= ends).then_some(())
        })
        .await;
    }

    /// The outcomes of a session's mails, once each has one, in order.
    pub async fn mail_outcomes(&self, session: &str) -> Vec<String> {
        let reference = SessionId::parse(session).expect("a session id").reference();
        let prefix = format!("MAIL#{}#", reference.hex());
        eventually("every mail of the session is closed", async || {
            let mut mails: Vec<_> = self.all().await;
            mails.retain(|item| text(item, "pk").starts_with(&prefix));
            mails.sort_by_key(|item| text(item, "pk").to_owned());
            let outcome = |item: &Item| item.get("outcome")?.as_s().ok().cloned();
            mails.iter().map(outcome).collect()
        })
        .await
    }
}
