//! Working many lines at once.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::vec::IntoIter;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use super::importer::Importer;
use super::{AT_ONCE, BadLine, ImportError};

/// Tells how far an import is, and stops it. Clones are the same one.
#[derive(Clone, Default)]
pub struct Progress {
    stopped: Arc<AtomicBool>,
    after_a_line: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Progress {
    /// Calls `after_a_line` after each line.
    #[must_use]
    pub fn new(after_a_line: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            stopped: Arc::default(),
            after_a_line: Some(Arc::new(after_a_line)),
        }
    }

    /// Stops the import: the lines under way are finished, and no other is begun.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn line_done(&self) {
        if let Some(tell) = &self.after_a_line {
            tell();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}

/// What has a place in a file.
pub(super) trait Numbered {
    /// The number of its line, from 1.
    fn number(&self) -> usize;
}

/// What working the lines came to.
pub(super) struct Ended<D> {
    /// What each line came to that was worked, in order.
    pub(super) done: Vec<(usize, Result<D, BadLine>)>,
    /// The failure that ended it early.
    pub(super) failed: Option<(usize, ImportError)>,
}

/// Works all lines, many at once, until one fails for another reason than being bad, or `progress` is
/// stopped. Of several failures at once, as where permission is missing, the first line's is told.
pub(super) async fn each<L, D, W, F>(
    importers: &[Importer],
    lines: Vec<L>,
    work: W,
    progress: &Progress,
    rng: &mut StdRng,
) -> Ended<D>
where
    L: Numbered + Send + 'static,
    D: Send + 'static,
    W: Fn(Importer, L, StdRng) -> F + Copy + Send + 'static,
    F: Future<Output = Result<D, ImportError>> + Send,
{
    let queue = Arc::new(Mutex::new(lines.into_iter()));
    let failing = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for importer in importers.iter().cycle().take(AT_ONCE) {
        let (importer, queue, failing) = (importer.clone(), queue.clone(), failing.clone());
        let (progress, mut rng) = (progress.clone(), StdRng::from_rng(rng));
        workers.spawn(async move {
            let mut done = Vec::new();
            while !progress.is_stopped() && !failing.load(Ordering::Relaxed) {
                let Some(line) = next(&queue) else { break };
                let number = line.number();
                match work(importer.clone(), line, StdRng::from_rng(&mut rng)).await {
                    Ok(one) => done.push((number, Ok(one))),
                    Err(ImportError::Line(bad)) => done.push((number, Err(bad))),
                    Err(error) => {
                        failing.store(true, Ordering::Relaxed);
                        return (done, Some((number, error)));
                    }
                }
                progress.line_done();
            }
            (done, None)
        });
    }
    let mut ended = Ended {
        done: Vec::new(),
        failed: None,
    };
    for (done, failed) in workers.join_all().await {
        ended.done.extend(done);
        let is_first = |line| !matches!(ended.failed, Some((earlier, _)) if earlier <= line);
        if let Some((line, error)) = failed
            && is_first(line)
        {
            ended.failed = Some((line, error));
        }
    }
    ended.done.sort_by_key(|(line, _)| *line);
    ended
}

fn next<L>(queue: &Mutex<IntoIter<L>>) -> Option<L> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}
