//! What happens between a read and a write of the same invocation: the write's condition sees it.
//!
//! A race that a test has to win is no test: here the steps of two invocations are taken in the order
//! that would do harm.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::ids::{ResetToken, SessionId};
use regain::keys::{AddressKey, IndexKeys};
use regain::recovery::Started;
use regain::session::{Awaiting, Session, Validated};
use regain::store::{Charge, CodeRequest, Moved, Renewed};
use regain::users::User;
use serde_json::json;

use crate::kit::{
    ANN, CALLER, INDEX_SECRET, Kit, LOCALE, NOON, Outcome, PASSWORD, Verified, address, blocked,
    hashed, later, outcome_of,
};

struct Scene {
    kit: Kit,
    user: User,
    started: Started,
    code: String,
    key: AddressKey,
}

impl Scene {
    async fn new() -> Self {
        Self::with_version(0).await
    }

    /// With a user whose credentials have that version.
    async fn with_version(version: u64) -> Self {
        let kit = Kit::new().await;
        let user = kit
            .user_like(json!({ "email": ANN, "credentialsVersion": version }))
            .await;
        let started = kit.start(Protocol::AuthV1, ANN, NOON).await;
        let code = kit.code(NOON).await;
        let key = IndexKeys::new(INDEX_SECRET.as_bytes()).address(&address(ANN));
        Self {
            kit,
            user,
            started,
            code,
            key,
        }
    }

    /// The session as an invocation reads it now.
    async fn read(&self) -> Session {
        let reference = self.started.session.reference();
        self.kit.store.session(&reference).await.unwrap().unwrap()
    }

    fn session_key(&self) -> String {
        format!("SESSION#{}", self.started.session.reference().hex())
    }

    async fn awaiting(&self) -> Awaiting {
        match self.read().await {
            Session::Awaiting(session) => session,
            other => panic!("{other:?}"),
        }
    }

    async fn validated(&self) -> Validated {
        match self.read().await {
            Session::Validated(session) => session,
            other => panic!("{other:?}"),
        }
    }

    async fn charge(&self, session: &Awaiting) -> bool {
        let limits = &self.kit.settings().limits;
        let charge = self
            .kit
            .store
            .charge(session, &self.key, limits, NOON)
            .await
            .unwrap();
        matches!(charge, Charge::Landed)
    }

    /// What a right guess does after its charge.
    async fn prove(&self, session: Awaiting) -> Moved {
        let token = ResetToken::draw(&SessionId::draw(&mut self.kit.rng()), &mut self.kit.rng());
        let proven = session.prove(self.user.id.clone(), 0, Some(token.digest()), NOON);
        self.kit
            .store
            .prove(&proven, &self.key, &self.user, NOON)
            .await
            .unwrap()
    }

    async fn set_password(&self, session: &Session) -> Moved {
        let hash = hashed(PASSWORD).await;
        let (store, user) = (&self.kit.store, &self.user);
        store
            .set_password(session, &self.key, user, &hash, LOCALE, NOON)
            .await
            .unwrap()
    }

    async fn closes_nothing(&self, read: &Session, why: &str) {
        let before = self.kit.dump().await;
        let closed = self.kit.store.close(read, &self.key, NOON).await.unwrap();
        assert!(matches!(closed, Moved::SessionChanged(_)), "{why}");
        assert_eq!(self.kit.dump().await, before, "{why}");
    }

    async fn version(&self) -> u64 {
        self.kit.stored(&self.user).await.credentials_version
    }
}

#[tokio::test]
async fn no_guess_is_charged_to_a_code_that_was_replaced_since_it_was_read() {
    let scene = Scene::new().await;
    let read = scene.awaiting().await;
    scene
        .kit
        .resend(&scene.started.session, NOON)
        .await
        .unwrap();
    assert!(
        !scene.charge(&read).await,
        "or the old code would be compared after all"
    );
    assert_eq!(scene.kit.guesses(&scene.started.session).await, 0);
}

#[tokio::test]
async fn no_guess_is_charged_to_a_session_that_was_superseded_or_used_since_it_was_read() {
    let scene = Scene::new().await;
    let read = scene.awaiting().await;
    scene.kit.start(Protocol::Directory, ANN, NOON).await;
    assert!(!scene.charge(&read).await);

    let scene = Scene::new().await;
    let read = scene.awaiting().await;
    scene
        .kit
        .verify(&scene.started, &scene.code, NOON)
        .await
        .unwrap();
    assert!(!scene.charge(&read).await, "proven meanwhile");
}

