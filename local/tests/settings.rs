//! Compares the parameters of template.yaml with the functions' own check of their settings: both accept the
//! same values. A value that only the template accepted would be deployed, and no function would start.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fancy_regex::Regex;
use local::service::check_settings;
use local::template::{Environment, Stack};
use proptest::prelude::*;
use regain::locale::Locale;
use serde_yaml_ng::Value as Yaml;

/// Numbers: the parameter, its variable, the least and the greatest value of the parameter, and the least value
/// that a function accepts. For the two lifetimes and the time of mail that is lower, so that tests can be short.
const NUMBERS: [(&str, &str, u64, u64, u64); 15] = [
    ("CodeLength", "CODE_LENGTH", 4, 10, 4),
    ("CodeTtlSeconds", "CODE_TTL_SECONDS", 60, 3600, 1),
    ("SessionTtlSeconds", "SESSION_TTL_SECONDS", 60, 86_400, 1),
    ("CodeMaxAttempts", "CODE_MAX_ATTEMPTS", 1, 20, 1),
    (
        "AccountGuessesPerDay",
        "ACCOUNT_GUESSES_PER_DAY",
        1,
        1000,
        1,
    ),
    (
        "ResendCooldownSeconds",
        "RESEND_COOLDOWN_SECONDS",
        0,
        3600,
        0,
    ),
    (
        "EmailRequestsPerHour",
        "EMAIL_REQUESTS_PER_HOUR",
        0,
        1_000_000,
        0,
    ),
    (
        "EmailRequestsPerDay",
        "EMAIL_REQUESTS_PER_DAY",
        0,
        1_000_000,
        0,
    ),
    ("IpRequestsPerHour", "IP_REQUESTS_PER_HOUR", 0, 1_000_000, 0),
    ("KnownNetworkDays", "KNOWN_NETWORK_DAYS", 0, 365, 0),
    ("PasswordMinLength", "PASSWORD_MIN_LENGTH", 8, 64, 8),
    (
        "MailBatchMilliseconds",
        "MAIL_BATCH_MILLISECONDS",
        100,
        10_000,
        0,
    ),
    (
        "Argon2MemoryKib",
        "ARGON2_MEMORY_KIB",
        19_456,
        1_048_576,
        19_456,
    ),
    ("Argon2Iterations", "ARGON2_ITERATIONS", 2, 64, 2),
    ("Argon2Parallelism", "ARGON2_PARALLELISM", 1, 16, 1),
];

/// The tags of the languages.
const LANGUAGES: [&str; Locale::ALL.len()] = {
    let mut tags = [""; Locale::ALL.len()];
    let mut number = 0;
    while number < tags.len() {
        tags[number] = Locale::ALL[number].tag();
        number += 1;
    }
    tags
};

/// Words: the parameter, its variable, and the words.
const CHOICES: [(&str, &str, &[&str]); 9] = [
    ("DirectoryLanguage", "DIRECTORY_LANGUAGE", &LANGUAGES),
    ("AuthV1Language", "AUTH_V1_LANGUAGE", &LANGUAGES),
    ("ServiceKind", "SERVICE_KIND", &["app", "website"]),
    ("UserIdFormat", "USER_ID_FORMAT", &["objectid", "uuid"]),
    ("DirectoryUserId", "DIRECTORY_USER_ID", &["user", "alias"]),
    (
        "DirectorySession",
        "DIRECTORY_SESSION",
        &["required", "latest"],
    ),
    ("EdgeOnly", "EDGE_ONLY", &["true", "false"]),
    (
        "UserStorePassword",
        "USER_STORE_PASSWORD",
        &["hash", "plain"],
    ),
    (
        "LogLevel",
        "LOG_LEVEL",
        &["error", "warn", "info", "debug", "trace"],
    ),
];

