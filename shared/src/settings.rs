//! The settings, read from the environment once at start and refused there if they make no sense.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;
use tracing::level_filters::LevelFilter;

use crate::code::CodeLength;
use crate::ids::UserIdFormat;
use crate::locale::Locale;
use crate::session::Protocol;
use crate::users::RecoverableStatuses;

/// The longest name that mails can call the service by, in characters.
const LONGEST_SERVICE_NAME: usize = 64;
/// The longest sender. SES takes 254 characters; the template has to fit it into 256 with other settings.
const LONGEST_SENDER: usize = 100;

/// The longest address of a page, and the longest list of those that may frame it: with other settings they have
/// to fit into 256 characters, too.
const LONGEST_URL: usize = 90;
const LONGEST_ANCESTORS: usize = 60;

/// A setting that stops the start. Its message names the setting and what it may be.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// Not a whole number.
    #[error("{name} must be a whole number from {min} to {max}, not {value:?}")]
    NoNumber {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// A number outside its range.
    #[error("{name} must be from {min} to {max}, not {value}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: u64,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// None of the allowed words.
    #[error("{name} must be one of {allowed}, not {value:?}")]
    NoChoice {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// The words it may be.
        allowed: &'static str,
    },
    /// A name that mails cannot carry.
    #[error(
        "SERVICE_NAME must be 1 to 64 characters on one line, without a blank at either end and \
         without four digits in a row, which could be taken for a code, not {value:?}"
    )]
    NoServiceName {
        /// What it was set to.
        value: String,
    },
    /// No list of statuses.
    #[error(
        "RECOVERABLE_STATUSES must be statuses with commas between them, of ASCII letters, digits, \
         spaces and _.:- and at most {max} characters in all, not {value:?}",
        max = RecoverableStatuses::MAX_LENGTH
    )]
    NoStatuses {
        /// What it was set to.
        value: String,
    },
    /// An address that SES cannot send from.
    #[error(
        "MAIL_FROM must be a plain address in ASCII such as no-reply@example.com, of at most {max} \
         characters and without a display name, not {value:?}"
    )]
    NoSender {
        /// What it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// An origin that no browser sends.
    #[error(
        "CORS_ORIGINS must list origins as browsers send them, such as https://app.example.com or \
         http://localhost:5173 (lower case, no path, no slash at the end, no default port), or be *, \
         https://* or http://*; {value:?} is none of these"
    )]
    NoOrigin {
        /// The entry of the list.
        value: String,
    },
    /// No address of a page.
    #[error(
        "SIGN_IN_URL must be an address such as https://app.example.com/sign-in, of at most {max} ASCII \
         characters without blanks, not {value:?}"
    )]
    NoUrl {
        /// What it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// No color.
    #[error("BRAND_COLOR must be # and six hexadecimal digits, such as #1d5b54, not {value:?}")]
    NoColor {
        /// What it was set to.
        value: String,
    },
    /// No list of pages that may frame the recovery page.
    #[error(
        "FRAME_ANCESTORS must be origins such as https://app.example.com, or 'self', with one blank \
         between them, of at most {max} characters in all, not {value:?}"
    )]
    NoAncestors {
        /// What it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// Not set, or empty, where there is no default.
    #[error("{name} is not set")]
    Missing {
        /// The setting.
        name: &'static str,
    },
    /// Guessing would be too easy.
    #[error(
        "ACCOUNT_GUESSES_PER_DAY ({guesses}) is too much for a CODE_LENGTH of {digits}, because it may \
         be at most a thousandth of the number of codes: set ACCOUNT_GUESSES_PER_DAY to at most \
         {most_guesses}, or CODE_LENGTH to at least {least_digits}"
    )]
    Guessable {
        /// Guesses a day.
        guesses: u32,
        /// The code's length.
        digits: usize,
        /// How many guesses a day codes of that length allow.
        most_guesses: u64,
        /// How long codes have to be for that many guesses.
        least_digits: usize,
    },
}

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
    /// The languages of callers who ask for none of ours.
    pub languages: Languages,
    /// `RECOVERABLE_STATUSES`, with commas; `active` where it is not set.
    pub recoverable_statuses: RecoverableStatuses,
    /// `SERVICE_NAME`, how mails and the password policy call the service.
    pub service_name: String,
    /// The cost of a password hash.
    pub argon2: Argon2Cost,
}

