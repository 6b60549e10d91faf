//! The environment of every function for `sam local --env-vars`: what `cargo run` gives it, with the
//! stand-ins at the addresses named as `environment DYNAMODB SES SECRETS LAMBDA EVENTS`.

use std::error::Error;
use std::path::Path;

use local::gateway::listen::Urls;
use local::lambda::program::program;
use local::template::{Environment, Stack};
use serde_json::{Map, Value as Json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut addresses = std::env::args().skip(1);
    let mut address = |of| addresses.next().ok_or(format!("no address of {of}"));
    let urls = Urls {
        api: String::new(),
        dynamodb: address("DynamoDB")?,
        ses: address("SES")?,
        secrets: address("Secrets Manager")?,
        lambda: address("Lambda")?,
        events: address("EventBridge")?,
    };
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let stack = Stack::open(Path::new(template), Environment::new())?;
    let functions = stack.functions.iter().map(|function| {
        let variables = program(function, Path::new(""), &urls).environment;
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name, value.into()));
        (function.id.clone(), Json::Object(variables.collect()))
    });
    let functions: Map<_, _> = functions.collect();
    println!("{}", serde_json::to_string(&functions)?);
    Ok(())
}
