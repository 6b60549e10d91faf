//! What the service and its functions have to say, on stderr.
//!
//! Lines go through a queue and a thread of their own: whoever started this program may read its
//! stderr slowly or not at all, and no request may wait for that. Lines that do not fit are counted
//! and left out.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};

const QUEUED_LINES: usize = 4096;

static CONSOLE: OnceLock<Console> = OnceLock::new();

struct Console {
    lines: SyncSender<String>,
    left_out: Arc<AtomicUsize>,
}

/// Writes one line to stderr, soon.
pub fn say(line: impl Into<String>) {
    let console = CONSOLE.get_or_init(open);
    if console.lines.try_send(line.into()).is_err() {
        console.left_out.fetch_add(1, Ordering::Relaxed);
    }
}

fn open() -> Console {
    let (lines, queue) = sync_channel(QUEUED_LINES);
    let left_out = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&left_out);
    std::thread::spawn(move || write_all(&queue, &counter));
    Console { lines, left_out }
}

/// A failed write is nothing to act on: there is nowhere else to say it.
fn write_all(queue: &Receiver<String>, left_out: &AtomicUsize) {
    let mut stderr = std::io::stderr();
    while let Ok(line) = queue.recv() {
        let _ = writeln!(stderr, "{line}");
        let lost = left_out.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(
                stderr,
                "({lost} lines left out: stderr is not read fast enough)"
            );
        }
    }
}
