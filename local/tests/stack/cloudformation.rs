//! Checks template.yaml for mistakes that only a deployment would show, according to the documents and bug
//! reports of `CloudFormation`, SAM and the services. Nothing is deployed here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_yaml_ng::Value as Yaml;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn template() -> Yaml {
    let mut template: Yaml = serde_yaml_ng::from_str(&file("template.yaml")).unwrap();
    template.apply_merge().unwrap();
    template
}

/// The file that `AWS::Include` adds to a mapping.
fn included(mapping: &Yaml) -> Yaml {
    let location = &mapping["Fn::Transform"]["Parameters"]["Location"];
    serde_yaml_ng::from_str(&file(location.as_str().unwrap())).unwrap()
}

/// The entries of a mapping, by key.
fn entries(mapping: &Yaml) -> BTreeMap<&str, &Yaml> {
    let mapping = mapping.as_mapping().unwrap();
    let entries = mapping.iter();
    entries
        .map(|(key, it)| (key.as_str().unwrap(), it))
        .collect()
}

/// The resources whose type begins with a prefix.
fn resources<'a>(template: &'a Yaml, kind: &str) -> BTreeMap<&'a str, &'a Yaml> {
    let mut resources = entries(&template["Resources"]);
    resources.retain(|_, it| it["Type"].as_str().unwrap().starts_with(kind));
    resources
}

/// The keys of a resource's tags, in either of the two shapes that tags have.
fn tag_keys(resource: &Yaml) -> BTreeSet<&str> {
    match &resource["Properties"]["Tags"] {
        Yaml::Null => BTreeSet::new(),
        Yaml::Sequence(tags) => tags.iter().map(|it| it["Key"].as_str().unwrap()).collect(),
        tags => entries(tags).into_keys().collect(),
    }
}

/// The parameters that a value refers to.
fn parameters(value: &Yaml) -> BTreeSet<String> {
    match value {
        Yaml::Sequence(items) => items.iter().flat_map(parameters).collect(),
        Yaml::Mapping(entries) => entries.values().flat_map(parameters).collect(),
        Yaml::Tagged(tagged) => match (tagged.tag.to_string().as_str(), &tagged.value) {
            ("!Ref", Yaml::String(name)) => BTreeSet::from([name.clone()]),
            ("!Sub", Yaml::String(text)) => {
                let names = text.split("${").skip(1);
                let names = names.map(|it| it.split_once('}').unwrap().0.to_owned());
                names.collect()
            }
            (_, value) => parameters(value),
        },
        _ => BTreeSet::new(),
    }
}

/// The most characters that a parameter's value can have.
fn longest(parameter: &Yaml) -> usize {
    if let Some(allowed) = parameter["AllowedValues"].as_sequence() {
        let lengths = allowed.iter().map(|it| it.as_str().unwrap().len());
        return lengths.max().unwrap();
    }
    let length = parameter["MaxLength"].as_u64();
    let digits = |most: u64| u64::from(most.ilog10()) + 1;
    let length = length.or_else(|| Some(digits(parameter["MaxValue"].as_u64()?)));
    // If only a pattern limits the value, its description names the limit.
    let length = length.or_else(|| {
        let words = parameter["ConstraintDescription"].as_str()?;
        if let Some(range) = words.strip_prefix("a whole number from ") {
            return Some(digits(range.split_once(" to ")?.1.parse().ok()?));
        }
        let (range, _) = words.split_once(" characters")?;
        range.rsplit_once(' ')?.1.parse().ok()
    });
    length
        .unwrap_or_else(|| panic!("{parameter:?} has no longest value"))
        .try_into()
        .unwrap()
}