/// The language of messages and mails where neither the caller nor the user asked for one of ours.
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
    /// `RESEND_COOLDOWN_SECONDS`: least time between two codes for one address; zero is none.
    pub cooldown: Duration,
    /// `EMAIL_REQUESTS_PER_HOUR`: codes for one address in a UTC clock hour; `None` is no limit.
    pub address_per_hour: Option<u32>,
    /// `EMAIL_REQUESTS_PER_DAY`: codes for one address in a UTC day; `None` is no limit.
    pub address_per_day: Option<u32>,
    /// `IP_REQUESTS_PER_HOUR`: codes for one caller in a UTC clock hour; `None` is no limit.
    pub caller_per_hour: Option<u32>,
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
    /// The first setting that is no number, out of its range, or makes guessing too easy.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name from wherever `get` finds them; empty is not set.
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
        };
        check_guesses(code_length, limits.daily_guesses)?;
        let user_id_format = match source.text("USER_ID_FORMAT").as_deref() {
            None | Some("objectid") => UserIdFormat::ObjectId,
            Some("uuid") => UserIdFormat::Uuid,
            Some(other) => {
                return Err(SettingsError::NoChoice {
                    name: "USER_ID_FORMAT",
                    value: other.to_owned(),
                    allowed: "objectid, uuid",
                });
            }
        };
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
        })
    }
}

/// What the stack calls its parts: set by the template, not by an operator.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `STACK_NAME`: the stack, for its metrics.
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

/// `STACK_NAME`: the stack that a function belongs to, if it was told.
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

/// What `deliver-mail` needs besides.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// `MAIL_FROM`: the sender.
    pub from: String,
    /// `MAIL_TEMPLATE_PREFIX`: what the names of the stack's SES templates begin with.
    pub template_prefix: String,
    /// `MAIL_CONFIGURATION_SET`: the SES configuration set, if any.
    pub configuration_set: Option<String>,
}

impl MailSettings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first name that is missing, or a sender that is no plain address.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name from wherever `get` finds them; empty is not set.
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
        Ok(Self {
            from,
            template_prefix: source.required("MAIL_TEMPLATE_PREFIX")?,
            configuration_set: source.text("MAIL_CONFIGURATION_SET"),
        })
    }
}

/// What `recovery-page` needs besides.
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

    /// Reads settings by name from wherever `get` finds them; empty is not set.
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
        let brand_color = source
            .text("BRAND_COLOR")
            .unwrap_or_else(|| "#1d5b54".to_owned());
        if !is_color(&brand_color) {
            return Err(SettingsError::NoColor { value: brand_color });
        }
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

/// A variable of the environment, if it is set and is text.
#[expect(
    clippy::disallowed_methods,
    reason = "this module reads the environment for all"
)]
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `LOG_LEVEL`: how much Regain's own code logs; `info` where it is not set.
///
/// # Errors
/// When it is no level.
pub fn log_level() -> Result<LevelFilter, SettingsError> {
    Source(&env).log_level()
}

/// An address may be guessed at with at most a thousandth of all codes a day.
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

/// Whether mails can call a service so.
fn is_service_name(name: &str) -> bool {
    let mut digits = 0;
    let looks_like_a_code = name.chars().any(|c| {
        digits = if c.is_numeric() { digits + 1 } else { 0 };
        digits >= 4
    });
    let breaks_the_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    !looks_like_a_code
        && (1..=LONGEST_SERVICE_NAME).contains(&name.chars().count())
        && !name.contains(breaks_the_line)
        && name.trim() == name
}

/// Whether SES can send from an address: a dot-atom (RFC 5322) and a domain name, in ASCII.
fn is_sender(address: &str) -> bool {
    let is_atom = |atom: &str| {
        let is_text = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        !atom.is_empty() && atom.chars().all(is_text)
    };
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    // A machine's address is no domain: its last part is a number.
    let is_top = |top: &str| top.len() >= 2 && top.starts_with(|c: char| c.is_ascii_alphabetic());
    address.len() <= LONGEST_SENDER
        && local.len() <= 64
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
        && domain.rsplit_once('.').is_some_and(|(_, top)| is_top(top))
}

