//! Loads users and fixtures at the start.

use std::path::Path;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Config};
use data_encoding::BASE64;
use rand::rngs::SysError;
use regain::settings::Settings;
use regain::store::Store;
use regain::users::{ImportError, ImportRules, Imported, import};
use serde::Serialize;
use serde_json::Value as Json;
use thiserror::Error;

use crate::template::REGION;

/// An attribute of a fixture. JSON has no sets, so `{"BS": ["…"]}` is a set of octets, as in DynamoDB's own JSON.
fn set(value: AttributeValue) -> AttributeValue {
    let octets = |value: &AttributeValue| {
        let text = value.as_s().ok()?;
        BASE64.decode(text.as_bytes()).ok().map(Blob::new)
    };
    let members = match &value {
        AttributeValue::M(map) if map.len() == 1 => map.get("BS"),
        _ => None,
    };
    let members = members.and_then(|members| members.as_l().ok());
    let members = members.and_then(|members| members.iter().map(octets).collect());
    members.map_or(value, AttributeValue::Bs)
}

/// The users of a new store without `--users` and `--seed`.
const DEMO_USERS: &str = include_str!("../demo-users.jsonl");

/// Why nothing was loaded.
#[derive(Debug, Error)]
pub enum UsersError {
    /// The file cannot be read.
    #[error("{file} cannot be read: {problem}")]
    File {
        /// The file.
        file: String,
        /// What the operating system said.
        problem: std::io::Error,
    },
    /// The file cannot be loaded.
    #[error("{file}: {problem}")]
    Import {
        /// The file.
        file: String,
        /// The line and what is wrong with it.
        problem: ImportError,
    },
    /// A line of a fixture is not an item.
    #[error("{file}: line {line}: {problem}")]
    Item {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The system has no randomness to give.
    #[error(transparent)]
    Randomness(#[from] SysError),
}

/// Writes to the table, over DynamoDB's API.
#[derive(Debug)]
pub struct Loader {
    client: Client,
    table: String,
    settings: Settings,
}

/// A demo user, for the greeting.
#[derive(Debug, Serialize)]
pub struct DemoUser {
    /// The address.
    pub email: String,
    /// What the greeting says about the user.
    pub note: String,
}

impl Loader {
    /// A loader for the table behind a DynamoDB endpoint.
    #[must_use]
    pub fn new(endpoint: &str, table: &str, settings: Settings) -> Self {
        let configuration = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(endpoint)
            .build();
        Self {
            client: Client::from_conf(configuration),
            table: table.to_owned(),
            settings,
        }
    }

    /// Loads all users of a file, or none, and returns notes for the person who loads them. Passwords
    /// whose last change was not an import stay, unless `overwrite_passwords`.
    ///
    /// # Errors
    /// When the file cannot be read or has lines that are not users. The error names all these lines.
    pub async fn load_users(
        &self,
        path: &Path,
        overwrite_passwords: bool,
    ) -> Result<(Imported, Vec<String>), UsersError> {
        let file = path.display().to_string();
        let text = read(path).await?;
        self.import(&file, &text, overwrite_passwords).await
    }

    /// Loads and returns the demo users.
    ///
    /// # Errors
    /// When the table refuses.
    pub async fn load_demo_users(&self) -> Result<Vec<DemoUser>, UsersError> {
        let lines = DEMO_USERS
            .lines()
            .filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let mut users: Vec<_> = lines.collect();
        if matches!(
            self.settings.user_id_format,
            regain::ids::UserIdFormat::Uuid
        ) {
            // The ids in the file have the other format, so the users get new ones.
            for user in users.iter_mut().filter_map(Json::as_object_mut) {
                user.remove("id");
            }
        }
        let lines: Vec<_> = users.iter().map(Json::to_string).collect();
        self.import("the demo users", &lines.join("\n"), false)
            .await?;
        Ok(users.iter().map(demo_user).collect())
    }

    /// Puts every line of a file into the table: an item as plain JSON.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is not an item.
    pub async fn load_items(&self, path: &Path) -> Result<usize, UsersError> {
        let file = path.display().to_string();
        let text = read(path).await?;
        let mut loaded = 0;
        for (index, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let error = |problem: String| UsersError::Item {
                file: file.clone(),
                line: index + 1,
                problem,
            };
            let item: Json = serde_json::from_str(line).map_err(|it| error(it.to_string()))?;
            let item: std::collections::HashMap<String, AttributeValue> =
                serde_dynamo::to_item(item).map_err(|it| error(it.to_string()))?;
            let item = item.into_iter().map(|(name, value)| (name, set(value)));
            let item = item.collect();
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item));
            put.send()
                .await
                .map_err(|it| error(it.into_service_error().to_string()))?;
            loaded += 1;
        }
        Ok(loaded)
    }

    async fn import(
        &self,
        file: &str,
        text: &str,
        overwrite_passwords: bool,
    ) -> Result<(Imported, Vec<String>), UsersError> {
        let store = Store::new(self.client.clone(), &self.table);
        let rules = ImportRules {
            overwrite_passwords,
            ..ImportRules::of(&self.settings)
        };
        let mut rng = regain::ambient::rng()?;
        let imported = import(&store, &rules, text, regain::ambient::now(), &mut rng).await;
        let (imported, notes) = imported.map_err(|problem| UsersError::Import {
            file: file.to_owned(),
            problem,
        })?;
        Ok((imported, notes.sentences(&rules.statuses)))
    }
}

fn demo_user(user: &Json) -> DemoUser {
    let text = |key: &str| user.get(key).and_then(Json::as_str).unwrap_or_default();
    let name = user
        .get("profile")
        .and_then(|profile| profile.get("displayName"));
    let name = name.and_then(Json::as_str).unwrap_or_default();
    let blocked = if text("status") == "blocked" {
        ", blocked"
    } else {
        ""
    };
    let note = format!("{name}, mails in {}{blocked}", text("locale"));
    DemoUser {
        email: text("email").to_owned(),
        note,
    }
}

async fn read(path: &Path) -> Result<String, UsersError> {
    tokio::fs::read_to_string(path)
        .await
        .map_err(|problem| UsersError::File {
            file: path.display().to_string(),
            problem,
        })
}
