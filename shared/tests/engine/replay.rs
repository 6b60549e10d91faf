//! Nothing can be used twice, or where it was not given: codes, tokens, sessions.

use regain::api::Protocol;
use regain::ids::ResetToken;

use crate::kit::{
    ANN, Kit, NOON, Outcome, PASSWORD, Verified, in_auth, in_directory, outcome_of, typed,
};
use crate::sessions::validated;

const AUTH: Protocol = Protocol::AuthV1;
const DIRECTORY: Protocol = Protocol::Directory;

fn token(proof: &Verified) -> ResetToken {
    match proof {
        Verified::Token(token) => token.clone(),
        Verified::User => panic!("no token in this protocol"),
    }
}

#[tokio::test]
async fn a_used_code_is_wrong_and_costs_no_guess() {
    for protocol in [AUTH, DIRECTORY] {
        let kit = Kit::new().await;
        kit.user(ANN).await;
        let started = kit.start(protocol, ANN, NOON).await;
        let code = kit.code(NOON).await;
        kit.verify(&started, &code, NOON).await.unwrap();
        let before = kit.dump().await;
        for sent in [&code, "000000", "malformed"] {
            assert_eq!(
                outcome_of(&kit.verify(&started, sent, NOON).await),
                Outcome::CodeWrong
            );
        }
        assert_eq!(kit.dump().await, before);
    }
}

#[tokio::test]
async fn a_used_session_allows_nothing_more() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let started = kit.start(DIRECTORY, ANN, NOON).await;
    let code = kit.code(NOON).await;
    kit.set_with_code(&started, &code, PASSWORD, NOON)
        .await
        .unwrap();
    let before = kit.dump().await;
    for sent in [&code, "000000", "malformed"] {
        assert_eq!(
            outcome_of(&kit.verify(&started, sent, NOON).await),
            Outcome::Over
        );
        assert_eq!(
            outcome_of(&kit.set_with_code(&started, sent, PASSWORD, NOON).await),
            Outcome::Over
        );
    }
    assert_eq!(
        outcome_of(&kit.set_in_directory(&started, PASSWORD, NOON).await),
        Outcome::Over
    );
    let other = kit.with_other_user(&started);
    assert_eq!(
        outcome_of(&kit.set_in_directory(&other, PASSWORD, NOON).await),
        Outcome::Over
    );
    assert_eq!(kit.dump().await, before);
}

#[tokio::test]
async fn a_used_token_opens_nothing_and_its_session_gets_no_other_code() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let (started, proof) = validated(&kit, AUTH, NOON).await;
    kit.set_password(&started, &proof, PASSWORD, NOON)
        .await
        .unwrap();
    let before = kit.dump().await;
    assert_eq!(
        outcome_of(&kit.set_password(&started, &proof, PASSWORD, NOON).await),
        Outcome::Over
    );
    assert_eq!(
        outcome_of(&kit.resend(&started.session, NOON).await),
        Outcome::Over
    );
    assert_eq!(
        outcome_of(&kit.verify(&started, "000000", NOON).await),
        Outcome::Over
    );
    assert_eq!(kit.dump().await, before);
}

#[tokio::test]
async fn another_code_voids_the_previous_code_and_the_reset_token() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    let started = kit.start(AUTH, ANN, NOON).await;
    let first = kit.code(NOON).await;
    kit.resend(&started.session, NOON).await.unwrap();
    let second = kit.code(NOON).await;
    assert_ne!(first, second);
    assert_eq!(
        outcome_of(&kit.verify(&started, &first, NOON).await),
        Outcome::CodeWrong
    );
    let proof = kit.verify(&started, &second, NOON).await.unwrap();
    kit.resend(&started.session, NOON).await.unwrap();
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(
        outcome_of(&set),
        Outcome::TokenUnknown,
        "the session awaits its code again"
    );
    let third = kit.code(NOON).await;
    assert_eq!(
        outcome_of(&kit.verify(&started, &second, NOON).await),
        Outcome::CodeWrong
    );
    let renewed = kit.verify(&started, &third, NOON).await.unwrap();
    let set = kit.set_password(&started, &proof, PASSWORD, NOON).await;
    assert_eq!(
        outcome_of(&set),
        Outcome::TokenUnknown,
        "and the old token stays dead"
    );
    assert_eq!(kit.stored(&user).await.credentials_version, 0);
    assert_eq!(
        outcome_of(&kit.set_password(&started, &renewed, PASSWORD, NOON).await),
        Outcome::Done
    );
}