/// Texts: the parameter, its variable, values that both accept, and values that both refuse.
const TEXTS: [(&str, &str, &[&str], &[&str]); 16] = [
    // The functions take a name as well. The template does not, because their roles need the ARN.
    (
        "UserStoreFunctionArn",
        "USER_STORE_FUNCTION",
        &[
            "none",
            "arn:aws:lambda:eu-west-1:123456789012:function:users",
            "arn:aws:lambda:eu-west-1:123456789012:function:users:live",
            "arn:aws:lambda:eu-west-1:123456789012:function:users:$LATEST",
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:My_Users-2:7",
        ],
        &[
            " ",
            "a b",
            "none ",
            "arn:aws:lambda:eu-west-1:123456789012:function:",
            "arn:aws:lambda:eu-west-1:123456789012:function:a/b",
            "arn:aws:lambda:eu-west-1:123456789012:function:users:",
            "arn:aws:lambda:eu-west-1:123456789012:function:users:live:x",
            "arn:aws:lambda:eu-west-1:123456789012:layer:users",
            "arn:aws:lambda:eu-west-1:12345678901:function:users",
            "arn:aws:lambda::123456789012:function:users",
            "arn:aws:sns:eu-west-1:123456789012:users",
            "https://example.com/users",
        ],
    ),
    (
        "EventBus",
        "EVENT_BUS",
        &[
            "default",
            "none",
            "sign-in",
            "aws.partner/example.com/1_a",
            "arn:aws:events:eu-west-1:123456789012:event-bus/default",
            "arn:aws-cn:events:cn-north-1:123456789012:event-bus/sign-in",
        ],
        &[
            " ",
            "a b",
            "default ",
            "default\n",
            "a:b",
            "arn:aws:sns:eu-west-1:123456789012:topic",
            "arn:aws:events:eu-west-1:12345678901:event-bus/default",
            "arn:aws:events:eu-west-1:123456789012:event-bus/",
            "arn:aws:events:eu-west-1:123456789012:rule/default",
            "arn:aws:events::123456789012:event-bus/default",
            "arn:AWS:events:eu-west-1:123456789012:event-bus/default",
            "arn:aws:events:eu-west-1:123456789012:event-bus/default:x",
            "m\u{fc}nchen",
        ],
    ),
    (
        "RecoveryPageUrl",
        "RECOVERY_PAGE_URL",
        &[
            "none",
            "https://app.example.com",
            "http://127.0.0.1:3000/recover",
            "https://app.example.com/recover?l=id",
            "https://app.example.com/xxxxxxxxxxxxxxxx",
        ],
        &[
            "None",
            "app.example.com",
            "https://",
            "https://app.example.com/recover#here",
            "https://app.example.com/?a=1&b=2",
            "https://app.example.com/\"",
            "https://app.example.com/'",
            "https://app.example.com/<",
            "https://app.example.com/>",
            "https://app.example.com/`",
            "https://app.example.com/a b",
        ],
    ),
    (
        "ServiceName",
        "SERVICE_NAME",
        &[
            "R",
            "Shop 24/7",
            "Shop 123 456",
            "Perpustakaan Nasional",
            "R & B <\"shop\">, {{name}}",
            "王小明",
            "\u{646}\u{200c}\u{646}",
            "\u{1f6d2}",
            "\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\
             \u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\
             \u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}\u{1f6d2}",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ],
        &[
            " ",
            "\t",
            "\u{a0}",
            "\u{3000}\u{3000}",
            " Shop",
            "Shop ",
            "\u{a0}Shop",
            "Shop\u{2003}",
            "Shop\n",
            "\tShop",
            "two\tparts",
            "two\nlines",
            "two\r\nlines",
            "two\u{85}lines",
            "two\u{2028}lines",
            "two\u{2029}lines",
            "nul\u{0}",
            "del\u{7f}ete",
            "\u{9f}",
            "Shop 2024",
            "2024",
            "12345 Shop",
            "\u{ff12}\u{ff10}\u{ff12}\u{ff14}",
            "Shop \u{662}\u{660}\u{662}\u{664}",
            "Shop \u{967}2\u{ff13}4",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ],
    ),
    (
        "SignInUrl",
        "SIGN_IN_URL",
        &[
            "https://app.example.com/sign-in",
            "https://app.example.com",
            "http://localhost:5173/#/sign-in",
            "https://example.com?next=%2F&a=\"<b>\"",
            "https://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example",
        ],
        &[
            " ",
            "app.example.com",
            "/sign-in",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "HTTPS://example.com",
            "https://",
            "https:///sign-in",
            "https://user@example.com",
            "https://example.com:/",
            "https://example.com:123456/",
            "https://example.com:8o/",
            "https://example.com/a b",
            "https://example.com/\n",
            "https://b\u{fc}cher.example",
            "https://example.com/b\u{fc}cher",
            "https://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example",
        ],
    ),
    (
        "BrandColor",
        "BRAND_COLOR",
        &["#1d5b54", "#FFFFFF", "#aB12eF"],
        &[
            " ",
            "1d5b54",
            "#1d5b5",
            "#1d5b544",
            "#abc",
            "#12345g",
            "red",
            "##12345",
            "#1d5b54 ",
            "#1d5b5\u{ff14}",
            "#1d5b54\n",
        ],
    ),
    (
        "FrameAncestors",
        "FRAME_ANCESTORS",
        &[
            "https://app.example.com",
            "'self'",
            "'self' https://app.example.com http://localhost:5173",
            "https://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example",
        ],
        &[
            " ",
            "*",
            "'none'",
            "self",
            "https:",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com; script-src *",
            "https://a.example,https://b.example",
            "https://a.example  https://b.example",
            " https://a.example",
            "https://a.example ",
            "https://a.example\nhttps://b.example",
            "https://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example",
        ],
    ),
    (
        "MailFrom",
        "MAIL_FROM",
        &[
            "no-reply@example.com",
            "No.Reply+shop@Mail.Example.CO",
            "a@b.cd",
            "o'neill!#$%&*/=?^_`{|}~@x.example",
            "post@xn--mnchen-3ya.de",
            "post@example.xn--p1ai",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@example.com",
        ],
        &[
            "foo",
            "foo@bar",
            "@example.com",
            "foo@",
            "Name <a@b.example>",
            "<a@b.example>",
            "a@b.example, c@d.example",
            "a@b.example;c@d.example",
            "a b@c.example",
            " a@b.example",
            "a@b.example ",
            "a@b.example\n",
            "a@b .example",
            "a@b@c.example",
            ".a@b.example",
            "a.@b.example",
            "a..b@c.example",
            "\"a b\"@c.example",
            "a@b..example",
            "a@.b.example",
            "a@b.example.",
            "a@-b.example",
            "a@b-.example",
            "a@b_c.example",
            "a@[192.0.2.1]",
            "a@192.0.2.1",
            "a@b.c",
            "a\u{a0}b@c.example",
            "bj\u{f6}rn@example.com",
            "post@m\u{fc}nchen.de",
            "a\u{200b}@b.example",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@example.com",
            "a@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example",
            // 65 characters.
            "a@xxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example",
        ],
    ),
    (
        "MailFromName",
        "MAIL_FROM_NAME",
        &[
            "R",
            "R & B, <\"shop\">",
            "王小明",
            "xxxxxxxxxxxxxxxxxxxxxxxx",
        ],
        &[
            " ",
            " Shop",
            "Shop ",
            "two\nlines",
            "Shop 2024",
            "xxxxxxxxxxxxxxxxxxxxxxxxx",
        ],
    ),
    (
        "MailReplyTo",
        "MAIL_REPLY_TO",
        &[
            "help@example.com",
            "o'neill+shop@mail.example.co",
            "xxxxxxxxxxxxxxxxxxxx@example.com",
        ],
        &[
            " ",
            "help",
            "Help <help@example.com>",
            "a@b.example, c@d.example",
            "help@example.com\n",
            "xxxxxxxxxxxxxxxxxxxxx@example.com",
        ],
    ),
    (
        "LogoUrl",
        "LOGO_URL",
        &[
            "https://example.com/logo.png",
            "https://cdn.example.com:8443/2024/logo-2x.png?v=1#a",
        ],
        &[
            " ",
            "http://example.com/logo.png",
            "/logo.png",
            "data:image/png;base64,AAAA",
            "https://example.com/\"onload=x",
            "https://example.com/a'b",
            "https://example.com/a&b",
            "https://example.com/{{code}}",
            "https://example.com/${x}",
            "https://example.com/a b",
            "https://example.com/\n",
        ],
    ),
    (
        "ProductUrl",
        "PRODUCT_URL",
        &["https://example.com", "http://localhost:517/#/start?a=b"],
        &[
            " ",
            "example.com",
            "javascript:alert(1)",
            "https://example.com/2024",
            "http://localhost:5173",
            "https://example.com/<b>",
            "https://example.com/{{code}}",
            "https://example.com/\n",
        ],
    ),
    (
        "SupportContact",
        "SUPPORT_CONTACT",
        &[
            "help@example.com",
            "first.last+shop-1_a@mail.example.co",
            "https://example.com/help",
        ],
        &[
            " ",
            "example.com",
            "help",
            "tel:+62123",
            "help2024@example.com",
            "o'neill@example.com",
            ".a@example.com",
            "a..b@example.com",
            "help@example",
            "Help <help@example.com>",
            "https://user@example.com",
            "https://example.com/2024",
            "https://example.com/&",
            "help@example.com\n",
        ],
    ),
    (
        "CorsOrigins",
        "CORS_ORIGINS",
        &[
            "*",
            "https://*",
            "http://*",
            "https://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com:80",
            "http://app.example.com:443",
            "http://localhost",
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "https://xn--mnchen-3ya.de",
            "https://a.example:65535",
            "https://a.example,https://b.example",
            "https://a.example, https://b.example",
        ],
        &[
            "acme.test",
            "app.example.com:8443",
            "//app.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://user@app.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:",
            "https://app.example.com:0",
            "https://app.example.com:080",
            "https://app.example.com:65536",
            "https://app.example.com:https",
            "https://*.example.com",
            "https://app.*",
            "https://*:8443",
            "*.example.com",
            "**",
            "HTTPS://app.example.com",
            "https://App.example.com",
            "https://m\u{fc}nchen.de",
            "https://",
            "https://.example.com",
            "https://app..example.com",
            "https://app.example.com.",
            "https://-app.example.com",
            "https://app_1.example.com",
            "https:/app.example.com",
            "https:app.example.com",
            "ftp://app.example.com",
            "null",
            "file://",
            "https://a.example,",
            ",https://a.example",
            "https://a.example,,https://b.example",
            "https://a.example https://b.example",
            "https://a.example;https://b.example",
            "https://a.example,\thttps://b.example",
            "https://a.example\n",
            "https://a.example,b.example",
        ],
    ),
    (
        "RecoverableStatuses",
        "RECOVERABLE_STATUSES",
        &[
            "active",
            "Active, NEW ,on-hold",
            "force change password",
            "a_b.c:d-e,7",
            " active",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ],
        &[
            " ",
            ",",
            " , ",
            "active,",
            "active, ",
            ",active",
            "active,,new",
            "active;new",
            "active\tnew",
            "active\n",
            "aktiv\u{e9}",
            "active\u{a0}",
            "\u{ff41}ctive",
            "\"active\"",
            "*",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ],
    ),
    (
        "EdgeSecret",
        "EDGE_SECRET",
        &[
            "0123456789abcdef0123456789ABCDEF",
            "!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~0",
            "0123456789abcdef0123456789ABCDEF,fedcba9876543210fedcba9876543210",
        ],
        &[
            " ",
            ",",
            "secret",
            "0123456789abcdef0123456789ABCDE",
            "0123456789abcdef0123456789ABCDE ",
            "0123456789abcdef 0123456789ABCDEF",
            "0123456789abcdef0123456789ABCDEF\n",
            "0123456789abcdef0123456789ABCDE\u{e9}",
            "0123456789abcdef0123456789ABCDEF,",
            ",0123456789abcdef0123456789ABCDEF",
            "0123456789abcdef0123456789ABCDEF,secret",
            "0123456789abcdef0123456789ABCDEF, fedcba9876543210fedcba9876543210",
            "0123456789abcdef0123456789ABCDEF,0123456789abcdef0123456789ABCDEF,0123456789abcdef0123456789ABCDEF",
        ],
    ),
];

