//! The callers of the rank test: known and unknown addresses, and one call of an endpoint for each.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::ids::SessionId;
use regain::store::{Store, Suppression};
use regain_password::Address;
use serde_json::json;

use testkit::client::{Begun, Mobile, Web};
use testkit::eventually;
use testkit::people::{Person, new_address};
use testkit::stack::Stack;
use testkit::table::{Item, Table};

/// Whether somebody has the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Known,
    Unknown,
}

/// The endpoint that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    ForgotPassword,
    ResendOtp,
    VerifyOtp,
    UsersResend,
    SetPasswordCode,
    SetPasswordBoth,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 6] = [
        Self::ForgotPassword,
        Self::ResendOtp,
        Self::VerifyOtp,
        Self::UsersResend,
        Self::SetPasswordCode,
        Self::SetPasswordBoth,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ForgotPassword => "forgot-password",
            Self::ResendOtp => "resend-otp",
            Self::VerifyOtp => "verify-otp, wrong",
            Self::UsersResend => "users/resend",
            Self::SetPasswordCode => "setPassword, otp, wrong",
            Self::SetPasswordBoth => "setPassword, otp and password",
        }
    }

    const fn guesses(self) -> bool {
        matches!(
            self,
            Self::VerifyOtp | Self::SetPasswordCode | Self::SetPasswordBoth
        )
    }
}

/// Addresses of a side: enough that no one item is all there is to measure.
const ADDRESSES: usize = 60;
/// Guesses that a session takes, by its setting.
const GUESSES: usize = 20;
const PASSWORD: &str = "brass kettle on the moon";

/// The addresses of one side, and the sessions they began.
#[derive(Debug)]
struct People {
    addresses: Vec<String>,
    sessions: Vec<Option<Session>>,
    turn: usize,
}

#[derive(Debug)]
struct Session {
    begun: Begun,
    guesses_left: usize,
}

/// Calls an endpoint for either side.
#[derive(Debug)]
pub(crate) struct Caller {
    endpoint: Endpoint,
    mobile: Mobile,
    web: Web,
    table: Table,
    known: People,
    unknown: People,
    /// Sessions whose mail may still be on its way.
    mailed: Vec<String>,
}

impl Caller {
    /// Makes the people: of the known ones a third is blocked, and a third is mailed no more.
    pub(crate) async fn new(stack: &Stack, endpoint: Endpoint) -> Self {
        let table = Table::of(stack);
        let store = Store::new(table.client.clone(), table.name.clone());
        let mut known = Vec::new();
        for number in 0..ADDRESSES {
            let fields = match number % 3 {
                0 => json!({"status": "blocked"}),
                _ => json!({}),
            };
            let person = Person::with(stack, fields).await;
            if number % 3 == 1 {
                let address = Address::parse(&person.email).unwrap();
                let now = regain::ambient::now();
                let suppressed = store.suppress(&address, Suppression::Bounced, now, now);
                suppressed.await.unwrap();
            }
            known.push(person.email);
        }
        let unknown = (0..ADDRESSES).map(|_| new_address()).collect();
        let mut caller = Self {
            endpoint,
            mobile: Mobile::of(stack),
            web: Web::of(stack),
            table,
            known: People::new(known),
            unknown: People::new(unknown),
            mailed: Vec::new(),
        };
        for side in [Side::Known, Side::Unknown].repeat(ADDRESSES) {
            caller.prepare(side).await;
            caller.people(side).turn += 1;
        }
        caller
    }

    fn people(&mut self, side: Side) -> &mut People {
        match side {
            Side::Known => &mut self.known,
            Side::Unknown => &mut self.unknown,
        }
    }

    /// Sees to it that who is next has a session with a guess left, if one is needed.
    pub(crate) async fn prepare(&mut self, side: Side) {
        let endpoint = self.endpoint;
        let people = self.people(side);
        let has_session = people
            .next()
            .1
            .as_ref()
            .is_some_and(|it| it.guesses_left > 0 || !endpoint.guesses());
        let email = people.next().0.clone();
        let begun = match endpoint {
            Endpoint::ForgotPassword | Endpoint::UsersResend => return,
            _ if has_session => return,
            Endpoint::ResendOtp | Endpoint::VerifyOtp => Begun {
                id: String::new(),
                session: self.mobile.begin(&email).await,
            },
            Endpoint::SetPasswordCode | Endpoint::SetPasswordBoth => self.web.begin(&email).await,
        };
        self.mailed.push(begun.session.clone());
        *self.people(side).next().1 = Some(Session {
            begun,
            guesses_left: GUESSES,
        });
        // A session begins with a mail, which is not to be on its way while times are taken.
        self.silence().await;
    }

    /// Makes the call, for who is next.
    pub(crate) async fn call(&mut self, side: Side) {
        let endpoint = self.endpoint;
        let (email, session) = self.people(side).next();
        let email = email.clone();
        let begun = session.as_mut().map(|session| {
            session.guesses_left = session.guesses_left.saturating_sub(1);
            session.begun.clone()
        });
        self.people(side).turn += 1;
        let begun = || begun.as_ref().expect("a session");
        match endpoint {
            Endpoint::ForgotPassword => {
                let session = self.mobile.begin(&email).await;
                self.mailed.push(session);
            }
            Endpoint::UsersResend => {
                let session = self.web.begin(&email).await.session;
                self.mailed.push(session);
            }
            Endpoint::ResendOtp => {
                let session = self.mobile.resend(&begun().session).await.word();
                self.mailed.push(session);
            }
            // One code in a million would be right; the answer tells.
            Endpoint::VerifyOtp => {
                let answer = self.mobile.verify(&begun().session, "271828").await;
                answer.refused("otp_invalid");
            }
            Endpoint::SetPasswordCode => {
                let answer = self.web.verify(begun(), "271828").await;
                answer.refused("DI_UVO_OINV");
            }
            Endpoint::SetPasswordBoth => {
                let answer = self.web.set_both(begun(), "271828", PASSWORD).await;
                answer.refused("DI_UVO_OINV");
            }
        }
    }

    /// Waits until every mail that was asked for has its outcome.
    pub(crate) async fn silence(&mut self) {
        for session in std::mem::take(&mut self.mailed) {
            let reference = SessionId::parse(&session)
                .expect("a session id")
                .reference();
            eventually("the mail has its outcome", async || {
                let key = format!("SESSION#{}", reference.hex());
                let generation = number(&self.table.get(&key).await?, "generation");
                let key = format!("MAIL#{}#{generation}", reference.hex());
                let mail = self.table.get(&key).await?;
                mail.contains_key("outcome").then_some(())
            })
            .await;
        }
    }
}

impl People {
    fn new(addresses: Vec<String>) -> Self {
        let sessions = addresses.iter().map(|_| None).collect();
        Self {
            addresses,
            sessions,
            turn: 0,
        }
    }

    fn next(&mut self) -> (&String, &mut Option<Session>) {
        let turn = self.turn % self.addresses.len();
        (&self.addresses[turn], &mut self.sessions[turn])
    }
}

fn number(item: &Item, name: &str) -> String {
    let value = item.get(name).map(AttributeValue::as_n);
    value.expect(name).expect("a number").clone()
}
