//! The answers to *bare* calls, which hold nothing that an answer could repeat. All other answers are compared
//! with them.

use std::error::Error;
use std::future::Future;
use std::sync::LazyLock;

use lambda_http::http::Method;
use lambda_http::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use regain::api::Protocol;
use regain::ids::{ResetToken, SessionId, UserId, UserIdFormat};
use regain::locale::Locale;
use regain::protocol::{Call, Failure, Reply, auth_v1, directory};
use regain::recovery::{RecoveryError, Started};
use regain::store::Throttled;
use regain::timestamp::Timestamp;
use regain::users::User;
use serde_json::{Value, json};
use testkit::contract::{USER_KEYS, keys};

use crate::body::read_by;
use crate::call::{Written, answered};
use crate::envelope::Answer;
use crate::faults::{Endpoint, MAX_BODY};

/// Far enough ahead that waiting for it is a number of seconds.
const LATER: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// The engine's errors, numbered, without the password policy's, which depends on the password.
pub struct Refusals;

impl Refusals {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// The error of that number.
    #[must_use]
    pub fn pick(number: usize, cause: Box<dyn Error + Send + Sync>) -> Option<RecoveryError> {
        Some(match number {
            0 => RecoveryError::Throttled {
                until: LATER,
                whom: Throttled {
                    address: Some(LATER),
                    caller: None,
                },
            },
            1 => RecoveryError::NoSession,
            2 => RecoveryError::SessionOver,
            3 => RecoveryError::OtherUser,
            4 => RecoveryError::GuessesSpent { until: None },
            5 => RecoveryError::GuessesSpent { until: Some(LATER) },
            6 => RecoveryError::CodeExpired,
            7 => RecoveryError::CodeWrong,
            8 => RecoveryError::TokenUnknown,
            9 => RecoveryError::Blocked,
            10 => RecoveryError::Unavailable(cause),
            11 => RecoveryError::Broken(cause),
            _ => return None,
        })
    }
}

/// The answers to bare calls.
pub struct Bare {
    /// The answers to malformed calls: the field at fault, and the rest of the answer.
    pub malformed: Vec<(Option<String>, Answer)>,
    /// The answers to calls that the engine refuses, by number of [`Refusals`], without `Retry-After`.
    pub refused: Vec<Answer>,
}

impl Bare {
    /// The answers of a protocol, in a language.
    #[must_use]
    pub fn of(protocol: Protocol, locale: Locale) -> &'static Self {
        static ALL: LazyLock<Vec<(Protocol, Locale, Bare)>> = LazyLock::new(|| {
            let protocols = [Protocol::Directory, Protocol::AuthV1].into_iter();
            let all = protocols.flat_map(|protocol| Locale::ALL.map(|locale| (protocol, locale)));
            let all =
                all.map(|(protocol, locale)| (protocol, locale, Bare::gather(protocol, locale)));
            all.collect()
        });
        let mut all = ALL.iter();
        let found = all.find(|(one, other, _)| (*one, *other) == (protocol, locale));
        &found.unwrap().2
    }

    fn gather(protocol: Protocol, locale: Locale) -> Self {
        let malformed = unreadable(protocol).into_iter().map(|unreadable| {
            let mut headers = preferring(locale);
            headers.extend(unreadable.headers);
            let written = Written {
                method: unreadable.method,
                endpoint: "",
                headers,
                body: unreadable.body.as_bytes(),
            };
            let reader = unreadable.reader;
            let mut answer = Answer::of(answered(
                protocol,
                async |call| Err(read_by(reader, &call, &written).unwrap_err().into()),
                written.event(),
            ));
            (answer.take_field(), answer)
        });
        let refused = (0..Refusals::COUNT).map(|number| {
            let refusal = Refusals::pick(number, "".into()).unwrap();
            let mut answer = answer_bare(protocol, locale, async |_| Err(refusal.into()));
            answer.check_refusal(protocol);
            answer.retry_after = None;
            answer
        });
        Self {
            malformed: malformed.collect(),
            refused: refused.collect(),
        }
    }
}

/// A call that cannot be read.
struct Unreadable {
    reader: Endpoint,
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
}

