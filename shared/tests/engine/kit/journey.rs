//! The steps of a recovery, as its callers take them.

use std::net::IpAddr;

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::code::{Code, CodeInput, CodeKeys, Nonce};
use regain::ids::{IdempotencyKey, ResetToken, SessionId, UserId};
use regain::keys::IndexKeys;
use regain::link::LinkToken;
use regain::not_me::NotMeToken;
use regain::recovery::{
    CodeGuess, NewPassword, PasswordToken, RecoveryError, Request, SessionLookup, SessionName,
    Started,
};
use regain::store::SessionOrigin;
use regain::stream::StreamBatch;
use regain::template::Template;
use regain::timestamp::Timestamp;
use regain::users::User;
use regain_password::{Candidate, Hasher, PasswordHash};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{CALLER, CODE_SECRET, INDEX_SECRET, Kit, LOCALE, Mail, address};

/// The result of a proven code: a reset token in auth/v1, the user in the Directory API.
#[derive(Debug)]
pub(crate) enum Verified {
    Token(ResetToken),
    User,
}

/// A code as a caller types it.
pub(crate) fn typed(code: &str) -> CodeGuess {
    let length = regain::code::CodeLength::new(u8::try_from(code.len()).unwrap_or_default());
    match length.and_then(|length| Code::parse(code, length)) {
        Some(code) => CodeGuess::Code(code),
        None => CodeGuess::Malformed,
    }
}

/// A code of the same length that is another one.
pub(crate) fn wrong(code: &str) -> String {
    let (rest, last) = code.split_at(code.len() - 1);
    let digit: u32 = last.parse().unwrap();
    format!("{rest}{}", (digit + 1) % 10)
}

pub(crate) fn new_password(password: &str) -> NewPassword {
    NewPassword {
        password: Candidate::new(Zeroizing::new(password.to_owned())),
        locale: LOCALE,
    }
}

/// A hash of the password, as cheap as settings allow.
pub(crate) async fn hashed(password: &str) -> PasswordHash {
    let password = Candidate::new(Zeroizing::new(password.to_owned()));
    let hasher = Hasher::new(19_456, 2, 1).unwrap();
    hasher.hash(&password, [7; 16]).unwrap()
}

/// How auth/v1 names a session.
pub(crate) fn in_auth(session: &SessionId) -> SessionLookup {
    SessionLookup {
        protocol: Protocol::AuthV1,
        session: SessionName::Id(session.clone()),
        user: None,
    }
}

/// How the Directory API names a session.
pub(crate) fn in_directory(started: &Started) -> SessionLookup {
    SessionLookup {
        protocol: Protocol::Directory,
        session: SessionName::Id(started.session.clone()),
        user: started.user.clone(),
    }
}

/// How the Directory API means the newest session.
pub(crate) fn newest(user: &UserId) -> SessionLookup {
    SessionLookup {
        protocol: Protocol::Directory,
        session: SessionName::Latest,
        user: Some(user.clone()),
    }
}

/// How a session is named by the client that began it.
pub(crate) fn named(started: &Started) -> SessionLookup {
    match started.user {
        None => in_auth(&started.session),
        Some(_) => in_directory(started),
    }
}

/// The request that a client of that protocol makes.
pub(crate) fn request(protocol: Protocol, email: &str) -> Request {
    Request {
        protocol,
        address: address(email),
        template: match protocol {
            Protocol::Directory => Template::DirectorySessionForgot,
            Protocol::AuthV1 => Template::AuthV1ForgotPassword,
        },
        origin: SessionOrigin::default(),
        locale: LOCALE,
        idempotency_key: None,
    }
}

/// [`request`] with an `Idempotency-Key`.
pub(crate) fn keyed(protocol: Protocol, email: &str) -> Request {
    keyed_with(KEY, protocol, email)
}

pub(crate) fn keyed_with(key: &str, protocol: Protocol, email: &str) -> Request {
    Request {
        idempotency_key: Some(IdempotencyKey::parse(key).unwrap()),
        ..request(protocol, email)
    }
}

const KEY: &str = "4f9a3f0e-7c1d-4b57-9f2c-1d2e3f40516a";

impl Kit {
    /// Asks for a code.
    pub(crate) async fn request(
        &self,
        request: Request,
        at: Timestamp,
    ) -> Result<Started, RecoveryError> {
        self.recovery.request(&mut self.call(at), request).await
    }

    pub(crate) async fn request_from(
        &self,
        network: IpAddr,
        request: Request,
        at: Timestamp,
    ) -> Result<Started, RecoveryError> {
        let mut call = self.call_from(network, at);
        self.recovery.request(&mut call, request).await
    }

    /// Asks for a code, which is granted.
    pub(crate) async fn start(&self, protocol: Protocol, email: &str, at: Timestamp) -> Started {
        self.request(request(protocol, email), at).await.unwrap()
    }

    /// Asks for another code.
    pub(crate) async fn resend(
        &self,
        session: &SessionId,
        at: Timestamp,
    ) -> Result<SessionId, RecoveryError> {
        self.resend_from(CALLER, session, at).await
    }

