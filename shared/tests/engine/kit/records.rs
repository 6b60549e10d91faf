//! The audit records that a test has caused.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use regain::audit::AuditTrail;
use serde_json::Value;

/// The lines of all trails of one stack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records(Arc<Mutex<Vec<u8>>>);

impl Records {
    pub(crate) fn trail(&self) -> AuditTrail {
        AuditTrail::new(self.clone())
    }

    /// All that was written, as it was.
    pub(crate) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(lines.clone()).unwrap()
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        let text = self.text();
        let read = |line| serde_json::from_str(line).unwrap();
        text.lines().map(read).collect()
    }

    /// Event and outcome of each, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let word = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
        self.all()
            .iter()
            .map(|record| format!("{} {}", word(record, "event"), word(record, "outcome")))
            .collect()
    }

    /// Forgets what was.
    pub(crate) fn reset(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
