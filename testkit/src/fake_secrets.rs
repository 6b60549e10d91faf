//! A stand-in for Secrets Manager with the two keys of a stack, in versions of any age.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use regain::ambient;
use regain::secrets::Secrets;
use regain::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::aws::{config, serve};

/// The id of the secret with the index key.
pub const INDEX_KEY: &str = "IndexKey";
/// The id of the secret with the code key.
pub const CODE_KEY: &str = "CodeKey";
/// The index key, unless a test changes it.
pub const INDEX_SECRET: &str = "index-secret-of-the-tests-index-secret-of-the-tests-0123456789ab";
/// The code key, unless a test changes it.
pub const CODE_SECRET: &str = "code-secret-of-the-tests-code-secret-of-the-tests-0123456789abcd";

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// Its value.
    pub text: String,
    /// When it was put.
    pub created_at: Timestamp,
    /// Its label: `AWSCURRENT` or `AWSPREVIOUS`.
    pub stage: &'static str,
}

impl Version {
    /// The version in force.
    pub fn current(text: &str, created_at: Timestamp) -> Self {
        Self::of(CURRENT, text, created_at)
    }

    /// The version before it.
    pub fn previous(text: &str, created_at: Timestamp) -> Self {
        Self::of(PREVIOUS, text, created_at)
    }

    fn of(stage: &'static str, text: &str, created_at: Timestamp) -> Self {
        Self {
            id: format!("{stage:0>32}"),
            text: text.to_owned(),
            created_at,
            stage,
        }
    }
}

#[derive(Debug)]
struct Kept {
    secrets: BTreeMap<String, Vec<Version>>,
    fetched: usize,
}

/// The stand-in. Clones share its secrets.
#[derive(Clone, Debug)]
pub struct FakeSecrets {
    kept: Arc<Mutex<Kept>>,
    endpoint: String,
}

impl FakeSecrets {
    /// Serves both keys, each with one version from that time on.
    pub async fn serve(created_at: Timestamp) -> Self {
        let keys = [(INDEX_KEY, INDEX_SECRET), (CODE_KEY, CODE_SECRET)];
        let secrets =
            keys.map(|(id, text)| (id.to_owned(), vec![Version::current(text, created_at)]));
        let kept = Arc::new(Mutex::new(Kept {
            secrets: secrets.into(),
            fetched: 0,
        }));
        let endpoint = serve(Router::new().fallback(answer).with_state(kept.clone())).await;
        Self { kept, endpoint }
    }

    /// Where it answers.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The secrets as a fresh instance of a function has them: not fetched yet.
    pub fn secrets(&self) -> Secrets {
        let config = config(&self.endpoint).build();
        Secrets::new(&config, INDEX_KEY.to_owned(), Some(CODE_KEY.to_owned()))
    }

    /// Sets the versions of a secret; without any it cannot be decrypted.
    pub fn set(&self, secret: &str, versions: impl Into<Vec<Version>>) {
        let versions = versions.into();
        locked(&self.kept)
            .secrets
            .insert(secret.to_owned(), versions);
    }

    /// The versions of a secret, oldest first.
    pub fn versions(&self, secret: &str) -> Vec<Version> {
        let mut versions = locked(&self.kept).secrets[secret].clone();
        versions.sort_by_key(|version| version.created_at);
        versions
    }

    /// How often a secret was asked for.
    pub fn fetched(&self) -> usize {
        locked(&self.kept).fetched
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut kept = locked(&kept);
    let target = headers.get("x-amz-target").unwrap().to_str().unwrap();
    let id = asked["SecretId"].as_str().unwrap_or_default();
    let answer = match (target, kept.secrets.get_mut(id)) {
        (_, None) => Err("ResourceNotFoundException"),
        ("secretsmanager.GetSecretValue", Some(versions)) => {
            let value = value(versions, asked["VersionStage"].as_str());
            kept.fetched += 1;
            value
        }
        ("secretsmanager.ListSecretVersionIds", Some(versions)) => Ok(list(versions)),
        ("secretsmanager.PutSecretValue", Some(versions)) => put(versions, &asked),
        (other, _) => panic!("{other} is not served here"),
    };
    match answer {
        Ok(body) => body.to_string().into_response(),
        Err(kind) => {
            let body = json!({ "__type": kind, "message": "refused" });
            (StatusCode::BAD_REQUEST, body.to_string()).into_response()
        }
    }
}

fn value(versions: &[Version], stage: Option<&str>) -> Result<Value, &'static str> {
    if versions.is_empty() {
        return Err("DecryptionFailure");
    }
    let stage = stage.unwrap_or(CURRENT);
    let version = versions.iter().find(|version| version.stage == stage);
    let version = version.ok_or("ResourceNotFoundException")?;
    Ok(json!({
        "SecretString": version.text,
        "CreatedDate": epoch_seconds(version.created_at),
    }))
}

fn list(versions: &[Version]) -> Value {
    let versions = versions.iter().map(|version| {
        json!({
            "VersionId": version.id,
            "VersionStages": [version.stage],
            "CreatedDate": epoch_seconds(version.created_at),
        })
    });
    json!({ "Versions": versions.collect::<Vec<_>>() })
}

/// Makes a value the current version. The one before becomes the previous one, and older ones go. The same
/// token makes one version only.
fn put(versions: &mut Vec<Version>, asked: &Value) -> Result<Value, &'static str> {
    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
    let (id, text) = (text("ClientRequestToken"), text("SecretString"));
    match versions.iter().find(|version| version.id == id) {
        Some(same) if same.text == text => {}
        Some(_) => return Err("ResourceExistsException"),
        None => {
            versions.retain(|version| version.stage == CURRENT);
            for version in versions.iter_mut() {
                version.stage = PREVIOUS;
            }
            versions.push(Version {
                id: id.clone(),
                ..Version::current(&text, ambient::now())
            });
        }
    }
    Ok(json!({ "VersionId": id }))
}

/// Seconds with a fraction, as Secrets Manager writes a time.
fn epoch_seconds(at: Timestamp) -> f64 {
    Duration::from_millis(at.millis().try_into().unwrap()).as_secs_f64()
}
