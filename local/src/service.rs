//! The service: starts its parts in order, and ends them in order.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use regain::settings::{self, Branding, MailSettings, PageSettings, Settings, SettingsError};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::data::DataDirectory;
use crate::dynamodb::engine::Engine;
use crate::dynamodb::store::TableStore;
use crate::event_bridge::EventBridge;
use crate::gateway::Gateway;
use crate::gateway::listen::{Listeners, StandInListeners, Urls};
use crate::lambda::binaries;
use crate::lambda::bus::Bus;
use crate::lambda::event_source::{EventSourceMapping, Files, Waker};
use crate::lambda::instance::StartError;
use crate::lambda::invoke_api::InvokeApi;
use crate::lambda::logs::Logs;
use crate::lambda::pool::Pool;
use crate::lambda::program::program;
use crate::lambda::user_store::{USER_STORE, USER_STORE_ARN, UserStore};
use crate::mail::mailbox;
use crate::mail::ses::Ses;
use crate::mail::store::MailStore;
use crate::options::{Options, Seed};
use crate::random::Random;
use crate::secrets::SecretStore;
use crate::service_error::ServiceError;
use crate::shutdown::{Shutdown, Signals, Stop};
use crate::template::{Environment, STACK_NAME, Stack};
use crate::tour::Tour;
use crate::users::{DemoUser, Loader};

/// How long each stage may take to end.
const GRACE: Duration = Duration::from_secs(3);

/// Runs the service until a signal ends it. A second signal ends it at once.
///
/// # Errors
/// When it cannot start (everything that was started is ended again), or when a second signal came.
pub async fn run(
    options: Options,
    workspace: PathBuf,
    environment: Environment,
    signals: &mut Signals,
) -> Result<(), ServiceError> {
    let stages = Stages::default();
    let started = tokio::select! {
        started = start(options, &workspace, environment, &stages) => started,
        () = signals.received() => return finish(stages, signals).await,
    };
    // The data directory stays locked until everything has ended.
    let result = match started {
        Ok(kept) => {
            signals.received().await;
            Ok(kept)
        }
        Err(error) => Err(error),
    };
    let finished = finish(stages, signals).await;
    result.map(drop).and(finished)
}

/// Ends everything in order, unless another signal comes. The functions that still run are killed then.
async fn finish(stages: Stages, signals: &mut Signals) -> Result<(), ServiceError> {
    tokio::select! {
        () = stages.finish() => Ok(()),
        () = signals.received() => Err(ServiceError::SecondSignal),
    }
}

/// The stages of the end, in their order. Each waits for the one before it.
#[derive(Debug, Default)]
struct Stages {
    /// The gateway and the stream: nothing new comes in, and calls that have begun are answered.
    front: Shutdown,
    /// The functions and the stand-ins.
    back: Shutdown,
    /// The log subscriptions, which hand on the functions' last lines.
    logs: Shutdown,
    /// The functions that those lines go to.
    last: Shutdown,
}

impl Stages {
    async fn finish(self) {
        for stage in [self.front, self.back, self.logs, self.last] {
            let _ = tokio::time::timeout(GRACE, stage.finish()).await;
        }
    }
}

/// Directories that have to stay while the service runs.
struct Kept {
    _data: Option<DataDirectory>,
    /// Holds the audit trail if there is no data directory.
    _temporary: TempDir,
}

