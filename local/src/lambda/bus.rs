//! The default event bus (EventBridge): gives each event to the functions whose rule it matches.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::Value as Json;

use crate::lambda::pool::Pool;
use crate::template::Filter;

/// A rule's pattern, and the function behind it.
type Target = (Filter, Pool);

/// The bus. Clones share their rules.
#[derive(Clone, Debug, Default)]
pub struct Bus(Arc<Vec<Target>>);

impl Bus {
    /// A bus with these rules.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self(Arc::new(targets))
    }

    /// Gives an event to the functions, without waiting for them.
    pub fn put(&self, event: &Json) {
        for (_, pool) in self.0.iter().filter(|(filter, _)| filter.matches(event)) {
            let (pool, event) = (pool.clone(), Bytes::from(event.to_string()));
            tokio::spawn(async move { pool.invoke_unattended(event, "events").await });
        }
    }
}
