//! Interleavings: if something changes between a read and a write of one invocation, the write's condition notices.
//!
//! These tests do not depend on winning a race: they take the steps of two invocations in the harmful order.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::api::Protocol;
use regain::audit::Means;
use regain::ids::{GuessName, ResetToken, SessionId};
use regain::keys::{AddressKey, IndexKeys};
use regain::recovery::Started;
use regain::session::{Awaiting, Session, Validated};
use regain::settings::Share;
use regain::store::{AddressCharge, CodeRequest, FromState, Moved, Renewed, SessionCharge};
use regain::users::{CredentialsVersion, User};
use serde_json::json;

use crate::kit::{
    ANN, CALLER, Failure, INDEX_SECRET, Kit, LOCALE, NOON, Outcome, PASSWORD, Verified, address,
    blocked, hashed, later, outcome_of,
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

    /// Charges a guess to the session, as an invocation of that name does.
    async fn charge(&self, guess: &GuessName) -> SessionCharge {
        let limits = &self.kit.settings().limits;
        let reference = self.started.session.reference();
        let store = &self.kit.store;
        let charge = store.charge_session(&reference, Protocol::AuthV1, None, guess, limits, NOON);
        charge.await.unwrap()
    }

    async fn is_charged(&self) -> bool {
        let guess = GuessName::draw(&mut self.kit.rng());
        matches!(self.charge(&guess).await, SessionCharge::Landed(_))
    }

    /// Makes the session validated, as after a right guess.
    async fn prove(&self, session: Awaiting) -> Moved {
        self.prove_by(session, &GuessName::draw(&mut self.kit.rng()))
            .await
    }

    async fn prove_by(&self, session: Awaiting, guess: &GuessName) -> Moved {
        let token = ResetToken::draw(&SessionId::draw(&mut self.kit.rng()), &mut self.kit.rng());
        let proven = session.prove(self.user.id.clone(), 0.into(), Some(token.digest()), NOON);
        self.kit.store.prove(&proven, guess, None).await.unwrap()
    }

    async fn set_password(&self, session: &Session) -> Moved {
        let hash = hashed(PASSWORD).await;
        let (store, user) = (&self.kit.store, &self.user);
        store
            .set_password(session, means(session), user, &hash, LOCALE, NOON)
            .await
            .unwrap()
    }

    async fn closes_nothing(&self, read: &Session, why: &str) {
        let before = self.kit.dump().await;
        let (by, from) = (self.kit.claimant(), FromState::of(means(read)));
        let closed = self.kit.store.close(read, from, &by).await.unwrap();
        assert!(matches!(closed, Moved::SessionChanged(_)), "{why}");
        assert_eq!(self.kit.dump().await, before, "{why}");
    }

    async fn version(&self) -> CredentialsVersion {
        self.kit.stored(&self.user).await.credentials_version
    }
}

/// By what a session is used in the state that it was read in.
fn means(session: &Session) -> Means {
    match session {
        Session::Awaiting(_) => Means::Code,
        Session::Validated(_) | Session::Used(_) => Means::Token,
    }
}

#[tokio::test]
async fn a_charge_that_landed_unanswered_before_the_session_moved_on_is_given_back() {
    let scene = Scene::new().await;
    let guess = GuessName::draw(&mut scene.kit.rng());
    let landed = scene.charge(&guess).await;
    assert!(matches!(landed, SessionCharge::Landed(_)));
    let moved = scene.prove(scene.awaiting().await).await;
    assert!(matches!(moved, Moved::Done));
    let retried = scene.charge(&guess).await;
    assert!(matches!(retried, SessionCharge::Refused(_)));
    let session = scene.kit.session_item(&scene.started.session).await;
    assert!(!session.contains_key("tries"), "{session:?}");
}