    pub(crate) async fn resend_from(
        &self,
        network: IpAddr,
        session: &SessionId,
        at: Timestamp,
    ) -> Result<SessionId, RecoveryError> {
        let mut call = self.call_from(network, at);
        self.recovery
            .resend(&mut call, &in_auth(session), LOCALE)
            .await
    }

    /// Has the code checked, by the endpoint that the session's protocol has for it.
    pub(crate) async fn verify(
        &self,
        started: &Started,
        code: &str,
        at: Timestamp,
    ) -> Result<Verified, RecoveryError> {
        let (named, guess) = (named(started), typed(code));
        match named.protocol {
            Protocol::AuthV1 => self
                .recovery
                .verify_for_token(&mut self.call(at), &named, &guess)
                .await
                .map(Verified::Token),
            Protocol::Directory => self
                .recovery
                .verify(&mut self.call(at), &named, &guess)
                .await
                .map(|_| Verified::User),
        }
    }

    /// Sets the password with what a proven code gave.
    pub(crate) async fn set_password(
        &self,
        started: &Started,
        proof: &Verified,
        password: &str,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        match proof {
            Verified::Token(token) => self.set_by_token(Some(token.clone()), password, at).await,
            Verified::User => self.set_in_directory(started, password, at).await,
        }
    }

    pub(crate) async fn set_by_token(
        &self,
        token: Option<ResetToken>,
        password: &str,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        self.recovery
            .set_password_by_token(
                &mut self.call(at),
                token.map(PasswordToken::Reset),
                new_password(password),
            )
            .await
    }

    /// Sets the password by a mail's link.
    pub(crate) async fn set_by_link(
        &self,
        token: &LinkToken,
        password: &str,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        let token = Some(PasswordToken::Link(token.clone()));
        let mut call = self.call(at);
        let new = new_password(password);
        self.recovery
            .set_password_by_token(&mut call, token, new)
            .await
    }

    /// The token of the link in the newest mail that is delivered now.
    pub(crate) async fn link(&self, at: Timestamp) -> LinkToken {
        let mails = self.mailed(at).await;
        let mail = mails
            .iter()
            .find(|mail| mail.data["link"].is_string())
            .unwrap();
        let link = mail.data["link"].as_str().unwrap();
        let (page, token) = link.split_once("#t=").unwrap();
        assert_eq!(page, super::RECOVERY_PAGE);
        LinkToken::parse(token).unwrap()
    }

    /// The token of the newest notice that is delivered now.
    pub(crate) async fn notice(&self, at: Timestamp) -> NotMeToken {
        let mails = self.mailed(at).await;
        let mut links = mails.iter().filter_map(|it| it.data["notMeLink"].as_str());
        let (page, token) = links.next_back().unwrap().split_once("#n=").unwrap();
        assert_eq!(page, super::RECOVERY_PAGE);
        assert!(token.bytes().all(|it| it.is_ascii_lowercase()), "{token}");
        NotMeToken::parse(token).unwrap()
    }

    pub(crate) async fn set_in_directory(
        &self,
        started: &Started,
        password: &str,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        self.recovery
            .set_password(
                &mut self.call(at),
                &in_directory(started),
                new_password(password),
            )
            .await
    }

    /// Code and password at once.
    pub(crate) async fn set_with_code(
        &self,
        started: &Started,
        code: &str,
        password: &str,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        self.recovery
            .set_password_with_code(
                &mut self.call(at),
                &in_directory(started),
                &typed(code),
                new_password(password),
            )
            .await
    }

    /// Delivers every mail that has no outcome yet, and returns the keys to be tried again.
    pub(crate) async fn deliver(&self, at: Timestamp) -> Vec<String> {
        let dump = self.dump().await;
        let open: Vec<String> = dump
            .into_iter()
            .filter(|(key, item)| key.starts_with("MAIL#") && !item.contains_key("outcome"))
            .map(|(key, _)| key)
            .collect();
        self.deliver_keys(&open, at).await
    }

    /// Hands deliver-mail the stream's records of these keys, and returns those to be tried again.
    pub(crate) async fn deliver_keys(&self, keys: &[String], at: Timestamp) -> Vec<String> {
        self.deliver_by(keys, || at).await
    }

    /// [`Kit::deliver_keys`] by a clock that goes.
    pub(crate) async fn deliver_by(
        &self,
        keys: &[String],
        clock: impl Fn() -> Timestamp,
    ) -> Vec<String> {
        let mut again = self.hand_over(keys, clock).await;
        // A mail that failed has an item of its own, by which the stream delivers it again.
        for retry in self.keys("RETRY#").await {
            self.delete(&retry).await;
            again.push(retry.splitn(3, '#').nth(2).unwrap().to_owned());
        }
        again.sort();
        again
    }

