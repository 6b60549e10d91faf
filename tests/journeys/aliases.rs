//! The Directory API with aliases for ids, for clients that never send the session.

use serde_json::{Value, json};

use crate::stacks;
use testkit::client::{Begun, SET_PASSWORD, Web};
use testkit::mailbox::{Mailbox, wrong};
use testkit::people::{Person, new_address};

const PASSWORD: &str = "brass kettle on the moon";
const OTHER: &str = "another kettle on the moon";

/// The body of a client that does not know the session.
fn without_session(id: &str, otp: &str, password: &str) -> Value {
    json!({"id": id, "otp": otp, "password": password})
}

#[tokio::test]
async fn only_the_answer_after_the_proof_has_the_users_id() {
    let stack = stacks::aliases();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let first = web.begin(&person.email).await;
    mailbox.next_code().await;
    let begun = web.begin(&person.email.to_uppercase()).await;
    let code = mailbox.next_code().await;
    assert_ne!(begun.id, person.id);
    assert_eq!(begun.id, first.id);
    let real = Begun {
        id: person.id.clone(),
        ..begun.clone()
    };
    web.verify(&real, &code).await.refused("DI_UVO_UDNE");
    let user = web.verify(&begun, &code).await.data();
    assert_eq!(user["id"], person.id.as_str());
    let user = web.set_password(&begun, PASSWORD).await.data();
    assert_eq!(user["id"], person.id.as_str());
    assert!(person.has_password(stack, PASSWORD).await);
}

#[tokio::test]
async fn a_client_that_never_sends_the_session_recovers_with_the_newest_code() {
    let stack = stacks::aliases();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let first = web.begin(&person.email).await;
    let displaced = mailbox.next_code().await;
    let id = web.begin(&person.email).await.id;
    let code = mailbox.next_code().await;
    let post = async |body: Value| web.0.post(SET_PASSWORD, body).await;
    if displaced != code {
        post(without_session(&id, &displaced, PASSWORD))
            .await
            .refused("DI_UVO_OINV");
    }
    post(without_session(&id, "12", PASSWORD))
        .await
        .refused("DI_UVO_OINV");
    post(without_session(&id, &code, &person.email))
        .await
        .refused("DI_USP_PINV");
    let mut body = without_session(&id.to_uppercase(), &code, PASSWORD);
    body["session"] = Value::Null;
    let user = post(body).await.data();
    assert_eq!(user["id"], person.id.as_str());
    assert!(person.has_password(stack, PASSWORD).await);
    post(without_session(&id, &code, OTHER))
        .await
        .refused("DI_USC_SE");
    // The password voids the codes that were asked for before.
    web.verify(&first, &displaced).await.refused("DI_USC_SE");
}

#[tokio::test]
async fn without_the_session_a_code_and_a_password_come_together() {
    let stack = stacks::aliases();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let id = web.begin(&person.email).await.id;
    let code = mailbox.next_code().await;
    for less in [
        json!({"id": id, "otp": code}),
        json!({"id": id, "password": PASSWORD}),
        json!({"id": id}),
        json!({"id": id, "otp": code, "password": ""}),
        json!({"id": id, "otp": null, "password": PASSWORD}),
        json!({"id": id, "session": {}, "otp": code, "password": PASSWORD}),
    ] {
        web.0.post(SET_PASSWORD, less).await.malformed("session");
    }
    let nobody = json!({"otp": code, "password": PASSWORD});
    web.0.post(SET_PASSWORD, nobody).await.malformed("id");
    web.0
        .post(SET_PASSWORD, without_session(&person.id, &code, PASSWORD))
        .await
        .refused("DI_USC_SDNE");
    web.0
        .post(SET_PASSWORD, without_session(&id, &code, PASSWORD))
        .await
        .data();
}

#[tokio::test]
async fn a_password_refused_after_the_code_leaves_the_code_good() {
    let stack = stacks::aliases();
    let person = Person::with(stack, json!({"profile": {"name": "Hildegunde"}})).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let id = web.begin(&person.email).await.id;
    let code = mailbox.next_code().await;
    for _ in 0..2 {
        web.0
            .post(SET_PASSWORD, without_session(&id, &code, "hildegunde 1"))
            .await
            .refused("DI_USP_PINV")
            .reasons(&["contains_profile"]);
    }
    web.0
        .post(SET_PASSWORD, without_session(&id, &code, PASSWORD))
        .await
        .data();
}

/// The drawback that docs/settings.md states: an id is all that it takes.
#[tokio::test]
async fn whoever_knows_an_id_can_spend_the_guesses_of_its_newest_session() {
    let stack = stacks::aliases();
    for email in [Person::of(stack).await.email, new_address()] {
        let web = Web::of(stack);
        let begun = web.begin(&email).await;
        for _ in 0..5 {
            let guess = without_session(&begun.id, &wrong("271828"), PASSWORD);
            web.0.post(SET_PASSWORD, guess).await.refused("DI_UVO_OINV");
        }
        web.verify(&begun, "271828").await.refused("DI_USC_SAE");
    }
}
