//! Recoveries of users who live elsewhere.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::audit::Means;
use regain::ids::UserId;
use regain::keys::IndexKeys;
use regain::link::LinkToken;
use regain::mail::events::{MailEvent, MailEvents};
use regain::recovery::{RecoveryError, Started};
use regain::store::{Mailbox, PasswordChange};
use regain::users::{CredentialsVersion, User};
use regain_password::{Candidate, Cost, PasswordHash, Reason};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::kit::{
    ANN, ElsewhereUser, Failure, INDEX_SECRET, Kit, LOCALE, NOBODY, NOON, Outcome, PASSWORD,
    StoreFault, Verified, Veto, address, later, outcome_of, wrong,
};

const BOTH: [Protocol; 2] = [Protocol::AuthV1, Protocol::Directory];

/// With Ann elsewhere, and nobody in the table.
async fn with_ann() -> Kit {
    let kit = Kit::elsewhere(&[]).await;
    kit.users.put(ElsewhereUser::of(ANN));
    kit
}

/// How a password is set, once a code was mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Token,
    Session,
    Code,
    Link,
}

const WAYS: [Way; 4] = [Way::Token, Way::Session, Way::Code, Way::Link];

impl Way {
    fn protocol(self) -> Protocol {
        match self {
            Self::Token => Protocol::AuthV1,
            Self::Session | Self::Code | Self::Link => Protocol::Directory,
        }
    }
}

/// A recovery of Ann that has come as far as the setting of the password.
struct Ready {
    way: Way,
    started: Started,
    code: String,
    link: LinkToken,
    proof: Option<Verified>,
}

impl Ready {
    async fn new(kit: &Kit, way: Way) -> Self {
        let started = kit.start(way.protocol(), ANN, NOON).await;
        let link = kit.link(NOON).await;
        let code = kit.derived(&started.session).await;
        let proof = match way {
            Way::Token | Way::Session => Some(kit.verify(&started, &code, NOON).await.unwrap()),
            Way::Code | Way::Link => None,
        };
        kit.users.reset();
        kit.log.reset();
        Self {
            way,
            started,
            code,
            link,
            proof,
        }
    }

    async fn set(&self, kit: &Kit, password: &str, seconds: u64) -> Result<User, RecoveryError> {
        let (started, at) = (&self.started, later(seconds));
        match (self.way, &self.proof) {
            (Way::Code, _) => kit.set_with_code(started, &self.code, password, at).await,
            (Way::Link, _) => kit.set_by_link(&self.link, password, at).await,
            (_, proof) => {
                let proof = proof.as_ref().unwrap();
                kit.set_password(started, proof, password, at).await
            }
        }
    }

    async fn outcome(&self, kit: &Kit, seconds: u64) -> Outcome {
        outcome_of(&self.set(kit, PASSWORD, seconds).await)
    }
}

/// The notices that are asked for and not mailed yet.
async fn notices(kit: &Kit) -> usize {
    let mails = kit.keys("MAIL#").await;
    mails.iter().filter(|key| key.ends_with("#changed")).count()
}

#[tokio::test]
async fn a_password_is_set_elsewhere_by_each_way() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        let user = ready.set(&kit, PASSWORD, 1).await.unwrap();
        assert_eq!(user.id.as_str(), "id of ann@example.com", "{way:?}");
        assert!(user.is_email_validate, "{way:?}");
        let ann = kit.users.user(ANN);
        assert_eq!((ann.times_set, ann.version), (1, 1), "{way:?}");
        let hash = PasswordHash::parse(&ann.password.unwrap()).unwrap();
        let password = Candidate::new(Zeroizing::new(PASSWORD.to_owned()));
        let cost = Cost::new(19_456, 2, 1).unwrap();
        let verified = regain_password::verify(&password, &hash, &cost);
        assert_eq!(verified, regain_password::Verified::Yes, "{way:?}");
        assert_eq!(kit.users.operations(), ["find", "set-password"], "{way:?}");
        assert_eq!(ready.outcome(&kit, 2).await, Outcome::Over, "{way:?}");
        let mails = kit.mailed(later(2)).await;
        assert_eq!(mails.len(), 1, "{way:?}");
        assert_eq!(mails[0].to, [ANN], "{way:?}");
        for kind in ["USER#", "EMAIL#"] {
            assert!(kit.keys(kind).await.is_empty(), "{kind}");
        }
    }
}

