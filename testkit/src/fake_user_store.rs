//! A user store elsewhere, behind Lambda's Invoke API or behind `cargo run -- --user-store`.
//!
//! It keeps its users in memory, remembers what it has done by the keys of its questions, and fails as a test wants
//! it to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use regain::settings::{PasswordForm, UserStoreSettings};
use regain::user_store::UserFunction;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::aws::{config, listen};

pub use crate::user_store_faults::{StoreFault, Veto};

/// The name of the function.
pub const USER_STORE: &str = "users-elsewhere";

/// A user as the store keeps it.
#[derive(Clone, Debug, Default)]
pub struct ElsewhereUser {
    /// The id, in a form of the store's own.
    pub id: String,
    /// The address.
    pub email: String,
    /// The status.
    pub status: String,
    /// Rises with every change.
    pub version: u32,
    /// Whether the mailbox is proven, if the store keeps that.
    pub email_verified: Option<bool>,
    /// More fields of the user in answers.
    pub more: Value,
    /// The last password, as it was sent: its hash, or in clear.
    pub password: Option<String>,
    /// How often a password was set.
    pub times_set: u32,
}

impl ElsewhereUser {
    /// An active user of that address.
    pub fn of(email: &str) -> Self {
        Self {
            id: format!("id of {email}"),
            email: email.to_owned(),
            status: "active".to_owned(),
            email_verified: Some(true),
            ..Self::default()
        }
    }

    /// The version in the store's answers.
    pub fn credentials_version(&self) -> String {
        format!("v{}", self.version)
    }

    fn json(&self) -> Value {
        let mut user = json!({
            "id": self.id,
            "email": self.email,
            "status": self.status,
            "credentialsVersion": self.credentials_version(),
        });
        if let Some(is_verified) = self.email_verified {
            user["emailVerified"] = json!(is_verified);
        }
        for (name, value) in self.more.as_object().into_iter().flatten() {
            user[name] = value.clone();
        }
        user
    }
}

#[derive(Debug, Default)]
struct Kept {
    users: BTreeMap<String, ElsewhereUser>,
    /// The users by the keys of what was done.
    done: BTreeMap<String, String>,
    questions: Vec<Value>,
    veto: Veto,
    /// The fault, the number of the first question that it hits, and how many it hits.
    fault: Option<(StoreFault, usize, usize)>,
    /// Whether a proven mailbox changes the version.
    proof_changes_version: bool,
    /// Holds the next answer to `set-password` back.
    held: Option<HeldAnswer>,
}

/// An answer to `set-password` that is held back, though the password is set.
#[derive(Clone, Debug, Default)]
pub struct HeldAnswer {
    set: Arc<Notify>,
    released: Arc<Notify>,
}

impl HeldAnswer {
    /// Waits until the password is set.
    pub async fn set(&self) {
        self.set.notified().await;
    }