/// Whether a text is a label of a host name (RFC 1123).
fn is_label(label: &str) -> bool {
    let has_hyphen_outside = label.starts_with('-') || label.ends_with('-');
    (1..=63).contains(&label.len())
        && !has_hyphen_outside
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whether a text is the address of a page that a person can be sent to.
fn is_url(url: &str) -> bool {
    let Some(rest) = after_scheme(url) else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    url.len() <= LONGEST_URL
        && is_authority(authority)
        && path.chars().all(|c| c.is_ascii_graphic())
}

/// Whether a text is a color as `#rrggbb`.
fn is_color(color: &str) -> bool {
    let digits = color.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit())
}

/// Whether a text is a list of sources for `frame-ancestors` (Content Security Policy, 6.4.2).
fn are_ancestors(list: &str) -> bool {
    let is_source = |it: &str| it == "'self'" || after_scheme(it).is_some_and(is_authority);
    list.len() <= LONGEST_ANCESTORS && list.split(' ').all(is_source)
}

fn after_scheme(url: &str) -> Option<&str> {
    url.strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
}

/// Whether a text is a host, and perhaps a port.
fn is_authority(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
        && (1..=5).contains(&port.len())
        && port.chars().all(|c| c.is_ascii_digit())
}

/// Checks one entry of `CORS_ORIGINS`, which the gateway compares with what browsers send as `Origin`
/// (RFC 6454): a scheme, a host in lower case, and a port unless it is the scheme's own. The functions
/// never see it.
///
/// # Errors
/// When no browser sends such an origin, and it is none of `*`, `https://*` and `http://*` either.
pub fn check_origin(origin: &str) -> Result<(), SettingsError> {
    let is_authority = |authority: &str, own_port: u16| {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, whole_number(port)),
            None => (authority, None),
        };
        let is_port = |port: u64| (1..=65_535).contains(&port) && port != u64::from(own_port);
        host.split('.').all(is_label)
            && !host.contains(|c: char| c.is_ascii_uppercase())
            && (host == authority || port.is_some_and(is_port))
    };
    let is_origin = match origin.split_once("://") {
        None => origin == "*",
        Some(("https" | "http", "*")) => true,
        Some(("https", authority)) => is_authority(authority, 443),
        Some(("http", authority)) => is_authority(authority, 80),
        Some(_) => false,
    };
    if is_origin {
        Ok(())
    } else {
        let value = origin.to_owned();
        Err(SettingsError::NoOrigin { value })
    }
}

/// A whole number in the one way to write it: no sign, no leading zero, nothing around it.
fn whole_number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

