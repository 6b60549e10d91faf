//! One running function: its process, and the Lambda Runtime API that it polls.
//!
//! Every instance has a listener of its own, so it can only answer its own invocation.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde_json::Value as Json;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};

use crate::console::say;
use crate::gateway::listen::{LOOPBACK, listen};
use crate::lambda::program::Program;
use crate::lambda::runtime_api::{FunctionFailure, Invocation, RuntimeApi};
use crate::shutdown::Stop;

/// How long a function may take from its start to its first poll, as on Lambda.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why an instance could not be started.
#[derive(Clone, Debug, Error)]
pub enum StartError {
    /// The operating system did not start it.
    #[error("the function {name} cannot be started: {problem}")]
    Spawn {
        /// The function.
        name: String,
        /// What the operating system said.
        problem: String,
    },
    /// It ended before it asked for an event.
    #[error("the function {name} ended while it started: {problem}")]
    Ended {
        /// The function.
        name: String,
        /// The last line that it wrote, or its exit status.
        problem: String,
    },
    /// It did not ask for an event in time.
    #[error("the function {name} did not get ready within {} seconds", INIT_TIMEOUT.as_secs())]
    Slow {
        /// The function.
        name: String,
    },
}

/// Why an invocation has no answer.
#[derive(Debug, Error)]
pub enum InvokeError {
    /// The function answered with an error.
    #[error("failed: {0}")]
    Failed(FunctionFailure),
    /// Its process ended in the middle.
    #[error("its process ended ({0})")]
    Ended(String),
    /// Its process ended before it took the invocation, so another instance may get the event.
    #[error("its process had ended")]
    NotTaken(Bytes),
}

/// A running instance. Dropping it ends the process.
#[derive(Debug)]
pub struct Instance {
    api: Arc<RuntimeApi>,
    process: Option<Pid>,
    ended: watch::Receiver<Option<String>>,
    /// It is dropped with the instance, which makes the watcher end the process.
    _kept: oneshot::Sender<()>,
}

impl Instance {
    /// Starts one, and waits until it asks for an event.
    ///
    /// # Errors
    /// When it cannot be started, ends at once (with the last line it wrote), or takes too long.
    pub async fn start(program: &Program, stop: Stop) -> Result<Self, StartError> {
        let spawn_error = |problem: String| StartError::Spawn {
            name: program.name.clone(),
            problem,
        };
        let listener =
            listen((LOOPBACK, 0).into(), "").map_err(|error| spawn_error(error.to_string()))?;
        let address = listener
            .local_addr()
            .map_err(|error| spawn_error(error.to_string()))?;
        let mut child = Command::new(&program.path)
            .env_clear()
            .envs(
                program
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C in the terminal only signals this program, which ends its functions in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| spawn_error(format!("{}: {error}", program.path.display())))?;

        let process = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let last_words = Arc::new(Mutex::new(String::new()));
        let outputs = (
            child
                .stdout
                .take()
                .map(|output| relay(output, program, &last_words)),
            child
                .stderr
                .take()
                .map(|output| relay(output, program, &last_words)),
        );
        let (api, mut first_poll) = RuntimeApi::new();
        let server = tokio::spawn(Arc::clone(&api).serve(listener));
        let (kept, dropped) = oneshot::channel();
        let (ending, ended) = watch::channel(None);
        let watched = Arc::clone(&api);
        let until_heard = stop.clone();
        tokio::spawn(async move {
            let status = watch_process(child, dropped, stop).await;
            // Its last lines are printed before its end is reported.
            for output in [outputs.0, outputs.1].into_iter().flatten() {
                let _ = output.await;
            }
            server.abort();
            watched.close();
            let _ = ending.send(Some(status));
            drop(until_heard);
        });

        let instance = Self {
            api,
            process,
            ended,
            _kept: kept,
        };
        let mut ended = instance.ended.clone();
        tokio::select! {
            _ = first_poll.wait_for(|polled| *polled) => return Ok(instance),
            _ = ended.wait_for(Option::is_some) => {}
            () = tokio::time::sleep(INIT_TIMEOUT) => {
                return Err(StartError::Slow { name: program.name.clone() });
            }
        }
        let words = last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let failure = instance.api.init_failure();
        let problem = failure
            .map(|failure| failure.to_string())
            .or_else(|| (!words.is_empty()).then(|| plain(&words)))
            .unwrap_or_else(|| instance.end());
        Err(StartError::Ended {
            name: program.name.clone(),
            problem,
        })
    }

    /// Whether the process still runs. This asks the operating system, because the watcher hears of the
    /// end a moment later.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.ended.borrow().is_none()
            && self
                .process
                .is_some_and(|process| matches!(waitid(WaitId::Pid(process), look), Ok(None)))
    }

    /// Gives the function an event and waits for its answer, however long that takes.
    ///
    /// # Errors
    /// When it answers with an error or its process ends.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Bytes, InvokeError> {
        let event = invocation.event.clone();
        let answer = self.api.give(invocation);
        let mut ended = self.ended.clone();
        match answer.await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(failure)) => Err(InvokeError::Failed(failure)),
            Err(_) if self.api.is_untouched() => Err(InvokeError::NotTaken(event)),
            Err(_) => {
                let _ = ended.wait_for(Option::is_some).await;
                Err(InvokeError::Ended(self.end()))
            }
        }
    }

    fn end(&self) -> String {
        self.ended
            .borrow()
            .clone()
            .unwrap_or_else(|| "it still runs".to_owned())
    }
}

/// Waits until the process ends by itself, or kills it when its instance is dropped or the end is asked
/// for.
async fn watch_process(mut child: Child, dropped: oneshot::Receiver<()>, stop: Stop) -> String {
    let status = tokio::select! {
        status = child.wait() => Some(status),
        _ = dropped => None,
        () = stop.requested() => None,
    };
    let status = match status {
        Some(status) => status,
        None => match child.start_kill() {
            Ok(()) => child.wait().await,
            Err(error) => Err(error),
        },
    };
    describe(status)
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// The message of a log line, without the fields around it.
fn plain(line: &str) -> String {
    let log: Json = serde_json::from_str(line).unwrap_or_default();
    let said = log.get("error").or_else(|| log.get("message"));
    said.and_then(Json::as_str).unwrap_or(line).to_owned()
}

/// Passes a function's output on, line by line, to its log or to stderr, marked with its name.
fn relay(
    output: impl AsyncRead + Send + Unpin + 'static,
    program: &Program,
    last_words: &Arc<Mutex<String>>,
) -> tokio::task::JoinHandle<()> {
    let (name, log) = (program.name.clone(), program.log.clone());
    let last_words = Arc::clone(last_words);
    tokio::spawn(async move {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(lines.read_until(b'\n', &mut line).await, Ok(length) if length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            // Metrics are for CloudWatch and would be noise here.
            if !text.is_empty() && !log.take(&text) && !text.contains("\"_aws\":") {
                say(format!("[{name}] {text}"));
                *last_words.lock().unwrap_or_else(PoisonError::into_inner) = text;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_log_line_is_found() {
        for (line, says) in [
            (
                r#"{"level": "ERROR", "message": "no start", "error": "X is not set"}"#,
                "X is not set",
            ),
            (r#"{"message": "no start"}"#, "no start"),
            ("Error: no start", "Error: no start"),
            ("{}", "{}"),
        ] {
            assert_eq!(plain(line), says);
        }
    }
}
