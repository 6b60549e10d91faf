//! Compares the roles of template.yaml with the calls of the functions.
//!
//! Every fixture in `events/` runs on the stack of the events tests, with a recorder between each function and the
//! services that it calls. A role has to allow exactly the recorded calls.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by panicking, and so do the functions it is made of"
)]

mod deployment;
mod elsewhere;
mod policy;
mod record;
mod recorded_calls;

use std::collections::BTreeSet;

use deployment::{Deployment, Function};
use policy::{Access, FROM_ADDRESS, LEADING_KEYS, VIA_SERVICE};
use record::Call;

/// A key of the account's own, which the stack can be deployed with.
const OWN_KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/own";

/// A user store, and the setting that names it.
const USER_STORE_SETTING: &str = "USER_STORE_FUNCTION_ARN";
const USER_STORE_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:users-elsewhere";

/// IAM's actions on items of a table.
const ITEM_ACTIONS: [&str; 13] = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
];

/// Those of them that only read.
const READ_ACTIONS: [&str; 6] = [
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
];

#[tokio::test]
async fn a_role_allows_exactly_what_its_function_does() {
    let calls = record::every_fixture().await;
    assert_exact(&Deployment::read(None), &calls);
    assert_exact(&Deployment::read(Some(OWN_KEY)), &calls);
}

#[tokio::test]
async fn a_role_allows_exactly_what_its_function_does_where_users_live_elsewhere() {
    let calls = record::every_fixture_and_recovery_elsewhere().await;
    let deployment = Deployment::with(&[(USER_STORE_SETTING, USER_STORE_ARN)]);
    assert_exact(&deployment, &calls);
}

