//! Files of users that are long enough to be imported in batches.

use aws_sdk_dynamodb::types::AttributeValue;
use regain::users::{Import, ImportRules, Imported, Progress, Step, import};
use serde_json::{Value, json};

use crate::kit::{Fault, Kit, NOON};

/// The fewest lines of a file whose batches have two lines each.
const LINES: usize = 512;

fn email(line: usize) -> String {
    format!("user{line}@example.com")
}

fn file(lines: impl IntoIterator<Item = Value>) -> String {
    let mut file = String::new();
    for line in lines {
        file.push_str(&line.to_string());
        file.push('\n');
    }
    file
}

/// A file of new users.
fn new_users() -> String {
    file((0..LINES).map(|line| json!({ "email": email(line) })))
}

/// How many calls have a shape.
fn calls(kit: &Kit, shape: &str) -> usize {
    let shapes = kit.log.shapes();
    shapes.iter().filter(|other| *other == shape).count()
}

#[tokio::test]
async fn the_users_of_a_long_file_are_read_and_written_in_batches() {
    let kit = Kit::new().await;
    let rules = ImportRules::of(kit.settings());
    let file = new_users();
    let imported = import(&kit.another_store(), &rules, &file, NOON, &mut kit.rng()).await;
    assert_eq!(imported.unwrap().0.created, LINES);
    assert_eq!(calls(&kit, "BatchGetItem EMAIL EMAIL"), LINES / 2);
    assert_eq!(
        calls(&kit, "TransactWriteItems USER EMAIL USER EMAIL"),
        LINES / 2
    );
    assert_eq!(kit.log.calls().len(), LINES, "no other call is made");

    kit.log.reset();
    let imported = import(&kit.another_store(), &rules, &file, NOON, &mut kit.rng()).await;
    assert_eq!(imported.unwrap().0.unchanged, LINES);
    assert_eq!(calls(&kit, "BatchGetItem EMAIL EMAIL"), LINES / 2);
    assert_eq!(calls(&kit, "BatchGetItem USER USER"), LINES / 2);
    assert_eq!(kit.log.calls().len(), LINES, "nothing is written");
    let reads = kit.log.calls();
    assert!(reads.iter().all(|read| read.consistent == Some(true)));
}

#[tokio::test]
async fn a_line_whose_address_was_taken_meanwhile_does_not_keep_the_others_of_its_batch_out() {
    let kit = Kit::new().await;
    let importer =
        Import::new(&kit.another_store(), ImportRules::of(kit.settings()), NOON).unwrap();
    let (progress, mut rng) = (Progress::default(), kit.rng());
    let checked = importer.check(&new_users(), &progress, &mut rng).await;
    let other = kit.user(&email(7)).await;
    let run = importer.run(checked.unwrap(), Step::Import, &progress, &mut rng);
    let outcome = run.await;
    assert!(
        outcome.failed.is_none() && outcome.bad.is_empty(),
        "{outcome:?}"
    );
    let expected = Imported {
        created: LINES - 1,
        unchanged: 1,
        ..Imported::default()
    };
    assert_eq!(outcome.imported, expected);
    assert_eq!(kit.keys("USER#").await.len(), LINES);
    assert_eq!(kit.stored(&other).await.email, email(7));
}

#[tokio::test]
async fn lines_of_a_batch_that_change_the_same_lookup_are_written_one_by_one() {
    let kit = Kit::new().await;
    // The user has no lookup any more, so that another user can be given the address.
    let ann = kit.user("ann@example.com").await;
    kit.delete("EMAIL#ann@example.com").await;
    let both = [
        json!({ "id": ann.id.as_str(), "email": "moved@example.com" }),
        json!({ "email": "ann@example.com" }),
    ];
    let file = file(both) + &new_users();
    let rules = ImportRules::of(kit.settings());
    let imported = import(&kit.another_store(), &rules, &file, NOON, &mut kit.rng()).await;
    let imported = imported.unwrap().0;
    assert_eq!((imported.created, imported.updated), (LINES + 1, 1));
    assert_eq!(kit.stored(&ann).await.email, "moved@example.com");
    let lookup = kit.item("EMAIL#ann@example.com").await.unwrap();
    assert_ne!(
        lookup["userId"],
        AttributeValue::S(ann.id.as_str().to_owned())
    );
}

#[tokio::test]
async fn users_who_are_too_large_for_one_transaction_together_are_written_one_by_one() {
    let kit = Kit::new().await;
    // Batches of ten lines with 390 KB each are more than the 4 MB that DynamoDB takes in a transaction.
    let lines = 10 * LINES / 2;
    let large = "x".repeat(390_000);
    let users = (0..lines).map(|line| {
        let phone = if line < 10 { large.as_str() } else { "" };
        json!({ "email": email(line), "phone": phone })
    });
    let rules = ImportRules::of(kit.settings());
    let imported = import(
        &kit.another_store(),
        &rules,
        &file(users),
        NOON,
        &mut kit.rng(),
    )
    .await;
    assert_eq!(imported.unwrap().0.created, lines);
    assert_eq!(calls(&kit, "TransactWriteItems USER EMAIL"), 10);
}

#[tokio::test]
async fn a_throttled_write_is_repeated_by_a_store_that_waits_for_capacity_and_by_no_other() {
    for (waits, created) in [(true, Some(1)), (false, None)] {
        let kit = Kit::new().await;
        let store = kit.another_store();
        let store = if waits {
            store.waiting_for_capacity()
        } else {
            store
        };
        let importer = Import::new(&store, ImportRules::of(kit.settings()), NOON).unwrap();
        let (progress, mut rng) = (Progress::default(), kit.rng());
        let line = file([json!({ "email": email(1) })]);
        let checked = importer.check(&line, &progress, &mut rng).await;
        kit.log.reset();
        kit.log
            .fail(Fault::Cancelled(1, 4, &["None", "ThrottlingError"]));
        let run = importer.run(checked.unwrap(), Step::Import, &progress, &mut rng);
        let outcome = run.await;
        let created_users = outcome.failed.is_none().then_some(outcome.imported.created);
        assert_eq!(created_users, created, "{outcome:?}");
        let writes = calls(&kit, "TransactWriteItems USER EMAIL");
        assert_eq!(writes > 1, waits, "{writes}");
    }
}
