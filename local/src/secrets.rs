//! The Secrets Manager stand-in: it generates the stack's secrets at the first start.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use regain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::data::write_whole;
use crate::random::Random;
use crate::template::{ACCOUNT, REGION, Secret};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A version of a secret's value.
#[derive(Clone, Serialize, Deserialize)]
struct Version {
    id: String,
    text: String,
    created_at: Timestamp,
    stages: Vec<String>,
}

type Secrets = BTreeMap<String, Vec<Version>>;

/// All secrets, by name. A data directory keeps them in a file. Clones share them.
#[derive(Clone)]
pub struct SecretStore(Arc<Inner>);

struct Inner {
    secrets: Mutex<Secrets>,
    /// The names by logical id. The fixtures use the ids.
    names: BTreeMap<String, String>,
    file: Option<PathBuf>,
    random: Random,
}

/// The answer to a call: JSON, or an error's type and message.
type Answer = Result<Json, (&'static str, String)>;

impl SecretStore {
    /// Opens the secrets that the template declares. A value comes from `given` (by logical id), or else
    /// from the file, or else it is generated.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(
        declared: &[Secret],
        given: &BTreeMap<String, String>,
        file: Option<PathBuf>,
        random: Random,
    ) -> std::io::Result<Self> {
        let mut secrets = match &file {
            Some(path) if path.exists() => serde_json::from_slice(&fs::read(path)?)?,
            _ => Secrets::new(),
        };
        for secret in declared {
            if let Some(text) = given.get(&secret.id) {
                secrets.remove(&secret.name);
                put(
                    &mut secrets,
                    &secret.name,
                    text.clone(),
                    random.uuid().to_string(),
                );
            } else if !secrets.contains_key(&secret.name) {
                let text = random.alphanumeric(secret.length);
                put(&mut secrets, &secret.name, text, random.uuid().to_string());
            }
        }
        let names = declared
            .iter()
            .map(|it| (it.id.clone(), it.name.clone()))
            .collect();
        // The values that were given already have a file of their own.
        let file = file.filter(|_| given.is_empty());
        if let Some(path) = &file {
            save(path, &secrets)?;
        }
        Ok(Self(Arc::new(Inner {
            secrets: Mutex::new(secrets),
            names,
            file,
            random,
        })))
    }

    /// The HTTP interface: JSON 1.1.
    pub fn into_router(self) -> Router {
        Router::new().route("/", post(handle)).with_state(self)
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.0
            .secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, operation: &str, input: &Json) -> Answer {
        match operation {
            "GetSecretValue" => self.get(input),
            "PutSecretValue" => self.put(input),
            "ListSecretVersionIds" => self.list(input),
            other => Err((
                "UnknownOperationException",
                format!("{other} is not served here"),
            )),
        }
    }

    /// The name of the secret in `SecretId`, which is a name, an ARN or a logical id.
    fn name(&self, input: &Json, secrets: &Secrets) -> Result<String, (&'static str, String)> {
        let id = input
            .get("SecretId")
            .and_then(Json::as_str)
            .ok_or_else(|| {
                (
                    "InvalidParameterException",
                    "SecretId is missing".to_owned(),
                )
            })?;
        let name = id.rsplit_once(":secret:").map_or(id, |(_, name)| name);
        let name = self.0.names.get(name).map_or(name, String::as_str);
        if secrets.contains_key(name) {
            Ok(name.to_owned())
        } else {
            Err(not_found(
                "Secrets Manager can't find the specified secret.",
            ))
        }
    }

    fn get(&self, input: &Json) -> Answer {
        let secrets = self.secrets();
        let name = self.name(input, &secrets)?;
        let stage = input.get("VersionStage").and_then(Json::as_str);
        let id = input.get("VersionId").and_then(Json::as_str);
        let stage = stage.or_else(|| id.is_none().then_some(CURRENT));
        let version = secrets.get(&name).into_iter().flatten().find(|version| {
            stage.is_none_or(|stage| version.stages.iter().any(|it| it == stage))
                && id.is_none_or(|id| version.id == id)
        });
        let version = version.ok_or_else(|| {
            not_found("Secrets Manager can't find the specified secret value for that version.")
        })?;
        Ok(json!({
            "ARN": arn(&name),
            "Name": name,
            "VersionId": version.id,
            "VersionStages": version.stages,
            "SecretString": version.text,
            "CreatedDate": epoch_seconds(version.created_at),
        }))
    }

    fn put(&self, input: &Json) -> Answer {
        let mut secrets = self.secrets();
        let name = self.name(input, &secrets)?;
        let text = input
            .get("SecretString")
            .and_then(Json::as_str)
            .ok_or_else(|| {
                (
                    "InvalidRequestException",
                    "only a SecretString can be put here".to_owned(),
                )
            })?;
        let token = input.get("ClientRequestToken").and_then(Json::as_str);
        let id = token.map_or_else(|| self.0.random.uuid().to_string(), str::to_owned);
        let known = secrets.get(&name).into_iter().flatten();
        let stages = match known.clone().find(|version| version.id == id) {
            None => {
                put(&mut secrets, &name, text.to_owned(), id.clone());
                if let Some(path) = &self.0.file {
                    save(path, &secrets)
                        .map_err(|error| ("InternalServiceError", error.to_string()))?;
                }
                vec![CURRENT.to_owned()]
            }
            Some(same) if same.text == text => same.stages.clone(),
            Some(_) => {
                let message = "a version with this token holds another value";
                return Err(("ResourceExistsException", message.to_owned()));
            }
        };
        Ok(json!({"ARN": arn(&name), "Name": name, "VersionId": id, "VersionStages": stages}))
    }

    fn list(&self, input: &Json) -> Answer {
        let secrets = self.secrets();
        let name = self.name(input, &secrets)?;
        let versions: Vec<_> = secrets
            .get(&name)
            .into_iter()
            .flatten()
            .map(|version| {
                json!({
                    "VersionId": version.id,
                    "VersionStages": version.stages,
                    "CreatedDate": epoch_seconds(version.created_at),
                })
            })
            .collect();
        Ok(json!({"ARN": arn(&name), "Name": name, "Versions": versions}))
    }
}

