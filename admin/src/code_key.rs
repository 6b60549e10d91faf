//! `regain code-key rotate`.

use std::process::ExitCode;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use aws_sdk_secretsmanager::types::SecretVersionsListEntry;
use data_encoding::HEXLOWER;
use rand::RngExt as _;
use rand::distr::Alphanumeric;
use regain::ambient;
use regain::secrets::KNOWN_TO_ALL_AFTER;
use regain::timestamp::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::connection::Connection;
use crate::failure::{Failure, Trouble};
use crate::say;
use crate::stack::Stack;

/// The length of a key. The template generates keys of the same form, letters and digits.
const LENGTH: usize = 64;
/// The longest lifetime of a session that any setting allows.
const LONGEST_SESSION: Duration = Duration::from_hours(24);
/// How often the versions are read until the new one is current, and the pause between two reads.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// Puts a new code key into use, unless the previous key is still needed.
pub(crate) async fn rotate(
    connection: &Connection,
    stack: &Stack,
    dry_run: bool,
) -> Result<ExitCode, Failure> {
    let id = stack.code_key.as_deref().ok_or(Failure::Usage(
        "which code key? give --stack NAME, or --local for that of `cargo run`",
    ))?;
    let secret = Secret {
        client: connection.secrets(),
        id,
    };
    let session = if stack.has_own_settings {
        stack.settings.limits.session_ttl
    } else {
        LONGEST_SESSION
    };
    let apart = session + KNOWN_TO_ALL_AFTER;
    let before = secret.versions().await?;
    let rotated_at = before.rotated_at();
    if let Some(at) = rotated_at
        && ambient::now() < at.plus(apart)
    {
        return Err(Failure::TooSoon {
            rotated: say::minute(at),
            again: from(at.plus(apart)),
        });
    }
    if dry_run {
        let history = rotated_at.map_or("was never rotated".to_owned(), |at| {
            format!("was last rotated at {}", say::minute(at))
        });
        say::line(format!(
            "the code key {history} and may be rotated now; nothing was changed"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let version = secret.put_after(&before.current).await?;
    let after = secret.in_force(&version, &before.current).await?;
    let at = after.current.created_at;
    let history = rotated_at.map_or("for the first time".to_owned(), |at| {
        format!("the time before was {}", say::minute(at))
    });
    say::line(format!("rotated the code key ({history})"));
    say::line("codes that were mailed before stay good until they expire");
    say::line(format!(
        "mail is written with the new key from {} on",
        from(at.plus(KNOWN_TO_ALL_AFTER))
    ));
    say::line(format!(
        "it may be rotated again at {}",
        from(at.plus(apart))
    ));
    Ok(ExitCode::SUCCESS)
}

/// Rounds a time up to a full minute.
fn from(at: Timestamp) -> String {
    say::minute(at.plus(Duration::from_millis(59_999)))
}

/// The secret of the code key. The value is written and never read.
struct Secret<'a> {
    client: Client,
    id: &'a str,
}

/// The versions that codes are verified with.
struct Versions {
    current: Version,
    previous: Option<Version>,
}

#[derive(PartialEq, Eq)]
struct Version {
    id: String,
    created_at: Timestamp,
}

impl Versions {
    /// When the key was last rotated. If the versions were swapped by hand, the newer one counts.
    fn rotated_at(&self) -> Option<Timestamp> {
        let previous = self.previous.as_ref()?;
        Some(self.current.created_at.max(previous.created_at))
    }
}

impl Secret<'_> {
    fn name(&self) -> String {
        format!("the secret {}", self.id)
    }

    /// The current versions. Only versions with a label are listed, so one page has them all.
    async fn versions(&self) -> Result<Versions, Failure> {
        let asked = self
            .client
            .list_secret_version_ids()
            .secret_id(self.id)
            .max_results(100)
            .send()
            .await;
        let listed = asked.map_err(|error| Trouble::of(self.name(), &error))?;
        let labelled = |label: &str| {
            let mut all = listed.versions().iter();
            all.find(|version| version.version_stages().iter().any(|it| it == label))
                .and_then(version)
        };
        Ok(Versions {
            current: labelled("AWSCURRENT").ok_or_else(|| Failure::Versions {
                secret: self.name(),
                problem: "has no current version",
            })?,
            previous: labelled("AWSPREVIOUS"),
        })
    }

    /// Puts a new key, and returns its version.
    ///
    /// The id of the new version is derived from the current version's id. So a retried put makes only one
    /// version, and if two people rotate at the same time, one of them is refused.
    async fn put_after(&self, current: &Version) -> Result<String, Failure> {
        let id = HEXLOWER.encode(&Sha256::digest(format!("after {}", current.id)));
        let rng = ambient::rng().map_err(|_| Failure::NoRandomness)?;
        let key: String = rng
            .sample_iter(Alphanumeric)
            .take(LENGTH)
            .map(char::from)
            .collect();
        let put = self
            .client
            .put_secret_value()
            .secret_id(self.id)
            .client_request_token(&id)
            .secret_string(key)
            .send()
            .await;
        match put {
            Ok(_) => Ok(id),
            Err(error) if error.code() == Some("ResourceExistsException") => Err(Failure::Rotated),
            Err(error) => Err(Trouble::of(self.name(), &error).into()),
        }
    }

    /// Waits until the new version is current and the old one is previous, and returns both.
    async fn in_force(&self, new: &str, old: &Version) -> Result<Versions, Failure> {
        for _ in 0..LOOKS {
            let found = self.versions().await?;
            if found.current.id == new && found.previous.as_ref() == Some(old) {
                return Ok(found);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(Failure::Versions {
            secret: self.name(),
            problem: "was given a new version, but that is not the current one, or not after the one \
                      that was current before",
        })
    }
}

fn version(listed: &SecretVersionsListEntry) -> Option<Version> {
    let millis = listed.created_date()?.to_millis().ok()?;
    Some(Version {
        id: listed.version_id()?.to_owned(),
        created_at: Timestamp::from_millis(millis),
    })
}
