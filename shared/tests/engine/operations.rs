//! The operations of the function `users`.

use regain::ids::UserId;
use regain::users::{ImportRules, Request, UserOperations};
use serde_json::{Value, json};

use crate::kit::{ANN, Failure, Kit, NOON, PASSWORD, address, later};

/// A bcrypt hash of "password" that another system made.
const FOREIGN: &str = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";

fn operations(kit: &Kit) -> UserOperations {
    UserOperations::new(kit.another_store(), ImportRules::of(kit.settings()))
}

/// The answer to a request.
async fn asked(kit: &Kit, request: Value) -> Value {
    let request: Request = serde_json::from_value(with_version(request)).unwrap();
    let operations = operations(kit);
    let answer = operations.answer(&request, later(1), &mut kit.rng()).await;
    serde_json::to_value(answer.unwrap()).unwrap()
}

fn with_version(mut request: Value) -> Value {
    let fields = request.as_object_mut().unwrap();
    fields.entry("version").or_insert_with(|| json!(1));
    request
}

#[tokio::test]
async fn every_request_can_be_repeated_and_then_changes_nothing() {
    let kit = Kit::new().await;
    let create = json!({
        "operation": "create",
        "user": { "email": "Ann@Example.com", "phone": "1", "password": PASSWORD },
    });
    let created = asked(&kit, create.clone()).await;
    let id = created["user"]["id"].as_str().unwrap().to_owned();
    for (request, outcome, field, value) in [
        (create, "created", "email", json!("Ann@Example.com")),
        (
            json!({"operation": "update", "address": ANN, "user": {"locale": "id"}}),
            "updated",
            "locale",
            json!("id"),
        ),
        (
            json!({"operation": "update", "id": id, "user": {"mustReset": true}}),
            "updated",
            "mustReset",
            json!(true),
        ),
        (
            json!({"operation": "set-status", "id": id, "status": "pending"}),
            "updated",
            "status",
            json!("pending"),
        ),
        (
            json!({"operation": "set-status", "id": id, "status": "blocked"}),
            "updated",
            "status",
            json!("blocked"),
        ),
        (
            json!({"operation": "update", "id": id, "user": {"email": "b@example.com"}}),
            "updated",
            "email",
            json!("b@example.com"),
        ),
    ] {
        let first = if outcome == "created" {
            created.clone()
        } else {
            asked(&kit, request.clone()).await
        };
        assert_eq!(first["outcome"], outcome, "{request}: {first}");
        assert_eq!(first["user"][field], value, "{request}: {first}");
        let before = kit.dump().await;
        let again = asked(&kit, request.clone()).await;
        assert_eq!(again["outcome"], "unchanged", "{request}: {again}");
        assert_eq!(again["user"], first["user"], "{request}");
        assert_eq!(kit.dump().await, before, "{request}");
    }
    let find = json!({"operation": "find", "address": "B@EXAMPLE.com"});
    let found = asked(&kit, find.clone()).await;
    assert_eq!(found["user"]["id"], id);
    assert_eq!(found["user"]["credentialsVersion"], "2");
    assert_eq!(found["user"]["hasPassword"], true);
    assert!(!found.to_string().contains("argon2"), "{found}");
    let delete = json!({"operation": "delete", "id": id});
    for outcome in ["deleted", "unchanged"] {
        let answer = asked(&kit, delete.clone()).await;
        assert_eq!(answer, json!({ "outcome": outcome }));
    }
    assert_eq!(kit.dump().await.len(), 0, "user and lookup are gone");
    assert_eq!(asked(&kit, find).await, json!({ "user": null }));
}

#[tokio::test]
async fn a_status_before_a_block_comes_back_by_the_operators_command() {
    let kit = Kit::new().await;
    let user = kit
        .user_like(json!({"email": ANN, "status": "trial"}))
        .await;
    let block = json!({"operation": "set-status", "address": ANN, "status": "blocked"});
    assert_eq!(asked(&kit, block).await["outcome"], "updated");
    let blocked = kit.stored(&user).await;
    assert!(kit.store.unblock(&blocked, "active").await.unwrap());
    assert_eq!(kit.stored(&user).await.status.text(), Some("trial"));
}

#[tokio::test]
async fn hashes_of_other_systems_are_kept_as_they_are() {
    let kit = Kit::new().await;
    for (number, hash) in [
        FOREIGN,
        "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG",
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        "pbkdf2_sha256$870000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("foreign{number}@example.com");
        let create = json!({
            "operation": "create",
            "user": {"email": email, "passwordHash": hash},
        });
        assert_eq!(
            asked(&kit, create.clone()).await["outcome"],
            "created",
            "{hash}"
        );
        assert_eq!(asked(&kit, create).await["outcome"], "unchanged", "{hash}");
        let stored = kit.store.user_of(&address(&email)).await.unwrap().unwrap();
        assert_eq!(stored.password_hash.unwrap().as_str(), hash);
    }
}

