//! The end of the program: one signal to all parts, and waiting until they have ended.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

/// The right to end everything, and to wait for it.
#[derive(Debug)]
pub struct Shutdown {
    request: watch::Sender<bool>,
    stop: Stop,
    parts: mpsc::Receiver<()>,
}

/// What a part of the program holds: it sees the end coming, and is waited for until it drops this.
#[derive(Clone, Debug)]
pub struct Stop {
    requested: watch::Receiver<bool>,
    _part: mpsc::Sender<()>,
}

impl Default for Shutdown {
    fn default() -> Self {
        let (request, requested) = watch::channel(false);
        let (part, parts) = mpsc::channel(1);
        Self {
            request,
            stop: Stop {
                requested,
                _part: part,
            },
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
            request,
            stop,
            mut parts,
        } = self;
        let _ = request.send(true);
        drop(stop);
        while parts.recv().await.is_some() {}
    }
}

impl Stop {
    /// Returns once the end is asked for.
    pub async fn requested(&mut self) {
        // An error means that nobody is left to ask: that is the end, too.
        let _ = self.requested.wait_for(|requested| *requested).await;
    }

    /// Whether the end has been asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }
}

/// The signals that end the program: from the keyboard, a supervisor, or a closed terminal.
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
