//! The promises of `docs/sign-in.md` to a service that signs people in from the same table.

use aws_sdk_dynamodb::types::AttributeValue;
use regain_password::{Candidate, Hasher, PasswordHash, Verified, verify};
use serde_json::json;

use crate::stacks;
use testkit::client::Mobile;
use testkit::mailbox::Mailbox;
use testkit::people::Person;
use testkit::stack::Stack;
use testkit::table::{Item, Table, text};

/// A hash of "password" with 256 KiB, as another service may have made it.
const WEAK: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
/// A hash of "password" that Spring Security made.
const FOREIGN: &str = "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG";
const OLD: &str = "password";
const NEW: &str = "brass kettle on the moon";

/// Signs in with the old password and a user read before: what is to be rehashed is written as the
/// documentation says. Returns whether it could be.
async fn rehash(stack: &Stack, user: &Item) -> bool {
    let hasher = Hasher::new(19_456, 2, 1).unwrap();
    let typed = Candidate::new(OLD.to_owned().into());
    let stored = PasswordHash::parse(text(user, "passwordHash")).unwrap();
    let verified = verify(&typed, &stored, &hasher.cost());
    assert_eq!(verified, Verified::YesButRehash);
    let renewed = hasher.hash(&typed, *b"drawn at random!").unwrap();
    let table = Table::of(stack);
    let update = table.client.update_item().table_name(&table.name);
    let written = update
        .key("pk", user["pk"].clone())
        .update_expression("SET passwordHash = :new")
        .condition_expression("passwordHash = :old AND credentialsVersion = :version")
        .expression_attribute_values(":new", AttributeValue::S(renewed.as_str().to_owned()))
        .expression_attribute_values(":old", user["passwordHash"].clone())
        .expression_attribute_values(":version", user["credentialsVersion"].clone())
        .send()
        .await;
    match written {
        Ok(_) => true,
        Err(error) => {
            let error = error.into_service_error();
            assert!(error.is_conditional_check_failed_exception(), "{error:?}");
            false
        }
    }
}

/// A person with that hash, and a reset token of theirs.
async fn with_token(stack: &Stack, hash: &str) -> (Person, Mobile, String) {
    let person = Person::with(stack, json!({"passwordHash": hash})).await;
    let mobile = Mobile::of(stack);
    let session = mobile.begin(&person.email).await;
    let code = Mailbox::of(stack, &person).next_code().await;
    let token = mobile.verify(&session, &code).await.word();
    (person, mobile, token)
}

#[tokio::test]
async fn a_rehash_keeps_the_password_and_every_proof() {
    let stack = stacks::open();
    for hash in [WEAK, FOREIGN] {
        let (person, mobile, token) = with_token(stack, hash).await;
        let user = Table::of(stack).user(&person.id).await;
        assert!(rehash(stack, &user).await);
        assert!(person.has_password(stack, OLD).await);
        assert_eq!(mobile.set_password(&token, NEW).await.word(), person.id);
        assert!(person.has_password(stack, NEW).await);
    }
}

#[tokio::test]
async fn a_rehash_does_not_restore_a_password_that_was_replaced_meanwhile() {
    let stack = stacks::open();
    for hash in [WEAK, FOREIGN] {
        let (person, mobile, token) = with_token(stack, hash).await;
        let user = Table::of(stack).user(&person.id).await;
        assert_eq!(mobile.set_password(&token, NEW).await.word(), person.id);
        assert!(!rehash(stack, &user).await);
        assert!(person.has_password(stack, NEW).await);
    }
}

#[tokio::test]
async fn a_recovery_replaces_the_hash_of_any_system_by_argon2id() {
    let stack = stacks::open();
    let (person, mobile, token) = with_token(stack, FOREIGN).await;
    // A hash that no program of Regain reads.
    Table::of(stack)
        .set(
            &format!("USER#{}", person.id),
            "passwordHash",
            AttributeValue::S("$6$salt$hash".to_owned()),
        )
        .await;
    assert_eq!(mobile.set_password(&token, NEW).await.word(), person.id);
    let user = Table::of(stack).user(&person.id).await;
    assert!(text(&user, "passwordHash").starts_with("$argon2id$v=19$"));
    assert!(person.has_password(stack, NEW).await);
}
