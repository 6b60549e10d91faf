//! The bodies of one protocol's endpoints: the mistakes in each by the contract, and the answer to it.
//!
//! The engine does not take part. Once a call is read, the input's length picks its outcome, so that every
//! possible answer is combined with every call.

use data_encoding::HEXLOWER;
use libfuzzer_sys::Corpus;
use regain::api::Protocol;
use regain::code::CodeLength;
use regain::ids::{ResetToken, SessionId, UserIdFormat};
use regain::link::LinkToken;
use regain::locale::Locale;
use regain::protocol::directory::{self, SetPasswordAction};
use regain::protocol::{Call, Failure, Malformed, auth_v1};
use regain::recovery::{
    CodeGuess, NewPassword, PasswordToken, RecoveryError, Request, SessionLookup, SessionName,
};
use regain::settings::DirectorySession;
use regain::template::Template;
use regain_password::{Address, Policy, Reason};
use serde_json::json;

use crate::bare::{Bare, Refusals, bare_success, check_success, success};
use crate::call::{Written, answered, default_language};
use crate::envelope::Answer;
use crate::faults::{Endpoint, PASSWORD_MISSING, faults, uuid_of_a_key};
use crate::grammar::{self, Value};

/// Compares the answer to one call with the contract.
#[must_use]
pub fn check(protocol: Protocol, input: &[u8]) -> Corpus {
    let Some(written) = Written::read(input) else {
        return Corpus::Reject;
    };
    let Some(endpoint) = Endpoint::of(protocol, written.endpoint) else {
        return Corpus::Reject;
    };
    let faults = faults(endpoint, &written);
    let picked = input.len() % (Refusals::COUNT + 1);
    let mut read = None;
    let response = answered(
        protocol,
        async |call| {
            let reasons = read_by(endpoint, &call, &written)?;
            read = Some(reasons.clone());
            if !reasons.is_empty() {
                return Err(RecoveryError::PasswordRefused(reasons).into());
            }
            // Only the logs may show the cause of a failure, and no answer.
            let cause = String::from_utf8_lossy(written.body).into_owned();
            match Refusals::pick(picked, cause.into()) {
                Some(refusal) => Err(refusal.into()),
                None => Ok(success(endpoint, call.locale())),
            }
        },
        written.event(),
    );
    let mut answer = Answer::of(response);
    let bare = Bare::of(protocol, locale(protocol, &written));
    let Some(reasons) = read else {
        answer.check_refusal(protocol);
        let field = answer.take_field();
        // Only the field at fault depends on the call, so the answer repeats nothing of it.
        let answer = (field, answer);
        assert!(bare.malformed.contains(&answer), "{answer:?}");
        let (field, _) = answer;
        assert!(
            faults.iter().any(|fault| Some(*fault) == field.as_deref())
                || (field.is_none() && faults.contains(&PASSWORD_MISSING)),
            "the answer blames {field:?}, the contract {faults:?}"
        );
        return Corpus::Keep;
    };
    assert!(faults.is_empty(), "read in spite of {faults:?}");
    if reasons.is_empty() && picked == Refusals::COUNT {
        check_success(endpoint, &answer);
        assert_eq!(answer, bare_success(endpoint, locale(protocol, &written)));
        return Corpus::Keep;
    }
    answer.check_refusal(protocol);
    if reasons.is_empty() {
        answer.retry_after = None;
        assert_eq!(Some(&answer), bare.refused.get(picked));
    } else {
        let slugs: Vec<_> = reasons.iter().map(|reason| reason.slug()).collect();
        assert_eq!(answer.body.get("reasons"), Some(&json!(slugs)));
    }
    Corpus::Keep
}

/// Reads a call by the endpoint's own reader, checks the result, and returns the policy's reasons against a
/// password in it.
pub(crate) fn read_by(
    endpoint: Endpoint,
    call: &Call,
    written: &Written<'_>,
) -> Result<Vec<Reason>, Malformed> {
    let six = CodeLength::new(6).unwrap();
    let none = Vec::new();
    match endpoint {
        Endpoint::Resend => check_request(&directory::resend(call)?, written),
        Endpoint::ForgotPassword => check_request(&auth_v1::forgot_password(call)?, written),
        Endpoint::SetPassword => {
            let required = directory::set_password(call, six, DirectorySession::Required);
            check_latest(
                &required,
                &directory::set_password(call, six, DirectorySession::Latest),
            );
            let (lookup, action) = required?;
            check_lookup(&lookup, Protocol::Directory);
            return Ok(match action {
                SetPasswordAction::Verify(guess) => {
                    check_guess(&guess);
                    none
                }
                SetPasswordAction::SetPassword(new) => reasons(&new),
                SetPasswordAction::Both(guess, new) => {
                    check_guess(&guess);
                    reasons(&new)
                }
            });
        }
        Endpoint::VerifyOtp => {
            let (lookup, guess) = auth_v1::verify_otp(call, six)?;
            check_lookup(&lookup, Protocol::AuthV1);
            check_guess(&guess);
        }
        Endpoint::ResendOtp => check_lookup(&auth_v1::resend_otp(call)?, Protocol::AuthV1),
        Endpoint::SetPasswordByToken => {
            let (token, new) = auth_v1::set_password(call)?;
            match token {
                None => {}
                Some(PasswordToken::Reset(token)) => {
                    let again = ResetToken::parse(&token.reveal()).unwrap();
                    assert_eq!(again.digest(), token.digest());
                    assert_eq!(token.reveal().len(), 64);
                }
                Some(PasswordToken::Link(token)) => {
                    let text = token.reveal();
                    assert!(text.len() == 96 && text.bytes().all(|it| (b'a'..=b'p').contains(&it)));
                    let again = LinkToken::parse(&text).unwrap();
                    assert_eq!(again.session(), token.session());
                }
            }
            return Ok(reasons(&new));
        }
    }
    Ok(none)
}