/// SES gets the stack's tags and the resource's in one list, and refuses a list with a key twice
/// (aws/aws-cdk#35298). Most resources have the two merged, but not all of them at all times
/// (aws-cloudformation/cloudformation-coverage-roadmap#2244).
#[test]
fn no_tag_is_given_by_the_stack_and_by_a_resource() {
    let template = template();
    for (id, resource) in resources(&template, "AWS::SES::") {
        assert!(tag_keys(resource).is_empty(), "{id}");
    }
    let own: BTreeSet<_> = resources(&template, "AWS::")
        .into_values()
        .flat_map(tag_keys)
        .chain(entries(&template["Globals"]["Function"]["Tags"]).into_keys())
        .collect();
    let configuration = file("samconfig.toml");
    let tags: Vec<_> = configuration
        .lines()
        .filter_map(|line| line.strip_prefix("tags = "))
        .collect();
    assert_eq!(tags.len(), 4);
    for key in own {
        let given = format!("\"{key}=");
        assert!(
            !tags.iter().any(|it| it.contains(&given)),
            "{key}: {tags:?}"
        );
    }
}

/// The next deployment is refused ("A version for this Lambda function exists") if a version is kept after a
/// rollback, and also if a version differs in nothing that Lambda publishes, such as only in a tag
/// (aws/serverless-application-model#3281).
#[test]
fn a_version_is_deleted_by_a_rollback_and_made_only_if_something_differs() {
    let template = template();
    let shared = &template["Globals"]["Function"];
    assert_eq!(shared["AutoPublishAlias"], "live");
    assert_eq!(shared["VersionDeletionPolicy"], "Delete");
    assert!(shared["AutoPublishAliasAllProperties"].is_null());
    for (id, function) in resources(&template, "AWS::Serverless::Function") {
        for property in ["VersionDeletionPolicy", "AutoPublishAliasAllProperties"] {
            assert!(
                function["Properties"][property].is_null(),
                "{id}: {property}"
            );
        }
    }
}

/// A parameter's value makes a new version only if the version's description has it. A description that
/// Lambda refuses fails the deployment.
#[test]
fn a_changed_setting_makes_a_version_that_lambda_accepts() {
    const LONGEST_DESCRIPTION: usize = 256;
    /// The parameters that only functions which send codes use.
    const THROTTLES: [&str; 4] = [
        "ResendCooldownSeconds",
        "EmailRequestsPerHour",
        "EmailRequestsPerDay",
        "IpRequestsPerHour",
    ];
    /// The settings of all functions that the recovery page uses.
    const ON_THE_PAGE: [&str; 7] = [
        "Architecture",
        "AuthV1Language",
        "CodeLength",
        "LogLevel",
        "PasswordMinLength",
        "ResendCooldownSeconds",
        "ServiceName",
    ];
    let template = template();
    let known = entries(&template["Parameters"]);
    let of_environment = |it: &Yaml| -> BTreeSet<String> {
        let mut names = parameters(&it["Environment"]["Variables"]);
        names.retain(|name| known.contains_key(name.as_str()));
        // A description is no place for a secret. A number that changes with it stands there.
        if names.remove("EdgeSecret") {
            names.insert("EdgeSecretRevision".to_owned());
        }
        // Nor does an ARN fit into it.
        if names.remove("UserStoreFunctionArn") {
            names.remove("UserStorePassword");
            names.insert("UserStoreRevision".to_owned());
        }
        names
    };
    let shared = &template["Globals"]["Function"];
    let architecture = parameters(&shared["Architectures"]);
    for (id, function) in resources(&template, "AWS::Serverless::Function") {
        let properties = &function["Properties"];
        let Yaml::Tagged(description) = &properties["VersionDescription"] else {
            panic!("{id} has no description with values");
        };
        let named = parameters(&properties["VersionDescription"]);
        let mut given = of_environment(shared);
        given.extend(of_environment(properties));
        given.extend(architecture.iter().cloned());
        let strange: Vec<_> = named.difference(&given).collect();
        assert!(strange.is_empty(), "{id} does not have {strange:?}");
        // Nothing of the stack calls `Users`.
        let calls = properties["Events"].as_mapping();
        let mut calls = calls.into_iter().flat_map(|calls| calls.values());
        let answers = calls.any(|it| it["Type"] == "HttpApi");
        let sends = id.contains("Resend") || id == "ForgotPassword";
        given.retain(|name| sends || !THROTTLES.contains(&name.as_str()));
        if id == "RecoveryPage" {
            given = of_environment(properties);
            given.extend(ON_THE_PAGE.map(str::to_owned));
        }
        let missing: Vec<_> = given.difference(&named).collect();
        assert!(!answers || missing.is_empty(), "{id} lacks {missing:?}");
        let mut text = description.value.as_str().unwrap().to_owned();
        for name in &named {
            let value = "x".repeat(longest(known[name.as_str()]));
            text = text.replace(&format!("${{{name}}}"), &value);
        }
        assert!(text.len() <= LONGEST_DESCRIPTION, "{id}: {}", text.len());
    }
}