/// One malformed call for each field, method, media type and size that an answer can name.
fn unreadable(protocol: Protocol) -> Vec<Unreadable> {
    let call = |reader, body: &Value| Unreadable {
        reader,
        method: Method::POST,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body: body.to_string(),
    };
    let (readers, fields): (_, [&[&str]; 2]) = match protocol {
        Protocol::Directory => (
            [Endpoint::Resend, Endpoint::SetPassword],
            [
                &["email", "purpose", "templateCode", "app", "device"],
                &["id", "session", "otp", "password"],
            ],
        ),
        Protocol::AuthV1 => (
            [Endpoint::ForgotPassword, Endpoint::SetPasswordByToken],
            [&["email"], &["token", "session_id", "password"]],
        ),
    };
    let [request, set_password] = readers;
    let email = json!({ "email": "ann@example.com" });
    let mut all = vec![
        Unreadable {
            method: Method::GET,
            ..call(request, &email)
        },
        Unreadable {
            headers: Vec::new(),
            ..call(request, &email)
        },
        call(request, &json!("a".repeat(MAX_BODY))),
        call(request, &json!([])),
        call(
            set_password,
            &json!({ "id": "", "session": "", "token": "" }),
        ),
    ];
    let mut with_key = call(request, &email);
    let key = HeaderName::from_static("idempotency-key");
    with_key.headers.push((key, HeaderValue::from_static("?")));
    all.push(with_key);
    for (reader, fields) in readers.into_iter().zip(fields) {
        for field in fields {
            let mut body = json!({
                "email": "ann@example.com", "id": "", "session": "", "token": "", "password": "p",
            });
            body.as_object_mut()
                .unwrap()
                .insert((*field).to_owned(), true.into());
            all.push(call(reader, &body));
        }
    }
    if protocol == Protocol::AuthV1 {
        all.push(call(Endpoint::VerifyOtp, &json!({ "session_id": "" })));
    }
    all
}

fn preferring(locale: Locale) -> HeaderMap {
    let tag = HeaderValue::from_static(locale.tag());
    HeaderMap::from_iter([("accept-language".parse().unwrap(), tag)])
}

fn answer_bare<A>(protocol: Protocol, locale: Locale, endpoint: impl FnOnce(Call) -> A) -> Answer
where
    A: Future<Output = Result<Reply, Failure>>,
{
    let written = Written {
        method: Method::POST,
        endpoint: "",
        headers: preferring(locale),
        body: b"",
    };
    Answer::of(answered(protocol, endpoint, written.event()))
}

/// The answer to a bare call of an endpoint that succeeds.
#[must_use]
pub fn bare_success(endpoint: Endpoint, locale: Locale) -> Answer {
    answer_bare(endpoint.protocol(), locale, async |_| {
        Ok(success(endpoint, locale))
    })
}

/// The reply of an endpoint that succeeds.
#[must_use]
pub fn success(endpoint: Endpoint, locale: Locale) -> Reply {
    let session = SessionId::from_entropy([7; 16]);
    let id = UserIdFormat::ObjectId.id_from([7; 16]);
    match endpoint {
        Endpoint::Resend => directory::session_started(&Started {
            session,
            user: Some(id),
            at: LATER,
        }),
        Endpoint::SetPassword => directory::user(&user(&id)),
        Endpoint::ForgotPassword | Endpoint::ResendOtp => auth_v1::code_sent(&session, locale),
        Endpoint::VerifyOtp => {
            let text = "A".repeat(64);
            auth_v1::code_proven(&ResetToken::parse(&text).unwrap(), locale)
        }
        Endpoint::SetPasswordByToken => auth_v1::password_set(&id, locale),
    }
}

fn user(id: &UserId) -> User {
    serde_json::from_value(json!({ "id": id, "email": "ann@example.com" })).unwrap()
}

/// Compares the answer of an endpoint that succeeds with the contract.
pub fn check_success(endpoint: Endpoint, answer: &Answer) {
    let data = &answer.check_success(endpoint.protocol());
    match endpoint {
        Endpoint::Resend => {
            assert_eq!(keys(data), ["id", "session"]);
            assert_eq!(
                keys(data.pointer("/session").unwrap()),
                ["id", "status", "timeStamp"]
            );
            assert_eq!(
                data.pointer("/session/timeStamp"),
                Some(&json!("2100-01-01T00:00:00.000Z"))
            );
        }
        Endpoint::SetPassword => assert_eq!(keys(data), USER_KEYS),
        _ => assert!(data.as_str().is_some_and(|data| !data.is_empty())),
    }
}
