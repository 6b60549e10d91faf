//! The stand-in for Secrets Manager that `cargo run` has, with versions of any age.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use local::random::Random;
use local::secrets::SecretStore;
use local::template::Secret;
use regain::ambient;
use regain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Kit, listen};

/// A version of a secret, as the stand-in's file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) created_at: Timestamp,
    pub(crate) stages: Vec<String>,
}

impl Kit {
    /// Keeps a code key whose current version is so many minutes old, and the previous one a day
    /// older, if it was rotated at all.
    pub(crate) async fn keep_code_key(&self, minutes: u64, rotated: bool) {
        let created_at = ambient::now().minus(Duration::from_mins(minutes));
        let version = |stage: &str, created_at| Version {
            id: format!("{stage:0>32}"),
            text: format!("a {stage} key"),
            created_at,
            stages: vec![stage.to_owned()],
        };
        let previous = version("AWSPREVIOUS", created_at.minus(Duration::from_hours(24)));
        let mut versions = vec![version("AWSCURRENT", created_at)];
        versions.extend(rotated.then_some(previous));
        let secrets = BTreeMap::from([
            ("CodeKey", versions),
            ("IndexKey", vec![version("AWSCURRENT", created_at)]),
        ]);
        let file = self.secrets_file();
        std::fs::write(&file, serde_json::to_vec(&secrets).unwrap()).unwrap();
        let declared = ["CodeKey", "IndexKey"].map(|name| Secret {
            id: name.to_owned(),
            name: name.to_owned(),
            length: 64,
        });
        let random = Random::new().unwrap();
        let store = SecretStore::open(&declared, &BTreeMap::new(), Some(file), random).unwrap();
        let (listener, url) = listen().await;
        tokio::spawn(async move { axum::serve(listener, store.into_router()).await });
        self.aws.keeps_secrets_at(url);
    }

    /// The versions of a secret, oldest first.
    pub(crate) fn versions(&self, secret: &str) -> Vec<Version> {
        let file = std::fs::read(self.secrets_file()).unwrap();
        let mut secrets: BTreeMap<String, Vec<Version>> = serde_json::from_slice(&file).unwrap();
        let mut versions = secrets.remove(secret).unwrap();
        versions.sort_by_key(|version| version.created_at);
        versions
    }

    fn secrets_file(&self) -> PathBuf {
        self.folder.path().join("secrets.json")
    }
}
