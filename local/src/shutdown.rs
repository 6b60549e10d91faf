//! The end of the program: every part is asked to end, and waited for.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Ends the parts of the program that hold a [`Stop`] of it. Dropping it asks them to end, too.
#[derive(Debug)]
pub struct Shutdown {
    guard: DropGuard,
    stop: Stop,
    parts: mpsc::Receiver<()>,
}

/// What a part of the program holds until it has ended. It tells the part when to end.
#[derive(Clone, Debug)]
pub struct Stop {
    token: CancellationToken,
    /// Nothing is sent: the channel closes when the last part has dropped its end.
    _part: mpsc::Sender<()>,
}

impl Default for Shutdown {
    fn default() -> Self {
        let token = CancellationToken::new();
        let (part, parts) = mpsc::channel(1);
        Self {
            guard: token.clone().drop_guard(),
            stop: Stop { token, _part: part },
            parts,
        }
    }
}

impl Shutdown {
    /// A handle for one part of the program.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Asks every part to end, and waits until each has.
    pub async fn finish(self) {
        let Self {
            guard,
            stop,
            mut parts,
        } = self;
        drop((guard, stop));
        while parts.recv().await.is_some() {}
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
