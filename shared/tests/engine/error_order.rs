//! The order of errors: which one is answered when several apply. A refused call changes nothing.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::ids::UserId;
use regain::recovery::Started;
use regain::timestamp::Timestamp;
use regain_password::Reason;
use serde_json::json;

use crate::kit::{
    ANN, Dump, Kit, NOON, Outcome, PASSWORD, Verified, address, blocked, later, outcome_of, wrong,
};

const TOO_SHORT: Reason = Reason::TooShort { minimum: 8 };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    No,
    Session,
    Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Right,
    Wrong,
    Malformed,
}

/// Everything that may be wrong with a guess at once.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may be wrong or not, in every combination"
)]
struct Flaws {
    session_expired: bool,
    void: bool,
    other_user: bool,
    spent: Spent,
    code_expired: bool,
    sent: Sent,
}

impl Flaws {
    fn all(protocol: Protocol) -> Vec<Self> {
        let mut all = Vec::new();
        for bits in 0..16 {
            for spent in [Spent::No, Spent::Session, Spent::Day] {
                for sent in [Sent::Right, Sent::Wrong, Sent::Malformed] {
                    let flaws = Self {
                        session_expired: bits & 1 != 0,
                        void: bits & 2 != 0,
                        other_user: bits & 4 != 0,
                        spent,
                        code_expired: bits & 8 != 0,
                        sent,
                    };
                    if protocol == Protocol::Directory || !flaws.other_user {
                        all.push(flaws);
                    }
                }
            }
        }
        all
    }

    fn at(self) -> Timestamp {
        later(match (self.session_expired, self.code_expired) {
            (true, _) => 1800,
            (false, true) => 1799,
            (false, false) => 5,
        })
    }

    /// The contract's order of a guess's checks, as far as these flaws go.
    fn told_first(self, otherwise: Outcome) -> Outcome {
        if self.session_expired {
            Outcome::Over
        } else if self.other_user {
            Outcome::OtherUser
        } else if self.spent == Spent::Session {
            Outcome::Spent
        } else if self.sent == Sent::Malformed {
            Outcome::CodeWrong
        } else if self.code_expired {
            Outcome::CodeExpired
        } else if self.spent == Spent::Day {
            Outcome::SpentUntil(self.at().next_day())
        } else if self.sent == Sent::Wrong {
            Outcome::CodeWrong
        } else if self.void {
            Outcome::CodeExpired
        } else {
            otherwise
        }
    }

    /// A session of that address with these flaws, and the code that is sent for it.
    async fn prepare(self, kit: &Kit, protocol: Protocol, email: &str) -> (Started, String) {
        let user = kit.user(email).await;
        if self.spent == Spent::Day {
            let earlier = kit.start(protocol, email, NOON).await;
            let code = kit.derived(&earlier.session).await;
            let guess = kit.verify(&earlier, &wrong(&code), NOON).await;
            assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
        }
        let started = kit.start(protocol, email, NOON).await;
        let code = kit.derived(&started.session).await;
        if self.spent == Spent::Session {
            let guess = kit.verify(&started, &wrong(&code), NOON).await;
            assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
        }
        if self.void {
            let changed = AttributeValue::N(NOON.millis().to_string());
            kit.change_user(&user, "passwordChangedAt", changed).await;
        }
        let sent = match self.sent {
            Sent::Right => code,
            Sent::Wrong => wrong(&code),
            Sent::Malformed => "12a456".to_owned(),
        };
        let named = if self.other_user {
            kit.with_other_user(&started)
        } else {
            started
        };
        (named, sent)
    }
}

/// The table, except for when its items end: a guess that is given back has kept the address's counts longer.
async fn all_but_lifetimes(kit: &Kit) -> Dump {
    let mut dump = kit.dump().await;
    for item in dump.values_mut() {
        item.remove("expiresAt");
    }
    dump
}

/// One wrong guess is enough to spend a session or a day.
async fn strict() -> Kit {
    Kit::with(&[("CODE_MAX_ATTEMPTS", "1"), ("ACCOUNT_GUESSES_PER_DAY", "1")]).await
}

/// Small tables keep the dumps small.
async fn fresh_now_and_then(kit: Kit, number: usize) -> Kit {
    if number % 8 == 7 { strict().await } else { kit }
}

