//! Users who live elsewhere: the functions ask a program for them, as `cargo run -- --user-store` lets them.

use reqwest::Method;
use serde_json::{Value, json};

use testkit::answer::Answer;
use testkit::binaries::binaries;
use testkit::client::{Api, FORGOT, Mobile, RESET, Web};
use testkit::fake_user_store::{ElsewhereUser, FakeUserStore, StoreFault, Veto};
use testkit::mailbox::Mailbox;
use testkit::people::new_address;
use testkit::stack::{Setup, Stack};
use testkit::table::{Table, text};

pub(crate) const PASSWORD: &str = "nine quiet harbours";

/// A service whose users are in a store of the test's own, and one of them.
pub(crate) async fn open() -> (Stack, FakeUserStore, String) {
    open_with(Setup::default()).await
}

async fn open_with(setup: Setup) -> (Stack, FakeUserStore, String) {
    let store = FakeUserStore::serve().await;
    let stack = setup
        .unthrottled()
        .flag("--user-store")
        .flag(store.endpoint())
        .start();
    let email = new_address();
    store.put(ElsewhereUser::of(&email));
    (stack, store, email)
}

/// An answer that is not one of the contract's table: that of the gateway, or with reasons of the store's own.
pub(crate) async fn post(api: &Api, path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    api.raw(Method::POST, path, "application/json", body).await
}

#[tokio::test]
async fn people_who_live_elsewhere_recover_by_code_token_session_and_link() {
    let (stack, store, email) = open().await;
    let (web, mobile) = (Web::of(&stack), Mobile::of(&stack));
    let mut mailbox = Mailbox::at(&stack, &email);
    let id = format!("id of {email}");

    let session = mobile.begin(&email).await;
    let code = mailbox.next_code().await;
    let token = mobile.verify(&session, &code).await.word();
    assert_eq!(mobile.set_password(&token, PASSWORD).await.word(), id);
    mailbox.next_notice().await;

    let begun = web.begin(&email).await;
    assert_ne!(begun.id, id, "an alias");
    let code = mailbox.next_code().await;
    web.verify(&begun, &code).await.data();
    let user = web.set_password(&begun, PASSWORD).await.data();
    assert_eq!((&user["id"], &user["email"]), (&json!(id), &json!(email)));
    assert_eq!(user["isEmailValidate"], true);
    assert_eq!((&user["phone"], &user["roles"]), (&json!(""), &json!([])));
    mailbox.next_notice().await;

    let begun = web.begin(&email).await;
    let code = mailbox.next_code().await;
    let user = web.set_both(&begun, &code, PASSWORD).await.data();
    assert_eq!(user["id"], id);
    mailbox.next_notice().await;

    mobile.begin(&email).await;
    let link = mailbox.next().await.link_token();
    let body = json!({"token": link, "password": PASSWORD});
    assert_eq!(mobile.0.post(RESET, body).await.word(), id);
    mailbox.next_notice().await;

    assert_eq!(store.user(&email).times_set, 4);
    let hash = store.user(&email).password.unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let items = Table::of(&stack).all().await;
    let is_user = |key: &str| key.starts_with("USER#") || key.starts_with("EMAIL#");
    assert!(!items.iter().any(|item| is_user(text(item, "pk"))));
    assert!(!stack.said().contains(PASSWORD));
    assert!(!stack.said().contains(&email));
}

#[tokio::test]
async fn known_and_unknown_addresses_elsewhere_are_answered_alike() {
    let (stack, store, email) = open().await;
    let (web, mobile) = (Web::of(&stack), Mobile::of(&stack));
    for address in [email.clone(), new_address()] {
        let body = json!({"email": address});
        assert_eq!(mobile.0.post(FORGOT, body).await.status, 200);
        let first = web.begin(&address).await;
        let second = web.begin(&address).await;
        assert_eq!(first.id, second.id, "the same alias each time");
        assert_eq!(first.id.len(), 24);
    }
    // Only the delivery of mail asks.
    let is_find = |operation: &String| operation == "find";
    assert!(store.operations().iter().all(is_find));
}

#[tokio::test]
async fn a_user_store_may_refuse_a_password_or_a_person() {
    let (stack, store, email) = open().await;
    let (web, mobile) = (Web::of(&stack), Mobile::of(&stack));
    let mut mailbox = Mailbox::at(&stack, &email);
    store.change(&email, |user| user.email_verified = Some(false));
    let session = mobile.begin(&email).await;
    let token = mobile.verify(&session, &mailbox.next_code().await).await;
    let token = token.word();
    assert_eq!(store.user(&email).email_verified, Some(true));
    store.veto(Veto::Refused(vec!["reused"]));
    let body = json!({"token": token, "password": PASSWORD});
    let refused = post(&mobile.0, RESET, &body).await;
    let answered = json!({
        "status_code": 422, "data": null, "error": "password_rejected",
        "message": "Kata sandi ini tidak dapat diterima.", "reasons": ["reused"],
    });
    assert_eq!((refused.status, refused.body()), (422, answered));

    let begun = web.begin(&email).await;
    let code = mailbox.next_code().await;
    let session = &begun.session;
    let body = json!({"id": begun.id, "session": session, "otp": code, "password": PASSWORD});
    let refused = post(&web.0, "/directory/api/users/setPassword", &body).await;
    let answered = json!({
        "isSuccess": false, "code": "DI_USP_PINV", "error": "DI_USP_PINV",
        "message": "Password is not acceptable", "reasons": ["reused"],
    });
    assert_eq!((refused.status, refused.body()), (422, answered));
    web.set_both(&begun, &code, PASSWORD)
        .await
        .refused("DI_UVO_OINV");

    store.veto(Veto::Blocked);
    let blocked = mobile.set_password(&token, PASSWORD).await;
    blocked.refused("user_blocked");
    mobile
        .set_password(&token, PASSWORD)
        .await
        .refused("session_expired");
    store.veto(Veto::None);
    web.set_password(&begun, PASSWORD).await.data();
    mailbox.next_notice().await;
    assert_eq!(store.user(&email).times_set, 1);
}

