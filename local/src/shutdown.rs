//! The end of the program: every part is asked to end, and waited for.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Ends the parts of the program that hold a [`Stop`] of it. Dropping it asks them to end, too.
#[derive(Debug)]
pub struct Shutdown {
    guard: DropGuard,
    token: CancellationToken,
    parts: TaskTracker,
}

/// A part of the program holds this until it has ended, and learns from it when to end.
#[derive(Clone, Debug)]
pub struct Stop {
    token: CancellationToken,
    _part: TaskTrackerToken,
}

impl Default for Shutdown {
    fn default() -> Self {
        let token = CancellationToken::new();
        Self {
            guard: token.clone().drop_guard(),
            token,
            parts: TaskTracker::new(),
        }
    }
}

impl Shutdown {
    /// A handle for one part of the program.
    #[must_use]
    pub fn stop(&self) -> Stop {
        Stop {
            token: self.token.clone(),
            _part: self.parts.token(),
        }
    }

    /// Asks every part to end, and waits until each has.
    pub async fn finish(self) {
        drop(self.guard);
        self.parts.close();
        self.parts.wait().await;
    }
}

impl Stop {
    /// Returns once the end is asked for.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// The same, for a server that holds on to no `Stop`.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }
}

/// The signals that end the program: SIGINT from the keyboard, SIGTERM from a supervisor, SIGHUP from a
/// closed terminal.
#[derive(Debug)]
pub struct Signals(Signal, Signal, Signal);

impl Signals {
    /// Starts listening; from here on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the operating system refuses a handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self(
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ))
    }

    /// Returns at the first signal.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
            _ = self.2.recv() => {}
        }
    }
}
