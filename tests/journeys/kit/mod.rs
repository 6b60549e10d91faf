//! What the journeys are made with: stacks, clients that speak as the real ones do, and mailboxes.

pub(crate) mod answer;
pub(crate) mod binaries;
pub(crate) mod client;
pub(crate) mod mailbox;
pub(crate) mod operator;
pub(crate) mod outage;
pub(crate) mod people;
pub(crate) mod stack;
pub(crate) mod stacks;
pub(crate) mod table;

use std::time::Duration;

/// How long a condition may take to come true, on a machine that is busy.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Asks again until there is an answer; `what` is named if there is none in time.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"))
}
