//! The stacks that tests share: one for each group of settings, started when first asked for.

use std::sync::OnceLock;

use testkit::stack::{Setup, Stack};

/// The browser origin that the open stack allows.
pub(crate) const ORIGIN: &str = "https://app.example.com";

/// No throttles, everything else as it is by default.
pub(crate) fn open() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        Setup::default()
            .unthrottled()
            .set(
                "CORS_ORIGINS",
                format!("{ORIGIN},https://other.example.com"),
            )
            .start()
    })
}

/// Everything as it is by default.
pub(crate) fn defaults() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Setup::default().start())
}

/// A directory whose ids are UUIDs, with short codes, few guesses, and few codes a day.
pub(crate) fn uuids() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        Setup::default()
            .unthrottled()
            .set("USER_ID_FORMAT", "uuid")
            .set("EMAIL_REQUESTS_PER_DAY", 8)
            .set("KNOWN_NETWORK_DAYS", 0)
            .set("CODE_LENGTH", 4)
            .set("CODE_MAX_ATTEMPTS", 3)
            .set("ACCOUNT_GUESSES_PER_DAY", 7)
            .start()
    })
}

/// Codes that expire after a second, in sessions that live on.
pub(crate) fn brief_codes() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        Setup::default()
            .unthrottled()
            .set("CODE_TTL_SECONDS", 1)
            .set("CODE_MAX_ATTEMPTS", 20)
            .start()
    })
}

/// Sessions that end after two seconds, and their codes with them.
pub(crate) fn brief_sessions() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        Setup::default()
            .unthrottled()
            .set("SESSION_TTL_SECONDS", 2)
            .start()
    })
}

/// Three codes an hour for an address, and eight for a caller.
pub(crate) fn hourly() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        Setup::default()
            .unthrottled()
            .set("EMAIL_REQUESTS_PER_HOUR", 3)
            .set("KNOWN_NETWORK_DAYS", 0)
            .set("IP_REQUESTS_PER_HOUR", 8)
            .start()
    })
}

/// An address has nine codes and nine guesses a day, of which strangers may spend six.
pub(crate) fn reserve() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        Setup::default()
            .unthrottled()
            .set("EMAIL_REQUESTS_PER_DAY", 9)
            .set("ACCOUNT_GUESSES_PER_DAY", 9)
            .start()
    })
}

/// Everybody is answered an alias, and a call without a session means the newest one.
pub(crate) fn aliases() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        Setup::default()
            .unthrottled()
            .set("DIRECTORY_USER_ID", "alias")
            .set("DIRECTORY_SESSION", "latest")
            .start()
    })
}
