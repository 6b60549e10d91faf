//! The settings: read from the environment once, at start. A setting that makes no sense stops the start.
//!
//! This file has the rules of the engine, and the settings of single functions. `limits`, `mail` and `page` have the
//! others. `source` reads single values, `forms` checks how names, senders, origins and page settings are written, and
//! `error` has the messages.

mod error;
mod forms;
mod limits;
mod mail;
mod page;
mod source;

use tracing::level_filters::LevelFilter;
use zeroize::Zeroizing;

use crate::api::Protocol;
use crate::code::CodeLength;
use crate::edge::Edge;
use crate::ids::UserIdFormat;
use crate::locale::Locale;
use crate::users::RecoverableStatuses;

pub use error::SettingsError;
pub use forms::check_origin;
pub use limits::{Limits, Share};
pub use mail::{Branding, MailSettings, ServiceKind};
pub use page::PageSettings;
pub(crate) use source::env;

use forms::{LONGEST_EVENT_BUS, LONGEST_FUNCTION, is_event_bus, is_function, is_service_name};
use source::Source;

/// The rules of the engine that an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `CODE_LENGTH`, 4 to 10 digits.
    pub code_length: CodeLength,
    /// The limits of sessions and guesses, and the throttles.
    pub limits: Limits,
    /// `PASSWORD_MIN_LENGTH`, 8 to 64 code points (NIST SP 800-63B-4 asks 8 where there is a second
    /// factor and 15 where there is none).
    pub password_min_length: usize,
    /// `USER_ID_FORMAT`, `objectid` or `uuid`.
    pub user_id_format: UserIdFormat,
    /// `DIRECTORY_USER_ID`, `user` or `alias`.
    pub directory_user_id: DirectoryUserId,
    /// `DIRECTORY_SESSION`, `required` or `latest`.
    pub directory_session: DirectorySession,
    /// The languages for callers who ask for none that there is.
    pub languages: Languages,
    /// `RECOVERABLE_STATUSES`, with commas. The default is `active`.
    pub recoverable_statuses: RecoverableStatuses,
    /// `SERVICE_NAME`, the name of the service in mails and in the password policy.
    pub service_name: String,
    /// The cost of a password hash.
    pub argon2: Argon2Cost,
    /// The function that has the users. None if they are in the table.
    pub user_store: Option<UserStoreSettings>,
}

/// The function that has the users, if they live elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserStoreSettings {
    /// `USER_STORE_FUNCTION`, its name or ARN.
    pub function: String,
    /// `USER_STORE_PASSWORD`, the form in which it is given passwords.
    pub password: PasswordForm,
}

/// The form in which a user store function is given passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordForm {
    /// `hash`: hashed, as a PHC string.
    Hash,
    /// `plain`: in clear, for a store that hashes by itself.
    Plain,
}

/// The user id that `users/resend` answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryUserId {
    /// The id of the address's user, or a decoy if nobody has the address. Decoys look like the ids that Regain makes.
    /// Ids that were made elsewhere may look different.
    User,
    /// The address's alias, whether or not anybody has the address.
    Alias,
}

/// How `users/setPassword` treats a call without `session`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectorySession {
    /// It refuses the call.
    Required,
    /// It takes the newest session that was answered with the call's user id.
    Latest,
}

/// The language of messages and mails if neither the caller nor the user has chosen one that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Languages {
    /// `DIRECTORY_LANGUAGE`: that of the Directory API.
    pub directory: Locale,
    /// `AUTH_V1_LANGUAGE`: that of auth/v1.
    pub auth_v1: Locale,
}

impl Languages {
    /// The language of a protocol.
    #[must_use]
    pub const fn of(self, protocol: Protocol) -> Locale {
        match protocol {
            Protocol::Directory => self.directory,
            Protocol::AuthV1 => self.auth_v1,
        }
    }
}

