//! `regain users recover`: begins a recovery for people who did not ask for one, and has it mailed to them.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rand::rngs::StdRng;
use regain::ambient;
use regain::api::Protocol;
use regain::audit::{AuditTrail, Caller};
use regain::ids::{IdempotencyKey, SessionId};
use regain::recovery::{CallContext, Recovery, Request};
use regain::settings::{Limits, Settings};
use regain::store::{SessionOrigin, Store};
use regain::template::Template;
use regain::users::{Edit, User};
use regain_password::{Address, Hasher};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;
use crate::failure::{Failure, Trouble};
use crate::import;
use crate::options::RecoverOptions;
use crate::say;
use crate::stack::Stack;
use crate::users::{find, parse_address, trouble};

/// Mails a second if SES does not tell the account's rate: that of the sandbox.
const SLOWEST: f64 = 1.0;
/// The share of the account's rate that is used by default. The rest is left to the mails that people ask for.
const SHARE: f64 = 0.5;
/// The `app` of the sessions.
const APP: &str = "regain users recover";

/// Begins a recovery for each of the people, slowly enough for SES.
pub(crate) async fn run(
    connection: &Connection,
    stack: &Stack,
    options: &RecoverOptions,
) -> Result<ExitCode, Failure> {
    if stack.has_no_link {
        return Err(Failure::Usage(
            "the stack's mails have no link (RecoveryPageUrl is none), and without it nobody could use a code that they \
             did not ask for",
        ));
    }
    let lives_elsewhere = stack.settings.user_store.is_some();
    if options.must_reset && lives_elsewhere {
        return Err(Failure::Usage(
            "--must-reset marks users in the stack's table, and the users of this stack live elsewhere \
             (UserStoreFunctionArn)",
        ));
    }
    let people = people(&options.people, lives_elsewhere)?;
    let mut rng = ambient::rng().map_err(|_| Failure::NoRandomness)?;
    let mut journal = Journal::open(&options.journal, &mut rng)?;
    let store = connection.store(&stack.table);
    let recovery = recovery(connection, stack, &store)?;
    let pause = Duration::from_secs_f64(1.0 / rate(connection, options.rate).await);
    let (mut asked, mut earlier, mut skipped) = (0, 0, 0);
    let mut next = Instant::now();
    for named in &people {
        let so_far =
            |asked| format!("{asked} mails were asked for; run the command again to go on");
        let cut_short = |problem: String| Failure::CutShort {
            line: asked + earlier + skipped + 1,
            problem,
            so_far: so_far(asked),
        };
        let person = match Person::find(&store, stack, named).await {
            Ok(person) => person,
            Err(failure @ (Failure::Nobody { .. } | Failure::Argument { .. })) => {
                say::note(failure);
                skipped += 1;
                continue;
            }
            Err(failure) => return Err(cut_short(failure.to_string())),
        };
        let Person {
            name,
            address,
            user,
        } = person;
        if journal.done.contains(&name) {
            earlier += 1;
            continue;
        }
        if let Some(user) = &user {
            if !stack.settings.recoverable_statuses.include(&user.status) {
                let status = user.status.described();
                say::note(format!("{name} has {status} and may not recover: skipped"));
                skipped += 1;
                continue;
            }
            if options.must_reset {
                let marked = must_reset(connection, stack, user, &mut rng).await;
                marked.map_err(|failure| cut_short(failure.to_string()))?;
            }
        }
        sleep_until(next).await;
        next = Instant::now() + pause;
        let begun = begin(&recovery, &journal, address, &stack.settings).await;
        begun.map_err(cut_short)?;
        journal.write(&Entry::Done { done: name.clone() })?;
        journal.done.insert(name);
        asked += 1;
    }
    say::line(format!(
        "{} asked for, {earlier} earlier, {skipped} skipped",
        say::count(asked, "mail", "mails")
    ));
    Ok(ExitCode::SUCCESS)
}

/// A person to begin a recovery for.
struct Person {
    /// How the journal names the person: by the id, or by the address where users live elsewhere.
    name: String,
    address: Address,
    /// The user, if users are in the table.
    user: Option<User>,
}

impl Person {
    /// Finds a person by address or id. Nobody knows here who lives elsewhere: `deliver-mail` asks.
    async fn find(store: &Store, stack: &Stack, named: &str) -> Result<Self, Failure> {
        if stack.settings.user_store.is_some() {
            let address = parse_address(named)?;
            return Ok(Self {
                name: address.as_str().to_owned(),
                address,
                user: None,
            });
        }
        let user = find(store, stack, named).await?;
        Ok(Self {
            name: user.id.as_str().to_owned(),
            address: parse_address(&user.email)?,
            user: Some(user),
        })
    }
}

/// The addresses and ids on the command line, and in the files that it names. A line of a file is an address, an id, or
/// a user as `users export` prints one. Only the address counts where users live elsewhere, and otherwise the id.
fn people(given: &[String], lives_elsewhere: bool) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Line {
        #[serde(default)]
        id: Option<String>,
        #[serde(default)]
        email: Option<String>,
    }
    let mut people = Vec::new();
    for named in given {
        if named.contains('@') {
            people.push(named.clone());
            continue;
        }
        let text = import::read(Path::new(named))?;
        for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
            if !line.starts_with('{') {
                people.push(line.to_owned());
                continue;
            }
            let unreadable = |problem: String| Failure::File {
                file: named.clone(),
                problem,
            };
            let user: Line = serde_json::from_str(line).map_err(|_| {
                unreadable("a line is neither an address, an id nor a user".to_owned())
            })?;
            let named = if lives_elsewhere {
                user.email.or(user.id)
            } else {
                user.id.or(user.email)
            };
            people
                .push(named.ok_or_else(|| unreadable("a user has no id and no email".to_owned()))?);
        }
    }
    Ok(people)
}

