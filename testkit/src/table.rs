//! A table of its own for each test: at the DynamoDB that `REGAIN_DYNAMODB` names, else on an embedded engine.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, DeleteRequest, KeySchemaElement, KeyType,
    ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
    WriteRequest,
};
use aws_sdk_dynamodb::{Client, Config};
use regain::store::Store;

use crate::aws::{REGION, credentials, http_client, listen, quick_retries};

/// The most writes of one `BatchWriteItem`.
const BATCH: usize = 25;

/// An item, with its attributes in order, so that two can be compared.
pub type Item = BTreeMap<String, AttributeValue>;

/// A table, and the client with which tests look into it.
#[derive(Debug)]
pub struct Table {
    /// Where its DynamoDB answers.
    pub endpoint: String,
    /// Its name.
    pub name: String,
    /// Its client.
    pub client: Client,
}

/// How a client calls the DynamoDB at that endpoint.
pub fn config(endpoint: &str) -> Builder {
    // Clients share what they may spend on retries. The failures of one test must not cost another test its retries.
    let partition = RetryPartition::custom("tests")
        .token_bucket(TokenBucket::unlimited())
        .build();
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(REGION)
        .endpoint_url(endpoint)
        .credentials_provider(credentials())
        .retry_config(quick_retries())
        .retry_partition(partition)
        .http_client(http_client())
}

impl Table {
    /// A table that has only its key.
    ///
    /// TTL is off: an engine deletes by its own clock, and the time of these tests is made up. An item that
    /// TTL would delete is over before that, and the clock alone says when.
    pub async fn create() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let endpoint = match std::env::var_os("REGAIN_DYNAMODB") {
            Some(url) => url.into_string().unwrap(),
            None => serve_engine().await,
        };
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let table = Self::at(&endpoint, &format!("regain-{process}-{next}"));
        table.declare(None).await;
        table
    }

    /// A table on an embedded engine as template.yaml declares it, with its stream and its TTL.
    pub async fn create_with_stream(name: &str) -> Self {
        let table = Self::at(&serve_engine().await, name);
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::KeysOnly);
        table.declare(Some(stream.build().unwrap())).await;
        let ttl = TimeToLiveSpecification::builder()
            .attribute_name("expiresAt")
            .enabled(true);
        let update = table.client.update_time_to_live().table_name(name);
        let update = update.time_to_live_specification(ttl.build().unwrap());
        update.send().await.unwrap();
        table
    }

    /// The table of that name at that endpoint.
    pub fn at(endpoint: &str, name: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            name: name.to_owned(),
            client: Client::from_conf(config(endpoint).build()),
        }
    }

    async fn declare(&self, stream: Option<StreamSpecification>) {
        let attribute = AttributeDefinition::builder()
            .attribute_name("pk")
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name("pk")
            .key_type(KeyType::Hash);
        self.client
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(key.build().unwrap())
            .set_stream_specification(stream)
            .send()
            .await
            .unwrap();
    }

    /// The store over this table.
    pub fn store(&self) -> Store {
        Store::new(self.client.clone(), self.name.as_str())
    }

    /// The item of a key, if there is one.
    pub async fn get(&self, key: &str) -> Option<Item> {
        let get = self.client.get_item().table_name(&self.name);
        let got = get.key("pk", text_value(key)).send().await.unwrap();
        got.item.map(|item| item.into_iter().collect())
    }

    /// Every item.
    pub async fn all(&self) -> Vec<Item> {
        let scan = self.client.scan().table_name(&self.name).into_paginator();
        let items = scan.items().send().collect::<Result<Vec<_>, _>>();
        let items = items.await.unwrap().into_iter();
        items.map(|item| item.into_iter().collect()).collect()
    }

    /// Every key, in order.
    pub async fn keys(&self) -> Vec<String> {
        let items = self.all().await;
        let mut keys: Vec<_> = items
            .iter()
            .map(|item| text(item, "pk").to_owned())
            .collect();
        keys.sort();
        keys
    }

    /// Puts an item, as another program would.
    pub async fn put(&self, key: &str, attributes: &[(&str, AttributeValue)]) {
        let put = self.client.put_item().table_name(&self.name);
        let put = put.item("pk", text_value(key));
        let put = attributes
            .iter()
            .fold(put, |put, (name, value)| put.item(*name, value.clone()));
        put.send().await.unwrap();
    }

    /// Sets one attribute of an item.
    pub async fn set(&self, key: &str, name: &str, value: AttributeValue) {
        let update = self.client.update_item().table_name(&self.name);
        let update = update
            .key("pk", text_value(key))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value);
        update.send().await.unwrap();
    }

    /// Removes one attribute of an item.
    pub async fn remove(&self, key: &str, name: &str) {
        let update = self.client.update_item().table_name(&self.name);
        let update = update
            .key("pk", text_value(key))
            .update_expression("REMOVE #name")
            .expression_attribute_names("#name", name);
        update.send().await.unwrap();
    }

    /// Deletes an item, as its TTL does.
    pub async fn delete(&self, key: &str) {
        let delete = self.client.delete_item().table_name(&self.name);
        delete.key("pk", text_value(key)).send().await.unwrap();
    }

    /// Deletes every item.
    pub async fn clear(&self) {
        let deletions: Vec<_> = self.keys().await.iter().map(|key| deletion(key)).collect();
        for batch in deletions.chunks(BATCH) {
            let write = self.client.batch_write_item();
            let written = write.request_items(&self.name, batch.to_vec()).send().await;
            let left = written.unwrap().unprocessed_items.unwrap_or_default();
            assert!(left.is_empty(), "not deleted: {left:?}");
        }
    }
}

fn deletion(key: &str) -> WriteRequest {
    let delete = DeleteRequest::builder().key("pk", text_value(key));
    let delete = delete.build().unwrap();
    WriteRequest::builder().delete_request(delete).build()
}

/// An attribute that is text.
pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    let value = item.get(name);
    let value = value.unwrap_or_else(|| panic!("{name} is missing: {item:?}"));
    value.as_s().expect("text")
}

fn text_value(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn serve_engine() -> String {
    let (listener, endpoint) = listen().await;
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(
        listener,
        database,
        pending(),
    ));
    endpoint
}