/// Checks that each role allows what its function was recorded to do, and nothing else.
fn assert_exact(deployment: &Deployment, calls: &[Call]) {
    let mut wrong = BTreeSet::new();
    for function in deployment.functions() {
        let accesses = deployment.accesses(&function, calls);
        for access in &accesses {
            if !function.role.allows(access) {
                wrong.insert(format!("{} needs, but may not: {access}", function.name));
            }
        }
        for permission in function.role.permissions() {
            if !accesses.iter().any(|access| permission.is_used_by(access)) {
                let name = &function.name;
                wrong.insert(format!("{name} may, but never needs: {permission}"));
            }
        }
    }
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_functions_that_ask_a_user_store_may_invoke_that_function_and_no_function_another() {
    let invoking = |settings: &[(&str, &str)]| {
        let mut able = BTreeSet::new();
        for function in Deployment::with(settings).functions() {
            for permission in function.role.permissions() {
                if permission.action().starts_with("lambda:") {
                    able.insert((function.name.clone(), permission.to_string()));
                }
            }
            for other in ["", "-2", ":live"] {
                let access =
                    Access::new("lambda:InvokeFunction", format!("{USER_STORE_ARN}{other}"));
                let expected =
                    other.is_empty() && able.iter().any(|(name, _)| *name == function.name);
                assert_eq!(
                    function.role.allows(&access),
                    expected,
                    "{}: {access}",
                    function.name
                );
            }
        }
        able
    };
    assert_eq!(invoking(&[]), BTreeSet::new());
    let asking = [
        "deliver-mail",
        "forgot-password-set-password",
        "forgot-password-verify-otp",
        "users-set-password",
    ];
    let asks = format!("lambda:InvokeFunction on {USER_STORE_ARN}");
    let expected = asking.map(|name| (name.to_owned(), asks.clone()));
    let able = invoking(&[(USER_STORE_SETTING, USER_STORE_ARN)]);
    assert_eq!(able, BTreeSet::from(expected));
}

#[test]
fn each_function_has_one_role_of_its_own() {
    let deployment = Deployment::read(None);
    let functions = deployment.functions();
    let own: BTreeSet<_> = functions.iter().map(|it| it.role.id.clone()).collect();
    assert_eq!(own.len(), functions.len(), "{own:?}");
    assert_eq!(deployment.roles(), own);
}

#[test]
fn a_role_is_for_lambda_alone_and_has_no_managed_policy() {
    Deployment::read(None).assert_every_role_is_whole();
}

#[test]
fn no_permission_has_a_wildcard_resource_except_tracing() {
    for function in Deployment::read(Some(OWN_KEY)).functions() {
        for permission in function.role.permissions() {
            let action = permission.action();
            assert!(!has_wildcard(action), "{}: {permission}", function.name);
            assert!(
                permission.resource() != "*" || action.starts_with("xray:"),
                "{}: {permission}",
                function.name
            );
        }
    }
}

#[test]
fn a_resource_name_has_a_wildcard_only_where_it_is_not_known_beforehand() {
    let mut open = BTreeSet::new();
    for function in Deployment::read(Some(OWN_KEY)).functions() {
        for permission in function.role.permissions() {
            let resource = permission.resource();
            if resource != "*" && has_wildcard(resource) {
                open.insert((function.name.clone(), resource.to_owned()));
            }
        }
    }
    let expected = [
        // The recipient, if it is an SES identity of the account.
        "arn:aws:ses:us-east-1:000000000000:identity/*",
        // The language.
        "arn:aws:ses:us-east-1:000000000000:template/regain-auth-v1-forgot-password-*",
        "arn:aws:ses:us-east-1:000000000000:template/regain-directory-session-forgot-*",
        "arn:aws:ses:us-east-1:000000000000:template/regain-password-changed-*",
        // A stream is called by the time it was turned on.
        "arn:aws:local:us-east-1:000000000000:regain/stream/*",
    ]
    .map(|resource| ("deliver-mail".to_owned(), resource.to_owned()));
    let mut expected = BTreeSet::from(expected);
    let stream = "arn:aws:local:us-east-1:000000000000:regain/stream/*";
    expected.insert(("announce".to_owned(), stream.to_owned()));
    assert_eq!(open, expected);
}

#[test]
fn a_permission_for_items_is_for_one_kind_of_item() {
    for function in Deployment::read(None).functions() {
        for permission in function.role.permissions() {
            for pattern in permission.values_of(LEADING_KEYS) {
                let kind = pattern.strip_suffix("#*").unwrap_or_default();
                assert!(
                    !kind.is_empty() && kind.bytes().all(|it| it.is_ascii_uppercase()),
                    "{}: {permission}",
                    function.name
                );
            }
        }
    }
}

#[test]
fn a_call_without_a_key_or_with_an_unknown_kind_of_key_reaches_no_item() {
    let deployment = Deployment::read(None);
    for function in deployment.functions() {
        for action in ITEM_ACTIONS {
            let nameless = Access::new(action, &deployment.table);
            assert!(
                !function.role.allows(&nameless),
                "{}",
                message(&function, &nameless)
            );
            let strange = deployment.touching(action, &["OTHER#"]);
            assert!(
                !function.role.allows(&strange),
                "{}",
                message(&function, &strange)
            );
        }
    }
}

#[test]
fn mail_has_one_sender_and_no_other_service_uses_the_key() {
    for function in Deployment::read(Some(OWN_KEY)).functions() {
        for permission in function.role.permissions() {
            let (action, resource) = (permission.action(), permission.resource());
            let key = match action.split_once(':') {
                Some(("ses", _)) => FROM_ADDRESS,
                Some(("kms", _)) => VIA_SERVICE,
                _ => continue,
            };
            let silent = Access::new(action, resource);
            let strange = silent.clone().with(key, ["somebody-else"]);
            for access in [silent, strange] {
                assert!(
                    !function.role.allows(&access),
                    "{}",
                    message(&function, &access)
                );
            }
        }
    }
}

#[test]
fn a_forgot_password_request_reaches_no_user_and_no_lookup_item() {
    let deployment = Deployment::read(None);
    for name in ["forgot-password", "forgot-password-resend-otp"] {
        let function = deployment.function(name);
        for action in ITEM_ACTIONS {
            for keys in [&["USER#"][..], &["EMAIL#"], &["SESSION#", "USER#"]] {
                let access = deployment.touching(action, keys);
                assert!(
                    !function.role.allows(&access),
                    "{}",
                    message(&function, &access)
                );
            }
        }
    }
}

#[test]
fn with_aliases_no_function_that_starts_a_session_can_read_who_has_an_address() {
    for (settings, may) in [
        (&[][..], true),
        (&[("DIRECTORY_USER_ID", "user")], true),
        (&[("DIRECTORY_USER_ID", "alias")], false),
    ] {
        let deployment = Deployment::with(settings);
        let function = deployment.function("users-resend");
        for action in ITEM_ACTIONS {
            let access = deployment.touching(action, &["EMAIL#"]);
            let expected = may && action == "dynamodb:GetItem";
            assert_eq!(
                function.role.allows(&access),
                expected,
                "{settings:?}: {access}"
            );
            let access = deployment.touching(action, &["USER#"]);
            assert!(
                !function.role.allows(&access),
                "{}",
                message(&function, &access)
            );
        }
    }
}

#[test]
fn the_newest_session_is_written_and_read_only_where_the_setting_asks_for_it() {
    let reaching = |settings: &[(&str, &str)]| -> Vec<String> {
        let deployment = Deployment::with(settings);
        let mut able = Vec::new();
        for function in deployment.functions() {
            for action in ITEM_ACTIONS {
                let access = deployment.touching(action, &["LATEST#"]);
                if function.role.allows(&access) {
                    able.push(format!("{} {action}", function.name));
                }
            }
        }
        able.sort();
        able
    };
    assert_eq!(reaching(&[]), [""; 0]);
    assert_eq!(reaching(&[("DIRECTORY_SESSION", "required")]), [""; 0]);
    assert_eq!(
        reaching(&[("DIRECTORY_SESSION", "latest")]),
        [
            "users-resend dynamodb:PutItem",
            "users-resend dynamodb:UpdateItem",
            "users-set-password dynamodb:GetItem",
        ]
    );
}

#[test]
fn only_functions_that_mail_or_check_codes_can_read_the_code_key() {
    let reading = Access::new("secretsmanager:GetSecretValue", "CodeKey");
    let able: BTreeSet<_> = Deployment::read(None)
        .functions()
        .into_iter()
        .filter(|function| function.role.allows(&reading))
        .map(|function| function.name)
        .collect();
    let expected = [
        "deliver-mail",
        "forgot-password-set-password",
        "forgot-password-verify-otp",
        "users-set-password",
    ];
    assert_eq!(able, expected.map(str::to_owned).into());
}

#[test]
fn deliver_mail_writes_mail_requests_and_their_retries_only() {
    let deployment = Deployment::read(None);
    let mailer = deployment.function("deliver-mail");
    let mut written = BTreeSet::new();
    for kind in deployment.kinds() {
        for action in ITEM_ACTIONS {
            let access = deployment.touching(action, &[&kind]);
            if !READ_ACTIONS.contains(&action) && mailer.role.allows(&access) {
                written.insert(kind.clone());
            }
        }
    }
    assert_eq!(written, ["MAIL#", "RETRY#"].map(str::to_owned).into());
}

#[test]
fn announce_reads_mail_requests_tells_one_bus_and_writes_nothing() {
    let deployment = Deployment::read(None);
    let announce = deployment.function("announce");
    for kind in deployment.kinds() {
        for action in ITEM_ACTIONS {
            let access = deployment.touching(action, &[&kind]);
            let expected = action == "dynamodb:GetItem" && kind == "MAIL#";
            assert_eq!(announce.role.allows(&access), expected, "{access}");
        }
    }
    let mut told = BTreeSet::new();
    for function in deployment.functions() {
        for permission in function.role.permissions() {
            if permission.action().starts_with("events:") {
                told.insert((function.name.clone(), permission.to_string()));
            }
        }
    }
    let bus = "events:PutEvents on arn:aws:events:us-east-1:000000000000:event-bus/default";
    let expected = ("announce".to_owned(), bus.to_owned());
    assert_eq!(told, BTreeSet::from([expected]));
}

#[test]
fn no_role_but_its_own_reaches_the_audit_trail() {
    let mut able = BTreeSet::new();
    for function in Deployment::read(Some(OWN_KEY)).functions() {
        for permission in function.role.permissions() {
            if permission.action().starts_with("logs:") {
                let is_trail = permission.resource().contains("AuditLogs");
                assert_eq!(is_trail, function.name == "audit-trail", "{permission}");
                able.extend(is_trail.then(|| permission.action().to_owned()));
            }
        }
    }
    let adding = ["logs:CreateLogStream", "logs:PutLogEvents"];
    assert_eq!(able, adding.map(str::to_owned).into());
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn message(function: &Function, access: &Access) -> String {
    format!("{} may: {access}", function.name)
}
