//! CloudWatch Logs, as far as one machine needs it: a function gets the lines of other functions' logs
//! that it subscribed to, and its own log is kept in a file.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::lambda::log::{Line, Log};
use crate::lambda::pool::Pool;
use crate::shutdown::Stop;
use crate::template::{ACCOUNT, Function, LogSubscription};

/// The most lines of one event.
const MOST_LINES: usize = 1000;

/// The subscriptions to functions' logs, before the functions are started.
#[derive(Debug)]
pub struct Logs {
    subscriptions: Vec<(LogSubscription, UnboundedSender<Line>)>,
    subscribers: BTreeMap<String, UnboundedReceiver<Line>>,
}

impl Logs {
    /// The subscriptions of a template.
    #[must_use]
    pub fn new(subscriptions: &[LogSubscription]) -> Self {
        let mut senders = BTreeMap::new();
        let mut subscribers = BTreeMap::new();
        let subscriptions = subscriptions.iter().map(|subscription| {
            let function = subscription.function.clone();
            let sender = senders.entry(function.clone()).or_insert_with(|| {
                let (sender, receiver) = unbounded_channel();
                subscribers.insert(function, receiver);
                sender
            });
            (subscription.clone(), sender.clone())
        });
        Self {
            subscriptions: subscriptions.collect(),
            subscribers,
        }
    }

    /// The log of a function. A subscriber's own log is kept in a file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn of(&self, function: &Function, file: &Path) -> std::io::Result<Log> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let mut own = self
            .subscriptions
            .iter()
            .map(|(subscription, _)| subscription);
        let kept = match own.find(|subscription| subscription.function == function.id) {
            Some(subscription) => {
                Some((Arc::new(options.open(file)?), subscription.pattern.clone()))
            }
            None => None,
        };
        let subscribers = self.subscriptions.iter();
        Ok(Log {
            group: function.log_group.as_str().into(),
            subscribers: subscribers
                .filter(|(subscription, _)| subscription.log_group == function.log_group)
                .cloned()
                .collect(),
            kept,
        })
    }

    /// Starts handing lines on to a subscriber's pool. Lines that were written before the end are handed
    /// on as long as there is time.
    pub fn hand_on(&mut self, function: &str, pool: Pool, stop: Stop) {
        if let Some(lines) = self.subscribers.remove(function) {
            tokio::spawn(hand_on(lines, pool, stop));
        }
    }
}

async fn hand_on(mut lines: UnboundedReceiver<Line>, pool: Pool, stop: Stop) {
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            count = lines.recv_many(&mut batch, MOST_LINES) => {
                if count == 0 {
                    return;
                }
            }
            () = stop.requested() => return,
        }
        for event in events(&mut batch) {
            pool.invoke_unattended(event, "logs").await;
        }
    }
}

/// One event for each log that has lines in the batch.
fn events(batch: &mut Vec<Line>) -> Vec<Bytes> {
    let mut groups: BTreeMap<Arc<str>, Vec<Json>> = BTreeMap::new();
    for (number, line) in batch.drain(..).enumerate() {
        let millis = line.at.millis();
        groups.entry(line.group).or_default().push(json!({
            "id": format!("{millis:050}{number:06}"),
            "timestamp": millis,
            "message": line.text,
        }));
    }
    let events = groups.into_iter().filter_map(|(group, lines)| {
        let message = json!({
            "messageType": "DATA_MESSAGE",
            "owner": ACCOUNT,
            "logGroup": &*group,
            "logStream": "local",
            "subscriptionFilters": ["local"],
            "logEvents": lines,
        });
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        // Writing into memory cannot fail.
        packed.write_all(message.to_string().as_bytes()).ok()?;
        let data = BASE64.encode(&packed.finish().ok()?);
        Some(json!({ "awslogs": { "data": data } }).to_string().into())
    });
    events.collect()
}
