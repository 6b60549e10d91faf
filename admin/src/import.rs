//! `regain users import`: imports a file of users into the table. All lines are read and checked before the
//! first is written.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use regain::ambient;
use regain::users::{Import, ImportError, ImportRules, Imported, Outcome, Progress, Step};
use regain_password::FirebaseScrypt;
use zeroize::Zeroizing;

use crate::connection::Connection;
use crate::failure::{Failure, Trouble};
use crate::options::{ImportOptions, Rules};
use crate::say;
use crate::stack::Stack;

/// The exit code of a program that Ctrl-C has stopped.
const INTERRUPTED: u8 = 130;

/// How long a batch waits for the capacity of a new on-demand table to grow.
const CAPACITY: Duration = Duration::from_mins(1);

/// Imports the file, or returns why it cannot.
pub(crate) async fn run(
    connection: &Connection,
    stack: &Stack,
    options: &ImportOptions,
) -> Result<ExitCode, Failure> {
    let text = read(&options.file)?;
    let mut rules = rules(stack, &options.rules);
    rules.overwrite_passwords = options.overwrite_passwords;
    rules.firebase = firebase(options)?;
    let store = connection.store(&stack.table);
    let store = store.waiting_for_capacity().waiting_for(CAPACITY);
    let import = Import::new(&store, rules.clone(), ambient::now())?;
    let mut rng = ambient::rng().map_err(|_| Failure::NoRandomness)?;

    let (bar, progress) = stopped_by_ctrl_c();
    // The file is not read yet, so that blank and bad lines count as well.
    begin(&bar, text.lines().count(), "checking");
    let checked = import.check(&text, &progress, &mut rng).await;
    bar.finish_and_clear();
    let file = match checked {
        Ok(file) => file,
        Err(ImportError::Stopped { .. }) => {
            say::line("Stopped. Nothing was written.");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Err(ImportError::Store(error)) => {
            return Err(Trouble::because(stack.the_table(), &error).into());
        }
        Err(error) => return Err(Failure::Import(error)),
    };
    let total = file.total();
    for note in file.notes.sentences(&rules.statuses) {
        say::note(note);
    }
    for line in &file.bad {
        say::line(line);
    }
    let bad = file.bad.len();
    if bad > 0 && !options.skip_bad {
        let of = say::count(total, "line", "lines");
        say::line(format!(
            "{bad} of {of} cannot be imported, so nothing was imported."
        ));
        say::note(
            "correct them and run the command again, or import the other lines with --skip-bad",
        );
        return Ok(ExitCode::FAILURE);
    }

    let (step, what) = if options.dry_run {
        (Step::Preview, "comparing")
    } else {
        (Step::Import, "importing")
    };
    let good = total - bad;
    begin(&bar, good, what);
    let outcome = import.run(file, step, &progress, &mut rng).await;
    bar.finish_and_clear();
    for line in &outcome.bad {
        say::line(line);
    }
    if let Some((line, error)) = outcome.failed {
        return Err(failure(stack, line, &error, good - outcome.left, step));
    }
    say::line(summary(&outcome, bad, options.dry_run));
    if outcome.imported.passwords_kept > 0 {
        let kept = say::count(outcome.imported.passwords_kept, "password", "passwords");
        say::note(format!(
            "{kept} kept, changed otherwise than by an import as far as is recorded: \
             --overwrite-passwords takes the file's"
        ));
    }
    if outcome.left > 0 {
        let done = say::count(good - outcome.left, "line is", "lines are");
        say::note(format!(
            "stopped: {done} done of {good}; run the same command again to go on"
        ));
        return Ok(ExitCode::from(INTERRUPTED));
    }
    Ok(if outcome.bad.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The rules of a stack, unless the options have others.
pub(crate) fn rules(stack: &Stack, options: &Rules) -> ImportRules {
    let mut rules = ImportRules::of(&stack.settings);
    if let Some(format) = options.id_format {
        rules.id_format = format.into();
    }
    let cost = &mut rules.cost;
    cost.memory_kib = options.argon2_memory_kib.unwrap_or(cost.memory_kib);
    cost.iterations = options.argon2_iterations.unwrap_or(cost.iterations);
    cost.parallelism = options.argon2_parallelism.unwrap_or(cost.parallelism);
    rules
}

/// The parameters of the Firebase project, if a file has them.
fn firebase(options: &ImportOptions) -> Result<Option<FirebaseScrypt>, Failure> {
    let Some(file) = &options.firebase_scrypt else {
        return Ok(None);
    };
    let parameters = Zeroizing::new(read(file)?);
    let parameters = FirebaseScrypt::parse(&parameters).map_err(|error| Failure::File {
        file: file.display().to_string(),
        problem: error.to_string(),
    })?;
    Ok(Some(parameters))
}

/// A progress bar and the import's progress, which moves it. The first Ctrl-C stops the import, and the
/// second one ends the program.
///
/// Checking and writing share both, so an interrupt while lines are checked also prevents the writing.
fn stopped_by_ctrl_c() -> (ProgressBar, Progress) {
    let bar = ProgressBar::new(0);
    let style = "{msg} {wide_bar} {human_pos} of {human_len}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    let progress = Progress::new({
        let bar = bar.clone();
        move || bar.inc(1)
    });
    tokio::spawn({
        let (bar, progress) = (bar.clone(), progress.clone());
        async move {
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            progress.stop();
            // The command listens for the second Ctrl-C before it tells the operator about it.
            let (again, ()) = tokio::join!(biased; tokio::signal::ctrl_c(), async {
                bar.suspend(|| {
                    say::note("stopping after the batches under way; Ctrl-C again exits at once");
                });
            });
            if again.is_ok() {
                bar.finish_and_clear();
                // A user is written by one transaction, so none is left half written.
                std::process::exit(INTERRUPTED.into());
            }
        }
    });
    (bar, progress)
}

/// Restarts the bar for a number of lines.
fn begin(bar: &ProgressBar, lines: usize, what: &'static str) {
    bar.set_length(lines as u64);
    bar.set_message(what);
    bar.reset();
}

fn failure(stack: &Stack, line: usize, error: &ImportError, done: usize, step: Step) -> Failure {
    let problem = match error {
        ImportError::Store(error) => {
            let trouble = Trouble::because(stack.the_table(), error);
            // Nothing was written, so the failure is about the whole table and not about a line.
            if done == 0 || step == Step::Preview {
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

fn summary(outcome: &Outcome, bad: usize, dry_run: bool) -> String {
    let Imported {
        created,
        updated,
        unchanged,
        ..
    } = outcome.imported;
    let would = if dry_run { "would be " } else { "" };
    let skipped = match bad + outcome.bad.len() {
        0 => String::new(),
        bad => format!(", {} left out", say::count(bad, "bad line", "bad lines")),
    };
    let so = if dry_run { " Nothing was written." } else { "" };
    format!(
        "{created} {would}created, {updated} {would}updated, {unchanged} unchanged{skipped}.{so}"
    )
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(file: &Path) -> Result<String, Failure> {
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