static TEMPLATE: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml"));

/// The template as YAML.
fn yaml() -> Yaml {
    serde_yaml_ng::from_str(&std::fs::read_to_string(&*TEMPLATE).unwrap()).unwrap()
}

static STACK: LazyLock<Stack> =
    LazyLock::new(|| Stack::open(&TEMPLATE, Environment::new()).unwrap());

/// A parameter's rules, as `CloudFormation` applies them: the pattern has to match the whole value, or each
/// entry of a list without the blanks around it.
struct Parameter {
    is_list: bool,
    pattern: Option<Regex>,
    words: Option<Vec<String>>,
    longest: Option<usize>,
}

impl Parameter {
    fn read(name: &str) -> Self {
        let all = yaml();
        let parameter = all["Parameters"][name].as_mapping().unwrap();
        let mut read = Self {
            is_list: false,
            pattern: None,
            words: None,
            longest: None,
        };
        for (key, value) in parameter {
            match (key.as_str().unwrap(), value) {
                ("Default" | "Description" | "ConstraintDescription" | "NoEcho", _) => {}
                ("Type", Yaml::String(kind)) if kind == "String" => {}
                ("Type", Yaml::String(kind)) if kind == "CommaDelimitedList" => read.is_list = true,
                ("Type", Yaml::String(kind)) if kind == "Number" => {
                    panic!("{name}: a Number may be 6.5 or 06; use a String with a pattern")
                }
                ("AllowedPattern", Yaml::String(pattern)) => {
                    read.pattern = Some(Regex::new(pattern).unwrap());
                }
                ("AllowedValues", Yaml::Sequence(words)) => {
                    let words = words.iter().map(|word| word.as_str().unwrap().to_owned());
                    read.words = Some(words.collect());
                }
                ("MaxLength", Yaml::Number(longest)) => {
                    read.longest = longest.as_u64().and_then(|it| it.try_into().ok());
                }
                (key, _) => panic!("{name}: {key} is not compared here"),
            }
        }
        assert!(read.pattern.is_some() || read.words.is_some(), "{name}");
        read
    }

