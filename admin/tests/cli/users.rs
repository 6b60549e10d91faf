//! `regain users`: shows, lists, changes, blocks and unblocks users, and lifts suppressions.

use serde_json::{Value, json};

use regain::store::Suppression;

use crate::kit::{Kit, address, text};

const ID: &str = "60115a65c0c6974f894f9ea6";

#[tokio::test]
async fn a_user_is_shown_without_the_hash_by_address_or_id() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"id": ID, "email": "Ann@example.com", "password": "a typed one"})])
        .await;
    let ann = kit.user("ann@example.com").await.unwrap();
    for named in ["ann@EXAMPLE.com", ID] {
        let ran = kit.local(&["users", "show", named]).await;
        assert_eq!(ran.code, Some(0));
        let shown: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(
            shown,
            json!({
                "id": ID, "email": "Ann@example.com", "phone": "", "status": "active", "mayRecover": true, "profile": {},
                "meta": {}, "identities": {}, "isEmailValidate": false, "isProfileComplete": false,
                "isTemporary": false, "mustReset": false, "address": {}, "roles": [], "locale": null,
                "hasPassword": true, "credentialsVersion": 2,
                "passwordChangedAt": ann.password_changed_at.unwrap().rfc3339(),
                "mailSuppressed": null,
            })
        );
    }
}

#[tokio::test]
async fn a_user_without_a_password_is_shown_as_one() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"email": "ann@example.com"})])
        .await;
    let ran = kit.local(&["users", "show", "ann@example.com"]).await;
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&shown["hasPassword"], &shown["passwordChangedAt"]),
        (&json!(false), &json!(null))
    );
}

#[tokio::test]
async fn a_user_is_blocked_and_has_the_earlier_status_again_and_nothing_else_changes() {
    for (status, described, recovers) in [
        ("active", "the status \"active\"", ""),
        (" ACTIVE", "the status \" ACTIVE\"", ""),
        (
            "disabled",
            "the status \"disabled\"",
            ", which may not recover",
        ),
    ] {
        let kit = Kit::new().await;
        kit.import_users(&[json!({
            "id": ID, "email": "ann@example.com", "status": status, "password": "a typed one",
        })])
        .await;
        let before = kit.user("ann@example.com").await.unwrap();
        for (command, is, says) in [
            (
                "block",
                "blocked",
                format!("is blocked now and had {described}"),
            ),
            (
                "block",
                "blocked",
                "is blocked already and has the status \"blocked\"".to_owned(),
            ),
            (
                "unblock",
                status,
                format!("is no longer blocked and has {described}{recovers}"),
            ),
            (
                "unblock",
                status,
                format!("is not blocked and has {described}"),
            ),
        ] {
            let ran = kit.local(&["users", command, "ann@example.com"]).await;
            assert_eq!(ran.well(), [format!("ann@example.com ({ID}) {says}")]);
            let user = kit.user("ann@example.com").await.unwrap();
            assert_eq!(user.status.text(), Some(is));
            assert_eq!(user.credentials_version, before.credentials_version);
            assert_eq!(user.password_hash, before.password_hash);
        }
    }
}

#[tokio::test]
async fn a_user_blocked_by_other_means_gets_the_first_status_that_may_recover() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"id": ID, "email": "ann@example.com", "status": "Blocked"})])
        .await;
    let environment = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-central-1"),
        ("RECOVERABLE_STATUSES", "Enabled, active"),
    ];
    let ran = kit
        .run_in(&environment, &["users", "unblock", ID, "--local"])
        .await;
    assert_eq!(
        ran.well(),
        [format!(
            "ann@example.com ({ID}) is no longer blocked and has the status \"enabled\""
        )]
    );
    let user = kit.user("ann@example.com").await.unwrap();
    assert_eq!(user.status.text(), Some("enabled"));
}

#[tokio::test]
async fn a_block_that_keeps_nobody_out_is_told_as_one() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"id": ID, "email": "ann@example.com"})])
        .await;
    let environment = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-central-1"),
        ("RECOVERABLE_STATUSES", "active, Blocked"),
    ];
    for says in [
        "is blocked now and had the status \"active\"",
        "is blocked already and has the status \"blocked\"",
    ] {
        let block = ["users", "block", ID, "--local"];
        let ran = kit.run_in(&environment, &block).await;
        assert_eq!(
            ran.well(),
            [format!(
                "ann@example.com ({ID}) {says}, but may recover, because RecoverableStatuses has \"blocked\""
            )]
        );
    }
}