struct Source<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Source<'_> {
    /// A setting as it is written: nothing is trimmed, because the template's patterns trim nothing.
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    fn log_level(&self) -> Result<LevelFilter, SettingsError> {
        match self.text("LOG_LEVEL").as_deref() {
            None | Some("info") => Ok(LevelFilter::INFO),
            Some("error") => Ok(LevelFilter::ERROR),
            Some("warn") => Ok(LevelFilter::WARN),
            Some("debug") => Ok(LevelFilter::DEBUG),
            Some("trace") => Ok(LevelFilter::TRACE),
            Some(other) => Err(SettingsError::NoChoice {
                name: "LOG_LEVEL",
                value: other.to_owned(),
                allowed: "error, warn, info, debug, trace",
            }),
        }
    }

    fn language(&self, name: &'static str, default: Locale) -> Result<Locale, SettingsError> {
        match self.text(name).as_deref() {
            None => Ok(default),
            Some("en") => Ok(Locale::En),
            Some("id") => Ok(Locale::Id),
            Some(other) => Err(SettingsError::NoChoice {
                name,
                value: other.to_owned(),
                allowed: "en, id",
            }),
        }
    }

    fn required(&self, name: &'static str) -> Result<String, SettingsError> {
        self.text(name).ok_or(SettingsError::Missing { name })
    }

    fn number<T: FromStr + TryFrom<u64>>(
        &self,
        name: &'static str,
        default: T,
        min: u64,
        max: u64,
    ) -> Result<T, SettingsError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let value = whole_number(&text).ok_or(SettingsError::NoNumber {
            name,
            value: text,
            min,
            max,
        })?;
        let out_of_range = SettingsError::OutOfRange {
            name,
            value,
            min,
            max,
        };
        if !(min..=max).contains(&value) {
            return Err(out_of_range);
        }
        T::try_from(value).map_err(|_| out_of_range)
    }

    fn seconds(
        &self,
        name: &'static str,
        default: u64,
        min: u64,
        max: u64,
    ) -> Result<Duration, SettingsError> {
        self.number(name, default, min, max)
            .map(Duration::from_secs)
    }

    /// A request limit: 0 turns it off.
    fn throttle(&self, name: &'static str, default: u32) -> Result<Option<u32>, SettingsError> {
        let limit = self.number(name, default, 0, 1_000_000)?;
        Ok((limit > 0).then_some(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::read(&|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn defaults_hold_where_nothing_is_set_or_a_setting_is_empty() {
        let settings = read(&[("CODE_LENGTH", "")]).unwrap();
        assert_eq!(settings.code_length.digits(), 6);
        assert_eq!(settings.limits.code_ttl, Duration::from_mins(10));
        assert_eq!(settings.limits.address_per_hour, Some(5));
        assert_eq!(settings.user_id_format, UserIdFormat::ObjectId);
        assert_eq!(settings.languages.of(Protocol::Directory), Locale::En);
        assert_eq!(settings.languages.of(Protocol::AuthV1), Locale::Id);
    }

    #[test]
    fn zero_turns_a_throttle_off() {
        let off = read(&[
            ("RESEND_COOLDOWN_SECONDS", "0"),
            ("EMAIL_REQUESTS_PER_HOUR", "0"),
            ("EMAIL_REQUESTS_PER_DAY", "0"),
            ("IP_REQUESTS_PER_HOUR", "0"),
        ]);
        let limits = off.unwrap().limits;
        assert_eq!(limits.cooldown, Duration::ZERO);
        assert_eq!(limits.address_per_hour, None);
        assert_eq!(limits.address_per_day, None);
        assert_eq!(limits.caller_per_hour, None);
    }

    #[test]
    #[expect(
        clippy::too_many_lines,
        reason = "one entry for each thing that can be wrong"
    )]
    fn a_wrong_setting_is_refused_by_name() {
        for (name, value, message) in [
            (
                "CODE_LENGTH",
                "3",
                "CODE_LENGTH must be from 4 to 10, not 3",
            ),
            (
                "CODE_LENGTH",
                "11",
                "CODE_LENGTH must be from 4 to 10, not 11",
            ),
            (
                "CODE_LENGTH",
                "six",
                "CODE_LENGTH must be a whole number from 4 to 10, not \"six\"",
            ),
            (
                "CODE_LENGTH",
                " 6",
                "CODE_LENGTH must be a whole number from 4 to 10, not \" 6\"",
            ),
            (
                "CODE_LENGTH",
                "06",
                "CODE_LENGTH must be a whole number from 4 to 10, not \"06\"",
            ),
            (
                "CODE_LENGTH",
                "6\n",
                "CODE_LENGTH must be a whole number from 4 to 10, not \"6\\n\"",
            ),
            (
                "CODE_TTL_SECONDS",
                "0",
                "CODE_TTL_SECONDS must be from 1 to 3600, not 0",
            ),
            (
                "CODE_TTL_SECONDS",
                "3601",
                "CODE_TTL_SECONDS must be from 1 to 3600, not 3601",
            ),
            (
                "SESSION_TTL_SECONDS",
                "86401",
                "SESSION_TTL_SECONDS must be from 1 to 86400, not 86401",
            ),
            (
                "CODE_MAX_ATTEMPTS",
                "0",
                "CODE_MAX_ATTEMPTS must be from 1 to 20, not 0",
            ),
            (
                "CODE_MAX_ATTEMPTS",
                "21",
                "CODE_MAX_ATTEMPTS must be from 1 to 20, not 21",
            ),
            (
                "ACCOUNT_GUESSES_PER_DAY",
                "1001",
                "ACCOUNT_GUESSES_PER_DAY must be from 1 to 1000, not 1001",
            ),
            (
                "RESEND_COOLDOWN_SECONDS",
                "-1",
                "RESEND_COOLDOWN_SECONDS must be a whole number from 0 to 3600, not \"-1\"",
            ),
            (
                "EMAIL_REQUESTS_PER_HOUR",
                "1000001",
                "EMAIL_REQUESTS_PER_HOUR must be from 0 to 1000000, not 1000001",
            ),
            (
                "PASSWORD_MIN_LENGTH",
                "7",
                "PASSWORD_MIN_LENGTH must be from 8 to 64, not 7",
            ),
            (
                "USER_ID_FORMAT",
                "int",
                "USER_ID_FORMAT must be one of objectid, uuid, not \"int\"",
            ),
            (
                "DIRECTORY_LANGUAGE",
                "fr",
                "DIRECTORY_LANGUAGE must be one of en, id, not \"fr\"",
            ),
            (
                "AUTH_V1_LANGUAGE",
                "id-ID",
                "AUTH_V1_LANGUAGE must be one of en, id, not \"id-ID\"",
            ),
            (
                "RECOVERABLE_STATUSES",
                "active;new",
                "RECOVERABLE_STATUSES must be statuses with commas between them, of ASCII letters, \
                 digits, spaces and _.:- and at most 100 characters in all, not \"active;new\"",
            ),
            (
                "LOG_LEVEL",
                "loud",
                "LOG_LEVEL must be one of error, warn, info, debug, trace, not \"loud\"",
            ),
            (
                "ARGON2_MEMORY_KIB",
                "19455",
                "ARGON2_MEMORY_KIB must be from 19456 to 1048576, not 19455",
            ),
            (
                "ARGON2_ITERATIONS",
                "1",
                "ARGON2_ITERATIONS must be from 2 to 64, not 1",
            ),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_service_name_cannot_be_taken_for_a_code() {
        for name in ["Shop 2024", "x".repeat(65).as_str(), "two\nlines"] {
            let refused = read(&[("SERVICE_NAME", name)]).unwrap_err().to_string();
            assert!(refused.starts_with("SERVICE_NAME must be"), "{refused}");
        }
        let named = read(&[("SERVICE_NAME", "Shop 24/7")]).unwrap();
        assert_eq!(named.service_name, "Shop 24/7");
    }

    #[test]
    fn guesses_a_day_may_be_at_most_a_thousandth_of_the_codes() {
        for (length, guesses, fine) in [
            ("4", "10", true),
            ("4", "11", false),
            ("5", "100", true),
            ("6", "1000", true),
        ] {
            let read = read(&[
                ("CODE_LENGTH", length),
                ("ACCOUNT_GUESSES_PER_DAY", guesses),
            ]);
            assert_eq!(read.is_ok(), fine, "{length} digits, {guesses} guesses");
        }
    }

    #[test]
    fn too_many_guesses_are_refused_with_both_ways_out() {
        for (length, guesses, most, least) in [
            ("4", "30", "10", "5"),
            ("4", "11", "10", "5"),
            ("4", "101", "10", "6"),
            ("5", "101", "100", "6"),
            ("5", "1000", "100", "6"),
        ] {
            let set = [
                ("CODE_LENGTH", length),
                ("ACCOUNT_GUESSES_PER_DAY", guesses),
            ];
            let refused = read(&set).unwrap_err().to_string();
            let expected = format!(
                "ACCOUNT_GUESSES_PER_DAY ({guesses}) is too much for a CODE_LENGTH of {length}, because it may \
                 be at most a thousandth of the number of codes: set ACCOUNT_GUESSES_PER_DAY to at most \
                 {most}, or CODE_LENGTH to at least {least}"
            );
            assert_eq!(refused, expected);
        }
        let by_default = read(&[("CODE_LENGTH", "4")]).unwrap_err().to_string();
        assert!(by_default.ends_with("to at most 10, or CODE_LENGTH to at least 5"));
    }

    #[test]
    fn a_sender_and_an_origin_that_make_no_sense_are_refused_by_name() {
        let from = |sender: &str| {
            let get = |name: &str| Some(if name == "MAIL_FROM" { sender } else { "x" }.to_owned());
            MailSettings::read(&get)
        };
        let refused = from("Shop <a@b.example>").unwrap_err().to_string();
        assert_eq!(
            refused,
            "MAIL_FROM must be a plain address in ASCII such as no-reply@example.com, of at most 100 \
             characters and without a display name, not \"Shop <a@b.example>\""
        );
        assert_eq!(from("").unwrap_err().to_string(), "MAIL_FROM is not set");
        assert_eq!(from("a@b.example").unwrap().from, "a@b.example");
        let refused = check_origin("https://app.example.com/").unwrap_err();
        let refused = refused.to_string();
        assert!(refused.starts_with("CORS_ORIGINS must list origins as browsers send them"));
        assert!(refused.ends_with("\"https://app.example.com/\" is none of these"));
    }
}