/// `RetainExceptOnCreate` keeps a resource unless the deployment that made it failed. A resource that is
/// protected from deletion would make that rollback fail, so it has to be kept, and without a fixed name
/// that the next deployment would need.
#[test]
fn nothing_left_by_a_failed_first_deployment_blocks_the_next() {
    let mut kept = BTreeSet::new();
    let template = template();
    for (id, resource) in resources(&template, "AWS::") {
        let properties = &resource["Properties"];
        let is_protected = properties["DeletionProtectionEnabled"] == true;
        let policy = resource["DeletionPolicy"].as_str().unwrap_or("Delete");
        match policy {
            "Delete" => assert!(!is_protected, "{id}"),
            "RetainExceptOnCreate" => {
                assert!(!is_protected, "{id}");
                kept.insert(id);
            }
            "Retain" => {
                assert!(is_protected, "{id}");
                for name in ["TableName", "LogGroupName"] {
                    assert!(properties[name].is_null(), "{id}: {name}");
                }
                kept.insert(id);
            }
            other => panic!("{id}: {other} is not understood"),
        }
        let replaced = resource["UpdateReplacePolicy"].as_str().unwrap_or("Delete");
        assert_eq!(replaced == "Retain", kept.contains(id), "{id}");
    }
    let expected = ["AuditLogs", "CodeKey", "IndexKey", "MailIdentity", "Table"];
    assert_eq!(kept, BTreeSet::from(expected));
}

/// SES accepts one call a second of each kind except sending ("Service quotas in Amazon SES"), and
/// `CloudFormation` makes all resources at once that do not depend on each other.
#[test]
fn resources_of_ses_are_made_one_after_the_other() {
    let template = template();
    let ses = resources(&template, "AWS::SES::");
    let waits_for = |resource: &Yaml| -> BTreeSet<String> {
        let mut names = parameters(&resource["Properties"]);
        names.extend(resource["DependsOn"].as_str().map(str::to_owned));
        names.retain(|name| ses.contains_key(name.as_str()));
        names
    };
    let mut waiting: BTreeMap<_, _> = ses.iter().map(|(id, it)| (*id, waits_for(it))).collect();
    let count = waiting.len();
    assert!(count >= 6, "{waiting:?}");
    for _ in 0..count {
        let ready = waiting.iter().filter(|(_, others)| others.is_empty());
        let ready: Vec<_> = ready.map(|(id, _)| *id).collect();
        let [next] = ready[..] else {
            panic!("made at once: {ready:?}");
        };
        waiting.remove(next);
        for others in waiting.values_mut() {
            others.remove(next);
        }
    }
}

/// Three dashboards of up to 50 metrics each are free (`CloudWatch`'s pricing page). An API with detailed
/// metrics costs money for each metric of each route, whether anybody looks at it or not.
#[test]
fn the_dashboard_is_within_the_free_tier_and_no_route_has_its_own_metrics() {
    let template = template();
    for dashboard in resources(&template, "AWS::CloudWatch::Dashboard").into_values() {
        let body = &included(&dashboard["Properties"])["DashboardBody"]["Fn::Sub"];
        let body: serde_json::Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        let widgets = body["widgets"].as_array().unwrap().iter();
        let metrics = widgets.filter_map(|it| it["properties"]["metrics"].as_array());
        let count: usize = metrics.map(Vec::len).sum();
        assert!((1..=50).contains(&count), "{count}");
    }
    assert!(!file("template.yaml").contains("DetailedMetricsEnabled: true"));
}