#[tokio::test]
async fn a_guess_is_compared_with_the_code_that_its_charge_found() {
    let scene = Scene::new().await;
    let (kit, started) = (&scene.kit, &scene.started);
    let before = scene.awaiting().await.generation;
    kit.resend(&started.session, NOON).await.unwrap();
    let SessionCharge::Landed(session) = scene.charge(&GuessName::draw(&mut kit.rng())).await
    else {
        panic!("it is charged");
    };
    assert_eq!(session.generation.number, before.number + 1);
    assert_ne!(session.generation.nonce, before.nonce);
    let old = kit.verify(started, &scene.code, NOON).await;
    assert_eq!(outcome_of(&old), Outcome::CodeWrong);
    let code = kit.derived(&started.session).await;
    let new = kit.verify(started, &code, NOON).await;
    assert_eq!(outcome_of(&new), Outcome::Done);
}

#[tokio::test]
async fn no_guess_is_charged_to_a_session_whose_code_was_proven() {
    let scene = Scene::new().await;
    scene
        .kit
        .verify(&scene.started, &scene.code, NOON)
        .await
        .unwrap();
    assert!(!scene.is_charged().await);
    assert_eq!(scene.kit.guesses(&scene.started.session).await, 0);
}

#[tokio::test]
async fn a_guess_is_charged_only_to_a_live_session_as_its_caller_names_it() {
    let (text, now) = (
        |text: &str| AttributeValue::S(text.to_owned()),
        || AttributeValue::N(NOON.millis().to_string()),
    );
    for (name, value) in [
        ("protocol", text("directory")),
        ("answeredId", text("somebody's")),
        ("sessionExpiresAt", now()),
        ("codeExpiresAt", now()),
    ] {
        let scene = Scene::new().await;
        scene.kit.change(&scene.session_key(), name, value).await;
        assert!(!scene.is_charged().await, "{name}");
    }
}

#[tokio::test]
async fn a_guess_that_is_charged_or_given_back_twice_counts_once() {
    let scene = Scene::new().await;
    let (kit, key) = (&scene.kit, &scene.key);
    let guesses = [(); 4].map(|()| GuessName::draw(&mut kit.rng()));
    let limits = &kit.settings().limits;
    for guess in &guesses {
        for _ in 0..2 {
            let charged = scene.charge(guess).await;
            assert!(matches!(charged, SessionCharge::Landed(_)));
            let charge = kit
                .store
                .charge_address(key, guess, limits, Share::Strangers, NOON);
            let charged = charge.await.unwrap();
            assert!(matches!(charged, AddressCharge::Landed(None)));
        }
    }
    let session = &scene.started.session;
    assert_eq!(kit.guesses(session).await, 4);
    assert_eq!(kit.guesses_today(ANN, NOON).await, 4);
    for _ in 0..2 {
        let (reference, guess) = (session.reference(), &guesses[0]);
        let given_back = kit.store.give_back_to_session(&reference, guess).await;
        given_back.unwrap();
        let given_back = kit.store.give_back_to_address(key, guess, NOON).await;
        given_back.unwrap();
        assert_eq!(kit.guesses(session).await, 3);
        assert_eq!(kit.guesses_today(ANN, NOON).await, 3);
    }
}

#[tokio::test]
async fn the_retry_of_the_last_guess_is_not_refused_because_of_the_guess_itself() {
    let kit = Kit::with(&[("CODE_MAX_ATTEMPTS", "1"), ("ACCOUNT_GUESSES_PER_DAY", "1")]).await;
    kit.user(ANN).await;
    for charge in [1, 2] {
        let email = format!("ann{charge}@example.com");
        kit.user(&email).await;
        let started = kit.start(Protocol::AuthV1, &email, NOON).await;
        let code = kit.derived(&started.session).await;
        kit.faults.fail(Failure::TimeoutAfter, charge, 1);
        let guess = kit.verify(&started, &code, NOON).await;
        kit.faults.clear();
        assert_eq!(outcome_of(&guess), Outcome::Done, "charge {charge}");
    }
}

#[tokio::test]
async fn a_guess_is_given_back_to_nothing_that_is_gone() {
    let scene = Scene::new().await;
    let (kit, key) = (&scene.kit, &scene.key);
    kit.delete(&scene.session_key()).await;
    let address = kit.keys("ADDRESS#").await.remove(0);
    kit.delete(&address).await;
    let before = kit.dump().await;
    let (reference, guess) = (
        scene.started.session.reference(),
        GuessName::draw(&mut kit.rng()),
    );
    let given_back = kit.store.give_back_to_session(&reference, &guess).await;
    given_back.unwrap();
    let given_back = kit.store.give_back_to_address(key, &guess, NOON).await;
    given_back.unwrap();
    assert_eq!(kit.dump().await, before);
}

