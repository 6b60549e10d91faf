//! The service: everything started in order, and ended in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use regain::settings::{Settings, SettingsError};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::binaries::{self, BinariesError};
use crate::data::{DataDirectory, DataError};
use crate::gateway::Gateway;
use crate::instance::{Program, StartError};
use crate::listen::{LOOPBACK, ListenError, StandInListeners, listen};
use crate::mail_store::MailStore;
use crate::options::{Options, Seed};
use crate::pool::Pool;
use crate::random::Random;
use crate::secrets::SecretStore;
use crate::ses::{self, Ses};
use crate::shutdown::{Shutdown, Signals, Stop};
use crate::store::{StoreError, TableStore};
use crate::stream::{Dispatcher, Files, StreamError};
use crate::template::{Environment, Function, REGION, Stack, TemplateError};
use crate::users::{Loader, UsersError};
use crate::mailbox;

/// How long requests that have begun may take to end.
const GRACE: Duration = Duration::from_secs(3);

/// Why the service does not run.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// A setting.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A port.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The binaries.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The users.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// A mail template.
    #[error(transparent)]
    MailTemplate(#[from] ses::TemplateError),
    /// A function.
    #[error(transparent)]
    Function(#[from] StartError),
    /// The template has an event source for a function it does not have, which reading it refuses.
    #[error("template.yaml: there is no function called {0}")]
    NoFunction(String),
    /// A file.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: std::io::Error,
    },
    /// The system has no randomness to give.
    #[error("the system has no randomness to give: {0}")]
    Randomness(#[from] rand::rngs::SysError),
}

/// Runs the service until a signal ends it.
///
/// # Errors
/// When it cannot start; everything that was started is ended again.
pub async fn run(
    options: Options,
    workspace: PathBuf,
    environment: Environment,
    signals: &mut Signals,
) -> Result<(), ServiceError> {
    let (front, back) = (Shutdown::default(), Shutdown::default());
    let started = tokio::select! {
        started = start(options, &workspace, environment, &front, &back) => started,
        () = signals.received() => return finish(front, back, Ok(())).await,
    };
    let result = match started {
        Ok(_kept) => {
            signals.received().await;
            return finish(front, back, Ok(())).await;
        }
        Err(error) => Err(error),
    };
    finish(front, back, result).await
}

/// First nothing new comes in and what has begun ends; then the functions and stand-ins do.
async fn finish(
    front: Shutdown,
    back: Shutdown,
    result: Result<(), ServiceError>,
) -> Result<(), ServiceError> {
    let _ = tokio::time::timeout(GRACE, front.finish()).await;
    let _ = tokio::time::timeout(GRACE, back.finish()).await;
    result
}

/// The listening sockets, all bound before anything is started.
struct Listeners {
    api: TcpListener,
    api_address: SocketAddr,
    dynamodb: StandInListeners,
    ses: StandInListeners,
    secrets: StandInListeners,
}

impl Listeners {
    fn bind(options: &Options) -> Result<Self, ListenError> {
        let also = options.also_listen;
        let api_address = SocketAddr::new(LOOPBACK, options.port);
        let api = listen(api_address, "--port")?;
        let api_address = api.local_addr().map_err(|source| ListenError::Other {
            address: api_address,
            option: "--port",
            source,
        })?;
        Ok(Self {
            api,
            api_address,
            dynamodb: StandInListeners::bind(options.dynamodb_port, "--dynamodb-port", also)?,
            ses: StandInListeners::bind(options.ses_port, "--ses-port", also)?,
            secrets: StandInListeners::bind(options.secrets_port, "--secrets-port", also)?,
        })
    }

    /// What every function finds in its environment.
    fn endpoints(&self) -> [(String, String); 3] {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.dynamodb.url()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), self.secrets.url()),
            ("AWS_ENDPOINT_URL_SESV2".to_owned(), self.ses.url()),
        ]
    }
}