#[tokio::test]
async fn questions_are_of_the_form_that_every_user_store_reads() {
    let kit = with_ann().await;
    let id = "id of ann@example.com";
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let token = Ready::new(&kit, Way::Token).await;
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    kit.verify(&started, &code, NOON).await.unwrap();
    let mut asked = kit.users.questions();
    let key = asked[1]["key"].take();
    assert_eq!(
        asked,
        [
            json!({ "version": 1, "operation": "find", "address": ANN }),
            json!({
                "version": 1, "operation": "email-proven", "id": id, "address": ANN, "key": null,
            }),
        ]
    );
    assert!(is_key(&key), "{key}");
    kit.users.reset();
    token.set(&kit, PASSWORD, 1).await.unwrap();
    let mut asked = kit.users.questions();
    let (key, hash) = (asked[1]["key"].take(), asked[1]["passwordHash"].take());
    assert_eq!(
        asked,
        [
            json!({ "version": 1, "operation": "find", "id": id }),
            json!({
                "version": 1, "operation": "set-password", "id": id, "address": ANN,
                "credentialsVersion": "v0", "key": null, "passwordHash": null, "emailProven": true,
            }),
        ]
    );
    assert!(is_key(&key), "{key}");
    assert!(hash.as_str().unwrap().starts_with("$argon2id$"), "{hash}");
}

/// Whether this is 64 hexadecimal digits in lower case.
fn is_key(key: &Value) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    let key = key.as_str().unwrap();
    key.len() == 64 && key.chars().all(is_digit)
}

#[tokio::test]
async fn a_store_that_hashes_by_itself_is_given_the_password_in_clear() {
    for way in WAYS {
        let kit = Kit::elsewhere(&[("USER_STORE_PASSWORD", "plain")]).await;
        kit.users.put(ElsewhereUser::of(ANN));
        let ready = Ready::new(&kit, way).await;
        ready.set(&kit, PASSWORD, 1).await.unwrap();
        let asked = &kit.users.questions()[1];
        assert_eq!(asked["password"], PASSWORD, "{way:?}");
        assert!(asked.get("passwordHash").is_none(), "{way:?}");
    }
}

#[tokio::test]
async fn the_key_of_a_use_is_the_same_for_each_repetition_and_another_for_another_password() {
    let kit = with_ann().await;
    kit.users.veto(Veto::Refused(vec!["reused"]));
    let ready = Ready::new(&kit, Way::Token).await;
    for password in [PASSWORD, PASSWORD, "a copper lantern 9"] {
        ready.set(&kit, password, 1).await.unwrap_err();
    }
    let another = Ready::new(&kit, Way::Token).await;
    let keys: Vec<Value> = {
        let asked = kit.users.questions();
        assert!(asked.is_empty());
        ready.set(&kit, PASSWORD, 1).await.unwrap_err();
        ready.set(&kit, PASSWORD, 2).await.unwrap_err();
        ready.set(&kit, "a copper lantern 9", 3).await.unwrap_err();
        another.set(&kit, PASSWORD, 4).await.unwrap_err();
        let asked = kit.users.questions().into_iter();
        asked
            .filter(|it| it["operation"] == "set-password")
            .map(|it| it["key"].clone())
            .collect()
    };
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2], "another password");
    assert_ne!(keys[0], keys[3], "another session");
}

#[tokio::test]
async fn nobody_is_asked_before_a_code_is_proven() {
    let kit = with_ann().await;
    for email in [ANN, NOBODY] {
        for protocol in BOTH {
            let started = kit.start(protocol, email, NOON).await;
            let code = wrong(&kit.derived(&started.session).await);
            let guessed = kit.verify(&started, &code, NOON).await;
            assert_eq!(outcome_of(&guessed), Outcome::CodeWrong);
            if protocol == Protocol::AuthV1 {
                kit.resend(&started.session, NOON).await.unwrap();
            }
        }
    }
    assert_eq!(kit.users.questions(), [] as [Value; 0]);
}

#[tokio::test]
async fn the_directory_api_answers_an_alias_to_everybody_until_the_proof() {
    let kit = with_ann().await;
    let keys = IndexKeys::new(INDEX_SECRET.as_bytes());
    for email in [ANN, NOBODY] {
        kit.log.reset();
        let started = kit.start(Protocol::Directory, email, NOON).await;
        let alias = keys.decoy(&address(email), kit.settings().user_id_format);
        assert_eq!(started.user, Some(alias), "{email}");
        assert_eq!(kit.log.rounds(), 1, "nobody is looked up");
    }
    let ready = Ready::new(&kit, Way::Code).await;
    let other = kit.with_other_user(&ready.started);
    let real = Started {
        user: Some(UserId::elsewhere("id of ann@example.com".to_owned())),
        ..ready.started.clone()
    };
    for started in [other, real] {
        let set = kit
            .set_with_code(&started, &ready.code, PASSWORD, NOON)
            .await;
        assert_eq!(outcome_of(&set), Outcome::OtherUser);
    }
    let user = ready.set(&kit, PASSWORD, 1).await.unwrap();
    assert_eq!(user.id.as_str(), "id of ann@example.com");
}

#[tokio::test]
async fn a_right_code_of_an_address_that_nobody_has_elsewhere_is_a_wrong_one() {
    for protocol in BOTH {
        let kit = with_ann().await;
        let started = kit.start(protocol, NOBODY, NOON).await;
        let code = kit.derived(&started.session).await;
        let guessed = kit.verify(&started, &code, NOON).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeWrong);
        assert_eq!(kit.guesses_today(NOBODY, NOON).await, 1);
        assert_eq!(kit.guesses(&started.session).await, 1);
    }
}

