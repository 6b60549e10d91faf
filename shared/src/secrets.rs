//! The two secrets, fetched from Secrets Manager and kept by each instance.
//!
//! A rotated code key takes effect without breaking a code in flight: an instance fetches the versions
//! again every few minutes, verification accepts the previous one until the last code from it has expired,
//! and mail is written with a new version only once it is older than any instance's copy. Rotations must
//! lie further apart than a session lives, plus that age.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::code::CodeKeys;
use crate::keys::IndexKeys;
use crate::timestamp::Timestamp;

/// From this age on, a copy of the code key's versions is fetched again.
const REFRESH_AFTER: Duration = Duration::from_mins(5);
/// The age that no copy in use reaches; a younger version is not yet known to every instance, and no
/// mail is written with it.
pub const KNOWN_TO_ALL_AFTER: Duration = Duration::from_mins(10);
/// How long after a rotation the previous version is accepted: mail is written with it until all know
/// the new one, and a code lives for an hour at most. Not longer, since a guess at either of two codes
/// wins twice as often.
const PREVIOUS_ACCEPTED_FOR: Duration = Duration::from_mins(75);

/// A secret that could not be had: nothing may be done without it.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The call failed, after the SDK's own retries.
    #[error("a secret could not be fetched")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// It is empty, or not text.
    #[error("a secret holds no text")]
    Empty,
    /// The function has no permission to derive codes, and was asked to.
    #[error("CODE_KEY_SECRET is not set")]
    NotGiven,
}

/// The secrets of a stack, as one instance knows them.
#[derive(Debug)]
pub struct Secrets {
    client: Client,
    index_id: String,
    code_id: Option<String>,
    index: Mutex<Option<Arc<IndexKeys>>>,
    code: Mutex<Option<Copy>>,
}

#[derive(Clone, Debug)]
struct Copy {
    /// The current version alone.
    keys: Arc<CodeKeys>,
    /// What is used instead while a rotation is recent, by its end.
    rotation: Vec<Phase>,
    fetched_at: Timestamp,
}

#[derive(Clone, Debug)]
struct Phase {
    keys: Arc<CodeKeys>,
    until: Timestamp,
}

impl Copy {
    /// The keys as they are used at that time. A version comes of age in every copy at once, or mail
    /// would be written with the previous one for as long as a copy is kept.
    fn keys(&self, at: Timestamp) -> Arc<CodeKeys> {
        let phase = self.rotation.iter().find(|phase| at < phase.until);
        phase.map_or(&self.keys, |phase| &phase.keys).clone()
    }
}

struct Version {
    text: Zeroizing<String>,
    created_at: Timestamp,
}

impl Secrets {
    /// The secrets of those ids; the code key only where the function may read it.
    #[must_use]
    pub fn new(client: Client, index_id: String, code_id: Option<String>) -> Self {
        Self {
            client,
            index_id,
            code_id,
            index: Mutex::default(),
            code: Mutex::default(),
        }
    }

    /// What the index key is used for. Fetched once: it never changes.
    ///
    /// # Errors
    /// When it cannot be fetched.
    pub async fn index(&self) -> Result<Arc<IndexKeys>, SecretError> {
        let kept = self
            .index
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(keys) = kept {
            return Ok(keys);
        }
        let version = self
            .fetch(&self.index_id, CURRENT)
            .await?
            .ok_or(SecretError::Empty)?;
        let keys = Arc::new(IndexKeys::new(version.text.as_bytes()));
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }

    /// The versions of the code key that are good now.
    ///
    /// # Errors
    /// When they cannot be fetched and the copy at hand is too old to be trusted.
    pub async fn code(&self, at: Timestamp) -> Result<Arc<CodeKeys>, SecretError> {
        let id = self.code_id.as_ref().ok_or(SecretError::NotGiven)?;
        let kept = self
            .code
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(copy) = &kept
            && at < copy.fetched_at.plus(REFRESH_AFTER)
        {
            return Ok(copy.keys(at));
        }
        match self.fetch_code(id, at).await {
            Ok(copy) => {
                let keys = copy.keys(at);
                *self.code.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
                Ok(keys)
            }
            Err(error) => match kept {
                Some(copy) if at < copy.fetched_at.plus(KNOWN_TO_ALL_AFTER) => {
                    tracing::warn!(error = %crate::telemetry::causes(&error), "code key kept");
                    Ok(copy.keys(at))
                }
                _ => Err(error),
            },
        }
    }

    async fn fetch_code(&self, id: &str, at: Timestamp) -> Result<Copy, SecretError> {
        let current = self.fetch(id, CURRENT).await?.ok_or(SecretError::Empty)?;
        let previous = self.fetch(id, PREVIOUS).await?;
        let text = current.text.as_bytes();
        let rotation = previous.map_or_else(Vec::new, |previous| {
            let both = [text, previous.text.as_bytes()];
            // An operator may have set the versions back: then the previous one is the younger.
            let rotated_at = current.created_at.max(previous.created_at);
            vec![
                Phase {
                    keys: Arc::new(CodeKeys::new(previous.text.as_bytes(), &both)),
                    until: current.created_at.plus(KNOWN_TO_ALL_AFTER),
                },
                Phase {
                    keys: Arc::new(CodeKeys::new(text, &both)),
                    until: rotated_at.plus(PREVIOUS_ACCEPTED_FOR),
                },
            ]
        });
        Ok(Copy {
            keys: Arc::new(CodeKeys::new(text, &[text])),
            rotation,
            fetched_at: at,
        })
    }

    async fn fetch(&self, id: &str, stage: &str) -> Result<Option<Version>, SecretError> {
        let got = self
            .client
            .get_secret_value()
            .secret_id(id)
            .version_stage(stage)
            .send()
            .await;
        let secret = match got {
            Ok(secret) => secret,
            Err(error) => {
                let absent = stage == PREVIOUS
                    && matches!(
                        error.as_service_error(),
                        Some(GetSecretValueError::ResourceNotFoundException(_))
                    );
                if absent {
                    return Ok(None);
                }
                return Err(SecretError::Unreachable(error.into()));
            }
        };
        let created_at = secret
            .created_date
            .and_then(|date| date.to_millis().ok())
            .map_or(Timestamp::from_millis(0), Timestamp::from_millis);
        let text = Zeroizing::new(secret.secret_string.unwrap_or_default());
        if text.is_empty() {
            Err(SecretError::Empty)
        } else {
            Ok(Some(Version { text, created_at }))
        }
    }
}

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