    fn takes(&self, value: &str) -> bool {
        if self.is_list {
            value
                .split(',')
                .all(|entry| self.takes_one(entry.trim_matches(' ')))
        } else {
            self.takes_one(value)
        }
    }

    fn takes_one(&self, value: &str) -> bool {
        let matches = |pattern: &Regex| {
            let found = pattern.find(value).unwrap();
            found.is_some_and(|found| found.as_str() == value)
        };
        self.pattern.as_ref().is_none_or(matches)
            && self
                .words
                .as_ref()
                .is_none_or(|words| words.iter().any(|word| word == value))
            && self
                .longest
                .is_none_or(|longest| value.encode_utf16().count() <= longest)
    }
}

/// Whether `cargo run` and the functions start with a setting and the defaults of all others.
fn starts_with(variable: &str, value: &str) -> bool {
    let mut stack = STACK.clone();
    if variable == "CORS_ORIGINS" {
        let origins = value
            .split(',')
            .map(|entry| entry.trim_matches(' ').to_owned());
        stack.cors.as_mut().unwrap().origins = origins.collect();
    }
    if let Some(set) = stack.parameters.get_mut(variable) {
        value.clone_into(set);
    }
    for function in &mut stack.functions {
        if let Some(set) = function.environment.get_mut(variable) {
            value.clone_into(set);
        }
        // Codes of four and five digits need a lower number of guesses, which is another rule.
        if variable == "CODE_LENGTH" {
            let name = "ACCOUNT_GUESSES_PER_DAY".to_owned();
            function.environment.insert(name, "1".to_owned());
        }
        // So does the edge's being the only way: it needs a secret.
        if variable == "EDGE_ONLY" {
            let name = "EDGE_SECRET".to_owned();
            function.environment.insert(name, "x".repeat(32));
        }
    }
    check_settings(&stack).is_ok()
}

