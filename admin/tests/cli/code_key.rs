//! `regain code-key rotate`: rotates the code key, but never so soon that a mailed code would stop working.

use std::time::Duration;

use regain::ambient;
use regain::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::kit::{CODE_KEY, INDEX_KEY, Kit, Version};

const ROTATE: [&str; 4] = ["code-key", "rotate", "--stack", "regain"];

/// A point in time as the command says it, to the minute.
fn minute(at: Timestamp) -> String {
    format!("{} UTC", at.rfc3339()[..16].replace('T', " "))
}

/// The first full minute that is not before a point in time.
fn from(at: Timestamp) -> String {
    minute(at.plus(Duration::from_millis(59_999)))
}

fn stages(versions: &[Version]) -> Vec<&str> {
    versions.iter().map(|version| version.stage).collect()
}

/// The stack's answer where its sessions live that long.
fn with_sessions_of(seconds: u64) -> Value {
    json!({
        "outputs": {"TableName": "regain", "IndexKeyArn": "IndexKey", "CodeKeyArn": "CodeKey"},
        "parameters": {"SessionTtlSeconds": seconds.to_string()},
    })
}

#[tokio::test]
async fn a_key_that_was_never_rotated_can_be_rotated_at_once() {
    let kit = Kit::new().await;
    kit.keep_code_key(0, false);
    let old = kit.secrets.versions(CODE_KEY);
    let index = kit.secrets.versions(INDEX_KEY);
    let ran = kit.run(&ROTATE).await;
    let versions = kit.secrets.versions(CODE_KEY);
    let [previous, new] = &versions[..] else {
        panic!("{versions:?}")
    };
    let ten_minutes = Duration::from_mins(10);
    assert_eq!(
        ran.well(),
        [
            "rotated the code key (for the first time)".to_owned(),
            "codes that were mailed before stay good until they expire".to_owned(),
            format!(
                "mail is written with the new key from {} on",
                from(new.created_at.plus(ten_minutes))
            ),
            format!(
                "it may be rotated again at {}",
                from(new.created_at.plus(ten_minutes + Duration::from_mins(30)))
            ),
        ]
    );
    assert_eq!(
        (previous.text.as_str(), &previous.id),
        (old[0].text.as_str(), &old[0].id)
    );
    assert_eq!(stages(&versions), ["AWSPREVIOUS", "AWSCURRENT"]);
    assert_eq!(new.text.len(), 64, "as the template has keys generated");
    assert!(new.text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert!(
        (32..=64).contains(&new.id.len()),
        "what Secrets Manager takes"
    );
    assert_eq!(kit.secrets.versions(INDEX_KEY), index);
    assert!(!format!("{ran:?}").contains(&new.text), "never printed");
}

#[tokio::test]
async fn every_rotation_draws_another_key() {
    let mut keys = Vec::new();
    for _ in 0..2 {
        let kit = Kit::new().await;
        kit.keep_code_key(60, true);
        kit.run(&ROTATE).await.well();
        keys.push(kit.secrets.versions(CODE_KEY).pop().unwrap().text);
    }
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_rotation_is_refused_until_a_session_lifetime_and_ten_minutes_after_the_last_one() {
    for (session, last_refused) in [(60, 11), (1800, 40), (86_400, 1450)] {
        for (age, refused) in [(0, true), (last_refused - 1, true), (last_refused, false)] {
            let kit = Kit::new().await;
            kit.aws.answers("DescribeStacks", with_sessions_of(session));
            kit.keep_code_key(age, true);
            let before = kit.secrets.versions(CODE_KEY);
            let rotated = before[1].created_at;
            let ran = kit.run(&ROTATE).await;
            if refused {
                assert_eq!(
                    ran.sentence(),
                    format!(
                        "the code key was rotated at {}, and codes mailed before that may still be \
                         good: it may be rotated again at {}",
                        minute(rotated),
                        from(rotated.plus(Duration::from_secs(session + 600)))
                    )
                );
                assert_eq!(kit.secrets.versions(CODE_KEY), before);
            } else {
                let said = format!(
                    "rotated the code key (the time before was {})",
                    minute(rotated)
                );
                assert_eq!(ran.well()[0], said);
                let after = kit.secrets.versions(CODE_KEY);
                assert_eq!((after.len(), &after[0].id), (2, &before[1].id));
            }
        }
    }
}

#[tokio::test]
async fn a_session_is_assumed_to_live_for_a_day_if_the_settings_are_unknown() {
    for (age, code) in [(1449, Some(1)), (1450, Some(0))] {
        let kit = Kit::new().await;
        kit.keep_code_key(age, true);
        let environment = [("SESSION_TTL_SECONDS", "60")];
        let ran = kit
            .run_in(&environment, &["code-key", "rotate", "--local"])
            .await;
        assert_eq!(ran.code, code, "{ran:?}");
    }
}

#[tokio::test]
async fn the_younger_version_counts_if_versions_were_set_back_by_hand() {
    let kit = Kit::new().await;
    kit.keep_code_key(0, true);
    let created = |minutes| {
        let at = ambient::now().minus(Duration::from_mins(minutes));
        at.millis() / 1000
    };
    let older = json!({
        "VersionId": "older", "VersionStages": ["AWSCURRENT"], "CreatedDate": created(1000),
    });
    let younger = json!({
        "VersionId": "younger", "VersionStages": ["AWSPREVIOUS"], "CreatedDate": created(1),
    });
    kit.aws.answers(
        "ListSecretVersionIds",
        json!({"Versions": [older, younger]}),
    );
    assert!(
        kit.run(&ROTATE)
            .await
            .sentence()
            .contains("may be rotated again at")
    );
    assert_eq!(kit.aws.calls("PutSecretValue"), 0);
}

#[tokio::test]
async fn a_dry_run_says_whether_the_key_may_be_rotated_and_changes_nothing() {
    for (age, was_rotated, may) in [(41, true, true), (0, false, true), (39, true, false)] {
        let kit = Kit::new().await;
        kit.keep_code_key(age, was_rotated);
        let before = kit.secrets.versions(CODE_KEY);
        let ran = kit.run(&[&ROTATE[..], &["--dry-run"]].concat()).await;
        if may {
            let history = if was_rotated {
                format!("was last rotated at {}", minute(before[1].created_at))
            } else {
                "was never rotated".to_owned()
            };
            let said =
                format!("the code key {history} and may be rotated now; nothing was changed");
            assert_eq!(ran.well(), [said]);
        } else {
            assert!(ran.sentence().contains("it may be rotated again at"));
        }
        assert_eq!(kit.secrets.versions(CODE_KEY), before);
        assert_eq!(kit.aws.calls("PutSecretValue"), 0);
    }
}

#[tokio::test]
async fn a_missing_permission_is_reported_and_nothing_changes() {
    let message = "User: arn:aws:iam::1:user/op is not authorized to perform that";
    for call in ["ListSecretVersionIds", "PutSecretValue"] {
        let kit = Kit::new().await;
        kit.keep_code_key(60, true);
        let before = kit.secrets.versions(CODE_KEY);
        kit.aws.fails(call, 400, "AccessDeniedException", message);
        let sentence = format!("the secret CodeKey may not be used: {message}");
        assert_eq!(kit.run(&ROTATE).await.sentence(), sentence, "{call}");
        assert_eq!(kit.secrets.versions(CODE_KEY), before);
    }
}

#[tokio::test]
async fn one_of_two_concurrent_rotations_is_refused() {
    let kit = Kit::new().await;
    kit.keep_code_key(60, false);
    let old = &kit.secrets.versions(CODE_KEY)[0];
    let both_see = json!({"Versions": [{
        "VersionId": old.id, "VersionStages": [old.stage],
        "CreatedDate": old.created_at.millis() / 1000,
    }]});
    kit.run(&ROTATE).await.well();
    let rotated = kit.secrets.versions(CODE_KEY);
    kit.aws.answers("ListSecretVersionIds", both_see);
    let ran = kit.run(&ROTATE).await;
    assert!(
        ran.sentence()
            .starts_with("the code key was rotated by somebody else just now"),
        "{ran:?}"
    );
    assert_eq!(kit.secrets.versions(CODE_KEY), rotated);
}

#[tokio::test]
async fn unexpected_versions_of_the_secret_are_reported() {
    let kit = Kit::new().await;
    kit.keep_code_key(60, true);
    kit.aws
        .answers("PutSecretValue", json!({"Name": "CodeKey"}));
    let ran = kit.run(&ROTATE).await;
    assert!(
        ran.sentence()
            .starts_with("the secret CodeKey was given a new version, but"),
        "{ran:?}"
    );
    kit.aws
        .answers("ListSecretVersionIds", json!({"Versions": []}));
    let ran = kit.run(&ROTATE).await;
    assert!(
        ran.sentence()
            .starts_with("the secret CodeKey has no current version"),
        "{ran:?}"
    );
}