#[tokio::test]
async fn a_guess_is_charged_only_to_a_live_session_of_its_protocol_whatever_was_read() {
    for (name, value) in [
        ("protocol", AttributeValue::S("directory".to_owned())),
        (
            "sessionExpiresAt",
            AttributeValue::N(NOON.millis().to_string()),
        ),
    ] {
        let scene = Scene::new().await;
        let read = scene.awaiting().await;
        scene.kit.change(&scene.session_key(), name, value).await;
        assert!(!scene.charge(&read).await, "{name}");
    }
}

#[tokio::test]
async fn a_right_guess_is_lost_if_its_code_was_replaced_before_the_session_moved() {
    let scene = Scene::new().await;
    let read = scene.awaiting().await;
    assert!(scene.charge(&read).await);
    scene
        .kit
        .resend(&scene.started.session, NOON)
        .await
        .unwrap();
    assert!(matches!(
        scene.prove(read.clone().charged()).await,
        Moved::SessionChanged(_)
    ));
    assert!(matches!(
        scene.set_password(&Session::Awaiting(read)).await,
        Moved::SessionChanged(_)
    ));
    assert_eq!(
        scene.kit.guesses(&scene.started.session).await,
        1,
        "and stays charged"
    );
}

#[tokio::test]
async fn a_right_guess_is_lost_if_its_session_was_superseded_or_proven_before_it_moved() {
    for by in ["superseded", "proven"] {
        let scene = Scene::new().await;
        let read = scene.awaiting().await;
        assert!(scene.charge(&read).await);
        if by == "superseded" {
            scene.kit.start(Protocol::Directory, ANN, NOON).await;
        } else {
            scene
                .kit
                .verify(&scene.started, &scene.code, NOON)
                .await
                .unwrap();
        }
        let moved = scene.prove(read.clone().charged()).await;
        assert!(matches!(moved, Moved::SessionChanged(_)), "{by}");
        let used = scene.set_password(&Session::Awaiting(read)).await;
        assert!(matches!(used, Moved::SessionChanged(_)), "{by}");
        assert_eq!(scene.version().await, 0);
    }
}

async fn change(scene: &Scene, what: &str) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let (kit, user) = (&scene.kit, &scene.user);
    match what {
        "blocked" => kit.change_user(user, "status", blocked()).await,
        "moved" => {
            let elsewhere = text("elsewhere@example.com");
            kit.change_user(user, "email", elsewhere).await;
        }
        _ => {
            let version = AttributeValue::N("7".to_owned());
            kit.change_user(user, "credentialsVersion", version).await;
        }
    }
}

#[tokio::test]
async fn nothing_moves_if_the_user_changed_since_being_read() {
    for (version, what) in [
        (0, "blocked"),
        (0, "moved"),
        (0, "re-credentialed"),
        (3, "re-credentialed"),
    ] {
        let scene = Scene::with_version(version).await;
        let read = scene.awaiting().await;
        assert!(scene.charge(&read).await);
        change(&scene, what).await;
        let before = scene.kit.dump().await;
        assert!(
            matches!(
                scene.prove(read.clone().charged()).await,
                Moved::UserChanged
            ),
            "{what}"
        );
        let used = scene.set_password(&Session::Awaiting(read)).await;
        assert!(matches!(used, Moved::UserChanged), "{what}");
        assert_eq!(scene.kit.dump().await, before, "{what}");

        let scene = Scene::with_version(version).await;
        scene
            .kit
            .verify(&scene.started, &scene.code, NOON)
            .await
            .unwrap();
        let read = scene.validated().await;
        change(&scene, what).await;
        let before = scene.kit.dump().await;
        let used = scene.set_password(&Session::Validated(read)).await;
        assert!(matches!(used, Moved::UserChanged), "{what}");
        assert_eq!(scene.kit.dump().await, before, "{what}");
    }
}

