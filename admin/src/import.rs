//! `regain users import`: a file of users into the table, in three passes over its lines. All are
//! read, then all are checked against the table, and only then are they brought in.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::available_parallelism;

use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use regain::ambient;
use regain::ids::UserId;
use regain::password::Hasher;
use regain::users::{
    BadLine, Change, ImportError, Imported, Importer, Subjects, UserLine, UserLines,
};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::failure::{Failure, Trouble};
use crate::options::ImportOptions;
use crate::say;
use crate::stack::Stack;

/// Lines that are under way at once: a line waits for the table most of the time.
const AT_ONCE: usize = 32;

/// Brings the file in, or says why not.
pub(crate) async fn run(
    connection: &Connection,
    stack: &Stack,
    options: &ImportOptions,
) -> Result<ExitCode, Failure> {
    let format = options
        .id_format
        .map_or(stack.settings.user_id_format, Into::into);
    let passes = Passes {
        stack,
        importers: importers(connection, stack, options)?,
    };
    let UserLines {
        lines,
        mut bad,
        unknown,
    } = UserLines::read(&read(&options.file)?, format);
    let lines: Lines = lines.into_iter().map(Arc::new).collect();
    let total = lines.len() + bad.len();
    for (field, count) in unknown {
        let lines = say::count(count, "line", "lines");
        say::note(format!(
            "no user has a field {field:?}: it is left out ({lines})"
        ));
    }

    let (lines, refused) = passes.check(lines).await?;
    bad.extend(refused);
    bad.sort_by_key(|bad| bad.line);
    for line in &bad {
        say::line(line);
    }
    if !bad.is_empty() && !options.skip_bad {
        let (bad, of) = (bad.len(), say::count(total, "line", "lines"));
        say::line(format!(
            "{bad} of {of} cannot be brought in, so nothing was."
        ));
        say::note("mend them and run it again, or bring in the others with --skip-bad");
        return Ok(ExitCode::FAILURE);
    }

    let step = if options.dry_run {
        Step::Preview
    } else {
        Step::BringIn
    };
    let outcome = passes.pass(&lines, step).await?;
    let late: Vec<_> = outcome
        .iter()
        .filter_map(|(_, done)| done.as_ref().err())
        .collect();
    for line in &late {
        say::line(line);
    }
    let mut imported = Imported::default();
    for (_, done) in &outcome {
        if let Ok(Done::Change(change)) = done {
            imported.count(*change);
        }
    }
    say::line(summary(&imported, bad.len() + late.len(), options.dry_run));
    Ok(if late.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn summary(imported: &Imported, bad: usize, dry_run: bool) -> String {
    let Imported {
        created,
        updated,
        unchanged,
    } = imported;
    let would = if dry_run { "would be " } else { "" };
    let skipped = match bad {
        0 => String::new(),
        bad => format!(", {} left out", say::count(bad, "bad line", "bad lines")),
    };
    let so = if dry_run { " Nothing was written." } else { "" };
    format!(
        "{created} {would}created, {updated} {would}updated, {unchanged} unchanged{skipped}.{so}"
    )
}

fn read(file: &Path) -> Result<String, Failure> {
    let octets = if file == Path::new("-") {
        let mut octets = Vec::new();
        std::io::stdin().read_to_end(&mut octets).map(|_| octets)
    } else {
        std::fs::read(file)
    };
    let failure = |problem: String| Failure::File {
        file: file.display().to_string(),
        problem,
    };
    let octets = octets.map_err(|error| failure(error.to_string()))?;
    String::from_utf8(octets).map_err(|error| {
        let read = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let line = read
            .unwrap_or_default()
            .split(|octet| *octet == b'\n')
            .count();
        failure(format!("line {line} is not UTF-8 text"))
    })
}

/// One importer for each processor: its clones take turns at hashing.
fn importers(
    connection: &Connection,
    stack: &Stack,
    options: &ImportOptions,
) -> Result<Vec<Importer>, Failure> {
    let cost = stack.settings.argon2;
    let format = options
        .id_format
        .map_or(stack.settings.user_id_format, Into::into);
    let (store, at) = (connection.store(&stack.table), ambient::now());
    let processors = available_parallelism().map_or(1, usize::from).min(AT_ONCE);
    (0..processors)
        .map(|_| {
            let hasher = Hasher::new(
                options.argon2_memory_kib.unwrap_or(cost.memory_kib),
                options.argon2_iterations.unwrap_or(cost.iterations),
                options.argon2_parallelism.unwrap_or(cost.parallelism),
            )?;
            Ok(Importer::new(store.clone(), hasher, format, at))
        })
        .collect()
}

/// What is done with each line in one pass.
#[derive(Clone, Copy)]
enum Step {
    Check,
    Preview,
    BringIn,
}

/// What it came to.
enum Done {
    Subject(Option<UserId>),
    Change(Change),
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Check => "checking",
            Self::Preview => "comparing",
            Self::BringIn => "bringing in",
        }
    }

    async fn of(
        self,
        importer: &Importer,
        line: &UserLine,
        rng: &mut StdRng,
    ) -> Result<Done, ImportError> {
        match self {
            Self::Check => importer.subject(line).await.map(Done::Subject),
            Self::Preview => importer.preview(line).await.map(Done::Change),
            Self::BringIn => importer.bring_in(line, rng).await.map(Done::Change),
        }
    }
}

