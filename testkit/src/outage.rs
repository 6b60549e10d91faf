//! A stack whose functions reach one of its stand-ins through a line that can fail.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::binaries::binaries;
use crate::stack::{Setup, Stack};

/// A fault of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Connections end as soon as something is asked.
    Refuse,
    /// Requests arrive, and the answers to this many of the next writes are lost.
    LoseAnswers(usize),
    /// Requests arrive, and all answers to transactions are lost.
    LoseTransactions,
    /// Requests arrive, and are never answered.
    Silence,
}

/// The stack and its line.
#[derive(Debug)]
pub struct Outage {
    /// The stack.
    pub stack: Stack,
    fault: Arc<Mutex<Fault>>,
    met_silence: Arc<AtomicBool>,
    _wrapped: tempfile::TempDir,
}

impl Outage {
    /// An unthrottled stack with a good line to the table.
    pub fn start() -> Self {
        Self::of("DYNAMODB")
    }

    /// An unthrottled stack with a good line to the service that the AWS SDK knows by that name.
    pub fn of(service: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = listener.local_addr().unwrap();
        let name = format!("AWS_ENDPOINT_URL_{service}");
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("upstream");
        // The functions are told the real endpoint when they start; the line has to know it, too.
        let environment = format!(
            "printf %s \"${{{name}#http://}}\" > {kept}.$$ && mv {kept}.$$ {kept}\nexport {name}=http://{line}",
            kept = kept.display(),
        );
        wrap_all(folder.path(), &environment);
        let fault = Arc::new(Mutex::new(Fault::None));
        let met_silence = Arc::new(AtomicBool::new(false));
        let (shared, silence) = (Arc::clone(&fault), Arc::clone(&met_silence));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (kept, fault) = (kept.clone(), Arc::clone(&shared));
                let silence = Arc::clone(&silence);
                std::thread::spawn(move || carry(connection, &kept, &fault, &silence));
            }
        });
        let stack = Setup::default()
            .unthrottled()
            .functions(folder.path())
            .start();
        Self {
            stack,
            fault,
            met_silence,
            _wrapped: folder,
        }
    }

    /// Breaks the line, or mends it.
    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Whether a request has met [`Fault::Silence`].
    pub fn has_met_silence(&self) -> bool {
        self.met_silence.load(Ordering::Relaxed)
    }

    /// The fault of the line now.
    pub fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }
}

/// Fills a folder with the functions, each started by a script that changes its environment first.
pub fn wrap_all(folder: &Path, environment: &str) {
    for entry in binaries().read_dir().unwrap() {
        let program: PathBuf = entry.unwrap().path();
        let executable = program.metadata().unwrap().permissions().mode() & 0o100 != 0;
        if program.is_file() && executable && program.extension().is_none() {
            let script = format!("#!/bin/sh\n{environment}\nexec '{}'\n", program.display());
            let path = folder.join(program.file_name().unwrap());
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
    }
}

/// Carries one connection until either end closes it, or a fault does.
fn carry(client: TcpStream, upstream: &Path, fault: &Arc<Mutex<Fault>>, met_silence: &AtomicBool) {
    let Ok(upstream) = std::fs::read_to_string(upstream) else {
        return;
    };
    let Ok(server) = TcpStream::connect(upstream) else {
        return;
    };
    let [writes, transactions] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let of_answers = Arc::clone(fault);
    let (is_write, is_transaction) = (Arc::clone(&writes), Arc::clone(&transactions));
    std::thread::spawn(move || {
        pass(from, to, |_| {
            let mut fault = of_answers.lock().unwrap();
            match *fault {
                Fault::LoseAnswers(left) if is_write.load(Ordering::Relaxed) => {
                    *fault = if left > 1 {
                        Fault::LoseAnswers(left - 1)
                    } else {
                        Fault::None
                    };
                    false
                }
                Fault::LoseTransactions => !is_transaction.load(Ordering::Relaxed),
                Fault::None | Fault::Silence | Fault::LoseAnswers(_) => true,
                Fault::Refuse => false,
            }
        });
    });
    pass(client, server, |asked| {
        while *fault.lock().unwrap() == Fault::Silence {
            met_silence.store(true, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(5));
        }
        let asked = String::from_utf8_lossy(asked).to_lowercase();
        if asked.starts_with("post ") {
            let is_transaction = asked.contains("transactwriteitems");
            let is_update = asked.contains("dynamodb_20120810.updateitem");
            transactions.store(is_transaction, Ordering::Relaxed);
            writes.store(is_transaction || is_update, Ordering::Relaxed);
        }
        *fault.lock().unwrap() != Fault::Refuse
    });
}

/// Passes on what comes, as long as it may.
fn pass(mut from: TcpStream, mut to: TcpStream, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let chunk = &buffer[..length];
        if !may_pass(chunk) || to.write_all(chunk).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
