//! The values of expressions.

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
  IsNotProd: !Not [!Equals [!Ref Stage, prod]]
  Both: !And [!Equals [!Ref Stage, prod], !Equals [!Ref CodeTtlSeconds, 600]]
  Loop: !Equals [!If [Loop, 1, 2], 1]
  Either: !Or [!Equals [!Ref Stage, dev], !Equals [!Ref Stage, prod]]
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
fn expressions_have_the_values_that_cloudformation_gives_them() {
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
            "!Sub 'a-${AWS::Region}-${Stage}-${Queue.Arn}'",
            Json::from("a-us-east-1-dev-arn:aws:local:us-east-1:000000000000:regain-letters"),
        ),
        ("!If [IsProd, 1, 2]", Json::from(2)),
        ("!If [IsProd, 1, !Ref AWS::NoValue]", Json::Null),
        ("!If [IsNotProd, 1, 2]", Json::from(1)),
        ("!If [Both, 1, 2]", Json::from(2)),
        ("!Join ['', [a, !Ref Stage, 5]]", Json::from("adev5")),
        ("!Split ['-', a-b]", serde_json::json!(["a", "b"])),
        ("!Select [1, !Split ['-', a-b]]", Json::from("b")),
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
fn an_expression_that_cannot_be_evaluated_is_named() {
    let scope = scope(&[]);
    for (text, problem) in [
        ("!Ref Nobody", "there is nothing called Nobody"),
        ("!Ref NoDefault", "set NO_DEFAULT in the environment"),
        (
            "!ImportValue x",
            "Fn::ImportValue is not supported on one machine",
        ),
        ("!Join ['-', a]", "Fn::Join needs a separator and a list"),
        ("!Split ['-']", "Fn::Split needs a separator and a text"),
        ("!Select [0]", "Fn::Select needs an index and a list"),
        (
            "!Select [1, !Split ['-', a]]",
            "Fn::Select finds nothing at that index",
        ),
        (
            "!If [Either, 1, 2]",
            "Fn::Or is not supported in a condition",
        ),
        ("!Sub '${open'", "unclosed"),
        ("!Sub '${CorsOrigins}'", "finds no text for ${CorsOrigins}"),
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
