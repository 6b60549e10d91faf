//! The ids that `users/resend` answers with: aliases for everybody, and the newest session of an id.

use regain::api::Protocol;
use regain::ids::UserId;
use testkit::table::text;

use crate::kit::{
    ANN, Kit, NOBODY, NOON, Outcome, PASSWORD, keyed, later, named, outcome_of, request, typed,
    wrong,
};

const ALIAS: (&str, &str) = ("DIRECTORY_USER_ID", "alias");
const LATEST: (&str, &str) = ("DIRECTORY_SESSION", "latest");

/// Begins a session by the Directory API, and returns it with its id.
async fn begin(kit: &Kit, email: &str, seconds: u64) -> (regain::recovery::Started, UserId) {
    let started = kit.start(Protocol::Directory, email, later(seconds)).await;
    let id = started.user.clone().unwrap();
    (started, id)
}

#[tokio::test]
async fn everybody_is_answered_an_alias_and_nobody_is_looked_up() {
    for format in ["objectid", "uuid"] {
        let kit = Kit::with(&[ALIAS, ("USER_ID_FORMAT", format)]).await;
        let before = begin(&kit, ANN, 0).await.1;
        let user = kit.user(ANN).await;
        kit.log.reset();
        let with_user = begin(&kit, "Ann@EXAMPLE.com", 1).await.1;
        assert_eq!(kit.log.shapes().len(), 1, "{:?}", kit.log.shapes());
        assert_eq!(
            with_user, before,
            "it does not tell that somebody has the address now"
        );
        assert_ne!(with_user, user.id);
        assert_ne!(begin(&kit, NOBODY, 2).await.1, with_user);
        assert!(kit.settings().user_id_format.fits(with_user.as_str()));
    }
}

#[tokio::test]
async fn only_the_answer_after_the_proof_has_the_users_id() {
    let kit = Kit::with(&[ALIAS]).await;
    let user = kit.user(ANN).await;
    let (started, alias) = begin(&kit, ANN, 0).await;
    let code = kit.code(NOON).await;
    let mut by_real_id = started.clone();
    by_real_id.user = Some(user.id.clone());
    for told in [
        outcome_of(&kit.verify(&by_real_id, &code, NOON).await),
        outcome_of(&kit.set_with_code(&by_real_id, &code, PASSWORD, NOON).await),
    ] {
        assert_eq!(told, Outcome::OtherUser);
    }
    assert_eq!(kit.guesses(&started.session).await, 0);
    let proven = kit
        .recovery
        .verify(&mut kit.call(NOON), &named(&started), &typed(&code))
        .await
        .unwrap();
    assert_eq!(proven.id, user.id);
    let set = kit
        .set_in_directory(&started, PASSWORD, NOON)
        .await
        .unwrap();
    assert_eq!(set.id, user.id);
    assert_ne!(alias, user.id);
}

#[tokio::test]
async fn an_alias_leads_to_whoever_has_the_address_when_the_code_is_proven() {
    let kit = Kit::with(&[ALIAS]).await;
    let (started, _) = begin(&kit, NOBODY, 0).await;
    let code = kit.derived(&started.session).await;
    let link = kit.derived_link(&started.session).await;
    assert_eq!(
        outcome_of(&kit.set_with_code(&started, &code, PASSWORD, NOON).await),
        Outcome::CodeWrong,
        "nobody has it"
    );
    assert_eq!(
        outcome_of(&kit.set_by_link(&link, PASSWORD, NOON).await),
        Outcome::Over
    );
    let user = kit.user(NOBODY).await;
    let set = kit.set_by_link(&link, PASSWORD, NOON).await.unwrap();
    assert_eq!(set.id, user.id);
}

/// During a deployment both settings are in force. A session knows with what it was answered.
#[tokio::test]
async fn a_session_goes_on_after_the_setting_has_changed() {
    for (mode, other) in [("alias", "user"), ("user", "alias")] {
        let kit = Kit::with(&[("DIRECTORY_USER_ID", mode)]).await;
        let user = kit.user(ANN).await;
        let (started, _) = begin(&kit, ANN, 0).await;
        let (unknown, _) = begin(&kit, NOBODY, 0).await;
        let code = kit.derived(&started.session).await;
        let changed = kit.with_settings(&[("DIRECTORY_USER_ID", other)]);
        let verified = changed
            .verify(&mut kit.call(NOON), &named(&started), &typed(&code))
            .await;
        assert_eq!(verified.unwrap().id, user.id, "{mode}");
        // Whether a user who comes later is reached depends on what was answered.
        let code = kit.derived(&unknown.session).await;
        kit.user(NOBODY).await;
        let verified = changed
            .verify(&mut kit.call(NOON), &named(&unknown), &typed(&code))
            .await;
        assert_eq!(verified.is_ok(), mode == "alias", "{verified:?}");
    }
}