#[test]
fn every_parameter_that_reaches_a_function_is_compared_here() {
    let all = yaml();
    let names = all["Parameters"].as_mapping().unwrap().keys();
    let reaching: BTreeSet<String> = names
        .map(|name| name.as_str().unwrap().to_owned())
        // It reaches them in the address of the stack's own page, and the template checks it as a domain name.
        .filter(|name| name != "DomainName")
        .filter(|name| {
            const MARK: &str = "a-mark-of-its-own";
            let variable = variable_of(name);
            let environment = Environment::from([(variable, MARK.to_owned())]);
            // A parameter of the stack alone may have to be a number.
            let Ok(stack) = Stack::open(&TEMPLATE, environment) else {
                return false;
            };
            let origins = stack.cors.iter().flat_map(|cors| &cors.origins);
            let variables = stack
                .functions
                .iter()
                .flat_map(|it| it.environment.values());
            let mails = stack.mail_templates.iter();
            let mails = mails.flat_map(|it| [&it.text, &it.html]);
            let mut places = variables.chain(origins).chain(mails);
            // No text has the kind: conditions of the template choose by it.
            name == "ServiceKind" || places.any(|value| value.contains(MARK))
        })
        .collect();
    let compared = NUMBERS
        .iter()
        .map(|row| row.0)
        .chain(CHOICES.iter().map(|row| row.0))
        .chain(TEXTS.iter().map(|row| row.0));
    assert_eq!(reaching, compared.map(str::to_owned).collect());
}