    /// Lets the answer go.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

/// The stand-in. Clones share its users.
#[derive(Clone, Debug)]
pub struct FakeUserStore {
    kept: Arc<Mutex<Kept>>,
    endpoint: String,
}

impl FakeUserStore {
    /// Serves a store without users.
    pub async fn serve() -> Self {
        let (listener, endpoint) = listen().await;
        let store = Self {
            kept: Arc::default(),
            endpoint,
        };
        let served = store.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let store = served.clone();
                tokio::spawn(async move { store.answer_one(stream).await });
            }
        });
        store
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The engine's client of it.
    pub fn function(&self, password: PasswordForm) -> UserFunction {
        let config = config(&self.endpoint).build();
        let function = USER_STORE.to_owned();
        UserFunction::new(&config, &UserStoreSettings { function, password })
    }

    /// Adds a user, or replaces the one of that id.
    pub fn put(&self, user: ElsewhereUser) {
        self.kept().users.insert(user.id.clone(), user);
    }

    /// The user of an address.
    pub fn user(&self, email: &str) -> ElsewhereUser {
        let kept = self.kept();
        let user = kept.users.values().find(|user| user.email == email);
        user.unwrap().clone()
    }

    /// Changes the user of an address.
    pub fn change(&self, email: &str, change: impl FnOnce(&mut ElsewhereUser)) {
        let mut user = self.user(email);
        change(&mut user);
        self.put(user);
    }

    /// Sets how it judges passwords from now on.
    pub fn veto(&self, veto: Veto) {
        self.kept().veto = veto;
    }

    /// From now on a proven mailbox changes the version.
    pub fn change_version_by_proofs(&self) {
        self.kept().proof_changes_version = true;
    }

    /// Forgets the questions so far. From question `from` on, `times` answers fail.
    pub fn fail(&self, fault: StoreFault, from: usize, times: usize) {
        let mut kept = self.kept();
        kept.questions.clear();
        kept.fault = Some((fault, from, times));
    }

    /// Forgets the questions so far. No answer fails any more.
    pub fn reset(&self) {
        let mut kept = self.kept();
        kept.questions.clear();
        kept.fault = None;
    }

    /// Holds the next answer to `set-password` back.
    pub fn hold(&self) -> HeldAnswer {
        let held = HeldAnswer::default();
        self.kept().held = Some(held.clone());
        held
    }

    /// The questions since the last reset.
    pub fn questions(&self) -> Vec<Value> {
        self.kept().questions.clone()
    }

    /// The operations that were asked for since the last reset.
    pub fn operations(&self) -> Vec<String> {
        let kept = self.kept();
        let questions = kept.questions.iter();
        questions
            .map(|question| question["operation"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Answers one call of Lambda's Invoke API, and closes the connection.
    async fn answer_one(&self, mut stream: TcpStream) -> Option<()> {
        let (head, body) = read_request(&mut stream).await?;
        // Named by its name or its ARN, and signed. `cargo run -- --user-store` hands the questions on without Lambda's
        // path, and unsigned.
        let invoked = head.strip_prefix("POST /2015-03-31/functions/");
        let invoked = invoked.and_then(|rest| rest.split_once("/invocations"));
        let is_asked = invoked.is_some_and(|(name, _)| name.ends_with(USER_STORE));
        let is_signed = head.contains("/lambda/aws4_request");
        assert!(
            (is_asked && is_signed) || head.starts_with("POST / "),
            "{head}"
        );
        let question: Value = serde_json::from_slice(&body).unwrap();
        let fault = {
            let mut kept = self.kept();
            kept.questions.push(question.clone());
            let number = kept.questions.len();
            let fault = kept.fault;
            fault.and_then(|(fault, from, times)| fault.at(number, from, times))
        };
        let (mut status, mut header) = (200, "");
        let text = match fault {
            Some(StoreFault::LostBefore) => return None,
            Some(StoreFault::FunctionError) => {
                header = "x-amz-function-error: Unhandled\r\n";
                // It looks like an answer, and is none.
                let error = "a secret of the store";
                json!({ "errorMessage": error, "user": null, "outcome": "changed" }).to_string()
            }
            Some(StoreFault::Status(refused)) => {
                status = refused;
                json!({ "Message": "refused" }).to_string()
            }
            Some(StoreFault::Nonsense(answer)) => answer.to_owned(),
            Some(StoreFault::LostAfter) => {
                self.kept().answer(&question);
                return None;
            }
            Some(StoreFault::Hang) => {
                self.kept().answer(&question);
                // Until the other side has given up.
                let _ = stream.read(&mut [0]).await;
                return None;
            }
            Some(StoreFault::ChangedBefore) => {
                let mut kept = self.kept();
                kept.users.values_mut().for_each(|user| user.version += 1);
                kept.answer(&question).to_string()
            }
            Some(StoreFault::LostThenRefused) => unreachable!("it is one of two others"),
            None => {
                let answer = self.kept().answer(&question).to_string();
                if question["operation"] == "set-password" {
                    let gate = self.kept().held.take();
                    if let Some(gate) = gate {
                        gate.set.notify_one();
                        gate.released.notified().await;
                    }
                }
                answer
            }
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{header}connection: close\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()
    }
}

impl Kept {
    /// Answers a question as a user store has to.
    fn answer(&mut self, question: &Value) -> Value {
        assert_eq!(question["version"], 1);
        let text = |name: &str| question[name].as_str().unwrap_or_default().to_owned();
        let (id, address, key) = (text("id"), text("address"), text("key"));
        match question["operation"].as_str() {
            Some("find") => {
                let mut users = self.users.values();
                let is_asked =
                    |user: &&ElsewhereUser| user.id == id || user.email.to_lowercase() == address;
                json!({ "user": users.find(is_asked).map(ElsewhereUser::json) })
            }
            Some("set-password") => {
                assert_eq!(question["emailProven"], true);
                if let Some(user) = self.done.get(&key).and_then(|id| self.users.get(id)) {
                    return json!({ "outcome": "done", "user": user.json() });
                }
                let Some(user) = self.users.get_mut(&id) else {
                    return json!({ "outcome": "changed" });
                };
                if user.email.to_lowercase() != address
                    || user.credentials_version() != text("credentialsVersion")
                {
                    return json!({ "outcome": "changed" });
                }
                match &self.veto {
                    Veto::None => {}
                    Veto::Refused(reasons) => {
                        return json!({ "outcome": "refused", "reasons": reasons });
                    }
                    Veto::Blocked => return json!({ "outcome": "blocked" }),
                }
                let given = question.get("passwordHash").or(question.get("password"));
                user.password = Some(given.unwrap().as_str().unwrap().to_owned());
                user.version += 1;
                user.times_set += 1;
                user.email_verified = user.email_verified.map(|_| true);
                self.done.insert(key, id);
                json!({ "outcome": "done", "user": user.json() })
            }
            Some("email-proven") => {
                let changes = self.proof_changes_version && !self.done.contains_key(&key);
                let Some(user) = self.users.get_mut(&id) else {
                    return json!({ "outcome": "changed" });
                };
                if user.email.to_lowercase() != address {
                    return json!({ "outcome": "changed" });
                }
                user.email_verified = Some(true);
                user.version += u32::from(changes);
                self.done.insert(key, id);
                json!({ "outcome": "done", "credentialsVersion": user.credentials_version() })
            }
            other => panic!("{other:?} is no operation"),
        }
    }
}

/// The head and the body of an HTTP request.
async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        let mut some = [0; 4096];
        let count = stream
            .read(&mut some)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        read.extend_from_slice(&some[..count]);
        let Some(end) = read.windows(4).position(|it| it == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(read[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_it = name.eq_ignore_ascii_case("content-length");
            is_it.then(|| value.trim().parse::<usize>().unwrap())
        });
        let body = &read[end + 4..];
        if body.len() == length.unwrap_or_default() {
            return Some((head, body.to_vec()));
        }
    }
}
