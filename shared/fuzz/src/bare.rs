//! The answers to callers who sent nothing that could be told back, and what all answers are held against.

use std::error::Error;
use std::future::Future;
use std::sync::LazyLock;

use lambda_http::http::{HeaderMap, HeaderValue, Method};
use regain::ids::{ResetToken, SessionId, UserId, UserIdFormat};
use regain::locale::Locale;
use regain::protocol::{Call, Failure, Reply, auth_v1, directory};
use regain::recovery::{Refusal, Started};
use regain::session::Protocol;
use regain::store::Throttled;
use regain::timestamp::Timestamp;
use regain::users::User;
use serde_json::{Value, json};

use crate::body::read_by;
use crate::call::{Written, answered};
use crate::envelope::Answer;
use crate::faults::{Endpoint, MAX_BODY};

/// Far enough ahead that waiting for it is a number of seconds.
const LATER: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// The engine's refusals, numbered; the policy's apart, which depends on the password.
pub struct Refusals;

impl Refusals {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// The refusal of that number.
    #[must_use]
    pub fn pick(number: usize, cause: Box<dyn Error + Send + Sync>) -> Option<Refusal> {
        Some(match number {
            0 => Refusal::Throttled {
                until: LATER,
                whom: Throttled {
                    address: Some(LATER),
                    caller: None,
                },
            },
            1 => Refusal::NoSession,
            2 => Refusal::SessionOver,
            3 => Refusal::OtherUser,
            4 => Refusal::GuessesSpent { until: None },
            5 => Refusal::GuessesSpent { until: Some(LATER) },
            6 => Refusal::CodeExpired,
            7 => Refusal::CodeWrong,
            8 => Refusal::TokenUnknown,
            9 => Refusal::Blocked,
            10 => Refusal::Unavailable(cause),
            11 => Refusal::Broken(cause),
            _ => return None,
        })
    }
}

/// The answers to callers who sent nothing that could be told back.
pub struct Bare {
    /// To those that cannot be read, the field that is to blame taken out.
    pub malformed: Vec<Answer>,
    /// To those that the engine refuses, by [`Refusals`], how long to wait taken out.
    pub refused: Vec<Answer>,
}

impl Bare {
    /// Those of a protocol, in a language.
    #[must_use]
    pub fn of(protocol: Protocol, locale: Locale) -> &'static Self {
        static ALL: LazyLock<[[Bare; 2]; 2]> = LazyLock::new(|| {
            [Protocol::Directory, Protocol::AuthV1]
                .map(|protocol| Locale::ALL.map(|locale| Bare::gather(protocol, locale)))
        });
        let [directory, auth] = &*ALL;
        let [english, indonesian] = match protocol {
            Protocol::Directory => directory,
            Protocol::AuthV1 => auth,
        };
        match locale {
            Locale::En => english,
            Locale::Id => indonesian,
        }
    }

    fn gather(protocol: Protocol, locale: Locale) -> Self {
        let reader = match protocol {
            Protocol::Directory => Endpoint::SetPassword,
            Protocol::AuthV1 => Endpoint::SetPasswordByToken,
        };
        let large = format!("\"{}\"", "a".repeat(MAX_BODY));
        let malformed = [
            ("GET", "application/json", ""),
            ("POST", "", ""),
            ("POST", "application/json", large.as_str()),
            ("POST", "application/json", ""),
            (
                "POST",
                "application/json",
                r#"{"id": "", "session": "", "token": ""}"#,
            ),
        ]
        .map(|(method, media_type, body)| {
            let mut headers = preferring(locale);
            headers.insert("content-type", HeaderValue::from_static(media_type));
            let written = Written {
                method: method.parse().unwrap(),
                endpoint: "",
                headers,
                body: body.as_bytes(),
            };
            let mut answer = Answer::of(answered(
                protocol,
                async |mut call| Err(read_by(reader, &mut call, &written).unwrap_err().into()),
                written.event(),
            ));
            answer.take_field();
            answer
        });
        let refused = (0..Refusals::COUNT).map(|number| {
            let refusal = Refusals::pick(number, "".into()).unwrap();
            let mut answer = answer_bare(protocol, locale, async |_| Err(refusal.into()));
            answer.check_refusal(protocol);
            answer.retry_after = None;
            answer
        });
        Self {
            malformed: malformed.into(),
            refused: refused.collect(),
        }
    }
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

/// The answer to a bare call of an endpoint if all went well.
#[must_use]
pub fn bare_success(endpoint: Endpoint, locale: Locale) -> Answer {
    answer_bare(endpoint.protocol(), locale, async |_| {
        Ok(success(endpoint, locale))
    })
}

/// What an endpoint answers if all went well.
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

/// Holds the answer of an endpoint if all went well against the contract.
pub fn check_success(endpoint: Endpoint, answer: &Answer) {
    let data = answer.check_success(endpoint.protocol());
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
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
        Endpoint::SetPassword => assert_eq!(
            keys(data),
            [
                "address",
                "email",
                "id",
                "identities",
                "isEmailValidate",
                "isProfileComplete",
                "isTemporary",
                "meta",
                "phone",
                "profile",
                "roles",
                "status",
            ]
        ),
        _ => assert!(data.as_str().is_some_and(|data| !data.is_empty())),
    }
}