#[tokio::test]
async fn a_user_with_another_address_than_asked_for_counts_as_nobody() {
    let kit = with_ann().await;
    let answer = r#"{"user": {"id": "7", "email": "bob@example.com", "status": "active", "credentialsVersion": "v1"}}"#;
    let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&started.session).await;
    kit.users.fail(StoreFault::Nonsense(answer), 1, 1);
    let guessed = kit.verify(&started, &code, NOON).await;
    assert_eq!(outcome_of(&guessed), Outcome::CodeWrong);
    kit.users.fail(StoreFault::Nonsense(answer), 1, 9);
    assert_eq!(kit.mailed(NOON).await, []);
    assert_eq!(kit.ses.mails(), [], "mail goes to nobody else");
}

#[tokio::test]
async fn an_address_is_compared_in_its_canonical_form_and_mailed_as_the_store_has_it() {
    let kit = with_ann().await;
    kit.users
        .change(ANN, |ann| ann.email = "Ann@Example.com".to_owned());
    kit.start(Protocol::AuthV1, "ANN@EXAMPLE.COM", NOON).await;
    let mails = kit.mailed(NOON).await;
    assert_eq!(mails[0].to, ["Ann@Example.com"]);
}

#[tokio::test]
async fn a_store_is_told_of_a_proven_mailbox_before_the_proof_is_bound_to_a_version() {
    for (verified, asked) in [
        (Some(false), &["find", "email-proven"][..]),
        (Some(true), &["find"]),
        (None, &["find"]),
    ] {
        for protocol in BOTH {
            let kit = with_ann().await;
            kit.users.change_version_by_proofs();
            kit.users.change(ANN, |ann| ann.email_verified = verified);
            let started = kit.start(protocol, ANN, NOON).await;
            let code = kit.derived(&started.session).await;
            let proof = kit.verify(&started, &code, NOON).await.unwrap();
            assert_eq!(kit.users.operations(), asked, "{verified:?}");
            let version = kit.users.user(ANN).credentials_version();
            let bound = &kit.session_item(&started.session).await["credentialsVersion"];
            assert_eq!(*bound, AttributeValue::S(version), "{verified:?}");
            let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
            assert_eq!(outcome_of(&set), Outcome::Done, "{verified:?}");
            assert_ne!(kit.users.user(ANN).email_verified, Some(false));
        }
    }
}

#[tokio::test]
async fn a_user_who_changed_in_between_is_read_again() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.fail(StoreFault::ChangedBefore, 2, 1);
        let outcome = ready.outcome(&kit, 1).await;
        let asked = kit.users.operations();
        match way {
            // The proof was given for other credentials.
            Way::Token | Way::Session => {
                assert_eq!(outcome, Outcome::Over, "{way:?}");
                assert_eq!(asked, ["find", "set-password", "find"], "{way:?}");
                assert_eq!(kit.users.user(ANN).times_set, 0, "{way:?}");
            }
            // The mailbox is proven now.
            Way::Code | Way::Link => {
                assert_eq!(outcome, Outcome::Done, "{way:?}");
                let twice = ["find", "set-password", "find", "set-password"];
                assert_eq!(asked, twice, "{way:?}");
                assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_user_who_changes_all_the_time_is_read_four_times() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Link).await;
    kit.users
        .fail(StoreFault::Nonsense(r#"{"outcome": "changed"}"#), 2, 1);
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done);
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Link).await;
    kit.users.fail(StoreFault::ChangedBefore, 1, 99);
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Unavailable);
    assert_eq!(kit.users.operations().len(), 8);
}

#[tokio::test]
async fn a_refusal_of_the_store_reaches_the_caller_and_leaves_the_proof() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users
            .veto(Veto::Refused(vec!["reused", "too_personal"]));
        let refused = Outcome::PasswordElsewhere(vec!["reused".into(), "too_personal".into()]);
        assert_eq!(ready.outcome(&kit, 1).await, refused, "{way:?}");
        assert_eq!(kit.users.user(ANN).times_set, 0, "{way:?}");
        assert_eq!(notices(&kit).await, 0, "{way:?}");
        kit.users.veto(Veto::None);
        if way == Way::Code {
            // The code is used. The session is validated, so that the person can go on without it.
            assert_eq!(ready.outcome(&kit, 2).await, Outcome::CodeWrong);
            let set = kit
                .set_in_directory(&ready.started, PASSWORD, later(3))
                .await;
            assert_eq!(outcome_of(&set), Outcome::Done);
        } else {
            assert_eq!(ready.outcome(&kit, 2).await, Outcome::Done, "{way:?}");
        }
        assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}");
        assert_eq!(kit.guesses_today(ANN, NOON).await, 0, "{way:?}");
    }
}