/// Starts everything, until calls are answered.
async fn start(
    options: Options,
    workspace: &Path,
    mut environment: Environment,
    stages: &Stages,
) -> Result<Kept, ServiceError> {
    let Stages {
        front,
        back,
        logs: reading,
        last,
    } = stages;
    let cargo = environment.get("CARGO").map(Into::into);
    let user_store = user_store(&options, &mut environment)?;
    let mut stack = Stack::open(&workspace.join("template.yaml"), environment)?;
    let settings = check_settings(&stack)?;
    let listeners = Listeners::bind(&options)?;
    let urls = listeners.urls.clone();
    use_own_page(&mut stack, &urls.api);
    let data = options
        .data
        .as_deref()
        .map(DataDirectory::take)
        .transpose()?;
    let path = |name: &str| data.as_ref().map(|data| data.file(name));
    let names = stack.functions.iter().map(|it| it.name.as_str()).collect();
    let folder = binaries::folder(options.functions.as_deref(), workspace, cargo, names).await?;
    let random = Random::new()?;

    let file = path("table.sqlite");
    let store = open_table(&stack, listeners.dynamodb, file.as_deref(), &urls, back).await?;
    let loader = Loader::new(&urls.dynamodb, &stack.table.name, settings);
    let (mut lines, demo_users) = load(&options, workspace, &store, &loader).await?;
    store.turn_stream_on().await?;

    let temporary = tempfile::tempdir()
        .map_err(|problem| ServiceError::file(&std::env::temp_dir(), problem))?;
    let mut logs = Logs::new(&stack.log_subscriptions);
    let mut pools = BTreeMap::new();
    for function in &stack.functions {
        let mut program = program(function, &folder, &urls);
        let name = format!("{}.jsonl", function.name);
        let place = path(&name).unwrap_or_else(|| temporary.path().join(name));
        program.log = logs
            .of(function, &place)
            .map_err(|it| ServiceError::file(&place, it))?;
        let is_kept = program.log.is_kept();
        let stop = if is_kept { last.stop() } else { back.stop() };
        let pool = Pool::new(program, function.timeout, random.clone(), stop);
        if is_kept {
            lines.push(format!("Audit      {}", place.display()));
            logs.hand_on(&function.id, pool.clone(), reading.stop());
        }
        pools.insert(function.id.clone(), pool);
    }
    let rules = stack.event_rules.iter().filter_map(|rule| {
        let pool = pools.get(&rule.function)?;
        Some((rule.pattern.clone(), pool.clone()))
    });
    let bus = Bus::new(rules.collect());
    let events = open_event_bridge(listeners.events, bus.clone(), random.clone(), back);

    let mails = match path("mail.sealed") {
        Some(path) => MailStore::open(&path).map_err(|it| ServiceError::file(&path, it))?,
        None => MailStore::default(),
    };
    let sets = stack.configuration_sets.clone();
    let templates = &stack.mail_templates;
    let sender = Ses::new(templates, sets, mails.clone(), bus, random.clone())?;
    for listener in listeners.ses.into_all() {
        tokio::spawn(serve(listener, sender.clone().into_router(), back.stop()));
    }
    let secrets = open_secrets(&options, workspace, &stack, path("secrets.json"), &random)?;
    for listener in listeners.secrets.into_all() {
        tokio::spawn(serve(listener, secrets.clone().into_router(), back.stop()));
    }

    let lambda = invoke_api(&stack, &pools).with_user_store(user_store);
    for listener in listeners.lambda.into_all() {
        tokio::spawn(serve(listener, lambda.clone().into_router(), back.stop()));
    }

    warm_up(pools.values().cloned()).await?;

    let files = |mapping: &str| Files {
        position: path(&format!("stream-position-{mapping}.json")),
        dead_letters: path("dead-letters.jsonl"),
    };
    let waker = Waker::default();
    for mapping in mappings(&stack, &store, &pools, files).await? {
        tokio::spawn(mapping.run(front.stop(), waker.clone()));
    }

    let routes = stack.routes.iter().filter_map(|route| {
        pools
            .get(&route.function)
            .map(|pool| (route.clone(), pool.clone()))
    });
    let gateway = Gateway::new(routes, stack.cors.clone(), random, waker).quiet(options.quiet);
    let operate = operate(&urls, &stack.table.name, options.user_store.is_some());
    let tour = Tour::new(&demo_users, options.user_store.as_deref(), &urls, &operate)?.router()?;
    let api = mailbox::router(mails)
        .merge(events.page())
        .merge(tour)
        .merge(gateway.into_router());
    tokio::spawn(serve(listeners.api, api, front.stop()));
    greet(lines, &urls, &operate);
    Ok(Kept {
        _data: data,
        _temporary: temporary,
    })
}