type Lines = Vec<Arc<UserLine>>;

/// The lines of a pass with what each came to, in order.
type Outcome = Vec<(usize, Result<Done, BadLine>)>;

/// A pass that is under way.
struct Pass {
    step: Step,
    lines: Lines,
    next: AtomicUsize,
    done: AtomicUsize,
    stopped: AtomicBool,
    bar: ProgressBar,
}

struct Passes<'a> {
    stack: &'a Stack,
    importers: Vec<Importer>,
}

impl Passes<'_> {
    /// Checks the lines against the table and against each other: the good ones, and the bad ones.
    async fn check(&self, lines: Lines) -> Result<(Lines, Vec<BadLine>), Failure> {
        let mut subjects = Subjects::default();
        let (mut good, mut bad) = (Lines::new(), Vec::new());
        for ((number, done), line) in self.pass(&lines, Step::Check).await?.into_iter().zip(lines) {
            let claimed = done.and_then(|done| match done {
                Done::Subject(subject) => subjects.claim(subject, number),
                Done::Change(_) => Ok(()),
            });
            match claimed {
                Ok(()) => good.push(line),
                Err(line) => bad.push(line),
            }
        }
        Ok((good, bad))
    }

    /// Does one step with all lines, many at once, until the table fails one of them.
    async fn pass(&self, lines: &Lines, step: Step) -> Result<Outcome, Failure> {
        let bar = ProgressBar::new(lines.len() as u64).with_message(step.name());
        let style = "{msg} {wide_bar} {human_pos} of {human_len}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        let pass = Arc::new(Pass {
            step,
            lines: lines.clone(),
            next: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            bar,
        });
        let mut workers = JoinSet::new();
        for importer in self.importers.iter().cycle().take(AT_ONCE) {
            let rng = ambient::rng().map_err(|_| Failure::NoRandomness)?;
            workers.spawn(work(Arc::clone(&pass), importer.clone(), rng));
        }
        let mut outcome = Outcome::with_capacity(pass.lines.len());
        let mut failed = None;
        for worked in workers.join_all().await {
            match worked {
                Ok(some) => outcome.extend(some),
                // Of those who fail at once, as they do where permission is missing, the first line's.
                Err((line, error)) => match failed {
                    Some((earlier, _)) if earlier <= line => {}
                    _ => failed = Some((line, error)),
                },
            }
        }
        pass.bar.finish_and_clear();
        if let Some((line, error)) = failed {
            let done = pass.done.load(Ordering::Relaxed);
            return Err(self.failure(step, line, &error, done));
        }
        outcome.sort_by_key(|(line, _)| *line);
        Ok(outcome)
    }

    fn failure(&self, step: Step, line: usize, error: &ImportError, done: usize) -> Failure {
        let problem = match error {
            ImportError::Store(error) => {
                let trouble = Trouble::because(self.stack.the_table(), error);
                // Before anything is written it is about the table as a whole.
                if done == 0 || !matches!(step, Step::BringIn) {
                    return trouble.into();
                }
                trouble.to_string()
            }
            other => other.to_string(),
        };
        Failure::CutShort {
            line,
            problem,
            so_far: format!(
                "{} done; run the same command again to go on",
                say::count(done, "line is", "lines are")
            ),
        }
    }
}

/// Takes line after line, until there is none left or one has failed.
async fn work(
    pass: Arc<Pass>,
    importer: Importer,
    mut rng: StdRng,
) -> Result<Outcome, (usize, ImportError)> {
    let mut outcome = Outcome::new();
    while !pass.stopped.load(Ordering::Relaxed) {
        let Some(line) = pass.lines.get(pass.next.fetch_add(1, Ordering::Relaxed)) else {
            break;
        };
        match pass.step.of(&importer, line, &mut rng).await {
            Ok(done) => {
                pass.done.fetch_add(1, Ordering::Relaxed);
                outcome.push((line.number(), Ok(done)));
            }
            Err(ImportError::Line(bad)) => outcome.push((line.number(), Err(bad))),
            Err(error) => {
                pass.stopped.store(true, Ordering::Relaxed);
                return Err((line.number(), error));
            }
        }
        pass.bar.inc(1);
    }
    Ok(outcome)
}