    /// Hands deliver-mail the stream's records of these keys, and returns those that it reports as failed.
    pub(crate) async fn hand_over(
        &self,
        keys: &[String],
        clock: impl Fn() -> Timestamp,
    ) -> Vec<String> {
        let records: Vec<Value> = keys
            .iter()
            .map(|key| {
                json!({
                    "eventName": "INSERT",
                    "dynamodb": { "Keys": { "pk": { "S": key } }, "SequenceNumber": key },
                })
            })
            .collect();
        let batch: StreamBatch = serde_json::from_value(json!({ "Records": records })).unwrap();
        let mut rng = self.rng();
        let result = self.delivery.deliver_batch(batch, clock, &mut rng);
        let result = result.await.unwrap();
        let result = serde_json::to_value(result).unwrap();
        result["batchItemFailures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Delivers all open mail requests, and returns the mails.
    pub(crate) async fn mailed(&self, at: Timestamp) -> Vec<Mail> {
        let before = self.ses.mails().len();
        assert_eq!(self.deliver(at).await, Vec::<String>::new());
        self.ses.mails().split_off(before)
    }

    /// The code that a person now finds in the mailbox: the newest one.
    pub(crate) async fn code(&self, at: Timestamp) -> String {
        let mails = self.mailed(at).await;
        assert_eq!(mails.len(), 1, "one mail with a code");
        mails[0].code()
    }

    /// What the session's item holds.
    pub(crate) async fn session_item(
        &self,
        session: &SessionId,
    ) -> std::collections::BTreeMap<String, AttributeValue> {
        self.item(&format!("SESSION#{}", session.reference().hex()))
            .await
            .unwrap()
    }

    /// Guesses charged to the session and not given back.
    pub(crate) async fn guesses(&self, session: &SessionId) -> u32 {
        names(&self.session_item(session).await, "tries")
    }

    /// Guesses charged to the address on the day of `at` and not given back.
    pub(crate) async fn guesses_today(&self, email: &str, at: Timestamp) -> u32 {
        let key = format!("ADDRESS#{}", index().address(&address(email)).hex());
        let item = self.item(&key).await.unwrap_or_default();
        names(&item, &format!("triesDay{}", at.day()))
    }

    /// The code that the session's item leads to, mailed or not: what only who has the code key can
    /// tell.
    pub(crate) async fn derived(&self, session: &SessionId) -> String {
        self.derived_with(CODE_SECRET, session).await
    }

    pub(crate) async fn derived_with(&self, secret: &str, session: &SessionId) -> String {
        let length = self.settings().code_length;
        let derive =
            |keys: &CodeKeys, input: &CodeInput<'_>| keys.derive(input, length).reveal().to_owned();
        self.derived_by(secret, session, derive).await
    }

    /// The token of the link that the session's item leads to.
    pub(crate) async fn derived_link(&self, session: &SessionId) -> LinkToken {
        self.derived_link_with(CODE_SECRET, session).await
    }

    pub(crate) async fn derived_link_with(&self, secret: &str, session: &SessionId) -> LinkToken {
        self.derived_by(secret, session, CodeKeys::derive_link)
            .await
    }

    async fn derived_by<T>(
        &self,
        secret: &str,
        session: &SessionId,
        derive: impl Fn(&CodeKeys, &CodeInput<'_>) -> T,
    ) -> T {
        let item = self.session_item(session).await;
        let text = |name: &str| item[name].as_s().unwrap().clone();
        let key = index().address(&address(&text("address")));
        let input = CodeInput {
            protocol: match text("protocol").as_str() {
                "directory" => Protocol::Directory,
                _ => Protocol::AuthV1,
            },
            session: &session.reference(),
            generation: item["generation"].as_n().unwrap().parse().unwrap(),
            address: &key,
            nonce: &Nonce::from_hex(&text("nonce")).unwrap(),
        };
        derive(&CodeKeys::new(secret.as_bytes(), &[]), &input)
    }

    /// Code and password at once, for the newest session that was answered with that id.
    pub(crate) async fn set_in_newest(
        &self,
        user: &UserId,
        code: &str,
        password: &str,
        at: Timestamp,
    ) -> Result<User, RecoveryError> {
        self.recovery
            .set_password_with_code(
                &mut self.call(at),
                &newest(user),
                &typed(code),
                new_password(password),
            )
            .await
    }

    /// The id of a session that nobody began.
    pub(crate) fn unknown_session(&self) -> Started {
        Started {
            session: SessionId::draw(&mut self.rng()),
            user: None,
            at: super::NOON,
        }
    }

    /// The same session, named with another user's id.
    pub(crate) fn with_other_user(&self, started: &Started) -> Started {
        Started {
            user: Some(UserId::draw(
                self.settings().user_id_format,
                &mut self.rng(),
            )),
            ..started.clone()
        }
    }
}

fn index() -> IndexKeys {
    IndexKeys::new(INDEX_SECRET.as_bytes())
}

/// How many names of guesses an attribute holds.
pub(crate) fn names<'a, I>(item: &'a I, attribute: &str) -> u32
where
    &'a I: IntoIterator<Item = (&'a String, &'a AttributeValue)>,
{
    let set = item.into_iter().find(|(name, _)| *name == attribute);
    set.map_or(0, |(_, set)| set.as_bs().unwrap().len().try_into().unwrap())
}

pub(crate) fn number(value: &AttributeValue) -> u32 {
    value.as_n().unwrap().parse().unwrap()
}
