//! The two secrets: each instance fetches them from Secrets Manager and keeps a copy.
//!
//! A rotation of the code key breaks no code that was mailed before. An instance fetches the versions again
//! every few minutes. Verification accepts the previous version until the last code from it has expired.
//! Codes are mailed with a new version only once it is older than any instance's copy. Two rotations must
//! be further apart than a session lives, plus that age.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_types::DateTime;
use aws_smithy_types::error::ErrorMetadata;
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::aws::operation::{Api, Payload, operation};
use crate::code::CodeKeys;
use crate::keys::IndexKeys;
use crate::timestamp::Timestamp;

/// From this age on, a copy of the code key is fetched again.
const REFRESH_AFTER: Duration = Duration::from_mins(5);
/// The age that no copy in use reaches. Some instances may not know a version that is younger, so no code is
/// mailed with it.
pub const KNOWN_TO_ALL_AFTER: Duration = Duration::from_mins(10);
/// How long after a rotation the previous version is accepted. Codes are mailed with it until all instances
/// know the new one, and a code lives for an hour at most. It is not accepted for longer, because a guess
/// against two codes is twice as likely to be right.
const PREVIOUS_ACCEPTED_FOR: Duration = Duration::from_mins(75);

/// Why a secret is not available.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The call failed, after the SDK's own retries.
    #[error("a secret could not be fetched")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The secret is empty, or not text.
    #[error("a secret holds no text")]
    Empty,
    /// The function was asked to derive a code, and may not read the code key.
    #[error("CODE_KEY_SECRET is not set")]
    NotGiven,
}

/// The secrets of a stack, as one instance knows them.
#[derive(Debug)]
pub struct Secrets {
    get: Operation<Payload, Answer, ErrorMetadata>,
    index_id: String,
    code_id: Option<String>,
    index: Mutex<Option<Arc<IndexKeys>>>,
    code: Mutex<Option<Copy>>,
}

#[derive(Clone, Debug)]
struct Copy {
    /// The current version alone.
    keys: Arc<CodeKeys>,
    /// The keys that are used instead after a recent rotation, each until its end.
    rotation: Vec<Phase>,
    fetched_at: Timestamp,
}

#[derive(Clone, Debug)]
struct Phase {
    keys: Arc<CodeKeys>,
    until: Timestamp,
}

impl Copy {
    /// The keys that are in use at that time. They change by the clock in all copies at once, or a copy would
    /// mail codes with the previous version for as long as it is kept.
    fn keys(&self, at: Timestamp) -> Arc<CodeKeys> {
        let phase = self.rotation.iter().find(|phase| at < phase.until);
        phase.map_or(&self.keys, |phase| &phase.keys).clone()
    }
}

struct Version {
    text: Zeroizing<String>,
    created_at: Timestamp,
}

/// The answer to `GetSecretValue`, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    secret_string: Option<Zeroizing<String>>,
    /// In seconds, with a fraction.
    created_date: Option<f64>,
}

impl Answer {
    fn created_at(&self) -> Option<Timestamp> {
        let date = DateTime::from_secs_f64(self.created_date?);
        date.to_millis().ok().map(Timestamp::from_millis)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

impl Secrets {
    /// The secrets of those ids. The code key has an id only if the function may read it.
    #[must_use]
    pub fn new(config: &SdkConfig, index_id: String, code_id: Option<String>) -> Self {
        let api = Api {
            service: "Secrets Manager",
            signing_name: "secretsmanager",
            operation: "GetSecretValue",
            path: "/".to_owned(),
            headers: &[
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "secretsmanager.GetSecretValue"),
            ],
        };
        let get = operation(config, api, |response| {
            let body = response.body().bytes().unwrap_or_default();
            // Without the cause, which may quote the answer.
            serde_json::from_slice(body).map_err(|_| "the answer is malformed".into())
        });
        Self {
            get,
            index_id,
            code_id,
            index: Mutex::default(),
            code: Mutex::default(),
        }
    }

    /// The index keys. They are fetched once, because they never change.
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

    /// The versions of the code key that are accepted now.
    ///
    /// # Errors
    /// When they cannot be fetched, and the copy is too old.
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
                    tracing::warn!(error = %crate::telemetry::causes(&error), "fetching the code key failed, the copy is used");
                    Ok(copy.keys(at))
                }
                _ => Err(error),
            },
        }
    }

    async fn fetch_code(&self, id: &str, at: Timestamp) -> Result<Copy, SecretError> {
        let (current, previous) = tokio::join!(self.fetch(id, CURRENT), self.fetch(id, PREVIOUS));
        let (current, previous) = (current?.ok_or(SecretError::Empty)?, previous?);
        let text = current.text.as_bytes();
        let rotation = previous.map_or_else(Vec::new, |previous| {
            let both = [text, previous.text.as_bytes()];
            // If an operator has reverted a rotation, the previous version is the younger one.
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
        let asked = json!({ "SecretId": id, "VersionStage": stage }).to_string();
        let payload = Payload(Zeroizing::new(asked.into_bytes()));
        // On the heap: a call of the SDK is a large future.
        let answer = match Box::pin(self.get.invoke(payload)).await {
            Ok(answer) => answer,
            Err(error) => {
                let code = error.as_service_error().and_then(ErrorMetadata::code);
                if stage == PREVIOUS && code == Some("ResourceNotFoundException") {
                    return Ok(None);
                }
                return Err(SecretError::Unreachable(error.into()));
            }
        };
        let created_at = answer.created_at();
        let created_at = created_at.unwrap_or(Timestamp::from_millis(0));
        let text = answer.secret_string.unwrap_or_default();
        if text.is_empty() {
            Err(SecretError::Empty)
        } else {
            Ok(Some(Version { text, created_at }))
        }
    }
}

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_time_to_the_millisecond_and_shows_no_secret() {
        for (date, millis) in [
            ("1523477145.713", Some(1_523_477_145_713)),
            ("1.523477145713E9", Some(1_523_477_145_713)),
            ("1523477145", Some(1_523_477_145_000)),
            ("null", None),
        ] {
            let body = format!(r#"{{"CreatedDate": {date}, "SecretString": "of the stack"}}"#);
            let answer: Answer = serde_json::from_str(&body).unwrap();
            let created_at = answer.created_at();
            assert_eq!(created_at, millis.map(Timestamp::from_millis), "{date}");
            assert!(!format!("{answer:?}").contains("stack"));
            assert_eq!(*answer.secret_string.unwrap(), "of the stack");
        }
    }

    #[test]
    fn an_answer_may_lack_everything() {
        let answer: Answer = serde_json::from_str("{}").unwrap();
        assert!(answer.secret_string.is_none() && answer.created_at().is_none());
    }
}
