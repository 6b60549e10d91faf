//! Requests that are sent again: under an `Idempotency-Key`, and after an answer was lost.

use serde_json::json;

use crate::stacks;
use testkit::client::{Api, FORGOT, Mobile, RESEND, RESEND_OTP, Web};
use testkit::mailbox::Mailbox;
use testkit::people::{Person, new_address};
use testkit::table::Table;

const KEY: &str = "4f9a3f0e-7c1d-4b57-9f2c-1d2e3f405162";
const OTHER_KEY: &str = "019b2c3d-4e5f-7a6b-8c7d-9e8f0a1b2c3d";
const PASSWORD: &str = "brass kettle on the moon";

#[tokio::test]
async fn a_repeated_request_gets_the_same_session_and_one_mail_and_is_not_throttled() {
    let stack = stacks::defaults();
    let person = Person::of(stack).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let api = Api::of(stack).with("idempotency-key", KEY);
    let body = json!({"email": person.email});
    let first = api.post(RESEND, body.clone()).await.data();
    for _ in 0..4 {
        assert_eq!(
            api.post(RESEND, body.clone()).await.data(),
            first,
            "its start included"
        );
    }
    let session = first["session"]["id"].as_str().unwrap();
    let code = mailbox.next_code().await;
    assert_eq!(Table::of(stack).mail_outcomes(session).await, ["sent"]);
    assert_eq!(mailbox.all().await.len(), 1);
    // Without the key the throttle is as it was.
    Web::of(stack)
        .resend(&person.email)
        .await
        .refused("DI_USR_LIM");
    let body = json!({"id": person.id, "session": session, "otp": code, "password": PASSWORD});
    Web::of(stack)
        .0
        .post(testkit::client::SET_PASSWORD, body)
        .await
        .data();
}

#[tokio::test]
async fn a_key_belongs_to_its_endpoint_address_and_caller() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let keyed = |api: Api| api.with("idempotency-key", KEY);
    let (api, body) = (keyed(Api::of(stack)), json!({"email": person.email}));
    let first = api.post(FORGOT, body.clone()).await.word();
    assert_eq!(api.post(FORGOT, body.clone()).await.word(), first);
    let spelled = json!({"email": format!(" {}", person.email.to_uppercase())});
    assert_eq!(
        api.post(FORGOT, spelled).await.word(),
        first,
        "the same address"
    );
    for same in [
        KEY.to_uppercase(),
        format!("\"{KEY}\""),
        format!("\"{}\"", KEY.to_uppercase()),
    ] {
        let api = Api::of(stack).with("idempotency-key", &same);
        assert_eq!(api.post(FORGOT, body.clone()).await.word(), first, "{same}");
    }
    let others = [
        api.post(FORGOT, json!({"email": new_address()}))
            .await
            .word(),
        keyed(Api::from(stack, [127, 0, 4, 1]))
            .post(FORGOT, body.clone())
            .await
            .word(),
        Api::of(stack)
            .with("idempotency-key", OTHER_KEY)
            .post(FORGOT, body.clone())
            .await
            .word(),
        Mobile::of(stack).begin(&person.email).await,
        api.post(RESEND, body).await.data()["session"]["id"]
            .as_str()
            .unwrap()
            .to_owned(),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, first);
        assert!(!others[..index].contains(other));
    }
}

#[tokio::test]
async fn twenty_concurrent_repeats_get_one_session_and_one_mail() {
    let stack = stacks::defaults();
    let person = Person::of(stack).await;
    let api = Api::of(stack).with("idempotency-key", KEY);
    let mut requests: tokio::task::JoinSet<_> = (0..20)
        .map(|_| {
            let (api, body) = (api.clone(), json!({"email": person.email}));
            async move { api.post(FORGOT, body).await.word() }
        })
        .collect();
    let mut sessions = Vec::new();
    while let Some(session) = requests.join_next().await {
        sessions.push(session.unwrap());
    }
    sessions.dedup();
    assert_eq!(sessions.len(), 1);
    assert_eq!(Table::of(stack).mail_outcomes(&sessions[0]).await, ["sent"]);
}