fn check_request(request: &Request, written: &Written<'_>) {
    let fields = grammar::object(written.body).unwrap();
    let text = |name| grammar::field(&fields, name).and_then(Value::text);
    let kept = |name| grammar::field(&fields, name).and_then(Value::kept);
    let typed = text("email").unwrap();
    assert_eq!(Address::parse(&typed).as_ref(), Ok(&request.address));
    assert!(request.template.carries_code());
    let (app, device) = (request.origin.app.clone(), request.origin.device.clone());
    match request.protocol {
        Protocol::Directory => {
            let template = text("templateCode");
            let template = template.as_deref().unwrap_or("directory|session-forgot");
            assert_eq!(request.template.code(), template);
            assert_eq!((app, device), (kept("app"), kept("device")));
        }
        Protocol::AuthV1 => {
            assert_eq!(request.template, Template::AuthV1ForgotPassword);
            let agent = written.text("x-agent");
            let device = device.unwrap_or_default();
            assert!(device.len() <= 256 && agent.trim_start().starts_with(&device));
        }
    }
    let key = written.headers.get("idempotency-key");
    let key = key.and_then(|key| uuid_of_a_key(key.as_bytes()));
    let read = request.idempotency_key.as_ref();
    assert_eq!(read.map(|read| HEXLOWER.encode(read.as_bytes())), key);
    assert_eq!(request.locale, locale(request.protocol, written));
}

fn check_lookup(lookup: &SessionLookup, protocol: Protocol) {
    assert_eq!(lookup.protocol, protocol);
    assert_eq!(lookup.user.is_some(), protocol == Protocol::Directory);
    if let SessionName::Id(id) = &lookup.session {
        assert_eq!(SessionId::parse(id.reveal()).as_ref(), Some(id));
        assert!(
            UserIdFormat::Uuid.fits(id.reveal()),
            "in lower case with hyphens"
        );
    }
}

/// Without `session`, a call is read only under `DirectorySession=latest`, and only with code and password.
fn check_latest(
    required: &Result<(SessionLookup, SetPasswordAction), Malformed>,
    latest: &Result<(SessionLookup, SetPasswordAction), Malformed>,
) {
    match (required, latest) {
        (Err(_), Err(_)) => {}
        (Ok(_), Ok((lookup, _))) => assert!(!matches!(lookup.session, SessionName::Latest)),
        (Err(error), Ok((lookup, action))) => {
            assert_eq!(Failure::from(*error).to_string(), "malformed: session");
            assert!(matches!(lookup.session, SessionName::Latest));
            assert!(matches!(action, SetPasswordAction::Both(..)));
        }
        (Ok(_), Err(error)) => panic!("refused with a session: {error:?}"),
    }
}

fn check_guess(guess: &CodeGuess) {
    if let CodeGuess::Code(code) = guess {
        let code = code.reveal();
        assert!(code.len() == 6 && code.bytes().all(|it| it.is_ascii_digit()));
    }
}

fn reasons(new: &NewPassword) -> Vec<Reason> {
    let policy = Policy {
        min_length: 8,
        service_name: "Regain".to_owned(),
    };
    let reasons = policy.check(&new.password);
    assert!(
        reasons.is_sorted_by(|one, next| one < next),
        "each once, in order"
    );
    reasons
}

/// The language of an answer: the one that the caller prefers, or else the protocol's default.
fn locale(protocol: Protocol, written: &Written<'_>) -> Locale {
    let header = written.text("accept-language").to_ascii_lowercase();
    let default = default_language(protocol);
    let chosen = Locale::negotiate(&header, default);
    // The header names the language, or refuses the default, or takes any.
    let language = chosen.tag().split('-').next().unwrap_or_default();
    let is_named = header.contains(language) || (chosen == Locale::Id && header.contains("in"));
    assert!(chosen == default || is_named || header.contains('*'));
    chosen
}
