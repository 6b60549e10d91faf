//! Errors of the command: each is one sentence, with the exit code of its kind.

use crate::kit::Kit;

const SHOW: [&str; 3] = ["users", "show", "ann@example.com"];

#[tokio::test]
async fn a_table_that_does_not_exist_is_named() {
    let kit = Kit::new().await;
    let ran = kit.run(&[&SHOW[..], &["--table", "other"]].concat()).await;
    assert_eq!(
        ran.sentence(),
        "the table other does not exist there (look at name and region)"
    );
    let file = kit.file(&[serde_json::json!({"email": "ann@example.com"})]);
    let import = [
        "users",
        "import",
        file.to_str().unwrap(),
        "--table",
        "other",
    ];
    let ran = kit.run(&import).await;
    assert_eq!(
        ran.sentence(),
        "the table other does not exist there (look at name and region)"
    );
}

#[tokio::test]
async fn a_stack_that_does_not_exist_is_named() {
    let kit = Kit::new().await;
    let message = "Stack with id other does not exist";
    kit.aws
        .fails("DescribeStacks", 400, "ValidationError", message);
    let ran = kit.run(&[&SHOW[..], &["--stack", "other"]].concat()).await;
    assert_eq!(
        ran.sentence(),
        "the stack other does not exist there (look at name and region)"
    );
}

#[tokio::test]
async fn the_table_or_stack_of_another_service_is_refused() {
    let kit = Kit::new().await;
    let message = "The provided key element does not match the schema";
    kit.aws
        .fails("GetItem", 400, "ValidationException", message);
    let ran = kit.local(&SHOW).await;
    assert_eq!(
        ran.sentence(),
        "the table regain is not a table of Regain: its key is not pk"
    );
    kit.aws.answers(
        "DescribeStacks",
        serde_json::json!({"outputs": {}, "parameters": {}}),
    );
    let ran = kit.run(&[&SHOW[..], &["--stack", "shop"]].concat()).await;
    assert_eq!(
        ran.sentence(),
        "the stack shop has no output TableName: it is not a stack of Regain"
    );
}

#[tokio::test]
async fn a_missing_permission_is_reported_in_the_words_of_aws() {
    let kit = Kit::new().await;
    let message = "User: arn:aws:iam::1:user/op is not authorized to perform: dynamodb:GetItem";
    kit.aws
        .fails("GetItem", 400, "AccessDeniedException", message);
    let ran = kit.local(&SHOW).await;
    assert_eq!(
        ran.sentence(),
        format!("the table regain may not be used: {message}")
    );
}

#[tokio::test]
async fn missing_or_invalid_credentials_are_reported() {
    let kit = Kit::new().await;
    let table = [&SHOW[..], &["--table", "regain"]].concat();
    let ran = kit.run_in(&[("AWS_REGION", "eu-central-1")], &table).await;
    assert_eq!(
        ran.sentence(),
        "there are no good AWS credentials for the table regain: none were found in the environment, \
         the profile or the machine's role (for a stack of `cargo run`, give --local)"
    );
    kit.aws.fails(
        "GetItem",
        400,
        "UnrecognizedClientException",
        "The security token is invalid.",
    );
    let ran = kit.run(&table).await;
    assert!(
        ran.sentence().contains("The security token is invalid."),
        "{ran:?}"
    );
}

#[tokio::test]
async fn the_command_asks_for_a_missing_region() {
    let kit = Kit::new().await;
    let keys = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let ran = kit
        .run_in(&keys, &[&SHOW[..], &["--table", "regain"]].concat())
        .await;
    assert!(
        ran.sentence()
            .ends_with("no region is known: set AWS_REGION, or give --region"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn an_endpoint_of_another_service_is_reported() {
    let kit = Kit::new().await;
    kit.aws.fails("GetItem", 404, "", "");
    let ran = kit.local(&SHOW).await;
    assert_eq!(
        ran.sentence(),
        "the endpoint of the table regain does not know the call"
    );
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_reported() {
    let kit = Kit::new().await;
    let nowhere = "dynamodb=http://127.0.0.1:1";
    let ran = kit
        .local(&[&SHOW[..], &["--endpoint", nowhere]].concat())
        .await;
    let sentence = ran.sentence();
    assert!(
        sentence.starts_with("the table regain cannot be reached: "),
        "{sentence}"
    );
    let what_to_do = "; start the service with `cargo run`, which prints the options for this command if \
                      it is not at http://127.0.0.1:";
    assert!(sentence.contains(what_to_do), "{sentence}");
}

#[tokio::test]
async fn another_program_at_the_port_of_a_stand_in_is_reported() {
    let kit = Kit::new().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = axum::Router::new().fallback(async || axum::response::Html("<h1>not yours</h1>"));
    tokio::spawn(async move { axum::serve(listener, page).await });
    let endpoint = format!("dynamodb={url}");
    let ran = kit
        .local(&[&SHOW[..], &["--endpoint", &endpoint]].concat())
        .await;
    let expected = format!(
        "; another program may be at {url} (DynamoDB): the line `Operate` of `cargo run` has the right options"
    );
    assert!(ran.sentence().ends_with(&expected), "{}", ran.err);
}