/// Makes `text` the current version. The version before becomes the previous one, older ones are removed.
fn put(secrets: &mut Secrets, name: &str, text: String, id: String) {
    let versions = secrets.entry(name.to_owned()).or_default();
    versions.retain(|version| version.stages.iter().any(|stage| stage == CURRENT));
    for version in versions.iter_mut() {
        version.stages = vec![PREVIOUS.to_owned()];
    }
    let created_at = regain::ambient::now();
    versions.push(Version {
        id,
        text,
        created_at,
        stages: vec![CURRENT.to_owned()],
    });
}

fn save(path: &Path, secrets: &Secrets) -> std::io::Result<()> {
    write_whole(path, &serde_json::to_vec_pretty(secrets)?)
}

async fn handle(State(store): State<SecretStore>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix("secretsmanager."));
    let answer = match serde_json::from_slice(&body) {
        Ok(input) => store.call(operation.unwrap_or_default(), &input),
        Err(error) => Err(("SerializationException", error.to_string())),
    };
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err((kind, message)) => (
            StatusCode::BAD_REQUEST,
            json!({"__type": kind, "message": message}),
        ),
    };
    (
        status,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.1")],
        body.to_string(),
    )
        .into_response()
}

fn not_found(message: &str) -> (&'static str, String) {
    ("ResourceNotFoundException", message.to_owned())
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}")
}

/// Seconds with a fraction, as JSON 1.1 writes a time.
fn epoch_seconds(at: Timestamp) -> Json {
    let whole = at.millis().div_euclid(1000);
    let text = format!("{whole}.{:03}", at.millis().rem_euclid(1000));
    text.parse::<f64>()
        .map_or_else(|_| Json::from(whole), Json::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn declared() -> Vec<Secret> {
        vec![Secret {
            id: "CodeKey".into(),
            name: "CodeKey".into(),
            length: 64,
        }]
    }

    fn open(file: Option<PathBuf>) -> SecretStore {
        SecretStore::open(&declared(), &BTreeMap::new(), file, Random::new().unwrap()).unwrap()
    }

    fn text(store: &SecretStore, stage: &str) -> Result<String, &'static str> {
        store
            .call(
                "GetSecretValue",
                &json!({"SecretId": "CodeKey", "VersionStage": stage}),
            )
            .map(|answer| answer["SecretString"].as_str().unwrap().to_owned())
            .map_err(|(kind, _)| kind)
    }

    #[test]
    fn a_secret_is_generated_as_the_template_asks() {
        let secret = text(&open(None), CURRENT).unwrap();
        assert_eq!(secret.len(), 64);
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_rotation_keeps_one_previous_version() {
        let store = open(None);
        assert_eq!(text(&store, PREVIOUS), Err("ResourceNotFoundException"));
        for value in ["one", "two"] {
            store
                .call(
                    "PutSecretValue",
                    &json!({"SecretId": "CodeKey", "SecretString": value}),
                )
                .unwrap();
        }
        assert_eq!(text(&store, CURRENT).unwrap(), "two");
        assert_eq!(text(&store, PREVIOUS).unwrap(), "one");
        let listed = store
            .call("ListSecretVersionIds", &json!({"SecretId": "CodeKey"}))
            .unwrap();
        let stages: Vec<_> = listed["Versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|version| version["VersionStages"][0].as_str().unwrap())
            .collect();
        assert_eq!(stages, [PREVIOUS, CURRENT]);
        assert!(!listed.to_string().contains("two"), "no value is listed");
    }

    #[test]
    fn a_token_makes_one_version_and_holds_one_value() {
        let store = open(None);
        let put = |value: &str| {
            let token = "0123456789abcdef0123456789abcdef";
            store.call(
                "PutSecretValue",
                &json!({"SecretId": "CodeKey", "SecretString": value, "ClientRequestToken": token}),
            )
        };
        let first = text(&store, CURRENT).unwrap();
        assert_eq!(put("one").unwrap(), put("one").unwrap());
        assert_eq!(put("two").unwrap_err().0, "ResourceExistsException");
        assert_eq!(text(&store, CURRENT).unwrap(), "one");
        assert_eq!(text(&store, PREVIOUS).unwrap(), first);
    }

    #[test]
    fn an_unknown_secret_is_not_found() {
        let answer = open(None).call("GetSecretValue", &json!({"SecretId": "Nope"}));
        assert_eq!(answer.unwrap_err().0, "ResourceNotFoundException");
    }

    #[test]
    fn secrets_survive_in_a_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        let first = text(&open(Some(path.clone())), CURRENT).unwrap();
        assert_eq!(text(&open(Some(path.clone())), CURRENT).unwrap(), first);
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_given_value_is_used_and_not_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        let given = BTreeMap::from([("CodeKey".to_owned(), "given".to_owned())]);
        let random = Random::new().unwrap();
        let store = SecretStore::open(&declared(), &given, Some(path.clone()), random).unwrap();
        assert_eq!(text(&store, CURRENT).unwrap(), "given");
        assert!(!path.exists());
    }
}
