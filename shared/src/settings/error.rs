//! Errors of settings, as messages for operators.

use thiserror::Error;

use crate::users::RecoverableStatuses;

/// A setting that stops the start. The message names the setting and says what it may be.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// Not a whole number.
    #[error("{name} must be a whole number from {min} to {max}, not {value:?}")]
    NoNumber {
        /// The setting.
        name: &'static str,
        /// The value that it was set to.
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
        /// The value that it was set to.
        value: u64,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// Not one of the allowed words.
    #[error("{name} must be one of {allowed}, not {value:?}")]
    NoChoice {
        /// The setting.
        name: &'static str,
        /// The value that it was set to.
        value: String,
        /// The words it may be.
        allowed: &'static str,
    },
    /// A service name that does not fit into mails.
    #[error(
        "SERVICE_NAME must be 1 to 64 characters on one line, without a blank at either end and \
         without four digits in a row, which could be taken for a code, not {value:?}"
    )]
    NoServiceName {
        /// The value that it was set to.
        value: String,
    },
    /// Not the name of a function.
    #[error(
        "USER_STORE_FUNCTION must be none, or the name or ARN of a Lambda function of at most {max} \
         characters, not {value:?}"
    )]
    NoFunction {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// Not a list of statuses.
    #[error(
        "RECOVERABLE_STATUSES must be statuses with commas between them, of ASCII letters, digits, \
         spaces and _.:- and at most {max} characters in all, not {value:?}",
        max = RecoverableStatuses::MAX_LENGTH
    )]
    NoStatuses {
        /// The value that it was set to.
        value: String,
    },
    /// An address that SES cannot send from.
    #[error(
        "MAIL_FROM must be a plain address in ASCII such as no-reply@example.com, of at most {max} \
         characters and without a display name, not {value:?}"
    )]
    NoSender {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// A sender's name that does not fit into mails.
    #[error(
        "MAIL_FROM_NAME must be 1 to {max} characters on one line, without a blank at either end and \
         without four digits in a row, which could be taken for a code, not {value:?}"
    )]
    NoSenderName {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// An address that mail cannot be answered to.
    #[error(
        "MAIL_REPLY_TO must be a plain address in ASCII such as help@example.com, of at most {max} \
         characters and without a display name, not {value:?}"
    )]
    NoReplyTo {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// Something that cannot stand in a mail.
    #[error(
        "{name} must be {form}, of at most {max} ASCII letters, digits and -._~:/?#!()*+,;=% and without \
         four digits in a row, which could be taken for a code, not {value:?}"
    )]
    NotForMails {
        /// The setting.
        name: &'static str,
        /// The value that it was set to.
        value: String,
        /// The values that it may have.
        form: &'static str,
        /// How many characters it may have.
        max: usize,
    },
    /// An address that is not of a picture.
    #[error(
        "LOGO_URL must be the address of a picture such as https://example.com/logo.png, of at most {max} \
         ASCII letters, digits and -._~:/?#!()*+,;=%, not {value:?}"
    )]
    NoPicture {
        /// The value that it was set to.
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
    /// A sign-in page that is not a URL.
    #[error(
        "SIGN_IN_URL must be an address such as https://app.example.com/sign-in, of at most {max} ASCII \
         characters without blanks, not {value:?}"
    )]
    NoUrl {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// A recovery page that is not a URL.
    #[error(
        "RECOVERY_PAGE_URL must be none or an address such as https://app.example.com/recover, of at most {max} \
         ASCII characters without blanks, quotes, `&`, `<`, `>` and `#`, not {value:?}"
    )]
    NoPageUrl {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// A color that is not `#rrggbb`.
    #[error("BRAND_COLOR must be # and six hexadecimal digits, such as #1d5b54, not {value:?}")]
    NoColor {
        /// The value that it was set to.
        value: String,
    },
    /// A list that is not of origins.
    #[error(
        "FRAME_ANCESTORS must be origins such as https://app.example.com, or 'self', with one blank \
         between them, of at most {max} characters in all, not {value:?}"
    )]
    NoAncestors {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// A secret of the edge that is too short or not visible. It is not repeated.
    #[error(
        "EDGE_SECRET must be 32 to 256 visible ASCII characters without a comma, or two of them with a comma \
         between them"
    )]
    NoEdgeSecret,
    /// Nobody could call.
    #[error("EDGE_ONLY is true, and EDGE_SECRET is not set, so nobody could call")]
    NoWay,
    /// Neither the name nor the ARN of an event bus.
    #[error(
        "EVENT_BUS must be none, or the name or the ARN of an event bus, of at most {max} ASCII letters, digits and \
         ./_-, with colons in an ARN only, not {value:?}"
    )]
    NoEventBus {
        /// The value that it was set to.
        value: String,
        /// How many characters it may have.
        max: usize,
    },
    /// Not set or empty, and without a default.
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
        /// How many digits a code needs for that many guesses.
        least_digits: usize,
    },
}
