//! Reading template.yaml: the values that come from it, and the templates that stop the start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use local::template::{Environment, Route, Stack, TemplateError};

fn stack(environment: &[(&str, &str)]) -> Stack {
    let environment = environment
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    Stack::open(&path, environment.collect::<Environment>()).unwrap()
}

#[test]
fn every_path_of_the_api_has_a_route_for_every_method_but_options() {
    let stack = stack(&[]);
    let mut paths = BTreeMap::<&str, BTreeSet<&str>>::new();
    let is_page = |route: &&Route| route.function == "RecoveryPage";
    for route in stack.routes.iter().filter(|route| !is_page(route)) {
        paths.entry(&route.path).or_default().insert(&route.method);
    }
    let methods = BTreeSet::from(["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]);
    assert!(paths.values().all(|found| *found == methods), "{paths:?}");
    assert_eq!(
        paths.into_keys().collect::<Vec<_>>(),
        [
            "/auth/v1/forgot-password",
            "/auth/v1/forgot-password/resend-otp",
            "/auth/v1/forgot-password/set-password",
            "/auth/v1/forgot-password/verify-otp",
            "/directory/api/users/resend",
            "/directory/api/users/setPassword",
            "/recover/not-me",
        ]
    );
}

#[test]
fn the_recovery_page_has_routes_for_get_and_head_alone() {
    let stack = stack(&[]);
    let routes = stack.routes.iter();
    let routes = routes.filter(|route| route.function == "RecoveryPage");
    let routes: BTreeSet<_> = routes
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let expected = [
        "GET /.well-known/change-password",
        "GET /openapi.json",
        "GET /recover",
        "GET /recover/{proxy+}",
        "HEAD /.well-known/change-password",
        "HEAD /openapi.json",
        "HEAD /recover",
        "HEAD /recover/{proxy+}",
    ];
    assert_eq!(routes, expected.map(str::to_owned).into());
}

#[test]
fn a_function_gets_the_secrets_it_may_read_and_no_others() {
    let stack = stack(&[]);
    let with = |name: &str| -> BTreeSet<&str> {
        stack
            .functions
            .iter()
            .filter(|function| function.environment.contains_key(name))
            .map(|function| function.name.as_str())
            .collect()
    };
    assert_eq!(with("INDEX_KEY_SECRET").len(), 8);
    assert!(!with("INDEX_KEY_SECRET").contains("mail-events"));
    assert!(!with("INDEX_KEY_SECRET").contains("audit-trail"));
    assert_eq!(
        with("CODE_KEY_SECRET"),
        BTreeSet::from([
            "deliver-mail",
            "forgot-password-set-password",
            "forgot-password-verify-otp",
            "users-set-password"
        ])
    );
    assert_eq!(with("MAIL_FROM"), BTreeSet::from(["deliver-mail"]));
    let names: Vec<_> = stack.secrets.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["CodeKey", "IndexKey"]);
    assert!(stack.secrets.iter().all(|secret| secret.length == 64));
}

#[test]
fn globals_apply_where_a_function_has_no_own_value() {
    let stack = stack(&[("CODE_TTL_SECONDS", "5")]);
    let mailer = stack.function("DeliverMail").unwrap();
    assert_eq!(mailer.function_name, "regain-deliver-mail");
    assert_eq!(mailer.timeout, Duration::from_mins(1));
    let other = stack.function("ForgotPassword").unwrap();
    assert_eq!(other.timeout, Duration::from_secs(10));
    assert_eq!(other.memory_mb, 512);
    for (name, value) in [
        ("TABLE_NAME", "regain"),
        ("CODE_TTL_SECONDS", "5"),
        ("CODE_LENGTH", "6"),
        ("INDEX_KEY_SECRET", "IndexKey"),
    ] {
        assert_eq!(other.environment.get(name).unwrap(), value);
    }
}

#[test]
fn the_table_and_its_event_source_are_as_deployed() {
    let stack = stack(&[]);
    assert_eq!(stack.table.name, "regain");
    assert_eq!(stack.table.ttl_attribute.as_deref(), Some("expiresAt"));
    assert_eq!(stack.table.stream_view_type.as_deref(), Some("KEYS_ONLY"));
    let [changes, source, retries] = stack.event_sources.as_slice() else {
        unreachable!("three mappings")
    };
    assert_eq!(
        (source.name.as_str(), source.batch_size),
        ("MailRequests", 4)
    );
    assert_eq!(
        (retries.name.as_str(), retries.batch_size),
        ("MailRetries", 2)
    );
    let timeout = stack.function("DeliverMail").unwrap().timeout;
    for source in [source, retries] {
        assert_eq!(source.function, "DeliverMail");
        assert_eq!(source.parallelization, 1);
        assert_eq!(source.maximum_retry_attempts, None, "age ends the tries");
        assert_eq!(source.maximum_record_age, Some(Duration::from_hours(1)));
        assert!(source.bisect && source.reports_failures);
        assert_eq!(source.filters.len(), 1);
        // A function that is ended earlier would lose the outcome of the last mails of its batch. They start a
        // tenth of the longest batch apart.
        let last = Duration::from_secs(1) * u32::try_from(source.batch_size - 1).unwrap();
        assert!(last + Duration::max(regain::mail::LONGEST, Duration::from_secs(10)) < timeout);
    }
    assert_eq!(
        (changes.name.as_str(), changes.function.as_str()),
        ("PasswordChanges", "Announce")
    );
    assert_eq!(changes.batch_size, 10, "what PutEvents takes at once");
    assert_eq!(changes.maximum_retry_attempts, None, "age ends the tries");
    assert_eq!(changes.maximum_record_age, Some(Duration::from_hours(6)));
    assert!(changes.bisect && changes.reports_failures && changes.is_enabled);
    assert!(regain::announce::LONGEST < stack.function("Announce").unwrap().timeout);
}

#[test]
fn without_a_bus_nobody_reads_password_changes() {
    for (bus, is_enabled) in [("none", false), ("default", true), ("sign-in", true)] {
        let stack = stack(&[("EVENT_BUS", bus)]);
        let mut sources = stack.event_sources.iter();
        let source = sources.find(|it| it.name == "PasswordChanges").unwrap();
        assert_eq!(source.is_enabled, is_enabled, "{bus}");
    }
}

#[test]
fn the_table_may_have_another_name() {
    let stack = stack(&[("TABLE_NAME", "other")]);
    assert_eq!(stack.table.name, "other");
    for function in &stack.functions {
        let told = function.environment.get("TABLE_NAME").unwrap();
        assert_eq!(told, "other", "{}", function.name);
    }
}

#[test]
fn mail_templates_and_cors_are_as_deployed() {
    let stack = stack(&[("CORS_ORIGINS", "https://a.example, https://b.example")]);
    let names: BTreeSet<_> = stack
        .mail_templates
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let expected = regain::template::Template::ALL
        .into_iter()
        .flat_map(|template| {
            regain::locale::Locale::ALL.map(|locale| template.ses_name("regain", locale))
        })
        .collect::<Vec<_>>();
    assert_eq!(names, expected.iter().map(String::as_str).collect());
    let [(set, types)] = stack.configuration_sets.iter().collect::<Vec<_>>()[..] else {
        unreachable!("one configuration set")
    };
    assert_eq!(set, "regain");
    let expected = [
        "bounce",
        "complaint",
        "deliveryDelay",
        "reject",
        "renderingFailure",
    ];
    assert_eq!(*types, expected.map(str::to_owned).into());
    let cors = stack.cors.unwrap();
    assert_eq!(cors.origins, ["https://a.example", "https://b.example"]);
    assert_eq!(cors.exposed, ["retry-after", "x-request-id"]);
    assert_eq!(cors.headers.len(), 14);
}

const SMALL: &str = r"
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/f
      Environment: {Variables: {SIZE: 3}}
      Events:
        Post: {Type: HttpApi, Properties: {Path: /f, Method: post}}
";

/// Reads a template of its own file, beside a file that it may include.
fn read(text: &str) -> Result<Stack, TemplateError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, text).unwrap();
    let mail = "Mail: {Type: AWS::SES::Template, Properties: {Template: {TemplateName: {Ref: AWS::StackName}}}}";
    std::fs::write(folder.path().join("mails.yaml"), mail).unwrap();
    std::fs::write(folder.path().join("list.yaml"), "[]").unwrap();
    Stack::open(&path, Environment::new())
}