#[tokio::test]
async fn a_proof_that_was_given_up_or_used_since_it_was_read_sets_no_password() {
    for by in ["resent", "proven anew", "used"] {
        let scene = Scene::new().await;
        let proof = scene
            .kit
            .verify(&scene.started, &scene.code, NOON)
            .await
            .unwrap();
        let read = scene.validated().await;
        if by == "used" {
            scene
                .kit
                .set_password(&scene.started, &proof, PASSWORD, NOON)
                .await
                .unwrap();
        } else {
            scene
                .kit
                .resend(&scene.started.session, NOON)
                .await
                .unwrap();
        }
        if by == "proven anew" {
            let code = scene.kit.derived(&scene.started.session).await;
            let proof = scene.kit.verify(&scene.started, &code, NOON).await.unwrap();
            assert!(matches!(proof, Verified::Token(_)));
        }
        let version = scene.version().await;
        let set = scene.set_password(&Session::Validated(read)).await;
        assert!(matches!(set, Moved::SessionChanged(_)), "{by}");
        assert_eq!(scene.version().await, version, "{by}");
    }
}

#[tokio::test]
async fn a_session_that_moved_since_it_was_read_is_not_closed_for_a_blocked_user() {
    for by in ["superseded", "renewed", "proven"] {
        let scene = Scene::new().await;
        let read = scene.read().await;
        match by {
            "superseded" => drop(scene.kit.start(Protocol::Directory, ANN, NOON).await),
            "renewed" => drop(
                scene
                    .kit
                    .resend(&scene.started.session, NOON)
                    .await
                    .unwrap(),
            ),
            _ => drop(
                scene
                    .kit
                    .verify(&scene.started, &scene.code, NOON)
                    .await
                    .unwrap(),
            ),
        }
        scene.closes_nothing(&read, by).await;
    }
    for by in ["used", "proven anew"] {
        let scene = Scene::new().await;
        let (kit, started) = (&scene.kit, &scene.started);
        let proof = kit.verify(started, &scene.code, NOON).await.unwrap();
        let read = scene.read().await;
        if by == "used" {
            kit.set_password(started, &proof, PASSWORD, NOON)
                .await
                .unwrap();
        } else {
            kit.resend(&started.session, NOON).await.unwrap();
            let code = kit.derived(&started.session).await;
            kit.verify(started, &code, NOON).await.unwrap();
        }
        scene.closes_nothing(&read, by).await;
    }
}

#[tokio::test]
async fn a_session_that_was_used_or_renewed_since_it_was_read_gets_no_other_code() {
    for by in ["proven", "renewed", "superseded", "guessed", "over"] {
        let scene = Scene::new().await;
        let session = &scene.started.session;
        let read = scene.read().await;
        match by {
            "proven" => drop(
                scene
                    .kit
                    .verify(&scene.started, &scene.code, NOON)
                    .await
                    .unwrap(),
            ),
            "renewed" => drop(scene.kit.resend(session, NOON).await.unwrap()),
            "superseded" => drop(scene.kit.start(Protocol::Directory, ANN, NOON).await),
            "over" => {
                let end = AttributeValue::N(later(1).millis().to_string());
                let key = scene.session_key();
                scene.kit.change(&key, "sessionExpiresAt", end).await;
            }
            _ => {
                for _ in 0..5 {
                    let wrong = crate::kit::wrong(&scene.code);
                    let guess = scene.kit.verify(&scene.started, &wrong, NOON).await;
                    assert_eq!(outcome_of(&guess), Outcome::CodeWrong);
                }
            }
        }
        let before = scene.kit.dump().await;
        let limits = &scene.kit.settings().limits;
        let nonce = regain::code::Nonce::draw(&mut scene.kit.rng());
        let renewed = read.clone().renewed(limits, nonce, later(1)).unwrap();
        let keys = IndexKeys::new(INDEX_SECRET.as_bytes());
        let request = CodeRequest {
            keys: &keys,
            caller: CALLER,
            locale: LOCALE,
            limits,
        };
        let outcome = scene
            .kit
            .store
            .renew(&read, &renewed, &request, later(1))
            .await
            .unwrap();
        let Renewed::Changed(found) = outcome else {
            panic!("{by}: {outcome:?}");
        };
        assert_eq!(found.session(read), scene.read().await, "{by}");
        assert_eq!(scene.kit.dump().await, before, "{by}");
    }
}