#[tokio::test]
async fn a_refused_guess_names_the_first_reason_in_order_and_changes_nothing_else() {
    for protocol in [Protocol::Directory, Protocol::AuthV1] {
        let mut kit = strict().await;
        for (number, flaws) in Flaws::all(protocol).into_iter().enumerate() {
            kit = fresh_now_and_then(kit, number).await;
            let email = format!("user{number}@example.com");
            let (started, sent) = flaws.prepare(&kit, protocol, &email).await;
            let before = all_but_lifetimes(&kit).await;
            let answer = outcome_of(&kit.verify(&started, &sent, flaws.at()).await);
            assert_eq!(
                answer,
                flaws.told_first(Outcome::Done),
                "{protocol:?} {flaws:?}"
            );
            let judged = match answer {
                Outcome::Done => true,
                Outcome::CodeWrong => flaws.sent == Sent::Wrong,
                _ => false,
            };
            let after = all_but_lifetimes(&kit).await;
            assert_eq!(after != before, judged, "{protocol:?} {flaws:?}");
        }
    }
}

#[tokio::test]
async fn a_code_sent_with_a_password_is_judged_in_the_same_order() {
    let mut kit = strict().await;
    let judged_alike = |flaws: &Flaws| flaws.sent != Sent::Malformed;
    let flaws = Flaws::all(Protocol::Directory)
        .into_iter()
        .filter(judged_alike);
    for (number, flaws) in flaws.enumerate() {
        kit = fresh_now_and_then(kit, number).await;
        let email = format!("user{number}@example.com");
        let (started, sent) = flaws.prepare(&kit, Protocol::Directory, &email).await;
        let before = kit.dump().await;
        for (password, reason) in [
            ("short", TOO_SHORT),
            ("Regain", TOO_SHORT),
            ("password123", Reason::TooCommon),
        ] {
            let answer = outcome_of(
                &kit.set_with_code(&started, &sent, password, flaws.at())
                    .await,
            );
            let Outcome::Password(reasons) = answer else {
                panic!("{answer:?} is told before the policy: {flaws:?}");
            };
            assert!(reasons.contains(&reason), "{password} {flaws:?}");
        }
        let own = outcome_of(&kit.set_with_code(&started, &sent, &email, flaws.at()).await);
        let expected = match flaws.told_first(Outcome::Done) {
            Outcome::Over => Outcome::Over,
            _ => Outcome::Password(vec![Reason::ContainsAddress]),
        };
        assert_eq!(own, expected, "{flaws:?}");
        assert_eq!(
            kit.dump().await,
            before,
            "no policy moves anything: {flaws:?}"
        );
        let answer = outcome_of(
            &kit.set_with_code(&started, &sent, PASSWORD, flaws.at())
                .await,
        );
        assert_eq!(answer, flaws.told_first(Outcome::Done), "{flaws:?}");
    }
}

#[tokio::test]
async fn a_password_without_a_code_is_refused_in_order_and_never_for_spent_guesses() {
    let mut kit = strict().await;
    let any_code = |flaws: &Flaws| flaws.sent == Sent::Right;
    let flaws = Flaws::all(Protocol::Directory).into_iter().filter(any_code);
    for (number, flaws) in flaws.enumerate() {
        kit = fresh_now_and_then(kit, number).await;
        let email = format!("user{number}@example.com");
        let (started, _) = flaws.prepare(&kit, Protocol::Directory, &email).await;
        let before = kit.dump().await;
        let over = flaws.session_expired;
        let short = outcome_of(&kit.set_in_directory(&started, "short", flaws.at()).await);
        assert_eq!(short, Outcome::Password(vec![TOO_SHORT]), "{flaws:?}");
        let own = outcome_of(&kit.set_in_directory(&started, &email, flaws.at()).await);
        let set = outcome_of(&kit.set_in_directory(&started, PASSWORD, flaws.at()).await);
        if over {
            assert_eq!((own, set), (Outcome::Over, Outcome::Over), "{flaws:?}");
        } else {
            assert_eq!(
                own,
                Outcome::Password(vec![Reason::ContainsAddress]),
                "{flaws:?}"
            );
            let other = if flaws.other_user {
                Outcome::OtherUser
            } else {
                Outcome::CodeWrong
            };
            assert_eq!(set, other, "{flaws:?}");
        }
        assert_eq!(kit.dump().await, before, "{flaws:?}");
    }
}

#[tokio::test]
async fn another_code_is_refused_in_order_and_only_for_the_sessions_own_guesses() {
    let mut kit = strict().await;
    let any_code = |flaws: &Flaws| flaws.sent == Sent::Right;
    let flaws = Flaws::all(Protocol::AuthV1).into_iter().filter(any_code);
    for (number, flaws) in flaws.enumerate() {
        kit = fresh_now_and_then(kit, number).await;
        let email = format!("user{number}@example.com");
        let (started, _) = flaws.prepare(&kit, Protocol::AuthV1, &email).await;
        let before = kit.dump().await;
        let answer = outcome_of(&kit.resend(&started.session, flaws.at()).await);
        let expected = if flaws.session_expired {
            Outcome::Over
        } else if flaws.spent == Spent::Session {
            Outcome::Spent
        } else {
            Outcome::Done
        };
        assert_eq!(answer, expected, "{flaws:?}");
        assert_eq!(
            kit.dump().await == before,
            expected != Outcome::Done,
            "{flaws:?}"
        );
    }
}