fn including(name: &str, location: &str) -> String {
    let transform = format!("{{Name: {name}, Parameters: {{Location: {location}}}}}");
    SMALL.replacen(
        "Resources:",
        &format!("Resources:\n  Fn::Transform: {transform}"),
        1,
    )
}

#[test]
fn included_resources_are_as_if_they_stood_in_the_template() {
    let stack = read(&including("AWS::Include", "mails.yaml")).unwrap();
    let names: Vec<_> = stack.mail_templates.iter().map(|it| &it.name).collect();
    assert_eq!(names, ["regain"]);
    for (name, location, problem) in [
        (
            "AWS::Include",
            "none.yaml",
            "none.yaml cannot be read: No such file",
        ),
        ("AWS::Include", "list.yaml", "list.yaml: is no mapping"),
        (
            "Macro",
            "mails.yaml",
            "only AWS::Include of a file is supported",
        ),
    ] {
        let error = read(&including(name, location)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_merge_adds_to_a_mapping_what_it_does_not_have_itself() {
    let merged = SMALL.replacen("{SIZE: 3}", "{<<: &sizes {SIZE: 1, DEPTH: 2}, SIZE: 3}", 1);
    let stack = read(&merged).unwrap();
    let environment = &stack.function("F").unwrap().environment;
    assert_eq!((&*environment["SIZE"], &*environment["DEPTH"]), ("3", "2"));
}

#[test]
fn a_template_that_cannot_run_on_one_machine_stops_the_start() {
    assert!(read(SMALL).is_ok());
    for (from, to, problem) in [
        (
            "Type: HttpApi",
            "Type: Schedule",
            "an event of type Schedule is not supported",
        ),
        (
            "Method: post",
            "Method: any",
            "the method ANY is not supported",
        ),
        (
            "Path: /f",
            "Path: '/f/{id}'",
            "the path /f/{id} is not supported",
        ),
        ("$default", "prod", "the stage prod is not supported"),
        (
            "SIZE: 3",
            "SIZE: !ImportValue x",
            "Fn::ImportValue is not supported",
        ),
        (
            "SIZE: 3",
            "SIZE: !Ref Nothing",
            "there is nothing called Nothing",
        ),
        ("SIZE: 3", "SIZE: [1, {a: b}]", "is not a text"),
        (
            "CodeUri: functions/f",
            "CodeUri: .",
            "names no function folder",
        ),
        (
            "CodeUri: functions/f",
            "PackageType: Image",
            "an image is not supported",
        ),
        (
            "Method: post",
            "Method: post, PayloadFormatVersion: '1.0'",
            "only payload format 2.0",
        ),
        ("KeySchema:", "Other:", "KeySchema: is missing"),
        (
            "AWS::DynamoDB::Table",
            "AWS::S3::Bucket",
            "exactly one DynamoDB table",
        ),
        ("Events:", "Nothing:", "no function has a route"),
        ("Resources:", "Resources: [", "template.yaml cannot be read"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let error = read(&SMALL.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(problem), "{to}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn the_records_of_every_function_that_writes_some_go_to_the_audit_trail() {
    let stack = stack(&[]);
    let keeper = stack.function("AuditTrail").unwrap();
    let subscribed: BTreeSet<_> = stack
        .log_subscriptions
        .iter()
        .map(|subscription| {
            assert_eq!(subscription.function, "AuditTrail");
            assert!(subscription.pattern.matches("{\"audit\":1}"));
            assert!(!subscription.pattern.matches("{\"level\":\"INFO\"}"));
            subscription.log_group.as_str()
        })
        .collect();
    // Its own records would be sent to itself without end. Recovery page, announce and users write none.
    let without = [keeper.id.as_str(), "RecoveryPage", "Announce", "Users"];
    let others = stack.functions.iter();
    let others = others.filter(|it| !without.contains(&it.id.as_str()));
    let others: BTreeSet<_> = others.map(|it| it.log_group.as_str()).collect();
    assert_eq!(subscribed, others);
    assert!(!subscribed.contains(keeper.log_group.as_str()));
}