/// The engine, without throttles: whoever operates the stack may have mail sent to anybody.
fn recovery(connection: &Connection, stack: &Stack, store: &Store) -> Result<Recovery, Failure> {
    let index_key = stack.index_key.clone().ok_or(Failure::Usage(
        "sessions are kept under keyed names: give --index-key-secret ID, or --stack NAME",
    ))?;
    let settings = Settings {
        limits: Limits {
            cooldown: Duration::ZERO,
            address_per_hour: None,
            address_per_day: None,
            caller_per_hour: None,
            ..stack.settings.limits
        },
        ..stack.settings.clone()
    };
    let cost = settings.argon2;
    let hasher = Hasher::new(cost.memory_kib, cost.iterations, cost.parallelism)?;
    let secrets = connection.index_key(index_key);
    Ok(Recovery::new(store.clone(), secrets, settings, hasher))
}

/// How many mails a second to ask for: at most what SES accepts of the account.
async fn rate(connection: &Connection, wanted: Option<f64>) -> f64 {
    let account = connection.ses().get_account().send().await;
    let account = account.map_err(|error| Trouble::of("SES", &error));
    let most = account.as_ref().ok().and_then(|account| {
        let quota = account.send_quota()?;
        Some(quota.max_send_rate()).filter(|rate| *rate > 0.0)
    });
    let rate = match (wanted, most) {
        (Some(wanted), Some(most)) if wanted > most => {
            say::note(format!("SES accepts {most} mails a second of this account"));
            most
        }
        (Some(wanted), _) => wanted,
        (None, Some(most)) => most * SHARE,
        (None, None) => SLOWEST,
    };
    if let (Err(trouble), None) = (&account, wanted) {
        say::note(format!(
            "{trouble}: {rate} mails a second; --rate sets another number"
        ));
    }
    rate
}

/// Marks a user as one who has to set a new password.
async fn must_reset(
    connection: &Connection,
    stack: &Stack,
    user: &User,
    rng: &mut StdRng,
) -> Result<(), Failure> {
    let rules = regain::users::ImportRules::of(&stack.settings);
    let store = connection.store(&stack.table);
    let edit = Edit::new(&store, rules, ambient::now())?;
    let edited = edit.update(&user.id, r#"{"mustReset": true}"#, rng).await;
    edited.map(drop).map_err(|error| match error {
        regain::users::EditError::Store(error) => trouble(stack, &error).into(),
        other => Failure::Edit(other),
    })
}

/// Begins the recovery of one person, whose mail the stack then sends. The same run begins it once within ten minutes.
async fn begin(
    recovery: &Recovery,
    journal: &Journal,
    address: Address,
    settings: &Settings,
) -> Result<(), String> {
    let rng = ambient::rng().map_err(|error| error.to_string())?;
    let caller = Caller {
        network: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        device: None,
        request: journal.run.clone(),
    };
    let trail = journal.trail().map_err(|error| error.to_string())?;
    let mut call = CallContext::new(caller, ambient::now(), rng, trail);
    let request = Request {
        protocol: Protocol::AuthV1,
        address,
        template: Template::AuthV1ForgotPassword,
        origin: SessionOrigin {
            app: Some(APP.to_owned()),
            device: None,
        },
        locale: settings.languages.of(Protocol::AuthV1),
        idempotency_key: IdempotencyKey::parse(&journal.run),
    };
    let started = recovery.request(&mut call, request).await;
    started.map(drop).map_err(|error| {
        let trouble = Trouble::because("the table or the index key", &error);
        trouble.to_string()
    })
}

/// A line of the journal, beside the audit records.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Run { run: String },
    Done { done: String },
}

/// The file that says for whom this run has begun a recovery, so that it can be resumed. It also holds the run's audit
/// records.
struct Journal {
    path: PathBuf,
    file: File,
    run: String,
    done: HashSet<String>,
}

impl Journal {
    fn open(path: &Path, rng: &mut StdRng) -> Result<Self, Failure> {
        let failure = |error: std::io::Error| Failure::File {
            file: path.display().to_string(),
            problem: error.to_string(),
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = options.open(path).map_err(failure)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failure)?;
        let (mut run, mut done) = (None, HashSet::new());
        for line in text.lines() {
            match serde_json::from_str(line) {
                Ok(Entry::Run { run: found }) => run = Some(found),
                Ok(Entry::Done { done: id }) => {
                    done.insert(id);
                }
                // An audit record, or the half of a line that a crash left.
                Err(_) => {}
            }
        }
        let is_new = run.is_none();
        let run = run.unwrap_or_else(|| SessionId::draw(rng).reveal().to_owned());
        let mut journal = Self {
            path: path.to_owned(),
            file,
            run: run.clone(),
            done,
        };
        if is_new {
            journal.write(&Entry::Run { run })?;
        }
        Ok(journal)
    }

    /// Appends a line. A crash may have left half of one before it.
    fn write(&mut self, entry: &Entry) -> Result<(), Failure> {
        let line = format!("\n{}\n", serde_json::to_string(entry)?);
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|error| Failure::File {
                file: self.path.display().to_string(),
                problem: error.to_string(),
            })
    }

    /// An audit trail that writes to the journal.
    fn trail(&self) -> std::io::Result<AuditTrail> {
        self.file.try_clone().map(AuditTrail::new)
    }
}