#[tokio::test]
async fn a_user_whom_the_store_blocks_is_told_so_and_the_session_is_used() {
    for way in WAYS {
        for status in ["active", "suspended"] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            if status == "active" {
                kit.users.veto(Veto::Blocked);
            }
            kit.users.change(ANN, |ann| ann.status = status.to_owned());
            let what = format!("{way:?}, {status}");
            assert_eq!(ready.outcome(&kit, 1).await, Outcome::Blocked, "{what}");
            kit.users.veto(Veto::None);
            kit.users
                .change(ANN, |ann| ann.status = "active".to_owned());
            assert_eq!(ready.outcome(&kit, 2).await, Outcome::Over, "{what}");
            assert_eq!(kit.users.user(ANN).times_set, 0, "{what}");
        }
    }
}

#[tokio::test]
async fn a_right_code_of_a_blocked_user_elsewhere_uses_the_session() {
    for protocol in BOTH {
        let kit = with_ann().await;
        kit.users
            .change(ANN, |ann| ann.status = "blocked".to_owned());
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.derived(&started.session).await;
        let guessed = kit.verify(&started, &code, NOON).await;
        assert_eq!(outcome_of(&guessed), Outcome::Blocked);
        let guessed = kit.verify(&started, &code, NOON).await;
        assert_eq!(outcome_of(&guessed), Outcome::Over);
    }
}

#[tokio::test]
async fn a_password_of_words_that_the_store_knows_of_the_user_is_refused() {
    for way in WAYS {
        let kit = with_ann().await;
        let more = json!({
            "context": ["Catherine"], "directory": { "profile": { "pet": "Mittens" } },
        });
        kit.users.change(ANN, |ann| ann.more = more);
        for password in ["Catherine99", "mittens-1"] {
            let ready = Ready::new(&kit, way).await;
            let set = ready.set(&kit, password, 1).await;
            let refused = Outcome::Password(vec![Reason::ContainsProfile]);
            assert_eq!(outcome_of(&set), refused, "{way:?}: {password}");
            assert_eq!(kit.users.user(ANN).times_set, 0);
        }
    }
}

#[tokio::test]
async fn the_directory_api_answers_what_the_store_knows_of_the_user() {
    let kit = with_ann().await;
    let more = json!({ "directory": { "phone": "+62 811", "roles": ["buyer"] } });
    kit.users.change(ANN, |ann| ann.more = more);
    let ready = Ready::new(&kit, Way::Code).await;
    let user = ready.set(&kit, PASSWORD, 1).await.unwrap();
    assert_eq!(
        (user.phone.as_str(), user.roles),
        ("+62 811", vec![json!("buyer")])
    );
    assert!(user.profile.is_empty() && user.meta.is_empty() && user.identities.is_empty());
}

/// A session that Ann has asked for at that time, and its code and link.
async fn asked(kit: &Kit, protocol: Protocol, seconds: u64) -> (Started, String, LinkToken) {
    let started = kit.start(protocol, ANN, later(seconds)).await;
    let code = kit.derived(&started.session).await;
    let link = kit.derived_link(&started.session).await;
    (started, code, link)
}

#[tokio::test]
async fn a_password_that_is_set_elsewhere_voids_what_was_asked_for_before() {
    for way in WAYS {
        let kit = with_ann().await;
        let (by_code, code, _) = asked(&kit, Protocol::AuthV1, 0).await;
        let (_, _, link) = asked(&kit, Protocol::Directory, 0).await;
        let (proven, its_code, _) = asked(&kit, Protocol::AuthV1, 0).await;
        let proof = kit.verify(&proven, &its_code, later(1)).await.unwrap();
        let (later_on, its_code, _) = asked(&kit, Protocol::Directory, 20).await;
        kit.deliver(NOON).await;
        let ready = Ready::new(&kit, way).await;
        assert_eq!(ready.outcome(&kit, 10).await, Outcome::Done, "{way:?}");

        let guessed = kit.verify(&by_code, &wrong(&code), later(30)).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeWrong, "{way:?}");
        let guessed = kit.verify(&by_code, &code, later(30)).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeExpired, "{way:?}");
        let set = kit.set_by_link(&link, PASSWORD, later(30)).await;
        assert_eq!(outcome_of(&set), Outcome::Over, "{way:?}");
        let set = kit.set_password(&proven, &proof, PASSWORD, later(30)).await;
        assert_eq!(outcome_of(&set), Outcome::Over, "{way:?}");
        let set = kit
            .set_with_code(&later_on, &its_code, PASSWORD, later(30))
            .await;
        assert_eq!(outcome_of(&set), Outcome::Done, "asked for afterwards");
        assert_eq!(kit.users.user(ANN).times_set, 2, "{way:?}");
    }
}

#[tokio::test]
async fn a_password_that_the_store_itself_has_changed_voids_proofs_and_no_codes() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.change(ANN, |ann| ann.version += 1);
        let expected = match way {
            Way::Token | Way::Session => Outcome::Over,
            Way::Code | Way::Link => Outcome::Done,
        };
        assert_eq!(ready.outcome(&kit, 1).await, expected, "{way:?}");
    }
}