/// The user store that is tried out, if there is one. The stack is then told that its users live elsewhere.
fn user_store(
    options: &Options,
    environment: &mut Environment,
) -> Result<Option<UserStore>, ServiceError> {
    let Some(url) = &options.user_store else {
        return Ok(None);
    };
    let variable = "USER_STORE_FUNCTION_ARN".to_owned();
    environment.insert(variable, USER_STORE_ARN.to_owned());
    Ok(Some(UserStore::at(url.clone())?))
}

/// Tells the functions that the stack's own page is served here. The template only knows where it would be deployed.
fn use_own_page(stack: &mut Stack, api: &str) {
    for function in &mut stack.functions {
        if let Some(url) = function.environment.get_mut("STACK_PAGE_URL") {
            *url = format!("{api}/recover");
        }
    }
}

/// Opens the stand-in that takes events and passes them to the bus.
fn open_event_bridge(
    listeners: StandInListeners,
    bus: Bus,
    random: Random,
    back: &Shutdown,
) -> EventBridge {
    let events = EventBridge::new(bus, random);
    for listener in listeners.into_all() {
        tokio::spawn(serve(listener, events.clone().into_router(), back.stop()));
    }
    events
}

/// Opens the stack's table: in the embedded engine if that has listeners, or else at another DynamoDB.
async fn open_table(
    stack: &Stack,
    listeners: Option<StandInListeners>,
    file: Option<&Path>,
    urls: &Urls,
    back: &Shutdown,
) -> Result<TableStore, ServiceError> {
    let mut table = stack.table.clone();
    if let Some(listeners) = listeners {
        let engine = Engine::open(file)?;
        for listener in listeners.into_all() {
            tokio::spawn(engine.clone().serve(listener, back.stop()));
        }
        tokio::spawn(engine.sweep(back.stop()));
    } else {
        // DynamoDB keeps expired items for days, some emulators for a minute. An expired session has to
        // stay for a while, so that its owner is told that it expired.
        table.ttl_attribute = None;
    }
    Ok(TableStore::open(&urls.dynamodb, table).await?)
}

/// Checks the settings of all functions and of the gateway: the template's parameters, or this
/// environment's values for them.
///
/// # Errors
/// The first setting that is not valid.
pub fn check_settings(stack: &Stack) -> Result<Settings, SettingsError> {
    let get = |name: &str| {
        stack
            .functions
            .iter()
            .find_map(|function| function.environment.get(name))
            .cloned()
    };
    let settings = Settings::read(&get)?;
    MailSettings::read(&get)?;
    PageSettings::read(&get)?;
    settings::read_edge(&get)?;
    settings::read_event_bus(&get)?;
    // No function has these: they stand in the mail templates.
    Branding::read(&|name| stack.parameters.get(name).cloned())?;
    for origin in stack.cors.iter().flat_map(|cors| &cors.origins) {
        settings::check_origin(origin)?;
    }
    Ok(settings)
}

/// Loads the users and items that the options ask for. Returns lines for the greeting, and the demo users.
async fn load(
    options: &Options,
    workspace: &Path,
    store: &TableStore,
    loader: &Loader,
) -> Result<(Vec<String>, Vec<DemoUser>), ServiceError> {
    let mut lines = Vec::new();
    let mut demo_users = Vec::new();
    let was_empty = store.is_empty().await?;
    if let Some(Seed::Events) = options.seed {
        let count = loader
            .load_items(&workspace.join("events/seed.jsonl"))
            .await?;
        lines.push(format!("Seed       {count} items of events/seed.jsonl"));
    }
    if let Some(path) = &options.users {
        let (imported, notes) = loader.load_users(path, options.overwrite_passwords).await?;
        let (new, old) = (imported.created, imported.updated);
        lines.push(format!("Users      {new} new, {old} updated"));
        if imported.passwords_kept > 0 {
            let kept = imported.passwords_kept;
            lines.push(format!(
                "  passwords kept, because their last change was not an import: {kept} \
                 (--overwrite-passwords replaces them)"
            ));
        }
        lines.extend(notes.into_iter().map(|note| format!("  {note}")));
    } else if let Some(url) = &options.user_store {
        lines.push(format!("Users      elsewhere, at {url}"));
    } else if options.seed.is_none() && was_empty {
        lines.push("Demo users".to_owned());
        demo_users = loader.load_demo_users().await?;
        for user in &demo_users {
            lines.push(format!("  {:<22} {}", user.email, user.note));
        }
    }
    Ok((lines, demo_users))
}