/// The cost of a password hash: Argon2id parameters, at least the OWASP Password Storage Cheat
/// Sheet's m=19456 KiB, t=2, p=1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Cost {
    /// `ARGON2_MEMORY_KIB`: memory in KiB, at least 19456.
    pub memory_kib: u32,
    /// `ARGON2_ITERATIONS`: passes, at least 2.
    pub iterations: u32,
    /// `ARGON2_PARALLELISM`: lanes, at least 1.
    pub parallelism: u32,
}

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that is not a number, is out of range, or makes guessing too easy.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name through `get`. An empty setting counts as not set.
    ///
    /// # Errors
    /// As [`Settings::from_env`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let source = Source(get);
        let digits: u8 = source.number("CODE_LENGTH", 6, 4, 10)?;
        let code_length = CodeLength::new(digits).ok_or(SettingsError::OutOfRange {
            name: "CODE_LENGTH",
            value: digits.into(),
            min: 4,
            max: 10,
        })?;
        let limits = Limits {
            code_ttl: source.seconds("CODE_TTL_SECONDS", 600, 1, 3600)?,
            session_ttl: source.seconds("SESSION_TTL_SECONDS", 1800, 1, 86_400)?,
            session_guesses: source.number("CODE_MAX_ATTEMPTS", 5, 1, 20)?,
            daily_guesses: source.number("ACCOUNT_GUESSES_PER_DAY", 30, 1, 1000)?,
            cooldown: source.seconds("RESEND_COOLDOWN_SECONDS", 60, 0, 3600)?,
            address_per_hour: source.throttle("EMAIL_REQUESTS_PER_HOUR", 5)?,
            address_per_day: source.throttle("EMAIL_REQUESTS_PER_DAY", 20)?,
            caller_per_hour: source.throttle("IP_REQUESTS_PER_HOUR", 100)?,
            known_network: source.days("KNOWN_NETWORK_DAYS", 90, 365)?,
        };
        check_guesses(code_length, limits.daily_guesses)?;
        let user_id_format = source.either(
            "USER_ID_FORMAT",
            "objectid, uuid",
            [UserIdFormat::ObjectId, UserIdFormat::Uuid],
        )?;
        let directory_user_id = source.either(
            "DIRECTORY_USER_ID",
            "user, alias",
            [DirectoryUserId::User, DirectoryUserId::Alias],
        )?;
        let directory_session = source.either(
            "DIRECTORY_SESSION",
            "required, latest",
            [DirectorySession::Required, DirectorySession::Latest],
        )?;
        let service_name = source
            .text("SERVICE_NAME")
            .unwrap_or_else(|| "Regain".to_owned());
        if !is_service_name(&service_name) {
            return Err(SettingsError::NoServiceName {
                value: service_name,
            });
        }
        let recoverable_statuses = match source.text("RECOVERABLE_STATUSES") {
            None => RecoverableStatuses::default(),
            Some(value) => {
                RecoverableStatuses::parse(&value).ok_or(SettingsError::NoStatuses { value })?
            }
        };
        source.log_level()?;
        Ok(Self {
            code_length,
            limits,
            password_min_length: source.number("PASSWORD_MIN_LENGTH", 8, 8, 64)?,
            user_id_format,
            directory_user_id,
            directory_session,
            languages: Languages {
                directory: source.language("DIRECTORY_LANGUAGE", Locale::En)?,
                auth_v1: source.language("AUTH_V1_LANGUAGE", Locale::Id)?,
            },
            recoverable_statuses,
            service_name,
            argon2: Argon2Cost {
                memory_kib: source.number("ARGON2_MEMORY_KIB", 19_456, 19_456, 1_048_576)?,
                iterations: source.number("ARGON2_ITERATIONS", 2, 2, 64)?,
                parallelism: source.number("ARGON2_PARALLELISM", 1, 1, 16)?,
            },
            user_store: user_store(&source)?,
        })
    }
}

/// `USER_STORE_FUNCTION` and `USER_STORE_PASSWORD`.
fn user_store(source: &Source<'_>) -> Result<Option<UserStoreSettings>, SettingsError> {
    let password = match source.text("USER_STORE_PASSWORD").as_deref() {
        None | Some("hash") => PasswordForm::Hash,
        Some("plain") => PasswordForm::Plain,
        Some(other) => {
            return Err(SettingsError::NoChoice {
                name: "USER_STORE_PASSWORD",
                value: other.to_owned(),
                allowed: "hash, plain",
            });
        }
    };
    match source.text("USER_STORE_FUNCTION") {
        None => Ok(None),
        Some(none) if none == "none" => Ok(None),
        Some(value) if !is_function(&value) => Err(SettingsError::NoFunction {
            value,
            max: LONGEST_FUNCTION,
        }),
        Some(function) => Ok(Some(UserStoreSettings { function, password })),
    }
}

