//! Users shown, blocked and made active again, and mailed again.

use serde_json::{Value, json};

use regain::store::Suppression;

use crate::kit::{Kit, address};

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
                "isTemporary": false, "address": {}, "roles": [], "locale": null,
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
