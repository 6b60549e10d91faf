//! The function `users`, as the account's own services invoke it.

use reqwest::Client;
use serde_json::{Value, json};

use crate::stacks;
use testkit::client::{Mobile, RESET};
use testkit::mailbox::Mailbox;
use testkit::operator::regain;
use testkit::people::{Person, new_address};
use testkit::stack::Stack;
use testkit::table::{Table, text};

const FOREIGN: &str = "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG";

async fn ask(stack: &Stack, mut request: Value) -> Value {
    request["version"] = json!(1);
    let url = format!(
        "{}/2015-03-31/functions/regain-users:live/invocations",
        stack.endpoint("Lambda")
    );
    let answer = Client::new().post(url).body(request.to_string());
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.headers().get("x-amz-function-error"), None);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_person_signs_up_recovers_moves_and_leaves() {
    let stack = stacks::open();
    let mobile = Mobile::of(stack);
    let (first, second) = (new_address(), new_address());
    let user = json!({"email": first, "passwordHash": FOREIGN, "mustReset": true});
    let created = ask(stack, json!({"operation": "create", "user": user})).await;
    assert_eq!(created["outcome"], "created", "{created}");
    let id = created["user"]["id"].as_str().unwrap().to_owned();
    let item = Table::of(stack).user(&id).await;
    assert_eq!(text(&item, "passwordHash"), FOREIGN);

    mobile.begin(&first).await;
    let token = Mailbox::at(stack, &first).next().await.link_token();
    let body = json!({"token": token, "password": "brass kettle on the moon"});
    assert_eq!(mobile.0.post(RESET, body).await.word(), id);
    let found = ask(stack, json!({"operation": "find", "address": first})).await;
    assert_eq!(found["user"]["mustReset"], false, "{found}");
    assert_eq!(found["user"]["credentialsVersion"], "3", "{found}");
    assert_eq!(found["user"]["isEmailValidate"], true);

    let changes = json!({"email": second});
    let moved = ask(
        stack,
        json!({"operation": "update", "id": id, "user": changes}),
    )
    .await;
    assert_eq!(moved["user"]["isEmailValidate"], false, "unproven again");
    mobile.begin(&second).await;
    let token = Mailbox::at(stack, &second).next().await.link_token();

    let deleted = ask(stack, json!({"operation": "delete", "id": id})).await;
    assert_eq!(deleted["outcome"], "deleted");
    // A link that was mailed before opens nothing any more.
    let body = json!({"token": token, "password": "another brass kettle"});
    mobile.0.post(RESET, body).await.refused("session_expired");
    let found = ask(stack, json!({"operation": "find", "id": id})).await;
    assert_eq!(found, json!({"user": null}));
}

#[tokio::test]
async fn an_operator_has_somebody_set_a_new_password() {
    let stack = stacks::open();
    let person = Person::of(stack).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let command = [
        "users",
        "recover",
        person.email.as_str(),
        "--must-reset",
        "--journal",
        journal.to_str().unwrap(),
        "--table",
        &stack.table,
    ];
    let said = regain(stack, &command).unwrap();
    assert_eq!(said, "1 mail asked for, 0 earlier, 0 skipped\n");
    let find = json!({"operation": "find", "id": person.id});
    let found = ask(stack, find.clone()).await;
    assert_eq!(found["user"]["mustReset"], true, "{found}");
    let token = Mailbox::of(stack, &person).next().await.link_token();
    let body = json!({"token": token, "password": "brass kettle on the moon"});
    let mobile = Mobile::of(stack);
    assert_eq!(mobile.0.post(RESET, body).await.word(), person.id);
    let found = ask(stack, find).await;
    assert_eq!(found["user"]["mustReset"], false, "{found}");
    let said = regain(stack, &command).unwrap();
    assert_eq!(said, "0 mails asked for, 1 earlier, 0 skipped\n");
}

#[tokio::test]
async fn no_route_leads_to_the_function() {
    let stack = stacks::open();
    let template = testkit::fixture_stack::template();
    let users = template.functions.iter().find(|it| it.name == "users");
    let users = &users.unwrap().id;
    assert!(template.routes.iter().all(|route| route.function != *users));
    let refused = ask(
        stack,
        json!({"operation": "create", "user": {"email": "x"}}),
    )
    .await;
    assert_eq!(refused["error"], "user_invalid");
}
