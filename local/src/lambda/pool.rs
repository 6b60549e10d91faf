//! The instances of one function. They are started on demand and kept warm, and each has one
//! invocation at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::console::say;
use crate::lambda::instance::{Instance, InvokeError, StartError};
use crate::lambda::program::Program;
use crate::lambda::runtime_api::{FunctionFailure, Invocation};
use crate::random::Random;
use crate::shutdown::Stop;
use crate::template::{ACCOUNT, REGION};

/// The most instances of one function. Further invocations wait for one.
const MOST_INSTANCES: usize = 16;
/// How long it waits before it tries an event again. Lambda waits minutes.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// Why an invocation has no answer.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The function answered with an error.
    #[error("failed: {0}")]
    Function(FunctionFailure),
    /// The function crashed or could not be started.
    #[error("{0}")]
    Failed(String),
    /// It did not answer in time, and its process was ended.
    #[error("timed out after {} s", .0.as_secs_f32())]
    TimedOut(Duration),
}

/// All instances of one function. Clones share them.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: Program,
    timeout: Duration,
    random: Random,
    stop: Stop,
    idle: Mutex<Vec<Instance>>,
    running: Semaphore,
}

impl Pool {
    /// A pool without instances.
    #[must_use]
    pub fn new(program: Program, timeout: Duration, random: Random, stop: Stop) -> Self {
        let idle = Mutex::default();
        let running = Semaphore::new(MOST_INSTANCES);
        Self(Arc::new(Inner {
            program,
            timeout,
            random,
            stop,
            idle,
            running,
        }))
    }

    /// Starts one instance, so that the first invocation finds it warm.
    ///
    /// # Errors
    /// When it cannot be started, with the reason the function gave.
    pub async fn warm_up(&self) -> Result<(), StartError> {
        let instance = Instance::start(&self.0.program, self.0.stop.clone()).await?;
        self.0.keep(instance);
        Ok(())
    }

    /// Runs the function on an event. The invocation goes on if the caller stops waiting, as on Lambda.
    ///
    /// # Errors
    /// When it fails, crashes, or takes longer than its timeout.
    pub async fn invoke(&self, event: Bytes) -> Result<Bytes, PoolError> {
        let inner = Arc::clone(&self.0);
        match tokio::spawn(async move { inner.invoke(event).await }).await {
            Ok(result) => result,
            Err(error) => Err(PoolError::Failed(error.to_string())),
        }
    }

    /// Runs the function on an event for which nobody waits. After a failure it is tried twice more. An
    /// event that is given up is reported with the name of its `source`.
    pub async fn invoke_unattended(&self, event: Bytes, source: &str) {
        for wait in WAITS {
            if self.invoke(event.clone()).await.is_ok() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
        if self.invoke(event).await.is_err() {
            say(format!(
                "[{source}] gave up on an event: it failed too often"
            ));
        }
    }
}

impl Inner {
    async fn invoke(&self, mut event: Bytes) -> Result<Bytes, PoolError> {
        let _running = self
            .running
            .acquire()
            .await
            .map_err(|error| PoolError::Failed(error.to_string()))?;
        loop {
            let instance = self.instance().await.map_err(|error| {
                say(format!("[local] {error}"));
                PoolError::Failed(error.to_string())
            })?;
            match tokio::time::timeout(self.timeout, instance.invoke(self.invocation(event))).await
            {
                Ok(Ok(answer)) => {
                    self.keep(instance);
                    return Ok(answer);
                }
                Ok(Err(InvokeError::NotTaken(again))) => event = again,
                Ok(Err(error)) => {
                    say(format!("[local] {}: {error}", self.program.name));
                    return Err(match error {
                        InvokeError::Failed(failure) => {
                            self.keep(instance);
                            PoolError::Function(failure)
                        }
                        error => PoolError::Failed(error.to_string()),
                    });
                }
                Err(_) => {
                    let error = PoolError::TimedOut(self.timeout);
                    say(format!("[local] {}: {error}", self.program.name));
                    return Err(error);
                }
            }
        }
    }

    /// An idle instance that still runs, or a new one.
    async fn instance(&self) -> Result<Instance, StartError> {
        while let Some(instance) = self.take_idle() {
            if instance.is_running() {
                return Ok(instance);
            }
        }
        Instance::start(&self.program, self.stop.clone()).await
    }

    fn take_idle(&self) -> Option<Instance> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn keep(&self, instance: Instance) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(instance);
    }

    fn invocation(&self, event: Bytes) -> Invocation {
        let name = &self.program.name;
        let trace = data_encoding::HEXLOWER.encode(&self.random.bytes::<12>());
        let now = regain::ambient::now();
        Invocation {
            id: self.random.uuid().to_string(),
            event,
            deadline: now.plus(self.timeout),
            function_arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"),
            trace_id: format!("Root=1-{:08x}-{trace};Sampled=0", now.millis() / 1000),
        }
    }
}
