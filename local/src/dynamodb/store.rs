//! The table, over the API of the embedded engine or of another DynamoDB.

use std::error::Error;
use std::time::Duration;

use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::template::Table;

/// Longer than any call takes that gets an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Emulators look for a signature, its key id and its region, and do not check it.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
     Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=local";

/// Why the table cannot be used.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No DynamoDB answers at the address.
    #[error("the table cannot be reached at {url}: {problem}")]
    Unreachable {
        /// The address.
        url: String,
        /// The innermost cause.
        problem: String,
    },
    /// DynamoDB refused the call.
    #[error("the table: {operation}: {answer}")]
    Refused {
        /// The operation.
        operation: String,
        /// The answer.
        answer: Json,
    },
}

/// The stack's table. Clones share it.
#[derive(Clone, Debug)]
pub struct TableStore {
    http: reqwest::Client,
    url: String,
    table: Table,
}

impl TableStore {
    /// Creates the table, if it is missing.
    ///
    /// # Errors
    /// When nobody answers at the address, or the template describes no table.
    pub async fn open(url: &str, table: Table) -> Result<Self, StoreError> {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
        let store = Self {
            http: http.build().map_err(|it| unreachable(url, &it))?,
            url: url.to_owned(),
            table,
        };
        match store.describe().await {
            Ok(_) => {}
            Err(StoreError::Refused { answer, .. }) if is_missing(&answer) => {
                store.create().await?;
            }
            Err(error) => return Err(error),
        }
        Ok(store)
    }

    /// Turns the table's stream on, if it is off. A new table gets its first users before that, because
    /// the stream has no use for their records.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn turn_stream_on(&self) -> Result<(), StoreError> {
        let Some(view) = &self.table.stream_view_type else {
            return Ok(());
        };
        if self.stream_arn().await?.is_none() {
            let stream = json!({"StreamEnabled": true, "StreamViewType": view});
            let update = json!({"TableName": self.table.name, "StreamSpecification": stream});
            self.call("DynamoDB_20120810.UpdateTable", update).await?;
        }
        Ok(())
    }

    /// The ARN of the table's stream, if it is on.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn stream_arn(&self) -> Result<Option<String>, StoreError> {
        let table = self.describe().await?;
        let enabled = table.pointer("/Table/StreamSpecification/StreamEnabled");
        let arn = table
            .pointer("/Table/LatestStreamArn")
            .and_then(Json::as_str);
        Ok(arn
            .filter(|_| enabled == Some(&Json::Bool(true)))
            .map(str::to_owned))
    }

    /// Whether the table has no items.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let scan = json!({"TableName": self.table.name, "Limit": 1});
        let found = self.call("DynamoDB_20120810.Scan", scan).await?;
        Ok(found.get("Count") == Some(&json!(0)))
    }

    /// Makes one call of DynamoDB or of its streams.
    ///
    /// # Errors
    /// When there is no answer, or the call is refused.
    pub async fn call(&self, operation: &str, request: Json) -> Result<Json, StoreError> {
        let request = self
            .http
            .post(&self.url)
            .header("authorization", AUTHORIZATION)
            .header("x-amz-date", "20260101T000000Z")
            .header("x-amz-target", operation)
            .header("content-type", "application/x-amz-json-1.0")
            .body(request.to_string());
        let unreachable = |error| unreachable(&self.url, &error);
        let response = request.send().await.map_err(unreachable)?;
        let went_well = response.status().is_success();
        let answer = response.json().await.map_err(unreachable)?;
        if went_well {
            Ok(answer)
        } else {
            Err(StoreError::Refused {
                operation: operation.to_owned(),
                answer,
            })
        }
    }

    async fn describe(&self) -> Result<Json, StoreError> {
        let describe = json!({"TableName": self.table.name});
        self.call("DynamoDB_20120810.DescribeTable", describe).await
    }

    async fn create(&self) -> Result<(), StoreError> {
        let mut create = json!({
            "TableName": self.table.name,
            "KeySchema": self.table.key_schema,
            "AttributeDefinitions": self.table.attribute_definitions,
            "BillingMode": "PAY_PER_REQUEST",
        });
        if let (Some(indexes), Some(fields)) =
            (&self.table.global_secondary_indexes, create.as_object_mut())
        {
            fields.insert("GlobalSecondaryIndexes".to_owned(), indexes.clone());
        }
        self.call("DynamoDB_20120810.CreateTable", create).await?;
        if let Some(attribute) = &self.table.ttl_attribute {
            let expiry = json!({"AttributeName": attribute, "Enabled": true});
            let update = json!({"TableName": self.table.name, "TimeToLiveSpecification": expiry});
            self.call("DynamoDB_20120810.UpdateTimeToLive", update)
                .await?;
        }
        Ok(())
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> StoreError {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    StoreError::Unreachable {
        url: url.to_owned(),
        problem: cause.to_string(),
    }
}

/// Whether an answer says that there is no such table.
fn is_missing(answer: &Json) -> bool {
    let kind = answer.get("__type").and_then(Json::as_str);
    kind.is_some_and(|kind| kind.ends_with("ResourceNotFoundException"))
}
