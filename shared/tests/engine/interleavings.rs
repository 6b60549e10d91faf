//! What happens between a read and a write of the same invocation: the write's condition sees it.
//!
//! A race that a test has to win is no test: here the steps of two invocations are taken in the order
//! that would do harm.

use regain::ids::ResetToken;
use regain::keys::{AddressKey, IndexKeys};
use regain::password::{Candidate, Hasher, PasswordHash};
use regain::recovery::Started;
use regain::session::{Awaiting, Protocol, Session, Validated};
use regain::store::{Charge, CodeRequest, Moved, Renewed};
use regain::users::User;
use zeroize::Zeroizing;

use crate::kit::{
    ANN, CALLER, INDEX_SECRET, Kit, LOCALE, NOON, PASSWORD, Told, Verified, address, blocked,
    later, told,
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
        let kit = Kit::new().await;
        let user = kit.user(ANN).await;
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
        let token = ResetToken::draw(&session.facts.reference, &mut self.kit.rng());
        let proven = session.prove(self.user.id.clone(), 0, Some(token.digest()), NOON);
        self.kit
            .store
            .prove(&proven, &self.key, &self.user, NOON)
            .await
            .unwrap()
    }

    async fn set_password(&self, session: &Session) -> Moved {
        let hash = hash().await;
        let (store, user) = (&self.kit.store, &self.user);
        store
            .set_password(session, &self.key, user, &hash, LOCALE, NOON)
            .await
            .unwrap()
    }

    async fn version(&self) -> u64 {
        self.kit.stored(&self.user).await.credentials_version
    }
}

async fn hash() -> PasswordHash {
    let password = Candidate::new(Zeroizing::new(PASSWORD.to_owned()));
    Hasher::new(19_456, 2, 1)
        .unwrap()
        .hash(password, [7; 16])
        .await
        .unwrap()
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
        scene.prove(read.charged()).await,
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
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let (kit, user) = (&scene.kit, &scene.user);
    match what {
        "blocked" => kit.change_user(user, "status", blocked()).await,
        "moved" => {
            kit.change_user(user, "email", text("elsewhere@example.com"))
                .await
        }
        _ => {
            let version = aws_sdk_dynamodb::types::AttributeValue::N("1".to_owned());
            kit.change_user(user, "credentialsVersion", version).await;
        }
    }
}

#[tokio::test]
async fn nothing_moves_if_the_user_changed_since_being_read() {
    for what in ["blocked", "moved", "re-credentialed"] {
        let scene = Scene::new().await;
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

        let scene = Scene::new().await;
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
async fn a_session_that_was_used_or_renewed_since_it_was_read_gets_no_other_code() {
    for by in ["proven", "renewed", "superseded", "guessed"] {
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
            _ => {
                for _ in 0..5 {
                    let wrong = crate::kit::wrong(&scene.code);
                    let guess = scene.kit.verify(&scene.started, &wrong, NOON).await;
                    assert_eq!(told(&guess), Told::CodeWrong);
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
        assert!(matches!(outcome, Renewed::Changed(_)), "{by}");
        assert_eq!(scene.kit.dump().await, before, "{by}");
    }
}
