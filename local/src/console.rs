//! Lines on stderr, from the service and its functions.
//!
//! A thread writes the lines from a queue, because nobody may read stderr, or may read it slowly, and
//! no request may wait for that. Lines that do not fit into the queue are counted and left out.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

const QUEUED_LINES: usize = 4096;
/// How long the end of the program waits for lines that are not written yet.
const PATIENCE: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<SyncSender<Entry>> = OnceLock::new();
static LEFT_OUT: AtomicUsize = AtomicUsize::new(0);

enum Entry {
    Line(String),
    /// Answered when everything before it is written.
    Mark(SyncSender<()>),
}

/// Writes one line to stderr, soon.
pub fn say(line: impl Into<String>) {
    if queue().try_send(Entry::Line(line.into())).is_err() {
        LEFT_OUT.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until all lines so far are written, or until nobody seems to read them.
pub fn flush() {
    let (written, done) = sync_channel(1);
    if queue().try_send(Entry::Mark(written)).is_ok() {
        let _ = done.recv_timeout(PATIENCE);
    }
}

fn queue() -> &'static SyncSender<Entry> {
    QUEUE.get_or_init(|| {
        let (sender, entries) = sync_channel(QUEUED_LINES);
        std::thread::spawn(move || write_all(&entries));
        sender
    })
}

/// A failed write is ignored, because there is no other place to report it.
fn write_all(entries: &Receiver<Entry>) {
    let mut stderr = std::io::stderr();
    while let Ok(entry) = entries.recv() {
        match entry {
            Entry::Line(line) => {
                let _ = stderr.write_all(format!("{line}\n").as_bytes());
            }
            Entry::Mark(written) => {
                let _ = written.send(());
            }
        }
        let lost = LEFT_OUT.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(stderr, "({lost} lines left out: stderr is read too slowly)");
        }
    }
}
