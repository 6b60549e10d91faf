//! `Idempotency-Key`: the same request again is the same session, and one mail.

use std::net::IpAddr;

use regain::recovery::Request;
use regain::session::Protocol;

use crate::kit::{
    ANN, Kit, NOBODY, NOON, PASSWORD, Told, calling, just_before, later, request, told, wrong,
};

const BOTH: [Protocol; 2] = [Protocol::Directory, Protocol::AuthV1];
const KEY: &str = "0123456789abcdef";

fn keyed(protocol: Protocol, email: &str, key: &str) -> Request {
    Request {
        idempotency_key: Some(key.to_owned()),
        ..request(protocol, email)
    }
}

#[tokio::test]
async fn the_same_key_within_ten_minutes_is_the_same_session_and_one_mail_and_not_throttled() {
    for protocol in BOTH {
        for email in [ANN, NOBODY] {
            let kit = Kit::throttled(&[("IP_REQUESTS_PER_HOUR", "1")]).await;
            kit.user(ANN).await;
            let first = kit
                .request(keyed(protocol, email, KEY), NOON)
                .await
                .unwrap();
            let before = kit.dump().await;
            for at in [NOON, later(1), later(59), just_before(later(600))] {
                let again = kit.request(keyed(protocol, email, KEY), at).await.unwrap();
                assert_eq!(again.session, first.session);
                assert_eq!(again.user, first.user);
                assert_eq!(again.at, NOON, "it began when it began");
            }
            assert_eq!(kit.dump().await, before);
            assert_eq!(kit.keys("MAIL#").await.len(), 1);
        }
    }
}

#[tokio::test]
async fn another_key_endpoint_address_or_caller_is_another_session() {
    let kit = Kit::new().await;
    let mut sessions = Vec::new();
    let elsewhere: IpAddr = "198.51.100.1".parse().unwrap();
    for asked in [
        keyed(Protocol::AuthV1, ANN, KEY),
        keyed(Protocol::Directory, ANN, KEY),
        keyed(Protocol::AuthV1, NOBODY, KEY),
        keyed(Protocol::AuthV1, ANN, "fedcba9876543210"),
        Request {
            caller: calling(elsewhere),
            ..keyed(Protocol::AuthV1, ANN, KEY)
        },
        request(Protocol::AuthV1, ANN),
        request(Protocol::AuthV1, ANN),
    ] {
        let started = kit.request(asked, NOON).await.unwrap();
        assert!(!sessions.contains(&started.session));
        sessions.push(started.session);
    }
}

#[tokio::test]
async fn after_ten_minutes_a_key_begins_a_new_session_that_works_to_the_end() {
    for protocol in BOTH {
        let kit = Kit::throttled(&[]).await;
        let user = kit.user(ANN).await;
        for (round, at) in [NOON, later(600), later(1200)].into_iter().enumerate() {
            let started = kit.request(keyed(protocol, ANN, KEY), at).await.unwrap();
            assert_eq!(started.at, at);
            let code = kit.code(at).await;
            assert_eq!(
                told(&kit.verify(&started, &wrong(&code), at).await),
                Told::CodeWrong
            );
            assert_eq!(
                kit.guesses(&started.session).await,
                1,
                "a new session, new guesses"
            );
            let proof = kit.verify(&started, &code, at).await.unwrap();
            let set = kit.set_password(&started, &proof, PASSWORD, at).await;
            assert_eq!(told(&set), Told::Done);
            let notices = kit.mailed(at).await;
            assert_eq!(notices.len(), 1, "the notice of round {round}");
            assert_eq!(notices[0].template, "stack-password-changed-en");
            let version = u64::try_from(round).unwrap() + 1;
            assert_eq!(kit.stored(&user).await.credentials_version, version);
        }
        assert_eq!(
            kit.guesses_today(ANN, NOON).await,
            3,
            "the day's guesses stay spent"
        );
    }
}

#[tokio::test]
async fn a_key_that_begins_anew_leaves_nothing_good_of_the_session_before() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let first = kit
        .request(keyed(Protocol::AuthV1, ANN, KEY), NOON)
        .await
        .unwrap();
    let code = kit.code(NOON).await;
    let proof = kit.verify(&first, &code, later(599)).await.unwrap();
    let second = kit
        .request(keyed(Protocol::AuthV1, ANN, KEY), later(600))
        .await
        .unwrap();
    assert_eq!(second.session, first.session);
    let set = kit.set_password(&first, &proof, PASSWORD, later(601)).await;
    assert_eq!(told(&set), Told::TokenUnknown);
    assert_eq!(
        told(&kit.verify(&second, &code, later(601)).await),
        Told::CodeWrong
    );
    let code = kit.code(later(601)).await;
    assert_eq!(
        told(&kit.verify(&second, &code, later(602)).await),
        Told::Done
    );
}

#[tokio::test]
async fn a_key_is_throttled_when_it_begins_a_session() {
    let kit = Kit::throttled(&[]).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    let refused = kit
        .request(keyed(Protocol::AuthV1, ANN, KEY), later(59))
        .await;
    assert_eq!(told(&refused), Told::Throttled(later(60)));
    let accepted = kit
        .request(keyed(Protocol::AuthV1, ANN, KEY), later(60))
        .await;
    assert_eq!(
        told(&accepted),
        Told::Done,
        "a refused request keeps no key"
    );
}