#[tokio::test]
async fn a_call_without_a_session_means_the_newest_one_of_its_id() {
    for changed in [&[LATEST][..], &[LATEST, ALIAS]] {
        let kit = Kit::with(changed).await;
        let user = kit.user(ANN).await;
        let (first, id) = begin(&kit, ANN, 0).await;
        let old = kit.derived(&first.session).await;
        let (second, again) = begin(&kit, ANN, 1).await;
        assert_eq!(id, again);
        let code = kit.derived(&second.session).await;
        assert_eq!(
            outcome_of(&kit.set_in_newest(&id, &old, PASSWORD, later(2)).await),
            Outcome::CodeWrong
        );
        assert_eq!(kit.guesses(&first.session).await, 0);
        assert_eq!(kit.guesses(&second.session).await, 1);
        let set = kit.set_in_newest(&id, &code, PASSWORD, later(2)).await;
        assert_eq!(set.unwrap().id, user.id);
        assert_eq!(
            outcome_of(&kit.set_in_newest(&id, &code, PASSWORD, later(2)).await),
            Outcome::Over
        );
    }
}

#[tokio::test]
async fn the_newest_session_of_a_decoy_is_found_like_any_other() {
    let kit = Kit::with(&[LATEST]).await;
    let (started, id) = begin(&kit, NOBODY, 0).await;
    let code = wrong(&kit.derived(&started.session).await);
    for _ in 0..5 {
        assert_eq!(
            outcome_of(&kit.set_in_newest(&id, &code, PASSWORD, NOON).await),
            Outcome::CodeWrong
        );
    }
    assert_eq!(
        outcome_of(&kit.set_in_newest(&id, &code, PASSWORD, NOON).await),
        Outcome::Spent
    );
}

#[tokio::test]
async fn an_id_that_no_session_was_answered_with_has_no_newest_one() {
    let kit = Kit::with(&[LATEST]).await;
    let user = kit.user(ANN).await;
    kit.start(Protocol::AuthV1, ANN, NOON).await;
    assert_eq!(kit.keys("LATEST#").await, Vec::<String>::new());
    assert_eq!(
        outcome_of(&kit.set_in_newest(&user.id, "123456", PASSWORD, NOON).await),
        Outcome::NoSession
    );
}

#[tokio::test]
async fn a_password_refused_after_the_code_leaves_session_and_code_as_they_were() {
    let kit = Kit::with(&[LATEST]).await;
    let user = kit
        .user_like(serde_json::json!({ "email": ANN, "profile": { "name": "Hildegunde" } }))
        .await;
    let (started, id) = begin(&kit, ANN, 0).await;
    let code = kit.derived(&started.session).await;
    let before = kit.session_item(&started.session).await;
    for _ in 0..3 {
        let refused = kit.set_in_newest(&id, &code, "hildegunde 1", NOON).await;
        assert!(matches!(outcome_of(&refused), Outcome::Password(_)));
        assert_eq!(kit.session_item(&started.session).await, before);
        assert_eq!(kit.guesses_today(ANN, NOON).await, 0);
    }
    assert_eq!(
        kit.records.events(),
        ["requested new-session"],
        "nothing was opened, and the code is still good"
    );
    kit.set_in_newest(&id, &code, PASSWORD, NOON).await.unwrap();
    assert_eq!(kit.stored(&user).await.credentials_version, 1);
}

#[tokio::test]
async fn a_request_that_is_refused_or_repeated_displaces_no_session() {
    let kit = Kit::throttled(&[LATEST]).await;
    kit.user(ANN).await;
    let first = kit
        .request(keyed(Protocol::Directory, ANN), NOON)
        .await
        .unwrap();
    let newest = kit.keys("LATEST#").await;
    let item = kit.item(&newest[0]).await.unwrap();
    assert_eq!(newest.len(), 1);
    assert_eq!(text(&item, "session"), first.session.reference().hex());
    let refused = kit
        .request(request(Protocol::Directory, ANN), later(1))
        .await;
    assert!(matches!(outcome_of(&refused), Outcome::Throttled(_)));
    let again = kit.request(keyed(Protocol::Directory, ANN), later(2)).await;
    assert_eq!(again.unwrap().session, first.session);
    assert_eq!(kit.item(&newest[0]).await.unwrap(), item);
    begin(&kit, ANN, 61).await;
    assert_eq!(kit.keys("LATEST#").await, newest, "one item for each id");
    assert_ne!(kit.item(&newest[0]).await.unwrap(), item);
}

#[tokio::test]
async fn the_newest_session_item_holds_neither_id_nor_address_and_expires_with_its_session() {
    let kit = Kit::with(&[LATEST]).await;
    kit.user(ANN).await;
    let (started, id) = begin(&kit, ANN, 0).await;
    let key = kit.keys("LATEST#").await.remove(0);
    let item = kit.item(&key).await.unwrap();
    let written = format!("{key} {item:?}");
    assert!(
        !written.contains(id.as_str()) && !written.contains(ANN),
        "{written}"
    );
    let session = kit.session_item(&started.session).await;
    assert_eq!(item["expiresAt"], session["expiresAt"]);
    assert_eq!(item.len(), 3, "{item:?}");
}

#[tokio::test]
async fn without_the_setting_the_newest_session_is_not_stored() {
    let kit = Kit::new().await;
    kit.user(ANN).await;
    begin(&kit, ANN, 0).await;
    assert_eq!(kit.keys("LATEST#").await, Vec::<String>::new());
}
