//! A stack whose functions reach the table through a line that can fail.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::binaries::functions;
use super::stack::{Setup, Stack};

/// What is wrong with the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Connections end as soon as something is asked.
    Refuse,
    /// What is asked arrives, and this many of the next answers are lost.
    LoseAnswers(usize),
    /// What is asked is never answered.
    Silence,
}

/// The stack and its line.
#[derive(Debug)]
pub(crate) struct Outage {
    pub(crate) stack: Stack,
    fault: Arc<Mutex<Fault>>,
    _wrapped: tempfile::TempDir,
}

impl Outage {
    /// An unthrottled stack with a good line.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = format!("http://{}", listener.local_addr().unwrap());
        let environment = format!("export AWS_ENDPOINT_URL_DYNAMODB={line}");
        let wrapped = wrapped(&environment);
        let stack = Setup::default()
            .unthrottled()
            .functions(wrapped.path())
            .start();
        let upstream = stack.dynamodb.strip_prefix("http://").unwrap().to_owned();
        let fault = Arc::new(Mutex::new(Fault::None));
        let shared = Arc::clone(&fault);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (upstream, fault) = (upstream.clone(), Arc::clone(&shared));
                std::thread::spawn(move || carry(connection, &upstream, &fault));
            }
        });
        Self {
            stack,
            fault,
            _wrapped: wrapped,
        }
    }

    /// Breaks the line, or mends it.
    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// What is wrong with the line now.
    pub(crate) fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }
}

/// The functions, each started by a script that changes its environment first.
pub(crate) fn wrapped(environment: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in functions().read_dir().unwrap() {
        let program: PathBuf = entry.unwrap().path();
        let executable = program.metadata().unwrap().permissions().mode() & 0o100 != 0;
        if program.is_file() && executable && program.extension().is_none() {
            wrap(&program, folder.path(), environment);
        }
    }
    folder
}

fn wrap(program: &Path, folder: &Path, environment: &str) {
    let script = format!("#!/bin/sh\n{environment}\nexec '{}'\n", program.display());
    let path = folder.join(program.file_name().unwrap());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Carries one connection until either end closes, or the fault does.
fn carry(client: TcpStream, upstream: &str, fault: &Arc<Mutex<Fault>>) {
    let Ok(server) = TcpStream::connect(upstream) else {
        return;
    };
    let answers = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let of_answers = Arc::clone(fault);
    std::thread::spawn(move || {
        let (server, client) = answers;
        pass(server, client, || {
            let mut fault = of_answers.lock().unwrap();
            match *fault {
                Fault::None | Fault::Silence => true,
                Fault::Refuse | Fault::LoseAnswers(0) => false,
                Fault::LoseAnswers(1) => {
                    *fault = Fault::None;
                    false
                }
                Fault::LoseAnswers(more) => {
                    *fault = Fault::LoseAnswers(more - 1);
                    false
                }
            }
        });
    });
    pass(client, server, || {
        while *fault.lock().unwrap() == Fault::Silence {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        *fault.lock().unwrap() != Fault::Refuse
    });
}

/// Passes on what comes, as long as it may.
fn pass(mut from: TcpStream, mut to: TcpStream, mut may_pass: impl FnMut() -> bool) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !may_pass() || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
