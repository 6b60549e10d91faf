//! What the table holds of users who live elsewhere, and what it costs.

use regain::api::Protocol;
use regain::audit::Means;
use regain::ids::UserId;
use regain::keys::IndexKeys;
use regain::store::PasswordChange;
use regain::users::CredentialsVersion;
use serde_json::json;

use super::{BOTH, Ready, WAYS, Way, notices, with_ann};
use crate::kit::{
    ANN, ElsewhereUser, INDEX_SECRET, Kit, LOCALE, NOON, Outcome, PASSWORD, address, later,
    outcome_of, wrong,
};

#[tokio::test]
async fn the_table_holds_only_the_id_and_version_of_a_user_elsewhere() {
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
        ("set", (3, 7, 2)),
    ];
    let mut expected = [each, each].concat();
    expected.extend([
        ("a right guess, mailbox not verified", (4, 6, 2)),
        ("link", (3, 8, 2)),
        ("both", (4, 11, 2)),
    ]);
    assert_eq!(measured, expected);
}