#[tokio::test]
async fn a_token_opens_only_its_own_session() {
    let kit = Kit::new().await;
    let user = kit.user(ANN).await;
    kit.user("bob@example.com").await;
    let (_, anns) = validated(&kit, AUTH, NOON).await;
    let bobs = kit.start(AUTH, "bob@example.com", NOON).await;
    let code = kit.code(NOON).await;
    let bobs_token = token(&kit.verify(&bobs, &code, NOON).await.unwrap());
    let anns_token = token(&anns);
    // The first third of a token names its session, the rest proves it.
    let spliced = {
        let (ann, bob) = (anns_token.reveal(), bobs_token.reveal());
        let decode = |text: &str| {
            data_encoding::BASE64URL_NOPAD
                .decode(text.as_bytes())
                .unwrap()
        };
        let bytes = [&decode(&ann)[..16], &decode(&bob)[16..]].concat();
        ResetToken::parse(&data_encoding::BASE64URL_NOPAD.encode(&bytes)).unwrap()
    };
    let forged = ResetToken::draw(&anns_token.session(), &mut kit.rng());
    let unknown = ResetToken::draw(&kit.unknown_session().session, &mut kit.rng());
    let before = kit.dump().await;
    for token in [spliced, forged, unknown] {
        let set = kit.set_by_token(Some(token), PASSWORD, NOON).await;
        assert_eq!(outcome_of(&set), Outcome::TokenUnknown);
    }
    assert_eq!(kit.dump().await, before);
    kit.set_by_token(Some(bobs_token), PASSWORD, NOON)
        .await
        .unwrap();
    assert_eq!(kit.stored(&user).await.password_hash, None, "it was bob's");
}

#[tokio::test]
async fn a_token_of_a_session_that_awaits_or_belongs_to_the_other_api_is_unknown() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    for protocol in [AUTH, DIRECTORY] {
        let started = kit.start(protocol, ANN, NOON).await;
        kit.mailed(NOON).await;
        let guessed = ResetToken::draw(&started.session, &mut kit.rng());
        let set = kit.set_by_token(Some(guessed), PASSWORD, NOON).await;
        assert_eq!(outcome_of(&set), Outcome::TokenUnknown);
    }
    let (proven, _) = validated(&kit, DIRECTORY, NOON).await;
    let guessed = ResetToken::draw(&proven.session, &mut kit.rng());
    let set = kit.set_by_token(Some(guessed), PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::TokenUnknown);
}

#[tokio::test]
async fn a_session_does_not_exist_in_the_other_protocol() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    let directory = kit.start(DIRECTORY, ANN, NOON).await;
    let code = kit.code(NOON).await;
    let before = kit.dump().await;
    let named = in_auth(&directory.session);
    let guess = kit
        .recovery
        .verify_for_token(&mut kit.call(NOON), &named, &typed(&code))
        .await;
    assert_eq!(outcome_of(&guess), Outcome::NoSession);
    assert_eq!(
        outcome_of(&kit.resend(&directory.session, NOON).await),
        Outcome::NoSession
    );
    assert_eq!(kit.dump().await, before);

    let (auth, _) = validated(&kit, AUTH, NOON).await;
    let as_directory = kit.with_other_user(&auth);
    let before = kit.dump().await;
    let set = kit.set_in_directory(&as_directory, PASSWORD, NOON).await;
    assert_eq!(outcome_of(&set), Outcome::NoSession);
    let guess = kit
        .recovery
        .verify(
            &mut kit.call(NOON),
            &in_directory(&as_directory),
            &typed(&code),
        )
        .await;
    assert_eq!(outcome_of(&guess), Outcome::NoSession);
    let set = kit
        .set_with_code(&as_directory, &code, PASSWORD, NOON)
        .await;
    assert_eq!(outcome_of(&set), Outcome::NoSession);
    assert_eq!(kit.dump().await, before);
}
