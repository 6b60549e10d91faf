//! The table behind a stack, as its own API shows it.

use std::collections::HashMap;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Config};
use regain::ids::SessionId;

use super::eventually;
use super::stack::Stack;

/// An item as it is stored.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its client.
    pub(crate) client: Client,
    /// Its name.
    pub(crate) name: String,
}

impl Table {
    /// The table of a stack.
    pub(crate) fn of(stack: &Stack) -> Self {
        let configuration = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(stack.endpoint("DynamoDB"))
            .build();
        Self {
            name: stack.table.clone(),
            client: Client::from_conf(configuration),
        }
    }

    /// The item of a key, if there is one.
    pub(crate) async fn get(&self, key: &str) -> Option<Item> {
        let key = AttributeValue::S(key.to_owned());
        let got = self.client.get_item().table_name(&self.name).key("pk", key);
        got.send().await.unwrap().item
    }

    /// A user's item.
    pub(crate) async fn user(&self, id: &str) -> Item {
        self.get(&format!("USER#{id}"))
            .await
            .expect("the user is stored")
    }

    /// Every item.
    pub(crate) async fn all(&self) -> Vec<Item> {
        let scan = self.client.scan().table_name(&self.name).into_paginator();
        scan.items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .unwrap()
    }

    /// Waits until the code of a session is expired.
    pub(crate) async fn code_expires(&self, session: &str) {
        let reference = SessionId::parse(session).expect("a session id").reference();
        let item = self.get(&format!("SESSION#{}", reference.hex())).await;
        let item = item.expect("the session is stored");
        let ends: i64 = item["codeExpiresAt"].as_n().unwrap().parse().unwrap();
        eventually("the code expires", async || {
            (regain::ambient::now().millis() >= ends).then_some(())
        })
        .await;
    }

    /// What became of the mails of a session, once each has its outcome, in order.
    pub(crate) async fn mail_outcomes(&self, session: &str) -> Vec<String> {
        let reference = SessionId::parse(session).expect("a session id").reference();
        let prefix = format!("MAIL#{}#", reference.hex());
        eventually("every mail of the session is closed", async || {
            let mut mails: Vec<_> = self.all().await;
            mails.retain(|item| text(item, "pk").starts_with(&prefix));
            mails.sort_by_key(|item| text(item, "pk").to_owned());
            let outcome = |item: &Item| item.get("outcome")?.as_s().ok().cloned();
            mails.iter().map(outcome).collect()
        })
        .await
    }
}

/// An attribute that is text.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    let value = item
        .get(name)
        .unwrap_or_else(|| panic!("{name} is missing: {item:?}"));
    value.as_s().expect("text")
}