#[tokio::test]
async fn a_user_store_that_fails_is_503_and_the_person_can_go_on() {
    let (stack, store, email) = open().await;
    let mobile = Mobile::of(&stack);
    let mut mailbox = Mailbox::at(&stack, &email);
    let session = mobile.begin(&email).await;
    let code = mailbox.next_code().await;
    for fault in [
        StoreFault::Status(500),
        StoreFault::Nonsense("[]"),
        StoreFault::LostBefore,
    ] {
        store.fail(fault, 1, 9);
        let failed = mobile.verify(&session, &code).await;
        failed.refused("service_unavailable");
    }
    store.reset();
    let token = mobile.verify(&session, &code).await.word();
    for fault in [StoreFault::Status(500), StoreFault::Nonsense("[]")] {
        store.fail(fault, 2, 9);
        let failed = mobile.set_password(&token, PASSWORD).await;
        failed.refused("service_unavailable");
    }
    store.reset();
    mobile.set_password(&token, PASSWORD).await.word();
    mailbox.next_notice().await;
    assert_eq!(store.user(&email).times_set, 1);
    for secret in ["a secret of the store", PASSWORD, &email] {
        assert!(!stack.said().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_users_function_refuses_if_users_live_elsewhere() {
    let (stack, store, email) = open().await;
    let url = format!(
        "{}/2015-03-31/functions/regain-users/invocations",
        stack.endpoint("Lambda")
    );
    let client = reqwest::Client::new();
    let ask = async |request: Value| {
        let answer = client
            .post(&url)
            .body(request.to_string())
            .send()
            .await
            .unwrap();
        assert!(!answer.headers().contains_key("x-amz-function-error"));
        answer.json::<Value>().await.unwrap()
    };
    let user = json!({ "email": email });
    for (operation, more) in [
        ("create", json!({ "user": user })),
        ("update", json!({ "address": email, "user": user })),
        (
            "set-status",
            json!({ "address": email, "status": "blocked" }),
        ),
        ("delete", json!({ "address": email })),
        ("find", json!({ "address": email })),
    ] {
        let mut request = json!({ "version": 1, "operation": operation });
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = ask(request).await;
        assert_eq!(answer["error"], "users_elsewhere", "{operation}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("UserStoreFunctionArn"), "{message}");
    }
    assert_eq!(
        ask(json!({ "version": 2, "operation": "find" })).await["error"],
        "request_invalid"
    );
    assert_eq!(
        store.questions(),
        [Value::Null; 0],
        "it does not ask, either"
    );
    let table = Table::at(stack.endpoint("DynamoDB"), &stack.table);
    assert_eq!(table.keys().await, [""; 0]);
}

#[tokio::test]
async fn the_tour_and_the_operators_command_know_that_users_live_elsewhere() {
    // The embedded engine's table is as the template has it, which doctor checks.
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::default().option("--data", folder.path());
    let (stack, store, _) = open_with(setup).await;
    let tour = Api::of(&stack).raw(Method::GET, "/", "", "").await;
    assert!(tour.text.contains(store.endpoint()), "{}", tour.text);

    let said = stack.said();
    let operate = said
        .lines()
        .find_map(|line| line.strip_prefix("Operate    "));
    let (setting, arguments) = operate
        .unwrap()
        .split_once(" cargo run --bin regain -- ")
        .unwrap();
    let (variable, function) = setting.split_once('=').unwrap();
    // The store answers on this thread meanwhile.
    let ran = tokio::process::Command::new(binaries().join("regain"))
        .args(arguments.split(' '))
        .env_clear()
        .env(variable, function)
        .output()
        .await
        .unwrap();
    let report = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{report}");
    assert!(
        report.contains("✓ the user store function answers"),
        "{report}"
    );
    let asked = store
        .questions()
        .into_iter()
        .filter(|it| it["address"] == "nobody@regain.invalid");
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn a_user_store_has_its_users_and_no_others() {
    let store = FakeUserStore::serve().await;
    for (arguments, why) in [
        (
            &["--user-store", "http://example.com/"][..],
            "not the URL of plain HTTP on this machine",
        ),
        (
            &["--user-store", "https://127.0.0.1/"],
            "not the URL of plain HTTP on this machine",
        ),
        (
            &["--user-store", store.endpoint(), "--users", "x.jsonl"],
            "cannot be used with",
        ),
        (
            &["--user-store", store.endpoint(), "--seed", "events"],
            "cannot be used with",
        ),
    ] {
        let setup = arguments
            .iter()
            .fold(Setup::default(), |setup, argument| setup.flag(argument));
        let ended = setup.try_start().unwrap_err();
        assert!(ended.said.contains(why), "{arguments:?}: {}", ended.said);
    }
}
