//! The settings, from the environment.

use std::error::Error;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use user_store::ambient::{SettingError, required, setting};

use crate::hashing::{Bcrypt, Hashing, Prefix};

/// The settings of the adapter.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `DATABASE_URL`: the server and the database, and where there is no secret also the user.
    pub(crate) database: Config,
    /// `DATABASE_SECRET_ARN`: a secret with user and password.
    pub(crate) secret: Option<String>,
    /// `DATABASE_TLS` is `off`, which only a database on this machine may be.
    pub(crate) plain: bool,
    /// `DATABASE_ROOTS`: the roots of the server's certificate as PEM, or a file of them. Those of the
    /// system unless set.
    pub(crate) roots: Option<String>,
    /// `FIND_SQL`, `SET_SQL`, `EMAIL_PROVEN_SQL` and `KEYS_TABLE`.
    pub(crate) statements: Statements,
    /// `PASSWORD_HASH`, `BCRYPT_COST` and `BCRYPT_PREFIX`.
    pub(crate) hashing: Hashing,
}

/// The statements that the adapter runs.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) find: String,
    pub(crate) set: String,
    pub(crate) email_proven: Option<String>,
    pub(crate) add_key: String,
    pub(crate) forget_keys: String,
}

impl Settings {
    /// Reads the settings.
    pub(crate) fn read() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut database: Config = required("DATABASE_URL")?.parse().map_err(|_| {
            SettingError::Wrong("DATABASE_URL", "a postgres:// URL without sslmode")
        })?;
        let plain = match setting("DATABASE_TLS").as_deref() {
            None | Some("verify-full") => false,
            Some("off") if database.get_hosts().iter().all(is_here) => true,
            Some("off") => {
                return Err(SettingError::Wrong(
                    "DATABASE_TLS",
                    "verify-full, unless the database is on this machine",
                )
                .into());
            }
            Some(_) => return Err(SettingError::Wrong("DATABASE_TLS", "verify-full or off").into()),
        };
        database.ssl_mode(if plain {
            SslMode::Disable
        } else {
            SslMode::Require
        });
        Ok(Self {
            database,
            secret: setting("DATABASE_SECRET_ARN"),
            plain,
            roots: setting("DATABASE_ROOTS"),
            statements: Statements::read()?,
            hashing: hashing(
                setting("PASSWORD_HASH").as_deref(),
                setting("BCRYPT_COST").as_deref(),
                setting("BCRYPT_PREFIX").as_deref(),
            )?,
        })
    }
}

impl Statements {
    fn read() -> Result<Self, SettingError> {
        let keys = setting("KEYS_TABLE").unwrap_or_else(|| "regain_keys".to_owned());
        if !is_table(&keys) {
            return Err(SettingError::Wrong(
                "KEYS_TABLE",
                "the name of a table, with or without its schema",
            ));
        }
        let find = required("FIND_SQL")?;
        let find = find.trim_end().trim_end_matches(';');
        Ok(Self {
            // As JSON, so that columns may be of any type. A second row makes the address ambiguous.
            find: format!("SELECT to_jsonb(found)::text FROM ({find}) AS found LIMIT 2"),
            set: required("SET_SQL")?,
            email_proven: setting("EMAIL_PROVEN_SQL"),
            add_key: format!("INSERT INTO {keys} (key) VALUES ($1) ON CONFLICT DO NOTHING"),
            // A few of those that are older than a day. No two transactions wait for each other.
            forget_keys: format!(
                "DELETE FROM {keys} WHERE key IN (SELECT key FROM {keys} \
                 WHERE at < now() - interval '1 day' LIMIT 10 FOR UPDATE SKIP LOCKED)"
            ),
        })
    }
}

/// Whether nothing leaves the machine on the way to this host.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|it| it.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Whether this is `table` or `schema.table`, in letters that need no quotation marks.
fn is_table(name: &str) -> bool {
    let is_word = |word: &str| {
        let letter = |it: char| it.is_ascii_lowercase() || it == '_';
        word.starts_with(letter) && word.chars().all(|it| letter(it) || it.is_ascii_digit())
    };
    name.split('.').count() <= 2 && name.split('.').all(is_word)
}

fn hashing(
    form: Option<&str>,
    cost: Option<&str>,
    prefix: Option<&str>,
) -> Result<Hashing, SettingError> {
    match form {
        None | Some("argon2id") => return Ok(Hashing::Argon2id),
        Some("bcrypt") => {}
        Some(_) => return Err(SettingError::Wrong("PASSWORD_HASH", "argon2id or bcrypt")),
    }
    // OWASP asks for 10 or more. At 14, a hash takes about a second.
    let cost = cost
        .unwrap_or("12")
        .parse()
        .ok()
        .filter(|cost| (10..=14).contains(cost));
    let cost = cost.ok_or(SettingError::Wrong("BCRYPT_COST", "10 to 14"))?;
    let prefix = match prefix {
        Some("2a") => Prefix::A,
        None | Some("2b") => Prefix::B,
        Some("2y") => Prefix::Y,
        Some(_) => return Err(SettingError::Wrong("BCRYPT_PREFIX", "2a, 2b or 2y")),
    };
    Ok(Hashing::Bcrypt(Bcrypt { cost, prefix }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_one_or_two_plain_names() {
        for (name, taken) in [
            ("regain_keys", true),
            ("auth.regain_keys2", true),
            ("a.b.c", false),
            ("keys; DROP TABLE users", false),
            ("Keys", false),
            ("2keys", false),
            ("auth.", false),
        ] {
            assert_eq!(is_table(name), taken, "{name}");
        }
    }

    #[test]
    fn only_a_database_on_this_machine_is_spoken_to_without_tls() {
        for (url, here) in [
            ("postgres://u@localhost/d", true),
            ("postgres://u@127.0.0.1:5432/d", true),
            ("postgres://u@%2Frun%2Fpostgresql/d", true),
            ("postgres://u@db.example.com/d", false),
            ("postgres://u@localhost.example.com/d", false),
            ("postgres://u@10.0.0.1/d", false),
        ] {
            let config: Config = url.parse().unwrap();
            assert_eq!(config.get_hosts().iter().all(is_here), here, "{url}");
        }
    }

    #[test]
    fn a_hash_form_that_makes_no_sense_stops_the_start() {
        for (form, cost, prefix, taken) in [
            (None, None, None, true),
            (Some("argon2id"), None, None, true),
            (Some("bcrypt"), None, None, true),
            (Some("bcrypt"), Some("10"), Some("2y"), true),
            (Some("bcrypt"), Some("9"), None, false),
            (Some("bcrypt"), Some("15"), None, false),
            (Some("bcrypt"), None, Some("2x"), false),
            (Some("md5"), None, None, false),
        ] {
            assert_eq!(
                hashing(form, cost, prefix).is_ok(),
                taken,
                "{form:?} {cost:?} {prefix:?}"
            );
        }
    }
}
