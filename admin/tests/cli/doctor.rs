//! `regain doctor`: finds what a stack lacks, and says how to repair it.

mod users;

use regain::locale::Locale;
use serde_json::{Value, json};

use crate::kit::{INDEX_SECRET, Kit};

/// How many checks there are besides those of the templates.
const OTHER_CHECKS: usize = 22;

/// The names of all templates: each language has one of each mail.
fn templates() -> Vec<String> {
    let mails = [
        "directory-session-forgot",
        "auth-v1-forgot-password",
        "password-changed",
    ];
    let named = |mail| Locale::ALL.map(|it| format!("regain-{mail}-{}", it.tag()));
    mails.into_iter().flat_map(named).collect()
}

/// The output for a stack that has no problem.
fn all_right() -> String {
    let templates = templates();
    let lines = templates.join("\n✓ template ");
    format!(
        "\
Table
✓ the table regain is there
✓ the stream is on (keys only)
✓ expired items are deleted (TTL by expiresAt)
✓ lost data can be restored (point-in-time recovery)

Clock
✓ the clocks of this machine and of the service agree

Secrets
✓ the index key can be read
✓ the code key can be read
✓ they differ

Mail
✓ the account may send
✓ the account is out of the sandbox
✓ mails call the service \"Regain\"
✓ SES may send from no-reply@mail.example.com (identity example.com)
✓ template {lines}

Users
✓ there are no users yet

Functions
✓ forgot-password answers
✓ forgot-password-verify-otp answers
✓ forgot-password-resend-otp answers
✓ forgot-password-set-password answers
✓ deliver-mail handles mail requests
✓ users-resend answers
✓ users-set-password answers
✓ recover-not-me answers
✓ recovery-page answers

{} right, 0 wrong
",
        OTHER_CHECKS + templates.len()
    )
}