/// The names of the stack's parts. The template sets them, not an operator.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `STACK_NAME`: the stack, for the metrics.
    pub stack: Option<String>,
    /// `TABLE_NAME`: the table.
    pub table: String,
}

impl Deployment {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first name that is missing.
    pub fn from_env() -> Result<Self, SettingsError> {
        let source = Source(&env);
        Ok(Self {
            stack: stack_name(),
            table: source.required("TABLE_NAME")?,
        })
    }
}

/// `STACK_NAME`: the stack that a function belongs to, if it is set.
#[must_use]
pub fn stack_name() -> Option<String> {
    Source(&env).text("STACK_NAME")
}

/// The names of the secrets a function may read.
#[derive(Clone, Debug)]
pub struct SecretNames {
    /// `INDEX_KEY_SECRET`: the index key's secret.
    pub index_key: String,
    /// `CODE_KEY_SECRET`: the code key's secret, for the functions that derive codes.
    pub code_key: Option<String>,
}

impl SecretNames {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first name that is missing.
    pub fn from_env() -> Result<Self, SettingsError> {
        let source = Source(&env);
        Ok(Self {
            index_key: source.required("INDEX_KEY_SECRET")?,
            code_key: source.text("CODE_KEY_SECRET"),
        })
    }
}

/// `EDGE_SECRET` and `EDGE_ONLY`: the edge in front of the API, if there is one.
///
/// # Errors
/// When the secret is too short or holds other than visible characters, or when only the edge may call and has
/// no secret.
pub fn edge() -> Result<Edge, SettingsError> {
    read_edge(&env)
}

/// Reads the settings of [`edge`] by name through `get`.
///
/// # Errors
/// As [`edge`].
pub fn read_edge(get: &dyn Fn(&str) -> Option<String>) -> Result<Edge, SettingsError> {
    let source = Source(get);
    let is_only_way = source.flag("EDGE_ONLY")?;
    match source.text("EDGE_SECRET").map(Zeroizing::new) {
        Some(secrets) => Edge::new(&secrets, is_only_way).ok_or(SettingsError::NoEdgeSecret),
        None if is_only_way => Err(SettingsError::NoWay),
        None => Ok(Edge::default()),
    }
}

/// `EVENT_BUS`: the event bus that receives an event for each password that was set, the account's default bus unless
/// set. `None` if it is `none`: no events are published.
///
/// # Errors
/// When it is neither the name nor the ARN of a bus.
pub fn event_bus() -> Result<Option<String>, SettingsError> {
    read_event_bus(&env)
}

/// Reads the setting of [`event_bus`] through `get`.
///
/// # Errors
/// As [`event_bus`].
pub fn read_event_bus(
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, SettingsError> {
    match Source(get).text("EVENT_BUS") {
        None => Ok(Some("default".to_owned())),
        Some(bus) if bus == "none" => Ok(None),
        Some(bus) if is_event_bus(&bus) => Ok(Some(bus)),
        Some(value) => Err(SettingsError::NoEventBus {
            value,
            max: LONGEST_EVENT_BUS,
        }),
    }
}

/// `LOG_LEVEL`: how much Regain's own code logs. The default is `info`.
///
/// # Errors
/// When it is not a level.
pub fn log_level() -> Result<LevelFilter, SettingsError> {
    Source(&env).log_level()
}

/// Checks that the guesses a day for one address are at most a thousandth of all codes.
fn check_guesses(length: CodeLength, guesses: u32) -> Result<(), SettingsError> {
    let enough = |length: CodeLength| u64::from(guesses) * 1000 <= length.codes();
    if enough(length) {
        return Ok(());
    }
    let mut longer = (4..=10).filter_map(CodeLength::new);
    let least = longer.find(|&it| enough(it)).unwrap_or(length);
    Err(SettingsError::Guessable {
        guesses,
        digits: length.digits(),
        most_guesses: length.codes() / 1000,
        least_digits: least.digits(),
    })
}

#[cfg(test)]
mod tests;