/// `CodeTtlSeconds` is `CODE_TTL_SECONDS`.
fn variable_of(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}

#[test]
fn a_number_is_accepted_within_its_range_and_in_one_notation() {
    for (name, variable, least, most, functions_least) in NUMBERS {
        let parameter = Parameter::read(name);
        let numbers = (0..=200)
            .chain(least.saturating_sub(200)..least + 200)
            .chain(most.saturating_sub(200)..most + 200)
            .chain((1..=9).flat_map(|digit| (0..9).map(move |zeros| digit * 10_u64.pow(zeros))))
            .chain(
                (1..=9).flat_map(|digit| (0..9).map(move |zeros| digit * 10_u64.pow(zeros) - 1)),
            );
        for number in numbers {
            let text = number.to_string();
            let expected = (least..=most).contains(&number);
            assert_eq!(parameter.takes(&text), expected, "{name}: {text}");
            let expected = (functions_least..=most).contains(&number);
            assert_eq!(starts_with(variable, &text), expected, "{variable}={text}");
        }
        for text in [
            format!("0{most}"),
            format!("+{most}"),
            format!("-{most}"),
            format!(" {most}"),
            format!("{most} "),
            format!("{most}\n"),
            format!("{most}.0"),
            format!("{most}."),
            format!("{least}.5"),
            format!("{most}e0"),
            format!("0x{most:x}"),
            "-0".to_owned(),
            "many".to_owned(),
            "\u{ff16}\u{ff10}".to_owned(),
            "\u{666}\u{660}".to_owned(),
            " ".to_owned(),
            "99999999999999999999".to_owned(),
        ] {
            assert!(!parameter.takes(&text), "{name}: {text:?}");
            assert!(!starts_with(variable, &text), "{variable}={text:?}");
        }
    }
}

#[test]
fn a_choice_is_accepted_in_its_exact_spelling_only() {
    for (name, variable, words) in CHOICES {
        let parameter = Parameter::read(name);
        assert_eq!(parameter.words.as_deref().unwrap(), words, "{name}");
        for word in words {
            assert!(starts_with(variable, word), "{variable}={word}");
            for other in [
                word.to_uppercase(),
                format!(" {word}"),
                format!("{word}\n"),
                format!("{word},{word}"),
            ] {
                assert!(!parameter.takes(&other), "{name}: {other:?}");
                assert!(!starts_with(variable, &other), "{variable}={other:?}");
            }
        }
    }
}

/// The address of a stack's own page is not a parameter, and does not stand in a version's description.
#[test]
fn the_page_of_a_stack_may_have_a_longer_address_than_the_template_takes() {
    let parameter = Parameter::read("RecoveryPageUrl");
    let address = |length: usize| format!("https://app.example.com/{}", "x".repeat(length - 24));
    for (length, is_taken, starts) in [(40, true, true), (41, false, true), (301, false, false)] {
        let address = address(length);
        assert_eq!(parameter.takes(&address), is_taken, "{length}");
        assert_eq!(
            starts_with("RECOVERY_PAGE_URL", &address),
            starts,
            "{length}"
        );
    }
    assert!(check_settings(&STACK).is_ok(), "with the stack's own page");
}