#[tokio::test]
async fn a_session_that_nobody_began_does_not_exist() {
    let kit = Kit::new().await;
    let unknown = kit.unknown_session();
    let other = kit.with_other_user(&unknown);
    for guess in ["123456", "malformed"] {
        assert_eq!(
            outcome_of(&kit.verify(&unknown, guess, NOON).await),
            Outcome::NoSession
        );
        assert_eq!(
            outcome_of(&kit.verify(&other, guess, NOON).await),
            Outcome::NoSession
        );
        let both = kit.set_with_code(&other, guess, PASSWORD, NOON).await;
        assert_eq!(outcome_of(&both), Outcome::NoSession);
    }
    assert_eq!(
        outcome_of(&kit.set_in_directory(&other, PASSWORD, NOON).await),
        Outcome::NoSession
    );
    assert_eq!(
        outcome_of(&kit.resend(&unknown.session, NOON).await),
        Outcome::NoSession
    );
    assert_eq!(
        outcome_of(&kit.set_by_token(None, PASSWORD, NOON).await),
        Outcome::TokenUnknown
    );
    assert!(kit.dump().await.is_empty());
}

#[tokio::test]
async fn a_malformed_id_names_no_session() {
    let kit = Kit::new().await;
    let named = regain::recovery::SessionLookup {
        protocol: Protocol::Directory,
        session: regain::recovery::SessionName::Malformed,
        user: Some(UserId::sent("whoever")),
    };
    let guess = crate::kit::typed("123456");
    assert_eq!(
        outcome_of(
            &kit.recovery
                .verify(&mut kit.call(NOON), &named, &guess)
                .await
        ),
        Outcome::NoSession
    );
}

#[tokio::test]
async fn a_refused_password_is_reported_before_an_unknown_token() {
    let kit = Kit::new().await;
    let set = kit.set_by_token(None, "short", NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Password(vec![TOO_SHORT]));
}

#[tokio::test]
async fn a_blocked_user_is_told_so_before_a_password_in_the_profile_is_refused() {
    let kit = Kit::new().await;
    let attributes = json!({ "email": ANN, "profile": { "fullName": "Ann Catherine Smith" } });
    let user = kit.user_like(attributes).await;
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.change_user(&user, "status", blocked()).await;
    let name = "Ann Catherine Smith";
    let set = kit.set_with_code(&started, &wrong(&code), name, NOON).await;
    assert_eq!(
        outcome_of(&set),
        Outcome::CodeWrong,
        "nothing is told before the code is proven"
    );
    let set = kit.set_with_code(&started, &code, name, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Blocked);
}

#[tokio::test]
async fn a_password_refused_for_the_profile_leaves_the_session_validated() {
    let kit = Kit::new().await;
    let attributes = json!({ "email": ANN, "profile": { "fullName": "Ann Catherine Smith" } });
    let user = kit.user_like(attributes).await;
    let refused = Outcome::Password(vec![Reason::ContainsProfile]);
    let started = kit.start(Protocol::Directory, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let set = kit
        .set_with_code(&started, &code, "anncatherine smith", NOON)
        .await;
    assert_eq!(outcome_of(&set), refused);
    let again = kit
        .set_in_directory(&started, "Ann Catherine Smith", NOON)
        .await;
    assert_eq!(outcome_of(&again), refused, "and so does the next one");
    let stored = kit.stored(&user).await;
    assert_eq!(
        (stored.password_hash, stored.credentials_version),
        (None, 0.into())
    );
    assert!(
        stored.is_email_validate,
        "the mailbox is proven all the same"
    );
    assert_eq!(kit.guesses_today(ANN, NOON).await, 0);
    let code_again = kit.set_with_code(&started, &code, PASSWORD, NOON).await;
    assert_eq!(
        outcome_of(&code_again),
        Outcome::CodeWrong,
        "the code is used"
    );
    let set = kit.set_in_directory(&started, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}

#[tokio::test]
async fn auth_v1_checks_the_password_against_the_profile_once_the_token_is_known() {
    let kit = Kit::new().await;
    kit.user_like(json!({ "email": ANN, "phone": "+62 811 0000 1234" }))
        .await;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let proof = kit.verify(&started, &code, NOON).await.unwrap();
    assert!(matches!(proof, Verified::Token(_)));
    for (password, reason) in [
        (address(ANN).as_str(), Reason::ContainsAddress),
        ("+6281100001234", Reason::ContainsProfile),
    ] {
        let set = kit.set_password(&started, &proof, password, NOON).await;
        assert_eq!(outcome_of(&set), Outcome::Password(vec![reason]));
    }
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::Done);
}
