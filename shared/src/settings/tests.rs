use std::time::Duration;

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
    assert_eq!(settings.directory_user_id, DirectoryUserId::User);
    assert_eq!(settings.directory_session, DirectorySession::Required);
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
            "DIRECTORY_USER_ID",
            "Alias",
            "DIRECTORY_USER_ID must be one of user, alias, not \"Alias\"",
        ),
        (
            "DIRECTORY_SESSION",
            "newest",
            "DIRECTORY_SESSION must be one of required, latest, not \"newest\"",
        ),
        (
            "DIRECTORY_LANGUAGE",
            "xx",
            format!(
                "DIRECTORY_LANGUAGE must be one of {}, not \"xx\"",
                Locale::TAGS
            )
            .as_str(),
        ),
        (
            "AUTH_V1_LANGUAGE",
            "id-ID",
            format!(
                "AUTH_V1_LANGUAGE must be one of {}, not \"id-ID\"",
                Locale::TAGS
            )
            .as_str(),
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
    let read = |set: &str, value: &str| {
        let get = |name: &str| match name {
            name if name == set => Some(value.to_owned()),
            "MAIL_FROM" => Some("a@b.example".to_owned()),
            "MAIL_TEMPLATE_PREFIX" => Some("x".to_owned()),
            _ => None,
        };
        MailSettings::read(&get)
    };
    let from = |sender: &str| read("MAIL_FROM", sender);
    let refused = from("Shop <a@b.example>").unwrap_err().to_string();
    assert_eq!(
        refused,
        "MAIL_FROM must be a plain address in ASCII such as no-reply@example.com, of at most 64 \
         characters and without a display name, not \"Shop <a@b.example>\""
    );
    assert_eq!(from("").unwrap_err().to_string(), "MAIL_FROM is not set");
    let settings = from("a@b.example").unwrap();
    assert_eq!(settings.from, "a@b.example");
    assert_eq!(settings.batch, Duration::from_millis(400));
    assert_eq!((settings.from_name, settings.reply_to), (None, None));
    let refused = read("MAIL_FROM_NAME", "Shop 2024").unwrap_err().to_string();
    assert!(refused.starts_with("MAIL_FROM_NAME must be 1 to 24 characters"));
    let refused = read("MAIL_REPLY_TO", "Help <a@b.example>").unwrap_err();
    let refused = refused.to_string();
    assert!(refused.starts_with("MAIL_REPLY_TO must be a plain address in ASCII"));
    let settings = read("MAIL_FROM_NAME", "Shop").unwrap();
    assert_eq!(settings.from_name.as_deref(), Some("Shop"));
    let refused = check_origin("https://app.example.com/").unwrap_err();
    let refused = refused.to_string();
    assert!(refused.starts_with("CORS_ORIGINS must list origins as browsers send them"));
    assert!(refused.ends_with("\"https://app.example.com/\" is none of these"));
}

#[test]
fn mails_link_to_the_page_that_is_set_and_to_none_if_that_is_set() {
    // Longer than a page that an operator may set.
    let own = format!("https://{}.example/recover", "own".repeat(20));
    let page = |url: Option<&str>| {
        let get = |name: &str| match name {
            "RECOVERY_PAGE_URL" => url.map(str::to_owned),
            "STACK_PAGE_URL" => Some(own.clone()),
            "MAIL_FROM" => Some("a@b.example".to_owned()),
            "MAIL_TEMPLATE_PREFIX" => Some("x".to_owned()),
            _ => None,
        };
        MailSettings::read(&get).map(|settings| settings.recovery_page)
    };
    for (url, expected) in [
        (None, Some(own.as_str())),
        (Some(""), Some(own.as_str())),
        (Some("none"), None),
        (
            Some("https://a.example/recover"),
            Some("https://a.example/recover"),
        ),
    ] {
        assert_eq!(page(url).unwrap().as_deref(), expected, "{url:?}");
    }
    let refused = page(Some("https://a.example/#t")).unwrap_err().to_string();
    assert!(refused.starts_with("RECOVERY_PAGE_URL must be none or an address"));
    assert!(
        refused.ends_with("not \"https://a.example/#t\""),
        "{refused}"
    );
}

#[test]
fn settings_that_mails_show_unescaped_hold_no_html_and_no_handlebars() {
    let read =
        |set: &str, value: &str| Branding::read(&|name| (name == set).then(|| value.to_owned()));
    let nothing = read("", "").unwrap();
    assert_eq!(nothing.kind, ServiceKind::App);
    assert_eq!(nothing.color, "#1d5b54");
    assert!(!nothing.reads_replies);
    assert!(read("MAIL_REPLY_TO", "a@b.example").unwrap().reads_replies);
    let set = read("SUPPORT_CONTACT", "help@example.com").unwrap();
    assert_eq!(set.support_contact.as_deref(), Some("help@example.com"));
    for (name, value, message) in [
        (
            "SERVICE_KIND",
            "shop",
            "SERVICE_KIND must be one of app, website, not \"shop\"",
        ),
        (
            "LOGO_URL",
            "http://example.com/logo.png",
            "LOGO_URL must be the address of a picture such as https://example.com/logo.png, of at most \
             200 ASCII letters, digits and -._~:/?#!()*+,;=%, not \"http://example.com/logo.png\"",
        ),
        (
            "PRODUCT_URL",
            "https://example.com/2024",
            "PRODUCT_URL must be an address such as https://example.com, of at most 200 ASCII letters, \
             digits and -._~:/?#!()*+,;=% and without four digits in a row, which could be taken for a \
             code, not \"https://example.com/2024\"",
        ),
        (
            "SUPPORT_CONTACT",
            "help",
            "SUPPORT_CONTACT must be an address such as help@example.com or https://example.com/help, of \
             at most 200 ASCII letters, digits and -._~:/?#!()*+,;=% and without four digits in a row, \
             which could be taken for a code, not \"help\"",
        ),
    ] {
        assert_eq!(read(name, value).unwrap_err().to_string(), message);
    }
    for value in [
        "https://example.com/{{code}}",
        "https://example.com/\"",
        "https://example.com/${x}",
    ] {
        assert!(read("PRODUCT_URL", value).is_err(), "{value}");
        assert!(read("LOGO_URL", value).is_err(), "{value}");
    }
}