#[tokio::test]
async fn a_move_whose_answer_was_lost_is_recognised_by_its_guess_and_no_other_is() {
    let scene = Scene::new().await;
    let read = scene.awaiting().await;
    let guess = GuessName::draw(&mut scene.kit.rng());
    for _ in 0..2 {
        let moved = scene.prove_by(read.clone(), &guess).await;
        assert!(matches!(moved, Moved::Done));
    }
    let moved = scene.prove(read).await;
    assert!(matches!(moved, Moved::SessionChanged(Some(_))));
}

#[tokio::test]
async fn a_right_guess_is_lost_if_its_code_was_replaced_before_the_session_moved() {
    let scene = Scene::new().await;
    let read = scene.awaiting().await;
    scene
        .kit
        .resend(&scene.started.session, NOON)
        .await
        .unwrap();
    assert!(matches!(
        scene.prove(read.clone()).await,
        Moved::SessionChanged(_)
    ));
    assert!(matches!(
        scene.set_password(&Session::Awaiting(read)).await,
        Moved::SessionChanged(_)
    ));
}

#[tokio::test]
async fn a_right_guess_is_lost_if_its_session_was_proven_before_it_moved() {
    let scene = Scene::new().await;
    let read = scene.awaiting().await;
    scene
        .kit
        .verify(&scene.started, &scene.code, NOON)
        .await
        .unwrap();
    let moved = scene.prove(read.clone()).await;
    assert!(matches!(moved, Moved::SessionChanged(_)));
    let used = scene.set_password(&Session::Awaiting(read)).await;
    assert!(matches!(used, Moved::SessionChanged(_)));
    assert_eq!(scene.version().await, 0);
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
async fn no_password_is_set_if_the_user_changed_since_being_read() {
    for (version, what) in [
        (0, "blocked"),
        (0, "moved"),
        (0, "re-credentialed"),
        (3, "re-credentialed"),
    ] {
        let scene = Scene::with_version(version).await;
        let read = scene.awaiting().await;
        change(&scene, what).await;
        let before = scene.kit.dump().await;
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
    for by in ["renewed", "proven"] {
        let scene = Scene::new().await;
        let read = scene.read().await;
        match by {
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
    for by in ["proven", "renewed", "guessed", "over"] {
        let scene = Scene::new().await;
        let session = &scene.started.session;
        let read = scene.read().await;
        let was = read.clone();
        match by {
            "proven" => drop(
                scene
                    .kit
                    .verify(&scene.started, &scene.code, NOON)
                    .await
                    .unwrap(),
            ),
            "renewed" => drop(scene.kit.resend(session, NOON).await.unwrap()),
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
        let renewed = read.renew(limits, nonce, later(1)).unwrap();
        let keys = IndexKeys::new(INDEX_SECRET.as_bytes());
        let request = CodeRequest {
            keys: &keys,
            caller: CALLER,
            locale: LOCALE,
            limits,
            share: Share::Strangers,
        };
        let outcome = scene
            .kit
            .store
            .renew(&was, &renewed, &request, true, later(1))
            .await
            .unwrap();
        let Renewed::Changed(found) = outcome else {
            panic!("{by}: {outcome:?}");
        };
        assert_eq!(found.as_deref(), Some(&scene.read().await), "{by}");
        assert_eq!(scene.kit.dump().await, before, "{by}");
    }
}

#[tokio::test]
async fn a_mailbox_is_marked_only_if_the_user_still_has_the_address() {
    for what in ["nothing", "blocked", "moved"] {
        let scene = Scene::new().await;
        if what != "nothing" {
            change(&scene, what).await;
        }
        let marked = scene.kit.store.mark_mailbox(&scene.user).await.unwrap();
        assert_eq!(marked, what != "moved", "{what}");
        let stored = scene.kit.stored(&scene.user).await;
        assert_eq!(stored.is_email_validate, marked, "{what}");
    }
}