#[tokio::test]
async fn a_malformed_key_is_refused_where_keys_count_and_ignored_elsewhere() {
    let stack = stacks::open();
    for key in [
        "",
        "\"\"",
        "short",
        "0123456789abcdef",
        "01JGFJJZ00K3V9X2M7QD5T8RNB",
        "00000000-0000-0000-0000-000000000000",
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "2ed6657d-e927-568b-95e1-2665a8aea6a2",
        &KEY.replace('-', ""),
        &format!("{{{KEY}}}"),
        &format!("\"{KEY}"),
        &format!("{KEY}, {KEY}"),
        &format!("{KEY}\u{e9}"),
    ] {
        let api = Api::of(stack).with("idempotency-key", key);
        for path in [RESEND, FORGOT] {
            api.post(path, json!({"email": new_address()}))
                .await
                .malformed("idempotency-key");
        }
        let session = Mobile::of(stack).begin(&new_address()).await;
        api.post(RESEND_OTP, json!({"session_id": session}))
            .await
            .word();
    }
    for key in [KEY, OTHER_KEY, &format!("\"{OTHER_KEY}\"")] {
        let api = Api::of(stack).with("idempotency-key", key);
        for path in [RESEND, FORGOT] {
            api.post(path, json!({"email": new_address()})).await.data();
        }
    }
}

#[tokio::test]
async fn a_key_never_leads_to_a_proven_session() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let web = Web(Web::of(stack).0.with("idempotency-key", KEY));
    let mut mailbox = Mailbox::of(stack, &person);
    let owner = web.begin(&person.email).await;
    web.verify(&owner, &mailbox.next_code().await).await.data();
    // Somebody behind the same address of the network, who knows the key.
    let other = web.begin(&person.email).await;
    assert_ne!(other.session, owner.session);
    web.set_password(&other, "a kettle of somebody else")
        .await
        .refused("DI_UVO_OINV");
    web.set_password(&owner, PASSWORD).await.data();
    let third = web.begin(&person.email).await;
    assert!(![&owner.session, &other.session].contains(&&third.session));
}

#[tokio::test]
async fn an_idempotency_key_is_ignored_where_a_request_carries_a_secret() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let mobile = Mobile(Mobile::of(stack).0.with("idempotency-key", KEY));
    let session = mobile.begin(&person.email).await;
    let mut mailbox = Mailbox::of(stack, &person);
    let code = mailbox.next_code().await;
    let token = mobile.verify(&session, &code).await.word();
    mobile.verify(&session, &code).await.refused("otp_invalid");
    mobile.resend(&session).await.word();
    // Two mails on their way at once may arrive in either order.
    mailbox.next().await;
    mobile.resend(&session).await.word();
    mobile
        .set_password(&token, PASSWORD)
        .await
        .refused("token_invalid");
    let token = mobile
        .verify(&session, &mailbox.next_code().await)
        .await
        .word();
    mobile.set_password(&token, PASSWORD).await.word();
    mobile
        .set_password(&token, PASSWORD)
        .await
        .refused("session_expired");
}

#[tokio::test]
async fn a_caller_who_lost_the_answer_to_a_code_goes_on_with_the_password_alone() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let (web, mut mailbox) = (Web::of(stack), Mailbox::of(stack, &person));
    let begun = web.begin(&person.email).await;
    let code = mailbox.next_code().await;
    web.verify(&begun, &code).await.data();
    web.verify(&begun, &code).await.refused("DI_UVO_OINV");
    web.set_both(&begun, &code, PASSWORD)
        .await
        .refused("DI_UVO_OINV");
    web.set_password(&begun, PASSWORD).await.data();
    web.set_password(&begun, PASSWORD)
        .await
        .refused("DI_USC_SE");
    mailbox.next_notice().await;
}
