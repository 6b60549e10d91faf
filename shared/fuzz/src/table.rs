//! A table that stays empty, below the SDK's clients and without a socket.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, HttpClient, Region, RuntimeComponents, SharedHttpClient,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_types::SdkConfig;
use regain::audit::AuditTrail;
use regain::mail::Delivery;
use regain::mail::events::MailEvents;
use regain::secrets::Secrets;
use regain::settings::{MailSettings, Settings};
use regain::store::Store;
use serde_json::{Value, json};

/// The table, and the requests that it got. It answers every update as if the item were missing.
#[derive(Clone, Debug, Default)]
pub struct EmptyTable(Arc<Mutex<Vec<Value>>>);

impl EmptyTable {
    /// The requests since the last call of this.
    #[must_use]
    pub fn asked(&self) -> Vec<Value> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// deliver-mail over this table. It never sends a mail, because it never finds a mail request.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        let ses = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.client())
            .build();
        let secrets = SdkConfig::builder().http_client(self.client()).build();
        Delivery::new(
            self.store(),
            Secrets::new(&secrets, "index".to_owned(), None),
            aws_sdk_sesv2::Client::from_conf(ses),
            Settings::read(&|_| None).unwrap(),
            MailSettings {
                from: "no-reply@example.com".to_owned(),
                from_name: None,
                reply_to: None,
                template_prefix: "stack".to_owned(),
                configuration_set: None,
                recovery_page: None,
                batch: Duration::ZERO,
            },
            AuditTrail::new(io::sink()),
        )
    }

    /// mail-events over this table, which leaves an audit trail.
    #[must_use]
    pub fn mail_events(&self, trail: AuditTrail) -> MailEvents {
        MailEvents::new(self.store(), trail)
    }

    fn store(&self) -> Store {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "fuzz"))
            .retry_config(RetryConfig::disabled())
            .http_client(self.client())
            .build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(config), "regain")
    }

    fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

impl HttpClient for EmptyTable {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for EmptyTable {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        assert_eq!(target, "DynamoDB_20120810.UpdateItem");
        let asked = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked);
        let refused = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "Message": "The conditional request failed",
        });
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            400.try_into().unwrap(),
            refused.to_string().into(),
        )))
    }
}
