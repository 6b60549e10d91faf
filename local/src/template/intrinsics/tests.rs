//! What expressions mean.

use super::*;
use crate::template::yaml;

fn scope(environment: &[(&str, &str)]) -> Scope {
    let template = yaml::read(
        r"
Parameters:
  CodeTtlSeconds: {Type: Number, Default: 600}
  CorsOrigins: {Type: CommaDelimitedList, Default: '*'}
  Stage: {Type: String, Default: dev}
  NoDefault: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsNotProd: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !Condition IsNotProd]
  Both: {'Fn::And': [{Condition: IsProd}, {Condition: IsNotProd}]}
  Loop: !Not [!Condition Loop]
Mappings:
  Sizes: {dev: {memory: 128}}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Key: {Type: AWS::SecretsManager::Secret}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${AWS::StackName}-letters'}}
",
    )
    .unwrap();
    let environment = environment
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Scope::new(template, environment)
}

fn resolved(scope: &Scope, text: &str) -> Json {
    scope
        .resolve(&yaml::read(text).unwrap(), "here")
        .unwrap()
        .unwrap_or_default()
}

#[test]
fn expressions_mean_what_they_mean_to_cloudformation() {
    let scope = scope(&[]);
    for (text, expected) in [
        ("!Ref CodeTtlSeconds", Json::from(600)),
        ("{Ref: Table}", Json::from("regain")),
        ("!Ref Key", Json::from("Key")),
        ("!Ref Queue", Json::from("regain-letters")),
        (
            "!GetAtt Queue.Arn",
            Json::from("arn:aws:local:us-east-1:000000000000:regain-letters"),
        ),
        (
            "!Sub 'a-${AWS::Region}-${Stage}-${!x}'",
            Json::from("a-us-east-1-dev-${x}"),
        ),
        (
            "!Sub ['${a}${Stage}', {a: !Ref AWS::StackName}]",
            Json::from("regaindev"),
        ),
        ("!If [IsProd, 1, 2]", Json::from(2)),
        ("!If [IsProd, 1, !Ref AWS::NoValue]", Json::Null),
        ("!If [Either, 1, 2]", Json::from(1)),
        ("!If [Both, 1, 2]", Json::from(2)),
        ("!Join ['-', [a, !Ref Stage]]", Json::from("a-dev")),
        ("!Split [',', 'a,b']", serde_json::json!(["a", "b"])),
        ("!Select [1, [a, b]]", Json::from("b")),
        ("!FindInMap [Sizes, !Ref Stage, memory]", Json::from(128)),
        ("!Ref CorsOrigins", serde_json::json!(["*"])),
        (
            "{a: !Ref AWS::NoValue, b: [1, !Ref AWS::NoValue]}",
            serde_json::json!({"b": [1]}),
        ),
    ] {
        assert_eq!(resolved(&scope, text), expected, "{text}");
    }
}

#[test]
fn a_parameter_is_overridden_by_the_environment_variable_with_the_same_words() {
    let scope = scope(&[
        ("CODE_TTL_SECONDS", "5"),
        ("CORS_ORIGINS", "https://a.example, https://b.example"),
    ]);
    assert_eq!(resolved(&scope, "!Ref CodeTtlSeconds"), Json::from("5"));
    assert_eq!(
        resolved(&scope, "!Ref CorsOrigins"),
        serde_json::json!(["https://a.example", "https://b.example"])
    );
}

#[test]
fn a_parameter_is_spelled_with_underscores_between_its_words() {
    for (name, variable) in [
        ("CodeTtlSeconds", "CODE_TTL_SECONDS"),
        ("Argon2MemoryKib", "ARGON2_MEMORY_KIB"),
        ("IpRequestsPerHour", "IP_REQUESTS_PER_HOUR"),
        ("UserIdFormat", "USER_ID_FORMAT"),
        ("AuthV1Language", "AUTH_V1_LANGUAGE"),
    ] {
        assert_eq!(screaming_snake(name), variable);
    }
}

#[test]
fn what_cannot_be_evaluated_is_named() {
    let scope = scope(&[]);
    for (text, problem) in [
        ("!Ref Nobody", "there is nothing called Nobody"),
        ("!Ref NoDefault", "set NO_DEFAULT in the environment"),
        (
            "!ImportValue x",
            "Fn::ImportValue is not supported on one machine",
        ),
        ("!Sub '${open'", "unclosed"),
        ("!If [Nope, 1, 2]", "there is no condition Nope"),
        ("!If [Loop, 1, 2]", "refers to itself"),
    ] {
        let error = scope
            .resolve(&yaml::read(text).unwrap(), "here")
            .unwrap_err()
            .to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}