/// What fails without anything having been done.
const BEFORE: [StoreFault; 9] = [
    StoreFault::FunctionError,
    StoreFault::Status(403),
    StoreFault::Status(404),
    StoreFault::Status(429),
    StoreFault::Status(500),
    StoreFault::LostBefore,
    StoreFault::Nonsense(""),
    StoreFault::Nonsense(r#"{"user": {"id": "7"}, "outcome": "perhaps"}"#),
    StoreFault::Nonsense(r#"["done"]"#),
];

#[tokio::test]
async fn a_fault_of_the_store_at_any_step_is_503_and_the_person_can_go_on() {
    for way in WAYS {
        for fault in BEFORE {
            for from in [1, 2] {
                let kit = with_ann().await;
                let ready = Ready::new(&kit, way).await;
                let what = format!("{way:?}, {fault:?} from {from}");
                kit.users.fail(fault, from, 9);
                let outcome = ready.outcome(&kit, 1).await;
                assert_eq!(outcome, Outcome::Unavailable, "{what}");
                assert_eq!(kit.users.user(ANN).times_set, 0, "{what}");
                assert_eq!(kit.guesses_today(ANN, NOON).await, 0, "{what}");
                let is_lost = matches!(fault, StoreFault::LostBefore | StoreFault::Status(500));
                let asked = match (from, is_lost) {
                    (1, _) => 1,
                    (_, false) => 2,
                    (_, true) => 3,
                };
                assert_eq!(kit.users.questions().len(), asked, "{what}");
                // Only a lost answer leaves it open whether the password is set.
                let told = usize::from(is_lost && from == 2);
                assert_eq!(notices(&kit).await, told, "{what}");

                kit.users.reset();
                assert_eq!(ready.outcome(&kit, 2).await, Outcome::Done, "{what}");
                assert_eq!(kit.users.user(ANN).times_set, 1, "{what}");
                assert_eq!(notices(&kit).await, 1, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_fault_of_the_store_at_any_step_of_a_proof_costs_no_guess() {
    for protocol in BOTH {
        for fault in BEFORE.into_iter().chain([StoreFault::LostAfter]) {
            for from in [1, 2] {
                let kit = with_ann().await;
                kit.users.change_version_by_proofs();
                kit.users
                    .change(ANN, |ann| ann.email_verified = Some(false));
                let started = kit.start(protocol, ANN, NOON).await;
                let code = kit.derived(&started.session).await;
                let what = format!("{protocol:?}, {fault:?} from {from}");
                kit.users.fail(fault, from, 9);
                let guessed = kit.verify(&started, &code, later(1)).await;
                assert_eq!(outcome_of(&guessed), Outcome::Unavailable, "{what}");
                assert_eq!(kit.guesses_today(ANN, NOON).await, 0, "{what}");
                assert_eq!(kit.guesses(&started.session).await, 0, "{what}");
                kit.users.reset();
                let proof = kit.verify(&started, &code, later(2)).await.unwrap();
                let set = kit.set_password(&started, &proof, PASSWORD, later(3)).await;
                assert_eq!(outcome_of(&set), Outcome::Done, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_once_more_and_the_password_set_once() {
    for way in WAYS {
        for fault in [StoreFault::LostBefore, StoreFault::LostAfter] {
            let kit = with_ann().await;
            let ready = Ready::new(&kit, way).await;
            kit.users.fail(fault, 2, 1);
            assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done, "{way:?}");
            let asked = kit.users.questions();
            assert_eq!(asked.len(), 3, "{way:?}");
            assert_eq!(asked[1], asked[2], "the same question");
            assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}");
            assert_eq!(notices(&kit).await, 1, "{way:?}");
        }
    }
}

#[tokio::test]
async fn a_password_whose_answer_is_lost_twice_is_told_of_and_the_proof_stays_good() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.fail(StoreFault::LostAfter, 2, 2);
        let outcome = ready.outcome(&kit, 1).await;
        assert_eq!(outcome, Outcome::Unavailable, "{way:?}");
        assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}");
        let mails = kit.mailed(later(1)).await;
        assert_eq!(mails.len(), 1, "{way:?}: its owner is told");

        kit.users.reset();
        assert_eq!(ready.outcome(&kit, 2).await, Outcome::Done, "{way:?}");
        assert_eq!(kit.users.user(ANN).times_set, 1, "{way:?}: set once");
        assert_eq!(kit.mailed(later(2)).await.len(), 0, "{way:?}: told once");
        assert_eq!(ready.outcome(&kit, 3).await, Outcome::Over, "{way:?}");
    }
}

#[tokio::test]
async fn a_password_that_was_set_and_not_recorded_cannot_be_followed_by_another_one() {
    for way in WAYS {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        kit.users.fail(StoreFault::LostAfter, 2, 2);
        ready.set(&kit, PASSWORD, 1).await.unwrap_err();
        kit.users.reset();
        let set = ready.set(&kit, "a copper lantern 9", 2).await;
        let (expected, times) = match way {
            // The proof is used up, as far as the store is concerned.
            Way::Token | Way::Session => (Outcome::Over, 1),
            // The code and the link are not used: they prove the mailbox again.
            Way::Code | Way::Link => (Outcome::Done, 2),
        };
        assert_eq!(outcome_of(&set), expected, "{way:?}");
        assert_eq!(kit.users.user(ANN).times_set, times, "{way:?}");
    }
}

#[tokio::test]
async fn a_fault_of_the_table_anywhere_sets_the_password_once_and_costs_no_guess() {
    for way in WAYS {
        let kit = with_ann().await;
        let undisturbed = Ready::new(&kit, way).await;
        undisturbed.set(&kit, PASSWORD, 1).await.unwrap();
        let calls = kit.log.calls().len();
        for failure in [
            Failure::ErrorBefore,
            Failure::ResetAfter,
            Failure::Cancelled,
        ] {
            for from in 1..=calls {
                for times in [1, 3, 1000] {
                    let kit = with_ann().await;
                    let ready = Ready::new(&kit, way).await;
                    let what = format!("{way:?}, {failure:?} from {from}, {times} times");
                    kit.faults.fail(failure, from, times);
                    let outcome = ready.outcome(&kit, 1).await;
                    kit.faults.clear();
                    if outcome != Outcome::Done {
                        assert_eq!(outcome, Outcome::Unavailable, "{what}");
                        // After the end of the claim.
                        let again = ready.outcome(&kit, 30).await;
                        let ends = [Outcome::Done, Outcome::Over];
                        assert!(ends.contains(&again), "{what}: {again:?}");
                    }
                    assert_eq!(kit.users.user(ANN).times_set, 1, "{what}");
                    assert_eq!(notices(&kit).await, 1, "{what}");
                    assert_eq!(ready.outcome(&kit, 60).await, Outcome::Over, "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_lost() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Token).await;
    let mails = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let code = kit.derived(&mails.session).await;
    let before = regain::ambient::now();
    kit.users.fail(StoreFault::Hang, 1, 1);
    let guessed = kit.verify(&mails, &code, NOON).await;
    assert_eq!(outcome_of(&guessed), Outcome::Unavailable);
    assert!(
        regain::ambient::now().since(before).as_millis() >= 3000,
        "3 s for find"
    );
    kit.users.fail(StoreFault::Hang, 2, 1);
    let before = regain::ambient::now();
    assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done);
    assert!(
        regain::ambient::now().since(before).as_millis() >= 5000,
        "5 s for set-password"
    );
    assert_eq!(
        kit.users.operations(),
        ["find", "set-password", "set-password"]
    );
    assert_eq!(kit.users.user(ANN).times_set, 1);
}

#[tokio::test]
async fn a_password_is_not_asked_to_be_set_if_the_answer_could_come_after_the_deadline() {
    let kit = with_ann().await;
    for (seconds, expected) in [(7, Outcome::Unavailable), (6, Outcome::Done)] {
        let ready = Ready::new(&kit, Way::Link).await;
        let now = later(seconds);
        let mut call = kit.call(NOON).timed_by(move || now);
        let token = Some(regain::recovery::PasswordToken::Link(ready.link.clone()));
        let set = kit
            .recovery
            .set_password_by_token(&mut call, token, crate::kit::new_password(PASSWORD))
            .await;
        assert_eq!(outcome_of(&set), expected, "{seconds} s after the call");
    }
    assert_eq!(kit.users.user(ANN).times_set, 1);
}

#[tokio::test]
async fn a_claim_lasts_longer_than_the_store_may_take() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Token).await;
    kit.faults.fail(Failure::ErrorBefore, 2, 1000);
    assert_eq!(ready.outcome(&kit, 0).await, Outcome::Unavailable);
    kit.faults.clear();
    let until = &kit.session_item(&ready.started.session).await["claimedUntil"];
    let until: i64 = until.as_n().unwrap().parse().unwrap();
    assert_eq!(until, later(20).millis());
}

#[tokio::test]
async fn nothing_of_the_user_but_id_and_version_is_in_the_table_and_no_password() {
    for way in WAYS {
        let kit = Kit::elsewhere(&[("USER_STORE_PASSWORD", "plain")]).await;
        kit.users.put(ElsewhereUser::of(ANN));
        kit.users
            .change(ANN, |ann| ann.more = json!({ "context": ["Catherine"] }));
        let ready = Ready::new(&kit, way).await;
        ready.set(&kit, PASSWORD, 1).await.unwrap();
        let dump = format!("{:?}", kit.dump().await);
        for secret in [PASSWORD, "Catherine", "argon2"] {
            assert!(!dump.contains(secret), "{way:?}: {secret}");
        }
        for question in kit.users.questions() {
            if let Some(key) = question["key"].as_str() {
                assert!(!dump.contains(key), "{way:?}: the key of the use");
            }
        }
    }
}

#[tokio::test]
async fn mail_goes_to_users_elsewhere_only() {
    let kit = with_ann().await;
    kit.users
        .change(ANN, |ann| ann.more = json!({ "locale": "id" }));
    for email in [ANN, NOBODY] {
        kit.start(Protocol::AuthV1, email, NOON).await;
    }
    let mails = kit.mailed(NOON).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, [ANN]);
    assert!(mails[0].template.ends_with("-id"), "{}", mails[0].template);
    assert_eq!(kit.users.operations(), ["find", "find"]);
}

#[tokio::test]
async fn a_mail_is_tried_again_until_the_store_answers() {
    for fault in BEFORE {
        let kit = with_ann().await;
        kit.start(Protocol::AuthV1, ANN, NOON).await;
        kit.users.fail(fault, 1, 1);
        assert_eq!(kit.deliver(NOON).await.len(), 1, "{fault:?}");
        assert_eq!(kit.ses.mails(), [], "{fault:?}");
        assert_eq!(kit.deliver(NOON).await.len(), 0, "{fault:?}");
        assert_eq!(kit.ses.mails().len(), 1, "{fault:?}");
    }
}

/// A report that a mail to Ann, which was sent so many seconds after noon, has bounced for good.
fn bounce(seconds: u64) -> MailEvent {
    serde_json::from_value(json!({ "detail": {
        "eventType": "Bounce", "bounce": { "bounceType": "Permanent" },
        "mail": { "destination": [ANN], "timestamp": later(seconds).rfc3339() },
    }}))
    .unwrap()
}

#[tokio::test]
async fn a_bounce_suppresses_an_address_elsewhere_by_its_digest() {
    let kit = with_ann().await;
    let events = MailEvents::new(kit.store.clone(), kit.records.trail())
        .with_users_elsewhere(kit.secrets.secrets());
    events.handle(bounce(0), NOON).await.unwrap();
    events.handle(bounce(0), later(5)).await.unwrap();
    let digest = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    let items: Vec<String> = kit.dump().await.into_keys().collect();
    assert_eq!(items, [format!("SUPPRESSED#{}", digest.hex())]);
    let suppressed = || kit.store.suppressed(Mailbox::Elsewhere(&digest));
    let first = suppressed().await.unwrap().unwrap();
    assert_eq!((first.at, first.count), (NOON, 1), "the first report stays");

    let started = kit.start(Protocol::AuthV1, ANN, later(1)).await;
    assert_eq!(kit.mailed(later(1)).await, []);
    let reference = started.session.reference().hex();
    let mail = kit.keys(&format!("MAIL#{reference}")).await;
    let item = kit.item(&mail[0]).await.unwrap();
    assert_eq!(item["outcome"], AttributeValue::S("suppressed".to_owned()));

    let day = 24 * 3600;
    events.handle(bounce(day), later(day + 1)).await.unwrap();
    assert_eq!(suppressed().await.unwrap().unwrap().count, 2);
    let clear = || kit.store.clear_suppression(Mailbox::Elsewhere(&digest));
    assert!(clear().await.unwrap());
    assert!(!clear().await.unwrap(), "there is nothing left to clear");
    kit.start(Protocol::AuthV1, ANN, later(2)).await;
    assert_eq!(kit.mailed(later(2)).await.len(), 1);
}

#[tokio::test]
async fn a_suppression_elsewhere_after_a_lifted_one_begins_from_the_start() {
    let kit = with_ann().await;
    let events = |store| {
        MailEvents::new(store, kit.records.trail()).with_users_elsewhere(kit.secrets.secrets())
    };
    events(kit.store.clone())
        .handle(bounce(0), NOON)
        .await
        .unwrap();
    let digest = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    // Between the write that finds the first suppression, and the one that prolongs it.
    let gate = kit.faults.hold(2);
    let store = kit.another_store();
    let day = 24 * 3600;
    let prolonging = events(store);
    let heard = prolonging.handle(bounce(day), later(day + 1));
    let lifted = async {
        gate.wait().await;
        let lifted = kit.store.clear_suppression(Mailbox::Elsewhere(&digest));
        let lifted = lifted.await;
        gate.wait().await;
        lifted.unwrap()
    };
    let (heard, lifted) = tokio::join!(heard, lifted);
    heard.unwrap();
    assert!(lifted);
    let suppressed = kit.store.suppressed(Mailbox::Elsewhere(&digest)).await;
    assert_eq!(suppressed.unwrap().unwrap().count, 1);
}

#[tokio::test]
async fn a_session_that_is_gone_when_its_password_is_recorded_is_not_recreated() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Link).await;
    let reference = ready.started.session.reference();
    let session = kit.store.session(&reference).await.unwrap().unwrap();
    kit.delete(&format!("SESSION#{}", reference.hex())).await;
    let digest = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
    let key = format!("ADDRESS#{}", digest.hex());
    kit.delete(&key).await;
    let change = PasswordChange {
        user: UserId::elsewhere("7".to_owned()),
        credentials_version: CredentialsVersion::of_text("v1".to_owned()).unwrap(),
        means: Means::Link,
    };
    let record = kit
        .store
        .record_password(&session, &digest, change, LOCALE, NOON);
    record.await.unwrap();
    assert_eq!(kit.keys("SESSION#").await, [] as [String; 0]);
    assert_eq!(notices(&kit).await, 1);
    let state = kit.item(&key).await.unwrap();
    let number = |name: &str| state[name].as_n().unwrap().parse::<i64>().unwrap();
    assert_eq!(number("voidSince"), NOON.millis());
    let two_days = 48 * 3600;
    assert_eq!(number("expiresAt"), NOON.millis() / 1000 + two_days);
}

#[tokio::test]
async fn a_notice_that_is_asked_for_twice_is_mailed_once() {
    let kit = with_ann().await;
    let ready = Ready::new(&kit, Way::Token).await;
    for seconds in [1, 2] {
        kit.users.fail(StoreFault::LostAfter, 2, 2);
        let outcome = ready.outcome(&kit, seconds).await;
        assert_eq!(outcome, Outcome::Unavailable);
        let mailed = kit.mailed(later(seconds)).await.len();
        assert_eq!(mailed, usize::from(seconds == 1));
    }
}

/// Round trips to the table, write units and questions to the store since the last look.
fn cost(kit: &Kit) -> (usize, u32, usize) {
    let cost = (
        kit.log.rounds(),
        kit.log.write_units(),
        kit.users.questions().len(),
    );
    kit.log.reset();
    kit.users.reset();
    cost
}

#[tokio::test]
async fn every_endpoint_keeps_to_its_budget_with_users_elsewhere() {
    let kit = Kit::elsewhere(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    kit.users.put(ElsewhereUser::of(ANN));
    let mut measured = Vec::new();
    for (seconds, protocol) in [0, 10].into_iter().zip(BOTH) {
        let at = later(seconds);
        kit.log.reset();
        let started = kit.start(protocol, ANN, at).await;
        measured.push(("request", cost(&kit)));
        kit.deliver(at).await;
        measured.push(("deliver-mail", cost(&kit)));
        let code = kit.derived(&started.session).await;
        let guessed = kit.verify(&started, &wrong(&code), at).await;
        assert_eq!(outcome_of(&guessed), Outcome::CodeWrong);
        measured.push(("a wrong guess", cost(&kit)));
        let proof = kit.verify(&started, &code, at).await.unwrap();
        measured.push(("a right guess", cost(&kit)));
        let set = kit.set_password(&started, &proof, PASSWORD, at).await;
        assert_eq!(outcome_of(&set), Outcome::Done);
        measured.push(("set", cost(&kit)));
        kit.mailed(at).await;
        cost(&kit);
    }
    kit.users
        .change(ANN, |ann| ann.email_verified = Some(false));
    let started = kit.start(Protocol::AuthV1, ANN, later(20)).await;
    let code = kit.derived(&started.session).await;
    cost(&kit);
    kit.verify(&started, &code, later(20)).await.unwrap();
    measured.push(("a right guess, mailbox not verified", cost(&kit)));
    for (way, what) in [(Way::Link, "link"), (Way::Code, "both")] {
        let kit = with_ann().await;
        let ready = Ready::new(&kit, way).await;
        cost(&kit);
        assert_eq!(ready.outcome(&kit, 1).await, Outcome::Done);
        measured.push((what, cost(&kit)));
    }
    let each = [
        // Two units more with a throttle of callers.
        ("request", (1, 6, 0)),
        ("deliver-mail", (3, 2, 1)),
        ("a wrong guess", (2, 2, 0)),
        ("a right guess", (4, 6, 1)),
        ("set", (2, 7, 2)),
    ];
    let mut expected = [each, each].concat();
    expected.extend([
        ("a right guess, mailbox not verified", (4, 6, 2)),
        ("link", (3, 8, 2)),
        ("both", (4, 11, 2)),
    ]);
    assert_eq!(measured, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_uses_of_one_proof_at_once_one_sets_the_password_elsewhere() {
    const TASKS: usize = 16;
    for way in WAYS {
        for same in [true, false] {
            let kit = Kit::elsewhere(&[("CODE_MAX_ATTEMPTS", "20")]).await;
            kit.users.put(ElsewhereUser::of(ANN));
            let ready = Ready::new(&kit, way).await;
            let uses = (0..TASKS).map(|number| {
                let (kit, ready) = (&kit, &ready);
                async move {
                    let password = if same {
                        PASSWORD.to_owned()
                    } else {
                        format!("{PASSWORD} {number}")
                    };
                    outcome_of(&ready.set(kit, &password, 1).await)
                }
            });
            let answers = futures_util::future::join_all(uses).await;
            let what = format!("{way:?}, {same}: {answers:?}");
            let done = answers.iter().filter(|it| **it == Outcome::Done).count();
            assert_eq!(done, 1, "{what}");
            assert!(!answers.contains(&Outcome::Unavailable), "{what}");
            assert_eq!(kit.users.user(ANN).times_set, 1, "{what}");
            let asked = kit.users.operations();
            let sets = asked.iter().filter(|it| *it == "set-password").count();
            assert_eq!(sets, 1, "the claim spares the others: {what}");
            assert_eq!(notices(&kit).await, 1, "{what}");
        }
    }
}
