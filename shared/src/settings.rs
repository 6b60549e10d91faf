//! The settings: read from the environment once, at start. A setting that makes no sense stops the start.
//!
//! `source` reads single values, `forms` knows how names, senders, origins and page settings are written, and `error`
//! words what is wrong.

mod error;
mod forms;
mod source;

use std::time::Duration;

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
pub(crate) use source::env;

use forms::{
    LONGEST_ANCESTORS, LONGEST_EVENT_BUS, LONGEST_FUNCTION, LONGEST_IN_MAIL, LONGEST_PAGE_URL,
    LONGEST_REPLY_TO, LONGEST_SENDER, LONGEST_SENDER_NAME, LONGEST_URL, are_ancestors, is_contact,
    is_event_bus, is_function, is_page_url, is_picture, is_reply_to, is_sender, is_sender_name,
    is_service_name, is_url, is_url_in_mail,
};
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
    /// The id of the address's user, or a decoy if nobody has the address. Decoys cannot be told from ids that are
    /// made here, but from some that are made elsewhere.
    User,
    /// The address's alias, whether or not anybody has the address.
    Alias,
}

/// What `users/setPassword` does with a call that names no session.
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

/// The limits of sessions and guesses, and the throttles.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `CODE_TTL_SECONDS`: how long a code is good.
    pub code_ttl: Duration,
    /// `SESSION_TTL_SECONDS`: how long a session lives from its start.
    pub session_ttl: Duration,
    /// `CODE_MAX_ATTEMPTS`: wrong guesses a session survives.
    pub session_guesses: u32,
    /// `ACCOUNT_GUESSES_PER_DAY`: wrong guesses an address survives in a UTC day.
    pub daily_guesses: u32,
    /// `RESEND_COOLDOWN_SECONDS`: the shortest time between two codes for one address. Zero is no limit.
    pub cooldown: Duration,
    /// `EMAIL_REQUESTS_PER_HOUR`: codes for one address in a UTC clock hour. `None` is no limit.
    pub address_per_hour: Option<u32>,
    /// `EMAIL_REQUESTS_PER_DAY`: codes for one address in a UTC day. `None` is no limit.
    pub address_per_day: Option<u32>,
    /// `IP_REQUESTS_PER_HOUR`: codes for one caller in a UTC clock hour. `None` is no limit.
    pub caller_per_hour: Option<u32>,
    /// `KNOWN_NETWORK_DAYS`: for how long a network that proved an address is known to it. Zero keeps nothing
    /// back for known networks.
    pub known_network: Duration,
}

/// How much of an address's limits a caller may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// What every network may use.
    Strangers,
    /// All of it, which only a network may use that proved the address.
    Whole,
}

impl Limits {
    /// Whether anything is kept back for known networks. Without, no network is remembered.
    #[must_use]
    pub const fn keeps_reserve(&self) -> bool {
        !self.known_network.is_zero()
    }

    /// The guesses of an address in a UTC day.
    #[must_use]
    pub const fn guesses_a_day(&self, share: Share) -> u32 {
        self.part(self.daily_guesses, share)
    }

    /// The codes of an address in a UTC clock hour. `None` is no limit.
    #[must_use]
    pub fn codes_an_hour(&self, share: Share) -> Option<u32> {
        self.address_per_hour.map(|all| self.part(all, share))
    }

    /// The codes of an address in a UTC day. `None` is no limit.
    #[must_use]
    pub fn codes_a_day(&self, share: Share) -> Option<u32> {
        self.address_per_day.map(|all| self.part(all, share))
    }

    /// A third, rounded down, is kept for known networks.
    const fn part(&self, all: u32, share: Share) -> u32 {
        match share {
            Share::Strangers if self.keeps_reserve() => all - all / 3,
            Share::Strangers | Share::Whole => all,
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

/// `EVENT_BUS`: the event bus that is told of each password that was set, the account's default bus unless set.
/// `None` if it is `none`: nobody is told.
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

/// The settings that only `deliver-mail` needs.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// `MAIL_FROM`: the sender's address.
    pub from: String,
    /// `MAIL_FROM_NAME`: the sender's name, which mail programs show in place of the address; none if not set.
    pub from_name: Option<String>,
    /// `MAIL_REPLY_TO`: where answers go; to the sender if not set.
    pub reply_to: Option<String>,
    /// `MAIL_TEMPLATE_PREFIX`: the prefix of the names of the stack's SES templates.
    pub template_prefix: String,
    /// `MAIL_CONFIGURATION_SET`: the SES configuration set, if any.
    pub configuration_set: Option<String>,
    /// `RECOVERY_PAGE_URL`: the page that mails with a code link to. If it is not set, that is the stack's own
    /// (`STACK_PAGE_URL`, which the template sets). None if it is `none`.
    pub recovery_page: Option<String>,
    /// `MAIL_BATCH_MILLISECONDS`: how long a mail request takes, whether or not anybody has its address. It has
    /// to be longer than SES takes to accept a mail. Zero is as long as it takes.
    pub batch: Duration,
}

impl MailSettings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first name that is missing, or a sender that is not a plain address.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name through `get`. An empty setting counts as not set.
    ///
    /// # Errors
    /// As [`MailSettings::from_env`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let source = Source(get);
        let from = source.required("MAIL_FROM")?;
        if !is_sender(&from) {
            return Err(SettingsError::NoSender {
                value: from,
                max: LONGEST_SENDER,
            });
        }
        let recovery_page = match source.text("RECOVERY_PAGE_URL") {
            // The stack knows where its own page is, however long that address is.
            None => source.text("STACK_PAGE_URL"),
            Some(url) if url == "none" => None,
            Some(value) if !is_page_url(&value) => {
                return Err(SettingsError::NoPageUrl {
                    value,
                    max: LONGEST_PAGE_URL,
                });
            }
            other => other,
        };
        let from_name = source.text("MAIL_FROM_NAME");
        if let Some(value) = from_name.clone().filter(|it| !is_sender_name(it)) {
            return Err(SettingsError::NoSenderName {
                value,
                max: LONGEST_SENDER_NAME,
            });
        }
        Ok(Self {
            from,
            from_name,
            reply_to: reply_to(&source)?,
            template_prefix: source.required("MAIL_TEMPLATE_PREFIX")?,
            configuration_set: source.text("MAIL_CONFIGURATION_SET"),
            recovery_page,
            batch: Duration::from_millis(source.number(
                "MAIL_BATCH_MILLISECONDS",
                400,
                0,
                10_000,
            )?),
        })
    }
}