#[test]
fn the_template_and_the_functions_accept_the_same_texts() {
    for (name, variable, good, bad) in TEXTS {
        let parameter = Parameter::read(name);
        for (values, expected) in [(good, true), (bad, false)] {
            for value in values {
                assert_eq!(parameter.takes(value), expected, "{name}: {value:?}");
                assert_eq!(
                    starts_with(variable, value),
                    expected,
                    "{variable}={value:?}"
                );
            }
        }
    }
}

/// Texts made of the pieces that the rules name, so that many of them are almost valid.
fn texts_of(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(pieces), 1..most);
    prop_oneof![
        4 => pieces.prop_map(|pieces| pieces.concat()),
        1 => "[^\u{0}]{1,70}",
    ]
}

const NAMES: &[&str] = &[
    "a",
    "Shop",
    " ",
    "\t",
    "\n",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "1",
    "23",
    "\u{663}",
    "\u{ff14}",
    "\u{bd}",
    "\u{2167}",
    "\u{1d7d8}",
    "\u{4e09}",
    "-",
    ".",
    "\u{1f6d2}",
    "\u{e000}",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "e\u{301}",
    "\u{0}",
];
const ADDRESSES: &[&str] = &[
    "a",
    "b-c",
    ".",
    "@",
    "-",
    "example",
    "com",
    "@example.com",
    "+",
    "'",
    "\"",
    " ",
    "_",
    "<",
    ">",
    ",",
    ";",
    "9",
    "\u{e9}",
    "A",
    "[",
    "\n",
    "{",
    "|",
    "}",
    "~",
    "`",
    "^",
    "&&",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];
const CONTACTS: &[&str] = &[
    "https://",
    "http://",
    "a",
    "help",
    "@",
    ".",
    ".com",
    "example.com",
    "/",
    "?",
    "#",
    ":",
    "80",
    "1",
    "234",
    "-",
    "_",
    "+",
    "'",
    "&",
    "<",
    "{",
    "%20",
    "=",
    " ",
    "\n",
    "\u{e9}",
    "\u{663}",
];
const ORIGINS: &[&str] = &[
    "https://",
    "http://",
    "*",
    "a",
    "example",
    ".",
    ".com",
    ":",
    ":443",
    ":80",
    ":8080",
    "0",
    "65536",
    "/",
    "-",
    "A",
    ",",
    ", ",
    " ",
    "_",
    "@",
    "?",
    "\u{e9}",
    "xn--a",
    "localhost",
    "\n",
    "//",
    "https://a.example",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

const STATUSES: &[&str] = &[
    "active",
    "A",
    " ",
    ",",
    ", ",
    "-",
    "_",
    ".",
    ":",
    "7",
    ";",
    "\t",
    "\n",
    "\u{e9}",
    "\u{a0}",
    "\u{212a}",
    "\"",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

fn compare(name: &str, value: &str) -> Result<(), TestCaseError> {
    static PARAMETERS: LazyLock<BTreeMap<&str, Parameter>> = LazyLock::new(|| {
        TEXTS
            .iter()
            .map(|row| (row.0, Parameter::read(row.0)))
            .collect()
    });
    let parameter = &PARAMETERS[name];
    let (_, variable, ..) = TEXTS.iter().find(|row| row.0 == name).unwrap();
    prop_assert_eq!(
        parameter.takes(value),
        starts_with(variable, value),
        "{:?}",
        value
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn template_and_functions_take_the_same_service_names(value in texts_of(NAMES, 12)) {
        compare("ServiceName", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_senders(value in texts_of(ADDRESSES, 10)) {
        compare("MailFrom", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_addresses_for_replies(value in texts_of(ADDRESSES, 8)) {
        compare("MailReplyTo", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_sender_names(value in texts_of(NAMES, 8)) {
        compare("MailFromName", &value)?;
    }

    #[test]
    fn template_and_cargo_run_take_the_same_contacts(value in texts_of(CONTACTS, 8)) {
        compare("SupportContact", &value)?;
    }

    #[test]
    fn template_and_cargo_run_take_the_same_origins(value in texts_of(ORIGINS, 8)) {
        compare("CorsOrigins", &value)?;
    }

    #[test]
    fn template_and_functions_take_the_same_statuses(value in texts_of(STATUSES, 8)) {
        compare("RecoverableStatuses", &value)?;
    }
}