#[tokio::test]
async fn a_mistake_of_the_caller_is_answered_with_an_error_and_changes_nothing() {
    let kit = Kit::new().await;
    let ann = kit.user(ANN).await;
    kit.user("b@example.com").await;
    let before = kit.dump().await;
    let ann = ann.id.as_str();
    let nobody = "60115a65c0c6974f894f9eff";
    for (request, error) in [
        (
            json!({"version": 2, "operation": "find", "id": ann}),
            "request_invalid",
        ),
        (json!({"operation": "rename", "id": ann}), "request_invalid"),
        (json!({"operation": "find"}), "request_invalid"),
        (
            json!({"operation": "find", "id": ann, "address": ANN}),
            "request_invalid",
        ),
        (json!({"operation": "find", "id": "ann"}), "request_invalid"),
        (
            json!({"operation": "find", "address": "ann"}),
            "request_invalid",
        ),
        (json!({"operation": "create"}), "request_invalid"),
        (
            json!({"operation": "set-status", "id": ann}),
            "request_invalid",
        ),
        (json!({"operation": "create", "user": []}), "user_invalid"),
        (json!({"operation": "create", "user": {}}), "user_invalid"),
        (
            json!({"operation": "create", "user": {"email": "c@example.com", "pasword": "x"}}),
            "user_invalid",
        ),
        (
            json!({"operation": "create", "user": {"email": "c@example.com", "password": "short"}}),
            "user_invalid",
        ),
        (
            json!({"operation": "create", "user": {"email": "c@example.com", "passwordHash": "$1$x$y"}}),
            "user_invalid",
        ),
        (
            json!({"operation": "create", "user": {"email": "c@example.com", "passwordHash": "$2b$12$short"}}),
            "user_invalid",
        ),
        (
            json!({"operation": "create", "user": {"email": ANN, "phone": "2"}}),
            "user_exists",
        ),
        (
            json!({"operation": "create", "user": {"id": nobody, "email": ANN}}),
            "address_taken",
        ),
        (
            json!({"operation": "update", "id": ann, "user": {"email": "b@example.com"}}),
            "address_taken",
        ),
        (
            json!({"operation": "update", "id": ann, "user": {"id": nobody}}),
            "user_invalid",
        ),
        (
            json!({"operation": "update", "id": nobody, "user": {"phone": "1"}}),
            "user_not_found",
        ),
        (
            json!({"operation": "set-status", "id": nobody, "status": "active"}),
            "user_not_found",
        ),
    ] {
        let answer = asked(&kit, request.clone()).await;
        assert_eq!(answer["error"], error, "{request}: {answer}");
        assert!(answer["message"].is_string(), "{answer}");
        assert_eq!(answer.as_object().unwrap().len(), 2, "{answer}");
        assert_eq!(kit.dump().await, before, "{request}");
    }
}

#[tokio::test]
async fn each_operation_writes_one_transaction() {
    let kit = Kit::new().await;
    let id = UserId::sent("60115a65c0c6974f894f9e01");
    let id = id.as_str();
    for request in [
        json!({"operation": "create", "user": {"id": id, "email": ANN}}),
        json!({"operation": "update", "id": id, "user": {"email": "b@example.com"}}),
        json!({"operation": "set-status", "id": id, "status": "pending"}),
        json!({"operation": "set-status", "id": id, "status": "blocked"}),
        json!({"operation": "delete", "id": id}),
    ] {
        kit.log.reset();
        let answer = asked(&kit, request.clone()).await;
        assert_eq!(answer.get("error"), None, "{request}: {answer}");
        let calls = kit.log.calls();
        let writes = calls.iter().filter(|call| call.consistent.is_none());
        let writes: Vec<_> = writes.map(|call| call.operation).collect();
        assert_eq!(writes, ["TransactWriteItems"], "{request}");
        assert!(calls.iter().all(|call| call.consistent != Some(false)));
    }
}

#[tokio::test]
async fn a_failure_of_the_table_is_an_error_and_the_repeated_request_is_applied_once() {
    let create = json!({"operation": "create", "user": {"email": ANN}});
    for failure in [
        Failure::ErrorBefore,
        Failure::ErrorAfter,
        Failure::TimeoutAfter,
    ] {
        for attempt in 1..=4 {
            let kit = Kit::new().await;
            kit.faults.fail(failure, attempt, 3);
            let request: Request = serde_json::from_value(with_version(create.clone())).unwrap();
            let operations = operations(&kit);
            let first = operations.answer(&request, NOON, &mut kit.rng()).await;
            kit.faults.clear();
            let again = asked(&kit, create.clone()).await;
            assert!(
                again.get("error").is_none(),
                "{failure:?} {attempt}: {again}"
            );
            if let Ok(first) = first {
                let first = serde_json::to_value(first).unwrap();
                assert_eq!(first["user"], again["user"], "{failure:?} {attempt}");
            }
            assert_eq!(kit.keys("USER#").await.len(), 1, "{failure:?} {attempt}");
            assert_eq!(kit.keys("EMAIL#").await.len(), 1, "{failure:?} {attempt}");
        }
    }
}