/// `MAIL_REPLY_TO`.
fn reply_to(source: &Source<'_>) -> Result<Option<String>, SettingsError> {
    match source.text("MAIL_REPLY_TO") {
        Some(value) if !is_reply_to(&value) => Err(SettingsError::NoReplyTo {
            value,
            max: LONGEST_REPLY_TO,
        }),
        value => Ok(value),
    }
}

/// The settings that only `recovery-page` needs.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// `SIGN_IN_URL`: where a person signs in afterwards, if the page is to link there.
    pub sign_in_url: Option<String>,
    /// `BRAND_COLOR`: the page's one color, as `#rrggbb`.
    pub brand_color: String,
    /// `FRAME_ANCESTORS`: the origins whose pages may frame the page, with blanks between them; none if not set.
    pub frame_ancestors: Option<String>,
}

impl PageSettings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that is not what its name says.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name through `get`. An empty setting counts as not set.
    ///
    /// # Errors
    /// As [`PageSettings::from_env`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let source = Source(get);
        let sign_in_url = source.text("SIGN_IN_URL");
        if let Some(value) = sign_in_url.clone().filter(|it| !is_url(it)) {
            return Err(SettingsError::NoUrl {
                value,
                max: LONGEST_URL,
            });
        }
        let brand_color = source.color()?;
        let frame_ancestors = source.text("FRAME_ANCESTORS");
        if let Some(value) = frame_ancestors.clone().filter(|it| !are_ancestors(it)) {
            return Err(SettingsError::NoAncestors {
                value,
                max: LONGEST_ANCESTORS,
            });
        }
        Ok(Self {
            sign_in_url,
            brand_color,
            frame_ancestors,
        })
    }
}

/// How the mails look. The stack writes these settings into its SES templates, so no function knows them: `cargo run` and
/// the operator's command read them here.
#[derive(Clone, Debug)]
pub struct Branding {
    /// `SERVICE_KIND`: what the texts call the service.
    pub kind: ServiceKind,
    /// `BRAND_COLOR`: the color of borders, as `#rrggbb`.
    pub color: String,
    /// `LOGO_URL`: the picture in place of the service's name.
    pub logo_url: Option<String>,
    /// `PRODUCT_URL`: where the service's name links to.
    pub product_url: Option<String>,
    /// `SUPPORT_CONTACT`: where people find help, an address or the address of a page.
    pub support_contact: Option<String>,
    /// Whether `MAIL_REPLY_TO` is set: then somebody reads what people answer.
    pub reads_replies: bool,
}

/// What the texts call the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// An app.
    App,
    /// A website.
    Website,
}

impl Branding {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that is not what its name says.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name through `get`. An empty setting counts as not set.
    ///
    /// # Errors
    /// As [`Branding::from_env`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let source = Source(get);
        let kind = match source.text("SERVICE_KIND").as_deref() {
            None | Some("app") => ServiceKind::App,
            Some("website") => ServiceKind::Website,
            Some(other) => {
                return Err(SettingsError::NoChoice {
                    name: "SERVICE_KIND",
                    value: other.to_owned(),
                    allowed: "app, website",
                });
            }
        };
        let logo_url = source.text("LOGO_URL");
        if let Some(value) = logo_url.clone().filter(|it| !is_picture(it)) {
            let max = LONGEST_IN_MAIL;
            return Err(SettingsError::NoPicture { value, max });
        }
        let in_mail = |name, form, is_valid: fn(&str) -> bool| match source.text(name) {
            Some(value) if !is_valid(&value) => Err(SettingsError::NotForMails {
                name,
                value,
                form,
                max: LONGEST_IN_MAIL,
            }),
            value => Ok(value),
        };
        Ok(Self {
            kind,
            color: source.color()?,
            logo_url,
            product_url: in_mail(
                "PRODUCT_URL",
                "an address such as https://example.com",
                is_url_in_mail,
            )?,
            support_contact: in_mail(
                "SUPPORT_CONTACT",
                "an address such as help@example.com or https://example.com/help",
                is_contact,
            )?,
            reads_replies: reply_to(&source)?.is_some(),
        })
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