/// Lambda's Invoke API for all functions.
fn invoke_api(stack: &Stack, pools: &BTreeMap<String, Pool>) -> InvokeApi {
    InvokeApi::new(stack.functions.iter().filter_map(|function| {
        let pool = pools.get(&function.id)?;
        Some((function, pool.clone()))
    }))
}

/// The mappings from the table's stream to functions.
async fn mappings(
    stack: &Stack,
    store: &TableStore,
    pools: &BTreeMap<String, Pool>,
    files: impl Fn(&str) -> Files,
) -> Result<Vec<EventSourceMapping>, ServiceError> {
    let mut mappings = Vec::new();
    let Some(stream) = store.stream_arn().await? else {
        return Ok(mappings);
    };
    for source in stack.event_sources.iter().filter(|it| it.is_enabled) {
        if let Some(pool) = pools.get(&source.function) {
            let files = files(&source.name);
            let (source, pool, store) = (source.clone(), pool.clone(), store.clone());
            let stream = stream.clone();
            mappings.push(EventSourceMapping::new(source, pool, store, stream, files).await?);
        }
    }
    Ok(mappings)
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
            read.map_err(|it| ServiceError::file(&path, it))?
        }
        None => BTreeMap::new(),
    };
    let place = file.clone().unwrap_or_default();
    SecretStore::open(&stack.secrets, &given, file, random.clone())
        .map_err(|it| ServiceError::file(&place, it))
}

/// Starts one instance of each function. The first call then finds it warm, and a function that refuses
/// its settings stops the start.
async fn warm_up(pools: impl Iterator<Item = Pool>) -> Result<(), StartError> {
    let starting: Vec<_> = pools
        .map(|pool| tokio::spawn(async move { pool.warm_up().await }))
        .collect();
    for started in starting {
        if let Ok(result) = started.await {
            result?;
        }
    }
    Ok(())
}

/// Serves until the end is asked for and the last request is answered.
async fn serve(listener: TcpListener, app: Router, stop: Stop) {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = stop.token().cancelled_owned();
    // It accepts connections through every error, so there is none to report.
    let _ = axum::serve(listener, app)
        .with_graceful_shutdown(stopped)
        .await;
    drop(stop);
}

/// The command that looks after this stack. No stack tells it here that users live elsewhere.
fn operate(urls: &Urls, table: &str, users_live_elsewhere: bool) -> String {
    let options = urls.operator_options();
    let table = match table {
        STACK_NAME => String::new(),
        other => format!(" --table {other}"),
    };
    let setting = if users_live_elsewhere {
        format!("USER_STORE_FUNCTION={USER_STORE} ")
    } else {
        String::new()
    };
    format!("{setting}cargo run --bin regain -- doctor {options}{table}")
}

/// Prints the greeting: first where a person begins. Scripts wait for its last line. The service runs on if nobody
/// reads it.
fn greet(loaded: Vec<String>, urls: &Urls, operate: &str) {
    let mut lines = vec![
        format!("Page       {}/recover", urls.api),
        format!("Mailbox    {}/_mail", urls.api),
        format!("Tour       {}/", urls.api),
    ];
    lines.extend(loaded);
    lines.push(format!("DynamoDB   {}", urls.dynamodb));
    lines.push(format!("SES        {}", urls.ses));
    lines.push(format!("Secrets    {}", urls.secrets));
    lines.push(format!("Lambda     {}", urls.lambda));
    lines.push(format!("Events     {}", urls.events));
    lines.push(format!("Operate    {operate}"));
    lines.push(format!("ready on {}\n", urls.api));
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(lines.join("\n").as_bytes())
        .and_then(|()| stdout.flush());
}