#[tokio::test]
async fn a_healthy_stack_passes_every_check() {
    let kit = Kit::new().await;
    kit.deliver_mail().await;
    let ran = kit.run(&["doctor", "--stack", "regain"]).await;
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (Some(0), all_right().as_str(), "")
    );
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one entry for each thing that can be wrong"
)]
async fn each_problem_is_reported_with_its_remedy() {
    let table = |change: Value| {
        let mut table = json!({
            "TableName": "regain", "TableStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
        });
        table
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        json!({ "Table": table })
    };
    let template = |text: &str| {
        json!({"TemplateName": "x", "TemplateContent": {
            "Subject": "{{serviceName}}", "Text": text, "Html": "{{code}} {{link}}",
        }})
    };
    let email = "templates/regain-auth-v1-forgot-password-en";
    for (call, answer, wrong, fix) in [
        (
            "DescribeTable",
            table(json!({"StreamSpecification": null})),
            "✗ the stream is off, so no mail is sent",
            "deploy the stack again",
        ),
        (
            "DescribeTable",
            table(json!({"StreamSpecification": {
                "StreamEnabled": true, "StreamViewType": "NEW_IMAGE",
            }})),
            "✗ the stream carries whole items, password hashes among them",
            "KEYS_ONLY",
        ),
        (
            "DescribeTable",
            table(json!({"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})),
            "✗ the table regain is not a table of Regain: its key is not pk",
            "TableName",
        ),
        (
            "DescribeTimeToLive",
            json!({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}),
            "✗ expired items are never deleted",
            "deploy the stack again",
        ),
        (
            "DescribeContinuousBackups",
            json!({"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "DISABLED"}}),
            "✗ lost data cannot be restored",
            "deploy the stack again",
        ),
        (
            "CodeKey",
            json!({"SecretString": INDEX_SECRET}),
            "✗ index key and code key are the same",
            "put a new value into the code key",
        ),
        (
            "CodeKey",
            json!({"SecretString": "short"}),
            "✗ the code key is too weak: it has fewer than 32 characters",
            "64 random letters",
        ),
        (
            "account",
            json!({"SendingEnabled": true, "ProductionAccessEnabled": false}),
            "✗ the account is in the sandbox",
            "ask for production access",
        ),
        (
            "account",
            json!({"SendingEnabled": false, "ProductionAccessEnabled": true}),
            "✗ the account may not send",
            "dashboard",
        ),
        (
            "identities/example.com",
            json!({"VerifiedForSendingStatus": false}),
            "✗ the identity example.com is not verified yet",
            "DKIM",
        ),
        (
            email,
            template("no code at all"),
            "✗ template regain-auth-v1-forgot-password-en: its text part does not show {{code}}",
            "deploy the stack again",
        ),
        (
            email,
            template("{{code}}\n{{link}} for {{name}}"),
            "✗ template regain-auth-v1-forgot-password-en: its text part uses {{name}}, which no \
             mail has",
            "deploy the stack again",
        ),
    ] {
        let kit = Kit::new().await;
        kit.deliver_mail().await;
        kit.aws.answers(call, answer);
        let ran = kit.run(&["doctor", "--stack", "regain"]).await;
        assert_eq!(ran.code, Some(1), "{wrong}: {ran:?}");
        let lines: Vec<_> = ran.out.lines().collect();
        let at = lines.iter().position(|line| line.starts_with(wrong));
        let at = at.unwrap_or_else(|| panic!("{wrong}: {lines:#?}"));
        assert!(
            lines[at + 1].starts_with("  → ") && lines[at + 1].contains(fix),
            "{lines:#?}"
        );
        assert!(ran.out.contains(" 1 wrong"), "{lines:#?}");
        assert!(!ran.out.contains(INDEX_SECRET));
    }
}

#[tokio::test]
async fn each_missing_or_forbidden_part_is_reported_with_its_remedy() {
    let denied = "User: arn:aws:iam::1:user/op is not authorized to perform: ses:GetAccount";
    for (call, status, code, message, wrong) in [
        (
            "IndexKey",
            400,
            "AccessDeniedException",
            denied,
            format!("✗ the index key: the secret IndexKey may not be used: {denied}"),
        ),
        (
            "CodeKey",
            400,
            "ResourceNotFoundException",
            "",
            "✗ the code key: the secret CodeKey does not exist there".to_owned(),
        ),
        (
            "account",
            403,
            "AccessDeniedException",
            denied,
            format!("✗ the account: SES may not be used: {denied}"),
        ),
        (
            "identities/example.com",
            404,
            "NotFoundException",
            "",
            "✗ SES knows neither no-reply@mail.example.com nor its domain".to_owned(),
        ),
        (
            "templates/regain-password-changed-id",
            404,
            "NotFoundException",
            "",
            "✗ template regain-password-changed-id: the template regain-password-changed-id does \
             not exist there"
                .to_owned(),
        ),
        (
            "DescribeTable",
            400,
            "ResourceNotFoundException",
            "",
            "✗ the table: the table regain does not exist there".to_owned(),
        ),
    ] {
        let kit = Kit::new().await;
        kit.deliver_mail().await;
        kit.aws.fails(call, status, code, message);
        let ran = kit.run(&["doctor", "--stack", "regain"]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(
            ran.out.lines().any(|line| line.starts_with(&wrong)),
            "{wrong}: {}",
            ran.out
        );
    }
}

#[tokio::test]
async fn a_call_that_an_endpoint_does_not_support_is_skipped_and_no_problem() {
    let kit = Kit::new().await;
    kit.aws.fails(
        "DescribeContinuousBackups",
        400,
        "UnknownOperationException",
        "",
    );
    kit.aws.fails("account", 404, "", "");
    kit.aws
        .fails("identities/no-reply@example.com", 404, "", "");
    kit.deliver_mail().await;
    let ran = kit.local(&["doctor", "--api", kit.aws.url()]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for what in ["point-in-time recovery", "the account", "the sender"] {
        let line = format!("– {what}: not checked here, the endpoint does not know the call");
        assert!(ran.out.contains(&line), "{}", ran.out);
    }
    // Two checks of the account are not made, and one of each of the others.
    let right = OTHER_CHECKS - 4 + templates().len();
    let end = format!("{right} right, 0 wrong, 3 not checked\n");
    assert!(ran.out.ends_with(&end), "{}", ran.out);
}

#[tokio::test]
async fn the_command_asks_for_parts_that_were_not_named() {
    let kit = Kit::new().await;
    let ran = kit.run(&["doctor", "--table", "regain"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for line in [
        "– the index key: give --index-key-secret ID, or --stack NAME",
        "– the code key: give --code-key-secret ID, or --stack NAME",
        "– the sender: give --mail-from ADDRESS, or --stack NAME",
        "– the templates: give --template-prefix PREFIX, or --stack NAME",
        "– the functions: give --api URL, or --stack NAME",
    ] {
        assert!(ran.out.contains(line), "{}", ran.out);
    }
}

/// Ports that nothing ever listens on.
const NOWHERE: [&str; 3] = [
    "dynamodb=http://127.0.0.1:1",
    "ses=http://127.0.0.1:2/",
    "secrets=http://127.0.0.1:3",
];

#[tokio::test]
async fn endpoints_that_do_not_answer_are_reported_once_with_their_urls() {
    let kit = Kit::new().await;
    let [dynamodb, ses, secrets] = NOWHERE;
    let arguments = ["doctor", "--endpoint", dynamodb, "--endpoint", ses];
    let all = [&arguments[..], &["--endpoint", secrets]].concat();
    let ran = kit.local(&all).await;
    let said = "\
Endpoints
✗ nothing listens at http://127.0.0.1:1 (DynamoDB), http://127.0.0.1:2/ (SES), http://127.0.0.1:3 (Secrets Manager)
  → start the service with `cargo run`, or say where it is with --local=PORT or --endpoint

0 right, 1 wrong
";
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), said), "{}", ran.err);
}

#[tokio::test]
async fn services_that_answer_are_checked_even_if_others_do_not() {
    let kit = Kit::new().await;
    let ran = kit.local(&["doctor", "--endpoint", NOWHERE[1]]).await;
    assert_eq!(ran.code, Some(1));
    let nowhere = "✗ nothing listens at http://127.0.0.1:2/ (SES)\n";
    assert!(ran.out.contains(nowhere), "{}", ran.out);
    assert!(
        ran.out.contains("✓ the index key can be read"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("9 right, 1 wrong\n"), "{}", ran.out);
}

#[tokio::test]
async fn another_program_in_place_of_dynamodb_or_secrets_manager_is_a_problem() {
    for (call, wrong) in [
        (
            "DescribeTable",
            "✗ the table: the endpoint does not answer as DynamoDB does\n",
        ),
        (
            "IndexKey",
            "✗ the index key: the endpoint does not answer as Secrets Manager does\n",
        ),
    ] {
        let kit = Kit::new().await;
        kit.aws.fails(call, 404, "", "");
        kit.deliver_mail().await;
        let ran = kit.local(&["doctor", "--api", kit.aws.url()]).await;
        assert_eq!(ran.code, Some(1), "{call}");
        assert!(ran.out.contains(wrong), "{}", ran.out);
    }
}

#[tokio::test]
async fn a_function_without_permission_or_that_does_not_start_is_reported_with_its_remedy() {
    let verify = "/auth/v1/forgot-password/verify-otp";
    for (path, status, code, wrong, fix) in [
        (
            verify,
            503,
            "",
            "✗ forgot-password-verify-otp gives no answer: the gateway says 503",
            "its log says why it does not start",
        ),
        (
            "/directory/api/users/setPassword",
            500,
            "",
            "✗ users-set-password gives no answer: the gateway says 500",
            "its log says why it does not start",
        ),
        (
            "/recover/not-me",
            500,
            "",
            "✗ recover-not-me gives no answer: the gateway says 500",
            "its log says why it does not start",
        ),
        (
            "/recover",
            503,
            "",
            "✗ recovery-page gives no answer: the gateway says 503",
            "its log says why it does not start",
        ),
    ] {
        let kit = Kit::new().await;
        kit.deliver_mail().await;
        kit.aws.fails(path, status, code, "");
        let ran = kit.run(&["doctor", "--stack", "regain"]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let lines: Vec<_> = ran.out.lines().collect();
        let at = lines.iter().position(|line| *line == wrong);
        let at = at.unwrap_or_else(|| panic!("{wrong}: {lines:#?}"));
        assert!(lines[at + 1].contains(fix), "{lines:#?}");
        assert!(ran.out.contains(" 1 wrong"), "{lines:#?}");
    }
}

#[tokio::test]
async fn a_missing_permission_of_a_function_is_told_apart_from_a_failed_start() {
    let kit = Kit::new().await;
    kit.deliver_mail().await;
    kit.aws
        .replies("/auth/v1/forgot-password/set-password", 503);
    let ran = kit.run(&["doctor", "--stack", "regain"]).await;
    let wrong =
        "✗ forgot-password-set-password answers 503, not 401\n  → its log says what it may not";
    assert!(ran.out.contains(wrong), "{}", ran.out);
}

#[tokio::test]
async fn a_check_that_meets_a_rate_limit_is_skipped_and_no_problem() {
    let kit = Kit::new().await;
    kit.deliver_mail().await;
    kit.aws.replies("/directory/api/users/resend", 429);
    let ran = kit.run(&["doctor", "--stack", "regain"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = "– users-resend: it answers 429: a limit is reached, such as IP_REQUESTS_PER_HOUR; \
        try again later\n";
    assert!(ran.out.contains(line), "{}", ran.out);
}

#[tokio::test]
async fn mail_that_waits_for_deliver_mail_is_reported() {
    let kit = Kit::new().await;
    let arguments = ["doctor", "--stack", "regain", "--mail-timeout", "1"];
    let ran = kit.run(&arguments).await;
    let wrong = "✗ deliver-mail did not handle the mail request within 1 s\n  → look at its event source mapping";
    assert!(ran.out.contains(wrong), "{}", ran.out);
}