#[tokio::test]
async fn a_suppressed_address_is_shown_as_one_and_can_be_lifted() {
    let kit = Kit::new().await;
    kit.import_users(&[json!({"id": ID, "email": "ann@example.com"})])
        .await;
    let (store, ann) = (kit.store(), address("ann@example.com"));
    let since = regain::ambient::now();
    store
        .suppress(&ann, Suppression::Bounced, since, since)
        .await
        .unwrap();
    let ran = kit.local(&["users", "show", ID]).await;
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    let until = since.plus(std::time::Duration::from_hours(24));
    assert_eq!(
        shown["mailSuppressed"],
        json!({
            "stops": "all",
            "since": since.rfc3339(),
            "because": "bounced",
            "count": 1,
            "until": until.rfc3339(),
        })
    );
    kit.aws
        .answers("suppression/addresses/ann@example.com", json!({}));
    for says in ["is mailed again", "is not suppressed"] {
        let ran = kit.local(&["users", "unsuppress", "ann@example.com"]).await;
        let listed = "the address was on SES's own suppression list, and is off it now";
        assert_eq!(
            ran.well(),
            [&format!("ann@example.com ({ID}) {says}"), listed]
        );
        assert_eq!(store.suppressed(&ann).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_result_for_the_suppression_list_of_ses_is_reported() {
    const CALL: &str = "suppression/addresses/ann@example.com";
    let kit = Kit::new().await;
    kit.import_users(&[json!({"id": ID, "email": "ann@example.com"})])
        .await;
    kit.aws
        .fails(CALL, 404, "NotFoundException", "not on the list");
    let ran = kit.local(&["users", "unsuppress", ID]).await;
    let absent = "the address is not on SES's own suppression list";
    assert_eq!(ran.well().last(), Some(&absent));

    let since = regain::ambient::now();
    let (store, ann) = (kit.store(), address("ann@example.com"));
    let suppressed = store.suppress(&ann, Suppression::Complained, since, since);
    suppressed.await.unwrap();
    kit.aws
        .fails(CALL, 403, "AccessDeniedException", "not authorized");
    let ran = kit.local(&["users", "unsuppress", ID]).await;
    assert_eq!(
        ran.sentence(),
        "SES's own suppression list may not be used: not authorized"
    );
    assert_eq!(ran.out, format!("ann@example.com ({ID}) is mailed again\n"));
    assert_eq!(store.suppressed(&ann).await.unwrap(), None);
}

#[tokio::test]
async fn an_unknown_user_is_reported_in_one_sentence() {
    let kit = Kit::new().await;
    let ran = kit.local(&["users", "show", "ann@example.com"]).await;
    assert_eq!(ran.sentence(), "nobody has the address ann@example.com");
    let ran = kit.local(&["users", "block", ID]).await;
    assert_eq!(ran.sentence(), format!("nobody has the id {ID}"));
    let ran = kit.local(&["users", "show", "ann"]).await;
    assert_eq!(ran.code, Some(2));
    assert_eq!(
        ran.err,
        "error: \"ann\" is neither an e-mail address nor a user's id\n"
    );
}

#[tokio::test]
async fn users_are_added_updated_and_deleted_one_at_a_time() {
    let kit = Kit::new().await;
    let added = r#"{"email": "Ann@example.com", "profile": {"name": "Ann"}}"#;
    let ran = kit.local(&["users", "add", added]).await;
    let ann = kit.user("ann@example.com").await.unwrap();
    let id = ann.id.as_str();
    assert_eq!(ran.well(), [format!("Ann@example.com ({id}) is added")]);
    let ran = kit.local(&["users", "add", added]).await;
    assert_eq!(
        ran.well(),
        [format!("Ann@example.com ({id}) is there already, as given")]
    );
    let ran = kit
        .local(&["users", "add", r#"{"email": "ann@example.com"}"#])
        .await;
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.sentence(),
        "a user has this address or id, and is not as given"
    );

    for (named, expected) in [("ann@example.com", "is updated"), (id, "is so already")] {
        let changes = r#"{"email": "ann@elsewhere.example.com", "status": "pending"}"#;
        let ran = kit.local(&["users", "update", named, changes]).await;
        assert_eq!(
            ran.well(),
            [format!("ann@elsewhere.example.com ({id}) {expected}")]
        );
    }
    let moved = kit.user("ann@elsewhere.example.com").await.unwrap();
    assert_eq!(moved.status.text(), Some("pending"));
    assert_eq!(moved.profile["name"], "Ann");

    let ran = kit.local(&["users", "update", id, r#"{"nam": 1}"#]).await;
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.sentence(), "no user has a field \"nam\"");

    let ran = kit.local(&["users", "delete", id]).await;
    let deleted = format!("ann@elsewhere.example.com ({id}) is deleted");
    assert_eq!(ran.well(), [deleted]);
    assert_eq!(kit.keys().await, [""; 0]);
    for (named, kind) in [(id, "id"), ("ann@elsewhere.example.com", "address")] {
        let ran = kit.local(&["users", "delete", named]).await;
        assert_eq!(
            ran.well(),
            [format!("nobody has the {kind} {named}: nothing to delete")]
        );
    }
}

#[tokio::test]
async fn an_export_makes_the_same_users_when_it_is_imported() {
    let kit = Kit::new().await;
    kit.import_users(&[
        json!({
            "id": ID, "email": "Ann@example.com", "password": "a typed one", "phone": "1", "status": "pending",
            "profile": {"name": "Ann"}, "meta": {"n": 1.5}, "roles": ["admin"], "isEmailValidate": true, "locale": "id",
        }),
        json!({"email": "bob@example.com"}),
    ])
    .await;
    let ann = kit.user("ann@example.com").await.unwrap();
    let ran = kit.local(&["users", "list"]).await;
    let mut listed = ran.well();
    listed.sort_unstable();
    assert!(
        listed.contains(&format!("{ID}\tAnn@example.com\tpending").as_str()),
        "{listed:?}"
    );
    assert_eq!(listed.len(), 2);

    let ran = kit.local(&["users", "export"]).await;
    assert_eq!(ran.well().len(), 2);
    assert!(!ran.out.contains("argon2"), "no hash unless asked for");

    let ran = kit.local(&["users", "export", "--password-hashes"]).await;
    let file = kit.text_file(&ran.out);
    let import = ["users", "import", text(&file)];
    let ran = kit.local(&import).await;
    assert_eq!(ran.well(), ["0 created, 0 updated, 2 unchanged."]);
    assert_eq!(
        ran.err,
        "note: 1 user cannot recover: has the status \"pending\", and only these may recover: active\n"
    );
    kit.forget_users().await;
    let ran = kit.local(&import).await;
    assert_eq!(ran.well(), ["2 created, 0 updated, 0 unchanged."]);
    let again = kit.user("ann@example.com").await.unwrap();
    assert_eq!(again.id, ann.id);
    assert_eq!(again.password_hash, ann.password_hash);
    assert_eq!((again.profile, again.meta), (ann.profile, ann.meta));
}