async fn start(
    options: Options,
    workspace: &Path,
    environment: Environment,
    front: &Shutdown,
    back: &Shutdown,
) -> Result<Option<DataDirectory>, ServiceError> {
    let cargo = environment.get("CARGO").map(Into::into);
    let template = workspace.join("template.yaml");
    let text = std::fs::read_to_string(&template).map_err(|it| file_error(&template, it))?;
    let stack = Stack::read(&text, environment)?;
    let settings = check_settings(&stack)?;
    let listeners = Listeners::bind(&options)?;
    let data = options.data.as_deref().map(DataDirectory::take).transpose()?;
    let names: BTreeSet<_> = stack.functions.iter().map(|it| it.name.as_str()).collect();
    let folder =
        binaries::folder(options.functions.as_deref(), workspace, cargo, names).await?;
    let random = Random::new()?;
    let path = |name: &str| data.as_ref().map(|data| data.file(name));

    let store = TableStore::open(path("table.sqlite").as_deref(), stack.table.clone())?;
    let endpoints = listeners.endpoints();
    let urls = [listeners.dynamodb.url(), listeners.ses.url(), listeners.secrets.url()];
    for listener in listeners.dynamodb.into_iter() {
        tokio::spawn(store.clone().serve(listener, back.stop()));
    }
    let [dynamodb_url, ses_url, secrets_url] = urls;
    let loader = Loader::new(&dynamodb_url, &stack.table.name, settings);
    let mut greeting = load(&options, workspace, &store, &loader).await?;
    store.turn_stream_on()?;

    let mails = match path("mail.sealed") {
        Some(path) => MailStore::open(&path).map_err(|it| file_error(&path, it))?,
        None => MailStore::default(),
    };
    let sets = stack.configuration_sets.clone();
    let ses = Ses::new(&stack.mail_templates, sets, mails.clone(), random.clone())?;
    let secrets = open_secrets(&options, workspace, &stack, path("secrets.json"), &random)?;
    for listener in listeners.ses.into_iter() {
        tokio::spawn(serve(listener, ses.clone().into_router(), back.stop()));
    }
    for listener in listeners.secrets.into_iter() {
        tokio::spawn(serve(listener, secrets.clone().into_router(), back.stop()));
    }

    let mut pools = BTreeMap::new();
    for function in &stack.functions {
        let program = program(function, &folder, &endpoints);
        let pool = Pool::new(program, function.timeout, random.clone(), back.stop());
        pools.insert(function.id.clone(), pool);
    }
    warm_up(pools.values().cloned()).await?;

    if let Some(stream_arn) = store.stream_arn()? {
        for source in &stack.event_sources {
            let pool = pools.get(&source.function).cloned();
            let pool = pool.ok_or_else(|| ServiceError::NoFunction(source.function.clone()))?;
            let files = Files {
                position: path("stream-position.json"),
                dead_letters: path("dead-letters.jsonl"),
            };
            let (database, table) = (store.database(), &stack.table.name);
            let source = source.clone();
            let dispatcher =
                Dispatcher::new(source, pool, database, table, stream_arn.clone(), files)?;
            tokio::spawn(dispatcher.run(front.stop()));
        }
    }
    tokio::spawn(store.sweep(back.stop()));

    let routes = stack.routes.iter().filter_map(|route| {
        pools.get(&route.function).map(|pool| (route.clone(), pool.clone()))
    });
    let gateway = Gateway::new(routes, stack.cors.clone(), random);
    let api = mailbox::router(mails).merge(gateway.into_router());
    tokio::spawn(serve(listeners.api, api, front.stop()));

    let url = format!("http://{}", listeners.api_address);
    greeting.push_str(&format!(
        "Mailbox    {url}/_mail\nDynamoDB   {dynamodb_url}\nSES        {ses_url}\nSecrets    {secrets_url}\n"
    ));
    say_to_stdout(&format!("{greeting}ready on {url}\n"));
    Ok(data)
}

/// All settings are those of the functions: the template's parameters and this environment.
fn check_settings(stack: &Stack) -> Result<Settings, SettingsError> {
    Settings::read(&|name| {
        stack.functions.iter().find_map(|function| function.environment.get(name)).cloned()
    })
}

/// Loads what the options ask for, and says what it was.
async fn load(
    options: &Options,
    workspace: &Path,
    store: &TableStore,
    loader: &Loader,
) -> Result<String, ServiceError> {
    let mut said = String::new();
    let was_empty = store.is_empty()?;
    if let Some(Seed::Events) = options.seed {
        let count = loader.load_items(&workspace.join("events/seed.jsonl")).await?;
        said.push_str(&format!("Seed       {count} items of events/seed.jsonl\n"));
    }
    if let Some(path) = &options.users {
        let imported = loader.load_users(path).await?;
        let (new, old) = (imported.created, imported.updated);
        said.push_str(&format!("Users      {new} new, {old} updated\n"));
    } else if options.seed.is_none() && was_empty {
        said.push_str("Demo users\n");
        for user in loader.load_demo_users().await? {
            said.push_str(&format!("  {:<22} {}\n", user.email, user.note));
        }
    }
    Ok(said)
}

fn open_secrets(
    options: &Options,
    workspace: &Path,
    stack: &Stack,
    file: Option<PathBuf>,
    random: &Random,
) -> Result<SecretStore, ServiceError> {
    let given = match options.seed {
        Some(Seed::Events) => {
            let path = workspace.join("events/secret.json");
            let read = std::fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
            read.map_err(|it| file_error(&path, it))?
        }
        None => BTreeMap::new(),
    };
    let place = file.clone().unwrap_or_default();
    SecretStore::open(&stack.secrets, &given, file, random.clone())
        .map_err(|it| file_error(&place, it))
}

/// A function's binary and its environment, which holds what Lambda's does and nothing of ours.
#[must_use]
pub fn program(function: &Function, folder: &Path, endpoints: &[(String, String)]) -> Program {
    let text = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let mut environment = text(&[
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.function_name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", function.function_name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
        ("AWS_REGION", REGION),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ]);
    environment.extend(endpoints.iter().cloned());
    environment.extend(function.environment.clone());
    Program { name: function.name.clone(), path: folder.join(&function.name), environment }
}

/// Starts one instance of each function: the first call finds it warm, and a function that refuses
/// its settings stops the start.
async fn warm_up(pools: impl Iterator<Item = Pool>) -> Result<(), StartError> {
    let starting: Vec<_> =
        pools.map(|pool| tokio::spawn(async move { pool.warm_up().await })).collect();
    for started in starting {
        if let Ok(result) = started.await {
            result?;
        }
    }
    Ok(())
}

async fn serve(listener: TcpListener, app: Router, mut stop: Stop) {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move { stop.requested().await };
    // Accepting goes on through every error; there is none to report.
    let _ = axum::serve(listener, app).with_graceful_shutdown(stopped).await;
}

/// Whoever reads stdout may have gone; the service runs on.
fn say_to_stdout(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn file_error(path: &Path, problem: std::io::Error) -> ServiceError {
    ServiceError::File { file: path.display().to_string(), problem }
}
