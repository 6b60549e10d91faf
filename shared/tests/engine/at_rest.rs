//! At rest: nobody who reads the table can use what it holds.

use regain::api::Protocol;

use crate::kit::{ANN, CODE_SECRET, INDEX_SECRET, Kit, NOON, PASSWORD, Verified, later, wrong};

#[tokio::test]
async fn no_code_token_session_id_or_password_is_kept() {
    let kit = Kit::with(&[("CODE_LENGTH", "10")]).await;
    kit.user(ANN).await;
    let mut secrets = vec![
        PASSWORD.to_owned(),
        CODE_SECRET.to_owned(),
        INDEX_SECRET.to_owned(),
        crate::kit::CALLER.to_string(),
    ];
    // One of everything, in every state.
    let auth = kit.start(Protocol::AuthV1, ANN, NOON).await;
    let first = kit.code(NOON).await;
    kit.verify(&auth, &wrong(&first), NOON).await.unwrap_err();
    kit.resend(&auth.session, later(1)).await.unwrap();
    let second = kit.code(later(1)).await;
    let proof = kit.verify(&auth, &second, later(2)).await.unwrap();
    let Verified::Token(token) = &proof else {
        panic!("auth/v1 hands out a token");
    };
    secrets.push(token.reveal());
    secrets.push(token.reveal()[43..].to_owned());
    let directory = kit.start(Protocol::Directory, ANN, later(3)).await;
    let third = kit.code(later(3)).await;
    kit.verify(&directory, &third, later(3)).await.unwrap();
    let validated = kit.dump().await;
    kit.set_password(&auth, &proof, PASSWORD, later(4))
        .await
        .unwrap();
    kit.mailed(later(4)).await;
    let awaiting = kit.start(Protocol::Directory, ANN, later(5)).await;
    let fourth = kit.derived(&awaiting.session).await;
    for started in [&auth, &directory, &awaiting] {
        secrets.push(started.session.reveal().to_owned());
        secrets.push(started.session.reveal().replace('-', ""));
    }
    secrets.extend([first, second, third, fourth]);
    for dump in [validated, kit.dump().await] {
        let text = format!("{dump:?}").to_lowercase();
        for secret in &secrets {
            assert!(!text.contains(&secret.to_lowercase()), "{secret} is kept");
        }
    }
    let user = kit
        .dump()
        .await
        .into_iter()
        .find(|(key, _)| key.starts_with("USER#"))
        .unwrap()
        .1;
    let hash = user["passwordHash"].as_s().unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
}

#[tokio::test]
async fn addresses_and_callers_are_counted_under_keyed_digests() {
    let kit = Kit::throttled(&[]).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    for (key, item) in kit.dump().await {
        if key.starts_with("ADDRESS#") || key.starts_with("CALLER#") {
            let text = format!("{key} {item:?}");
            assert!(!text.contains("ann") && !text.contains("192.0.2"), "{text}");
        }
    }
}
