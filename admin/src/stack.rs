//! A stack: the names of its parts, and its settings.

use std::collections::HashMap;

use aws_sdk_cloudformation::types::Stack as DescribedStack;
use regain::settings::Settings;

use crate::connection::Connection;
use crate::failure::{Failure, Trouble};
use crate::options::Place;

/// The names of a stack's parts. The table is always known, the others may be missing.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) table: String,
    pub(crate) index_key: Option<String>,
    pub(crate) code_key: Option<String>,
    pub(crate) mail_from: Option<String>,
    pub(crate) template_prefix: Option<String>,
    /// The URL of the API.
    pub(crate) api: Option<String>,
    pub(crate) settings: Settings,
    /// Whether the settings come from the stack, and not from the environment or the defaults.
    pub(crate) has_own_settings: bool,
    /// Whether mails are known to have no link.
    pub(crate) has_no_link: bool,
}

impl Stack {
    /// The table in a sentence of an error.
    pub(crate) fn the_table(&self) -> String {
        format!("the table {}", self.table)
    }
}

/// The names in the stack of `cargo run`.
const LOCAL_STACK: &str = "regain";
const LOCAL_INDEX_KEY: &str = "IndexKey";
const LOCAL_CODE_KEY: &str = "CodeKey";
const LOCAL_SENDER: &str = "no-reply@example.com";

/// Finds the names of the stack's parts: from the options, then from `CloudFormation` if the stack is named.
pub(crate) async fn find(
    connection: &Connection,
    place: &Place,
    local: bool,
) -> Result<Stack, Failure> {
    if local && place.stack.is_some() {
        return Err(Failure::Usage("give --stack NAME or --local, not both"));
    }
    let parts = place.parts.clone();
    if let Some(name) = &place.stack {
        let described = Described::ask(connection, name).await?;
        let output = |key: &'static str| {
            described
                .outputs
                .get(key)
                .cloned()
                .ok_or_else(|| Failure::NoRegain {
                    stack: name.clone(),
                    output: key,
                })
        };
        let settings =
            Settings::read(&|variable| described.parameters.get(&parameter_of(variable)).cloned())?;
        return Ok(Stack {
            table: place
                .table
                .clone()
                .map_or_else(|| output("TableName"), Ok)?,
            index_key: Some(
                parts
                    .index_key
                    .secret
                    .map_or_else(|| output("IndexKeyArn"), Ok)?,
            ),
            code_key: Some(
                parts
                    .code_key_secret
                    .map_or_else(|| output("CodeKeyArn"), Ok)?,
            ),
            mail_from: parts
                .mail_from
                .or_else(|| described.parameters.get("MailFrom").cloned()),
            template_prefix: Some(parts.template_prefix.unwrap_or_else(|| name.clone())),
            api: parts
                .api
                .or_else(|| described.outputs.get("ApiUrl").cloned()),
            settings,
            has_own_settings: true,
            has_no_link: described
                .parameters
                .get("RecoveryPageUrl")
                .is_some_and(|url| url == "none"),
        });
    }
    let or_local =
        |given: Option<String>, name: &str| given.or_else(|| local.then(|| name.to_owned()));
    let table = or_local(place.table.clone(), LOCAL_STACK);
    Ok(Stack {
        table: table.ok_or(Failure::Usage(
            "which stack? give --stack NAME, or --local for that of `cargo run`, or --table NAME where \
             the command takes it",
        ))?,
        index_key: or_local(parts.index_key.secret, LOCAL_INDEX_KEY),
        code_key: or_local(parts.code_key_secret, LOCAL_CODE_KEY),
        mail_from: or_local(parts.mail_from, LOCAL_SENDER),
        template_prefix: or_local(parts.template_prefix, LOCAL_STACK),
        api: parts.api.or_else(|| connection.local_api()),
        settings: Settings::from_env()?,
        has_own_settings: false,
        has_no_link: false,
    })
}

/// A stack as `CloudFormation` describes it.
struct Described {
    outputs: HashMap<String, String>,
    parameters: HashMap<String, String>,
}

impl Described {
    async fn ask(connection: &Connection, name: &str) -> Result<Self, Trouble> {
        let asked = connection
            .cloudformation()
            .describe_stacks()
            .stack_name(name)
            .send()
            .await;
        let described = asked.map_err(|error| Trouble::of(format!("the stack {name}"), &error))?;
        let pair =
            |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
        let stacks = described.stacks();
        let outputs = stacks.iter().flat_map(DescribedStack::outputs);
        let parameters = stacks.iter().flat_map(DescribedStack::parameters);
        Ok(Self {
            outputs: outputs
                .filter_map(|it| pair(it.output_key(), it.output_value()))
                .collect(),
            parameters: parameters
                .filter_map(|it| pair(it.parameter_key(), it.parameter_value()))
                .collect(),
        })
    }
}

/// The stack's parameter for a setting: `CODE_TTL_SECONDS` is `CodeTtlSeconds`.
fn parameter_of(variable: &str) -> String {
    if variable == "USER_STORE_FUNCTION" {
        return "UserStoreFunctionArn".to_owned();
    }
    variable
        .split('_')
        .flat_map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            [first.to_owned(), rest.to_ascii_lowercase()]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_and_its_parameter_have_the_same_words() {
        assert_eq!(parameter_of("ARGON2_MEMORY_KIB"), "Argon2MemoryKib");
        assert_eq!(parameter_of("USER_ID_FORMAT"), "UserIdFormat");
    }
}
