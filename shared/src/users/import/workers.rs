//! Works the lines of a file in batches, several batches at once.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::vec::IntoIter;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use super::importer::Importer;
use super::{BadLine, ImportError, batch_size, batches_at_once};

/// Tells how far an import is, and stops it. Clones share their state.
#[derive(Clone, Default)]
pub struct Progress {
    stopped: Arc<AtomicBool>,
    after_a_line: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Progress {
    /// Calls `after_a_line` once for each line, when the batch of the line is done.
    #[must_use]
    pub fn new(after_a_line: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            stopped: Arc::default(),
            after_a_line: Some(Arc::new(after_a_line)),
        }
    }

    /// Stops the import: the batches under way are finished, and no other is begun.
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

/// A line of a file.
pub(super) trait Numbered {
    /// Its number, from 1.
    fn number(&self) -> usize;
}

/// The results of some lines.
pub(super) struct Ended<D> {
    /// The result of each line that was worked.
    pub(super) done: Vec<(usize, Result<D, BadLine>)>,
    /// The failure that ended the work early, with the first line of the batch that met it.
    pub(super) failed: Option<(usize, ImportError)>,
}

impl<D> Default for Ended<D> {
    fn default() -> Self {
        Self {
            done: Vec::new(),
            failed: None,
        }
    }
}

impl<D> Ended<D> {
    /// Adds the result of a line. Returns whether the next line may be worked: not after a failure.
    pub(super) fn add(&mut self, line: usize, result: Result<D, ImportError>) -> bool {
        match result {
            Ok(done) => self.done.push((line, Ok(done))),
            Err(ImportError::Line(bad)) => self.done.push((line, Err(bad))),
            Err(error) => self.failed = Some((line, error)),
        }
        self.failed.is_none()
    }

    /// Adds the results of other lines. Of two failures the earlier line's is kept.
    fn extend(&mut self, other: Self) {
        self.done.extend(other.done);
        let failures = [self.failed.take(), other.failed];
        self.failed = failures.into_iter().flatten().min_by_key(|it| it.0);
    }
}

/// Works all lines in batches until one fails for another reason than being bad, or `progress` is stopped.
/// If several lines fail, as they do where a permission is missing, the failure of the first one is
/// returned. The results are in the order of the lines.
pub(super) async fn each<L, D, W, F>(
    importers: &[Importer],
    lines: Vec<L>,
    work: W,
    progress: &Progress,
    rng: &mut StdRng,
) -> Ended<D>
where
    L: Send + 'static,
    D: Send + 'static,
    W: Fn(Importer, Vec<L>, StdRng) -> F + Copy + Send + 'static,
    F: Future<Output = Ended<D>> + Send,
{
    let size = batch_size(lines.len());
    let queue = Arc::new(Mutex::new(lines.into_iter()));
    let failing = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for importer in importers.iter().cycle().take(batches_at_once(size)) {
        let (importer, queue, failing) = (importer.clone(), queue.clone(), failing.clone());
        let (progress, mut rng) = (progress.clone(), StdRng::from_rng(rng));
        workers.spawn(async move {
            let mut ended = Ended::default();
            while !progress.is_stopped() && !failing.load(Ordering::Relaxed) {
                let batch = next(&queue, size);
                if batch.is_empty() {
                    break;
                }
                let worked = work(importer.clone(), batch, StdRng::from_rng(&mut rng)).await;
                worked.done.iter().for_each(|_| progress.line_done());
                failing.fetch_or(worked.failed.is_some(), Ordering::Relaxed);
                ended.extend(worked);
            }
            ended
        });
    }
    let mut ended = Ended::default();
    for worked in workers.join_all().await {
        ended.extend(worked);
    }
    ended.done.sort_by_key(|(line, _)| *line);
    ended
}

fn next<L>(queue: &Mutex<IntoIter<L>>, size: usize) -> Vec<L> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.by_ref().take(size).collect()
}
